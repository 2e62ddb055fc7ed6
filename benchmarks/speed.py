"""Rows of speed: events and orders a second through an engine, beside its rivals."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.program import ProgramResult
from benchmarks.processes import Failed
from benchmarks.race import Outcome, Setting, entry_of, race
from benchmarks.report import Entry

NAUTILUS = "nautilus_trader"
LIMITS = {"orders_filled": 50_000}  # bars, with an order on each: 1,000,000 USD pays the fees of so many
QUICK_EVENTS = 50_000
QUICK_ORDERS_BARS = 5_000
TICKERS = {"quotes_two_ema": "ibm", "trades_ema": "spy"}  # five days of quotes, two days of many more trades


def path_of(setting: Setting, row: str) -> Path:
    """The recorded data of a row."""
    return setting.ticks_folder(TICKERS[row]) if row in TICKERS else setting.bars_path


def bars_ema_cross(setting: Setting) -> list[Entry]:
    """Bars a second through an EMA cross 10/30, with its trades, beside three rivals, and their memory."""
    peers = (NAUTILUS, "backtesting.py", "backtrader")
    ours, rivals = race(setting, "bars_ema_cross", setting.bars_path, peers, _limit(setting))
    speed = [
        entry_of(
            "bars_ema_cross",
            "bars/s",
            peer,
            ours,
            rivals[peer],
            _speed,
            limit=800_000,
            ratio_limit=10 if peer == NAUTILUS else None,  # the fastest engine of this kind
        )
        for peer in peers
    ]
    memory = [entry_of("bars_peak_mb", "MB", peer, ours, rivals[peer], _memory, higher=False) for peer in peers]
    return speed + memory


def orders_filled(setting: Setting) -> list[Entry]:
    """Orders a second, submitted and filled: a market order on every bar."""
    limit = QUICK_ORDERS_BARS if setting.quick else LIMITS["orders_filled"]
    ours, rivals = race(setting, "orders_filled", setting.bars_path, (NAUTILUS,), limit)
    return [
        entry_of("orders_filled", "orders/s", peer, ours, outcome, _orders, limit=100_000, ratio_limit=10)
        for peer, outcome in rivals.items()
    ]


def quotes_two_ema(setting: Setting) -> list[Entry]:
    """Quotes a second through a handler that reads two averages at each, five days of IBM."""
    return _ticks(setting, "quotes_two_ema", "quotes/s")


def trades_ema(setting: Setting) -> list[Entry]:
    """Trades a second through a handler that reads two averages at each, two days of SPY."""
    return _ticks(setting, "trades_ema", "trades/s")


def _ticks(setting: Setting, row: str, unit: str) -> list[Entry]:
    ours, rivals = race(setting, row, path_of(setting, row), (NAUTILUS,), _limit(setting))
    return [
        entry_of(row, unit, peer, ours, same_job(ours, rival), _speed, limit=1_500_000, ratio_limit=7)
        for peer, rival in rivals.items()
    ]


def same_job(ours: Outcome, rival: Outcome) -> Outcome:
    """The rival's outcome, if both saw as many events and counted as many crosses; otherwise a failure that says so.

    A strategy without orders has no fills to compare: the count is the proof that neither side skipped its work.
    """
    if not isinstance(ours, ProgramResult) or not isinstance(rival, ProgramResult):
        return rival
    done = [(result.events, result.crosses) for result in (ours, rival)]
    if done[0] == done[1]:
        return rival
    words = [f"{crosses:,} crosses in {events:,} events" for events, crosses in done]
    return Failed(f"not the same job: {rival.name} counted {words[1]}, lockstep {words[0]}")


def _limit(setting: Setting) -> int | None:
    return QUICK_EVENTS if setting.quick else None


def _speed(result: ProgramResult) -> float:
    return result.events_per_second


def _orders(result: ProgramResult) -> float:
    return result.fills / result.seconds


def _memory(result: ProgramResult) -> float:
    return result.peak_rss_mb

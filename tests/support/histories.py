"""Histories made by hand, as a backtest takes them: what the tests of a whole run's rules feed. Times are ns UTC."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from machine import T0, BarRow, coin, records

from lockstep.model.enums import BookAction, EventKind
from lockstep.model.instrument import Instrument
from lockstep.model.record import BOOK_FULL, BOOK_LAST, MARKET_EVENT, Records
from lockstep.run.strategy_file import StrategyFile, load_strategy
from lockstep.store.catalog.market_data import DataInfo, MarketData


class HeldRows:
    """Records in memory as the backing of a history, given in chunks of so many."""

    def __init__(self, rows: Records, chunk: int) -> None:
        self._rows, self._chunk = rows, chunk

    def count(self, start_ns: int | None, end_ns: int | None) -> int:
        """How many records lie in the range."""
        return len(self._inside(start_ns, end_ns))

    def pieces(self, start_ns: int | None, end_ns: int | None) -> Iterator[Records]:
        """These records, as fresh arrays."""
        rows = self._inside(start_ns, end_ns)
        for at in range(0, len(rows), self._chunk):
            yield rows[at : at + self._chunk].copy()

    def _inside(self, start_ns: int | None, end_ns: int | None) -> Records:
        is_tick = np.isin(self._rows["kind"], (EventKind.QUOTE, EventKind.TRADE, EventKind.BOOK))
        by = np.where(is_tick, self._rows["clock"], self._rows["ts_open"])
        first = np.searchsorted(by, -(2**62) if start_ns is None else start_ns)
        return self._rows[first : np.searchsorted(by, 2**62 if end_ns is None else end_ns)]


def history(
    rows: Records, instrument: Instrument | None = None, *, chunk: int = 1_000_000, levels: int = 0
) -> MarketData:
    """Records of one instrument as a history of their kind. levels: as of a DataInfo."""
    instrument = instrument or coin()
    is_bar = rows["kind"] == EventKind.BAR
    has_bars = bool(is_bar.any())
    kinds = {int(EventKind.QUOTE): "quote", int(EventKind.TRADE): "trade", int(EventKind.BOOK): "book"}
    bars = rows[is_bar]
    info = DataInfo(
        symbol=instrument.symbol,
        source="made by hand",
        rows=len(rows),
        first_ns=int(bars["ts_open"][0] if has_bars else rows["clock"][0]),
        last_ns=int(bars["ts_event"][-1] if has_bars else rows["clock"][-1]),
        bar_ns=int((bars["ts_event"] - bars["ts_open"]).max()) if has_bars else 0,
        gaps=0,
        longest_gap_ns=0,
        content_hash=hashlib.blake2b(rows.tobytes(), digest_size=16).hexdigest(),
        splits=0,
        dividends=0,
        adjustments="applied",
        notes=(),
        kind="bar" if has_bars else kinds[int(rows["kind"][0])],
        clocks_differ=bool((rows["clock"] != rows["ts_event"]).any()),
        levels=levels,
    )
    return MarketData(instrument, info, HeldRows(rows, chunk))


def bar_history(rows: Sequence[BarRow], instrument: Instrument | None = None, actions: Any = ()) -> MarketData:
    """Bars, and corporate actions among them as `machine.records` takes them."""
    return history(records(rows, actions), instrument)


def quotes(*rows: tuple[int, ...]) -> Records:
    """(ns after T0, bid, ask, bid quantity, ask quantity), and when it was received, ns after T0, where that is later."""
    out = np.zeros(len(rows), MARKET_EVENT)
    for k, (ts, bid, ask, bid_qty, ask_qty, *recv) in enumerate(rows):
        clock = recv[0] if recv else ts
        out[k] = (T0 + clock, T0 + ts, k, EventKind.QUOTE, 0, 0, 0, bid, ask, bid_qty, ask_qty, 0.0, 0)
    return out


def trades(*rows: tuple[int, int, int]) -> Records:
    """(ns after T0, price, quantity)."""
    out = np.zeros(len(rows), MARKET_EVENT)
    for k, (ts, price, qty) in enumerate(rows):
        out[k] = (T0 + ts, T0 + ts, k, EventKind.TRADE, 0, 0, 0, price, qty, k, 0, 0.0, 0)
    return out


def book(*groups: tuple[Any, ...]) -> Records:
    """(ns after T0, changes (what, side, price, quantity, order id), whether they are a full book), and when it was received."""
    found: list[tuple[Any, ...]] = []
    for ts, changes, full, *recv in groups:
        for k, (what, side, price, qty, *ident) in enumerate(changes):
            flags = BookAction[what] | BOOK_FULL * full | BOOK_LAST * (k == len(changes) - 1)
            clock = T0 + (recv[0] if recv else ts)
            words = (price, qty, ident[0] if ident else 0, 0)
            found.append((clock, T0 + ts, len(found), EventKind.BOOK, flags, side + 2, 0, *words, 0.0, 0))
    return np.array(found, MARKET_EVENT)


def strategy(folder: Path, body: str, name: str = "Made") -> StrategyFile:
    """A strategy file: the body of its class, indented by four."""
    path = folder / f"{name.lower()}.py"
    path.write_text(f"from lockstep import EMA, Strategy\n\n\nclass {name}(Strategy):\n{body}\n")
    return load_strategy(path)

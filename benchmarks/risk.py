"""What the risk gate costs: how long a verdict takes with every check on, each check alone, and what it takes from a backtest.

A hundred instruments, priced by a hundred closes of the recorded bars, with a thousand orders at work. What is timed is the
verdict, by the clock's two readings around it, which cost about 0.1 us themselves and are not taken off.

    python -m benchmarks.risk [BARS_FILE]
"""

from __future__ import annotations

import gc
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.checks import CHECKS, STRATEGY, every_check
from benchmarks.peers.program import ProgramResult
from benchmarks.processes import run_program
from benchmarks.race import OURS, Outcome, Setting, best_outcome, note_of, recorded_data
from benchmarks.report import Entry
from benchmarks.speed import LIMITS, QUICK_EVENTS, QUICK_ORDERS_BARS
from lockstep.model.enums import AssetClass, OrderEventKind, OrderType
from lockstep.model.instrument import Instrument
from lockstep.model.traffic import make_terms
from lockstep.orders.order import OpenOrders, Order
from lockstep.portfolio.portfolio import Portfolio
from lockstep.risk.desk import Desk
from lockstep.risk.gate import Gate
from lockstep.risk.limits import RiskLimits
from lockstep.store.catalog.readers import read_market_data

SYMBOLS, WORKING, VERDICTS = 100, 1000, 50_000
P99_US, P999_US = 20.0, 100.0
SHARE = 0.85
_SECOND = 1_000_000_000
_T0 = 1_530_000_000 * _SECOND


class Floor:
    """One account with its orders at work, half of them on each side, 1 % and more from the price."""

    def __init__(self, limits: RiskLimits, prices: list[int]) -> None:
        self.items = [
            Instrument(
                venue="B", symbol=f"S{k}", asset_class=AssetClass.CRYPTO, base_currency=f"S{k}", quote_currency="USD",
                price_decimals=2, qty_decimals=4,
            )
            for k in range(len(prices))
        ]  # fmt: skip
        self.portfolio = Portfolio(self.items, 10**9, 4.0)
        self.desk = Desk(self.portfolio.equity())
        self.orders = OpenOrders()
        self.gates: list[Gate] = []
        self.holdings: list[Any] = self.portfolio.holdings
        self.clock = _T0
        for k, item in enumerate(self.items):
            position = self.portfolio.add_position(STRATEGY, 0, k)
            gate = Gate(item, limits, self.desk, position, STRATEGY)
            gate.keep_hours([(0, 2**62)])
            self.gates.append(gate)
            self.holdings[k].show(prices[k], self.clock)
            self.portfolio.book_fill(position, 1 if k % 2 else -1, prices[k], 10_000, 0)

    def make(self, number: int) -> tuple[Order, float]:
        """The order of a turn, and its worth."""
        k = number % len(self.items)
        side = 1 if number // len(self.items) % 2 else -1
        last = self.holdings[k].last_units
        limit = last - side * (last // 100 + number % 7)
        terms = make_terms(side, int(OrderType.LIMIT), 1, 0, 100 + number % 1000, limit, 0, 0, 0, 0)
        order = self.orders.create(STRATEGY, 0, 0, self.items[k], k, terms, self.clock)
        return order, order.qty_units / 1e4 * limit / 100.0

    def judge(self, number: int) -> tuple[Order, int]:
        """One verdict, ns; the approved order works. Raises: ValueError: it was refused, so that not everything was checked."""
        self.clock += 1_000_000
        order, worth = self.make(number)
        k = order.instrument_index
        gate, holding = self.gates[k], self.holdings[k]
        holding.show(holding.last_units, self.clock)
        begin = time.perf_counter_ns()
        rule = gate.decide(self.portfolio, holding, order, worth, self.clock, len(self.orders.by_id))
        took = time.perf_counter_ns() - begin
        if rule:
            raise ValueError(f"{gate.verdict(rule)}: the limits of a benchmark are to be looked at, not met")
        self.orders.apply(order, int(OrderEventKind.SUBMIT))
        gate.sent(order, self.clock)
        holding.add_pending(order.side_sign, order.qty_units, worth)
        return order, took

    def end(self, order: Order) -> None:
        """An order is cancelled at the venue."""
        holding = self.holdings[order.instrument_index]
        self.orders.apply(order, int(OrderEventKind.CANCEL))
        holding.add_pending(order.side_sign, -order.qty_units, -order.qty_units / 1e4 * order.limit_units / 100.0)


def recorded_prices(path: Path, count: int = SYMBOLS) -> list[int]:
    """So many closes of a file of bars, evenly apart, in cents."""
    (data,) = read_market_data(path)
    closes = np.concatenate([records["p3"] for records in data.chunks()])
    some = closes[:: max(1, len(closes) // count)][:count]
    scale = 10.0 ** (data.instrument.price_decimals - 2)
    return [max(100, round(int(close) / scale)) for close in some]


def latencies_us(limits: RiskLimits, prices: list[int], verdicts: int, working: int = WORKING) -> dict[str, float]:
    """Percentiles of a verdict with so many orders at work: for each that comes the oldest goes. Microseconds."""
    floor = Floor(limits, prices)
    live = [floor.judge(number)[0] for number in range(working)]
    times = []
    gc.collect()
    gc.freeze()  # as a process that trades does: what stays is not looked at again and again
    for number in range(working, working + verdicts):
        floor.end(live[number % working])
        live[number % working], took = floor.judge(number)
        times.append(took)
    gc.unfreeze()
    times.sort()
    return {name: times[min(len(times) - 1, int(part * len(times)))] / 1000 for name, part in PERCENTILES.items()}


PERCENTILES = {"p50": 0.5, "p99": 0.99, "p999": 0.999}


def risk_verdict(setting: Setting) -> list[Entry]:
    """How long a verdict takes with every check on, and the 99th percentile of each alone."""
    verdicts = 2000 if setting.quick else VERDICTS
    prices = recorded_prices(setting.bars_path)
    setting.say("risk_verdict: every check")
    rounds = [latencies_us(every_check(STRATEGY), prices, verdicts) for _ in range(max(1, min(3, setting.repeat)))]
    limits = {"p50": None, "p99": P99_US, "p999": P999_US}
    entries = [
        Entry(
            f"risk_verdict_{name}", min(each[name] for each in rounds), "us", higher_is_better=False, limit=limits[name]
        )
        for name in PERCENTILES
    ]
    for check, fields in CHECKS.items():
        setting.say(f"risk_verdict: {check}")
        alone = RiskLimits(**({"buying_power": False} | fields))
        found = latencies_us(alone, prices, max(2000, verdicts // 5))
        entries.append(Entry(f"risk_verdict_p99 {check}", found["p99"], "us", higher_is_better=False, limit=P99_US))
    return entries


def risk_backtest(setting: Setting) -> list[Entry]:
    """Bars and orders a second with every check on, and the share that is left of the speed without."""
    entries = []
    for row, unit, quick, full in (
        ("bars_ema_cross", "bars/s", QUICK_EVENTS, None),
        ("orders_filled", "orders/s", QUICK_ORDERS_BARS, LIMITS["orders_filled"]),
    ):
        limit = quick if setting.quick else full
        plain, guarded = _both(setting, row, limit)
        note = note_of(plain) or note_of(guarded)
        with_risk = share = None
        if isinstance(plain, ProgramResult) and isinstance(guarded, ProgramResult):
            if (plain.orders, plain.fills) != (guarded.orders, guarded.fills):
                note = f"not the same job: {plain.orders} orders without, {guarded.orders} with"
            else:
                with_risk = (guarded.events if row == "bars_ema_cross" else guarded.orders) / guarded.seconds
                share = plain.seconds / guarded.seconds
        floor = 100_000 if row == "orders_filled" else None
        entries.append(Entry(f"{row}_risk", with_risk, unit, higher_is_better=True, limit=floor, note=note))
        least = SHARE if row == "bars_ema_cross" else None
        entries.append(Entry(f"{row}_risk_share", share, "of the speed", higher_is_better=True, limit=least, note=note))
    return entries


def _both(setting: Setting, row: str, limit: int | None) -> tuple[Outcome, Outcome]:
    """Without and with, by turns."""
    runs = ["--repeat", "1" if setting.quick else "3", *([] if limit is None else ["--limit", str(limit)])]
    done: tuple[list[Outcome], list[Outcome]] = ([], [])
    for number in range(setting.repeat):
        for outcomes, extra in zip(done, ([], ["--risk"]), strict=True):
            setting.say(f"{row}: round {number + 1} of {setting.repeat}{', every check on' if extra else ''}")
            arguments = [row, str(setting.bars_path), *runs, *extra]
            outcomes.append(run_program(Path(sys.executable), OURS, arguments))
    return best_outcome(done[0]), best_outcome(done[1])


def main() -> None:
    """Print what every row of here measures."""
    setting = Setting(
        recorded_data(), repeat=3, quick="--quick" in sys.argv, say=lambda text: print(text, file=sys.stderr)
    )
    for entry in [*risk_verdict(setting), *risk_backtest(setting)]:
        verdict = {True: "", False: "  NOT MET", None: ""}[entry.is_acceptable]
        value = "-" if entry.value is None else f"{entry.value:,.2f}"
        print(f"{entry.name:48} {value:>14} {entry.unit}{verdict}{' ' + entry.note if entry.note else ''}")


if __name__ == "__main__":
    main()

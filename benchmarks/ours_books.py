"""Our side of the rows of books: a measured program like `ours`, on a recording that `book_data` wrote.

    python -m benchmarks.ours_books ROW PATH [--limit N] [--repeat N]

What is timed: `apply` over all changes at once (`l2_loop`), one call from Python for each level (`l2_call`), or `Backtest.run`. Books
are fresh. `crosses` is the last best bid in units where nothing is traded: who skips his work has another.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal

import numpy as np
from msgspec.structs import replace

from benchmarks.book_data import histories_of, instrument_of, records_of
from benchmarks.ours import STRATEGIES
from benchmarks.peers.books import (
    ENTRY_NS,
    QUANTITY_LOTS,
    RESPONSE_NS,
    SET,
    SIDE,
    STEP_NS,
    WHAT,
    WIDTH,
    RecordedBook,
    read_book,
)
from benchmarks.peers.program import ProgramArguments, ProgramResult, RunFigures, best_of, parse_arguments
from lockstep._version import __version__
from lockstep.book.l2 import L2Book
from lockstep.model.enums import EventKind
from lockstep.model.fees import FeeSchedule
from lockstep.model.rows import EventRows
from lockstep.risk.limits import RiskLimits
from lockstep.run.backtest import Backtest
from lockstep.run.config import BacktestConfig
from lockstep.run.strategy_file import load_strategy
from lockstep.sim.models import BookFills, Latency, Slippage
from lockstep.store.catalog.readers import read_market_data

ROWS = {
    "l2_loop": "",
    "l2_call": "",
    "tick_backtest": "two_sides.py",
    "tick_python": "best_changes.py",
    "memory": "best_changes.py",
}
CONFIG = BacktestConfig(
    cash=Decimal(10) ** 9,
    leverage=Decimal(100),
    fees=FeeSchedule(),
    latency=Latency(entry_ns=ENTRY_NS, ack_ns=RESPONSE_NS, fill_ns=RESPONSE_NS),
    slippage=Slippage(),
    books=BookFills(queue="pessimistic"),
)


def measure(given: ProgramArguments) -> ProgramResult:
    """One row."""
    if given.row in ("l2_loop", "l2_call"):
        book = read_book(given.path, given.limit)
        events, run = _loop(book) if given.row == "l2_loop" else _calls(book)
        return best_of("lockstep", __version__, events, given.repeat, run)
    if given.row == "memory":
        return _memory(given)
    book, data = histories_of(given.path, given.limit)
    strategy = load_strategy(STRATEGIES / ROWS[given.row])
    params: dict[str, float] = {}
    if given.row == "tick_backtest":
        params = {"begin": book.begin, "steps": steps_in(book), "qty": QUANTITY_LOTS / 10.0**book.qty_decimals}
    config = replace(CONFIG, limits=RiskLimits(buying_power=False)) if params else CONFIG

    def run_once() -> RunFigures:
        backtest = Backtest(strategy, data, config, params)
        start = time.perf_counter()
        outcome = backtest.run()
        seconds = time.perf_counter() - start
        crosses = sum(getattr(seat.strategy, "crosses", 0) for seat in outcome.engine.seats)
        return RunFigures(seconds, outcome.orders, outcome.fills, 0, outcome.final_equity, crosses)

    return best_of("lockstep", __version__, len(book), given.repeat, run_once)


def _memory(given: ProgramArguments) -> ProgramResult:
    """A recording as the venue's recorder left it, or a folder of them, read and played: what counts is the peak."""
    data = [entry for entry in read_market_data(given.path, kind="depth") if entry.info.kind in ("book", "trade")]
    strategy = load_strategy(STRATEGIES / ROWS[given.row])

    def run_once() -> RunFigures:
        backtest = Backtest(strategy, data, CONFIG)
        start = time.perf_counter()
        outcome = backtest.run()
        seconds = time.perf_counter() - start
        crosses = sum(getattr(seat.strategy, "crosses", 0) for seat in outcome.engine.seats)
        return RunFigures(seconds, outcome.orders, outcome.fills, 0, outcome.final_equity, crosses)

    return best_of("lockstep", __version__, sum(entry.info.rows for entry in data), 1, run_once)


def steps_in(book: RecordedBook) -> int:
    """How many steps of the quoting strategy the records at hand have room for."""
    last = book.numbers[(len(book) - 1) * WIDTH]
    return max(1, min(book.steps, (last - book.begin) // STEP_NS - 20))


def _loop(book: RecordedBook) -> tuple[int, Callable[[], RunFigures]]:
    records = records_of(book)
    count = int((np.frombuffer(book.numbers, np.int64).reshape(-1, WIDTH)[:, WHAT] == SET).sum())
    changes = np.ascontiguousarray(records[records["kind"] == EventKind.BOOK])
    rows = EventRows()
    rows.hold(changes)

    def run_once() -> RunFigures:
        fresh = L2Book(instrument_of(book))
        start = time.perf_counter()
        fresh.apply(rows, 0, len(changes))
        seconds = time.perf_counter() - start
        return RunFigures(seconds, 0, 0, 0, 0.0, fresh.bid_units)

    return count, run_once


def _calls(book: RecordedBook) -> tuple[int, Callable[[], RunFigures]]:
    numbers = np.frombuffer(book.numbers, np.int64).reshape(-1, WIDTH)
    levels = [tuple(row) for row in numbers[numbers[:, WHAT] == SET][:, SIDE : SIDE + 3].tolist()]

    def run_once() -> RunFigures:
        fresh = L2Book(instrument_of(book))
        update = fresh.update
        start = time.perf_counter()
        for side, price, qty in levels:
            update(side, price, qty)
        seconds = time.perf_counter() - start
        return RunFigures(seconds, 0, 0, 0, 0.0, fresh.bid_units)

    return len(levels), run_once


if __name__ == "__main__":
    print(measure(parse_arguments("Lockstep on books", list(ROWS))).to_line())

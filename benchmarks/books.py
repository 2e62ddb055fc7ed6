"""Rows of order books: a book alone, in a loop and call by call, backtests on one beside hftbacktest, and what a longer recording costs.

The recording is Binance USD-M BTCUSDT of 2024-08-08, depth@0ms and trades; of single orders, CME's ESH4 of 2023-12-25. Books are fresh in
every round.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.book_data import book_file
from benchmarks.costs import bytes_per_event
from benchmarks.peers.program import ProgramResult
from benchmarks.processes import Failed, run_program
from benchmarks.race import Outcome, Setting, entry_of, note_of, race
from benchmarks.report import Entry
from benchmarks.speed import NAUTILUS, same_job
from lockstep.book.l3 import L3Book
from lockstep.model.errors import LockstepError
from lockstep.model.rows import EventRows
from lockstep.store.catalog.readers import read_market_data

OURS_BOOKS = "benchmarks.ours_books"
HFTBACKTEST = "hftbacktest"
LEVELS = "crypto_l2/binance_usdm_btcusdt_20240808.raw.zst"
ORDERS = "l3/esh4-glbx-mdp3-20231225.mbo.dbn.zst"
DAYS = tuple(f"crypto_l2/binance_cm_btcusd_perp_{day}.raw.zst" for day in ("20240808", "20240809"))
ROUNDS = 40  # of some 3 ms each
_QUICK_RECORDS = 60_000
_QUICK_ORDERS = 20_000


def l2_loop(setting: Setting) -> list[Entry]:
    """Changes of levels a second, a whole recording in one call; beside what comes nearest to it elsewhere."""
    return _raced(setting, "l2_loop", "updates/s", (NAUTILUS, HFTBACKTEST), limit=50_000_000)


def l2_call(setting: Setting) -> list[Entry]:
    """Changes of levels a second, each a call from Python."""
    return _raced(setting, "l2_call", "updates/s", (NAUTILUS,), limit=5_000_000)


def tick_backtest(setting: Setting) -> list[Entry]:
    """Events a second through a backtest that quotes both sides of a book: our strategy in Python, hftbacktest's compiled by numba."""
    return _raced(setting, "tick_backtest", "events/s", (HFTBACKTEST,), ratio_limit=1.2)


def tick_python(setting: Setting) -> list[Entry]:
    """Events a second through a backtest whose strategy, in Python, looks at the best at each message of the book."""
    return _raced(setting, "tick_python", "events/s", (), limit=1_500_000)


def l3_loop(setting: Setting) -> list[Entry]:
    """Events of single orders a second, a whole recording in one call."""
    setting.say("l3_loop")
    path = setting.data_folder / ORDERS
    try:
        if not path.exists():
            raise FileNotFoundError(f"no recorded data at {path}")
        (data,) = read_market_data(path, kind="books")
        records = np.concatenate(list(data.chunks()))
    except (LockstepError, OSError, ImportError) as e:
        return [Entry("l3_loop", None, "events/s", higher_is_better=True, limit=8_000_000, note=str(e))]
    if setting.quick:
        records = np.ascontiguousarray(records[:_QUICK_ORDERS])
    rows = EventRows()
    rows.hold(records)
    best = float("inf")
    for _ in range(ROUNDS):
        fresh = L3Book(data.instrument)
        begin = time.perf_counter()
        fresh.apply(rows, 0, len(records))
        best = min(best, time.perf_counter() - begin)
    note = f"{len(records):,} events, fresh book"
    return [Entry("l3_loop", len(records) / best, "events/s", higher_is_better=True, limit=8_000_000, note=note)]


def book_memory(setting: Setting) -> list[Entry]:
    """Peak memory of reading and playing one file of a recorder, and its growth for each further record of a second."""
    setting.say("book_memory")
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder:
        for name in DAYS:
            (Path(folder) / Path(name).name).symlink_to(setting.data_folder / name)
        outcomes = [
            run_program(Path(sys.executable), OURS_BOOKS, ["memory", str(path)])
            for path in (setting.data_folder / DAYS[0], Path(folder))
        ]
    one, both = outcomes
    growth = None
    if isinstance(one, ProgramResult) and isinstance(both, ProgramResult) and both.events > one.events:
        growth = bytes_per_event(one, both)
    peak = one.peak_rss_mb if isinstance(one, ProgramResult) else None
    note = note_of(one) or note_of(both)
    return [
        Entry("book_memory_mb", peak, "MB", higher_is_better=False, limit=300, note=note_of(one)),
        Entry("book_memory_growth", growth, "bytes/record", higher_is_better=False, limit=32, note=note),
    ]


def _raced(
    setting: Setting,
    row: str,
    unit: str,
    peers: tuple[str, ...],
    *,
    limit: float | None = None,
    ratio_limit: float | None = None,
) -> list[Entry]:
    """One row of the recorded book, beside rivals or alone."""
    recording = setting.data_folder / LEVELS
    if not recording.exists():
        note = f"no recorded data at {recording}"
        return [Entry(row, None, unit, higher_is_better=True, limit=limit, ratio_limit=ratio_limit, note=note)]
    ours, rivals = race(
        setting, row, book_file(recording), peers, _QUICK_RECORDS if setting.quick else None, OURS_BOOKS
    )
    if not peers:
        value = _speed(ours) if isinstance(ours, ProgramResult) else None
        return [Entry(row, value, unit, higher_is_better=True, limit=limit, note=note_of(ours))]
    same = same_orders if row == "tick_backtest" else same_job
    return [
        entry_of(row, unit, peer, ours, same(ours, rival), _speed, limit=limit, ratio_limit=ratio_limit)
        for peer, rival in rivals.items()
    ]


def same_orders(ours: Outcome, rival: Outcome) -> Outcome:
    """The rival's outcome, if both saw as many events and sent as many orders; otherwise a failure that says so.

    What is filled is not the same: the rules differ, see docs/guides/hftbacktest.md.
    """
    if not isinstance(ours, ProgramResult) or not isinstance(rival, ProgramResult):
        return rival
    if (ours.events, ours.orders) == (rival.events, rival.orders):
        return rival
    words = [f"{result.orders:,} orders in {result.events:,} events" for result in (ours, rival)]
    return Failed(f"not the same job: {rival.name} sent {words[1]}, lockstep {words[0]}")


def _speed(result: ProgramResult) -> float:
    return result.events_per_second

"""What the journal costs: records appended and read a second, best of several.

The records are the decisions of a backtest on recorded bars with an order on every bar. Each function works in a folder it
removes again and gives the figure alone, so that a row of the benchmarks can call it. Run by itself it prints them:
`python -m benchmarks.journal BARS_FILE`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.ours import ROWS, prepare
from lockstep.run.backtest import Backtest
from lockstep.run.recording import record
from lockstep.run.strategy_file import load_strategy
from lockstep.store.journal.reader import Journal
from lockstep.store.journal.recovery import recover
from lockstep.store.journal.writer import Durability, JournalWriter

BATCH_ROWS = 4096
"""Rows a call, as the engine's decision log hands them on."""
RECORDS = 1_000_000


def recorded_decisions(path: Path, limit: int | None = None) -> NDArray[np.int64]:
    """The decision log of a backtest over a file of bars with an order on every bar, int64 [n, 8]."""
    data, config = prepare("orders_filled", [path], limit)
    outcome = Backtest(load_strategy(ROWS["orders_filled"]), data, config).run()
    return np.concatenate(list(outcome.decisions.blocks()))


def append_rate(
    rows: NDArray[np.int64],
    records: int = RECORDS,
    batch: int = BATCH_ROWS,
    durability: Durability = Durability.RELAXED,
    repeat: int = 3,
) -> float:
    """Records appended a second, from the first append until all are with the operating system (on the disk if durable).

    Args: rows: appended in order to one journal after another, until `records` are. batch: rows a call.
    """
    best = 0.0
    for _ in range(repeat):
        done, seconds = 0, 0.0
        while done < records:
            some = rows[: records - done]
            batches = [some[k : k + batch] for k in range(0, len(some), batch)]
            with (
                tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder,
                JournalWriter(Path(folder), {}, durability=durability, ts=int(some[0, 0])) as writer,
            ):
                begin = time.perf_counter()
                for part in batches:
                    writer.append_decisions(part)
                writer.flush()
                seconds += time.perf_counter() - begin
            done += len(some)
        best = max(best, done / seconds)
    return best


def read_rate(rows: NDArray[np.int64], repeat: int = 3) -> tuple[float, float]:
    """Records a second of checking a journal whole, and of reading it record by record."""
    checked = read = 0.0
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder:
        with JournalWriter(Path(folder), {}, ts=int(rows[0, 0])) as writer:
            writer.append_decisions(rows)
        for _ in range(repeat):
            begin = time.perf_counter()
            count = Journal(Path(folder)).survey().records
            checked = max(checked, count / (time.perf_counter() - begin))
            begin = time.perf_counter()
            given = sum(1 for _ in Journal(Path(folder)).records())
            read = max(read, given / (time.perf_counter() - begin))
            assert given == count == len(rows) + 2
    return checked, read


def recording_cost(path: Path, limit: int | None = None, repeat: int = 3) -> tuple[float, int]:
    """How much longer a backtest with an order on every bar takes when it is recorded, as a part of its time; and its decisions.

    With and without by turns, in this process; the best of each.
    """
    data, config = prepare("orders_filled", [path], limit)
    backtest = Backtest(load_strategy(ROWS["orders_filled"]), data, config)
    plain = kept = float("inf")
    decisions = 0
    for _ in range(repeat):
        begin = time.perf_counter()
        decisions = backtest.run().decisions.rows
        plain = min(plain, time.perf_counter() - begin)
        with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder:
            begin = time.perf_counter()
            record(backtest, Path(folder) / "recorded")
            kept = min(kept, time.perf_counter() - begin)
    return kept / plain - 1.0, decisions


def restart_seconds(
    rows: NDArray[np.int64], records: int = RECORDS, after_snapshot: int = 10_000
) -> tuple[float, float]:
    """Seconds until every record of a journal has been checked and read: all of them, and those after a snapshot.

    Args: after_snapshot: how many records come after it.
    """
    copies = np.concatenate([rows] * -(-records // len(rows)))[:records].copy()
    copies[:, 0] = np.maximum.accumulate(copies[:, 0])  # a second copy of the rows would go back in time
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as name:
        folder = Path(name)
        with JournalWriter(folder, {}, ts=int(copies[0, 0])) as writer:
            writer.append_decisions(copies[:-after_snapshot])
            writer.snapshot(b"state")
            writer.append_decisions(copies[-after_snapshot:])
        begin = time.perf_counter()
        whole = sum(1 for _ in Journal(folder).records())
        all_seconds = time.perf_counter() - begin
        begin = time.perf_counter()
        short = sum(1 for _ in recover(folder).records())
        seconds = time.perf_counter() - begin
    assert whole == records + 3, whole
    assert short == after_snapshot + 2, short
    return all_seconds, seconds


if __name__ == "__main__":
    decided = recorded_decisions(Path(sys.argv[1]))
    print(f"{len(decided):,} decisions")
    print(f"append_rate  {append_rate(decided):,.0f} records/s, {BATCH_ROWS} a call")
    print(f"             {append_rate(decided, 300_000, batch=1):,.0f} records/s, one a call")
    print(
        f"             {append_rate(decided, 2_000, batch=1, durability=Durability.DURABLE):,.0f} records/s, durable, one a call"
    )
    print(
        f"restart      {', '.join(f'{seconds:.2f}' for seconds in restart_seconds(decided))} s, all, after a snapshot"
    )
    print(f"read_rate    {', '.join(f'{rate:,.0f}' for rate in read_rate(decided))} records/s, checked, read")

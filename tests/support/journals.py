"""Journals for tests: records of every kind whose words are counters, since only their bytes matter here."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lockstep.app.cli.demo import STRATEGY
from lockstep.model.record import MARKET_EVENT, Records
from lockstep.run.backtest import Backtest, Outcome
from lockstep.run.config import BacktestConfig
from lockstep.run.strategy_file import load_strategy
from lockstep.store.catalog.readers import read_market_data
from lockstep.store.journal.files import Files
from lockstep.store.journal.layout import Record
from lockstep.store.journal.reader import Journal
from lockstep.store.journal.writer import JournalWriter

IDENTITY = {"of": "a test", "seed": 7}


def decisions(count: int, first: int = 1) -> NDArray[np.int64]:
    """Rows of 64 bytes whose ts counts up; every byte of a word differs from its neighbours'."""
    rows = np.empty((count, 8), np.int64)
    rows[:, 0] = np.arange(first, first + count)
    rows[:, 1:] = np.arange(count * 7).reshape(count, 7) * 0x0102030405060709 % 2**61 + first
    return rows


def market(count: int, first: int = 1) -> Records:
    """Market event records whose clock counts up."""
    records = np.zeros(count, MARKET_EVENT)
    records["clock"] = np.arange(first, first + count)
    records["ts_event"] = records["clock"] - 1
    records["kind"] = 3
    records["p0"] = np.arange(count) * 1_000_003
    return records


def fill(writer: JournalWriter, count: int, per_block: int = 41) -> None:
    """Append records of all kinds, so many in all, a block of them at a time."""
    done = 0
    while done < count:
        size = min(per_block, count - done)
        clock = writer.clock
        writer.append_decisions(decisions(size // 2, clock + 1))
        writer.append_market(market(size - size // 2 - 1, writer.clock + 1))
        writer.append_fact({"type": "Counted", "done": done, "text": "x" * (done % 23)}, ts=writer.clock + 1)
        writer.flush()
        done += size


def make(folder: Path, count: int = 1000, files: Files | None = None, **settings: Any) -> list[Record]:
    """A journal of so many records and more in two segments, closed. Returns: its records."""
    with JournalWriter(
        folder,
        IDENTITY,
        flush_seconds=None,
        segment_bytes=settings.pop("segment_bytes", 40_000),
        files=files,
        **settings,
    ) as writer:
        fill(writer, count - 2)  # opened and closed are two more
    return list(Journal(folder).records())


def read_all(folder: Path) -> tuple[list[Record], Journal]:
    """Every record, and the journal after reading."""
    journal = Journal(folder)
    return list(journal.records()), journal


class FaultyFiles(Files):
    """Files whose every call may be made to fail: `plan(what, call number)` raises OSError, or gives bytes to take."""

    def __init__(self, plan: Callable[[str, int], int | None]) -> None:
        self.plan = plan
        self.calls = 0

    def _ask(self, what: str) -> int | None:
        self.calls += 1
        return self.plan(what, self.calls)

    def create(self, path: Path) -> int:
        self._ask("create")
        return super().create(path)

    def append_to(self, path: Path) -> int:
        self._ask("append_to")
        return super().append_to(path)

    def write(self, number: int, data: memoryview) -> int:
        taken = self._ask("write")
        return super().write(number, data if taken is None else data[:taken])

    def sync(self, number: int) -> None:
        self._ask("sync")
        super().sync(number)

    def truncate(self, number: int, size: int) -> None:
        self._ask("truncate")
        super().truncate(number, size)

    def rename(self, old: Path, new: Path) -> None:
        self._ask("rename")
        super().rename(old, new)


def record_backtest(folder: Path) -> Outcome:
    """A journal of what the demo's strategy decides on the shipped prices of IBM and MSFT, and the run itself."""
    data = read_market_data("us_stocks", symbols=["IBM", "MSFT"])
    backtest = Backtest(load_strategy(STRATEGY), data, BacktestConfig(cash=Decimal(50_000)))
    outcome = backtest.run()
    with JournalWriter(folder, backtest.given(), flush_seconds=None) as writer:
        for block in outcome.decisions.blocks():
            writer.append_decisions(block)
        for signal in outcome.signals:
            writer.append_fact(signal)
    return outcome

"""One instrument's history, as records read chunk by chunk, and the facts a report shows about it."""

import os
import tempfile
import threading
import weakref
from bisect import bisect_left
from collections.abc import Iterator
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import DataError
from lockstep.model.instrument import Instrument
from lockstep.model.record import MARKET_EVENT, TS_OPEN, Records
from lockstep.store.catalog.actions import Action
from lockstep.store.catalog.times import time_text

CHUNK_ROWS = 16_384
"""Rows a chunk: 1.3 MB. Small enough that many instruments stream side by side, large enough to cost nothing."""


class DataInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What was read. kind is "bar", "quote", "trade" or "book"; rows counts these; times are ns UTC: the start of the first bar,
    the end of the last. bar_ns is 0 where there are no bars.

    gaps counts holes and longest_gap_ns is the longest of them, both in session time (gaps.py has the rule). content_hash
    covers the decimals and every record, hence not the file's format. adjustments is "applied" where splits and
    dividends are part of the events (even if there were none), else "not modelled". clocks_differ: whether any tick was
    received at another time than it happened. levels: of a book, how many levels a side are told at most, so that what lies
    behind them is not known; 0 where no such limit is known.
    """

    symbol: str
    source: str
    rows: int
    first_ns: int
    last_ns: int
    bar_ns: int
    gaps: int
    longest_gap_ns: int
    content_hash: str
    splits: int
    dividends: int
    adjustments: str
    notes: tuple[str, ...]
    kind: str = "bar"
    clocks_differ: bool = False
    levels: int = 0


class Spool:
    """Records written once to an unnamed temporary file and read back in pieces; the file dies with the object.

    A memory map would do the same, but its pages would count as this process's memory.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="lockstep-")  # noqa: SIM115 - lives as long as the spool
        weakref.finalize(self, self._file.close)
        self._lock = threading.Lock()
        self.rows = 0

    def append(self, records: Records) -> None:
        """Add records at the end."""
        self._file.write(records.data.cast("B"))
        self.rows += len(records)

    def flush(self) -> None:
        """Make what was appended readable."""
        self._file.flush()

    def read(self, start: int, stop: int) -> Records:
        """A fresh array of the records [start, stop)."""
        records = np.empty(stop - start, MARKET_EVENT)
        self._read_into(records.data.cast("B"), start * MARKET_EVENT.itemsize)
        return records

    def word(self, row: int, column: int) -> int:
        """One int64 word of one record."""
        buffer = bytearray(8)
        self._read_into(memoryview(buffer), row * MARKET_EVENT.itemsize + column * 8)
        return int.from_bytes(buffer, "little", signed=True)

    def _read_into(self, buffer: memoryview, offset: int) -> None:
        if hasattr(os, "preadv"):  # no shared file position: safe in threads and forked processes
            got = os.preadv(self._file.fileno(), [buffer], offset)
        else:
            with self._lock:
                self._file.seek(offset)
                got = self._file.readinto(buffer)
        if got != len(buffer):
            raise DataError(f"temporary data file cut short: read {got} of {len(buffer)} bytes at {offset}")


class Backing(Protocol):
    """Where the records of one history lie: a spool, or Parquet files. Ranges are as in `MarketData.chunks`."""

    def count(self, start_ns: int | None, end_ns: int | None) -> int:
        """How many records lie in the range."""
        ...

    def pieces(self, start_ns: int | None, end_ns: int | None) -> Iterator[Records]:
        """These records in order, at most CHUNK_ROWS at a time, as fresh arrays, read when asked for."""
        ...


class SpooledRows:
    """The rows [start, stop) of a spool. by: the word ranges go by: the start of a bar, or the clock of a tick."""

    def __init__(self, spool: Spool, start: int, stop: int, by: int = TS_OPEN) -> None:
        self._spool = spool
        self._start, self._stop, self._by = start, stop, by

    def count(self, start_ns: int | None, end_ns: int | None) -> int:
        """How many records lie in the range."""
        start, stop = self._range(start_ns, end_ns)
        return max(0, stop - start)

    def pieces(self, start_ns: int | None, end_ns: int | None) -> Iterator[Records]:
        """These records, read from the file when asked for."""
        start, stop = self._range(start_ns, end_ns)
        for begin in range(start, stop, CHUNK_ROWS):
            yield self._spool.read(begin, min(begin + CHUNK_ROWS, stop))

    def _range(self, start_ns: int | None, end_ns: int | None) -> tuple[int, int]:
        rows = range(self._start, self._stop)

        def row_at(ts_ns: int) -> int:
            return self._start + bisect_left(rows, ts_ns, key=lambda row: self._spool.word(row, self._by))

        start = self._start if start_ns is None else row_at(start_ns)
        return start, self._stop if end_ns is None else row_at(end_ns)


class _NothingKept:
    """The backing of a history that was only looked through."""

    def count(self, start_ns: int | None, end_ns: int | None) -> int:
        """None."""
        return 0

    def pieces(self, start_ns: int | None, end_ns: int | None) -> Iterator[Records]:
        """None."""
        return iter(())


NOTHING_KEPT = _NothingKept()


class MarketData:
    """One instrument's history of one kind: bars (with the corporate actions among them), quotes, trades or changes of the book.

    Records are ordered by (clock, kind, seq), with instrument number 0. Reading is lazy: a chunk is read when it is
    asked for, so memory does not grow with history. actions: splits and dividends as the data's maker lists them, None
    where it tells of none.
    """

    def __init__(
        self, instrument: Instrument, info: DataInfo, rows: Backing, actions: tuple[Action, ...] | None = None
    ) -> None:
        self.instrument = instrument
        self.info = info
        self.actions = actions
        self._rows = rows

    def __repr__(self) -> str:
        return f"MarketData({self.instrument.id}, {self.info.rows} {self.info.kind}s)"

    def count(self, start_ns: int | None = None, end_ns: int | None = None) -> int:
        """How many records `chunks` gives for the same range; 0 where there are none."""
        return self._rows.count(start_ns, end_ns)

    def chunks(self, start_ns: int | None = None, end_ns: int | None = None) -> Iterator[NDArray[np.void]]:
        """The records of [start_ns, end_ns), at most CHUNK_ROWS at a time, as fresh arrays.

        Args:   start_ns, end_ns: ns UTC, None for no limit. A bar counts by its start, a tick by its clock, a corporate
                action by the open it comes before.
        Raises: DataError: nothing lies in that range (at the call, not at the first chunk).
        """
        if not self._rows.count(start_ns, end_ns):
            asked = f"{_bound(start_ns, 'the start')} to {_bound(end_ns, 'the end')}"
            raise DataError(
                f"{self.instrument.symbol}: no data from {asked}",
                hint=f"the data runs from {time_text(self.info.first_ns)} to {time_text(self.info.last_ns)}",
            )
        return self._rows.pieces(start_ns, end_ns)


def _bound(ts_ns: int | None, otherwise: str) -> str:
    return otherwise if ts_ns is None else time_text(ts_ns)

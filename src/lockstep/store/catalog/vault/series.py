"""A stored series as a history: records made from Parquet when they are asked for, a row group at a time."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lockstep.model.record import Records
from lockstep.store.catalog.market_data import CHUNK_ROWS
from lockstep.store.catalog.shapes import Columns
from lockstep.store.catalog.vault.ledger import Entry, Part, Series
from lockstep.store.catalog.vault.parts import ROW_GROUP_ROWS, read_part, rows_before

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class SeriesFiles:
    """The rows of a series whose key lies in [start_ns, end_ns): which files, and which rows of each."""

    def __init__(
        self,
        db: "DuckDBPyConnection",
        home: Path,
        entry: Entry,
        series: Series,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> None:
        self.entry = entry
        self.series = series
        self._db = db
        self._home = home
        self._parts = series.parts
        self._ends = np.cumsum([part.rows for part in series.parts]).tolist()
        self._memo: dict[int, int] = {}
        self.start, self.stop = self.rows_of(start_ns, end_ns)

    def rows_of(self, start_ns: int | None, end_ns: int | None) -> tuple[int, int]:
        """The first row of the series at or after start_ns, and the first at or after end_ns."""
        total = self._ends[-1] if self._ends else 0
        start = 0 if start_ns is None else self._row_at(start_ns)
        return start, max(start, total if end_ns is None else self._row_at(end_ns))

    def _row_at(self, ts_ns: int) -> int:
        if ts_ns not in self._memo:
            k = bisect_left(self._parts, ts_ns, key=lambda part: part.last_ns)
            before = self._ends[k - 1] if k else 0
            if k < len(self._parts) and self._parts[k].first_ns < ts_ns:
                before += rows_before(self._db, self._path(self._parts[k]), self.series.shape, ts_ns)
            self._memo[ts_ns] = before
        return self._memo[ts_ns]

    def groups(self, start: int, stop: int) -> Iterator[tuple[int, Columns]]:
        """The rows [start, stop) of the series, at most a row group at a time, each with the number of its first row."""
        for part, end in zip(self._parts, self._ends, strict=True):
            begin = end - part.rows
            if end <= start or begin >= stop:
                continue
            low, high = max(start - begin, 0), min(stop - begin, part.rows)
            while low < high:
                to = min((low // ROW_GROUP_ROWS + 1) * ROW_GROUP_ROWS, high)
                yield begin + low, self._rows(part, low, to)
                low = to

    def _rows(self, part: Part, low: int, high: int) -> Columns:
        path = self._path(part)
        if low == 0 and high == part.rows:
            return read_part(self._db, path, part, self.series.shape)
        where = f"file_row_number >= {low} AND file_row_number < {high}"
        return read_part(self._db, path, part, self.series.shape, where=where, rows=high - low)

    def _path(self, part: Part) -> Path:
        return self.entry.path_of(self._home, self.series, part)


class StoredRows:
    """Records of a series, for a MarketData.

    Args:   actions: corporate actions as records, in order, and `places`: the row of the series each comes before.
    """

    def __init__(self, files: SeriesFiles, actions: Records, places: Sequence[int]) -> None:
        self._files = files
        self._actions = actions
        self._places = np.array(places, np.int64)

    def count(self, start_ns: int | None, end_ns: int | None) -> int:
        """How many records lie in the range."""
        start, stop = self._range(start_ns, end_ns)
        return stop - start + int(np.count_nonzero((self._places >= start) & (self._places < stop)))

    def pieces(self, start_ns: int | None, end_ns: int | None) -> Iterator[Records]:
        """These records, read from their files when asked for."""
        for row, columns in self._files.groups(*self._range(start_ns, end_ns)):
            records = self._files.series.shape.records_of(columns)
            stop = row + len(records)
            among = np.flatnonzero((self._places >= row) & (self._places < stop))
            first = row - self._files.start + int(np.searchsorted(self._places, row))
            if len(among):
                records = np.insert(records, self._places[among] - row, self._actions[among])
            records["seq"] = np.arange(first, first + len(records))
            for begin in range(0, len(records), CHUNK_ROWS):
                yield records[begin : begin + CHUNK_ROWS]

    def _range(self, start_ns: int | None, end_ns: int | None) -> tuple[int, int]:
        start, stop = self._files.rows_of(start_ns, end_ns)
        start = max(start, self._files.start)
        return start, max(start, min(stop, self._files.stop))

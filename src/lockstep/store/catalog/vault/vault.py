"""The store: what it holds, and how histories get into it."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from lockstep.model.errors import DataError, UsageError, did_you_mean
from lockstep.model.instrument import Instrument
from lockstep.store.catalog.database import connected
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.shapes import Columns
from lockstep.store.catalog.vault import ledger
from lockstep.store.catalog.vault.commit import Change
from lockstep.store.catalog.vault.ledger import Entry, Part, Root, Series
from lockstep.store.catalog.vault.parts import content_hash, read_part
from lockstep.store.catalog.vault.series import SeriesFiles
from lockstep.store.catalog.vault.survey import history
from lockstep.store.catalog.vault.writing import Arrays, Progress, Stored, Writing

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did. cleaned: files of an unfinished import before it that were removed."""

    stored: tuple[Stored, ...]
    cleaned: int


class Vault:
    """A catalog's folder. One connection serves every reading; objects of it may be used from several threads."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._db: DuckDBPyConnection | None = None
        self._lock = threading.Lock()
        self._seen: tuple[tuple[int, int, int], Root] | None = None
        self._entries: dict[tuple[str, str], Entry] = {}

    @property
    def db(self) -> "DuckDBPyConnection":
        """The connection, opened at the first use."""
        with self._lock:
            if self._db is None:
                self._db = connected()
            return self._db

    def root(self) -> Root:
        """The catalog as it is now; read again only where it has changed."""
        try:
            stat = (self.home / ledger.ROOT).stat()
        except FileNotFoundError:
            return Root()
        stamp = stat.st_mtime_ns, stat.st_ino, stat.st_size
        if self._seen is None or self._seen[0] != stamp:
            self._seen = stamp, ledger.load_root(self.home)
        return self._seen[1]

    def entry(self, instrument_id: str) -> Entry:
        """One instrument by its id. Raises: DataError: not in the catalog, or its entry is damaged."""
        return self._entry(self.root(), instrument_id)

    def _entry(self, root: Root, instrument_id: str) -> Entry:
        file = root.instruments.get(instrument_id)
        if file is None:
            raise DataError(
                f"the catalog holds no {instrument_id!r}", hint=did_you_mean(instrument_id, root.instruments)
            )
        key = instrument_id, file
        if key not in self._entries:
            self._entries[key] = ledger.load_entry(self.home, instrument_id, file)
        return self._entries[key]

    def find(self, symbol: str) -> Entry:
        """One instrument by symbol or id, in any case.

        Raises: DataError: there is none. UsageError: several venues have that symbol.
        """
        root = self.root()
        wanted = symbol.upper()
        found = [key for key in root.instruments if key.upper() == wanted]
        found = found or [key for key in root.instruments if key.rpartition(".")[0].upper() == wanted]
        if len(found) > 1:
            raise UsageError(f"several instruments are called {symbol!r}", hint="give one of " + ", ".join(found))
        if not found:
            names = {key.rpartition(".")[0] for key in root.instruments}
            raise DataError(f"the catalog holds no {symbol!r}", hint=did_you_mean(wanted, names))
        return self._entry(root, found[0])

    def entries(self) -> list[Entry]:
        """Every instrument, by id, all of one moment."""
        root = self.root()
        return [self._entry(root, key) for key in sorted(root.instruments)]

    def put(
        self,
        data: Sequence[MarketData],
        *,
        replace: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> Outcome:
        """Store histories: all of them, or none.

        Args:   replace: new rows take the place of stored ones that differ, and finer decimals are allowed. dry_run:
                do all of it but the last step, which makes it visible. progress: called with the rows handled so far.
        Raises: DataError: stored rows differ, or need fewer decimals than the new ones. RetryError: another process
                is importing, or the disk is full.
        """
        with Change(self.home) as change, Writing(self.db, change, replace, progress) as writing:
            stored = tuple(writing.add(one) for one in data)
            writing.settle()
            if writing.changed and not dry_run:
                change.commit(list(writing.entries.values()), writing.retired)
            return Outcome(stored=stored, cleaned=change.cleaned)

    def columns(self, entry: Entry, series: Series, start_ns: int | None, end_ns: int | None) -> Arrays:
        """The rows of a series whose key lies in [start_ns, end_ns), as whole columns."""
        shape = series.shape
        found = [
            read_part(self.db, entry.path_of(self.home, series, part), part, shape, where=where)
            for part, where in _touched(series, start_ns, end_ns)
        ]
        if len(found) == 1:
            return found[0]
        return {
            name: np.concatenate([columns[name] for columns in found] or [np.empty(0, shape.dtype(name))])
            for name in shape.words
        }

    def chunks(self, entry: Entry, series: Series, start_ns: int | None, end_ns: int | None) -> Iterator[Columns]:
        """The same, a row group at a time, each read when asked for."""
        files = SeriesFiles(self.db, self.home, entry, series, start_ns, end_ns)
        return (columns for _, columns in files.groups(files.start, files.stop))

    def history(
        self,
        entry: Entry,
        series: Series,
        *,
        instrument: Instrument | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        source: str = "catalog",
    ) -> MarketData:
        """A series for a backtest, streamed from its files. instrument: the entry's under other fees or another session.

        Raises: DataError: nothing in the range, or a damaged file.
        """
        files = SeriesFiles(self.db, self.home, entry, series, start_ns, end_ns)
        return history(files, self.home, instrument or entry.instrument, source)

    def check(self) -> tuple[int, list[str]]:
        """Read every file and compare it with the hash the catalog knows.

        Returns: how many files were read, and what is wrong, in words.
        """
        wrong, files = [], 0
        for key, file in sorted(self.root().instruments.items()):
            try:
                entry = ledger.load_entry(self.home, key, file)
            except DataError as e:
                wrong.append(str(e))
                continue
            for series in entry.series.values():
                files += len(series.parts)
                for part in series.parts:
                    problem = self._problem(entry, series, part)
                    if problem:
                        wrong.append(problem)
        return files, wrong

    def _problem(self, entry: Entry, series: Series, part: Part) -> str:
        path = entry.path_of(self.home, series, part)
        try:
            columns = read_part(self.db, path, part, series.shape)
        except DataError as e:
            return str(e)
        if content_hash(series.shape, entry.instrument, columns) != part.content_hash:
            return f"{path}: its content is not what was imported"
        return ""


def _touched(series: Series, start_ns: int | None, end_ns: int | None) -> Iterator[tuple[Part, str]]:
    """The parts that reach into a range, each with the condition on its rows: "" where all of them are in it."""
    key = series.shape.key
    for part in series.parts:
        if (start_ns is not None and part.last_ns < start_ns) or (end_ns is not None and part.first_ns >= end_ns):
            continue
        limits = []
        if start_ns is not None and part.first_ns < start_ns:
            limits.append(f"{key} >= {start_ns}")
        if end_ns is not None and part.last_ns >= end_ns:
            limits.append(f"{key} < {end_ns}")
        yield part, " AND ".join(limits)

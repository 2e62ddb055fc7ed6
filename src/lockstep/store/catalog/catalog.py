"""The catalog: which data sets there are, by name, and what each holds."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from lockstep.model.errors import DataError, UsageError
from lockstep.model.timeframe import timeframe_ns
from lockstep.store.catalog import places
from lockstep.store.catalog.instruments import NO_WISHES, Wishes
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.readers import read_market_data
from lockstep.store.catalog.shapes import BARS
from lockstep.store.catalog.times import Moment, moment_ns
from lockstep.store.catalog.vault.arrays import Bars, Books, Quotes, Trades
from lockstep.store.catalog.vault.ledger import Entry, Series
from lockstep.store.catalog.vault.resampling import resampled_bars, source_of
from lockstep.store.catalog.vault.selection import bars_of, histories, ticks_of
from lockstep.store.catalog.vault.vault import Vault


class DatasetEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One data set, over all its symbols.

    kind: "shipped" or "local"; first_ns, last_ns: ns UTC; problem: why it cannot be read, or "" (where it cannot,
    symbols is empty and the numbers are 0).
    """

    name: str
    kind: str
    symbols: tuple[str, ...]
    rows: int
    first_ns: int
    last_ns: int
    where: str
    problem: str = ""


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """One series of the store: its instrument's id, its name ("bars-1m", "quotes", "trades", "books"), rows and times, ns UTC."""

    instrument: str
    series: str
    rows: int
    first_ns: int
    last_ns: int


class Catalog:
    """What there is to read: data sets by name, and the store of history that `data import` fills (home/catalog).

    Data sets ship with the package, or are files and folders a user put under home/data, named by the stem; a local one
    hides a shipped one of the same name.

    Of the store, a symbol is "BTCUSD" or, where several venues have it, "BTCUSD.BITFINEX". start and end are ns UTC, an
    ISO text or a datetime (UTC unless it has a zone), None for no limit; what lies in [start, end) is given, a bar by its
    start, a tick by ts_recv. All reading raises DataError where the store does not hold what is asked for, or a file is
    damaged, and UsageError where the question means nothing.
    """

    def __init__(self, home: Path | None = None) -> None:
        self.home = places.default_home() if home is None else home
        self.vault = Vault(self.home / places.CATALOG)

    def get_bars(self, symbol: str, start: Moment = None, end: Moment = None, timeframe: str | None = None) -> Bars:
        """Bars as arrays.

        Args:   timeframe: "1m", "1h", "1d" ...; None: the shortest that is stored. A length that is not stored is made of
                the longest stored bars that divide it, counted from the session's open, without look-ahead.
        """
        entry, series, length = self._bars(symbol, timeframe)
        bounds = _bounds(start, end)
        if length == series.bar_ns:
            return Bars(entry.instrument, self.vault.columns(entry, series, *bounds), length)
        parts = [BARS.empty(), *resampled_bars(self.vault, entry, series, length, *bounds)]
        return Bars(
            entry.instrument, {name: np.concatenate([part[name] for part in parts]) for name in BARS.words}, length
        )

    def get_quotes(self, symbol: str, start: Moment = None, end: Moment = None) -> Quotes:
        """Quotes as arrays."""
        entry, series = self._series(symbol, "quotes")
        return Quotes(entry.instrument, self.vault.columns(entry, series, *_bounds(start, end)))

    def get_trades(self, symbol: str, start: Moment = None, end: Moment = None) -> Trades:
        """Trades as arrays."""
        entry, series = self._series(symbol, "trades")
        return Trades(entry.instrument, self.vault.columns(entry, series, *_bounds(start, end)))

    def get_books(self, symbol: str, start: Moment = None, end: Moment = None) -> Books:
        """Changes of the order book as arrays, in the order they came. For days of them `iter_books` needs less memory."""
        entry, series = self._series(symbol, "books")
        return Books(entry.instrument, self.vault.columns(entry, series, *_bounds(start, end)))

    def iter_bars(
        self, symbol: str, start: Moment = None, end: Moment = None, timeframe: str | None = None
    ) -> Iterator[Bars]:
        """The same as get_bars a row group at a time, at most 61,440 bars, each read when asked for."""
        entry, series, length = self._bars(symbol, timeframe)
        bounds = _bounds(start, end)
        if length == series.bar_ns:
            chunks = self.vault.chunks(entry, series, *bounds)
        else:
            chunks = resampled_bars(self.vault, entry, series, length, *bounds)
        for columns in chunks:
            yield Bars(entry.instrument, columns, length)

    def iter_quotes(self, symbol: str, start: Moment = None, end: Moment = None) -> Iterator[Quotes]:
        """The same as get_quotes a row group at a time."""
        entry, series = self._series(symbol, "quotes")
        for columns in self.vault.chunks(entry, series, *_bounds(start, end)):
            yield Quotes(entry.instrument, columns)

    def iter_trades(self, symbol: str, start: Moment = None, end: Moment = None) -> Iterator[Trades]:
        """The same as get_trades a row group at a time."""
        entry, series = self._series(symbol, "trades")
        for columns in self.vault.chunks(entry, series, *_bounds(start, end)):
            yield Trades(entry.instrument, columns)

    def iter_books(self, symbol: str, start: Moment = None, end: Moment = None) -> Iterator[Books]:
        """The same as get_books a row group at a time."""
        entry, series = self._series(symbol, "books")
        for columns in self.vault.chunks(entry, series, *_bounds(start, end)):
            yield Books(entry.instrument, columns)

    def histories(
        self,
        symbols: Sequence[str] | None = None,
        kind: str | None = None,
        start: Moment = None,
        end: Moment = None,
        *,
        timeframe: str | None = None,
        wishes: Wishes = NO_WISHES,
    ) -> list[MarketData]:
        """Histories for a backtest, streamed from the files.

        Args:   symbols: None for every instrument. kind: "bars", "quotes", "trades", "books"; "ticks", which is quotes and
                trades as two histories of one instrument; "depth", which is books and whatever quotes and trades there are
                besides; None: bars, refused where an instrument has none.
        """
        return histories(self.vault, symbols, kind, *_bounds(start, end), timeframe=timeframe, wishes=wishes)

    def holdings(self) -> list[Holding]:
        """What the store holds, by instrument and series."""
        return [
            Holding(
                instrument=entry.instrument.id,
                series=name,
                rows=series.rows,
                first_ns=series.parts[0].first_ns,
                last_ns=series.parts[-1].end_ns,
            )
            for entry in self.vault.entries()
            for name, series in sorted(entry.series.items())
        ]

    def holds(self, symbol: str) -> bool:
        """Whether the store has an instrument of that symbol or id."""
        try:
            self.vault.find(symbol)
        except UsageError:
            return True  # at several venues: the question which one is put when it is read
        except DataError:
            return False
        return True

    def _series(self, symbol: str, name: str) -> tuple[Entry, Series]:
        entry = self.vault.find(symbol)
        return entry, ticks_of(entry, name)

    def _bars(self, symbol: str, timeframe: str | None) -> tuple[Entry, Series, int]:
        """The instrument, the stored bars to read, and the length of those asked for."""
        entry = self.vault.find(symbol)
        if timeframe is None:
            series = bars_of(entry, None)
            return entry, series, series.bar_ns
        length = timeframe_ns(timeframe)
        return entry, source_of(entry, length), length

    def datasets(self) -> list[DatasetEntry]:
        """Every data set by name. Each is read whole, as only that tells whether it can be used."""
        return [self.show(name) for name in sorted(self._paths())]

    def show(self, name: str) -> DatasetEntry:
        """One data set; what is wrong with its data stands in `problem`. Raises: UsageError: no such name."""
        path = self.resolve(name)
        kind = "shipped" if path in places.shipped().values() else "local"
        try:
            data = read_market_data(path)
        except DataError as e:
            return DatasetEntry(
                name=name, kind=kind, symbols=(), rows=0, first_ns=0, last_ns=0, where=str(path), problem=str(e)
            )
        return DatasetEntry(
            name=name,
            kind=kind,
            symbols=tuple(one.instrument.symbol for one in data),
            rows=sum(one.info.rows for one in data),
            first_ns=min(one.info.first_ns for one in data),
            last_ns=max(one.info.last_ns for one in data),
            where=str(path),
        )

    def resolve(self, name: str) -> Path:
        """The path of a data set. Raises: UsageError: no such name; a path is never one."""
        return places.named(name, self.home)

    def _paths(self) -> dict[str, Path]:
        return {**places.shipped(), **places.local(self.home)}


def _bounds(start: Moment, end: Moment) -> tuple[int | None, int | None]:
    start_ns, end_ns = moment_ns(start, "start"), moment_ns(end, "end")
    if start_ns is not None and end_ns is not None and start_ns >= end_ns:
        raise UsageError(f"the range is empty: {start!r} is not before {end!r}")
    return start_ns, end_ns

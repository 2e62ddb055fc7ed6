"""Histories into files: cut into periods, joined with what is stored, at one number of decimals."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from math import gcd
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import DataError
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import UNITS_MAX
from lockstep.store.catalog.actions import Action
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.shapes import Columns, Shape, shape_of_kind
from lockstep.store.catalog.vault import ledger
from lockstep.store.catalog.vault.commit import Change
from lockstep.store.catalog.vault.ledger import HASH_DIGITS, Entry, Part, Series
from lockstep.store.catalog.vault.overlap import Joined, joined
from lockstep.store.catalog.vault.parts import content_hash, read_part, write_part

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Arrays = dict[str, NDArray[Any]]
Progress = Callable[[int], None]
WRITERS = 2
WAITING_MAX = 3
"""Files that may wait to be written: their columns are in memory."""
_DECIMALS = ("price_decimals", "qty_decimals")


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What one history did to one series. added, same, replaced: rows; files: written; rows: of the series now."""

    instrument: str
    series: str
    added: int
    same: int
    replaced: int
    files: int
    rows: int
    first_ns: int
    last_ns: int


class Writing:
    """One change of the catalog: `with Writing(...) as writing`: histories are added, then the caller commits `entries`.

    Files are written as they come, under names that nothing refers to yet, and behind the reading: one thread compresses
    a period while the next is made ready. `settle` before the commit.
    """

    def __init__(self, db: "DuckDBPyConnection", change: Change, replace: bool, progress: Progress | None) -> None:
        self.entries: dict[str, Entry] = {}
        self.retired: list[str] = []
        self.changed = False
        self._db = db
        self._change = change
        self._replace = replace
        self._progress = progress
        self._rows = 0
        self._writer = ThreadPoolExecutor(max_workers=WRITERS)
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.shutdown(cancel_futures=True)

    def add(self, data: MarketData) -> Stored:
        """Store one history. Raises: as Vault.put."""
        entry = self._fitted(self._entry_of(data), data)
        instrument, shape = entry.instrument, shape_of_kind(data.info.kind)
        scale = {name: getattr(instrument, name) - getattr(data.instrument, name) for name in _DECIMALS}
        name = ledger.series_name(shape, data.info.bar_ns)
        series = entry.series.get(name) or Series(kind=shape.name, bar_ns=data.info.bar_ns, parts=())
        parts = {part.period: part for part in series.parts}
        done = Joined(None, 0, 0, 0)
        files = 0
        for period, columns in _periods(data, shape):
            new = _scaled(columns, shape, scale, data.instrument)
            found = self._joined(entry, series, parts.get(period), new)
            done = Joined(None, done.added + found.added, done.same + found.same, done.replaced + found.replaced)
            if found.columns is not None:
                files += 1
                if period in parts:
                    self.retired.append(f"{entry.folder}/{name}/{parts[period].file}")
                parts[period] = self._part(entry, series, period, found.columns)
            self._rows += len(columns[shape.key])
            if self._progress is not None:
                self._progress(self._rows)
        kept = tuple(parts[period] for period in sorted(parts))
        notes = tuple(dict.fromkeys((*series.notes, *data.info.notes)))
        if files:
            levels = min((some for some in (series.levels, data.info.levels) if some), default=0)
            series = msgspec.structs.replace(series, parts=kept, notes=notes, levels=levels)
            entry = msgspec.structs.replace(entry, series={**entry.series, name: series})
        self.changed |= bool(files)
        self.entries[instrument.id] = entry
        return Stored(
            instrument=instrument.id, series=name, added=done.added, same=done.same, replaced=done.replaced,
            files=files, rows=sum(part.rows for part in kept), first_ns=kept[0].first_ns, last_ns=kept[-1].end_ns,
        )  # fmt: skip

    def _entry_of(self, data: MarketData) -> Entry:
        key = data.instrument.id
        if key in self.entries:
            return self.entries[key]
        file = self._change.root.instruments.get(key)
        if file is None:
            return Entry(instrument=data.instrument)
        try:
            return ledger.load_entry(self._change.home, key, file)
        except DataError:
            if self._replace:  # the only way out of a damaged entry: begin it anew
                return Entry(instrument=data.instrument)
            raise

    def _fitted(self, entry: Entry, data: MarketData) -> Entry:
        """The entry, at decimals that hold the new data too, and with the actions the new data tells of."""
        finer = {
            name: getattr(data.instrument, name)
            for name in _DECIMALS
            if getattr(data.instrument, name) > getattr(entry.instrument, name)
        }
        if finer:
            entry = self._rewritten(entry, finer)
        entry = msgspec.structs.replace(entry, instrument=_on_both_ticks(entry.instrument, data.instrument))
        actions = _merged(entry.actions, data.actions)
        if actions != entry.actions:
            self.changed = True
        return msgspec.structs.replace(entry, actions=actions)

    def _rewritten(self, entry: Entry, finer: dict[str, int]) -> Entry:
        """The same entry at more decimals, every file written again."""
        old = entry.instrument
        if old.id in self._change.root.instruments and not self._replace:
            was = ", ".join(f"{name} {getattr(old, name)} stored, {value} needed" for name, value in finer.items())
            raise DataError(
                f"{old.id}: the new data is finer than what is stored: {was}",
                hint="--replace writes the stored files again at the finer decimals; or round the new data",
            )
        scale = {name: finer.get(name, getattr(old, name)) - getattr(old, name) for name in _DECIMALS}
        tick = old.tick_size * 10 ** scale["price_decimals"]
        entry = msgspec.structs.replace(entry, instrument=msgspec.structs.replace(old, tick_size=tick, **finer))
        series = {}
        for name, one in entry.series.items():
            parts = []
            for part in one.parts:
                path = entry.path_of(self._change.home, one, part)
                self.settle()
                columns = _scaled(read_part(self._db, path, part, one.shape), one.shape, scale, old)
                parts.append(self._part(entry, one, part.period, columns))
                self.retired.append(f"{entry.folder}/{name}/{part.file}")
            series[name] = msgspec.structs.replace(one, parts=tuple(parts))
        return msgspec.structs.replace(entry, series=series)

    def _joined(self, entry: Entry, series: Series, part: Part | None, new: Arrays) -> Joined:
        if part is None:
            return Joined(new, len(new[series.shape.key]), 0, 0)
        path = entry.path_of(self._change.home, series, part)
        self.settle()  # it may be a file of this very change
        try:
            stored = read_part(self._db, path, part, series.shape)
        except DataError:
            if self._replace:  # a damaged file is replaced whole; what else it held is lost, and was before
                return Joined(new, len(new[series.shape.key]), 0, part.rows)
            raise
        return joined(
            series.shape, stored, new, replace=self._replace, name=f"{entry.instrument.id} {series.name} {part.period}"
        )

    def _part(self, entry: Entry, series: Series, period: str, columns: Columns) -> Part:
        shape, keys = series.shape, columns[series.shape.key]
        found = content_hash(shape, entry.instrument, columns)
        part = Part(
            period=period,
            file=f"{period}-{found[:HASH_DIGITS]}.parquet",
            rows=len(keys),
            first_ns=int(keys[0]),
            last_ns=int(keys[-1]),
            end_ns=int(columns["ts_event"][-1]),
            content_hash=found,
        )
        path = entry.path_of(self._change.home, series, part)
        temporary = self._change.temporary(path)

        def write() -> None:
            write_part(self._db, temporary, shape, entry.instrument, columns, found)
            self._change.place(path)

        self.settle(leave=WAITING_MAX - 1)
        self._waiting.append(self._writer.submit(write))
        return part

    def settle(self, leave: int = 0) -> None:
        """Wait until at most so many files are not written yet. Raises: RetryError: one cannot be."""
        while len(self._waiting) > leave:
            self._waiting.popleft().result()


def _periods(data: MarketData, shape: Shape) -> Iterator[tuple[str, Arrays]]:
    """The rows of a history, month by month or day by day."""
    held: list[Arrays] = []
    period = ""
    for chunk in data.chunks():
        records = chunk[chunk["kind"] == shape.event]
        if not len(records):
            continue
        columns = shape.columns_of(records)
        units = columns[shape.key].astype("datetime64[ns]").astype(f"datetime64[{shape.unit}]")
        cuts = np.flatnonzero(units[1:] != units[:-1]) + 1
        for begin, end in zip([0, *cuts.tolist()], [*cuts.tolist(), len(units)], strict=True):
            if held and str(units[begin]) != period:
                yield period, _together(held)
                held = []
            period = str(units[begin])
            held.append({name: values[begin:end] for name, values in columns.items()})
    if held:
        yield period, _together(held)


def _together(held: list[Arrays]) -> Arrays:
    return {name: np.concatenate([piece[name] for piece in held]) for name in held[0]}


def _scaled(columns: Columns, shape: Shape, scale: dict[str, int], instrument: Instrument) -> Arrays:
    """The columns at more decimals. Raises: DataError: a value would no longer be exact."""
    found = dict(columns)
    for name, decimals in zip(_DECIMALS, (shape.prices, shape.quantities), strict=True):
        factor = 10 ** scale[name]
        for column in decimals if factor > 1 else ():
            amounts = shape.amounts(columns)
            highest = int(np.abs(found[column]).max(initial=0, where=amounts))
            if highest * factor > UNITS_MAX:
                raise DataError(
                    f"{instrument.id}: {column} {highest} units at {scale[name]} more decimals is above 2**53",
                    hint="round the finer data to fewer decimals",
                )
            found[column] = np.where(amounts, found[column] * factor, found[column])
    return found


def _on_both_ticks(stored: Instrument, new: Instrument) -> Instrument:
    """The stored instrument, on the coarsest tick that the prices of both are on; its decimals are as fine as the new one's."""
    finer = stored.price_decimals - new.price_decimals
    return msgspec.structs.replace(stored, tick_size=gcd(stored.tick_size, new.tick_size * 10**finer))


def _merged(stored: tuple[Action, ...] | None, new: tuple[Action, ...] | None) -> tuple[Action, ...] | None:
    """All corporate actions either knows of; the new data's word counts where both know of one day and kind."""
    if stored is None or new is None:
        return stored if new is None else new
    known = {(action.ex_day, action.kind): action for action in (*stored, *new)}
    return tuple(known[key] for key in sorted(known))

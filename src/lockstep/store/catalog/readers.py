"""Reading real data: any supported file, folder or data set name becomes one MarketData for each symbol."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lockstep.model.errors import DataError, UsageError
from lockstep.model.fees import FeeSchedule
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import NANOS_PER_DAY
from lockstep.store.catalog import lean, native, places
from lockstep.store.catalog.books.formats import read_recordings, recordings_in
from lockstep.store.catalog.database import database
from lockstep.store.catalog.encode import BarEncoder, Window
from lockstep.store.catalog.file_kinds import chosen_files
from lockstep.store.catalog.gaps import SessionHours
from lockstep.store.catalog.instruments import Traits, Wishes, instrument_of, wishes_from
from lockstep.store.catalog.lean_ticks import read_ticks
from lockstep.store.catalog.market_data import MarketData, Spool
from lockstep.store.catalog.places import locate
from lockstep.store.catalog.shapes import kinds_of
from lockstep.store.catalog.sources import data_files, kind_of_file, tables_of
from lockstep.store.catalog.staging import Stage, StagedWindow, SymbolRows
from lockstep.store.catalog.tick_blocks import TickBlock, histories_of
from lockstep.store.catalog.tick_tables import read_tick_table
from lockstep.store.catalog.timing import timing_of
from lockstep.store.catalog.vault.ledger import ROOT
from lockstep.store.catalog.vault.selection import histories
from lockstep.store.catalog.vault.vault import Vault

_NAMED_MAX = 8

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def read_market_data(
    where: str | Path,
    *,
    symbols: Sequence[str] | None = None,
    asset_class: str | None = None,
    session: str | None = None,
    fees: FeeSchedule | None = None,
    currency: str | None = None,
    kind: str | None = None,
) -> list[MarketData]:
    """Every instrument of a file, folder or data set, sorted by symbol, checked from the first row to the last.

    Args:   where: a path (CSV, also .gz; Parquet; zip of Lean bars or ticks; a recording of books, see
            docs/reference/book-formats.md; a folder of those), a name the catalog
            knows, or "catalog", the store of imported history. symbols: only these. asset_class ("equity", "crypto",
            "fx" ...), session (a calendar's name), fees, currency: win over what is inferred; what was inferred stands in
            info.notes. kind: "bars", "quotes", "trades", or "ticks", which gives quotes and trades as two histories of
            one instrument, "books", or "depth", which gives books and whatever quotes and trades there are besides; None:
            bars where there are any, else the one kind there is, of recordings all they hold.
    Raises: DataError: the data breaks a rule; the message names file, row, fact and value. UsageError: an unknown
            name, asset class, session or kind, or ticks of two kinds and none chosen.
    """
    return read_files(where, symbols=symbols, kind=kind, wishes=wishes_from(asset_class, session, fees, currency))


def read_files(
    where: str | Path,
    *,
    wishes: Wishes,
    symbols: Sequence[str] | None = None,
    kind: str | None = None,
) -> list[MarketData]:
    """The same under all that a caller can say."""
    if kind is not None:
        kinds_of(kind)
    stored = vault_at(where)
    if stored is not None:
        return histories(stored, symbols, kind, wishes=wishes)
    path = locate(where)
    source = path.name if isinstance(where, Path) or Path(where).exists() else str(where)
    with tempfile.TemporaryDirectory(prefix="lockstep-") as folder, database(Path(folder)) as db:
        files = data_files(path)
        recordings, files = recordings_in(files, db)
        if not recordings and not files:
            raise DataError(
                f"{source}: no data files", hint="no file there is a table or a recording of a known format"
            )
        if recordings and files and kind not in ("bars", "books", "depth"):
            raise UsageError(
                f"{source}: it holds recordings of books ({recordings[0].path.name}) and tables ({files[0].name})",
                hint="say which with --kind bars, --kind books or --kind depth, or read them one by one",
            )
        if recordings and (kind != "bars" or not files):
            told = read_recordings(recordings, kinds_of(kind or "depth"), source, db, wishes, symbols)
            if not told and (symbols is not None or kind != "depth"):
                there = read_recordings(recordings, kinds_of("depth"), source, db, wishes, None)
                raise _nothing_asked_for(there, kind, source, symbols)
            return _asked_for(told, kind, source, symbols)
        if len(files) == 1 and native.is_native(files[0], db):
            if kind not in (None, "bars"):
                raise DataError(f"{source}: it holds bars, no {kind}")
            return native.read_bars(files[0], db, source, symbols, wishes)
        work = Path(folder) / "work"
        work.mkdir()
        chosen = chosen_files(files, kind, db, strict=wishes.strict)
        found: list[MarketData] = []
        tables = [table for file, one in chosen if one == "bars" for table in tables_of(file, work, db, wishes)]
        if tables:
            found += _read_tables(Stage(db, tables, work, symbols), source, wishes)
        blocks: list[TickBlock] = []
        for file, one in chosen:
            if one != "bars":
                blocks += _ticks(file, one, work, db, wishes, symbols)
        if blocks:
            found += histories_of(blocks, source, wishes)
        return sorted(found, key=lambda data: data.instrument.symbol)


def _asked_for(
    found: list[MarketData], kind: str | None, source: str, symbols: Sequence[str] | None
) -> list[MarketData]:
    """What recordings gave. Raises: DataError: nothing of what was asked for."""
    if not found or (kind == "depth" and not any(data.info.kind == "book" for data in found)):
        raise _nothing_asked_for(found, kind, source, symbols)
    return sorted(found, key=lambda data: data.instrument.symbol)


def _nothing_asked_for(
    there: list[MarketData], kind: str | None, source: str, symbols: Sequence[str] | None
) -> DataError:
    """That a recording lacks what was asked for, with what it has."""
    of = "" if symbols is None else " of " + ", ".join(symbols)
    kinds = " and ".join(sorted({f"{data.info.kind}s" for data in there}))
    names = ", ".join(sorted({data.instrument.symbol for data in there})[:_NAMED_MAX])
    hint = f"it holds {kinds} of {names}" if there else ""
    return DataError(f"{source}: no {kind or 'rows'}{of} there", hint=hint)


def vault_at(where: str | Path) -> Vault | None:
    """The store of imported history, where that is meant: by its name, or by the path of its folder."""
    path = Path(where)
    if path.is_dir() and (path / ROOT).is_file():
        return Vault(path)
    if where == places.CATALOG and not path.exists():
        return Vault(places.default_home() / places.CATALOG)
    return None


def _ticks(
    path: Path, kind: str, work: Path, db: "DuckDBPyConnection", wishes: Wishes, symbols: Sequence[str] | None
) -> list[TickBlock]:
    if kind_of_file(path) != ".zip":
        return read_tick_table(path, kind, work, db, wishes, symbols)
    blocks = read_ticks(path, work, db, wishes)
    wanted = None if symbols is None else {symbol.upper() for symbol in symbols}
    return [block for block in blocks if wanted is None or block.symbol in wanted]


def _read_tables(stage: Stage, source: str, wishes: Wishes) -> list[MarketData]:
    if not stage.symbols:
        raise DataError(f"{source}: no rows")
    reading = _Reading(stage, source, wishes)
    waiting = iter(stage.symbols)
    rows = next(waiting)
    encoder, notes = reading.begin(rows)
    found: list[MarketData] = []
    for window in stage.windows():
        begin, end = window.start, window.start + len(window.t)
        while begin < end:
            stop = min(end, rows.stop)
            encoder.add(reading.bars(window, begin, stop, encoder.instrument))
            begin = stop
            if stop == rows.stop:
                found.append(encoder.finish(source, notes))
                if rows is not stage.symbols[-1]:
                    rows = next(waiting)
                    encoder, notes = reading.begin(rows)
    return sorted(found, key=lambda data: data.instrument.symbol)


class _Reading:
    """What the symbols of one stage share: how times are meant, one spool, the days and hours of each session."""

    def __init__(self, stage: Stage, source: str, wishes: Wishes) -> None:
        self._stage = stage
        self._wishes = wishes
        tables = stage.tables
        if len({(table.zone, table.at_end) for table in tables}) > 1:
            raise DataError(f"{source}: its files write time in different ways", hint="read them one by one")
        midnight = all(rows.all_midnight for rows in stage.symbols)
        self._timing = timing_of(stage.steps(), midnight, tables[0].at_end, tables[0].zone, source, wishes.timeframe_ns)
        self._spool = Spool()
        self._span = (
            min(rows.first_t for rows in stage.symbols) - 2 * NANOS_PER_DAY,
            max(rows.last_t for rows in stage.symbols) + 2 * NANOS_PER_DAY,
        )
        self._hours: dict[str, SessionHours] = {}
        self._days: dict[str, dict[int, tuple[int, int]]] = {}

    def begin(self, rows: SymbolRows) -> tuple[BarEncoder, list[str]]:
        """The encoder of the next symbol, and the notes to end it with."""
        table = self._stage.tables[rows.table]
        traits = Traits(
            symbol=rows.symbol,
            venue=table.venue,
            price_decimals=rows.decimals,
            saturdays=rows.saturdays,
            place=table.lean,
        )
        instrument, assumed = instrument_of(traits, self._wishes)
        session = instrument.session
        notes = [*table.notes]
        if self._timing.daily:
            hours = "UTC days" if session.always_open else f"the hours of session {session.name}"
            notes.append(f"dates read as {hours}")
        elif not table.zone:
            notes.append("times have no zone: read as UTC")
        if session.name not in self._hours:
            self._hours[session.name] = SessionHours(session, *self._span)
        actions = lean.actions_for(table.lean) if table.lean is not None else None
        encoder = BarEncoder(
            instrument, self._spool, self._hours[session.name], self._timing.bar_ns, actions, self._stage.row_name
        )
        return encoder, [*notes, *assumed]

    def bars(self, window: StagedWindow, begin: int, stop: int, instrument: Instrument) -> Window:
        """The rows [begin, stop) of the stage as bars."""
        part = slice(begin - window.start, stop - window.start)
        days = self._days.setdefault(instrument.session.name, {})
        ts_open, ts_event = self._timing.bounds(window.t[part], instrument.session, days)
        prices = window.prices[part]
        finer = window.decimals - instrument.price_decimals
        if finer:  # the stage has one scale for all symbols
            prices = prices // 10**finer
        return Window(start=begin, ts_open=ts_open, ts_event=ts_event, prices=prices, volume=window.volume[part])

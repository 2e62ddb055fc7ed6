"""Reading real data: any supported file, folder or data set name becomes one MarketData for each symbol."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from lockstep.model.errors import DataError
from lockstep.model.fees import FeeSchedule
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import NANOS_PER_DAY
from lockstep.store.catalog import lean, native
from lockstep.store.catalog.database import database
from lockstep.store.catalog.encode import BarEncoder, Window
from lockstep.store.catalog.gaps import SessionHours
from lockstep.store.catalog.instruments import Traits, Wishes, instrument_of, wishes_from
from lockstep.store.catalog.market_data import MarketData, Spool
from lockstep.store.catalog.places import locate
from lockstep.store.catalog.sources import data_files, tables_of
from lockstep.store.catalog.staging import Stage, StagedWindow, SymbolRows
from lockstep.store.catalog.timing import timing_of


def read_market_data(
    where: str | Path,
    *,
    symbols: Sequence[str] | None = None,
    asset_class: str | None = None,
    session: str | None = None,
    fees: FeeSchedule | None = None,
    currency: str | None = None,
) -> list[MarketData]:
    """Every instrument of a file, folder or data set, sorted by symbol, checked from the first bar to the last.

    Args:   where: a path (CSV, also .gz; Parquet; zip of Lean trade bars; a folder of those) or a name the catalog
            knows. symbols: only these. asset_class ("equity", "crypto", "fx" ...), session (a calendar's name), fees,
            currency: win over what is inferred; what was inferred stands in info.notes.
    Raises: DataError: the data breaks a rule; the message names file, row, fact and value. UsageError: an unknown
            name, asset class or session.
    """
    wishes = wishes_from(asset_class, session, fees, currency)
    path = locate(where)
    source = path.name if isinstance(where, Path) or Path(where).exists() else str(where)
    files = data_files(path)
    with tempfile.TemporaryDirectory(prefix="lockstep-") as folder, database(Path(folder)) as db:
        if len(files) == 1 and native.is_native(files[0], db):
            return native.read_bars(files[0], db, source, symbols, wishes)
        work = Path(folder) / "work"
        work.mkdir()
        tables = [table for file in files for table in tables_of(file, work, db, asset_class)]
        return _read_tables(Stage(db, tables, work, symbols), source, wishes)


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
        self._timing = timing_of(stage.steps(), midnight, tables[0].at_end, tables[0].zone, source)
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

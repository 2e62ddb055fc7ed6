"""Reading real data: any supported file, folder or data set name becomes one MarketData for each symbol."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lockstep.model.errors import DataError
from lockstep.model.fees import FeeSchedule
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import NANOS_PER_DAY
from lockstep.store.catalog import lean, native
from lockstep.store.catalog.encode import BarEncoder, Window
from lockstep.store.catalog.instruments import Traits, Wishes, instrument_of, wishes_from
from lockstep.store.catalog.market_data import MarketData, Spool
from lockstep.store.catalog.places import locate
from lockstep.store.catalog.sources import data_files, tables_of
from lockstep.store.catalog.staging import Stage, StagedWindow, SymbolRows
from lockstep.store.catalog.timing import Timing, timing_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_LIMIT = "256MB"
"""DuckDB's own; beyond it, sorting spills to the temporary folder."""


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
    with tempfile.TemporaryDirectory(prefix="lockstep-") as folder, _database(Path(folder)) as db:
        if len(files) == 1 and native.is_native(files[0], db):
            return native.read_bars(files[0], db, source, symbols, wishes)
        work = Path(folder) / "work"
        work.mkdir()
        tables = [table for file in files for table in tables_of(file, work, db, asset_class)]
        return _read_tables(Stage(db, tables, work, symbols), source, wishes)


@contextmanager
def _database(folder: Path) -> "Iterator[DuckDBPyConnection]":
    import duckdb

    # One thread keeps rows in order and memory small; nothing is fetched from a network.
    db = duckdb.connect(
        config={
            "threads": 1,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(folder),
            "autoinstall_known_extensions": "false",
            "TimeZone": "UTC",
        }
    )
    try:
        yield db
    finally:
        db.close()


def _read_tables(stage: Stage, source: str, wishes: Wishes) -> list[MarketData]:
    if not stage.symbols:
        raise DataError(f"{source}: no rows")
    timing = _timing(stage, source)
    spool = Spool()
    known_days: dict[str, dict[int, tuple[int, int]]] = {}
    found: list[MarketData] = []
    waiting = iter(stage.symbols)
    rows, encoder, notes = _begin(next(waiting), stage, timing, wishes, spool)
    for window in stage.windows():
        begin, end = window.start, window.start + len(window.t)
        while begin < end:
            stop = min(end, rows.stop)
            days = known_days.setdefault(encoder.instrument.session.name, {})
            encoder.add(_bars(window, begin, stop, timing, encoder.instrument, days))
            begin = stop
            if stop == rows.stop:
                found.append(encoder.finish(source, notes))
                if begin < stage.symbols[-1].stop:
                    rows, encoder, notes = _begin(next(waiting), stage, timing, wishes, spool)
    return sorted(found, key=lambda data: data.instrument.symbol)


def _timing(stage: Stage, source: str) -> Timing:
    tables = stage.tables
    if len({(table.zone, table.at_end) for table in tables}) > 1:
        raise DataError(f"{source}: its files write time in different ways", hint="read them one by one")
    midnight = all(rows.all_midnight for rows in stage.symbols)
    return timing_of(stage.steps(), midnight, tables[0].at_end, tables[0].zone, source)


def _begin(
    rows: SymbolRows, stage: Stage, timing: Timing, wishes: Wishes, spool: Spool
) -> tuple[SymbolRows, BarEncoder, list[str]]:
    table, _ = stage.table_at(rows.start)
    traits = Traits(
        symbol=rows.symbol,
        venue=table.venue,
        price_decimals=rows.decimals,
        saturdays=rows.saturdays,
        place=table.lean,
    )
    instrument, assumed = instrument_of(traits, wishes)
    notes = [*table.notes]
    if timing.daily:
        hours = "UTC days" if instrument.session.always_open else f"the hours of session {instrument.session.name}"
        notes.append(f"dates read as {hours}")
    elif not table.zone:
        notes.append("times have no zone: read as UTC")
    span = rows.first_t - 2 * NANOS_PER_DAY, rows.last_t + 2 * NANOS_PER_DAY
    actions = lean.actions_for(table.lean) if table.lean is not None else None
    encoder = BarEncoder(instrument, spool, span, timing.bar_ns, actions, stage.row_name)
    return rows, encoder, [*notes, *assumed]


def _bars(
    window: StagedWindow,
    begin: int,
    stop: int,
    timing: Timing,
    instrument: Instrument,
    known_days: dict[int, tuple[int, int]],
) -> Window:
    part = slice(begin - window.start, stop - window.start)
    ts_open, ts_event = timing.bounds(window.t[part], instrument.session, known_days)
    prices = window.prices[part]
    if window.decimals != instrument.price_decimals:  # the window's other symbols have more
        prices = prices // 10 ** (window.decimals - instrument.price_decimals)
    return Window(start=begin, ts_open=ts_open, ts_event=ts_event, prices=prices, volume=window.volume[part])

"""Our own Parquet files of bars: prices as int64 units, times as ns UTC, instruments in the file's metadata.

Columns: symbol, ts_open, ts_event i64, open, high, low, close i64 units, volume f64; sorted by symbol, then time. Splits
and dividends stand beside it in STEM_actions.parquet: symbol, ex_date DATE, kind (split, dividend), ratio_num,
ratio_den i64 (new and old shares), amount_units, amount_decimals i64 (cash per share).
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from lockstep.model.enums import AssetClass, CorporateAction, EventKind, Settlement
from lockstep.model.errors import DataError, LockstepError, did_you_mean
from lockstep.model.instrument import Instrument
from lockstep.model.sessions import session_named
from lockstep.store.catalog.actions import Action
from lockstep.store.catalog.columns import PRICES
from lockstep.store.catalog.encode import BarEncoder, Window
from lockstep.store.catalog.gaps import SessionHours
from lockstep.store.catalog.instruments import DEFAULT_FEES, Wishes
from lockstep.store.catalog.market_data import MarketData, Spool
from lockstep.store.catalog.places import ACTIONS_SUFFIX
from lockstep.store.sql import sql_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SCHEMA_VERSION = 1
METADATA_KEY = "lockstep"
FORMAT = "lockstep-bars"
WINDOW_ROWS = 32_768
ACTION_COLUMNS = ("symbol", "ex_date", "kind", "ratio_num", "ratio_den", "amount_units", "amount_decimals")


class BarFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The metadata of a file: what its numbers mean. instruments: facts by symbol."""

    format: str
    schema_version: int
    bar_ns: int
    instruments: dict[str, "Facts"]
    notes: tuple[str, ...] = ()


class Facts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is needed to build the instrument again; session: a calendar's name."""

    venue: str
    asset_class: str
    base_currency: str
    quote_currency: str
    price_decimals: int
    qty_decimals: int
    session: str


def is_native(path: Path, db: "DuckDBPyConnection") -> bool:
    """Whether a file is one of ours."""
    return _metadata(path, db) is not None


def _metadata(path: Path, db: "DuckDBPyConnection") -> bytes | None:
    import duckdb

    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            return None
    try:
        found = db.execute(
            f"SELECT value FROM parquet_kv_metadata({sql_text(str(path))}) WHERE decode(key) = '{METADATA_KEY}'"
        ).fetchone()
    except duckdb.Error as e:
        raise DataError(
            f"{path.name}: not a whole Parquet file: {str(e).splitlines()[0]}", hint="fetch it again"
        ) from e
    return bytes(found[0]) if found else None


def bar_file(path: Path, db: "DuckDBPyConnection") -> BarFile:
    """The metadata of one of our files. Raises: DataError: not ours, damaged, or of a newer schema."""
    raw = _metadata(path, db)
    if raw is None:
        raise DataError(f"{path.name}: not a Lockstep bar file")
    try:
        meta = msgspec.json.decode(raw, type=BarFile)
    except msgspec.MsgspecError as e:
        raise DataError(f"{path.name}: its metadata is damaged: {e}") from e
    if meta.format != FORMAT or meta.schema_version != SCHEMA_VERSION:
        raise DataError(
            f"{path.name}: schema {meta.format} {meta.schema_version}, this version reads {FORMAT} {SCHEMA_VERSION}",
            hint="upgrade Lockstep, or write the file again",
        )
    return meta


def read_bars(
    path: Path, db: "DuckDBPyConnection", source: str, symbols: Sequence[str] | None, wishes: Wishes
) -> list[MarketData]:
    """The instruments of one of our files, sorted by symbol; checked like any other data."""
    meta = bar_file(path, db)
    wanted = sorted(meta.instruments) if symbols is None else sorted({symbol.upper() for symbol in symbols})
    for symbol in wanted:
        if symbol not in meta.instruments:
            raise DataError(f"{path.name}: no symbol {symbol!r}", hint=did_you_mean(symbol, meta.instruments))
    relation = f"read_parquet({sql_text(str(path))}, file_row_number=true)"
    spans = _spans(db, relation)
    if not spans:
        raise DataError(f"{path.name}: no rows")
    actions = read_actions(path, db)
    spool = Spool()
    span = min(row[0] for row in spans.values()), max(row[1] for row in spans.values())
    all_hours: dict[str, SessionHours] = {}
    found = []
    for symbol in wanted:
        if symbol not in spans:
            raise DataError(f"{path.name}: {symbol}: no bars")
        rows_from, rows_to = spans[symbol][2:]
        instrument = _instrument(symbol, meta.instruments[symbol], wishes, path.name)
        name = instrument.session.name
        if name not in all_hours:
            all_hours[name] = SessionHours(instrument.session, *span)
        own = None if actions is None else actions.get(symbol, [])
        encoder = BarEncoder(
            instrument, spool, all_hours[name], meta.bar_ns, own, lambda row: f"{path.name}: row {row + 1}"
        )
        for begin in range(rows_from, rows_to, WINDOW_ROWS):
            encoder.add(_window(db, relation, begin, min(begin + WINDOW_ROWS, rows_to), path.name))
        notes = [*meta.notes]
        if wishes.fees is None:
            notes.append(f"fees {instrument.fees.text()}, the default for {instrument.asset_class.name.lower()}")
        found.append(encoder.finish(source, notes))
    return found


def _spans(db: "DuckDBPyConnection", relation: str) -> dict[str, tuple[int, int, int, int]]:
    rows = db.execute(
        "SELECT symbol, min(ts_open), max(ts_event), min(file_row_number), max(file_row_number) + 1, count(*) "
        f"FROM {relation} GROUP BY symbol"
    ).fetchall()
    for symbol, _, _, begin, end, count in rows:
        if end - begin != count:
            raise DataError(f"{symbol}: its rows are not together", hint="sort the file by symbol, then time")
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}


def _window(db: "DuckDBPyConnection", relation: str, begin: int, end: int, name: str) -> Window:
    got: dict[str, Any] = db.execute(
        f"SELECT ts_open, ts_event, {', '.join(PRICES)}, volume FROM {relation} "
        f"WHERE file_row_number >= {begin} AND file_row_number < {end}"
    ).fetchnumpy()
    for column, values in got.items():
        if isinstance(values, np.ma.MaskedArray):
            raise DataError(f"{name}: row {begin + int(np.argmax(values.mask)) + 1}: {column} is empty")
    return Window(
        start=begin,
        ts_open=got["ts_open"],
        ts_event=got["ts_event"],
        prices=np.column_stack([got[price] for price in PRICES]),
        volume=got["volume"],
    )


def _instrument(symbol: str, facts: Facts, wishes: Wishes, name: str) -> Instrument:
    try:
        kind = wishes.asset_class or AssetClass[facts.asset_class]
        return Instrument(
            venue=facts.venue,
            symbol=symbol,
            asset_class=kind,
            base_currency=facts.base_currency,
            quote_currency=wishes.currency or facts.quote_currency,
            price_decimals=facts.price_decimals,
            qty_decimals=facts.qty_decimals,
            settlement=Settlement.LINEAR if kind is AssetClass.FUTURE else Settlement.CASH,
            fees=wishes.fees if wishes.fees is not None else DEFAULT_FEES[kind],
            session=wishes.session or session_named(facts.session),
        )
    except (KeyError, LockstepError) as e:
        raise DataError(f"{name}: the metadata of {symbol} is not usable: {e}") from e


def read_actions(path: Path, db: "DuckDBPyConnection") -> dict[str, list[Action]] | None:
    """Splits and dividends beside a bar file, by symbol; None where there is no such table."""
    import duckdb

    table = path.with_name(path.name.removesuffix(".parquet") + ACTIONS_SUFFIX)
    if not table.is_file():
        return None
    try:
        rows = db.execute(
            f"SELECT {', '.join(ACTION_COLUMNS)} FROM read_parquet({sql_text(str(table))}) ORDER BY ALL"
        ).fetchall()
    except duckdb.Error as e:
        raise DataError(f"{table.name}: not a table of corporate actions: {str(e).splitlines()[0]}") from e
    actions: dict[str, list[Action]] = {}
    for symbol, ex_date, kind, *numbers in rows:
        if kind not in ("split", "dividend"):
            raise DataError(f"{table.name}: {symbol} {ex_date}: kind was {kind!r}, expected split or dividend")
        p0, p1 = numbers[:2] if kind == "split" else numbers[2:]
        if p0 is None or p1 is None or p0 <= 0 or p1 < (1 if kind == "split" else 0):
            raise DataError(f"{table.name}: {symbol} {ex_date}: {kind} of {p0} and {p1} means nothing")
        actions.setdefault(symbol, []).append(Action(ex_date, CorporateAction[kind.upper()], p0, p1))
    return actions


def write_bars(path: Path, data: Sequence[MarketData], db: "DuckDBPyConnection", notes: tuple[str, ...] = ()) -> None:
    """Write instruments of one bar length as one of our files; corporate actions are not part of it.

    Raises: DataError: different bar lengths, or nothing to write.
    """
    if len({one.info.bar_ns for one in data}) != 1:
        raise DataError(f"{path.name}: one bar length a file: had {sorted({one.info.bar_ns for one in data})} ns")
    ordered = sorted(data, key=lambda one: one.instrument.symbol)
    meta = BarFile(
        format=FORMAT,
        schema_version=SCHEMA_VERSION,
        bar_ns=ordered[0].info.bar_ns,
        instruments={one.instrument.symbol: _facts(one.instrument) for one in ordered},
        notes=notes,
    )
    db.execute(
        "CREATE OR REPLACE TEMP TABLE bars (symbol VARCHAR, ts_open BIGINT, ts_event BIGINT, open BIGINT, high BIGINT, "
        "low BIGINT, close BIGINT, volume DOUBLE)"
    )
    for one in ordered:
        for chunk in one.chunks():
            bars = chunk[chunk["kind"] == EventKind.BAR]
            named = ("ts_open", "ts_event", "p0", "p1", "p2", "p3", "volume")
            db.register("chunk", {name: np.ascontiguousarray(bars[name]) for name in named})
            db.execute(f"INSERT INTO bars SELECT {sql_text(one.instrument.symbol)}, {', '.join(named)} FROM chunk")
            db.unregister("chunk")
    text = json.dumps(msgspec.to_builtins(meta), sort_keys=True)
    db.execute(
        f"COPY bars TO {sql_text(str(path))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {WINDOW_ROWS}, "
        f"PARQUET_VERSION v2, KV_METADATA {{{METADATA_KEY}: {sql_text(text)}}})"
    )
    db.execute("DROP TABLE bars")


def _facts(instrument: Instrument) -> Facts:
    return Facts(
        venue=instrument.venue,
        asset_class=instrument.asset_class.name,
        base_currency=instrument.base_currency,
        quote_currency=instrument.quote_currency,
        price_decimals=instrument.price_decimals,
        qty_decimals=instrument.qty_decimals,
        session=instrument.session.name,
    )

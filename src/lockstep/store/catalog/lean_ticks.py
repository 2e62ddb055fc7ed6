"""QuantConnect Lean's ticks of US equities: quotes and trades, one zip a day.

A line of quotes is: ms since midnight New York, bid x 10,000, bid size, ask x 10,000, ask size, exchange, condition,
suspicious (1 or 0); of trades: ms, price x 10,000, size, exchange, condition, suspicious. Sizes are shares.
Source: Data/equity/readme.md of the Lean repository; looked at in the files of IBM, 2013-10-07 to 11.

The quotes are the consolidated tape's best bid and offer. Each change is written as two lines of the same millisecond,
first the bid, then the ask, each with the exchange where that side stands: the pair is one quote. Taking every line as
a quote of its own would make states that never were, some of them crossed. So: a line with a bid alone that the next line
completes with an ask of the same millisecond is no quote by itself; any other line is, and a side it does not give
is as the line before left it. A day begins without a quote.
"""

import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import DataError
from lockstep.model.numbers import NANOS_PER_SECOND
from lockstep.store.catalog import lean
from lockstep.store.catalog.instruments import Wishes
from lockstep.store.catalog.sources import csv_relation, unpacked
from lockstep.store.catalog.tick_blocks import Arrays, TickBlock, block_of
from lockstep.store.catalog.timing import utc_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TICK_MEMBER = re.compile(r"(\d{8})_(.+)_(Quote|Trade)_Tick\.csv", re.IGNORECASE)
QUOTE_COLUMNS = ("ms", "bid", "bid_qty", "ask", "ask_qty", "exchange", "condition", "suspicious")
TRADE_COLUMNS = ("ms", "price", "qty", "exchange", "condition", "suspicious")
QUOTE_NOTE = (
    "Lean quote ticks: prices / 10,000, America/New_York time; a bid line and the ask line after it in the same millisecond "
    "are one quote of the consolidated tape, whose sides may stand at two exchanges"
)
_TEXTS = ("exchange", "condition")
_MILLISECOND = 1_000_000


def kind_of_zip(path: Path) -> str:
    """What a zip holds: "quotes" or "trades" of ticks, else "bars", whatever they are.

    Raises: DataError: no zip, or one without a table.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except (OSError, zipfile.BadZipFile) as e:
        raise DataError(f"{path.name}: not a whole zip file: {e}", hint="fetch the file again") from e
    if not any(member.endswith(".csv") for member in members):
        inside = f"{len(members):,} files, the first {members[0]}" if members else "nothing"
        raise DataError(
            f"{path.name}: neither a CSV file nor a recording of a known format inside: it holds {inside}",
            hint="give a zip of Lean bars or ticks, of one CSV, or of one Bybit archive",
        )
    found = [TICK_MEMBER.fullmatch(member) for member in members]
    first = next((match for match in found if match), None)
    return "bars" if first is None else f"{first[3].lower()}s"


def read_ticks(path: Path, work: Path, db: "DuckDBPyConnection", wishes: Wishes) -> list[TickBlock]:
    """The ticks of one zip. Raises: DataError: not whole, not of equities, or a line that is no tick."""
    place = lean.place_of(path)
    if place is not None and not place.is_us_equity:
        raise DataError(
            f"{path.name}: ticks of {place.asset_class.name.lower()} from {place.market}: of Lean's ticks only those of "
            "US equities are read",
            hint="convert them to CSV with named columns",
        )
    with zipfile.ZipFile(path) as archive:
        members = [match for match in map(TICK_MEMBER.fullmatch, archive.namelist()) if match]
    return [_member(path, match, work, db, wishes) for match in members]


def _member(path: Path, match: re.Match[str], work: Path, db: "DuckDBPyConnection", wishes: Wishes) -> TickBlock:
    place = lean.place_of(path)
    name, kind = f"{path.name}/{match[0]}", f"{match[3].lower()}s"
    plain = unpacked(path, match[0], work)
    names = QUOTE_COLUMNS if kind == "quotes" else TRADE_COLUMNS
    rows = _rows(plain, names, name, db)
    plain.unlink()
    midnight = int(datetime.strptime(match[1], "%Y%m%d").replace(tzinfo=UTC).timestamp()) * NANOS_PER_SECOND
    ts = utc_of(midnight + rows["ms"] * _MILLISECOND, ZoneInfo(lean.NEW_YORK))
    columns, notes = _quotes(rows, ts) if kind == "quotes" else _trades(rows, ts)
    if not len(ts) or not len(columns["line"]):
        raise DataError(f"{name}: no {kind}")
    return block_of(
        work,
        columns,
        name=name,
        kind=kind,
        symbol=wishes.symbol or match[2].upper(),
        venue=wishes.venue or "US",
        place=place,
        notes=notes,
        price_scale=lean.EQUITY_SCALE_DECIMALS,
        qty_scale=0,
    )


def _rows(plain: Path, names: tuple[str, ...], name: str, db: "DuckDBPyConnection") -> Arrays:
    import duckdb

    casts = ", ".join(f"TRY_CAST({column} AS BIGINT) AS {column}" for column in names if column not in _TEXTS)
    try:
        found: dict[str, Any] = db.execute(
            f"SELECT {casts} FROM {csv_relation(plain, list(names), skip=0)}"
        ).fetchnumpy()
    except duckdb.Error as e:
        reason = " ".join(str(e).split()[:24])
        raise DataError(f"{name}: {reason}", hint=f"expected {len(names)} values a line: {', '.join(names)}") from e
    for column, values in found.items():
        if isinstance(values, np.ma.MaskedArray):
            line = int(np.argmax(values.mask)) + 1
            raise DataError(f"{name}: line {line}: {column} is not a whole number", hint="fetch the file again")
        if (values < 0).any():
            line = int(np.argmax(values < 0))
            raise DataError(f"{name}: line {line + 1}: {column} is negative: was {values[line]}")
    return found


def _kept(rows: Arrays) -> tuple[NDArray[np.intp], list[str]]:
    kept = np.flatnonzero(rows["suspicious"] == 0)
    left_out = len(rows["suspicious"]) - len(kept)
    return kept, [f"{left_out} lines marked suspicious left out"] if left_out else []


def _trades(rows: Arrays, ts: NDArray[np.int64]) -> tuple[Arrays, list[str]]:
    kept, notes = _kept(rows)
    none = np.zeros(len(kept), np.int64)
    columns = {
        "line": kept + 1, "ts_event": ts[kept], "ts_recv": ts[kept], "price": rows["price"][kept],
        "qty": rows["qty"][kept], "trade_id": none, "side": none.astype(np.int8),
    }  # fmt: skip
    return columns, [
        "Lean trade ticks: prices / 10,000, America/New_York time; all exchanges and sale conditions, side unknown",
        *notes,
    ]


def _quotes(rows: Arrays, ts: NDArray[np.int64]) -> tuple[Arrays, list[str]]:
    kept, notes = _kept(rows)
    times = ts[kept]
    sides = {side: rows[side][kept] for side in ("bid", "ask")}
    has = {side: values > 0 for side, values in sides.items()}
    whole = _completed(times, has["bid"], has["ask"])
    columns: Arrays = {"line": kept + 1, "ts_event": times, "ts_recv": times}
    known = np.ones(len(kept), bool)
    for side, given in has.items():
        last = np.maximum.accumulate(np.where(given, np.arange(len(kept)), -1)) if len(kept) else kept
        known &= last >= 0
        columns[side] = sides[side][last]
        columns[f"{side}_qty"] = rows[f"{side}_qty"][kept][last]
    alone = int(np.count_nonzero(whole & ~known))
    if alone:
        notes.append(f"{alone} lines before both sides were known left out")
    chosen = whole & known
    return {name: values[chosen] for name, values in columns.items()}, [QUOTE_NOTE, *notes]


def _completed(ts: NDArray[np.int64], bid: NDArray[np.bool_], ask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Lines after which the quote is whole: all but a bid alone whose ask is on the next line."""
    waits = np.zeros(len(ts), bool)
    waits[:-1] = bid[:-1] & ~ask[:-1] & ask[1:] & ~bid[1:] & (ts[:-1] == ts[1:])
    found: NDArray[np.bool_] = ~waits
    return found

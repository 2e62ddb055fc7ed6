"""Quotes and trades from CSV or Parquet with named columns, as exact integers."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import DataError, did_you_mean
from lockstep.model.numbers import DECIMALS_MAX
from lockstep.store.catalog.columns import TickRoles, tick_roles_of
from lockstep.store.catalog.instruments import Wishes, name_of_file
from lockstep.store.catalog.shapes import SHAPES, Shape
from lockstep.store.catalog.sources import Source, sample_of, source_of, zone_of
from lockstep.store.catalog.staging import (
    ROUNDED_UNITS_MAX,
    USUAL_DECIMALS,
    decimals_bound_sql,
    decimals_sql,
    units_from_doubles,
)
from lockstep.store.catalog.tick_blocks import Arrays, TickBlock, block_of
from lockstep.store.catalog.times import time_format
from lockstep.store.catalog.timing import utc_of
from lockstep.store.sql import sql_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BLOCK_ROWS = 491_520
"""Rows held in memory at a time: eight row groups of the staged file, 30 MB."""
_BUY = "('buy', 'b', 'bid', '1', 'buyer')"
_SELL = "('sell', 's', 'ask', 'a', '-1', 'seller')"
_UNKNOWN = "('', 'unknown', 'none', 'n', '0', 'no_aggressor')"


def read_tick_table(
    path: Path, kind: str, work: Path, db: "DuckDBPyConnection", wishes: Wishes, symbols: Sequence[str] | None
) -> list[TickBlock]:
    """The quotes or trades of one file.

    Raises: DataError: a column is missing, or a line is no tick; names the file, line and value.
    """
    return _TickTable(source_of(path, work, db), kind, work, db, wishes).blocks(symbols)


class _TickTable:
    """One file, staged as typed Parquet: integers of a line cannot be known before the most decimals of all."""

    def __init__(self, source: Source, kind: str, work: Path, db: "DuckDBPyConnection", wishes: Wishes) -> None:
        self._source, self._work, self._db, self._kind = source, work, db, kind
        self._shape: Shape = SHAPES[kind]
        self._roles: TickRoles = tick_roles_of(source.header, kind, source.name)
        self._symbol, self._venue = name_of_file(source.path, wishes)
        sample = sample_of(source)
        where = f"{source.name}: {source.row_word} {source.first_line}"
        self._form = time_format(sample[self._roles.time], wishes.time_unit or self._roles.unit, where)
        if self._form.kind in ("date", "compact"):
            raise DataError(f"{where}: {sample[self._roles.time]!r} is a day: ticks need the time of day")
        zone = zone_of(self._form, wishes, source.name)
        self._zone = ZoneInfo(zone or "UTC")
        self._notes = [*self._roles.notes, *([self._form.note] if self._form.note else [])]
        if not zone:
            self._notes.append("times have no zone: read as UTC")
        self._recv_form = self._form
        if self._roles.recv is not None:
            self._recv_form = time_format(sample[self._roles.recv], wishes.time_unit or self._roles.recv_unit, where)
        self._stage = work / f"ticks-{source.path.name}.parquet"
        self._price_scale, self._qty_scale = (
            self._scale_of(names) for names in (self._shape.prices, self._shape.quantities)
        )

    def blocks(self, symbols: Sequence[str] | None) -> list[TickBlock]:
        """The ticks of the wanted symbols, some rows at a time."""
        self._copy()
        found = []
        for symbol in self._wanted(symbols):
            for columns in self._read(symbol):
                left_out = self._without_both_sides(columns)
                notes = [*self._notes, *([left_out] if left_out else [])]
                if len(columns["line"]):
                    found.append(self._block(columns, symbol, notes))
        self._stage.unlink()
        return found

    def _block(self, columns: Arrays, symbol: str, notes: list[str]) -> TickBlock:
        return block_of(
            self._work,
            columns,
            name=self._source.name,
            kind=self._kind,
            symbol=symbol,
            venue=self._venue,
            place=None,
            notes=notes,
            price_scale=self._price_scale,
            qty_scale=self._qty_scale,
            row_word=self._source.row_word,
        )

    def _column(self, name: str) -> str:
        return f"c{self._roles.values[name]}"

    def _scale_of(self, names: Sequence[str]) -> int:
        """Decimals that hold every value of the columns. Raises: DataError: more than can be kept."""
        bound = "greatest(" + ", ".join(decimals_bound_sql(self._column(name)) for name in names) + ")"
        most = int(self._one(f"SELECT coalesce(max({bound}), 0) FROM {self._source.relation}") or 0)
        if most <= USUAL_DECIMALS:
            return most
        exact = "greatest(" + ", ".join(decimals_sql(self._column(name)) for name in names) + ")"
        line = f"row_number() OVER () - 1 + {self._source.first_line}"
        found = self._query(
            f"SELECT {exact} AS d, line FROM (SELECT {line} AS line, * FROM {self._source.relation}) "
            "WHERE d IS NOT NULL ORDER BY d DESC, line LIMIT 1"
        )
        if found and found[0][0] > DECIMALS_MAX:
            raise DataError(
                f"{self._source.name}: {self._source.row_word} {found[0][1]}: a value has {found[0][0]} decimals, "
                f"limit {DECIMALS_MAX}",
                hint="round it to the venue's tick first",
            )
        return int(found[0][0]) if found else 0

    def _copy(self) -> None:
        symbol = self._roles.symbol
        name = sql_text(self._symbol) if symbol is None else f"nullif(upper(trim(c{symbol})), '')"
        line = f"row_number() OVER () - 1 + {self._source.first_line}"
        columns = [
            f"{name} AS sym",
            f"{line} AS line",
            f"{self._form.sql(f'c{self._roles.time}')} AS ts_event",
            *(self._number_sql(value) for value in self._roles.values),
        ]
        if self._roles.recv is not None:
            columns.append(f"{self._recv_form.sql(f'c{self._roles.recv}')} AS ts_recv")
        if self._kind == "trades":
            columns += [f"{self._id_sql()} AS trade_id", f"{self._side_sql()} AS side"]
        self._query(
            f"COPY (SELECT {', '.join(columns)} FROM {self._source.relation}) TO {sql_text(str(self._stage))} "
            "(FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 61440)"
        )

    def _number_sql(self, name: str) -> str:
        scale = self._price_scale if name in self._shape.prices else self._qty_scale
        text = self._column(name)
        value = f"TRY_CAST({text} AS DECIMAL(18,{scale}))"
        if self._kind == "quotes":  # an empty side is a side without an order
            value = f"CASE WHEN coalesce(trim({text}), '') = '' THEN 0 ELSE {value} END"
        return f"{value} AS {name}"

    def _id_sql(self) -> str:
        return (
            "0::BIGINT" if self._roles.trade_id is None else f"coalesce(TRY_CAST(c{self._roles.trade_id} AS BIGINT), 0)"
        )

    def _side_sql(self) -> str:
        if self._roles.side is not None:
            text = f"lower(trim(coalesce(c{self._roles.side}, '')))"
            return (
                f"CASE WHEN {text} IN {_BUY} THEN 1 WHEN {text} IN {_SELL} THEN -1 WHEN {text} IN {_UNKNOWN} THEN 0 END"
            )
        if self._roles.buyer_made is not None:
            made = f"TRY_CAST(c{self._roles.buyer_made} AS BOOLEAN)"
            return f"CASE WHEN {made} THEN -1 WHEN NOT {made} THEN 1 END"
        return "0"

    def _wanted(self, symbols: Sequence[str] | None) -> list[str]:
        rows = self._query(f"SELECT DISTINCT sym FROM read_parquet({sql_text(str(self._stage))})")
        known = sorted(str(row[0]) for row in rows if row[0] is not None)
        if len(known) < len(rows):
            raise DataError(f"{self._source.name}: a {self._source.row_word} without a symbol")
        if not known:
            raise DataError(f"{self._source.name}: no rows")
        for symbol in symbols or ():
            if symbol.upper() not in known:
                raise DataError(f"{self._source.name}: no symbol {symbol!r}", hint=did_you_mean(symbol.upper(), known))
        return known if symbols is None else sorted({symbol.upper() for symbol in symbols})

    def _read(self, symbol: str) -> Iterator[Arrays]:
        relation = f"read_parquet({sql_text(str(self._stage))}, file_row_number=true)"
        rows = int(self._one(f"SELECT count(*) FROM read_parquet({sql_text(str(self._stage))})"))
        for begin in range(0, rows, BLOCK_ROWS):
            where = (
                f"file_row_number >= {begin} AND file_row_number < {begin + BLOCK_ROWS} AND sym = {sql_text(symbol)}"
            )
            names = ["line", "ts_event", *self._shape.words]
            chosen = [name for name in dict.fromkeys(names) if name != "ts_recv" or self._roles.recv is not None]
            got = self._fetched(f"SELECT {', '.join(chosen)} FROM {relation} WHERE {where}")
            if len(got["line"]):
                yield self._columns(got)

    def _columns(self, got: dict[str, Any]) -> Arrays:
        empty = {n: v.mask for n, v in got.items() if isinstance(v, np.ma.MaskedArray) and v.mask.any()}
        if empty:
            name = min(empty, key=lambda n: int(np.argmax(empty[n])))
            raise self._unread(int(np.ma.getdata(got["line"])[int(np.argmax(empty[name]))]), name)
        columns: Arrays = {name: np.ma.getdata(values) for name, values in got.items()}
        columns["ts_event"] = self._utc(columns["ts_event"])
        columns["ts_recv"] = self._utc(columns["ts_recv"]) if "ts_recv" in columns else columns["ts_event"]
        for names, scale in ((self._shape.prices, self._price_scale), (self._shape.quantities, self._qty_scale)):
            for name in names:
                if np.abs(columns[name]).max() * 10.0**scale > ROUNDED_UNITS_MAX:
                    raise DataError(
                        f"{self._source.name}: {name} up to {columns[name].max():g} at {scale} decimals is above 2**50",
                        hint="round to fewer decimals, or give prices in a bigger unit",
                    )
                columns[name] = units_from_doubles(columns[name], scale)
        if "side" in columns:
            columns["side"] = columns["side"].astype(np.int8)
        return columns

    def _utc(self, t: NDArray[np.int64]) -> NDArray[np.int64]:
        return t if self._zone.key == "UTC" else utc_of(t, self._zone)

    def _without_both_sides(self, columns: Arrays) -> str:
        """Drop quotes that lack a side; the note that says how many."""
        if self._kind != "quotes":
            return ""
        whole = (columns["bid"] != 0) & (columns["ask"] != 0)
        missing = len(whole) - int(np.count_nonzero(whole))
        if missing:
            for name in list(columns):
                columns[name] = columns[name][whole]
        return f"{missing:,} quotes without a bid or an ask left out" if missing else ""

    def _unread(self, line: int, name: str) -> DataError:
        at = {"ts_event": self._roles.time, "ts_recv": self._roles.recv}.get(name, self._roles.values.get(name))
        at = (self._roles.side if self._roles.side is not None else self._roles.buyer_made) if name == "side" else at
        number = line - self._source.first_line
        text = self._one(f"SELECT c{at} FROM {self._source.relation} LIMIT 1 OFFSET {number}")
        what = "empty" if text is None or not str(text).strip() else f"not readable like those above it: {text!r}"
        return DataError(f"{self._source.name}: {self._source.row_word} {line}: {name} is {what}")

    def _one(self, query: str) -> Any:
        found = self._query(query)
        return found[0][0] if found else None

    def _query(self, query: str) -> list[Any]:
        import duckdb

        try:
            return self._db.execute(query).fetchall()
        except duckdb.Error as e:
            raise self._refused(e) from e

    def _fetched(self, query: str) -> dict[str, Any]:
        import duckdb

        try:
            found: dict[str, Any] = self._db.execute(query).fetchnumpy()
            return found
        except duckdb.Error as e:
            raise self._refused(e) from e

    def _refused(self, e: Exception) -> DataError:
        lines = [line.strip() for line in str(e).splitlines() if line.strip()]
        return DataError(
            f"{self._source.name}: {' '.join(lines[:3])}", hint="every line needs as many values as there are names"
        )

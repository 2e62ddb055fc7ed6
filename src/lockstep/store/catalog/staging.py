"""Text tables brought into one order and read back as exact integers, a window at a time.

The files are read once, as text, into a temporary Parquet file: the most decimals of a symbol, and with them the
integers, are known only after its last row.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import DataError, did_you_mean
from lockstep.model.numbers import DECIMALS_MAX, NANOS_PER_DAY
from lockstep.store.catalog.columns import PRICES
from lockstep.store.catalog.sources import Table
from lockstep.store.catalog.times import time_text
from lockstep.store.catalog.timing import Steps, steps_of
from lockstep.store.sql import sql_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

WINDOW_ROWS = 32_768
STEP_SAMPLE_ROWS = 65_536
USUAL_DECIMALS = 8
"""Tried first. A file that needs more, or writes 1e-05, or has a price of 10**10, is read once more at its own."""
_UNKNOWN_DECIMALS = 99
ROUNDED_UNITS_MAX = 2**50
_SATURDAY = 2
"""1970-01-01 was a Thursday: days since then, modulo 7."""


class SymbolRows(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol of the stage: its rows are [start, stop), the first of them from tables[table]."""

    symbol: str
    start: int
    stop: int
    table: int
    decimals: int
    saturdays: bool
    all_midnight: bool
    first_t: int
    last_t: int


class StagedWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Rows [start, start + n) of the stage. prices: [n, 4] in units of 10**-decimals; t: ns as the file writes them."""

    start: int
    decimals: int
    t: NDArray[np.int64]
    prices: NDArray[np.int64]
    volume: NDArray[np.float64]


class Stage:
    """The rows of some tables, by symbol, then table, then line, in a Parquet file under `work`."""

    def __init__(
        self, db: "DuckDBPyConnection", tables: Sequence[Table], work: Path, symbols: Sequence[str] | None
    ) -> None:
        """Raises: DataError: a file that cannot be read as a table, a symbol that is not there, too many decimals."""
        import duckdb

        self._db = db
        self.tables = tables
        self._relation = f"read_parquet({sql_text(str(work / 'stage.parquet'))})"
        try:
            self._scale = USUAL_DECIMALS
            self._copy(work / "stage.parquet", symbols)
            if self._is_unusual(symbols):
                self._scale = self._finest(symbols)
                self._copy(work / "stage.parquet", symbols)
        except duckdb.Error as e:
            raise DataError(f"{tables[0].name}: {_reason(e)}", hint="every line needs as many values as names") from e
        self._highest = self._cell(f"SELECT coalesce(max(greatest({', '.join(PRICES)})), 0) FROM {self._relation}")
        self.symbols = self._with_decimals(self._summary())
        self._check_symbols(symbols)

    def _is_unusual(self, symbols: Sequence[str] | None) -> bool:
        """Whether a price may need more decimals, or leave no room for so many in 18 digits."""
        missing = " OR ".join(f"{price} IS NULL" for price in PRICES)
        fine, unread = self._db.execute(
            f"SELECT coalesce(bool_or(finer), false), coalesce(bool_or({missing}), false) FROM {self._relation}"
        ).fetchall()[0]
        if fine or not unread:
            return bool(fine)
        limit = 10 ** (18 - USUAL_DECIMALS)
        large = " OR ".join(f"TRY_CAST({price} AS DOUBLE) BETWEEN {limit} AND 1e18" for price in PRICES)
        return bool(self._cell(f"SELECT coalesce(bool_or({large}), false) FROM ({self._rows_sql(symbols)})"))

    def _rows_sql(self, symbols: Sequence[str] | None) -> str:
        selects = [
            f"SELECT {i} AS tab, row_number() OVER () - 1 + {table.first_line} AS line, * FROM ({table.select})"
            for i, table in enumerate(self.tables)
        ]
        rows = f"SELECT * FROM ({' UNION ALL '.join(selects)})"
        if symbols is not None:
            rows += f" WHERE sym IN ({', '.join(sql_text(symbol.upper()) for symbol in symbols)})"
        return rows

    def _copy(self, target: Path, symbols: Sequence[str] | None) -> None:
        prices = [f"TRY_CAST({price} AS DECIMAL(18,{self._scale})) AS {price}" for price in PRICES]
        first = self.tables[0]
        as_it_lies = len(self.tables) == 1 and symbols is None and bool(first.symbol)
        places = (
            "" if as_it_lies else "tab, line, "
        )  # numbering rows costs a tenth of reading them: here once is enough
        rows = (
            f"SELECT {places}sym, t, {_may_have_more_sql()} AS finer, {', '.join(prices)}, TRY_CAST(volume AS DOUBLE) AS volume "
            f"FROM ({first.select if as_it_lies else self._rows_sql(symbols)})"
        )
        if len({table.symbol for table in self.tables}) > 1 or not first.symbol:
            rows = f"SELECT * FROM ({rows}) ORDER BY sym, tab, line"
        numbers = "row_number() OVER () - 1 AS rn"
        if as_it_lies:
            rows, numbers = f"SELECT {numbers}, * FROM ({rows})", f"0 AS tab, rn + {first.first_line} AS line"
        self._db.execute(
            f"COPY (SELECT {numbers}, * FROM ({rows})) "
            f"TO {sql_text(str(target))} (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE {WINDOW_ROWS})"
        )

    def _finest(self, symbols: Sequence[str] | None) -> int:
        """The most decimals any price needs. Raises: DataError: more than an instrument can have."""
        needed = f"greatest({', '.join(decimals_sql(price) for price in PRICES)})"
        worst = self._db.execute(
            f"SELECT {needed} AS d, tab, line, {', '.join(PRICES)} FROM ({self._rows_sql(symbols)}) "
            "WHERE d IS NOT NULL ORDER BY d DESC, tab, line LIMIT 1"
        ).fetchone()
        if worst is None:
            return USUAL_DECIMALS
        decimals, tab, line, *prices = worst
        if decimals > DECIMALS_MAX:
            table = self.tables[tab]
            longest = max((str(price) for price in prices), key=len)
            raise DataError(
                f"{table.name}: {table.row_word} {line}: a price is finer than {DECIMALS_MAX} decimals: {longest} "
                f"has {decimals}",
                hint="round the prices to the venue's tick first",
            )
        return int(decimals)

    def _cell(self, query: str) -> Any:
        found = self._db.execute(query).fetchone()
        return found[0] if found else None

    def _with_decimals(self, symbols: list[SymbolRows]) -> list[SymbolRows]:
        """The fewest decimals that hold every price of a symbol: the scale less the zeros all its units end in."""
        divisors = [0] * len(symbols)
        i = 0
        for begin in range(0, symbols[-1].stop if symbols else 0, WINDOW_ROWS):
            end = min(begin + WINDOW_ROWS, symbols[-1].stop)
            if divisors[i] % 10 and symbols[i].stop > end:
                continue  # this symbol needs every decimal there is
            units = self._units(begin, end)[0]
            while i < len(symbols):
                part = units[max(symbols[i].start, begin) - begin : min(symbols[i].stop, end) - begin]
                divisors[i] = int(np.gcd.reduce(part, axis=None, initial=divisors[i]))
                if symbols[i].stop > end:
                    break
                i += 1
        return [
            msgspec.structs.replace(rows, decimals=self._scale - _final_zeros(divisor, self._scale))
            for rows, divisor in zip(symbols, divisors, strict=True)
        ]

    def _units(self, start: int, stop: int) -> tuple[NDArray[np.int64], dict[str, Any]]:
        """Prices [n, 4] as whole units, 0 where there is none, and the columns they came with, masked there."""
        exact = self._highest * 10**self._scale > ROUNDED_UNITS_MAX
        price = f"CAST({{0}} * CAST({10**self._scale} AS DECIMAL(20,0)) AS BIGINT) AS {{0}}" if exact else "{0}"
        prices = ", ".join(price.format(name) for name in PRICES)
        got: dict[str, Any] = self._db.execute(
            f"SELECT t, {prices}, volume FROM {self._relation} WHERE rn >= {start} AND rn < {stop}"
        ).fetchnumpy()
        units = np.column_stack([np.ma.filled(got[name], 0) for name in PRICES])
        if not exact:
            units = units_from_doubles(units, self._scale)
        return units, got

    def _summary(self) -> list[SymbolRows]:
        saturday = f"bool_or((t // {NANOS_PER_DAY}) % 7 = {_SATURDAY})"
        midnight = f"bool_and(t % {NANOS_PER_DAY} = 0)"
        rows = self._db.execute(
            f"SELECT sym, min(rn), max(rn) + 1, min_by(tab, rn), {saturday}, {midnight}, min(t), max(t) "
            f"FROM {self._relation} GROUP BY sym ORDER BY min(rn)"
        ).fetchall()
        if not rows:
            return []
        if any(row[0] is None for row in rows):
            raise self._refusal(next(row[1] for row in rows if row[0] is None), "symbol", "empty")
        return [
            SymbolRows(
                symbol=row[0], start=row[1], stop=row[2], table=row[3], decimals=self._scale, saturdays=bool(row[4]),
                all_midnight=bool(row[5]), first_t=row[6] or 0, last_t=row[7] or 0,
            )
            for row in rows
        ]  # fmt: skip

    def _check_symbols(self, wanted: Sequence[str] | None) -> None:
        if wanted is None:
            return
        there = {found.symbol for found in self.symbols}
        for symbol in wanted:
            if symbol.upper() not in there:
                names = self._db.execute(
                    " UNION ".join(f"SELECT DISTINCT sym FROM ({table.select})" for table in self.tables)
                ).fetchall()
                known = [str(row[0]) for row in names if row[0]]
                raise DataError(
                    f"{self.tables[0].name}: no symbol {symbol!r}", hint=did_you_mean(symbol.upper(), known)
                )

    def steps(self) -> Steps:
        """The steps between two bars of a symbol among the first rows."""
        got = self._db.execute(
            f"SELECT sym, t FROM {self._relation} WHERE rn < {STEP_SAMPLE_ROWS} AND t IS NOT NULL"
        ).fetchnumpy()
        return steps_of(got["sym"], got["t"])

    def windows(self) -> Iterator[StagedWindow]:
        """All rows in order, at most WINDOW_ROWS at a time, all at the same decimals.

        Raises: DataError: a value that is no number, or has too many digits.
        """
        rows = self.symbols[-1].stop
        for begin in range(0, rows, WINDOW_ROWS):
            yield self._window(begin, min(begin + WINDOW_ROWS, rows))

    def _window(self, start: int, stop: int) -> StagedWindow:
        units, got = self._units(start, stop)
        masks = {name: np.ma.getmaskarray(got[name]) for name in got if isinstance(got[name], np.ma.MaskedArray)}
        if masks:
            name, mask = min(masks.items(), key=lambda item: int(np.argmax(item[1])))
            raise self._not_a_number(start + int(np.argmax(mask)), name)
        return StagedWindow(start=start, decimals=self._scale, t=got["t"], prices=units, volume=got["volume"])

    def table_at(self, row: int) -> tuple[Table, int]:
        """The table and line of a row of the stage."""
        tab, line = self._cells(row, "tab, line")
        return self.tables[tab], line

    def _cells(self, row: int, columns: str) -> tuple[Any, ...]:
        found = self._db.execute(f"SELECT {columns} FROM {self._relation} WHERE rn = {row}").fetchone()
        if found is None:
            raise DataError(f"{self.tables[0].name}: row {row} was lost while reading")
        return found

    def row_name(self, row: int) -> str:
        """A row of the stage as messages name it: "prices.csv: line 18"."""
        table, line = self.table_at(row)
        return f"{table.name}: {table.row_word} {line}"

    def _refusal(self, row: int, name: str, fact: str, hint: str = "") -> DataError:
        return DataError(f"{self.row_name(row)}: {name} is {fact}", hint=hint)

    def _not_a_number(self, row: int, name: str) -> DataError:
        tab, line, t = self._cells(row, "tab, line, t")
        table = self.tables[tab]
        raw = self._cell(
            f"SELECT {'t_raw' if name == 't' else name} FROM ({table.select}) LIMIT 1 OFFSET {line - table.first_line}"
        )
        if name == "t":
            what = "empty" if raw is None else f"not a time like those above it: {raw!r}"
            return self._refusal(row, "time", what, hint="all rows write time in the same way")
        at = f" at {time_text(t)}" if t is not None else ""
        if raw is None or not str(raw).strip():
            return self._refusal(row, name, f"empty{at}", hint="delete the row, or give the value")
        return self._refusal(row, name, f"not a number that can be kept exactly{at}: {raw!r}")


def units_from_doubles(prices: NDArray[np.float64], decimals: int) -> NDArray[np.int64]:
    """Whole units of decimals that came as the doubles nearest to them, exactly.

    DuckDB divides the integer inside a DECIMAL by 10**decimals, rounded once. Below 2**50 units, multiplying back is
    off by less than a quarter, so that rounding gives the integer again. (Its integer arithmetic takes ten times longer.)
    """
    units: NDArray[np.int64] = np.rint(prices * 10.0**decimals).astype(np.int64)
    return units


def _final_zeros(number: int, most: int) -> int:
    zeros = 0
    while zeros < most and number % 10 ** (zeros + 1) == 0:
        zeros += 1
    return zeros


def decimals_bound_sql(column: str) -> str:
    """No fewer decimals than a number's text has; cheap."""
    after_point = f"CASE WHEN contains({column}, '.') THEN strlen({column}) - instr({column}, '.') ELSE 0 END"
    exponent = f"contains({column}, 'e') OR contains({column}, 'E')"
    return f"CASE WHEN {exponent} THEN {_UNKNOWN_DECIMALS} ELSE {after_point} END"


def _may_have_more_sql() -> str:
    """Whether a row's prices may have more than USUAL_DECIMALS, at little cost: a few rows that do not are looked into too.

    So many digits follow a point only in a long text; a number written with an exponent is finer than it looks only where
    the exponent is negative.
    """
    long = (
        f"(strlen({price}) > {USUAL_DECIMALS + 1} AND strlen({price}) - instr({price}, '.') > {USUAL_DECIMALS})"
        for price in PRICES
    )
    return f"{' OR '.join(long)} OR contains(concat({', '.join(PRICES)}), '-')"


def decimals_sql(column: str) -> str:
    """How many decimals a number's text needs, trailing zeros stripped; a text like 1e-05 is written out first."""
    plain = f"length(rtrim(split_part({column}, '.', 2), '0 '))"
    written_out = f"length(rtrim(split_part(CAST(TRY_CAST({column} AS DECIMAL(38,20)) AS VARCHAR), '.', 2), '0'))"
    return f"CASE WHEN contains({column}, 'e') OR contains({column}, 'E') THEN {written_out} ELSE {plain} END"


def _reason(e: Exception) -> str:
    lines = [line.strip() for line in str(e).splitlines() if line.strip()]
    return " ".join(lines[:3])

"""Text tables brought into one order and read back as exact integers, a window at a time.

The files are read once, as text, into a temporary Parquet file: the most decimals of a symbol, and with them the
integers, are known only after its last row.
"""

# ruff: noqa: S608 - the SQL is put together from our own words, and names and paths quoted by sql_text and sql_name

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
_SATURDAY = 2
"""1970-01-01 was a Thursday: days since then, modulo 7."""
_SHARED_DECIMALS_MAX = 6
"""Symbols of up to so many decimals share a window: 18 digits leave room for a price of 10**12 then."""


class SymbolRows(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol of the stage: its rows are [start, stop)."""

    symbol: str
    start: int
    stop: int
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
            db.execute(self._copy_sql(work / "stage.parquet", symbols))
        except duckdb.Error as e:
            raise DataError(f"{tables[0].name}: {_reason(e)}", hint="every line needs as many values as names") from e
        self.symbols = self._summary()
        self._check_symbols(symbols)
        self._check_decimals()

    def _copy_sql(self, target: Path, symbols: Sequence[str] | None) -> str:
        decimals = f"greatest({', '.join(_decimals_sql(price) for price in PRICES)})"
        selects = [
            f"SELECT {i} AS tab, row_number() OVER () - 1 + {table.first_line} AS line, * FROM ({table.select})"
            for i, table in enumerate(self.tables)
        ]
        rows = f"SELECT *, {decimals} AS d FROM ({' UNION ALL '.join(selects)})"
        if symbols is not None:
            rows += f" WHERE sym IN ({', '.join(sql_text(symbol.upper()) for symbol in symbols)})"
        if len({table.symbol for table in self.tables}) > 1 or not self.tables[0].symbol:
            rows = f"SELECT * FROM ({rows}) ORDER BY sym, tab, line"
        return (
            f"COPY (SELECT row_number() OVER () - 1 AS rn, * REPLACE (CASE WHEN t IS NULL THEN t_raw END AS t_raw) "
            f"FROM ({rows})) TO {sql_text(str(target))} "
            f"(FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE {WINDOW_ROWS})"
        )

    def _summary(self) -> list[SymbolRows]:
        saturday = f"bool_or((t // {NANOS_PER_DAY}) % 7 = {_SATURDAY})"
        midnight = f"bool_and(t % {NANOS_PER_DAY} = 0)"
        rows = self._db.execute(
            f"SELECT sym, min(rn), max(rn) + 1, coalesce(max(d), 0), {saturday}, {midnight}, min(t), max(t) "
            f"FROM {self._relation} GROUP BY sym ORDER BY min(rn)"
        ).fetchall()
        if not rows:
            return []
        if any(row[0] is None for row in rows):
            raise self._refusal(next(row[1] for row in rows if row[0] is None), "symbol", "empty")
        return [
            SymbolRows(
                symbol=row[0], start=row[1], stop=row[2], decimals=row[3], saturdays=bool(row[4]),
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

    def _check_decimals(self) -> None:
        worst = self._db.execute(
            f"SELECT rn, d FROM {self._relation} WHERE d > {DECIMALS_MAX} ORDER BY rn LIMIT 1"
        ).fetchone()
        if worst is not None:
            raise self._too_fine(*worst)

    def steps(self) -> Steps:
        """The steps between two bars of a symbol among the first rows."""
        got = self._db.execute(
            f"SELECT sym, t FROM {self._relation} WHERE rn < {STEP_SAMPLE_ROWS} AND t IS NOT NULL"
        ).fetchnumpy()
        return steps_of(got["sym"], got["t"])

    def windows(self) -> Iterator[StagedWindow]:
        """All rows in order, at most WINDOW_ROWS at a time, each window with decimals that fit its symbols.

        Raises: DataError: a value that is no number, or has too many digits.
        """
        for start, stop, decimals in self._spans():
            for begin in range(start, stop, WINDOW_ROWS):
                yield self._window(begin, min(begin + WINDOW_ROWS, stop), decimals)

    def _spans(self) -> list[tuple[int, int, int]]:
        spans: list[tuple[int, int, int]] = []
        for rows in self.symbols:
            last = spans[-1] if spans else (0, 0, -1)
            shared = max(last[2], rows.decimals)
            if spans and (last[2] == rows.decimals or shared <= _SHARED_DECIMALS_MAX):
                spans[-1] = (last[0], rows.stop, shared)
            else:
                spans.append((rows.start, rows.stop, rows.decimals))
        return spans

    def _window(self, start: int, stop: int, decimals: int) -> StagedWindow:
        # A DECIMAL of 18 digits is an int64 inside; multiplying by a whole DECIMAL stays exact.
        units = ", ".join(
            f"CAST(TRY_CAST({price} AS DECIMAL(18,{decimals})) * CAST({10**decimals} AS DECIMAL(20,0)) AS BIGINT) "
            f"AS {price}"
            for price in PRICES
        )
        got: dict[str, Any] = self._db.execute(
            f"SELECT t, {units}, TRY_CAST(volume AS DOUBLE) AS volume FROM {self._relation} "
            f"WHERE rn >= {start} AND rn < {stop}"
        ).fetchnumpy()
        missing = {
            name: got[name].mask for name in ("t", *PRICES, "volume") if isinstance(got[name], np.ma.MaskedArray)
        }
        if missing:
            name, mask = min(missing.items(), key=lambda item: int(np.argmax(item[1])))
            raise self._not_a_number(start + int(np.argmax(mask)), name)
        return StagedWindow(
            start=start,
            decimals=decimals,
            t=got["t"],
            prices=np.column_stack([got[price] for price in PRICES]),
            volume=got["volume"],
        )

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
        raw, t = self._cells(row, f"{'t_raw' if name == 't' else name}, t")
        if name == "t":
            what = "empty" if raw is None else f"not a time like those above it: {raw!r}"
            return self._refusal(row, "time", what, hint="all rows write time in the same way")
        at = f" at {time_text(t)}" if t is not None else ""
        if raw is None or not str(raw).strip():
            return self._refusal(row, name, f"empty{at}", hint="delete the row, or give the value")
        return self._refusal(row, name, f"not a number that can be kept exactly{at}: {raw!r}")

    def _too_fine(self, row: int, decimals: int) -> DataError:
        prices = self._cells(row, ", ".join(PRICES))
        raw = max(prices, key=lambda text: len(str(text)))
        return self._refusal(
            row, "a price", f"finer than {DECIMALS_MAX} decimals: {raw} has {decimals}",
            hint="round the prices to the venue's tick first",
        )  # fmt: skip


def _decimals_sql(column: str) -> str:
    """How many decimals a number's text needs, trailing zeros stripped; a text like 1e-05 is written out first."""
    plain = f"length(rtrim(split_part({column}, '.', 2), '0 '))"
    written_out = f"length(rtrim(split_part(CAST(TRY_CAST({column} AS DECIMAL(38,20)) AS VARCHAR), '.', 2), '0'))"
    return f"CASE WHEN contains({column}, 'e') OR contains({column}, 'E') THEN {written_out} ELSE {plain} END"


def _reason(e: Exception) -> str:
    lines = [line.strip() for line in str(e).splitlines() if line.strip()]
    return " ".join(lines[:3])

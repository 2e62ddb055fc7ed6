"""Delays that were measured, from a file: what orders took to a venue, and its answers back."""

from pathlib import Path
from typing import TYPE_CHECKING

from lockstep.model.errors import DataError, UsageError
from lockstep.store.catalog.database import connected
from lockstep.store.sql import sql_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_MAX = 1_000_000
Rows = tuple[tuple[int, int, int], ...]
_FORMS = {("ts", "entry_ns", "answer_ns"): "", ("req_ts", "exch_ts", "resp_ts"): "where resp_ts > 0"}
_WHAT = "it needs a row of whole numbers, ns, for each measured order: " + "; or ".join(map(", ".join, _FORMS))


def read_delays(path: Path) -> Rows:
    """(time ns UTC, order to the venue ns, answer back ns) from a CSV or Parquet file.

    Its columns are ts, entry_ns, answer_ns; or req_ts, exch_ts, resp_ts, as hftbacktest's order latency files have them: when a
    request left, met the exchange and was answered; rows without an answer (0) are left out.
    Raises: UsageError: no such file. DataError: no such columns, no whole numbers, an empty field, no rows, or too many.
    """
    if not path.is_file():
        raise UsageError(f"no file of recorded latencies {str(path)!r}", hint="a CSV or Parquet file")
    if not path.stat().st_size:
        raise DataError(f"{path}: the file is empty", hint=_WHAT)
    with connected() as db:
        try:
            columns, rows = _read(path, db)
        except DataError:
            raise
        except Exception as e:
            raise DataError(f"{path}: cannot be read as recorded latencies: {str(e).splitlines()[0]}") from e
    if not rows:
        raise DataError(
            f"{path}: no recorded latency among its rows", hint=f"{_WHAT}, at least one with resp_ts above 0"
        )
    if len(rows) > ROWS_MAX:
        raise DataError(f"{path}: more than {ROWS_MAX:,} recorded latencies", hint="give a part of them")
    if any(None in row for row in rows):
        raise DataError(f"{path}: a recorded latency has an empty field")
    if columns[0] == "ts":
        return tuple(rows)
    return tuple((sent, met - sent, answered - met) for sent, met, answered in rows)


def _read(path: Path, db: "DuckDBPyConnection") -> tuple[tuple[str, ...], list[tuple[int, int, int]]]:
    """Which columns there are, and their rows in order of time."""
    table = f"{'read_parquet' if path.suffix == '.parquet' else 'read_csv'}({sql_text(str(path))})"
    kinds = {row[0].lower(): row[1] for row in db.execute(f"describe select * from {table}").fetchall()}
    columns = next((form for form in _FORMS if set(form) <= set(kinds)), None)
    if columns is None:
        raise DataError(f"{path}: columns are {', '.join(kinds)}", hint=_WHAT)
    if (
        db.execute(f"select 1 from {table} limit 1").fetchone() is None
    ):  # before their kinds: without rows all are texts
        raise DataError(f"{path}: no rows below the column names {', '.join(columns)}", hint=_WHAT)
    uneven = [f"{name} ({kinds[name].lower()})" for name in columns if "INT" not in kinds[name]]
    if uneven:
        raise DataError(f"{path}: no whole numbers: {', '.join(uneven)}", hint="all of them are ns")
    picked = ", ".join(f"cast({name} as bigint)" for name in columns)
    rest = f"{_FORMS[columns]} order by {columns[0]} limit {ROWS_MAX + 1}"
    return columns, db.execute(f"select {picked} from {table} {rest}").fetchall()

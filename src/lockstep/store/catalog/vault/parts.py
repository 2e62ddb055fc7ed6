"""Parquet files of the store: columns written with what they mean in the metadata, read back by range, checked.

Row groups of ROW_GROUP_ROWS, Zstd, integers but for the volume of bars. The metadata holds schema version, instrument,
decimals, rows and the hash of the content, so that a file explains itself wherever it is copied.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import DataError, RetryError
from lockstep.model.instrument import Instrument
from lockstep.store.catalog.shapes import Columns, Shape
from lockstep.store.catalog.vault.ledger import SCHEMA_VERSION, Part
from lockstep.store.sql import sql_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROW_GROUP_ROWS = 61_440
"""Thirty of DuckDB's vectors: large enough to compress, small enough to be a step of a stream."""
METADATA_KEY = "lockstep"


def content_hash(shape: Shape, instrument: Instrument, columns: Columns) -> str:
    """SHA-256 of the decimals and of every column's bytes: equal content has equal hashes, whatever file holds it."""
    head = [SCHEMA_VERSION, shape.name, instrument.price_decimals, instrument.qty_decimals, len(columns[shape.key])]
    found = hashlib.sha256(json.dumps(head).encode())
    for name in shape.words:
        found.update(np.ascontiguousarray(columns[name], shape.dtype(name)).data.cast("B"))
    return found.hexdigest()


def write_part(
    db: "DuckDBPyConnection", path: Path, shape: Shape, instrument: Instrument, columns: Columns, content: str
) -> None:
    """Write one file. Raises: RetryError: it cannot be written (the disk is full, or no right to); names the path."""
    import duckdb

    names = list(shape.words)
    meta = {
        "format": "lockstep-part",
        "schema_version": SCHEMA_VERSION,
        "kind": shape.name,
        "instrument": instrument.id,
        "price_decimals": instrument.price_decimals,
        "qty_decimals": instrument.qty_decimals,
        "rows": len(columns[shape.key]),
        "content_hash": content,
    }
    cursor = db.cursor()
    try:
        cursor.register("part", {name: np.ascontiguousarray(columns[name], shape.dtype(name)) for name in names})
        cursor.execute(
            f"COPY (SELECT {', '.join(names)} FROM part) TO {sql_text(str(path))} (FORMAT parquet, COMPRESSION zstd, "
            f"PARQUET_VERSION v2, ROW_GROUP_SIZE {ROW_GROUP_ROWS}, "
            f"KV_METADATA {{{METADATA_KEY}: {sql_text(json.dumps(meta))}}})"
        ).fetchall()
    except (duckdb.Error, OSError) as e:
        raise RetryError(
            f"{path}: cannot be written: {_first_line(e)}", hint="nothing was changed; free some space and run it again"
        ) from e
    finally:
        cursor.close()


def read_part(
    db: "DuckDBPyConnection", path: Path, part: Part, shape: Shape, *, where: str = "", rows: int | None = None
) -> dict[str, NDArray[Any]]:
    """The columns of a file, or of the rows a condition picks.

    Args:   where: SQL over the columns and file_row_number. rows: how many there must be; None: not known.
    Raises: DataError: missing, cut short, or not what the ledger says; names the path. Nothing of it is used then.
    """
    relation = f"read_parquet({sql_text(str(path))}{', file_row_number=true' if 'file_row_number' in where else ''})"
    query = f"SELECT {', '.join(shape.words)} FROM {relation} {f'WHERE {where}' if where else ''}"
    found = _fetched(db, query, path)
    expected = part.rows if not where else rows
    for name, values in found.items():
        if isinstance(values, np.ma.MaskedArray) or values.dtype != shape.dtype(name):
            raise DataError(f"{path}: column {name} holds nothing in places, or another type", hint=AGAIN)
    if expected is not None and len(found[shape.key]) != expected:
        raise DataError(f"{path}: {len(found[shape.key])} rows, the catalog says {expected}", hint=AGAIN)
    return found


def rows_before(db: "DuckDBPyConnection", path: Path, shape: Shape, ts_ns: int) -> int:
    """How many rows of a file have an earlier key."""
    query = f"SELECT count(*) AS n FROM read_parquet({sql_text(str(path))}) WHERE {shape.key} < {ts_ns}"
    return int(_fetched(db, query, path)["n"][0])


def metadata_of(db: "DuckDBPyConnection", path: Path) -> Mapping[str, Any]:
    """What a file says of itself. Raises: DataError: missing, cut short, or not of this store."""
    query = f"SELECT value FROM parquet_kv_metadata({sql_text(str(path))}) WHERE decode(key) = '{METADATA_KEY}'"
    values = _fetched(db, query, path)["value"]
    try:
        found: Mapping[str, Any] = json.loads(bytes(values[0]))
        return found
    except (ValueError, IndexError) as e:
        raise DataError(f"{path}: not a file of the catalog", hint=AGAIN) from e


def _fetched(db: "DuckDBPyConnection", query: str, path: Path) -> dict[str, NDArray[Any]]:
    import duckdb

    cursor = db.cursor()  # a second query on one connection would end another reader's result
    try:
        found: dict[str, NDArray[Any]] = cursor.execute(query).fetchnumpy()
        return found
    except (duckdb.Error, OSError) as e:
        fact = "missing" if not path.exists() else f"not a whole Parquet file: {_first_line(e)}"
        raise DataError(f"{path}: {fact}", hint=AGAIN) from e
    finally:
        cursor.close()


AGAIN = "import its period again with --replace"


def _first_line(e: Exception) -> str:
    return str(e).splitlines()[0] if str(e) else type(e).__name__

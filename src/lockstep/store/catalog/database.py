"""Connections to DuckDB, which reads and writes every table: one thread, little memory, nothing from a network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_LIMIT = "256MB"
"""DuckDB's own; beyond it, sorting spills to the temporary folder."""


def connected(folder: Path | None = None) -> "DuckDBPyConnection":
    """A connection of its own. folder: where it may spill to; None: it may not."""
    import duckdb

    # One thread keeps rows in order and memory small; nothing is fetched from a network.
    return duckdb.connect(
        config={
            "threads": 1,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": "" if folder is None else str(folder),
            "autoinstall_known_extensions": "false",
            "TimeZone": "UTC",
        }
    )


@contextmanager
def database(folder: Path) -> "Iterator[DuckDBPyConnection]":
    """The same for the length of a block."""
    db = connected(folder)
    try:
        yield db
    finally:
        db.close()

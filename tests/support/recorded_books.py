"""Recorded books for tests: a history as one array, cut where the venue's events end, and the raw lines beside it."""

import csv
import gzip
import lzma
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lockstep.model.record import BOOK_LAST, Records
from lockstep.model.rows import EventRows
from lockstep.store.catalog.books.lines import lines_of
from lockstep.store.catalog.database import connected
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.readers import read_market_data


def histories(path: Path, kind: str = "depth") -> dict[str, MarketData]:
    """The histories of a recording of one instrument, by kind."""
    return {data.info.kind: data for data in read_market_data(path, kind=kind)}


def records_of(data: MarketData) -> Records:
    """All of them in one array."""
    return np.concatenate(list(data.chunks()))


def held(records: Records) -> EventRows:
    """The same as books take them."""
    rows = EventRows()
    rows.hold(records)
    return rows


def event_ends(records: Records) -> NDArray[np.intp]:
    """The row after each last change of an event."""
    return np.flatnonzero(records["flags"] & BOOK_LAST) + 1


def raw_lines(path: Path) -> Iterator[str]:
    """The lines of a recording."""
    if path.name.endswith(".zst"):
        db = connected()
        yield from (line.text for line in lines_of(path, db))
        db.close()
        return
    with lzma.open(path, "rt") if path.name.endswith(".xz") else gzip.open(path, "rt") as file:
        yield from (line.rstrip("\n") for line in file)


def csv_rows(path: Path) -> list[list[str]]:
    """The rows of a gzipped CSV below its header."""
    with gzip.open(path, "rt", newline="") as file:
        return list(csv.reader(file))[1:]

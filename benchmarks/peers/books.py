"""The recorded book of the rows of books, as every measured program reads it: seven whole numbers a record, and a few words about them.

Standard library alone, as in `program`. `benchmarks.book_data` writes it.
"""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass
from pathlib import Path

WIDTH = 7
CLOCK, VENUE_TIME, WHAT, SIDE, PRICE, QUANTITY, ENDS = range(WIDTH)
SET, CLEAR, TRADE = (
    1,
    2,
    3,
)  # in WHAT. SIDE: +1 or -1 of a level, or who took. ENDS: 1 where the venue's message is complete

STEP_NS = 100_000_000
QUANTITY_LOTS = 10
ENTRY_NS = 20_000_000
RESPONSE_NS = 15_000_000


@dataclass(frozen=True, slots=True)
class RecordedBook:
    """numbers: WIDTH for each record, in order of the time they were received."""

    price_decimals: int
    qty_decimals: int
    begin: int
    steps: int
    numbers: array[int]

    def __len__(self) -> int:
        return len(self.numbers) // WIDTH


def write_book(path: Path, book: RecordedBook) -> None:
    """As one file: a line of JSON, then the numbers."""
    names = ("price_decimals", "qty_decimals", "begin", "steps")
    head = json.dumps({name: getattr(book, name) for name in names})
    with path.open("wb") as file:
        file.write(head.encode() + b"\n")
        book.numbers.tofile(file)


def read_book(path: Path, limit: int | None = None) -> RecordedBook:
    """The file read; the first `limit` records of it, if said."""
    with path.open("rb") as file:
        head = json.loads(file.readline())
        numbers = array("q")
        numbers.frombytes(file.read() if limit is None else file.read(limit * WIDTH * 8))
    return RecordedBook(numbers=numbers, **head)

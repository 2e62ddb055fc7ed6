"""Recordings of one Binance instrument: a line is the local time of receipt, epoch ns, a blank, and the raw JSON message.

The format of hftbacktest's recorder: all streams of the instrument, and the REST answer with the depth inline.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lockstep.model.errors import DataError, ParseError
from lockstep.store.catalog.books.binance import BinanceBooks, Message, message_of, venue_of
from lockstep.store.catalog.books.lines import Line, lines_of
from lockstep.store.catalog.books.pen import Pen

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LINE = re.compile(r"(\d{19}) \{")


def is_recorded(line: str) -> bool:
    """Whether a first line is one of such a recording."""
    return LINE.match(line) is not None


def begins_ns(line: str) -> int:
    """The time of a first line."""
    return int(line.split(" ", 1)[0])


class RecordedReader:
    """Reads such files. One without a snapshot goes on with the book of the file before, where the numbers say that it does."""

    row_word = "line"

    def __init__(self) -> None:
        self._books = BinanceBooks()

    def read(self, path: Path, pen: Pen, db: "DuckDBPyConnection") -> None:
        """Raises: DataError: a line that is none of such a recording; names it."""
        symbol = venue = ""
        waiting: list[tuple[int, int, Message]] = []
        for line in lines_of(path, db):
            if not line.text:
                continue
            received, message = _parsed(path, line)
            pen.place = line.number
            if not symbol or not venue:  # a snapshot does not say of what it is, some messages not of which market
                waiting.append((line.number, received, message))
                symbol = symbol or message.s
                venue = venue or venue_of(message) or ""
                if symbol and venue:
                    for number, at, held in waiting:
                        pen.place = number
                        self._take(path, held, (symbol, venue), at, pen)
                    waiting.clear()
                elif len(waiting) > _UNKNOWN_MAX:
                    raise DataError(
                        f"{path.name}: {_UNKNOWN_MAX} lines, and none says of which market of Binance it is"
                    )
                continue
            self._take(path, message, (symbol, venue), received, pen)

    def _take(self, path: Path, message: Message, of: tuple[str, str], received: int, pen: Pen) -> None:
        symbol, venue = of
        try:
            if message.lastUpdateId is not None:
                self._books.snapshot(message, symbol, venue, received, pen)
            elif message.s and message.s != symbol:
                raise DataError(
                    f"{path.name}: line {pen.place:,}: it is of {message.s}, the lines before of {symbol}",
                    hint="a recording is of one instrument",
                )
            else:
                self._books.take(message, venue, received, pen)
        except ParseError as e:
            raise DataError(f"{path.name}: line {pen.place:,}: {e}") from e


_UNKNOWN_MAX = 1_000


def _parsed(path: Path, line: Line) -> tuple[int, Message]:
    time, _, text = line.text.partition(" ")
    try:
        return int(time), message_of(text)
    except msgspec.ValidationError as e:
        raise DataError(
            f"{path.name}: line {line.number:,} is a message, but none of Binance's: {e}: {text[:60]!r}",
            hint="prices and quantities are texts there, numbers of updates are whole: was the recording written anew?",
        ) from e
    except (ValueError, msgspec.MsgspecError) as e:
        raise DataError(
            f"{path.name}: line {line.number:,} is no time and message: {line.text[:60]!r}: {e}",
            hint="was the file cut short?",
        ) from e

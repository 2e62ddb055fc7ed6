"""LOBSTER message files: every order event of one Nasdaq stock on one day, as far as it changed the levels that were asked for.

A line is: seconds after midnight in New York, type, order id, size in shares, price in USD x 10,000, direction of the resting order
(1 buy, -1 sell). The date stands in the file's name: AMZN_2012-06-21_34200000_57600000_message_1.csv, where the last number says
how many levels. A header row is passed over. Source: lobsterdata.com, "Output structure".

| type | what | records |
|---|---|---|
| 1 | a new limit order | ADD |
| 2 | part of an order is cancelled; size: how much | MODIFY to what is left |
| 3 | an order is deleted | DELETE |
| 4 | a visible order is executed | MATCH, and a TRADE of the other direction |
| 5 | a hidden order is executed | TRADE |
| 6 | a cross, such as the opening auction | TRADE without a side |
| 7 | halted (price -1), quotes resume (0), trading resumes (1) | STATUS |

The book before the first message is not told, so that it is never GOOD; nor is what happens behind the levels of the file. The
orderbook file beside it holds the levels after each message: its best ones become QUOTE records.
"""

import re
from collections.abc import Iterator
from datetime import date
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from lockstep.model.enums import AssetClass, BookAction, BookFault, BookState
from lockstep.model.errors import DataError, ParseError
from lockstep.model.numbers import NANOS_PER_DAY
from lockstep.model.record import BOOK_LAST
from lockstep.model.sessions import XNYS
from lockstep.store.catalog.books.lines import Line, lines_of
from lockstep.store.catalog.books.pen import Pen
from lockstep.store.catalog.books.tape import Listing, Tape
from lockstep.store.catalog.books.units import units_of
from lockstep.store.catalog.timing import EPOCH_ORDINAL, utc_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PRICE_SCALE = 4
NAME = re.compile(
    r"(?:lobster_)?([A-Za-z0-9.\-]+)_(\d{4}-\d{2}-\d{2})_\d+_\d+_(message|orderbook)_(\d+)\.csv(\.gz|\.xz)?",
    re.IGNORECASE,
)
_NEW_YORK = ZoneInfo("America/New_York")
_NOTHING = (9_999_999_999, -9_999_999_999)
"""What an orderbook file writes for a level that is not there."""
_SCALE_NS = 9
_NOTE = "New York time, prices USD / 10,000; the side of a trade is that of the order which did not rest"


def is_messages(path: Path) -> bool:
    """Whether a file is one of messages, by its name."""
    match = NAME.fullmatch(path.name)
    return match is not None and match[3].lower() == "message"


def is_levels(path: Path) -> bool:
    """Whether a file is one of levels, which is read together with its messages."""
    match = NAME.fullmatch(path.name)
    return match is not None and match[3].lower() == "orderbook"


def midnight_ns(path: Path) -> int:
    """The midnight that a file counts from, ns UTC."""
    match = NAME.fullmatch(path.name)
    if match is None:
        raise DataError(f"{path.name}: not a name of LOBSTER's", hint="SYMBOL_YYYY-MM-DD_start_end_message_levels.csv")
    try:
        days = date.fromisoformat(match[2]).toordinal() - EPOCH_ORDINAL
    except ValueError as e:
        raise DataError(f"{path.name}: no such day: {match[2]}") from e
    return int(utc_of(np.array([days * NANOS_PER_DAY], np.int64), _NEW_YORK)[0])


class LobsterReader:
    """Reads message files, each a day of its own."""

    row_word = "line"

    def read(self, path: Path, pen: Pen, db: "DuckDBPyConnection") -> None:
        """Raises: DataError: a line that is no message; names it."""
        match = NAME.fullmatch(path.name)
        day = _Day(path, pen, match[1].upper() if match else path.stem, int(match[4]) if match else 0)
        levels = path.with_name(re.sub("_message_", "_orderbook_", path.name, flags=re.IGNORECASE))
        rows: Iterator[Line] = lines_of(levels, db) if levels.exists() else iter(())
        quotes = _Quotes(levels.name)
        pairs = zip_longest(lines_of(path, db), rows)
        for message, row in pairs:
            if message is None or (row is None and levels.exists()):
                longer = levels.name if message is None else path.name
                raise DataError(f"{longer} has more rows than the file beside it", hint="fetch both files again")
            pen.place = message.number
            try:
                ts = day.message(message)
            except (ParseError, ValueError) as e:
                raise DataError(
                    f"{path.name}: line {message.number:,} is no message: {message.text[:80]!r}: {e}"
                ) from e
            if row is not None and ts is not None:
                quotes.row(row, ts, pen, day.tape)


class _Quotes:
    """The best levels of the orderbook file, where they change."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._last = ""

    def row(self, line: Line, ts: int, pen: Pen, tape: Tape) -> None:
        first = line.text.split(",", 4)[:4]
        text = ",".join(first)
        if text == self._last:
            return
        self._last = text
        try:
            ask, ask_qty, bid, bid_qty = (int(word) for word in first)
        except ValueError as e:
            raise DataError(f"{self._name}: line {line.number:,} is no row of levels: {line.text[:80]!r}") from e
        if ask in _NOTHING or bid in _NOTHING:
            pen.fault(tape, "rows of levels with an empty side, left out of the quotes")
            return
        pen.quote(tape, (bid, bid_qty), (ask, ask_qty), (ts, ts))


class _Day:
    """One file: which orders were seen, and what is left of each."""

    def __init__(self, path: Path, pen: Pen, symbol: str, levels: int) -> None:
        depth = "1 level" if levels == 1 else f"{levels} levels"
        listing = Listing(
            symbol=symbol,
            venue="XNAS",
            asset_class=AssetClass.EQUITY,
            base=symbol,
            quote="USD",
            session=XNYS,
            price_scale=PRICE_SCALE,
            qty_scale=0,
            notes=(f"LOBSTER messages of {depth}: what happens behind them is not told; {_NOTE}",),
        )
        self.tape = pen.tape(listing)
        self.tape.tells(levels)
        self._pen = pen
        self._midnight = midnight_ns(path)
        self._left: dict[int, tuple[int, int]] = {}
        self._begun = False

    def message(self, line: Line) -> int | None:
        """One line. Returns: its time, ns UTC; None for the header."""
        words = line.text.split(",")
        if line.number == 1 and words[0][:1].isalpha():
            return None
        if len(words) < 6:
            raise ParseError(f"{len(words)} values, 6 needed")
        ts = self._midnight + units_of(words[0], _SCALE_NS)
        kind, order_id, size, price, side = (int(word) for word in words[1:6])
        if not self._begun:
            self._pen.begin(self.tape, (ts, ts))
            self._begun = True
        if kind != 7 and (side not in (1, -1) or size <= 0):
            raise ParseError(f"direction {side}, size {size}: limits 1 or -1, and above 0")
        self._act(kind, order_id, size, price, side, (ts, ts))
        return ts

    def _act(self, kind: int, order_id: int, size: int, price: int, side: int, times: tuple[int, int]) -> None:
        pen, tape = self._pen, self.tape
        if kind == 1:
            self._left[order_id] = (price, size)
            pen.change(tape, BookAction.ADD, side, price, size, times, order_id=order_id, flags=BOOK_LAST)
        elif kind == 2:
            left = self._less(order_id, size)
            if left is None:
                pen.fault(tape, "partial cancels of orders whose size is not known: written as MODIFY to 0")
            pen.change(tape, BookAction.MODIFY, side, price, left or 0, times, order_id=order_id, flags=BOOK_LAST)
        elif kind == 3:
            self._left.pop(order_id, None)
            pen.change(tape, BookAction.DELETE, side, price, size, times, order_id=order_id, flags=BOOK_LAST)
        elif kind == 4:
            self._less(order_id, size)
            pen.change(tape, BookAction.MATCH, side, price, size, times, order_id=order_id, flags=BOOK_LAST)
            pen.trade(tape, price, size, -side, times)
        elif kind == 5:
            pen.trade(tape, price, size, -side, times)
        elif kind == 6:
            pen.trade(tape, price, size, 0, times)
        elif kind == 7:
            self._halt(price, times)
        else:
            raise ParseError(f"type {kind}: limits 1 to 7")

    def _less(self, order_id: int, size: int) -> int | None:
        """What is left of an order after so much of it went; None where it was not seen coming."""
        if order_id not in self._left:
            return None
        price, qty = self._left.pop(order_id)
        left = qty - size
        if left < 0:
            self._pen.fault(self.tape, "orders of which more went than was left")
        if left > 0:
            self._left[order_id] = (price, left)
        return max(left, 0)

    def _halt(self, price: int, times: tuple[int, int]) -> None:
        if price > 0:
            self._pen.status(self.tape, BookState.EMPTY, BookFault.NO_SNAPSHOT, times)
            return
        self._pen.fault(self.tape, "messages that trading is halted or only quoted")
        self._pen.status(self.tape, BookState.AUCTION, BookFault.VENUE, times)

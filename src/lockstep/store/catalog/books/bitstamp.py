"""Bitstamp's live orders, logged as they came: every order event, trade and full book of one pair.

A line is the local time of receipt, epoch ms, the event, and its JSON. Times inside are whole seconds and those of an order's making, so
that ts_event is the time of receipt.

| event | records |
|---|---|
| order_created | ADD |
| order_changed | MODIFY where the price is another; MATCH of what the amount became less by |
| order_deleted, amount above 0 | DELETE |
| order_deleted, amount 0 | MATCH of what was left: it was executed; DELETE where that is not known |
| trade | TRADE; the aggressor is the newer of the two orders that were just executed by its amount, else the side is unknown |
| order_book | none: the best twenty levels of each side, for checks |

MATCH is of orders that rest: of one that reached the other side when it came to its price, an execution is a MODIFY to what is left, or a DELETE.

The venue tells a new order first and what it is executed against afterwards, so that between the two the book is crossed. These messages
belong together: BOOK_LAST stands on the last of them, or on the first after MATCHING_NS, which leaves the book visibly crossed.
Orders that rested before the log begins are told only when they change or go, and are never in the book.
"""

import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from lockstep.book.l3 import L3Book
from lockstep.model.enums import AssetClass, BookAction
from lockstep.model.errors import DataError, ParseError
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import NANOS_PER_SECOND
from lockstep.model.record import BOOK_LAST
from lockstep.store.catalog.books.lines import Line, lines_of
from lockstep.store.catalog.books.pen import Pen
from lockstep.store.catalog.books.tape import Listing, Tape
from lockstep.store.catalog.books.units import units_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PRICE_SCALE = 5
QTY_SCALE = 8
MATCHING_NS = NANOS_PER_SECOND
"""In a recording of 2015 executions follow an order within 0.2 s, one after another."""
LINE = re.compile(r"(\d{13}) (order_created|order_changed|order_deleted|order_book|trade) \{")
NAME = re.compile(r"bitstamp_([a-z]+)_.*", re.IGNORECASE)
_NOISE = Decimal("1e-9")
_WINDOW = 1 << 18
_UNKNOWN = -1
_NOTE = (
    "Bitstamp live orders: ts_event is the local time of receipt; orders from before the log are not in the book; the side of a trade "
    "is that of the newer of its orders"
)


class _Order(msgspec.Struct):
    id: int
    price: str
    amount: str
    order_type: int


class _Trade(msgspec.Struct):
    id: int
    price: float
    amount: float


class _Executed(NamedTuple):
    """What was just executed of an order; qty _UNKNOWN where it rested before the log, so that what was left is not known."""

    order_id: int
    side: int
    qty: int


_ORDER = msgspec.json.Decoder(_Order)
_TRADE = msgspec.json.Decoder(_Trade)


def is_log(line: str) -> bool:
    """Whether a first line is one of such a log."""
    return LINE.match(line) is not None


def begins_ns(line: str) -> int:
    """The time of a first line."""
    return int(line.split(" ", 1)[0]) * 1_000_000


class BitstampReader:
    """Reads such logs. None of them goes on where another ended: there may be events between them."""

    row_word = "line"

    def read(self, path: Path, pen: Pen, db: "DuckDBPyConnection") -> None:
        """Raises: DataError: a line that is none of such a log; names it."""
        match = NAME.fullmatch(path.name)
        log = _Log(match[1].upper() if match else "BTCUSD", pen)
        for line in lines_of(path, db):
            if not line.text:
                continue
            pen.place = line.number
            try:
                log.line(line)
            except (ParseError, ValueError, msgspec.MsgspecError) as e:
                raise DataError(
                    f"{path.name}: line {line.number:,} is no event: {line.text[:80]!r}: {e}",
                    hint="was the file cut short?",
                ) from e


class _Log:
    """One file: its orders, and whether the messages of a matching are complete."""

    def __init__(self, symbol: str, pen: Pen) -> None:
        listing = Listing(
            symbol=symbol,
            venue="BITSTAMP",
            asset_class=AssetClass.CRYPTO,
            price_scale=PRICE_SCALE,
            qty_scale=QTY_SCALE,
            notes=(_NOTE,),
        )
        self.tape: Tape = pen.tape(listing)
        self._pen = pen
        own = Instrument(
            venue="BITSTAMP", symbol=symbol, asset_class=AssetClass.CRYPTO, base_currency="", quote_currency="",
            price_decimals=PRICE_SCALE, qty_decimals=QTY_SCALE,
        )  # fmt: skip
        self._book = L3Book(own, unknown_ids="count", window=_WINDOW)
        self._recent: list[_Executed] = []
        self._taking: set[int] = set()
        self._crossed_since = 0
        self._begun = False

    def line(self, line: Line) -> None:
        """One line of the log."""
        time, event, text = line.text.split(" ", 2)
        ts = int(time) * 1_000_000
        if not self._begun:
            self._pen.begin(self.tape, (ts, ts))
            self._begun = True
        if event == "trade":
            self._trade(_TRADE.decode(text), (ts, ts))
        elif event != "order_book":
            order = _ORDER.decode(text)
            side = {0: 1, 1: -1}.get(order.order_type)
            if side is None:
                raise ParseError(f"order_type {order.order_type}: limits 0 and 1")
            price, qty = units_of(order.price, PRICE_SCALE), units_of(order.amount, QTY_SCALE)
            self._order(event, order.id, side, price, qty, (ts, ts))
        elif not text.rstrip().endswith("}"):  # a book is not used here, but where the file was cut its end is missing
            raise ParseError("the book is not complete")

    def _order(self, event: str, order_id: int, side: int, price: int, qty: int, times: tuple[int, int]) -> None:
        steps = self._steps(event, order_id, price, qty)
        if self._moves(event, order_id, price) and self._reaches(side, price):
            self._taking.add(order_id)
        for action, at, amount in steps:
            gone = event == "order_deleted" and qty == 0
            if action is BookAction.MATCH or gone:
                self._recent = [
                    *self._recent[-1:],
                    _Executed(order_id, side, _UNKNOWN if action is not BookAction.MATCH else amount),
                ]
            self._apply(action, order_id, side, at, amount)
        last = BOOK_LAST if self._is_complete(times[0]) else 0
        for k, (action, at, amount) in enumerate(steps):
            if action is BookAction.MATCH and order_id in self._taking:
                action, amount = (BookAction.MODIFY, qty) if qty else (BookAction.DELETE, 0)  # noqa: PLW2901
            flags = last if k == len(steps) - 1 else 0
            self._pen.change(self.tape, action, side, at, amount, times, order_id=order_id, flags=flags)
        if last:
            self._taking.clear()

    def _moves(self, event: str, order_id: int, price: int) -> bool:
        """Whether an order comes to a price where it was not."""
        known = self._book.find(order_id)
        return event == "order_created" or (event == "order_changed" and known is not None and known.price != price)

    def _reaches(self, side: int, price: int) -> bool:
        """Whether an order of a side would meet the other one."""
        other = self._book.ask_units if side > 0 else self._book.bid_units
        return bool(other) and (price - other) * side >= 0

    def _steps(self, event: str, order_id: int, price: int, qty: int) -> list[tuple[BookAction, int, int]]:
        """(action, price, quantity) of an event."""
        known = self._book.find(order_id)
        if event == "order_created":
            return [(BookAction.ADD, price, qty)]
        if event == "order_deleted":
            executed = qty == 0 and known is not None
            return [(BookAction.MATCH, price, known.qty)] if executed and known else [(BookAction.DELETE, price, qty)]
        if event != "order_changed":
            raise ParseError(f"unknown event {event!r}")
        if known is None:
            return [(BookAction.MODIFY, price, qty)]
        steps: list[tuple[BookAction, int, int]] = []
        if price != known.price or qty > known.qty:
            steps.append((BookAction.MODIFY, price, max(qty, known.qty)))
        if qty < known.qty:
            steps.append((BookAction.MATCH, price, known.qty - qty))
        return steps or [(BookAction.MODIFY, price, qty)]

    def _apply(self, action: BookAction, order_id: int, side: int, price: int, qty: int) -> None:
        """The same to the book of this log, which knows what is left of an order and whether the book is crossed."""
        if action is BookAction.ADD:
            self._book.add(order_id, side, price, qty)
        elif action is BookAction.MODIFY:
            self._book.modify(order_id, price, qty)
        elif action is BookAction.MATCH:
            self._book.match(order_id, qty)
        else:
            self._book.cancel(order_id)

    def _is_complete(self, ts: int) -> bool:
        """Whether the messages of a matching have all come, or have had their time."""
        if not self._book.is_crossed():
            self._crossed_since = 0
            return True
        self._crossed_since = self._crossed_since or ts
        return ts - self._crossed_since > MATCHING_NS

    def _trade(self, trade: _Trade, times: tuple[int, int]) -> None:
        price, qty = _rounded(trade.price, PRICE_SCALE), _rounded(trade.amount, QTY_SCALE)
        pair, self._recent = self._recent, []
        fits = len(pair) == 2 and pair[0].side != pair[1].side and {one.qty for one in pair} <= {qty, _UNKNOWN}
        side = max(pair).side if fits else 0
        self._pen.trade(self.tape, price, qty, side, times, trade_id=trade.id)


def _rounded(value: float, scale: int) -> int:
    """A number that the venue wrote with the noise of its floats. Raises: ParseError: it is further off than noise."""
    exact = Decimal(repr(value))
    found = round(exact, scale)
    if abs(found - exact) > _NOISE:
        raise ParseError(f"finer than {scale} decimals: {value!r}")
    return int(found.scaleb(scale))

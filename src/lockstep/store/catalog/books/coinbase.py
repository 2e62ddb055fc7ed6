"""Coinbase: the Advanced Trade feed (l2_data, market_trades) and the retired Exchange feed (level2, matches).

Advanced: messages of a connection are numbered over all channels by sequence_num: where one is missing, every book of the connection may be
wrong, until its snapshot comes. The old level2 has no numbers: a gap could not be seen. Both say the side of the order that rested.
The snapshot of trades at the start tells old trades and is left out.
Source: docs.cdp.coinbase.com, "Advanced Trade WebSocket Channels".
"""

import msgspec

from lockstep.model.enums import BookFault
from lockstep.store.catalog.books.captures import Frame
from lockstep.store.catalog.books.crypto import PushedBooks, levels_from, listing_of
from lockstep.store.catalog.books.joined import Levels
from lockstep.store.catalog.books.tape import Listing, Pen
from lockstep.store.catalog.books.units import PRICE_SCALE, QTY_SCALE, units_of
from lockstep.store.catalog.times import moment_ns

_ADDED = {"SELL": 1, "BUY": -1, "sell": 1, "buy": -1}
"""Who crossed the spread, by the side of the order that rested."""


class _Update(msgspec.Struct):
    side: str
    price_level: str
    new_quantity: str


class _Trade(msgspec.Struct):
    product_id: str
    trade_id: str
    price: str
    size: str
    time: str
    side: str


class _Event(msgspec.Struct):
    type: str = ""
    product_id: str = ""
    updates: list[_Update] = []
    trades: list[_Trade] = []


class _Message(msgspec.Struct):
    channel: str = ""
    timestamp: str = ""
    sequence_num: int | None = None
    events: list[_Event] = []
    type: str = ""
    product_id: str = ""
    time: str = ""
    bids: list[tuple[str, str]] = []
    asks: list[tuple[str, str]] = []
    changes: list[tuple[str, str, str]] = []
    trade_id: int = 0
    price: str = ""
    size: str = ""
    side: str = ""


_MESSAGE = msgspec.json.Decoder(_Message)


def time_ns(text: str) -> int:
    """An ISO time with up to nine digits of a second, ns UTC. Python's own reads six."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = moment_ns(f"{whole}+00:00", "time") or 0
    return seconds + int(fraction[:9].ljust(9, "0") or 0)


class Coinbase:
    """Coinbase's messages."""

    def __init__(self) -> None:
        self._books = PushedBooks(_listing)
        self._last: dict[str, int] = {}

    def take(self, frame: Frame, pen: Pen) -> None:
        """One message."""
        if frame.url:
            return
        message = _MESSAGE.decode(frame.text)
        if message.channel:
            self._advanced(message, frame, pen)
        elif message.type in ("snapshot", "l2update", "match"):
            self._exchange(message, frame.ts, pen)

    def _advanced(self, message: _Message, frame: Frame, pen: Pen) -> None:
        sent = time_ns(message.timestamp)
        times = (frame.ts, sent)
        pen.clock.heard(pen.place, sent, frame.ts)
        number, before = message.sequence_num, self._last.get(frame.address)
        if number is not None:
            if before is not None and number != before + 1:
                for book in self._books.all():
                    book.lose(BookFault.GAP, "gaps between messages of the connection", times, pen)
            self._last[frame.address] = number
        for event in message.events:
            if message.channel == "l2_data":
                self._levels(event, number, times, pen)
            elif message.channel == "market_trades" and event.type == "update":
                for trade in reversed(event.trades):  # the newest comes first
                    self._trade(trade, frame.ts, pen)

    def _levels(self, event: _Event, number: int | None, times: tuple[int, int], pen: Pen) -> None:
        book = self._books.of(event.product_id, pen)
        levels: Levels = [
            (
                1 if update.side == "bid" else -1,
                units_of(update.price_level, PRICE_SCALE),
                units_of(update.new_quantity, QTY_SCALE),
            )
            for update in event.updates
        ]
        if event.type == "snapshot":
            book.snapshot(number, levels, times, pen)
        else:
            book.change(number, None, levels, times, pen)

    def _trade(self, trade: _Trade, received: int, pen: Pen) -> None:
        tape = self._books.of(trade.product_id, pen).tape
        price, size = units_of(trade.price, PRICE_SCALE), units_of(trade.size, QTY_SCALE)
        times = (received, time_ns(trade.time))
        pen.trade(tape, price, size, _ADDED.get(trade.side, 0), times, trade_id=int(trade.trade_id))

    def _exchange(self, message: _Message, received: int, pen: Pen) -> None:
        book = self._books.of(message.product_id, pen)
        sent = time_ns(message.time) if message.time else -1
        times = (received, sent)
        if sent >= 0:
            pen.clock.heard(pen.place, sent, received)
        if message.type == "snapshot":
            book.snapshot(None, levels_from(message.bids, message.asks), times, pen)
        elif message.type == "l2update":
            levels = [
                (1 if side == "buy" else -1, units_of(price, PRICE_SCALE), units_of(size, QTY_SCALE))
                for side, price, size in message.changes
            ]
            book.change(None, None, levels, times, pen)
        else:
            price, size = units_of(message.price, PRICE_SCALE), units_of(message.size, QTY_SCALE)
            pen.trade(book.tape, price, size, _ADDED.get(message.side, 0), times, trade_id=message.trade_id)


def _listing(symbol: str) -> Listing:
    base, _, quote = symbol.partition("-")
    return listing_of(symbol, "COINBASE", base=base, quote=quote)

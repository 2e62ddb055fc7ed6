"""Bybit public channels: v5 (orderbook.N, publicTrade) and the retired v2 (orderBookL2_25, trade).

v5: a snapshot, then deltas numbered by u, each one more than the one before; a new snapshot replaces everything. The v2 deltas have no
number of their own: a gap could not be seen. Spot, linear and inverse are told apart by the address of the connection.
Source: bybit-exchange.github.io/docs/v5/websocket/public/orderbook.
"""

from decimal import Decimal

import msgspec

from lockstep.model.enums import Settlement
from lockstep.store.catalog.books.captures import Frame
from lockstep.store.catalog.books.crypto import NANOS_PER_MS, PushedBooks, levels_from, listing_of
from lockstep.store.catalog.books.tape import Listing, Pen
from lockstep.store.catalog.books.units import PRICE_SCALE, QTY_SCALE, units_of, units_of_number

_SIDES = {"Buy": 1, "Sell": -1}


class _Message(msgspec.Struct):
    topic: str = ""
    type: str = ""
    ts: int = 0
    cts: int = 0
    timestamp_e6: str | int = 0
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Book(msgspec.Struct):
    u: int
    b: list[tuple[str, str]] = []
    a: list[tuple[str, str]] = []


class _Trade(msgspec.Struct):
    T: int
    S: str
    v: str
    p: str
    i: str = ""


class _OldLevel(msgspec.Struct):
    price: str
    side: str
    size: Decimal = Decimal(0)


class _OldChanges(msgspec.Struct):
    delete: list[_OldLevel] = []
    update: list[_OldLevel] = []
    insert: list[_OldLevel] = []
    order_book: list[_OldLevel] = []


class _OldTrade(msgspec.Struct):
    price: msgspec.Raw  # a text of linear contracts, a number of inverse ones
    size: Decimal
    side: str
    trade_time_ms: str | int


_MESSAGE = msgspec.json.Decoder(_Message)
_BOOK = msgspec.json.Decoder(_Book)
_TRADES = msgspec.json.Decoder(list[_Trade])
_OLD_CHANGES = msgspec.json.Decoder(_OldChanges)
_OLD_LEVELS = msgspec.json.Decoder(list[_OldLevel])
_OLD_TRADES = msgspec.json.Decoder(list[_OldTrade])


class Bybit:
    """Bybit's messages."""

    def __init__(self) -> None:
        self._books = PushedBooks(_listing)

    def take(self, frame: Frame, pen: Pen) -> None:
        """One message."""
        if frame.url:
            return
        message = _MESSAGE.decode(frame.text)
        kind, _, rest = message.topic.partition(".")
        key = f"{_market(frame.address)} {rest.rpartition('.')[2]}"
        if kind == "orderbook":
            self._book(key, message, frame.ts, pen)
        elif kind == "publicTrade":
            for trade in _TRADES.decode(message.data):
                number = int(trade.i) if trade.i.isdigit() else 0
                self._trade(key, trade.p, trade.v, trade.S, (frame.ts, trade.T * NANOS_PER_MS), number, pen)
        elif kind == "orderBookL2_25":
            self._old_book(key, message, frame.ts, pen)
        elif kind == "trade":
            for old in _OLD_TRADES.decode(message.data):
                price, size = bytes(old.price).decode().strip('"'), format(old.size, "f")
                self._trade(key, price, size, old.side, (frame.ts, int(old.trade_time_ms) * NANOS_PER_MS), 0, pen)

    def _book(self, key: str, message: _Message, received: int, pen: Pen) -> None:
        book, data = self._books.of(key, pen), _BOOK.decode(message.data)
        pen.clock.heard(pen.place, message.ts * NANOS_PER_MS, received)
        times = (received, (message.cts or message.ts) * NANOS_PER_MS)
        levels = levels_from(data.b, data.a)
        if message.type == "snapshot":
            book.snapshot(data.u, levels, times, pen)
        else:
            book.change(data.u, data.u - 1, levels, times, pen)

    def _old_book(self, key: str, message: _Message, received: int, pen: Pen) -> None:
        book = self._books.of(key, pen)
        sent = int(message.timestamp_e6) * 1_000
        pen.clock.heard(pen.place, sent, received)
        if message.type == "snapshot":
            raw = bytes(message.data)
            levels = _OLD_LEVELS.decode(raw) if raw[:1] == b"[" else _OLD_CHANGES.decode(raw).order_book
            book.snapshot(None, _old_levels(levels), (received, sent), pen)
            return
        data = _OLD_CHANGES.decode(message.data)
        gone = [(side, price, 0) for side, price, _ in _old_levels(data.delete)]
        book.change(None, None, [*gone, *_old_levels([*data.update, *data.insert])], (received, sent), pen)

    def _trade(
        self, key: str, price: str, size: str, side: str, times: tuple[int, int], number: int, pen: Pen
    ) -> None:
        tape = self._books.of(key, pen).tape
        pen.trade(
            tape, units_of(price, PRICE_SCALE), units_of(size, QTY_SCALE), _SIDES.get(side, 0), times, trade_id=number
        )


def _old_levels(levels: list[_OldLevel]) -> list[tuple[int, int, int]]:
    return [
        (_SIDES[level.side], units_of(level.price, PRICE_SCALE), units_of_number(level.size, QTY_SCALE)) for level in levels
    ]


def _market(address: str) -> str:
    """The market of a connection. The old public one was of linear contracts, the other old one of inverse ones."""
    name = address.rpartition("/")[2]
    return {"spot": "BYBIT", "linear": "BYBIT-LINEAR", "realtime_public": "BYBIT-LINEAR"}.get(name, "BYBIT-INVERSE")


def _listing(key: str) -> Listing:
    venue, symbol = key.split(" ")
    inverse = venue == "BYBIT-INVERSE"
    return listing_of(
        symbol,
        venue,
        base=symbol.removesuffix("USD") if inverse else "",
        quote="USD" if inverse else "",
        settlement={"BYBIT": Settlement.CASH, "BYBIT-LINEAR": Settlement.LINEAR}.get(venue, Settlement.INVERSE),
    )

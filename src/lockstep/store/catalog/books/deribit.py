"""Deribit: book.X.raw (snapshot, then changes, each naming the one before) and trades.X.raw.

Options are priced in their coin, and an amount is a number of coins; the amount of a perpetual or future is in USD.
Source: docs.deribit.com, "book.{instrument_name}.{interval}".
"""

from decimal import Decimal

import msgspec

from lockstep.model.enums import AssetClass, Settlement
from lockstep.store.catalog.books.captures import Frame
from lockstep.store.catalog.books.crypto import NANOS_PER_MS, PushedBooks, listing_of
from lockstep.store.catalog.books.joined import Levels
from lockstep.store.catalog.books.tape import Listing, Pen
from lockstep.store.catalog.books.units import PRICE_SCALE, QTY_SCALE, units_of_number

_Side = list[tuple[str, Decimal, Decimal]]


class _Book(msgspec.Struct):
    type: str
    timestamp: int
    instrument_name: str
    change_id: int
    prev_change_id: int | None = None
    bids: _Side = []
    asks: _Side = []


class _Trade(msgspec.Struct):
    timestamp: int
    price: Decimal
    amount: Decimal
    direction: str
    instrument_name: str
    trade_seq: int = 0


class _Params(msgspec.Struct, frozen=True):
    channel: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Message(msgspec.Struct):
    method: str = ""
    params: _Params = _Params()


_MESSAGE = msgspec.json.Decoder(_Message)
_BOOK = msgspec.json.Decoder(_Book)
_TRADES = msgspec.json.Decoder(list[_Trade])


class Deribit:
    """Deribit's messages."""

    def __init__(self) -> None:
        self._books = PushedBooks(_listing)

    def take(self, frame: Frame, pen: Pen) -> None:
        """One message."""
        if frame.url:
            return
        params = _MESSAGE.decode(frame.text).params
        kind = params.channel.partition(".")[0]
        if kind == "book":
            self._book(_BOOK.decode(params.data), frame.ts, pen)
        elif kind == "trades":
            for trade in _TRADES.decode(params.data):
                tape = self._books.of(trade.instrument_name, pen).tape
                price, qty = units_of_number(trade.price, PRICE_SCALE), units_of_number(trade.amount, QTY_SCALE)
                side = {"buy": 1, "sell": -1}.get(trade.direction, 0)
                pen.trade(tape, price, qty, side, (frame.ts, trade.timestamp * NANOS_PER_MS), trade_id=trade.trade_seq)

    def _book(self, said: _Book, received: int, pen: Pen) -> None:
        book = self._books.of(said.instrument_name, pen)
        times = (received, said.timestamp * NANOS_PER_MS)
        levels: Levels = [
            (side, units_of_number(price, PRICE_SCALE), units_of_number(amount, QTY_SCALE))
            for side, rows in ((1, said.bids), (-1, said.asks))
            for _, price, amount in rows
        ]
        if said.type == "snapshot":  # its time is that of the last change, not of its sending
            book.snapshot(said.change_id, levels, times, pen)
            return
        pen.clock.heard(pen.place, times[1], received)
        book.change(said.change_id, said.prev_change_id, levels, times, pen)


def _listing(symbol: str) -> Listing:
    words = symbol.split("-")
    base = words[0]
    if words[-1] in ("C", "P"):
        return listing_of(
            symbol, "DERIBIT", base=base, quote=base, asset_class=AssetClass.OPTION, settlement=Settlement.LINEAR
        )
    return listing_of(symbol, "DERIBIT", base=base, quote="USD", settlement=Settlement.INVERSE)

"""Upbit and Bithumb: the first sends a full book each time, the second (its retired feed) only changes, so that it never is GOOD.

Source: docs.upbit.com, "WebSocket orderbook" (format SIMPLE); Bithumb's orderbookdepth and transaction of pubwss.bithumb.com.
"""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from lockstep.store.catalog.books.captures import Frame
from lockstep.store.catalog.books.crypto import NANOS_PER_MS, PushedBooks, listing_of
from lockstep.store.catalog.books.joined import Levels
from lockstep.store.catalog.books.pen import Pen
from lockstep.store.catalog.books.tape import Listing
from lockstep.store.catalog.books.units import PRICE_SCALE, QTY_SCALE, units_of, units_of_number
from lockstep.store.catalog.times import moment_ns

_SEOUL = ZoneInfo("Asia/Seoul")


class _Unit(msgspec.Struct):
    ap: Decimal
    bp: Decimal
    az: Decimal = msgspec.field(name="as")
    bs: Decimal


class _Upbit(msgspec.Struct):
    ty: str = ""
    cd: str = ""
    tms: int = 0
    obu: list[_Unit] = []
    ttms: int = 0
    tp: Decimal = Decimal(0)
    tv: Decimal = Decimal(0)
    ab: str = ""
    sid: int = 0


class _Level(msgspec.Struct):
    symbol: str
    orderType: str = ""  # noqa: N815 - Bithumb's names
    price: str = ""
    quantity: str = ""
    buySellGb: str = ""  # noqa: N815
    contPrice: str = ""  # noqa: N815
    contQty: str = ""  # noqa: N815
    contDtm: str = ""  # noqa: N815


class _Content(msgspec.Struct, frozen=True):
    rows: list[_Level] = msgspec.field(name="list", default_factory=list)
    datetime: str = ""


class _Bithumb(msgspec.Struct):
    type: str = ""
    content: _Content = _Content()


_UPBIT = msgspec.json.Decoder(_Upbit)
_BITHUMB = msgspec.json.Decoder(_Bithumb)


class Upbit:
    """Upbit's messages."""

    def __init__(self) -> None:
        self._books = PushedBooks(_upbit_listing)

    def take(self, frame: Frame, pen: Pen) -> None:
        """One message."""
        if frame.url:
            return
        said = _UPBIT.decode(frame.text)
        if said.ty not in ("orderbook", "trade"):
            return
        book = self._books.of(said.cd, pen)
        sent = said.tms * NANOS_PER_MS
        pen.clock.heard(pen.place, sent, frame.ts)
        if said.ty == "trade":
            price, qty = units_of_number(said.tp, PRICE_SCALE), units_of_number(said.tv, QTY_SCALE)
            side = {"ASK": -1, "BID": 1}.get(said.ab, 0)
            pen.trade(book.tape, price, qty, side, (frame.ts, sent), trade_id=said.sid)
            return
        book.tape.levels = max(book.tape.levels, len(said.obu))  # each message has as many, unless the book has fewer
        levels: Levels = [
            (1, units_of_number(unit.bp, PRICE_SCALE), units_of_number(unit.bs, QTY_SCALE)) for unit in said.obu
        ]
        levels += [
            (-1, units_of_number(unit.ap, PRICE_SCALE), units_of_number(unit.az, QTY_SCALE)) for unit in said.obu
        ]
        book.snapshot(None, levels, (frame.ts, sent), pen)


class Bithumb:
    """Bithumb's messages."""

    def __init__(self) -> None:
        self._books = PushedBooks(_bithumb_listing)

    def take(self, frame: Frame, pen: Pen) -> None:
        """One message."""
        if frame.url:
            return
        said = _BITHUMB.decode(frame.text)
        if said.type == "transaction":
            for one in said.content.rows:
                local = datetime.fromisoformat(one.contDtm).replace(tzinfo=_SEOUL)
                times = (frame.ts, moment_ns(local, "contDtm") or 0)
                pen.clock.heard(pen.place, times[1], frame.ts)
                price, qty = units_of(one.contPrice, PRICE_SCALE), units_of(one.contQty, QTY_SCALE)
                pen.trade(
                    self._books.of(one.symbol, pen).tape, price, qty, {"1": -1, "2": 1}.get(one.buySellGb, 0), times
                )
        elif said.type == "orderbookdepth":
            sent = int(said.content.datetime) * 1_000
            pen.clock.heard(pen.place, sent, frame.ts)
            for symbol in dict.fromkeys(one.symbol for one in said.content.rows):
                levels: Levels = [
                    (
                        1 if one.orderType == "bid" else -1,
                        units_of(one.price, PRICE_SCALE),
                        units_of(one.quantity, QTY_SCALE),
                    )
                    for one in said.content.rows
                    if one.symbol == symbol
                ]
                self._books.of(symbol, pen).change(None, None, levels, (frame.ts, sent), pen)


def _upbit_listing(symbol: str) -> Listing:
    quote, _, base = symbol.partition("-")
    return listing_of(symbol, "UPBIT", base=base, quote=quote)


def _bithumb_listing(symbol: str) -> Listing:
    base, _, quote = symbol.partition("_")
    return listing_of(symbol, "BITHUMB", base=base, quote=quote)

"""Binance's public streams: depth changes, best bid and ask, trades; spot, USD-M and COIN-M futures.

A depth snapshot (REST) says `lastUpdateId`; a change says the first and last number in it, U and u, futures also the last of the change
before, pu. Changes up to the snapshot's number are dropped, the first kept one has it inside or follows it, and each further one
follows the one before: spot U = u + 1, futures pu = u. Source: developers.binance.com, "How to manage a local order book correctly".
"""

import re
from decimal import Decimal

import msgspec

from lockstep.model.enums import AssetClass, Settlement
from lockstep.model.errors import ParseError
from lockstep.store.catalog.books.captures import Frame
from lockstep.store.catalog.books.joined import Change, JoinedBook, Levels
from lockstep.store.catalog.books.pen import Pen
from lockstep.store.catalog.books.tape import UNKNOWN_TIME, Listing
from lockstep.store.catalog.books.units import PRICE_SCALE, QTY_SCALE, units_of

NANOS_PER_MS = 1_000_000
SPOT, USDM, COINM = "BINANCE", "BINANCE-USDM", "BINANCE-COINM"
"""The venues: what is called BTCUSDT on two of them is two instruments."""
_SYMBOL_OF_URL = re.compile(r"[?&]symbol=([A-Z0-9_]+)")
_Side = list[tuple[str, str]]


class Message(msgspec.Struct):
    """All that is read of any message, by Binance's letters. b, a: levels of a depth change, prices of a best bid and ask."""

    e: str = ""
    E: int = 0
    T: int = 0
    s: str = ""
    ps: str = ""
    U: int = 0
    u: int = 0
    pu: int | None = None
    b: _Side | str | int = ""
    a: _Side | str | int = ""
    B: str = ""
    A: str = ""
    p: str = ""
    q: str = ""
    t: int = 0
    m: bool = False
    M: bool | None = None
    X: str = ""
    symbol: str = ""
    lastUpdateId: int | None = None  # noqa: N815 - Binance's name
    bids: _Side | str = ""
    asks: _Side | str = ""


class _Wrapped(msgspec.Struct):
    data: Message | None = None
    stream: str = ""


_MESSAGE = msgspec.json.Decoder(Message)
_WRAPPED = msgspec.json.Decoder(_Wrapped)


def message_of(text: str) -> Message:
    """A message, with or without the name of its stream around it. Raises: msgspec.MsgspecError: it is none."""
    wrapped = _WRAPPED.decode(text)
    if wrapped.data is None:
        return _MESSAGE.decode(text)
    if not wrapped.data.e and "@bookTicker" in wrapped.stream:
        wrapped.data.e = "bookTicker "  # spot does not say so inside the message: the blank tells the two apart
    return wrapped.data


def symbol_of_url(url: str) -> str:
    """The symbol that a REST question was about, "" where none is in it."""
    match = _SYMBOL_OF_URL.search(url)
    return match[1] if match else ""


def venue_of(message: Message) -> str | None:
    """The market a message can only be from; None where it could be several."""
    if message.ps or message.symbol.endswith("_PERP"):
        return COINM
    if message.pu is not None or message.X or message.e == "bookTicker":
        return USDM
    if message.M is not None or message.e in ("depthUpdate", "bookTicker "):
        return SPOT
    return None


class BinanceBooks:
    """What is known of the books of one market or several; it goes on from file to file."""

    def __init__(self) -> None:
        self._books: dict[tuple[str, str], JoinedBook] = {}
        self._pens: dict[tuple[str, str], Pen] = {}
        self._trades_by: dict[tuple[str, str], str] = {}

    def take(self, message: Message, venue: str, received_ns: int, pen: Pen) -> None:
        """One message of an instrument's stream. Raises: ParseError: a number that is none."""
        kind = message.e.strip()
        if kind not in ("depthUpdate", "bookTicker", "trade", "aggTrade"):
            return
        book = self._book(venue, message.s, pen)
        if message.E:
            pen.clock.heard(pen.place, message.E * NANOS_PER_MS, received_ns)
        said = message.T or message.E
        times = (received_ns, said * NANOS_PER_MS if said else UNKNOWN_TIME)
        if kind == "depthUpdate":
            levels = levels_of(message.b, message.a)
            if message.U <= 0 or message.u < message.U:
                book.lose(
                    "depth changes without their numbers (U, u), which say where they belong: left out", times, pen
                )
                return
            book.change(Change(message.U, message.u, message.pu, levels, times), pen)
        elif kind == "bookTicker":
            self._quote(book, message, times, pen)
        elif self._trades_by.setdefault((venue, message.s), kind) == kind:  # both streams tell the same trades
            self._trade(book, message, times, pen)

    def snapshot(self, message: Message, symbol: str, venue: str, received_ns: int, pen: Pen) -> None:
        """The answer to a REST question for the depth."""
        said = message.T or message.E
        times = (received_ns, said * NANOS_PER_MS if said else UNKNOWN_TIME)
        number = message.lastUpdateId or 0
        self._book(venue, symbol, pen).snapshot(number, levels_of(message.bids, message.asks), times, pen)

    def _book(self, venue: str, symbol: str, pen: Pen) -> JoinedBook:
        key = (venue, symbol)
        book = self._books.get(key)
        if book is None or self._pens.get(key) is not pen:
            tape = pen.tape(_listing(venue, symbol))
            book = self._books.setdefault(key, JoinedBook(tape))
            self._pens[key] = pen
        return book

    def _quote(self, book: JoinedBook, message: Message, times: tuple[int, int], pen: Pen) -> None:
        bid = units_of(str(message.b), PRICE_SCALE), units_of(message.B, QTY_SCALE)
        ask = units_of(str(message.a), PRICE_SCALE), units_of(message.A, QTY_SCALE)
        if not bid[0] or not ask[0]:
            pen.fault(book.tape, "best bids and asks with an empty side: left out of the quotes")
            return
        pen.quote(book.tape, bid, ask, times)

    def _trade(self, book: JoinedBook, message: Message, times: tuple[int, int], pen: Pen) -> None:
        price, qty = units_of(message.p, PRICE_SCALE), units_of(message.q, QTY_SCALE)
        if not price or not qty or message.X not in ("", "MARKET"):
            pen.fault(book.tape, "trades outside the market (insurance fund, deleveraging) or of nothing: left out")
            return
        number = message.t or (message.a if isinstance(message.a, int) else 0)
        pen.trade(book.tape, price, qty, -1 if message.m else 1, times, trade_id=number)


def levels_of(bids: _Side | str | int, asks: _Side | str | int) -> Levels:
    """(side, price, quantity) of the levels of a message. Raises: ParseError: not levels of numbers."""
    if not isinstance(bids, list) or not isinstance(asks, list):
        raise ParseError("no levels")
    return [
        (side, units_of(price, PRICE_SCALE), units_of(qty, QTY_SCALE))
        for side, levels in ((1, bids), (-1, asks))
        for price, qty in levels
    ]


def _listing(venue: str, symbol: str) -> Listing:
    coin = venue == COINM
    base, quote = symbol.partition("_")[0].removesuffix("USD") if coin else "", "USD" if coin else ""
    if not symbol:
        raise ParseError("a message without a symbol")
    return Listing(
        symbol=symbol,
        venue=venue,
        asset_class=AssetClass.CRYPTO,
        base=base,
        quote=quote,
        multiplier=Decimal(100 if base == "BTC" else 10) if coin else Decimal(1),
        settlement={SPOT: Settlement.CASH, USDM: Settlement.LINEAR}.get(venue, Settlement.INVERSE),
        price_scale=PRICE_SCALE,
        qty_scale=QTY_SCALE,
        notes=(f"Binance streams of {venue}: depth changes joined to the snapshot by their numbers",),
    )


class BinanceCaptures:
    """Binance's messages in captures; REST answers have the symbol in their address."""

    venue = SPOT

    def __init__(self) -> None:
        self._books = BinanceBooks()

    def take(self, frame: Frame, pen: Pen) -> None:
        """One message."""
        if not frame.url:
            self._books.take(message_of(frame.text), self.venue, frame.ts, pen)
        elif "/depth?" in frame.url:
            self._books.snapshot(message_of(frame.text), symbol_of_url(frame.url), self.venue, frame.ts, pen)


class BinanceFuturesCaptures(BinanceCaptures):
    """The same of USD-M futures."""

    venue = USDM

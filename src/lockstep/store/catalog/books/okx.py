"""OKX v5 public channels: books and books-l2-tbt (snapshot, then updates, each with a checksum), and trades.

The checksum is the CRC32 of the best 25 levels of the book after the update, as the venue writes their numbers: bid price, bid size,
ask price, ask size, best first, joined by colons, as a signed integer. Source: okx.com/docs-v5, "Checksum". Each one is compared; a wrong
one makes the book RESYNCING (CHECKSUM) until the next snapshot.
"""

from bisect import bisect_left
from decimal import Decimal
from itertools import zip_longest
from zlib import crc32

import msgspec

from lockstep.model.enums import AssetClass, BookFault, Settlement
from lockstep.store.catalog.books.captures import Frame
from lockstep.store.catalog.books.crypto import NANOS_PER_MS, PushedBooks, levels_from, listing_of
from lockstep.store.catalog.books.pen import Pen
from lockstep.store.catalog.books.tape import Listing
from lockstep.store.catalog.books.units import PRICE_SCALE, QTY_SCALE, units_of

CHECKED_LEVELS = 25
_BOOKS = {"books": 400, "books-l2-tbt": 400, "books50-l2-tbt": 50}
"""The channels of books that are read, and how many levels a side each tells."""
_Side = list[tuple[str, str, str, str]]


class _Arg(msgspec.Struct, frozen=True):
    channel: str = ""
    instId: str = ""  # noqa: N815 - OKX's names


class _Data(msgspec.Struct):
    ts: str = "0"
    asks: _Side = []
    bids: _Side = []
    checksum: int | None = None
    tradeId: str = ""  # noqa: N815
    px: str = ""
    sz: str = ""
    side: str = ""


class _Push(msgspec.Struct):
    arg: _Arg = _Arg()
    action: str = ""
    event: str = ""
    data: msgspec.Raw = msgspec.Raw(b"[]")


class _Contract(msgspec.Struct):
    instId: str = ""  # noqa: N815
    ctVal: str = ""  # noqa: N815
    ctMult: str = ""  # noqa: N815
    ctType: str = ""  # noqa: N815


class _Contracts(msgspec.Struct):
    data: list[_Contract] = []


_PUSH = msgspec.json.Decoder(_Push)
_DATA = msgspec.json.Decoder(list[_Data])
_CONTRACTS = msgspec.json.Decoder(_Contracts)


class TextBook:
    """The levels of one book as the venue wrote them, best first, for its checksum."""

    def __init__(self) -> None:
        self._keys: tuple[list[int], list[int]] = ([], [])
        self._texts: tuple[list[str], list[str]] = ([], [])

    def clear(self) -> None:
        """No levels."""
        for lists in (self._keys, self._texts):
            for one in lists:
                one.clear()

    def put(self, side: int, price: int, text: tuple[str, str]) -> None:
        """A level: price in units, and price and size as written; size 0 removes it."""
        keys, texts = self._keys[side < 0], self._texts[side < 0]
        key = -price if side > 0 else price
        at = bisect_left(keys, key)
        there = at < len(keys) and keys[at] == key
        if Decimal(text[1]) == 0:
            if there:
                del keys[at], texts[at]
        elif there:
            texts[at] = ":".join(text)
        else:
            keys.insert(at, key)
            texts.insert(at, ":".join(text))

    def checksum(self) -> int:
        """Of the best 25 levels of each side, signed."""
        pairs = zip_longest(*(texts[:CHECKED_LEVELS] for texts in self._texts))
        found = crc32(":".join(text for pair in pairs for text in pair if text is not None).encode())
        return found - (found >> 31 << 32)


class Okx:
    """OKX's messages."""

    def __init__(self) -> None:
        self._contracts: dict[str, _Contract] = {}
        self._books = PushedBooks(self._listing)
        self._texts: dict[str, TextBook] = {}
        self._traded: dict[str, int] = {}

    def take(self, frame: Frame, pen: Pen) -> None:
        """One message."""
        if frame.url:
            if "/public/instruments" in frame.url:
                self._contracts.update({one.instId: one for one in _CONTRACTS.decode(frame.text).data})
            return
        push = _PUSH.decode(frame.text)
        if push.event or push.arg.channel not in (*_BOOKS, "trades"):
            return
        for data in _DATA.decode(push.data):
            sent = int(data.ts) * NANOS_PER_MS
            pen.clock.heard(pen.place, sent, frame.ts)
            if push.arg.channel == "trades":
                self._trade(push.arg.instId, data, (frame.ts, sent), pen)
            else:
                self._book(push, data, (frame.ts, sent), pen)

    def _book(self, push: _Push, data: _Data, times: tuple[int, int], pen: Pen) -> None:
        symbol = push.arg.instId
        book, texts = self._books.of(symbol, pen), self._texts.setdefault(symbol, TextBook())
        book.tape.tells(_BOOKS[push.arg.channel])
        bids, asks = ([(row[0], row[1]) for row in side] for side in (data.bids, data.asks))
        levels = levels_from(bids, asks)
        if push.action == "snapshot":
            texts.clear()
            book.snapshot(None, levels, times, pen)
        else:
            book.change(None, None, levels, times, pen)
        for (side, price, _), text in zip(levels, (*bids, *asks), strict=True):
            texts.put(side, price, text)
        if data.checksum is None or not book.whole:
            return
        if texts.checksum() == data.checksum:
            pen.count(book.tape, "checksums of the best 25 levels are right")
        else:
            book.lose(BookFault.CHECKSUM, "checksums of the best 25 levels are wrong", times, pen)

    def _trade(self, symbol: str, data: _Data, times: tuple[int, int], pen: Pen) -> None:
        tape = self._books.of(symbol, pen).tape
        number = int(data.tradeId)
        if number <= self._traded.get(symbol, -1):
            pen.fault(tape, "trades that were told again: left out")
            return
        self._traded[symbol] = number
        side = {"buy": 1, "sell": -1}.get(data.side, 0)
        pen.trade(tape, units_of(data.px, PRICE_SCALE), units_of(data.sz, QTY_SCALE), side, times, trade_id=number)

    def _listing(self, symbol: str) -> Listing:
        base, quote, *rest = symbol.split("-")
        if not rest:
            return listing_of(symbol, "OKX", base=base, quote=quote)
        known = self._contracts.get(symbol)
        value = known and Decimal(known.ctVal or "1") * Decimal(known.ctMult or "1")
        option = rest[-1] in ("C", "P")
        inverse = known.ctType == "inverse" if known and known.ctType else quote == "USD"
        said = "a contract is {} of its {}".format(value, "quote" if inverse and not option else "base") if value else "size of a contract not told, taken for 1"  # fmt: skip
        return listing_of(
            symbol,
            "OKX",
            base=base,
            quote=base if option else quote,
            asset_class=AssetClass.OPTION if option else AssetClass.CRYPTO,
            settlement=Settlement.INVERSE if inverse and not option else Settlement.LINEAR,
            multiplier=value or Decimal(1),
            notes=(f"OKX: {said}",),
        )

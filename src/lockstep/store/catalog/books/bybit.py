"""Bybit public channels: v5 (orderbook.N, publicTrade) and the retired v2 (orderBookL2_25, trade); and archives of orderbook.N.

v5: a snapshot, then deltas numbered by u, each one more than the one before; a new snapshot replaces everything. The v2 deltas have no
number of their own: a gap could not be seen. Spot, linear and inverse are told apart by the address of the connection.
Source: bybit-exchange.github.io/docs/v5/websocket/public/orderbook.

An archive (DATE_SYMBOL_obN.data.zip) is the messages of one instrument's orderbook.N, a line each, as the venue kept them: nobody received
them, so that what was sent (ts) counts as the time of both. Nor does it say its market; 500 levels are told of contracts alone.
"""

import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lockstep.model.enums import Settlement
from lockstep.model.errors import DataError, ParseError
from lockstep.store.catalog.books.captures import Frame
from lockstep.store.catalog.books.crypto import NANOS_PER_MS, PushedBooks, levels_from, listing_of
from lockstep.store.catalog.books.lines import Line, lines_of
from lockstep.store.catalog.books.pen import Pen
from lockstep.store.catalog.books.tape import UNKNOWN_TIME, Listing
from lockstep.store.catalog.books.units import PRICE_SCALE, QTY_SCALE, units_of, units_of_number

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ARCHIVE_NOTE = "Bybit archive: it says when the venue sent each message (ts), not when anybody received it"
ARCHIVE_LINE = re.compile(r'\{"topic": ?"orderbook\.\d+\.')
_OLD_DEPTH = 25
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

    def __init__(self, notes: tuple[str, ...] = ()) -> None:
        self._books = PushedBooks(lambda key: _listing(key, notes))

    def take(self, frame: Frame, pen: Pen) -> None:
        """One message."""
        if frame.url:
            return
        message = _MESSAGE.decode(frame.text)
        kind, _, rest = message.topic.partition(".")
        key = f"{_market(frame.address)} {rest.rpartition('.')[2]}"
        if kind == "orderbook":
            pen.clock.heard(pen.place, message.ts * NANOS_PER_MS, frame.ts)
            self.book(key, message, (frame.ts, (message.cts or message.ts) * NANOS_PER_MS), pen)
        elif kind == "publicTrade":
            pen.clock.heard(pen.place, message.ts * NANOS_PER_MS, frame.ts)
            for trade in _TRADES.decode(message.data):
                number = int(trade.i) if trade.i.isdigit() else 0
                self._trade(key, trade.p, trade.v, trade.S, (frame.ts, trade.T * NANOS_PER_MS), number, pen)
        elif kind == "orderBookL2_25":
            self._old_book(key, message, frame.ts, pen)
        elif kind == "trade":
            for old in _OLD_TRADES.decode(message.data):
                pen.clock.heard(pen.place, int(old.trade_time_ms) * NANOS_PER_MS, frame.ts)
                price, size = bytes(old.price).decode().strip('"'), format(old.size, "f")
                self._trade(key, price, size, old.side, (frame.ts, int(old.trade_time_ms) * NANOS_PER_MS), 0, pen)

    def book(self, key: str, message: _Message, times: tuple[int, int], pen: Pen) -> None:
        """A message of orderbook.N. key: market and symbol; times: ts_recv, ts_event. Raises: ParseError: levels that are none."""
        book, data = self._books.of(key, pen), _BOOK.decode(message.data)
        levels = levels_from(data.b, data.a)
        book.tape.tells(int(message.topic.split(".")[1]))
        if message.type == "snapshot":
            book.snapshot(data.u, levels, times, pen)
        else:
            book.change(data.u, data.u - 1, levels, times, pen)

    def _old_book(self, key: str, message: _Message, received: int, pen: Pen) -> None:
        book = self._books.of(key, pen)
        book.tape.tells(_OLD_DEPTH)
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

    def _trade(self, key: str, price: str, size: str, side: str, times: tuple[int, int], number: int, pen: Pen) -> None:
        tape = self._books.of(key, pen).tape
        pen.trade(
            tape, units_of(price, PRICE_SCALE), units_of(size, QTY_SCALE), _SIDES.get(side, 0), times, trade_id=number
        )


def is_archive(line: str) -> bool:
    """Whether a first line is one of an archive."""
    return ARCHIVE_LINE.match(line) is not None


def archive_begins_ns(line: str) -> int:
    """The time of a first line; 0 where it cannot be read, which reading says."""
    try:
        return _MESSAGE.decode(line).ts * NANOS_PER_MS
    except msgspec.MsgspecError:
        return 0


class ArchiveReader:
    """Reads archives. The market is that of the folder (spot, linear, inverse) where that says one."""

    row_word = "line"

    def __init__(self) -> None:
        self._bybit = Bybit(notes=(_ARCHIVE_NOTE,))

    def read(self, path: Path, pen: Pen, db: "DuckDBPyConnection") -> None:
        """Raises: DataError: a line that is no such message, or it could be of two markets; names it."""
        for line in lines_of(path, db):
            if not line.text:
                continue
            pen.place = line.number
            message = _archived(path, line)
            _, depth, symbol = message.topic.split(".", 2)
            key = f"{_market_of_archive(path, depth, symbol)} {symbol}"
            try:
                self._bybit.book(key, message, (message.ts * NANOS_PER_MS, UNKNOWN_TIME), pen)
            except (ParseError, msgspec.MsgspecError) as e:
                raise DataError(f"{path.name}: line {line.number:,}: {e}: {line.text[:80]!r}") from e


def _archived(path: Path, line: Line) -> _Message:
    try:
        message = _MESSAGE.decode(line.text)
    except msgspec.MsgspecError as e:
        raise DataError(
            f"{path.name}: line {line.number:,} is no message: {line.text[:60]!r}: {e}", hint="was the file cut short?"
        ) from e
    if not is_archive(line.text) or message.type not in ("snapshot", "delta") or message.ts <= 0:
        raise DataError(f"{path.name}: line {line.number:,} is no message of orderbook.N: {line.text[:60]!r}")
    return message


def _market_of_archive(path: Path, depth: str, symbol: str) -> str:
    folder = next((name for name in reversed(path.resolve().parts[:-1]) if name in _FOLDERS), None)
    if folder is not None:
        return _FOLDERS[folder]
    if depth != "500":
        raise DataError(
            f"{path.name}: orderbook.{depth} of {symbol}: spot and contracts have it, and the file does not say which",
            hint="put it into a folder named spot, linear or inverse",
        )
    return _FOLDERS["inverse" if _INVERSE.search(symbol) else "linear"]


_FOLDERS = {"spot": "BYBIT", "linear": "BYBIT-LINEAR", "inverse": "BYBIT-INVERSE"}
_INVERSE = re.compile(
    r"USD([FGHJKMNQUVXZ]\d\d)?$"
)  # BTCUSD, and with a date BTCUSDZ24; linear ones end in USDT or PERP


def _old_levels(levels: list[_OldLevel]) -> list[tuple[int, int, int]]:
    return [
        (_SIDES[level.side], units_of(level.price, PRICE_SCALE), units_of_number(level.size, QTY_SCALE))
        for level in levels
    ]


def _market(address: str) -> str:
    """The market of a connection. The old public one was of linear contracts, the other old one of inverse ones."""
    name = address.rpartition("/")[2]
    return {"spot": "BYBIT", "linear": "BYBIT-LINEAR", "realtime_public": "BYBIT-LINEAR"}.get(name, "BYBIT-INVERSE")


def _listing(key: str, notes: tuple[str, ...]) -> Listing:
    venue, symbol = key.split(" ")
    inverse = venue == "BYBIT-INVERSE"
    return listing_of(
        symbol,
        venue,
        base=symbol.removesuffix("USD") if inverse else "",
        quote="USD" if inverse else "",
        settlement={"BYBIT": Settlement.CASH, "BYBIT-LINEAR": Settlement.LINEAR}.get(venue, Settlement.INVERSE),
        notes=notes,
    )

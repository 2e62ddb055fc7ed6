"""What recordings say of their instruments, row by row, on disk until the last file is read."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from math import gcd
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.model.enums import AssetClass, BookAction, EventKind, Settlement
from lockstep.model.errors import DataError
from lockstep.model.record import BOOK_ACTION, CLOCK, MARKET_EVENT, SEQ, TS_OPEN, Records
from lockstep.model.sessions import Session
from lockstep.store.catalog.books.clock import FileClock
from lockstep.store.catalog.market_data import CHUNK_ROWS, Spool

UNKNOWN_TIME = -1
"""For ts_event, where the venue says none: it becomes the time of receipt."""
PRICES_OF = {EventKind.BOOK: ("p0",), EventKind.TRADE: ("p0",), EventKind.QUOTE: ("p0", "p1")}
QUANTITIES_OF = {EventKind.BOOK: ("p1",), EventKind.TRADE: ("p1",), EventKind.QUOTE: ("p2", "p3")}
Row = tuple[int, int, int, int, int, int, int, int, int]
_COLUMNS = ("clock", "ts_event", "ts_open", "flags", "aux", "p0", "p1", "p2", "p3")


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What a recording's format knows of an instrument. base, quote: "" where the symbol has to tell."""

    symbol: str
    venue: str
    asset_class: AssetClass
    base: str = ""
    quote: str = ""
    multiplier: Decimal = Decimal(1)
    settlement: Settlement = Settlement.CASH
    session: Session | None = None
    price_scale: int
    qty_scale: int
    notes: tuple[str, ...] = ()


class Chunk(NamedTuple):
    """Some rows, and the decimals that their prices and quantities are at."""

    records: Records
    price_scale: int
    qty_scale: int


class Rows:
    """The rows of one kind. Their prices and quantities come at the scales of the format, which leave room for the finest of all
    instruments, and may need more than 64 bits; each chunk is kept without the zeros that all of it ends in.

    place: where in the file; it stands in the word ts_open. price_divisor, qty_divisor: the greatest common ones so far.
    decimals: of a book, how many prices need so many decimals.
    """

    def __init__(self, kind: EventKind, listing: Listing) -> None:
        self.kind = kind
        self.count = 0
        self.price_divisor = 0
        self.qty_divisor = 0
        self.qty_highest = 0
        self.prices = 0
        self.decimals = [0] * (listing.price_scale + 1)
        self._scales = listing.price_scale, listing.qty_scale
        self._words = PRICES_OF[kind], QUANTITIES_OF[kind]
        self._waiting: list[Row] = []
        self._chunks: list[tuple[int, int, int]] = []
        self._spool = Spool()

    def add(self, row: Row, file: FileClock) -> None:
        """(ts_recv, ts_event, place, flags, side, p0, p1, p2, p3)."""
        self._waiting.append(row)
        if len(self._waiting) >= CHUNK_ROWS:
            self.flush(file)

    def extend(self, rows: list[Row], file: FileClock) -> None:
        """Several of them."""
        self._waiting.extend(rows)
        if len(self._waiting) >= CHUNK_ROWS:
            self.flush(file)

    def flush(self, file: FileClock) -> None:
        """Write what waits, all of it from one file. Raises: DataError: a number does not fit into 64 bits."""
        if not self._waiting:
            return
        columns: dict[str, Sequence[int]] = dict(zip(_COLUMNS, zip(*self._waiting, strict=True), strict=True))
        self._waiting.clear()
        no_amounts = self._statuses(columns["flags"])
        prices, price_scale, divisor = _stripped(columns, self._words[0], no_amounts, self._scales[0])
        self.price_divisor = gcd(self.price_divisor, divisor)
        quantities, qty_scale, divisor = _stripped(columns, self._words[1], no_amounts, self._scales[1])
        self.qty_divisor = gcd(self.qty_divisor, divisor)
        for word in self._words[1]:
            amounts = (value for k, value in enumerate(columns[word]) if k not in no_amounts)
            self.qty_highest = max(self.qty_highest, max(map(abs, amounts), default=0))
        self.prices += sum(1 for value in columns["p0"] if value) - len(no_amounts)
        try:
            records = np.zeros(len(columns["flags"]), MARKET_EVENT)
            columns |= {**prices, **quantities}
            for word, values in columns.items():
                records[word] = np.array(values, np.int64)
        except OverflowError as e:
            row = next(k for k in range(len(records)) if any(abs(values[k]) >> 63 for values in columns.values()))
            raise DataError(
                f"{file.place_name(columns['ts_open'][row])}: a time, price, quantity or id does not fit into 64 bits"
            ) from e
        sides = np.array(columns["aux"], np.int64)
        records["aux"] = np.where(sides == 0, 0, sides + 2)
        records["kind"] = self.kind
        records["seq"] = file.number
        if self.kind is EventKind.BOOK:
            self._count_decimals(records["p0"][amounts_of(records)], price_scale)
        self._chunks.append((len(records), price_scale, qty_scale))
        self.count += len(records)
        self._spool.append(records)

    def _count_decimals(self, prices: NDArray[np.int64], scale: int) -> None:
        left = prices[prices != 0]
        for decimals in range(scale, 0, -1):
            whole = left % 10 == 0
            self.decimals[decimals] += len(left) - int(np.count_nonzero(whole))
            left = left[whole] // 10
        self.decimals[0] += len(left)

    def _statuses(self, flags: Sequence[int]) -> frozenset[int]:
        """The rows whose price and quantity are a state and its reason."""
        if self.kind is not EventKind.BOOK:
            return frozenset()
        return frozenset(k for k, value in enumerate(flags) if value & BOOK_ACTION == BookAction.STATUS)

    def chunks(self) -> Iterator[Chunk]:
        """The rows in order."""
        self._spool.flush()
        begin = 0
        for rows, price_scale, qty_scale in self._chunks:
            yield Chunk(self._spool.read(begin, begin + rows), price_scale, qty_scale)
            begin += rows

    def place_of(self, row: int) -> tuple[int, int]:
        """The number of the file and the place in it."""
        self._spool.flush()
        return self._spool.word(row, SEQ), self._spool.word(row, TS_OPEN)

    def clock_of(self, row: int) -> int:
        """The time of receipt as recorded."""
        self._spool.flush()
        return self._spool.word(row, CLOCK)


def _stripped(
    columns: Mapping[str, Sequence[int]], words: Sequence[str], no_amounts: frozenset[int], scale: int
) -> tuple[dict[str, Sequence[int]], int, int]:
    """The amounts of some columns without the zeros that all of them end in, their scale, and their greatest divisor before."""
    divisor = 0
    for word in words:
        values = columns[word]
        if no_amounts:
            values = [0 if k in no_amounts else value for k, value in enumerate(values)]
        divisor = gcd(divisor, *set(values))
    zeros = zeros_of(divisor, scale)
    power = 10**zeros
    found: dict[str, Sequence[int]] = {}
    for word in words:
        found[word] = (
            [value if k in no_amounts else value // power for k, value in enumerate(columns[word])]
            if no_amounts
            else [value // power for value in columns[word]]
        )
    return found, scale - zeros, divisor


def zeros_of(divisor: int, scale: int) -> int:
    """How many zeros all numbers end in, of which this is the greatest divisor; at most `scale`."""
    zeros = 0
    while zeros < scale and divisor % 10 ** (zeros + 1) == 0:
        zeros += 1
    return zeros


def amounts_of(records: Records) -> NDArray[np.bool_]:
    """Of each record, whether its price and quantity words are amounts: those of a STATUS are not."""
    found: NDArray[np.bool_] = (records["kind"] != EventKind.BOOK) | (
        records["flags"] & BOOK_ACTION != BookAction.STATUS
    )
    return found


class Tape:
    """One instrument's book, trades and quotes as the files tell them. `at` says of which file and place what follows is.

    levels: as of a DataInfo.
    """

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.books = Rows(EventKind.BOOK, listing)
        self.trades = Rows(EventKind.TRADE, listing)
        self.quotes = Rows(EventKind.QUOTE, listing)
        self.faults: dict[str, tuple[int, str]] = {}
        self.counts: dict[str, int] = {}
        self.files: list[int] = []
        self.levels = 0

    def tells(self, levels: int) -> None:
        """No more than so many levels a side are told of the book; of what several files say, the fewest."""
        self.levels = min(self.levels, levels) if self.levels else levels

    def rows(self) -> dict[str, Rows]:
        """The three by the names of their series."""
        return {"books": self.books, "quotes": self.quotes, "trades": self.trades}

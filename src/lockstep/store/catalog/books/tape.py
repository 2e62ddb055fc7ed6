"""What recordings say of their instruments, row by row, on disk until the last file is read."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from math import gcd
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.model.enums import AssetClass, BookAction, BookFault, BookState, EventKind, Settlement
from lockstep.model.errors import DataError
from lockstep.model.record import BOOK_ACTION, BOOK_FULL, BOOK_LAST, CLOCK, MARKET_EVENT, SEQ, TS_OPEN, Records
from lockstep.model.sessions import Session
from lockstep.store.catalog.market_data import CHUNK_ROWS, Spool

LATENCY_FLOOR_NS = 1_000_000
"""The smallest latency that a corrected clock is given: venues stamp whole milliseconds, so less could not be told from none."""
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


class FileClock:
    """One file, and how its recorder's clock stands to the venue's.

    A message cannot arrive before it was sent. Where one seems to, the recorder's clock is behind, and the whole file is moved
    later by one offset: the one that makes its smallest latency LATENCY_FLOOR_NS. Told in the notes, never silent.
    """

    def __init__(self, path: Path, row_word: str) -> None:
        self.name = path.name
        self.row_word = row_word
        self.messages = 0
        self.negative = 0
        self.smallest_ns = 2**62
        self.at = 0

    def heard(self, place: int, sent_ns: int, received_ns: int) -> None:
        """A message with both times came."""
        latency = received_ns - sent_ns
        self.messages += 1
        self.negative += latency < 0
        if latency < self.smallest_ns:
            self.smallest_ns, self.at = latency, place

    @property
    def shift_ns(self) -> int:
        """What is added to every time of receipt."""
        return LATENCY_FLOOR_NS - self.smallest_ns if self.negative else 0

    def notes(self) -> list[str]:
        """The correction, in words."""
        if not self.negative:
            return []
        return [
            f"{self.name}: {self.negative:,} of {self.messages:,} messages were received before they were sent, by up to "
            f"{-self.smallest_ns / 1e6:,.3f} ms ({self.row_word} {self.at:,}): the recorder's clock was behind; every ts_recv of the "
            f"file is moved later by {self.shift_ns / 1e6:,.3f} ms, so that the smallest latency is {LATENCY_FLOOR_NS / 1e6:g} ms"
        ]


class Rows:
    """The rows of one kind. Their prices and quantities come at the scales of the format, which leave room for the finest of all
    instruments, and may need more than 64 bits; each chunk is kept without the zeros that all of it ends in.

    place: where in the file; it stands in the word ts_open. price_divisor, qty_divisor: the greatest common ones so far.
    """

    def __init__(self, kind: EventKind, listing: Listing) -> None:
        self.kind = kind
        self.count = 0
        self.price_divisor = 0
        self.qty_divisor = 0
        self.qty_highest = 0
        self.prices = 0
        self._scales = listing.price_scale, listing.qty_scale
        self._words = PRICES_OF[kind], QUANTITIES_OF[kind]
        self._waiting: list[Row] = []
        self._chunks: list[tuple[int, int, int]] = []
        self._spool = Spool()

    def add(self, row: Row, file: int) -> None:
        """(ts_recv, ts_event, place, flags, side, p0, p1, p2, p3)."""
        self._waiting.append(row)
        if len(self._waiting) >= CHUNK_ROWS:
            self.flush(file)

    def extend(self, rows: list[Row], file: int) -> None:
        """Several of them."""
        self._waiting.extend(rows)
        if len(self._waiting) >= CHUNK_ROWS:
            self.flush(file)

    def flush(self, file: int) -> None:
        """Write what waits. file: its number, which all of it is from. Raises: DataError: a number does not fit into 64 bits."""
        if not self._waiting:
            return
        columns = dict(zip(_COLUMNS, zip(*self._waiting, strict=True), strict=True))
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
            for word, values in {**columns, **prices, **quantities}.items():
                records[word] = np.array(values, np.int64)
        except OverflowError as e:
            raise DataError("a time, price, quantity or id does not fit into 64 bits") from e
        sides = np.array(columns["aux"], np.int64)
        records["aux"] = np.where(sides == 0, 0, sides + 2)
        records["kind"] = self.kind
        records["seq"] = file
        self._chunks.append((len(records), price_scale, qty_scale))
        self.count += len(records)
        self._spool.append(records)

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
        found[word] = [
            value if k in no_amounts else value // power for k, value in enumerate(columns[word])
        ] if no_amounts else [value // power for value in columns[word]]
    return found, scale - zeros, divisor


def zeros_of(divisor: int, scale: int) -> int:
    """How many zeros all numbers end in, of which this is the greatest divisor; at most `scale`."""
    zeros = 0
    while zeros < scale and divisor % 10 ** (zeros + 1) == 0:
        zeros += 1
    return zeros


def amounts_of(records: Records) -> NDArray[np.bool_]:
    """Of each record, whether its price and quantity words are amounts: those of a STATUS are not."""
    found: NDArray[np.bool_] = (records["kind"] != EventKind.BOOK) | (records["flags"] & BOOK_ACTION != BookAction.STATUS)
    return found


class Tape:
    """One instrument's book, trades and quotes as the files tell them. `at` says of which file and place what follows is."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.books = Rows(EventKind.BOOK, listing)
        self.trades = Rows(EventKind.TRADE, listing)
        self.quotes = Rows(EventKind.QUOTE, listing)
        self.faults: dict[str, tuple[int, str]] = {}
        self.counts: dict[str, int] = {}
        self.files: list[int] = []

    def rows(self) -> dict[str, Rows]:
        """The three by the names of their series."""
        return {"books": self.books, "quotes": self.quotes, "trades": self.trades}


class Pen:
    """Writes rows of one file onto tapes. place: line or record of the file, set before its rows."""

    def __init__(self, number: int, clock: FileClock, tapes: dict[tuple[str, str], Tape]) -> None:
        self.number = number
        self.clock = clock
        self.place = 0
        self._tapes = tapes
        self._open: dict[tuple[str, str], Tape] = {}

    def tape(self, listing: Listing) -> Tape:
        """The tape of an instrument, for this file to write on. Raises: DataError: other files write it otherwise."""
        key = (listing.venue, listing.symbol)
        if key not in self._open:
            tape = self._tapes.setdefault(key, Tape(listing))
            if tape.listing != listing:
                raise DataError(
                    f"{self.clock.name}: {listing.symbol}.{listing.venue} is told in another format in the files before",
                    hint="read the files one by one",
                )
            tape.files.append(self.number)
            self._open[key] = tape
        return self._open[key]

    def change(
        self,
        tape: Tape,
        action: BookAction,
        side: int,
        price: int,
        qty: int,
        times: tuple[int, int],
        *,
        order_id: int = 0,
        sequence: int = 0,
        flags: int = 0,
    ) -> None:
        """A change of the book. times: ts_recv, ts_event; flags: BOOK_FULL, BOOK_LAST."""
        row = (*times, self.place, int(action) | flags, side, price, qty, order_id, sequence)
        tape.books.add(row, self.number)

    def status(
        self, tape: Tape, state: BookState, fault: BookFault, times: tuple[int, int], *, sequence: int = 0
    ) -> None:
        """What the book is worth from here on."""
        row = (*times, self.place, int(BookAction.STATUS), 0, int(state), int(fault), 0, sequence)
        tape.books.add(row, self.number)

    def levels(
        self, tape: Tape, levels: list[tuple[int, int, int]], times: tuple[int, int], *, sequence: int, full: bool = False
    ) -> None:
        """Levels (side, price, quantity) that came as one; full: they are the whole book."""
        flags = int(BookAction.SET)
        if full:
            alone = 0 if levels else BOOK_LAST
            self.change(tape, BookAction.CLEAR, 0, 0, 0, times, sequence=sequence, flags=BOOK_FULL | alone)
            flags |= BOOK_FULL
        ts_recv, ts_event = times
        rows = [(ts_recv, ts_event, self.place, flags, side, price, qty, 0, sequence) for side, price, qty in levels]
        if rows:
            side, price, qty = levels[-1]
            rows[-1] = (ts_recv, ts_event, self.place, flags | BOOK_LAST, side, price, qty, 0, sequence)
            tape.books.extend(rows, self.number)

    def trade(
        self, tape: Tape, price: int, qty: int, side: int, times: tuple[int, int], *, trade_id: int = 0
    ) -> None:
        """A public trade; side: of who crossed the spread."""
        tape.trades.add((*times, self.place, 0, side, price, qty, trade_id, 0), self.number)

    def quote(
        self, tape: Tape, bid: tuple[int, int], ask: tuple[int, int], times: tuple[int, int]
    ) -> None:
        """The best (price, quantity) of both sides."""
        tape.quotes.add((*times, self.place, 0, 0, bid[0], ask[0], bid[1], ask[1]), self.number)

    def fault(self, tape: Tape, what: str, count: int = 1) -> None:
        """Something was wrong here: counted under its words, with the place of the first."""
        before, first = tape.faults.get(what, (0, f"{self.clock.name}: {self.clock.row_word} {self.place:,}"))
        tape.faults[what] = before + count, first

    def count(self, tape: Tape, what: str) -> None:
        """Something was checked here and right."""
        tape.counts[what] = tape.counts.get(what, 0) + 1

    def close(self) -> None:
        """The file is read: what waits is written, so that the next file's rows come after it."""
        for tape in self._open.values():
            for rows in tape.rows().values():
                rows.flush(self.number)


class Tapes:
    """The tapes of a reading, by venue and symbol, and the files they come from."""

    def __init__(self) -> None:
        self.files: list[FileClock] = []
        self._tapes: dict[tuple[str, str], Tape] = {}

    def pen(self, path: Path, row_word: str) -> Pen:
        """For the next file."""
        self.files.append(FileClock(path, row_word))
        return Pen(len(self.files) - 1, self.files[-1], self._tapes)

    def all(self) -> list[Tape]:
        """Every tape, by symbol and venue."""
        return [self._tapes[key] for key in sorted(self._tapes, key=lambda key: key[::-1])]

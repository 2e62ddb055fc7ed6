"""How readers write onto tapes: rows with their place, faults with theirs, and clocks that are behind."""

from pathlib import Path

from lockstep.model.enums import BookAction, BookFault, BookState
from lockstep.model.errors import DataError
from lockstep.model.record import BOOK_FULL, BOOK_LAST
from lockstep.store.catalog.books.tape import Listing, Tape

LATENCY_FLOOR_NS = 1_000_000
"""The smallest latency that a corrected clock is given: venues stamp whole milliseconds, so less could not be told from none."""


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
        told = (
            f"{self.name}: {self.negative:,} of {self.messages:,} messages were received before they were sent, by up to "
            f"{-self.smallest_ns / 1e6:,.3f} ms ({self.row_word} {self.at:,}): the recorder's clock was behind; every ts_recv of the "
            f"file is moved later by {self.shift_ns / 1e6:,.3f} ms, so that the smallest latency is {LATENCY_FLOOR_NS / 1e6:g} ms"
        )
        return [told]


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

    def begin(self, tape: Tape, times: tuple[int, int]) -> None:
        """Whatever the book was before, from another file or an earlier import: it is empty, and not known, from here on."""
        self.change(tape, BookAction.CLEAR, 0, 0, 0, times)
        self.status(tape, BookState.EMPTY, BookFault.NO_SNAPSHOT, times)

    def status(
        self, tape: Tape, state: BookState, fault: BookFault, times: tuple[int, int], *, sequence: int = 0
    ) -> None:
        """What the book is worth from here on."""
        row = (*times, self.place, int(BookAction.STATUS), 0, int(state), int(fault), 0, sequence)
        tape.books.add(row, self.number)

    def levels(
        self,
        tape: Tape,
        levels: list[tuple[int, int, int]],
        times: tuple[int, int],
        *,
        sequence: int,
        full: bool = False,
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

    def trade(self, tape: Tape, price: int, qty: int, side: int, times: tuple[int, int], *, trade_id: int = 0) -> None:
        """A public trade; side: of who crossed the spread."""
        tape.trades.add((*times, self.place, 0, side, price, qty, trade_id, 0), self.number)

    def quote(self, tape: Tape, bid: tuple[int, int], ask: tuple[int, int], times: tuple[int, int]) -> None:
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

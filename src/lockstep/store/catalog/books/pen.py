"""How readers write onto tapes: rows with their place, and faults with theirs."""

from pathlib import Path

from lockstep.model.enums import BookAction, BookFault, BookState
from lockstep.model.errors import DataError
from lockstep.model.record import BOOK_FULL, BOOK_LAST
from lockstep.store.catalog.books.clock import FileClock
from lockstep.store.catalog.books.tape import Listing, Tape


class Pen:
    """Writes rows of one file onto tapes. place: line or record of the file, set before its rows."""

    def __init__(self, clock: FileClock, tapes: dict[tuple[str, str], Tape]) -> None:
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
            tape.files.append(self.clock.number)
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
        tape.books.add(row, self.clock)

    def begin(self, tape: Tape, times: tuple[int, int]) -> None:
        """Whatever the book was before, from another file or an earlier import: it is empty, and not known, from here on."""
        self.change(tape, BookAction.CLEAR, 0, 0, 0, times)
        self.status(tape, BookState.EMPTY, BookFault.NO_SNAPSHOT, times)

    def status(
        self, tape: Tape, state: BookState, fault: BookFault, times: tuple[int, int], *, sequence: int = 0
    ) -> None:
        """What the book is worth from here on."""
        row = (*times, self.place, int(BookAction.STATUS), 0, int(state), int(fault), 0, sequence)
        tape.books.add(row, self.clock)

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
            tape.books.extend(rows, self.clock)

    def trade(self, tape: Tape, price: int, qty: int, side: int, times: tuple[int, int], *, trade_id: int = 0) -> None:
        """A public trade; side: of who crossed the spread."""
        tape.trades.add((*times, self.place, 0, side, price, qty, trade_id, 0), self.clock)

    def quote(self, tape: Tape, bid: tuple[int, int], ask: tuple[int, int], times: tuple[int, int]) -> None:
        """The best (price, quantity) of both sides."""
        tape.quotes.add((*times, self.place, 0, 0, bid[0], ask[0], bid[1], ask[1]), self.clock)

    def fault(self, tape: Tape, what: str, count: int = 1) -> None:
        """Something was wrong here: counted under its words, with the place of the first."""
        before, first = tape.faults.get(what, (0, self.clock.place_name(self.place)))
        tape.faults[what] = before + count, first

    def count(self, tape: Tape, what: str) -> None:
        """Something was checked here and right."""
        tape.counts[what] = tape.counts.get(what, 0) + 1

    def close(self) -> None:
        """The file is read: what waits is written, so that the next file's rows come after it."""
        for tape in self._open.values():
            for rows in tape.rows().values():
                rows.flush(self.clock)


class Tapes:
    """The tapes of a reading, by venue and symbol, and the files they come from."""

    def __init__(self) -> None:
        self.files: list[FileClock] = []
        self._tapes: dict[tuple[str, str], Tape] = {}

    def pen(self, path: Path, row_word: str) -> Pen:
        """For the next file."""
        self.files.append(FileClock(len(self.files), path, row_word))
        return Pen(self.files[-1], self._tapes)

    def all(self) -> list[Tape]:
        """Every tape, by symbol and venue."""
        return [self._tapes[key] for key in sorted(self._tapes, key=lambda key: key[::-1])]

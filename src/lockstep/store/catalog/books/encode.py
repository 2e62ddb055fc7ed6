"""Books into records: checked row by row, and fed to a book, which says what is wrong with them."""

from collections.abc import Callable

import numpy as np

from lockstep.book.l2 import L2Book
from lockstep.book.l3 import L3Book
from lockstep.model.enums import BookAction, BookFault, BookState
from lockstep.model.errors import DataError
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import UNITS_MAX, text_from_fixed
from lockstep.model.record import BOOK_ACTION, BOOK_FULL, BOOK_LAST, Records
from lockstep.model.rows import EventRows
from lockstep.store.catalog.encode import Sink
from lockstep.store.catalog.gaps import SessionHours
from lockstep.store.catalog.shapes import BOOKS
from lockstep.store.catalog.ticks import Arrays, TickEncoder

_OF_ORDERS = (BookAction.ADD, BookAction.MODIFY, BookAction.DELETE, BookAction.MATCH)


def told_by_order(records: Records) -> bool | None:
    """Whether BOOK records tell single orders (L3) or price levels (L2); None where they tell neither."""
    actions = records["flags"] & BOOK_ACTION
    if (actions == BookAction.SET).any():
        return False
    return True if np.isin(actions, _OF_ORDERS).any() else None


class BookEncoder(TickEncoder):
    """As TickEncoder. What a book can find wrong does not stop the reading: it is counted in the notes, and kept as it came.

    Args:   follow: False for rows that were looked at when they were imported: no book follows them, and nothing is noted.
    """

    def __init__(
        self,
        instrument: Instrument,
        sink: Sink,
        hours: SessionHours | None,
        row_name: Callable[[int], str],
        *,
        follow: bool = True,
    ) -> None:
        super().__init__(BOOKS, instrument, sink, hours, row_name)
        self._follow = follow
        self._book: L2Book | L3Book | None = None
        self._skipped = 0
        self._begins_full = False
        self._came_full = False
        self._lost = 0
        self._faults: dict[str, str] = {}
        self._held = EventRows()

    def _check_values(self, start: int, columns: Arrays) -> None:
        amounts = BOOKS.amounts(columns)
        action = columns["action"] & BOOK_ACTION
        priced = amounts & (action != BookAction.CLEAR)
        # An order may be taken away without its price being said; whatever puts a price into the book has one.
        for bad, name, fact in (
            (priced & (columns["price"] <= 0) & (action != BookAction.DELETE), "price", "not above 0"),
            (priced & (columns["price"] > UNITS_MAX), "price", "above 2**53 units"),
            (priced & (np.abs(columns["qty"]) > UNITS_MAX), "qty", "above 2**53 units"),
        ):
            if bad.any():
                i = int(np.argmax(bad))
                decimals = self.instrument.price_decimals if name == "price" else self.instrument.qty_decimals
                raise DataError(
                    f"{self._at(start, i)}: {name} is {fact}: was {text_from_fixed(int(columns[name][i]), decimals)}"
                )

    def _gaps(self) -> int:
        return self._lost

    def _passing(self, start: int, records: Records) -> None:
        states = records[records["flags"] & BOOK_ACTION == BookAction.STATUS]
        self._lost += int((states["p1"] == BookFault.GAP).sum())
        if not self._follow:
            return
        full = records["flags"] & (BOOK_FULL | BOOK_LAST)
        self._came_full = self._came_full or bool((full == BOOK_FULL | BOOK_LAST).any())
        if self._book is None:
            self._book = self._new_book(start, records)
            if self._book is None:
                return
        book = self._book
        if told_by_order(records) not in (None, isinstance(book, L3Book)):
            raise DataError(
                f"{self._row_name(start)} ({self.instrument.symbol}): single orders and price levels are mixed from here on",
                hint="store them as two instruments",
            )
        records = np.ascontiguousarray(records)
        self._held.hold(records)
        book.apply(self._held, 0, len(records))
        for fault, update in book.first_faults().items():
            if fault not in self._faults:
                self._faults[fault] = self._row_name(self._skipped + max(update, 1) - 1)

    def _new_book(self, start: int, records: Records) -> L2Book | L3Book | None:
        if start == 0:  # a STATUS may come before it
            self._begins_full = bool((records["flags"][:2] & BOOK_FULL).any())
        by_order = told_by_order(records)
        if by_order is None:
            self._skipped += len(records)
            return None
        if not by_order:
            return L2Book(self.instrument)
        return L3Book(self.instrument, unknown_ids="fault" if self._begins_full else "count")

    def _own_notes(self) -> list[str]:
        notes = super()._own_notes() if self._follow else []
        if self._book is None:
            return notes
        book = self._book
        notes.append(
            "book told by single orders (L3)" if isinstance(book, L3Book) else "book told by price levels (L2)"
        )
        for name, count in book.fault_counts().items():
            notes.append(
                f"{_changes(count, 'of the book')} faulty ({name}), the first at {self._faults[name]}: kept as they came"
            )
        if isinstance(book, L3Book) and book.unknown and not self._begins_full:
            notes.append(
                f"{_changes(book.unknown)} about orders that were there before the recording began, or were not told"
            )
        if not self._came_full:
            notes.append("no full book came: the book is never GOOD")
        else:
            state, reason = book.status
            if state is not BookState.GOOD:
                notes.append(f"at the end the book is {state.name} ({reason.name})")
        return notes


def _changes(count: int, of: str = "") -> str:
    """In words: "1 change of the book is", "2 changes are"."""
    return " ".join(
        word for word in (f"{count:,} change{'s' * (count != 1)}", of, "is" if count == 1 else "are") if word
    )

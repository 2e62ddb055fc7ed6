"""The order books as the engine knows them: one of each instrument that has any, at the engine's own clock."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.book.l2 import L2Book
    from cython.cimports.lockstep.book.l3 import L3Book
    from cython.cimports.lockstep.book.standing import Book
    from cython.cimports.lockstep.engine.subscription import Subscription
    from cython.cimports.lockstep.model.events import BookUpdate, make_book_update
    from cython.cimports.lockstep.model.rows import EventRows
    from cython.cimports.lockstep.portfolio.position import Holding
else:
    from lockstep.book.l2 import L2Book
    from lockstep.book.l3 import L3Book
    from lockstep.book.standing import Book
    from lockstep.engine.subscription import Subscription
    from lockstep.model.events import BookUpdate, make_book_update
    from lockstep.model.rows import EventRows
    from lockstep.portfolio.position import Holding
from lockstep.book.saved import restore_book, save_book
from lockstep.book.view import BookView
from lockstep.model.enums import BookAction, BookFault, BookState, CorporateAction
from lockstep.model.record import BOOK_ACTION, BOOK_LAST

_SPLIT = cython.declare(cython.int, int(CorporateAction.SPLIT))
_ACTION_BITS = cython.declare(cython.longlong, BOOK_ACTION)
_LAST_FLAG = cython.declare(cython.longlong, BOOK_LAST)
_STATUS = cython.declare(cython.longlong, int(BookAction.STATUS))
_GOOD = cython.declare(cython.int, int(BookState.GOOD))
_RESYNCING = cython.declare(cython.int, int(BookState.RESYNCING))
_NO_SNAPSHOT = cython.declare(cython.int, int(BookFault.NO_SNAPSHOT))


@cython.final
@cython.cclass
class KnownBooks:
    """Books by instrument; None where the run has none. levels, orders: the same books as what they are.

    Args: count: of instruments.
    """

    books: list[Book | None]
    levels: list[L2Book | None]
    orders: list[L3Book | None]

    def __init__(self, count: int) -> None:
        self.books = [None] * count
        self.levels = [None] * count
        self.orders = [None] * count

    def keep(self, instrument: int, book: L2Book | L3Book, clock: Callable[[], int] | None = None) -> BookView:
        """Have an instrument's changes applied to an empty book. Returns what strategies see of it; clock: as of `BookView`."""
        self.books[instrument] = book
        self.levels[instrument] = book if isinstance(book, L2Book) else None
        self.orders[instrument] = book if isinstance(book, L3Book) else None
        return BookView(book, clock)

    @cython.boundscheck(False)  # the caller's row
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def tell(self, rows: EventRows, i: cython.Py_ssize_t, holding: Holding) -> cython.bint:
        """One BOOK record about what a holding is of. Whether its group ends here, or what the book is worth was told; then the
        holding is shown the price.
        """
        instrument: cython.int = holding.index
        if self.levels[instrument] is not None:
            cython.cast(L2Book, self.levels[instrument]).apply(rows, i, i + 1)
        elif self.orders[instrument] is not None:
            cython.cast(L3Book, self.orders[instrument]).apply(rows, i, i + 1)
        flags: cython.longlong = rows.w[i, 3] >> 8
        if not flags & _LAST_FLAG and flags & _ACTION_BITS != _STATUS:
            return False
        if flags & _LAST_FLAG and self.books[instrument] is not None:
            cython.cast(Book, self.books[instrument]).lag = rows.w[i, 0] - rows.w[i, 1]
        middle: cython.longlong = self.middle(instrument)
        if middle > 0:
            holding.show(middle, rows.w[i, 0])
        return True

    @cython.boundscheck(False)  # the caller's rows
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def tell_ahead(self, rows: EventRows, start: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """BOOK records of one instrument and moment, from start on and before stop, as far as nobody hears of them before what follows.

        Returns: the first that is not taken: the last of a group, or a word on what the book is worth.
        """
        instrument: cython.int = rows.w[start, 3] >> 32
        flags: cython.longlong
        end: cython.Py_ssize_t = start
        levels: L2Book | None = self.levels[instrument]
        if levels is not None:
            start = end = levels.take_inside(rows, start, stop)  # most of it, without being looked at twice
        while end < stop:
            flags = rows.w[end, 3] >> 8
            if flags & _LAST_FLAG or flags & _ACTION_BITS == _STATUS:
                break
            end += 1
        if levels is not None:
            levels.apply(rows, start, end)
        elif self.orders[instrument] is not None:
            cython.cast(L3Book, self.orders[instrument]).apply(rows, start, end)
        return end

    def middle(self, instrument: cython.int) -> cython.longlong:
        """The middle of the best bid and ask, price units, rounded down; 0 where there is no book, or none to trust."""
        if self.books[instrument] is None:
            return 0
        book: Book = cython.cast(Book, self.books[instrument])
        if book.state != _GOOD or book.bid_side.is_empty() or book.ask_side.is_empty():
            return 0
        return ((book.bid_side.best + book.ask_side.best) * book.tick) >> 1

    def on_action(self, instrument: cython.int, what: cython.int) -> cython.int:
        """After a split nothing told before counts: the book waits for a full one."""
        if what != _SPLIT:
            return 0
        if self.levels[instrument] is not None:
            cython.cast(L2Book, self.levels[instrument]).clear(0)
        elif self.orders[instrument] is not None:
            cython.cast(L3Book, self.orders[instrument]).clear()
        else:
            return 0
        return cython.cast(Book, self.books[instrument]).set_state(_RESYNCING, _NO_SNAPSHOT)

    def save(self) -> list[dict[str, Any] | None]:
        """The books as plain data."""
        return [None if book is None else save_book(book) for book in self.books]

    def restore(self, saved: Sequence[Mapping[str, Any] | None]) -> None:
        """Continue from `save`, in empty books of the same kinds."""
        for book, state in zip(self.books, saved, strict=True):
            if book is not None and state is not None:
                restore_book(book, state)


@cython.boundscheck(False)  # the caller's row
@cython.wraparound(False)
@cython.initializedcheck(False)
def change_of(rows: EventRows, i: cython.Py_ssize_t, sub: Subscription) -> BookUpdate:
    """A BOOK record as a strategy meets it."""
    return make_book_update(
        sub.instrument, sub.scale, sub.qty_scale, rows.w[i, 0], rows.w[i, 1], rows.w[i, 2],
        rows.w[i, 4], rows.w[i, 5], rows.w[i, 6],
        ((rows.w[i, 3] >> 16) & 0xFFFF) - 2, (rows.w[i, 3] >> 8) & _ACTION_BITS,
    )  # fmt: skip

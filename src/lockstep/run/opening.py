"""The order book as it stands where a run begins, when that is in the middle of its data: made of every change before."""

from collections.abc import Iterator

import numpy as np

from lockstep.book.l2 import L2Book
from lockstep.book.l3 import L3Book
from lockstep.model.enums import BookAction, BookState, EventKind
from lockstep.model.record import BOOK_FULL, BOOK_LAST, MARKET_EVENT, Records
from lockstep.model.rows import EventRows
from lockstep.store.catalog.market_data import MarketData


def opened(history: MarketData, by_order: bool, start_ns: int | None, end_ns: int | None) -> Iterator[Records]:
    """The changes of a book in [start_ns, end_ns), before them the book as it stood, as one group known at start_ns."""
    if not history.count(start_ns, end_ns):
        return
    if start_ns is not None and history.count(None, start_ns):
        yield _standing(history, by_order, start_ns)
    yield from history.chunks(start_ns, end_ns)


def _standing(history: MarketData, by_order: bool, start_ns: int) -> Records:
    book: L2Book | L3Book = L3Book(history.instrument, unknown_ids="count") if by_order else L2Book(history.instrument)
    rows = EventRows()
    for records in history.chunks(None, start_ns):
        rows.hold(np.ascontiguousarray(records))
        book.apply(rows, 0, len(records))
    state, reason = book.status
    # A full book is GOOD once it is complete. What is not known to be whole must not become so by being told again.
    full = BOOK_FULL if state in (BookState.GOOD, BookState.AUCTION) else 0
    found = [(BookAction.CLEAR | full, 0, 0, 0, 0)]
    if state is not BookState.GOOD:
        found.append((int(BookAction.STATUS), 0, int(state), int(reason), 0))
    if isinstance(book, L3Book):
        found += [(BookAction.ADD | full, one.side + 2, one.price, one.qty, one.order_id) for one in book.orders()]
    else:
        found += [
            (BookAction.SET | full, side + 2, price, qty, 0)
            for side in (1, -1)
            for price, qty in book.depth_units(side, book.levels(side))
        ]
    told = np.zeros(len(found), MARKET_EVENT)
    told["clock"], told["ts_event"], told["kind"] = start_ns, min(book.ts, start_ns), EventKind.BOOK
    for name, column in zip(("flags", "aux", "p0", "p1", "p2"), zip(*found, strict=True), strict=True):
        told[name] = column
    told["flags"][-1] |= BOOK_LAST
    return told

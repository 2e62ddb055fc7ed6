"""The state of a book by level as plain JSON data, so that features go on after a restart."""

from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.book.l2 import L2Book
else:
    from lockstep.book.l2 import L2Book
from lockstep.features.saved import field, int_field
from lockstep.model.arguments import whole
from lockstep.model.enums import BookFault, BookState

_INT_MAX = 2**63 - 1


def save_book(book: L2Book) -> dict[str, Any]:
    """Its levels, what it is worth and what was wrong with its updates."""
    return {
        "bids": [list(level) for level in book.depth_units(1, book.levels(1))],
        "asks": [list(level) for level in book.depth_units(-1, book.levels(-1))],
        "state": book.state,
        "reason": book.reason,
        "updates": book.updates,
        "ts": book.ts,
        "faults": list(book.faults),
        "first": list(book.first),
    }


def restore_book(book: L2Book, saved: Any) -> None:
    """Continue an empty book. Raises: ValueError, TypeError: damaged data; the book is then of no use."""
    counts = {
        name: [whole(f"saved {name!r}", count, 0, _INT_MAX) for count in field(saved, name)]
        for name in ("faults", "first")
    }
    if any(len(entries) != len(BookFault) for entries in counts.values()):
        raise ValueError(f"saved faults of a book must be {len(BookFault)} counts")
    state, reason = int_field(saved, "state", 0, len(BookState) - 1), int_field(saved, "reason", 0, len(BookFault) - 1)
    updates, ts = int_field(saved, "updates", 0, _INT_MAX), int_field(saved, "ts", 0, _INT_MAX)
    for side, name in ((1, "bids"), (-1, "asks")):
        for price, qty in field(saved, name):
            level, amount = whole("saved price", price, -_INT_MAX, _INT_MAX), whole("saved quantity", qty, 1, _INT_MAX)
            if book.update(side, level, amount):
                raise ValueError(f"the level {price} of a saved book is off the tick of {book.tick}")
    book.faults, book.first = counts["faults"], counts["first"]
    book.state = state
    book.reason = reason
    book.updates = updates
    book.ts = ts

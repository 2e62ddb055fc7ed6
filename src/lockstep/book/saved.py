"""A book as plain data, and back: its levels or orders in their places, and what it can be trusted for.

What the instrument decides is not saved: a book is restored into an empty one of the same kind.
"""

from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.book.ids import IdTable
    from cython.cimports.lockstep.book.l2 import L2Book
    from cython.cimports.lockstep.book.l3 import L3Book
    from cython.cimports.lockstep.book.rebuilt import RebuiltBook
    from cython.cimports.lockstep.book.standing import Book
else:
    from lockstep.book.ids import IdTable
    from lockstep.book.l2 import L2Book
    from lockstep.book.l3 import L3Book
    from lockstep.book.rebuilt import RebuiltBook
    from lockstep.book.standing import Book
from lockstep.model.arguments import whole
from lockstep.model.enums import BookFault, BookState
from lockstep.model.fields import field, floats_field, int_field, list_field

_INT_MAX = 2**63 - 1


def save_book(book: Book) -> dict[str, Any]:
    """The book: levels (price, quantity) best first, or orders (id, side, price, quantity) in their queues' order."""
    saved: dict[str, Any] = {
        "state": book.state,
        "reason": book.reason,
        "updates": book.updates,
        "ts": book.ts,
        "lag": book.lag,
        "faults": list(book.faults),
        "first": list(book.first),
    }
    if isinstance(book, L3Book):
        saved["orders"] = [list(order) for order in book.orders()]
        saved["unknown"] = book.unknown
    else:
        saved["bids"], saved["asks"] = (
            [list(level) for level in book.depth_units(side, book.levels(side))] for side in (1, -1)
        )
    return saved


def restore_book(book: Book, saved: Any) -> None:
    """Continue from `save_book`, in an empty book of the same instrument and kind.

    Raises: ValueError, TypeError: damaged data, or those of another kind of book; the book is then of no use.
    """
    counts = {name: _counts(saved, name) for name in ("faults", "first")}
    state, reason = int_field(saved, "state", 0, len(BookState) - 1), int_field(saved, "reason", 0, len(BookFault) - 1)
    updates, ts = int_field(saved, "updates", 0, _INT_MAX), int_field(saved, "ts", 0, _INT_MAX)
    lag = int_field(saved, "lag", -_INT_MAX, _INT_MAX)
    if isinstance(book, L3Book):
        _restore_orders(book, saved)
    else:
        _restore_levels(book, saved)
    book.state = state
    book.reason = reason
    book.updates = updates
    book.ts = ts
    book.lag = lag
    book.faults = counts["faults"]
    book.first = counts["first"]


def _counts(saved: Any, name: str) -> list[int]:
    return [whole(f"saved {name!r}", count, 0, _INT_MAX) for count in list_field(saved, name, len(BookFault))]


def _restore_orders(orders: L3Book, saved: Any) -> None:
    for order in field(saved, "orders"):
        order_id, side, price, qty = (whole("number of a saved order", number, -_INT_MAX, _INT_MAX) for number in order)
        if orders.add(order_id, side, price, qty):
            raise ValueError(f"a saved book cannot have the order {order}")
    orders.unknown = int_field(saved, "unknown", 0, _INT_MAX)


def _restore_levels(book: Book, saved: Any) -> None:
    levels: L2Book = book  # type: ignore[assignment]
    for side, name in ((1, "bids"), (-1, "asks")):
        for price, qty in field(saved, name):
            level, amount = whole("saved price", price, -_INT_MAX, _INT_MAX), whole("saved quantity", qty, 1, _INT_MAX)
            if levels.update(side, level, amount):
                raise ValueError(f"a saved book cannot have the level {[price, qty]} with its tick of {book.tick}")


def save_rebuilt(book: RebuiltBook) -> dict[str, Any]:
    """The probable orders and what waits. The levels they stand behind are a book of their own."""
    return {
        "line": save_book(book.line),
        "next_id": book.next_id,
        "ts": book.ts,
        "is_lost": book.is_lost,
        "added": [book.added_qty, book.added_count],
        "open": [[book.open_key[k], book.open_qty[k], book.open_id[k]] for k in range(book.open_count)],
        "owed": [[book.owed_key[k], book.owed_qty[k], book.owed_ts[k]] for k in range(book.owed_count)],
    }


def restore_rebuilt(book: RebuiltBook, saved: Any) -> None:
    """Continue from `save_rebuilt`, in one that was told nothing. Raises: as of `restore_book`."""
    restore_book(book.line, field(saved, "line"))
    book.next_id = int_field(saved, "next_id", 0, _INT_MAX)
    book.ts = int_field(saved, "ts", -1, _INT_MAX)
    book.is_lost = bool(field(saved, "is_lost"))
    book.added_qty, book.added_count = floats_field(saved, "added", 2)
    waits, owed = field(saved, "open"), field(saved, "owed")
    while len(book.open_key) < len(waits):
        book._grow_open()
    while len(book.owed_key) < len(owed):
        book._grow_owed()
    book.open_count, book.owed_count = len(waits), len(owed)
    for k, entry in enumerate(waits):
        book.open_key[k], book.open_qty[k], book.open_id[k] = entry
    for k, entry in enumerate(owed):
        book.owed_key[k], book.owed_qty[k], book.owed_ts[k] = entry


def save_ids(ids: IdTable) -> list[int]:
    """The ids of a table, sorted."""
    return sorted(ids.keys[at] for at in range(ids.size) if ids.slots[at] >= 0)


def restore_ids(saved: list[int]) -> IdTable:
    """A table of these ids, each with slot 0."""
    ids: IdTable = IdTable(len(saved))
    for order_id in saved:
        ids.put(order_id, 0)
    return ids

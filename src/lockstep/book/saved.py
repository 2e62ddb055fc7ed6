"""A book as plain data, and back: its levels or orders in their places, and what it can be trusted for.

What the instrument decides is not saved: a book is restored into an empty one of the same kind.
"""

from collections.abc import Mapping
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.book.ids import IdTable
    from cython.cimports.lockstep.book.l2 import L2Book
    from cython.cimports.lockstep.book.l3 import L3Book
    from cython.cimports.lockstep.book.standing import Book
else:
    from lockstep.book.ids import IdTable
    from lockstep.book.l2 import L2Book
    from lockstep.book.l3 import L3Book
    from lockstep.book.standing import Book


def save_book(book: Book) -> dict[str, Any]:
    """The book: levels (price, quantity) best first, or orders (id, side, price, quantity) in their queues' order."""
    saved: dict[str, Any] = {
        "state": book.state,
        "reason": book.reason,
        "updates": book.updates,
        "ts": book.ts,
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


def restore_book(book: Book, saved: Mapping[str, Any]) -> None:
    """Continue from `save_book`, in an empty book of the same instrument and kind."""
    orders: L3Book
    levels: L2Book
    if isinstance(book, L3Book):
        orders = book
        for order_id, side, price, qty in saved["orders"]:
            orders.add(order_id, side, price, qty)
        orders.unknown = saved["unknown"]
    else:
        levels = book  # type: ignore[assignment]
        for side, name in ((1, "bids"), (-1, "asks")):
            for price, qty in saved[name]:
                levels.update(side, price, qty)
    book.state = saved["state"]
    book.reason = saved["reason"]
    book.updates = saved["updates"]
    book.ts = saved["ts"]
    book.faults = list(saved["faults"])
    book.first = list(saved["first"])


def save_ids(ids: IdTable) -> list[int]:
    """The ids of a table, sorted."""
    return sorted(ids.keys[at] for at in range(ids.size) if ids.slots[at] >= 0)


def restore_ids(saved: list[int]) -> IdTable:
    """A table of these ids, each with slot 0."""
    ids: IdTable = IdTable(len(saved))
    for order_id in saved:
        ids.put(order_id, 0)
    return ids

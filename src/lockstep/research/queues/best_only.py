"""Of a recording that tells the best level alone, the levels whose queues are known from their first order on.

LOBSTER's level 1 has the messages of the best price. What happens to a level while a better one stands is not told, so that
an order which was seen there once may be gone. The queue of a level is known as long as it is the best, if it began as one: by an
order at a better price than the best before it. Every other level is left out here.
"""

import numpy as np

from lockstep.model.enums import BookAction
from lockstep.model.record import BOOK_ACTION, BOOK_LAST, Records


class _Side:
    """The best level of a side. known: its orders with their quantities, None where it did not begin in sight."""

    def __init__(self) -> None:
        self.price = 0
        self.known: dict[int, int] | None = None


def known_levels(records: Records) -> Records:
    """The records of levels that are known whole. A level that is lost from sight loses its orders by MODIFY to 0."""
    columns = [records[name].tolist() for name in ("flags", "aux", "p0", "p1", "p2")]
    sides = {1: _Side(), -1: _Side()}
    source: list[int] = []
    rows: list[tuple[int, int, int, int]] = []  # flags, price, quantity, order
    for i, (flags, aux, price, qty, order_id) in enumerate(zip(*columns, strict=True)):
        action, side = flags & BOOK_ACTION, aux - 2
        if action not in (BookAction.ADD, BookAction.MODIFY, BookAction.DELETE, BookAction.MATCH):
            continue
        lines = [(BookAction.MODIFY, at, 0, lost) for at, lost in _turn(sides[side], side, action, price, order_id)]
        if _follow(sides[side], action, qty, order_id):
            lines.append((action, price, qty, order_id))
        for k, (what, *words) in enumerate(lines):
            rows.append((what | BOOK_LAST * (k == len(lines) - 1), *words))  # type: ignore[arg-type]
            source.append(i)
    found = records[np.array(source, np.intp)].copy()
    told = np.array(rows, np.int64).reshape(-1, 4)
    for k, name in enumerate(("flags", "p0", "p1", "p2")):
        found[name] = told[:, k]
    return found


def _turn(best: _Side, side: int, action: int, price: int, order_id: int) -> list[tuple[int, int]]:
    """Which level is the best now. Returns: the orders (price, id) that are out of sight by that."""
    is_known = best.known is not None and (action == BookAction.ADD or order_id in best.known)
    if price == best.price and (is_known or best.known is None):
        return []
    lost = [(best.price, order) for order in best.known or ()]
    begins = action == BookAction.ADD and best.price > 0 and (price - best.price) * side > 0
    best.price, best.known = price, {} if begins else None
    return lost


def _follow(best: _Side, action: int, qty: int, order_id: int) -> bool:
    """A message about the best level. Returns: whether it is one of a known queue."""
    if best.known is None:
        return False
    if action in (BookAction.ADD, BookAction.MODIFY):
        best.known[order_id] = qty
    elif action == BookAction.DELETE:
        best.known[order_id] = 0
    else:
        best.known[order_id] -= qty
    if best.known[order_id] <= 0:
        del best.known[order_id]
    if not best.known:
        best.price, best.known = 0, None  # what stands behind it is not told yet
    return True

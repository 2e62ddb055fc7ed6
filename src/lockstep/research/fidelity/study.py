"""Every order of a recording through every model."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lockstep.book.l2 import L2Book
from lockstep.book.rebuilt import RebuiltBook
from lockstep.model.instrument import Instrument
from lockstep.research.fidelity.follow import Follower, Joins, touched
from lockstep.research.fidelity.orders import FILLED, RealOrder
from lockstep.research.fidelity.tape import COLUMNS, PRINT, Tape
from lockstep.sim.liquidity import PRINT_LAG_NS
from lockstep.sim.queue import QueueModel
from lockstep.sim.saved import restore_place, save_place

LATE_NS = 60_000_000_000
"""How long after a real fill a model is still followed, to see how late it is."""
NEVER, TOUCH = "never fills", "fills on touch"
LEVELS, ORDERS, REBUILDS = "levels", "orders", "rebuilds"


class Rival(NamedTuple):
    """A way to foretell fills. make: the queue model of an instrument; None for a baseline. by: what it follows, LEVELS, ORDERS, or
    a queue that it REBUILDS from levels.
    """

    name: str
    make: Callable[[Instrument], QueueModel] | None
    by: str = LEVELS


_TOLD = COLUMNS.index("told")


class Course(NamedTuple):
    """What a recording holds for one order: rows to visit; strict: how many of them until its end; ended: its time, ns; before: the
    rows of its level until it came.
    """

    visits: NDArray[np.int64]
    strict: int
    ended: int
    before: NDArray[np.int64]


def queue(kind: str, power: float = 1.0) -> Callable[[Instrument], QueueModel]:
    """How the simulator makes a model for an instrument."""
    return lambda of: QueueModel(kind, power, of.lot_size, 10.0**of.qty_decimals)


class Courses:
    """The rows that concern each order of a tape."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        rows = tape.rows
        self._ts = rows[:, 0]
        prints = np.flatnonzero(rows[:, 1] == PRINT)
        self._prints = {side: prints[(rows[prints, 2] == side) | (rows[prints, 2] == 0)] for side in (1, -1)}

    def of(self, order: RealOrder) -> Course:
        """Changes and trades of its level, and trades beyond its price, from its arrival until it ended, or LATE_NS after its fill."""
        rows, ts = self._tape.rows, self._ts
        ended = int(ts[order.ended])
        last = order.ended
        level = self._tape.by_level[order.side, order.price]
        if order.fate == FILLED:
            last = self._last_print(level, order, ended)
            stop = int(np.searchsorted(ts, ended + LATE_NS, "right"))
        else:
            stop = order.ended
        near = level[np.searchsorted(level, order.row, "right") : np.searchsorted(level, stop)]
        all_prints = self._prints[order.side]
        prints = all_prints[np.searchsorted(all_prints, order.row) : np.searchsorted(all_prints, stop)]
        beyond = prints[(order.price - rows[prints, 3]) * order.side > 0]
        visits = np.union1d(near, beyond) if len(beyond) else near
        before = level[: np.searchsorted(level, order.row)]
        return Course(np.ascontiguousarray(visits), int(np.searchsorted(visits, last, "right")), ended, before)

    def _last_print(self, level: NDArray[np.int64], order: RealOrder, ended: int) -> int:
        """The trade that says the real order's last execution: it may be told later than that."""
        rows = self._tape.rows
        at = int(np.searchsorted(level, order.ended))
        last = order.ended
        for k in level[at : at + 64].tolist():
            if rows[k, 0] > ended and (last > order.ended or rows[k, 0] - ended > PRINT_LAG_NS):
                break
            if rows[k, 1] == PRINT:
                last = k
        return last


class Outcome(NamedTuple):
    """What a model made of the orders, [n].

    asked: False where the model has no way to know (not all orders ahead are told). filled: when it filled in full, ns, 0 where it
    did not until the order's end. late: ns after the real end at which it filled in full, 0 in time, -1 never. left: of the quantity.
    """

    asked: NDArray[np.bool_]
    filled: NDArray[np.int64]
    late: NDArray[np.int64]
    left: NDArray[np.int64]

    def of(self, chosen: NDArray[np.bool_]) -> "Outcome":
        """What it made of some of them."""
        return Outcome(self.asked[chosen], self.filled[chosen], self.late[chosen], self.left[chosen])


def follow_all(tape: Tape, orders: Sequence[RealOrder], courses: Sequence[Course], rival: Rival) -> Outcome:
    """Follow every order on its own."""
    n = len(orders)
    found = Outcome(np.ones(n, np.bool_), np.zeros(n, np.int64), np.full(n, -1, np.int64), np.zeros(n, np.int64))
    model = rival.make(tape.instrument) if rival.make else None
    line = RebuiltBook(tape.instrument, L2Book(tape.instrument, window=64))
    for k, (order, course) in enumerate(zip(orders, courses, strict=True)):
        if rival.by == ORDERS and order.place is None:
            found.asked[k] = False
            continue
        at, found.left[k] = _follow(tape, order, course, rival, model, line)
        if at < 0:
            continue
        if course.strict and at <= course.visits[course.strict - 1]:
            found.filled[k], found.late[k] = tape.rows[at, 0], 0
        else:
            found.late[k] = tape.rows[at, 0] - course.ended
    return found


def _follow(
    tape: Tape, order: RealOrder, course: Course, rival: Rival, model: QueueModel | None, line: RebuiltBook
) -> tuple[int, int]:
    """The row at which an order is filled, -1 for none, and what is left of it."""
    if model is None:
        at = touched(tape.rows, course.visits) if rival.name == TOUCH else -1
        return at, 0 if at >= 0 else order.qty
    one = Follower(tape.rows, order.order_id, order.price, order.qty)
    since = int(tape.rows[order.row, _TOLD])
    if rival.by == ORDERS:
        place = restore_place(save_place(order.place))
        if place is not None:
            one.by_orders(model, place, course.visits)
    elif rival.by == REBUILDS:
        joins = Joins(order.side, order.price // tape.instrument.tick_size, order.shown, since, tape.full)
        one.by_rebuilt(model, line, joins, course.before, course.visits)
    else:
        one.by_levels(model, model.join(order.shown, since), course.visits)
    return one.at, one.left

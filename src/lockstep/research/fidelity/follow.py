"""One order through one queue model: the rows that concern it, and the simulator's own `QueueModel` deciding at each.

The order is taken out of what the model is shown: its own changes of the level are left out, and its quantity is subtracted from the
level as long as it rests. Its executions were an aggressor's quantity: as trades they stay, and reach whoever is first here.
"""

from typing import TYPE_CHECKING

import cython

if cython.compiled:
    from cython.cimports.lockstep.book.rebuilt import RebuiltBook
    from cython.cimports.lockstep.sim.queue import QueueModel, QueuePlace
else:
    from lockstep.book.rebuilt import RebuiltBook
    from lockstep.sim.queue import QueueModel, QueuePlace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CHANGE = cython.declare(cython.longlong, 1)  # `tape.CHANGE`


@cython.final
@cython.cclass
class Joins:
    """Where an order joins. side, tick: its level; shown: what that holds; since: trades up to then, ns, are in it; full: the first
    row after the full book that the recording begins with.
    """

    side: cython.int
    tick: cython.longlong
    shown: cython.longlong
    since: cython.longlong
    full: cython.longlong

    def __init__(self, side: int, tick: int, shown: int, since: int, full: int) -> None:
        self.side = side
        self.tick = tick
        self.shown = shown
        self.since = since
        self.full = full


@cython.final
@cython.cclass
class Follower:
    """An order of ours at its level. left: of it; at: the row that ended it, -1 while something is left.

    Args: rows: of a tape. order_id, price, qty: of the real order.
    """

    rows: "NDArray[np.int64]"
    order_id: cython.longlong
    price: cython.longlong
    left: cython.longlong
    at: cython.longlong
    own: cython.longlong  # what of the real order rests
    owed: cython.longlong  # executions of the real order that no trade printed yet

    def __init__(
        self, rows: "NDArray[np.int64]", order_id: cython.longlong, price: cython.longlong, qty: cython.longlong
    ) -> None:
        held: object = rows if cython.compiled else memoryview(rows)  # type: ignore[arg-type]
        self.rows = held  # type: ignore[assignment]
        self.order_id = order_id
        self.price = price
        self.left = self.own = qty
        self.owed = 0
        self.at = -1

    @cython.boundscheck(False)  # rows of the tape
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def by_levels(self, model: QueueModel, place: QueuePlace, visits: "NDArray[np.int64]") -> cython.int:
        """What a model that is told levels and trades makes of it. visits: rows, in order."""
        k: cython.Py_ssize_t
        i: cython.Py_ssize_t
        reach: cython.longlong
        for k in range(visits.shape[0]):
            i = visits[k]
            if self.rows[i, 1] == _CHANGE:
                if self.rows[i, 6] == self.order_id:
                    self.own = self.rows[i, 8]
                else:
                    model.told(place, self.rows[i, 4] - self.own, self.rows[i, 5] - self.own, self.rows[i, 0])
                continue
            reach = self.rows[i, 10]
            if self.rows[i, 3] == self.price:
                reach = model.trade(place, reach, reach, self.rows[i, 0])
            else:
                model.passed(place)
            if reach > 0 and self._take(i, reach):
                break
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def by_rebuilt(
        self,
        model: QueueModel,
        line: RebuiltBook,
        joins: Joins,
        before: "NDArray[np.int64]",
        visits: "NDArray[np.int64]",
    ) -> cython.int:
        """What a model makes of it that rebuilds the queue. line: empty. before: the rows of its level until it came."""
        k: cython.Py_ssize_t
        i: cython.Py_ssize_t
        reach: cython.longlong
        own: cython.longlong = self.own
        block: cython.longlong = 0
        line.forget()
        self.own = 0
        for k in range(before.shape[0]):
            i = before[k]
            if i < joins.full:
                block = self.rows[i, 5]
                continue
            if block > 0:
                line.begin(joins.side, joins.tick, block)
                block = 0
            self._tell(line, joins, i)
        if block > 0:
            line.begin(joins.side, joins.tick, block)
        self.own = own
        place: QueuePlace = model.join_rebuilt(joins.shown, joins.since, line)
        for k in range(visits.shape[0]):
            i = visits[k]
            if self.rows[i, 1] == _CHANGE:
                if self.rows[i, 6] == self.order_id:
                    self.own = self.rows[i, 8]
                else:
                    self._tell(line, joins, i)
                continue
            reach = self.rows[i, 10]
            if self.rows[i, 3] == self.price:
                line.heard(self.rows[i, 14])
                reach = model.reach_rebuilt(place, line, joins.side, joins.tick, reach, self.rows[i, 0])
                line.trade(joins.side, self.price, self.rows[i, 10], self.rows[i, 0])
            else:
                model.passed(place)
            if reach > 0 and self._take(i, reach):
                break
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _tell(self, line: RebuiltBook, joins: Joins, i: cython.Py_ssize_t) -> cython.int:
        """A row of our level to a rebuilt queue, without the real order. Other levels were told before it."""
        line.heard(self.rows[i, 14])
        if self.rows[i, 1] == _CHANGE:
            if self.rows[i, 4] != self.rows[i, 5]:
                line.told(
                    joins.side, joins.tick, self.rows[i, 4] - self.own, self.rows[i, 5] - self.own, self.rows[i, 0]
                )
        else:
            line.trade(joins.side, self.price, self.rows[i, 10], self.rows[i, 0])
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def by_orders(self, model: QueueModel, place: QueuePlace, visits: "NDArray[np.int64]") -> cython.int:
        """What a model that is told single orders makes of it."""
        k: cython.Py_ssize_t
        i: cython.Py_ssize_t
        reach: cython.longlong
        for k in range(visits.shape[0]):
            i = visits[k]
            if self.rows[i, 1] != _CHANGE:
                reach = self._beyond_known(i)
                if self.rows[i, 3] == self.price:
                    reach = model.hidden(place, reach)
                if reach > 0 and self._take(i, reach):
                    break
                continue
            if self.rows[i, 6] == self.order_id:
                self.own = self.rows[i, 8]
                self.owed += self.rows[i, 9]
                continue
            if self.rows[i, 7] == 0:
                continue  # it came, or the book never had it: then it stood before us
            if model.is_ahead(place, self.rows[i, 6]):
                if 0 < self.rows[i, 8] <= self.rows[i, 7]:
                    model.shrink(place, self.rows[i, 7] - self.rows[i, 8])
                else:
                    model.leave(place, self.rows[i, 6], self.rows[i, 7])
            elif self.rows[i, 9] > 0 and self._take(i, self.rows[i, 9]):
                break
        return 0

    def _beyond_known(self, i: cython.Py_ssize_t) -> cython.longlong:
        """Of a trade, what orders that the book has, less the real one, do not explain."""
        over: cython.longlong = self.rows[i, 11]
        more: cython.longlong = self.rows[i, 10] - over
        if self.rows[i, 3] == self.price:
            if self.owed < more:
                more = self.owed
            self.owed -= more
            over += more
        return over

    def _take(self, i: cython.Py_ssize_t, reach: cython.longlong) -> cython.bint:
        """So much reaches us. Returns: whether nothing is left."""
        self.left -= reach if reach < self.left else self.left
        if self.left == 0:
            self.at = i
        return self.left == 0


def touched(rows: "NDArray[np.int64]", visits: "NDArray[np.int64]") -> int:
    """The first row at which anything traded at a price or beyond it, -1 for none: the baseline that fills on touch."""
    trades = visits[rows[visits, 1] != 1]
    return int(trades[0]) if len(trades) else -1

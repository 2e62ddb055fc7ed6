"""Where one of our orders stands in the queue of its price level: how much of it must go before a trade reaches us.

Where a book tells levels alone, what is ahead of us is known when we arrive (all that is shown) and guessed from there on. A
trade at our price eats what is ahead of us; of what else leaves the level nobody says whether it stood before us or behind:

- `pessimistic`: all of it stood behind us, as long as the level is no smaller than what was ahead.
- `power`, `log`: a part f(behind) / (f(behind) + f(ahead)) of it stood behind us, with f(x) = x**n or ln(1 + x). Rigtorp 2013,
  "Estimating order queue position", gives the rule and its condition; the shape, and the correction by trades that the
  level's next quantity will show too, are those of hftbacktest's `ProbQueueModel`. n = 1 spreads it evenly over the queue;
  a larger n believes that it is mostly the longer part that loses orders.
- `exact`: where every order is told, those that stood before us are followed by their ids.

A venue tells a trade and what it did to the level as two things, often at one time, and either may come first. What belongs to
one moment is taken together: a decrease without a trade counts as a cancel only until a trade of the same moment explains it,
and of a trade that came first what its level has not shown yet waits for the rest of that moment.
"""

import cython
from cython.cimports.libc.math import floor, log, pow  # noqa: A004 - C's, of floats

if cython.compiled:
    from cython.cimports.lockstep.book.ids import IdTable
    from cython.cimports.lockstep.book.l3 import L3Book
    from cython.cimports.lockstep.book.ladder import Ladder
else:
    from lockstep.book.ids import IdTable
    from lockstep.book.l3 import L3Book
    from lockstep.book.ladder import Ladder
from lockstep.model.errors import InvariantError

KINDS = ("pessimistic", "power", "log", "exact")
_PESSIMISTIC = cython.declare(cython.int, 0)
_LOG = cython.declare(cython.int, 2)
_EXACT = cython.declare(cython.int, 3)
_LONG_AGO = cython.declare(cython.longlong, -(2**61))  # before every time, and far enough from it to be subtracted


@cython.final
@cython.no_gc  # its table holds numbers alone: no cycle is possible
@cython.cclass
class QueuePlace:
    """What is ahead of an order at its price. ahead: quantity, units; below 0 by less than half a lot where a trade nearly
    reached it. traded: what trades took of the level that it has not shown yet. ids: of the orders ahead, None where unknown.

    Of the moment at which the level was told last (told_at): front, what was ahead without cancels of that moment; whole, the
    level before them; gone, what left it that no trade explains; owed, what trades took of it before it showed; shown, what it
    holds now.
    """

    ahead: cython.double
    traded: cython.longlong
    ids: IdTable | None
    told_at: cython.longlong
    front: cython.double
    whole: cython.longlong
    gone: cython.longlong
    owed: cython.longlong
    shown: cython.longlong


@cython.final
@cython.cclass
class QueueModel:
    """How places in a queue move. Quantities are the instrument's units.

    Args:   kind: one of KINDS. power: n of the model `power`. lot: the instrument's. scale: units in one base unit, in which `log`
            counts, as hftbacktest does. moment_ns: how much later a trade may be told than what it did to the level.
    Raises: InvariantError: no such model.
    """

    kind: cython.int
    power: cython.double
    lot: cython.double
    scale: cython.double
    moment: cython.longlong

    def __init__(self, kind: str, power: float, lot: int, scale: float, moment_ns: int = 0) -> None:
        if kind not in KINDS:
            raise InvariantError(f"no queue model {kind!r}: one of {', '.join(KINDS)}")
        self.kind = KINDS.index(kind)
        self.power = power
        self.lot = lot
        self.scale = scale
        self.moment = moment_ns

    def follows_ids(self) -> cython.bint:
        """Whether places are known by the orders ahead."""
        return bool(self.kind == _EXACT)

    def join(self, shown: cython.longlong) -> QueuePlace:
        """A place behind everything that a level shows."""
        place: QueuePlace = QueuePlace.__new__(QueuePlace)
        place.ahead = shown
        place.traded = 0
        place.ids = None
        place.told_at = _LONG_AGO
        place.front = 0.0
        place.whole = place.gone = place.owed = place.shown = 0
        return place

    @cython.boundscheck(False)  # slots and levels are the book's own
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def join_line(self, book: L3Book, side: cython.int, tick: cython.longlong) -> QueuePlace:
        """A place behind every order of a level."""
        ladder: Ladder = book.bid_side if side > 0 else book.ask_side
        level: cython.int = cython.cast(cython.int, ladder.at(tick))
        place: QueuePlace = self.join(book.level_qty[level] if level else 0)
        ids: IdTable = IdTable(2 * book.level_count[level] if level else 0)
        slot: cython.int = book.head[level] if level else -1
        while slot >= 0:
            ids.put(book.id_of[slot], 0)
            slot = book.after[slot]
        place.ids = ids
        return place

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def rejoin_line(self, place: QueuePlace, book: L3Book, side: cython.int, tick: cython.longlong) -> cython.int:
        """The book was told anew: of the orders ahead, those are left that stand at the level."""
        ladder: Ladder = book.bid_side if side > 0 else book.ask_side
        level: cython.int = cython.cast(cython.int, ladder.at(tick))
        slot: cython.int = book.head[level] if level else -1
        before: IdTable = cython.cast(IdTable, place.ids)
        ids: IdTable = IdTable(0)
        ahead: cython.longlong = 0
        while slot >= 0:
            if before.find(book.id_of[slot]) >= 0:
                ids.put(book.id_of[slot], 0)
                ahead += book.qty_of[slot]
            slot = book.after[slot]
        place.ids = ids
        place.ahead = ahead
        return 0

    def trade(
        self, place: QueuePlace, qty: cython.longlong, left: cython.longlong, ts: cython.longlong
    ) -> cython.longlong:
        """A trade at our price. Returns: how much of it reaches us, whole lots, never more than left.

        qty: what traded; left: what orders of ours that came before have not taken of it. ts: when, ns.
        """
        told: cython.bint = ts - place.told_at <= self.moment
        explained: cython.longlong = 0
        if told:
            explained = qty if qty < place.gone else place.gone
            place.gone -= explained
        else:
            place.front = place.ahead
        place.traded += qty - explained
        place.front -= left
        lots: cython.double = floor(0.5 - place.front / self.lot)
        if lots >= 1.0:
            self.passed(place)
            reach: cython.longlong = cython.cast(cython.longlong, lots * self.lot)
            return reach if reach < left else left
        if told:
            self._reckon(place)
        else:
            place.ahead = place.front
        return 0

    def told(
        self, place: QueuePlace, before: cython.longlong, after: cython.longlong, ts: cython.longlong
    ) -> cython.int:
        """Our level is told again: its quantity was `before` and is `after`."""
        if ts - place.told_at > self.moment:
            place.front = place.ahead
            place.whole = before
            place.gone = 0
            place.owed = 0
        place.told_at = ts
        place.shown = after
        place.owed += place.traded
        place.traded = 0
        decrease: cython.longlong = before - after
        if decrease > place.owed:
            place.gone += decrease - place.owed
            place.owed = 0
        elif decrease > 0:
            place.owed -= decrease
        self._reckon(place)
        return 0

    def _reckon(self, place: QueuePlace) -> cython.int:
        """What is ahead after this moment's trades (they are in `front`) and what left without one."""
        ahead: cython.double = place.front
        if ahead > 0.0:
            if self.kind != _PESSIMISTIC and place.gone > 0:
                behind: cython.double = place.whole - ahead
                if behind < 0.0:
                    behind = 0.0
                ahead -= (1.0 - self.share_behind(ahead, behind)) * place.gone
                if ahead < 0.0:
                    ahead = 0.0
            if ahead > place.shown:
                ahead = place.shown
        place.ahead = ahead
        return 0

    def retold(self, place: QueuePlace, shown: cython.longlong) -> cython.int:
        """The whole book was told anew, with so much at our level."""
        place.traded = 0
        place.told_at = _LONG_AGO
        if place.ahead > shown:
            place.ahead = shown
        return 0

    def share_behind(self, ahead: cython.double, behind: cython.double) -> cython.double:
        """The part of what leaves a level unexplained that is taken to have stood behind us, 0 to 1."""
        front: cython.double
        back: cython.double
        if self.kind == _LOG:
            front = log(1.0 + ahead / self.scale)
            back = log(1.0 + behind / self.scale)
        else:
            front = pow(ahead / self.scale, self.power)
            back = pow(behind / self.scale, self.power)
        return back / (front + back) if front + back > 0.0 else 1.0

    def passed(self, place: QueuePlace) -> cython.int:
        """A trade printed beyond our price: nobody is ahead of us any more."""
        place.ahead = 0.0
        place.front = 0.0
        return 0

    # ---- orders ahead, by their ids

    def is_ahead(self, place: QueuePlace, order_id: cython.longlong) -> cython.bint:
        """Whether an order stands before us."""
        return place.ids is not None and place.ids.find(order_id) >= 0

    def hidden(self, place: QueuePlace, qty: cython.longlong) -> cython.longlong:
        """So much was executed at our price against what the book does not show. Returns: what of it reaches us.

        A hidden order stands behind those that are shown, so that the aggressor would have met these first, and then us.
        """
        if place.ahead <= 0.0:
            return qty
        reach: cython.longlong = qty - cython.cast(cython.longlong, place.ahead)
        return reach if reach > 0 else 0

    def shrink(self, place: QueuePlace, qty: cython.longlong) -> cython.int:
        """An order ahead of us lost a part of its quantity."""
        place.ahead -= qty
        return 0

    def leave(self, place: QueuePlace, order_id: cython.longlong, qty: cython.longlong) -> cython.int:
        """An order ahead of us left, with what it had: executed, cancelled, or gone to the end of a queue."""
        place.ahead -= qty
        ids: IdTable = cython.cast(IdTable, place.ids)
        ids.remove(order_id)
        return 0

"""Where one of our orders stands in the queue of its price level: how much of it must go before a trade reaches us.

Where a book tells levels alone, what is ahead of us is known when we arrive (all that is shown) and guessed from there on. A
trade at our price eats what is ahead of us; of what else leaves the level nobody says whether it stood before us or behind:

- `pessimistic`: all of it stood behind us, as long as the level is no smaller than what was ahead.
- `power`, `log`: a part f(behind) / (f(behind) + f(ahead)) of it stood behind us, with f(x) = x**n or ln(1 + x). Rigtorp 2013,
  "Estimating order queue position", gives the rule and its condition; the shape, and the correction by trades that the
  level's next quantity will show too, are those of hftbacktest's `ProbQueueModel`. n = 1 spreads it evenly over the queue;
  a larger n believes that it is mostly the longer part that loses orders.
- `rebuilt`: the orders behind the level are made up from its changes and the trades (`book.rebuilt`); those that were there when
  we joined are ahead of us.
- `exact`: where every order is told, those that stood before us are followed by their ids.

A trade and the change of its level are two messages about one thing, and either may come first. What is told of a level at a
moment has every trade up to that moment in it: decreases of a moment and trades up to it explain each other, in whatever order
they come, and only when time has moved on is the rest of the decreases a cancel, and the rest of the trades forgotten.
"""

import cython
from cython.cimports.libc.math import floor, log, pow  # noqa: A004 - C's, of floats

if cython.compiled:
    from cython.cimports.lockstep.book.ids import IdTable
    from cython.cimports.lockstep.book.l3 import L3Book
    from cython.cimports.lockstep.book.ladder import Ladder
    from cython.cimports.lockstep.book.rebuilt import RebuiltBook
else:
    from lockstep.book.ids import IdTable
    from lockstep.book.l3 import L3Book
    from lockstep.book.ladder import Ladder
    from lockstep.book.rebuilt import RebuiltBook
from lockstep.model.errors import InvariantError

KINDS = ("pessimistic", "power", "log", "exact", "rebuilt")
_PESSIMISTIC = cython.declare(cython.int, 0)
_LOG = cython.declare(cython.int, 2)
_EXACT = cython.declare(cython.int, 3)
_REBUILT = cython.declare(cython.int, 4)


@cython.final
@cython.no_gc  # its table holds numbers alone: no cycle is possible
@cython.cclass
class QueuePlace:
    """What is ahead of an order at its price.

    ahead: quantity, units; below 0 by less than half a lot where a trade nearly reached it. traded: what trades took of the level
    and no decrease of it has shown. told_ts: when the level was told last; is_open: what was told then is not settled: gone, by
    how much it became smaller beyond what trades explain; before, the most it had when it did; least, the least it had after a
    change. since: trades up to then were in the level that it joined. mark: of a rebuilt queue, orders with ids below it are ahead;
    ahead is then what was ahead last. ids: of the orders ahead, None where unknown.
    """

    ahead: cython.double
    traded: cython.longlong
    told_ts: cython.longlong
    is_open: cython.bint
    gone: cython.longlong
    before: cython.longlong
    least: cython.longlong
    since: cython.longlong
    mark: cython.longlong
    ids: IdTable | None


@cython.final
@cython.cclass
class QueueModel:
    """How places in a queue move. Quantities are the instrument's units.

    Args:   kind: one of KINDS. power: n of the model `power`. lot: the instrument's. scale: units in one base unit, in which `log`
            counts, as hftbacktest does.
    Raises: InvariantError: no such model.
    """

    kind: cython.int
    power: cython.double
    lot: cython.double
    scale: cython.double

    def __init__(self, kind: str, power: float, lot: int, scale: float) -> None:
        if kind not in KINDS:
            raise InvariantError(f"no queue model {kind!r}: one of {', '.join(KINDS)}")
        self.kind = KINDS.index(kind)
        self.power = power
        self.lot = lot
        self.scale = scale

    def follows_ids(self) -> cython.bint:
        """Whether places are known by the orders ahead."""
        return bool(self.kind == _EXACT)

    def join(self, shown: cython.longlong, since: cython.longlong) -> QueuePlace:
        """A place behind everything that a level shows. since: up to when trades are in what it shows; -1 for none."""
        place: QueuePlace = QueuePlace.__new__(QueuePlace)
        place.ahead = shown
        place.traded = 0
        place.told_ts = -1
        place.is_open = False
        place.gone = 0
        place.before = 0
        place.least = 0
        place.since = since
        place.mark = 0
        place.ids = None
        return place

    def follows_line(self) -> cython.bint:
        """Whether places are known by the rebuilt orders ahead."""
        return bool(self.kind == _REBUILT)

    def join_rebuilt(self, shown: cython.longlong, since: cython.longlong, line: RebuiltBook) -> QueuePlace:
        """A place behind every order that a rebuilt queue has. shown, since: as of `join`."""
        place: QueuePlace = self.join(shown, since)
        place.mark = line.next_id
        return place

    @cython.boundscheck(False)  # slots and levels are the book's own
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def join_line(self, book: L3Book, side: cython.int, tick: cython.longlong) -> QueuePlace:
        """A place behind every order of a level."""
        ladder: Ladder = book.bid_side if side > 0 else book.ask_side
        level: cython.int = cython.cast(cython.int, ladder.at(tick))
        place: QueuePlace = self.join(book.level_qty[level] if level else 0, -1)
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

        qty: what traded; left: what orders of ours that came before have not taken of it. ts: when, ns UTC.
        """
        if ts <= place.since:
            return 0
        if ts > place.told_ts:
            self.settle(place)
        shown: cython.longlong = qty if qty < place.gone else place.gone
        place.gone -= shown
        place.traded += qty - shown
        place.ahead -= left
        lots: cython.double = floor(0.5 - place.ahead / self.lot)
        if lots < 1.0:
            return 0
        place.ahead = 0.0
        reach: cython.longlong = cython.cast(cython.longlong, lots * self.lot)
        return reach if reach < left else left

    def told(
        self, place: QueuePlace, before: cython.longlong, after: cython.longlong, ts: cython.longlong
    ) -> cython.int:
        """Our level is told again at ts: its quantity was `before` and is `after`."""
        self._open(place, after, ts)
        if after >= before:
            return 0
        by_trades: cython.longlong = before - after
        if by_trades > place.traded:
            by_trades = place.traded
        place.traded -= by_trades
        place.gone += before - after - by_trades
        if before > place.before:
            place.before = before
        return 0

    def told_whole(self, place: QueuePlace, shown: cython.longlong, ts: cython.longlong) -> cython.int:
        """A full book of ts has come, with so much at our level: no more than that is ahead."""
        return self._open(place, shown, ts)

    def _open(self, place: QueuePlace, shown: cython.longlong, ts: cython.longlong) -> cython.int:
        """The level is told at a moment, the first time or again."""
        if ts > place.told_ts:
            self.settle(place)
            place.told_ts = ts
        if not place.is_open or shown < place.least:
            place.least = shown
        place.is_open = True
        return 0

    def renew(self, place: QueuePlace, shown: cython.longlong, has_it: cython.bint, ts: cython.longlong) -> cython.int:
        """A trade of ts has emptied what an iceberg showed: the next part stands behind all that is shown.

        has_it: what is shown has this trade in it, and its decrease is told next (a book of orders). In a book of levels that
        is so where the level was told at this moment or later; otherwise what trades took since comes off.
        """
        place.ahead = shown
        if not has_it and place.told_ts >= ts:
            place.traded = 0
            place.since = place.told_ts
        elif not has_it:
            place.ahead = shown - place.traded if shown > place.traded else 0
        place.is_open = False
        place.gone = 0
        place.before = 0
        return 0

    def settle(self, place: QueuePlace) -> cython.int:
        """Time has moved on from when the level was told: what no trade has explained is a cancel."""
        if not place.is_open:
            return 0
        gone: cython.longlong = place.gone
        behind: cython.double = place.before - place.ahead
        place.is_open = False
        place.traded = 0
        place.gone = 0
        place.before = 0
        if place.ahead <= 0.0:
            return 0
        if self.kind != _PESSIMISTIC and gone > 0:
            place.ahead -= (1.0 - self.share_behind(place.ahead, behind if behind > 0.0 else 0.0)) * gone
        if place.ahead > place.least:
            place.ahead = place.least
        if place.ahead < 0.0:
            place.ahead = 0.0
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
        """A trade printed beyond our price: nobody is ahead of us any more, but for orders that the book still shows there."""
        if place.ids is None:
            place.ahead = 0.0
        place.mark = 0
        return 0

    def reach_rebuilt(
        self,
        place: QueuePlace,
        line: RebuiltBook,
        side: cython.int,
        tick: cython.longlong,
        left: cython.longlong,
        ts: cython.longlong,
    ) -> cython.longlong:
        """As `trade`, in a rebuilt queue that this trade has not been told yet. tick: of our level."""
        if ts <= place.since:
            return 0
        line.come_to(ts)
        ahead: cython.longlong = line.ahead(side, tick, place.mark)
        place.ahead = ahead - left if ahead > left else 0
        lot: cython.longlong = cython.cast(cython.longlong, self.lot)
        if ahead == 0:
            return left
        return (left - ahead) // lot * lot if left > ahead else 0

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

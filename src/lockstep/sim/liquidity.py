"""What may be taken of an instrument's book: the book in the venue's own time, less what our orders took of it.

The data do not know of our orders. What they took of a level stays taken until

- a book of levels tells that level again, or in a book of orders as much has left the level;
- or, with a half-life, whatever is told: half of it is back after that time, and so on (the temporary impact of a trade, as
  the resilience of Obizhaeva and Wang 2013, "Optimal trading strategy and supply/demand dynamics").
"""

from array import array

import cython
from cython.cimports.libc.math import ceil, pow  # noqa: A004 - C's, of floats

if cython.compiled:
    from cython.cimports.lockstep.book.l2 import L2Book
    from cython.cimports.lockstep.book.l3 import L3Book
    from cython.cimports.lockstep.book.ladder import Ladder
    from cython.cimports.lockstep.book.rebuilt import RebuiltBook
    from cython.cimports.lockstep.book.standing import Book
    from cython.cimports.lockstep.sim.markouts import MarkOuts
    from cython.cimports.lockstep.sim.placements import Placements
    from cython.cimports.lockstep.sim.queue import QueueModel, QueuePlace
else:
    from lockstep.book.l2 import L2Book
    from lockstep.book.l3 import L3Book
    from lockstep.book.ladder import Ladder
    from lockstep.book.rebuilt import RebuiltBook
    from lockstep.book.standing import Book
    from lockstep.sim.markouts import MarkOuts
    from lockstep.sim.placements import Placements
    from lockstep.sim.queue import QueueModel, QueuePlace
from lockstep.model.enums import BookFault, BookState
from lockstep.model.errors import InvariantError

_FAR_OFF = cython.declare(cython.longlong, 2**62)  # as of a ladder without levels
_RESYNCING = cython.declare(cython.int, int(BookState.RESYNCING))
_NO_SNAPSHOT = cython.declare(cython.int, int(BookFault.NO_SNAPSHOT))
_STALE = cython.declare(cython.int, int(BookState.STALE))
_SILENT = cython.declare(cython.int, int(BookFault.SILENT))
NEVER = 0x7FFFFFFFFFFFFFFF
"""The end of a book whose data have none."""
_NEVER = cython.declare(cython.longlong, NEVER)
_STATES = len(BookState)
PRINT_LAG_NS = 1_000_000_000
"""How much later than an execution its trade may be told, ns."""
_PRINT_LAG = cython.declare(cython.longlong, PRINT_LAG_NS)


@cython.final
@cython.cclass
class Liquidity:
    """One instrument's book at the venue and what we took of it.

    in_group: a group of changes has begun and not ended, so that nothing is matched. shut: by BookState, how many events came to
    nothing for our orders since the book was not GOOD: changes of the book and trades while one of ours waited for them, and
    orders of ours that arrived; after_end: how many since its data had ended; missed_at: the last of them, see Market.events.
    marks: where the middle stood after our fills. placements: where orders of ours came to rest. line: the probable orders behind
    the levels, where the model follows them.

    Args:   book: of levels or of orders, empty. model: how places in its queues move. recovery_ns: the half-life of what we
            took; 0, until told. ends_ns: after that nothing says whether the book still stands, so that nothing meets it.
            told_levels: how many levels a side its data tell, where these are levels; 0: all.
    Raises: InvariantError: a model that follows orders, on a book of levels; one that rebuilds them, on a book of orders.
    """

    book: Book
    levels: L2Book | None
    orders: L3Book | None
    line: RebuiltBook | None
    model: QueueModel
    marks: MarkOuts
    placements: Placements
    recovery: cython.double
    in_group: cython.bint
    shut: list[int]
    ends: cython.longlong
    told_levels: cython.longlong
    after_end: cython.longlong
    missed_at: cython.longlong
    holes: cython.Py_ssize_t
    keys: "array[int]"  # of the levels we took from: 2 x tick, and 1 more for a bid
    taken: "array[int]"
    since: "array[int]"
    unprinted: dict[int, int]
    executed_at: cython.longlong

    def __init__(
        self, book: L2Book | L3Book, model: QueueModel, recovery_ns: int = 0, ends_ns: int = NEVER, told_levels: int = 0
    ) -> None:
        self.book = book
        self.levels = book if isinstance(book, L2Book) else None
        self.orders = book if isinstance(book, L3Book) else None
        if model.follows_ids() and self.orders is None:
            raise InvariantError("the queue model exact follows single orders, and the book has levels alone")
        if model.follows_line() and self.levels is None:
            raise InvariantError("the queue model rebuilt makes up orders behind levels, and the book has the orders")
        self.line = RebuiltBook(book.instrument, self.levels) if model.follows_line() else None
        self.model = model
        self.marks = MarkOuts()
        self.placements = Placements()
        self.recovery = recovery_ns
        self.in_group = False
        self.shut = [0] * _STATES
        self.ends = ends_ns
        self.told_levels = told_levels if self.levels is not None else 0
        self.after_end = 0
        self.missed_at = 0
        self.holes = 0
        self.unprinted = {}
        self.executed_at = 0
        self._allot(16)

    def _allot(self, size: int) -> None:
        self.keys, self.taken, self.since = (array("q", bytes(8 * size)) for _ in range(3))

    def shut_counts(self) -> dict[str, int]:
        """How many events came to nothing for our orders since the book was in which state; those without any are absent."""
        return {BookState(k).name: self.shut[k] for k in range(_STATES) if self.shut[k]}

    def is_sound(self, ts: cython.longlong) -> cython.bint:
        """Whether an order may meet the book at a time."""
        return bool(ts <= self.ends and self.book.look(ts))

    def missed(self, event: cython.longlong, ts: cython.longlong) -> cython.int:
        """An event at ts came to nothing for an order of ours: counted once, for however many orders. event: as of Market.events."""
        if event == self.missed_at:
            return 0
        self.missed_at = event
        if ts > self.ends:
            self.after_end += 1
        else:
            self.shut[self.book.state] += 1
        return 0

    # ---- what is there

    def side_of(self, side: cython.int) -> Ladder:
        """The bids (+1) or the asks (-1)."""
        return self.book.bid_side if side > 0 else self.book.ask_side

    def shown(self, side: cython.int, tick: cython.longlong) -> cython.longlong:
        """What the book tells of a level, units."""
        return self.book.qty_in(self.side_of(side).at(tick))

    def left(self, side: cython.int, tick: cython.longlong, ts: cython.longlong) -> cython.longlong:
        """What of a level we have not taken, units."""
        qty: cython.longlong = self.shown(side, tick)
        if self.holes > 0:
            qty -= self.taken_at(self._find(2 * tick + (side > 0)), ts)
        return qty if qty > 0 else 0

    def best(self, side: cython.int, ts: cython.longlong) -> cython.longlong:
        """The best tick of a side of which something is left; far off on its worse side where there is none."""
        ladder: Ladder = self.side_of(side)
        tick: cython.longlong = ladder.best
        while self.holes > 0 and -_FAR_OFF < tick < _FAR_OFF and self.left(side, tick, ts) == 0:
            tick = ladder.worse_than(tick)
        return tick

    def touch(self, side: cython.int, ts: cython.longlong) -> cython.longlong:
        """The price an order of a side would take at: of the best ask for a buy, of the best bid for a sell; 0 without any."""
        tick: cython.longlong = self.best(-side, ts)
        return tick * self.book.tick if -_FAR_OFF < tick < _FAR_OFF else 0

    def reach(
        self,
        side: cython.int,
        limit: cython.longlong,
        wanted: cython.longlong,
        lot: cython.longlong,
        ts: cython.longlong,
    ) -> cython.longlong:
        """How much an order of a side could take up to its limit (0: without any), whole lots of each level; no more than wanted."""
        ladder: Ladder = self.side_of(-side)
        tick: cython.longlong = ladder.best
        found: cython.longlong = 0
        there: cython.longlong
        while found < wanted and -_FAR_OFF < tick < _FAR_OFF:
            if limit > 0 and (limit - tick * self.book.tick) * side < 0:
                break
            there = self.left(-side, tick, ts)
            found += there - there % lot
            tick = ladder.worse_than(tick)
        return found if found < wanted else wanted

    # ---- what we took

    @cython.boundscheck(False)  # entries up to holes
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def take(self, side: cython.int, tick: cython.longlong, qty: cython.longlong, ts: cython.longlong) -> cython.int:
        """We took so much of a level."""
        key: cython.longlong = 2 * tick + (side > 0)
        at: cython.Py_ssize_t = self._find(key)
        if at < 0:
            if self.holes == len(self.keys):
                self._grow()
            at = self.holes
            self.holes += 1
            self.keys[at] = key
            self.taken[at] = 0
        self.taken[at] = self.taken_at(at, ts) + qty
        self.since[at] = ts
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def taken_at(self, at: cython.Py_ssize_t, ts: cython.longlong) -> cython.longlong:
        """What of an entry is still taken, to the nearest unit; half a one is there again."""
        if at < 0:
            return 0
        if self.recovery == 0.0 or ts <= self.since[at] or self.taken[at] == 0:
            return self.taken[at]
        age: cython.double = ts - self.since[at]
        kept: cython.double = ceil(self.taken[at] * pow(0.5, age / self.recovery) - 0.5)
        return cython.cast(cython.longlong, kept)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _find(self, key: cython.longlong) -> cython.Py_ssize_t:
        at: cython.Py_ssize_t
        for at in range(self.holes):
            if self.keys[at] == key:
                return at
        return -1

    def told(self, side: cython.int, tick: cython.longlong) -> cython.int:
        """A book of levels told a level again."""
        if self.recovery == 0.0:
            return self._fill_up(self._find(2 * tick + (side > 0)))
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def gone(self, side: cython.int, tick: cython.longlong, qty: cython.longlong) -> cython.int:
        """In a book of orders so much left a level."""
        at: cython.Py_ssize_t = self._find(2 * tick + (side > 0))
        if at < 0 or self.recovery > 0.0:
            return 0
        self.taken[at] -= qty
        if self.taken[at] <= 0 or self.shown(side, tick) == 0:
            return self._fill_up(at)
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _fill_up(self, at: cython.Py_ssize_t) -> cython.int:
        """Nothing of an entry is taken any more."""
        if at < 0:
            return 0
        self.holes -= 1
        self.keys[at] = self.keys[self.holes]
        self.taken[at] = self.taken[self.holes]
        self.since[at] = self.since[self.holes]
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def cleared(self, side: cython.int) -> cython.int:
        """A side (+1, -1), or both (0), is told from the start."""
        at: cython.Py_ssize_t = self.holes - 1
        while at >= 0 and self.recovery == 0.0:
            if side == 0 or (self.keys[at] & 1) == (side > 0):
                self._fill_up(at)
            at -= 1
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def recover(self, ts: cython.longlong) -> cython.int:
        """Forget what has recovered."""
        at: cython.Py_ssize_t = self.holes - 1
        while at >= 0 and self.recovery > 0.0:
            if self.taken_at(at, ts) == 0:
                self._fill_up(at)
            at -= 1
        return 0

    def _grow(self) -> cython.int:
        """Room for twice as many levels."""
        self.keys = array("q", bytes(self.keys) * 2)
        self.taken = array("q", bytes(self.taken) * 2)
        self.since = array("q", bytes(self.since) * 2)
        return 0

    # ---- trades against what a book of orders does not show

    def executed(
        self, side: cython.int, tick: cython.longlong, qty: cython.longlong, ts: cython.longlong
    ) -> cython.int:
        """So much of an order was executed: the trade that follows is known."""
        if ts - self.executed_at > _PRINT_LAG:
            self.unprinted.clear()
        self.executed_at = ts
        key: cython.longlong = 2 * tick + (side > 0)
        self.unprinted[key] = self.unprinted.get(key, 0) + qty
        return 0

    def hidden_of(
        self, side: cython.int, price: cython.longlong, qty: cython.longlong, ts: cython.longlong
    ) -> cython.longlong:
        """What of a trade with a resting side (0: not known) no execution explains: it met a hidden order."""
        tick: cython.longlong = self.book.to_tick(price)
        if ts - self.executed_at > _PRINT_LAG:
            self.unprinted.clear()
        if len(self.unprinted) == 0 or tick * self.book.tick != price:
            return qty
        key: cython.longlong
        known: cython.longlong
        for key in range(2 * tick, 2 * tick + 2):
            if side == 0 or (key & 1) == (side > 0):
                known = self.unprinted.pop(key, 0)
                if known > qty:
                    self.unprinted[key] = known - qty
                    return 0
                qty -= known
        return qty

    # ---- places in a queue

    def in_sight(self, side: cython.int, tick: cython.longlong) -> cython.bint:
        """Whether the data tell a level: behind the last of as many as they tell, nobody knows what stands."""
        ladder: Ladder = self.side_of(side)
        if self.told_levels == 0 or (ladder.best - tick) * side < self.told_levels or ladder.count() < self.told_levels:
            return True
        better: cython.longlong = 0
        at: cython.longlong = ladder.best
        while -_FAR_OFF < at < _FAR_OFF and (at - tick) * side > 0:
            better += 1
            if better == self.told_levels:
                return False
            at = ladder.worse_than(at)
        return True

    def look(self, place: QueuePlace, side: cython.int, tick: cython.longlong, ts: cython.longlong) -> cython.int:
        """A group of changes is complete: whether the level of a place of ours is told still, or again."""
        seen: cython.bint = self.in_sight(side, tick)
        if seen == place.unseen:
            if seen:
                return self.model.see(place, self.shown(side, tick), ts, self.line)
            return self.model.lose_sight(place)
        return 0

    def join(self, side: cython.int, tick: cython.longlong) -> QueuePlace:
        """A place at the end of a level's queue."""
        if not self.in_sight(side, tick):
            return self.model.join_unseen()
        if self.orders is not None and self.model.follows_ids():
            return self.model.join_line(self.orders, side, tick)
        if self.line is not None:
            return self.model.join_rebuilt(self.shown(side, tick), self.book.ts, self.line)
        return self.model.join(self.shown(side, tick), self.book.ts if self.levels is not None else -1)

    def rejoin(self, place: QueuePlace, side: cython.int, tick: cython.longlong, ts: cython.longlong) -> cython.int:
        """The whole book was told anew at ts: nobody who was not there before is ahead."""
        if place.unseen:
            return 0
        if place.ids is not None:
            return self.model.rejoin_line(place, cython.cast(L3Book, self.orders), side, tick)
        if self.line is not None:
            return 0  # it has matched its queues with the levels
        return self.model.told_whole(place, self.shown(side, tick), ts)

    def middle(self) -> cython.longlong:
        """Twice the middle of the best bid and ask, price units; 0 where the book is not GOOD or a side is empty.

        One that is merely silent was GOOD until `trusted_to`.
        """
        silent: cython.bint = self.book.state == _STALE and self.book.reason == _SILENT
        if not (self.book.is_good or silent) or self.book.bid_side.is_empty() or self.book.ask_side.is_empty():
            return 0
        return (self.book.bid_side.best + self.book.ask_side.best) * self.book.tick

    def trusted_to(self) -> cython.longlong:
        """Until when what the book said last counts, if nothing else is said."""
        if self.book.silence_max == 0:
            return 0x7FFFFFFFFFFFFFFF  # as NEVER
        return self.book.ts + self.book.lag + self.book.silence_max

    def forget(self) -> cython.int:
        """After a split nothing told before counts: the book waits for a full one."""
        if self.levels is not None:
            self.levels.clear(0)
        if self.line is not None:
            self.line.forget()
        if self.orders is not None:
            self.orders.clear()
        self.book.set_state(_RESYNCING, _NO_SNAPSHOT)
        self.marks.settle(_NEVER, 0, _NEVER)  # a middle in new shares says nothing of a price in old ones
        self.holes = 0
        self.unprinted.clear()
        return 0

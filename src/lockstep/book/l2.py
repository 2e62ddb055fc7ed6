"""A book by price level: what a venue that tells no single orders shows.

Prices and quantities go in as the instrument's units. Levels are set, never added to: the last word on a level counts.
"""

from collections.abc import Sequence
from typing import SupportsIndex

import cython

if cython.compiled:
    from cython.cimports.lockstep.book.ladder import Ladder
    from cython.cimports.lockstep.book.standing import Book
    from cython.cimports.lockstep.model.rows import EventRows
else:
    from lockstep.book.ladder import Ladder
    from lockstep.book.standing import Book
    from lockstep.model.rows import EventRows
from lockstep.book.ladder import WINDOW
from lockstep.model.arguments import whole
from lockstep.model.enums import BookAction, BookFault, EventKind
from lockstep.model.instrument import Instrument
from lockstep.model.record import BOOK_ACTION, BOOK_FULL, BOOK_LAST

_SET = cython.declare(cython.int, int(BookAction.SET))
_CLEAR = cython.declare(cython.int, int(BookAction.CLEAR))
_STATUS = cython.declare(cython.int, int(BookAction.STATUS))
_NEGATIVE_QTY = cython.declare(cython.int, int(BookFault.NEGATIVE_QTY))
_OFF_TICK = cython.declare(cython.int, int(BookFault.OFF_TICK))
_UNKNOWN_ACTION = cython.declare(cython.int, int(BookFault.UNKNOWN_ACTION))
_ACTION_BITS = cython.declare(cython.longlong, BOOK_ACTION)
_INSIDE_BITS = cython.declare(cython.longlong, (BOOK_ACTION | BOOK_LAST) << 8 | 0xFF)
_INSIDE = cython.declare(cython.longlong, int(BookAction.SET) << 8 | int(EventKind.BOOK))
"""Of word 3 of a record that sets a level, and is not the last of its change."""
_FULL_FLAG = cython.declare(cython.longlong, BOOK_FULL)
_LAST_FLAG = cython.declare(cython.longlong, BOOK_LAST)


@cython.cfunc
@cython.inline
@cython.boundscheck(False)  # a tick in the ring, masked, is a cell
@cython.wraparound(False)
@cython.initializedcheck(False)
def _put(ladder: Ladder, tick: cython.longlong, qty: cython.longlong) -> cython.int:
    """`Ladder.set`, with the most frequent case at hand: a level behind the best, in the ring."""
    offset: cython.longlong = tick - ladder.base
    if offset < 0 or offset >= ladder.size:
        return ladder.set(tick, qty)
    cell: cython.longlong = tick & ladder.mask
    old: cython.longlong = ladder.cells[cell]
    ladder.cells[cell] = qty
    ladder.near += cython.cast(cython.longlong, qty > 0) - cython.cast(cython.longlong, old > 0)
    if (tick - ladder.best) * ladder.side >= 0:
        return ladder.moved(tick, qty, old)
    return 0


@cython.cfunc
@cython.inline
@cython.boundscheck(False)  # the caller's row
@cython.wraparound(False)
@cython.initializedcheck(False)
def _take_set(book: "L2Book", bids: Ladder, asks: Ladder, rows: EventRows, i: cython.Py_ssize_t) -> cython.int:
    """A record that sets a level. Returns: 1 where it was faulty, else 0."""
    side: cython.int = cython.cast(cython.int, (rows.w[i, 3] >> 16) & 0xFFFF) - 2
    if book.tick != 1 or rows.w[i, 5] < 0:
        return book.update(side, rows.w[i, 4], rows.w[i, 5])
    book.updates += 1  # what `update` does, most of the time
    return _put(bids, rows.w[i, 4], rows.w[i, 5]) if side > 0 else _put(asks, rows.w[i, 4], rows.w[i, 5])


@cython.final
@cython.cclass
class L2Book(Book):
    """Price levels of one instrument.

    Feed it records (`apply`), single levels (`update`) or a whole book (`load`). Read floats (`bid`, `ask`, `bids(5)`), or the exact
    units (`bid_units`, ...). A side without levels has price 0 and quantity 0.

    Args:   tick: price units a level; the instrument's tick size unless said. silence_max_ns: after which the book is STALE, see
            `look`; 0 for never. window: ticks of each side that are kept at hand, a power of two; 65,536 take 512 KiB a side.
    Raises: ValueError: a window that is no power of two, or a tick below 1.
    """

    def __init__(
        self, instrument: Instrument, *, tick: int | None = None, silence_max_ns: int = 0, window: int = WINDOW
    ) -> None:
        self.start_book(instrument, tick, silence_max_ns, window)

    # ---- what comes in

    def update(self, side: cython.int, price: cython.longlong, qty: cython.longlong) -> cython.int:
        """A level has this quantity from now on. Returns: 0, or 1 where the update was faulty and changed nothing.

        Args: side: +1 bid, -1 ask. price, qty: units; 0 removes the level.
        """
        self.updates += 1
        if qty < 0:
            return self.fail(_NEGATIVE_QTY)
        level: cython.longlong = self.to_tick(price)
        if level * self.tick != price:
            return self.fail(_OFF_TICK)
        return _put(self.bid_side, level, qty) if side > 0 else _put(self.ask_side, level, qty)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def apply(self, rows: EventRows, start: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Take BOOK records start to stop - 1. Returns: how many of them were faulty. Raises: IndexError: no such rows."""
        if start < 0 or stop > rows.w.shape[0] or start > stop:
            raise IndexError(f"rows {start} to {stop} of {rows.w.shape[0]}")
        bad: cython.Py_ssize_t = 0
        bids: Ladder = self.bid_side
        asks: Ladder = self.ask_side
        flags: cython.longlong
        side: cython.int
        i: cython.Py_ssize_t
        for i in range(start, stop):
            flags = rows.w[i, 3] >> 8
            if flags & _ACTION_BITS == _SET:
                bad += _take_set(self, bids, asks, rows, i)
            else:
                side = cython.cast(cython.int, (rows.w[i, 3] >> 16) & 0xFFFF) - 2
                bad += self._act(cython.cast(cython.int, flags & _ACTION_BITS), side, rows.w[i, 4], rows.w[i, 5])
            if flags & _LAST_FLAG:
                self.heard(rows.w[i, 1])
                if flags & _FULL_FLAG:
                    self.came_whole()
                self.ends_crossed(self.is_crossed())
        return bad

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def take_inside(self, rows: EventRows, start: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Of records start to stop - 1, unchecked, take the first ones that set a level inside a change, as `apply` does.

        Returns: the first that is anything else, the last of a change among it; stop without any.
        """
        bids: Ladder = self.bid_side
        asks: Ladder = self.ask_side
        i: cython.Py_ssize_t = start
        while i < stop and rows.w[i, 3] & _INSIDE_BITS == _INSIDE:
            _take_set(self, bids, asks, rows, i)
            i += 1
        return i

    def load(self, bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]], ts: SupportsIndex = 0) -> int:
        """A full book, in place of what was there. Returns: how many levels were faulty; with any the book is not GOOD.

        Args: bids, asks: (price, quantity), units, in any order. ts: ns UTC.
        """
        self.clear()
        bad = sum(self.update(1, price, qty) for price, qty in bids)
        bad += sum(self.update(-1, price, qty) for price, qty in asks)
        self.heard(whole("ts", ts, 0, 2**63 - 1))
        if not bad:
            self.came_whole()
            self.ends_crossed(self.is_crossed())
        return bad

    def clear(self, side: cython.int = 0) -> cython.int:
        """No level any more, of one side (+1, -1) or of both."""
        if side >= 0:
            self.bid_side.clear()
        if side <= 0:
            self.ask_side.clear()
        return 0

    def _act(self, action: cython.int, side: cython.int, first: cython.longlong, second: cython.longlong) -> cython.int:
        """What is rare among the actions."""
        self.updates += 1
        if action == _CLEAR:
            return self.clear(0 if side == -2 else side)
        if action == _STATUS:
            return self.set_state(cython.cast(cython.int, first), cython.cast(cython.int, second))
        return self.fail(_UNKNOWN_ACTION)

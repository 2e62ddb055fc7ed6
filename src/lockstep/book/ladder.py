"""One side of a book by price level: a ring of cells around the best, and a table for what lies far away.

    ticks  ... far (table) ... | base ......... best ... base + size - 1 |
                                 worse                  better

A cell holds the quantity at its tick, 0 where there is none. The ring covers `size` neighbouring ticks, with the best inside;
a quarter of them lie on its better side. Real feeds carry orders at absurd prices (bids at a hundredth of the market), which
would ask for millions of cells: those go into the table, and come into the ring when the best has wandered towards them.
The best is known at once; when its level empties, the next one is found by walking, a few hundredths of a tick a change on real books.
"""

from array import array

import cython

if cython.compiled:
    from cython.cimports.lockstep.book.far import FarLevels
else:
    from lockstep.book.far import FarLevels

WINDOW = 65_536
"""Ticks in the ring, unless said otherwise: 512 KiB a side."""
_FAR_OFF = cython.declare(cython.longlong, 2**62)


@cython.final
@cython.cclass
class Ladder:
    """The bids (side +1) or the asks (side -1) of one book, in ticks. Unchecked: for the books of this room.

    best: the best tick, far off on the worse side where the side is empty. near: levels in the ring.

    Args: window: ticks in the ring, a power of two from 64 on.
    """

    side: cython.int
    best: cython.longlong
    base: cython.longlong
    size: cython.longlong
    mask: cython.longlong
    near: cython.longlong
    far: FarLevels
    _memory: "array[int]"
    cells: "array[int]"

    def __init__(self, side: int, window: int = WINDOW) -> None:
        """Raises: ValueError: a window that is no power of two."""
        if window < 64 or window & (window - 1):
            raise ValueError(f"window was {window} ticks, must be a power of two from 64 on")
        self.side = side
        self.best = -_FAR_OFF * side
        self.size = window
        self.mask = window - 1
        self.base = 0
        self.near = 0
        self.far = FarLevels()
        self._memory = array("q", bytes(8 * window))
        self.cells = self._memory

    @cython.boundscheck(False)  # a tick in the ring, masked, is a cell
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def set(self, tick: cython.longlong, qty: cython.longlong) -> cython.int:
        """A level has this quantity from now on; 0 removes it."""
        offset: cython.longlong = tick - self.base
        if offset < 0 or offset >= self.size:
            return self._set_far(tick, qty)
        cell: cython.longlong = tick & self.mask
        old: cython.longlong = self.cells[cell]
        self.cells[cell] = qty
        # No branch on what the cell held: it may have to come from far down in memory, and nothing here waits for it.
        self.near += cython.cast(cython.longlong, qty > 0) - cython.cast(cython.longlong, old > 0)
        if (tick - self.best) * self.side >= 0:
            return self.moved(tick, qty, old)
        return 0

    def moved(self, tick: cython.longlong, qty: cython.longlong, old: cython.longlong) -> cython.int:
        """The best level, or one before it, has another quantity."""
        if qty > 0:
            self.best = tick
        elif old > 0:
            return self._next_best()
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def at(self, tick: cython.longlong) -> cython.longlong:
        """The quantity at a tick."""
        offset: cython.longlong = tick - self.base
        if 0 <= offset < self.size:
            return self.cells[tick & self.mask]
        return self.far.at(tick)

    def is_empty(self) -> cython.bint:
        """Whether there is no level."""
        return self.near == 0  # the best is always in the ring

    def count(self) -> cython.Py_ssize_t:
        """How many levels there are."""
        return self.near + self.far.count

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def clear(self) -> cython.int:
        """No level any more."""
        tick: cython.longlong = self.best
        while self.near > 0:
            if self.cells[tick & self.mask] > 0:
                self.cells[tick & self.mask] = 0
                self.near -= 1
            tick -= self.side
        self.far.clear()
        self.best = -_FAR_OFF * self.side
        return 0

    def worse_than(self, tick: cython.longlong) -> cython.longlong:
        """The tick of the next worse level; far off on the worse side where there is none. tick: the best, or one from here."""
        at: cython.longlong = tick - self.side
        while self.near > 1 and 0 <= at - self.base < self.size:
            if self.cells[at & self.mask] > 0:
                return at
            at -= self.side
        return self.far.best_below(tick, self.side)

    def depth(self, count: cython.Py_ssize_t) -> list[tuple[int, int]]:
        """(tick, quantity) of the best levels, best first, at most so many."""
        found: list[tuple[int, int]] = []
        tick: cython.longlong = self.best
        left: cython.longlong = self.near
        while left > 0 and len(found) < count:
            if self.cells[tick & self.mask] > 0:
                found.append((tick, self.cells[tick & self.mask]))
                left -= 1
            tick -= self.side
        if len(found) < count and self.far.count > 0:
            found.extend(sorted(self.far.levels(), reverse=self.side > 0)[: count - len(found)])
        return found

    # ---- what is rare

    def _set_far(self, tick: cython.longlong, qty: cython.longlong) -> cython.int:
        """A level outside the ring. One that is better than every other moves the ring there."""
        if qty > 0 and (tick - self.best) * self.side > 0:
            self._move_to(tick)
            return self.set(tick, qty)
        return self.far.set(tick, qty)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _next_best(self) -> cython.int:
        """The best level has gone."""
        tick: cython.longlong = self.best
        if self.near == 0:
            self.best = -_FAR_OFF * self.side
            if self.far.count > 0:
                best: cython.longlong = self.far.best_below(_FAR_OFF * self.side, self.side)
                self._move_to(best)
                self.best = best
            return 0
        tick -= self.side
        while self.cells[tick & self.mask] == 0:
            tick -= self.side
        self.best = tick
        room: cython.longlong = tick - self.base if self.side > 0 else self.base + self.size - 1 - tick
        if room < self.size // 8 and self.far.count > 0:
            self._move_to(tick)
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _move_to(self, best: cython.longlong) -> cython.int:
        """Lay the ring around a tick: what leaves it goes into the table, what comes to lie in it comes out."""
        base: cython.longlong = best - self.size // 4 if self.side < 0 else best - self.size + self.size // 4
        first: cython.longlong = self.base if base > self.base else max(self.base, base + self.size)
        last: cython.longlong = min(self.base + self.size, base) if base > self.base else self.base + self.size
        tick: cython.longlong
        for tick in range(first, last):
            if self.near > 0 and self.cells[tick & self.mask] > 0:
                self.far.set(tick, self.cells[tick & self.mask])
                self.cells[tick & self.mask] = 0
                self.near -= 1
        self.base = base
        for entry, qty in self.far.levels():
            tick = entry
            if 0 <= tick - base < self.size:
                self.cells[tick & self.mask] = qty
                self.far.set(tick, 0)
                self.near += 1
        return 0

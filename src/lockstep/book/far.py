"""Levels far from the best of a side: an open-addressed table from ticks to quantities.

One change in twenty-five of a real book is told of a level that lies outside the ring of `ladder`. As there is no level without
a quantity, a quantity of 0 marks a free place. Half of the table or more is free; a removal shifts back what it displaced.
"""

from array import array

import cython

_MULTIPLIER = cython.declare(cython.ulonglong, 0x9E3779B97F4A7C15)
_BITS = cython.declare(cython.ulonglong, 2**64 - 1)
_FAR_OFF = cython.declare(cython.longlong, 2**62)  # as of a ladder without levels


@cython.final
@cython.cclass
class FarLevels:
    """Tick -> quantity above 0. Unchecked: for the books of this room."""

    count: cython.longlong
    size: cython.longlong
    mask: cython.longlong
    shift: cython.int
    ticks: "array[int]"
    cells: "array[int]"

    def __init__(self) -> None:
        self._allot(64)

    def _allot(self, size: int) -> None:
        self.count = 0
        self.size = size
        self.mask = size - 1
        self.shift = 64 - (size.bit_length() - 1)
        self.ticks = array("q", bytes(8 * size))
        self.cells = array("q", bytes(8 * size))

    @cython.boundscheck(False)  # places are masked
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def at(self, tick: cython.longlong) -> cython.longlong:
        """The quantity at a tick, 0 where there is none."""
        place: cython.longlong = self._home(tick)
        while self.cells[place] != 0 and self.ticks[place] != tick:
            place = (place + 1) & self.mask
        return self.cells[place]

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def set(self, tick: cython.longlong, qty: cython.longlong) -> cython.int:
        """A level has this quantity from now on; 0 removes it."""
        place: cython.longlong = self._home(tick)
        while self.cells[place] != 0 and self.ticks[place] != tick:
            place = (place + 1) & self.mask
        if qty == 0:
            return self._free(place) if self.cells[place] != 0 else 0
        if self.cells[place] == 0:
            if self.count * 2 >= self.size:
                self._grow()
                return self.set(tick, qty)
            self.count += 1
            self.ticks[place] = tick
        self.cells[place] = qty
        return 0

    def clear(self) -> cython.int:
        """No level any more."""
        if self.count > 0:
            self._allot(self.size)
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def best_below(self, tick: cython.longlong, side: cython.int) -> cython.longlong:
        """The best of the ticks that are worse than one, as a side (+1 bids, -1 asks) sees it; far off on its worse side without any."""
        found: cython.longlong = -_FAR_OFF * side
        place: cython.longlong
        for place in range(self.size):
            if self.cells[place] != 0:
                other: cython.longlong = self.ticks[place]
                if (tick - other) * side > 0 and (other - found) * side > 0:
                    found = other
        return found

    def levels(self) -> list[tuple[int, int]]:
        """(tick, quantity) of all, in no order."""
        found: list[tuple[int, int]] = []
        place: cython.Py_ssize_t
        for place in range(self.size):
            if self.cells[place] != 0:
                found.append((self.ticks[place], self.cells[place]))  # noqa: PERF401 - a comprehension would not be C
        return found

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _free(self, gap: cython.longlong) -> cython.int:
        """Nothing stands at a place any more: what was displaced by it moves up."""
        place: cython.longlong = (gap + 1) & self.mask
        while self.cells[place] != 0:
            # An entry may fill the gap unless its home lies after the gap: it would not be found before it.
            if ((place - self._home(self.ticks[place])) & self.mask) >= ((place - gap) & self.mask):
                self.ticks[gap] = self.ticks[place]
                self.cells[gap] = self.cells[place]
                gap = place
            place = (place + 1) & self.mask
        self.cells[gap] = 0
        self.count -= 1
        return 0

    def _home(self, tick: cython.longlong) -> cython.longlong:
        product: cython.ulonglong = cython.cast(cython.ulonglong, tick) * _MULTIPLIER
        if not cython.compiled:
            product &= _BITS
        return cython.cast(cython.longlong, product >> self.shift)

    def _grow(self) -> cython.int:
        kept = self.levels()
        self._allot(self.size * 2)
        for tick, qty in kept:
            self.set(tick, qty)
        return 0

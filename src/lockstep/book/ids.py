"""Where the order of a number is: an open-addressed table from order ids, any int64, to slots.

Half of the table or more is free, so that a search is a step or two; a removal shifts back what it displaced, so that no
tombstones gather. The table doubles before it is too full.
"""

from array import array

import cython

_MULTIPLIER = cython.declare(cython.ulonglong, 0x9E3779B97F4A7C15)
_BITS = cython.declare(cython.ulonglong, 2**64 - 1)


@cython.final
@cython.cclass
class IdTable:
    """Order id -> slot, 0 and up. Unchecked: for the books of this room.

    Args: room: ids there is room for before the table grows.
    """

    count: cython.longlong
    size: cython.longlong
    mask: cython.longlong
    shift: cython.int
    keys: "array[int]"
    slots: "array[int]"

    def __init__(self, room: int = 4096) -> None:
        self.count = 0
        self._allot(max(16, 1 << (2 * room - 1).bit_length()))

    def _allot(self, size: int) -> None:
        self.size = size
        self.mask = size - 1
        self.shift = 64 - (size.bit_length() - 1)
        self.keys = array("q", bytes(8 * size))
        self.slots = array("i", [-1]) * size

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def find(self, key: cython.longlong) -> cython.int:
        """The slot of an id, or -1."""
        at: cython.longlong = self._home(key)
        while self.slots[at] >= 0:
            if self.keys[at] == key:
                return self.slots[at]
            at = (at + 1) & self.mask
        return -1

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def put(self, key: cython.longlong, slot: cython.int) -> cython.int:
        """A new id; the caller knows that it is not there."""
        if self.count * 2 >= self.size:
            self._grow()
        at: cython.longlong = self._home(key)
        while self.slots[at] >= 0:
            at = (at + 1) & self.mask
        self.keys[at] = key
        self.slots[at] = slot
        self.count += 1
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def remove(self, key: cython.longlong) -> cython.int:
        """Forget an id; the caller knows that it is there."""
        gap: cython.longlong = self._home(key)
        while self.keys[gap] != key or self.slots[gap] < 0:
            gap = (gap + 1) & self.mask
        at: cython.longlong = (gap + 1) & self.mask
        while self.slots[at] >= 0:
            # An entry may fill the gap unless its home lies after the gap: it would not be found before it.
            if ((at - self._home(self.keys[at])) & self.mask) >= ((at - gap) & self.mask):
                self.keys[gap] = self.keys[at]
                self.slots[gap] = self.slots[at]
                gap = at
            at = (at + 1) & self.mask
        self.slots[gap] = -1
        self.count -= 1
        return 0

    def clear(self) -> cython.int:
        """No id any more; the room stays."""
        self.count = 0
        self._allot(self.size)
        return 0

    def _home(self, key: cython.longlong) -> cython.longlong:
        product: cython.ulonglong = cython.cast(cython.ulonglong, key) * _MULTIPLIER
        if not cython.compiled:
            product &= _BITS
        return cython.cast(cython.longlong, product >> self.shift)

    def _grow(self) -> cython.int:
        keys, slots = self.keys, self.slots
        old: cython.longlong = self.size
        self._allot(self.size * 2)
        self.count = 0
        at: cython.longlong
        for at in range(old):
            if slots[at] >= 0:
                self.put(keys[at], slots[at])
        return 0

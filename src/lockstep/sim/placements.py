"""Where orders of ours came to rest in a book, and how much of each was filled there."""

from array import array

import cython

NOWHERE = -(2**62)
"""The distance from a best price that there was none of; and what stood at a price that is not told."""
WORDS = 6
_WORDS = cython.declare(cython.Py_ssize_t, WORDS)


@cython.final
@cython.cclass
class Placements:
    """One row each time an order joins a queue: on arrival, and again as it moves to another price or behind the others.

    count: rows. rows: of each order id, venue time, ticks behind the best price of its own side (below 0: better than it), what stood
    at its price, what was to be filled, what of that was filled there.
    """

    count: cython.Py_ssize_t
    rows: "array[int]"

    def __init__(self) -> None:
        self.count = 0
        self.rows = array("q", bytes(8 * WORDS * 64))

    @cython.boundscheck(False)  # up to count
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def add(
        self,
        order_id: cython.longlong,
        ts: cython.longlong,
        behind: cython.longlong,
        ahead: cython.longlong,
        qty: cython.longlong,
    ) -> cython.Py_ssize_t:
        """An order joins a queue. Returns the row's number, from 1."""
        at: cython.Py_ssize_t = self.count * _WORDS
        if at == len(self.rows):
            self.rows = array("q", bytes(self.rows) * 2)
        self.rows[at] = order_id
        self.rows[at + 1] = ts
        self.rows[at + 2] = behind
        self.rows[at + 3] = ahead
        self.rows[at + 4] = qty
        self.rows[at + 5] = 0
        self.count += 1
        return self.count

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def fill(self, number: cython.Py_ssize_t, qty: cython.longlong) -> cython.int:
        """So much was filled where row `number` says."""
        self.rows[number * _WORDS - 1] += qty
        return 0

    def words(self) -> list[int]:
        """The rows one after another, as plain data."""
        return [self.rows[k] for k in range(self.count * WORDS)]

    def save(self) -> dict[str, list[int]]:
        """As plain data."""
        return {"rows": self.words()}

    def restore(self, saved: dict[str, list[int]]) -> None:
        """Continue from `save`."""
        words = saved["rows"]
        self.count = 0
        for k in range(len(words) // WORDS):
            at = k * WORDS
            number = self.add(words[at], words[at + 1], words[at + 2], words[at + 3], words[at + 4])
            self.fill(number, words[at + 5])

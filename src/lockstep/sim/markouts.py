"""Mark-outs: where the middle of the book stood 1, 5 and 15 seconds after each of our fills, in the venue's own time.

A fill whose price the market leaves against us was adversely selected: we were filled because somebody knew more. The signed
distance (middle - price) x side is the fill's mark-out: below 0 on the average is what a maker pays for its spread.
"""

from array import array

import cython

HORIZONS = (1_000_000_000, 5_000_000_000, 15_000_000_000)
"""ns after a fill."""
_COUNT = cython.declare(cython.int, 3)
_NEVER = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)
_FIRST = cython.declare(cython.longlong, 1_000_000_000)
_SECOND = cython.declare(cython.longlong, 5_000_000_000)
_THIRD = cython.declare(cython.longlong, 15_000_000_000)


@cython.final
@cython.cclass
class MarkOuts:
    """The fills of one instrument and the middles after them.

    count: fills. execs, times: their execution ids and times. middles: twice the middle in price units at each horizon, fill by
    fill; 0 where the book was not GOOD, or silent for too long, a side was empty, or the data ended before. reached: how many
    fills each horizon has passed. next_due: when the next middle is due.
    """

    count: cython.longlong
    next_due: cython.longlong
    execs: "array[int]"
    times: "array[int]"
    middles: "array[int]"
    reached: "array[int]"

    def __init__(self) -> None:
        self.count = 0
        self.next_due = _NEVER
        self.reached = array("q", bytes(8 * len(HORIZONS)))
        self._allot(64)

    def _allot(self, room: int) -> None:
        self.execs, self.times = array("q", bytes(8 * room)), array("q", bytes(8 * room))
        self.middles = array("q", bytes(8 * len(HORIZONS) * room))

    @cython.boundscheck(False)  # up to count, and horizons
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def add(self, exec_id: cython.longlong, ts: cython.longlong) -> cython.int:
        """One of our orders was filled. Fills come in order of time."""
        k: cython.int
        if self.count == len(self.execs):
            self._grow()
        self.execs[self.count] = exec_id
        self.times[self.count] = ts
        for k in range(_COUNT):  # what grew holds a copy of what was there
            self.middles[_COUNT * self.count + k] = 0
        self.count += 1
        if ts + _FIRST < self.next_due:
            self.next_due = ts + _FIRST
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def settle(self, ts: cython.longlong, middle: cython.longlong, trusted_to: cython.longlong) -> cython.int:
        """The book has stood since the last change and is to change at ts: what was due before that is known, as long as the book
        counted.
        """
        k: cython.int
        ahead: cython.longlong
        at: cython.longlong
        self.next_due = _NEVER
        for k in range(_COUNT):
            ahead = _FIRST if k == 0 else _SECOND if k == 1 else _THIRD
            at = self.reached[k]
            while at < self.count and self.times[at] + ahead < ts:
                self.middles[_COUNT * at + k] = middle if self.times[at] + ahead <= trusted_to else 0
                at += 1
            self.reached[k] = at
            if at < self.count and self.times[at] + ahead < self.next_due:
                self.next_due = self.times[at] + ahead
        return 0

    def _grow(self) -> cython.int:
        """Room for twice as many fills."""
        self.execs = array("q", bytes(self.execs) * 2)
        self.times = array("q", bytes(self.times) * 2)
        self.middles = array("q", bytes(self.middles) * 2)
        return 0

    def rows(self) -> list[tuple[int, ...]]:
        """(execution id, twice the middle at each horizon) of each fill."""
        return [
            (self.execs[k], self.middles[3 * k], self.middles[3 * k + 1], self.middles[3 * k + 2])
            for k in range(self.count)
        ]

    def save(self) -> dict[str, list[int]]:
        """As plain data."""
        count = self.count
        return {
            "execs": [self.execs[k] for k in range(count)],
            "times": [self.times[k] for k in range(count)],
            "middles": [self.middles[k] for k in range(3 * count)],
            "reached": [self.reached[k] for k in range(3)],
        }

    def restore(self, saved: dict[str, list[int]]) -> None:
        """Continue from `save`."""
        self.count = 0
        self.next_due = _NEVER
        for exec_id, ts in zip(saved["execs"], saved["times"], strict=True):
            self.add(exec_id, ts)
        for at, middle in enumerate(saved["middles"]):
            self.middles[at] = middle
        for at, count in enumerate(saved["reached"]):
            self.reached[at] = count
        self.settle(-_NEVER, 0, 0)  # nothing is due so early: it finds when the next one is

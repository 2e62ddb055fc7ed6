"""Sums over the last span of time: a ring of what came when, and its exact sum in whole units.

A push writes one slot and drops what is too old: nothing is allocated, except that a ring that is full is doubled, so that it
comes to hold what the busiest span held and no more. Sums of integers are exact: what left the ring left no rounding behind.
"""

from array import array
from typing import Any

import cython

from lockstep.model.arguments import whole
from lockstep.model.fields import field

_FIRST_SIZE = 64
_NOTHING = cython.declare(cython.longlong, 2**63 - 1)
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1


@cython.final
@cython.cclass
class TimedSum:
    """The sum of the amounts of the last `span` ns: those that came after clock - span.

    Amounts are units; their sum must stay below 2**63, which is 1,024 times the largest quantity that an instrument may have.
    """

    total: cython.longlong
    due: cython.longlong  # when the oldest leaves, ns UTC
    span: cython.longlong
    _times: "array[int]"
    _amounts: "array[int]"
    _head: cython.longlong
    _size: cython.longlong
    _mask: cython.longlong

    def __init__(self, span: int) -> None:
        self.span = span
        self._times = array("q", bytes(8 * _FIRST_SIZE))
        self._amounts = array("q", bytes(8 * _FIRST_SIZE))
        self._mask = _FIRST_SIZE - 1
        self.clear()

    def clear(self) -> cython.int:
        """Nothing came."""
        self.total = 0
        self.due = _NOTHING
        self._head = 0
        self._size = 0
        return 0

    @cython.boundscheck(False)  # a place masked is in the ring
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def push(self, clock: cython.longlong, amount: cython.longlong) -> cython.int:
        """An amount came at a time that is not before the last one's."""
        place: cython.longlong
        if self._size > self._mask:
            self._grow()
        if self._size == 0:
            self.due = clock + self.span
        place = (self._head + self._size) & self._mask
        self._times[place] = clock
        self._amounts[place] = amount
        self._size += 1
        self.total += amount
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def drop(self, clock: cython.longlong) -> cython.int:
        """Drop what is too old at a time."""
        oldest: cython.longlong = clock - self.span
        while self._size > 0 and self._times[self._head] <= oldest:
            self.total -= self._amounts[self._head]
            self._head = (self._head + 1) & self._mask
            self._size -= 1
        self.due = self._times[self._head] + self.span if self._size > 0 else _NOTHING
        return 0

    def _grow(self) -> cython.int:
        """Twice the room; the oldest comes to lie first."""
        size: cython.longlong = self._size
        rows = self.entries()
        self._times = array("q", [clock for clock, _ in rows] + [0] * size)
        self._amounts = array("q", [amount for _, amount in rows] + [0] * size)
        self._head = 0
        self._mask = 2 * size - 1
        return 0

    def entries(self) -> list[tuple[int, int]]:
        """(time, amount) of what is in the span, oldest first."""
        places = [(self._head + i) & self._mask for i in range(self._size)]
        return [(self._times[place], self._amounts[place]) for place in places]

    def save(self) -> list[list[int]]:
        """What is in the span, as plain JSON data."""
        return [list(entry) for entry in self.entries()]

    def restore(self, saved: Any) -> None:
        """Continue from checked entries of `save`."""
        self.clear()
        for clock, amount in saved:
            self.push(clock, amount)


def saved_entries(state: Any, key: str) -> list[tuple[int, int]]:
    """What a TimedSum saved, checked. Raises: ValueError, TypeError: damaged, or times that go back."""
    rows = field(state, key)
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == 2 for row in rows):
        raise ValueError(f"saved {key!r} must be a list of [time, amount]")
    found = [
        (whole("saved time", row[0], 0, _INT_MAX), whole("saved amount", row[1], _INT_MIN, _INT_MAX)) for row in rows
    ]
    if any(later[0] < earlier[0] for earlier, later in zip(found, found[1:], strict=False)):
        raise ValueError(f"the times of saved {key!r} go back")
    return found


def span_ns(name: str, ms: Any) -> int:
    """A span in whole milliseconds, at most a day, as ns. Raises: TypeError, ValueError: it is none."""
    return whole(name, ms, 1, SPAN_MS_MAX) * 1_000_000


SPAN_MS_MAX = 86_400_000
"""A day."""

__all__ = ["SPAN_MS_MAX", "TimedSum", "saved_entries", "span_ns"]

"""Delays that were recorded: what an order took to the venue and its answer back, at the times they were measured.

Between two measurements a delay is interpolated, as hftbacktest's order latency files are; before the first and after the last
it is theirs.
"""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import cython


@cython.final
@cython.cclass
class RecordedDelays:
    """Measurements as columns. Unchecked: `models.Latency` checks them.

    Args: rows: (time ns UTC, order to the venue ns, answer back ns), times rising.
    """

    times: "array[int]"
    entries: "array[int]"
    answers: "array[int]"

    def __init__(self, rows: Sequence[tuple[int, int, int]]) -> None:
        self.times, self.entries, self.answers = (array("q", column) for column in zip(*rows, strict=True))

    def entry_at(self, ts: cython.longlong) -> cython.longlong:
        """How long an order sent at ts takes to the venue, ns."""
        return self._between(self.entries, ts)

    def answer_at(self, ts: cython.longlong) -> cython.longlong:
        """How long an answer given at ts takes back, ns."""
        return self._between(self.answers, ts)

    def _between(self, column: Any, ts: cython.longlong) -> cython.longlong:
        at: cython.Py_ssize_t = bisect_right(self.times, ts)
        if at == 0:
            return cython.cast(cython.longlong, column[0])
        if at == len(self.times):
            return cython.cast(cython.longlong, column[at - 1])
        earlier: cython.py_int = self.times[at - 1]  # Python ints: the product may pass 64 bits
        first: cython.py_int = column[at - 1]
        gain: cython.py_int = column[at] - first
        return cython.cast(cython.longlong, first + gain * (ts - earlier) // (self.times[at] - earlier))

"""A growing table of fixed rows in a preallocated block: written in C, handed on when the block is full."""

from collections.abc import Callable

import cython
import numpy as np
from numpy.typing import NDArray

ROWS_PER_BLOCK = 4096

Sink = Callable[[NDArray[np.int64]], object]


@cython.final
@cython.cclass
class RowLog:
    """Rows of 64-bit words. Each sink is called with a full block, int64 [n, words], which it must use before it returns.

    ints and floats are two views of the same memory; who writes a column decides which of them it means.
    """

    ints: NDArray[np.int64]
    floats: NDArray[np.float64]
    used: cython.Py_ssize_t
    capacity: cython.Py_ssize_t
    count: cython.longlong
    array: NDArray[np.int64]
    sinks: list[Sink]

    def __init__(self, words: int, sinks: list[Sink]) -> None:
        self.array = np.zeros((ROWS_PER_BLOCK, words), np.int64)
        self.ints = memoryview(self.array)  # type: ignore[assignment, arg-type]
        self.floats = memoryview(self.array.view(np.float64))  # type: ignore[assignment, arg-type]
        self.used = 0
        self.capacity = ROWS_PER_BLOCK
        self.count = 0
        self.sinks = sinks

    def row(self) -> cython.Py_ssize_t:
        """The index of a fresh row in the block, to be filled at once."""
        if self.used == self.capacity:
            self.flush()
        self.used += 1
        self.count += 1
        return self.used - 1

    def flush(self) -> cython.int:
        """Hand on what the block holds."""
        if self.used:
            for sink in self.sinks:
                sink(self.array[: self.used])
            self.used = 0
        return 0

    def restart(self, count: cython.longlong) -> cython.int:
        """Go on after so many rows that were handed on elsewhere; what the block holds is dropped."""
        self.used = 0
        self.count = count
        return 0

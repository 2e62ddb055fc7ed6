"""Rows of 64-bit words that a run leaves behind: appended block by block, kept in memory while few, in a file beyond."""

import io
import tempfile
import weakref
from collections.abc import Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import DataError

ROWS_PER_READ = 65_536
MEMORY_BYTES_MAX = 24 * 2**20
"""Beyond this a spool goes to an unnamed temporary file, so that memory does not grow with history."""


class RowSpool:
    """An append-only table, int64 [n, words]; a file, if it comes to one, dies with the object."""

    def __init__(self, words: int, memory_bytes_max: int = MEMORY_BYTES_MAX) -> None:
        self.words = words
        self.rows = 0
        self._memory_bytes_max = memory_bytes_max
        self._held: list[NDArray[np.int64]] = []
        self._file: IO[bytes] | None = None

    def append(self, block: NDArray[np.int64]) -> None:
        """Add rows at the end; the block is copied."""
        if not len(block):  # nothing to add, and no bytes to view
            return
        self.rows += len(block)
        if self._file is not None:
            self._file.seek(0, io.SEEK_END)  # a reader that stopped half-way left the position there
            self._file.write(block.data.cast("B"))
            return
        self._held.append(block.copy())
        if self.rows * self.words * 8 > self._memory_bytes_max:
            self._file = tempfile.TemporaryFile(prefix="lockstep-")  # noqa: SIM115 - lives as long as the spool
            weakref.finalize(self, self._file.close)
            for held in self._held:
                self._file.write(held.data.cast("B"))
            self._held = []

    def clear(self) -> None:
        """Forget every row."""
        self.rows = 0
        self._held = []
        if self._file is not None:
            self._file.close()
            self._file = None

    def blocks(self) -> Iterator[NDArray[np.int64]]:
        """Everything appended so far, some rows at a time; treat the arrays as read-only.

        Raises: DataError: the temporary file lost bytes.
        """
        if self._file is None:
            yield from self._held
            return
        self._file.flush()
        for start in range(0, self.rows, ROWS_PER_READ):
            block = np.empty((min(ROWS_PER_READ, self.rows - start), self.words), np.int64)
            self._file.seek(start * self.words * 8)
            got = self._file.readinto(block.data.cast("B"))  # type: ignore[attr-defined]
            if got != block.nbytes:
                raise DataError(f"temporary file of a run cut short: read {got} of {block.nbytes} bytes at row {start}")
            yield block

    def column(self, index: int) -> NDArray[np.int64]:
        """One whole column, [n]."""
        parts = [block[:, index] for block in self.blocks()]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def float_column(self, index: int) -> NDArray[np.float64]:
        """One whole column, [n], where the same bits are float64."""
        return self.column(index).view(np.float64)

"""Rows of 64-bit words that a run leaves behind: appended block by block to an unnamed temporary file, read back so."""

import tempfile
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

ROWS_PER_READ = 65_536


class RowSpool:
    """An append-only table, int64 [n, words]; the file dies with the object, and memory does not grow with it."""

    def __init__(self, words: int) -> None:
        self.words = words
        self.rows = 0
        self._file = tempfile.TemporaryFile(prefix="lockstep-")  # noqa: SIM115 - lives as long as the spool

    def append(self, block: NDArray[np.int64]) -> None:
        """Add rows at the end."""
        self._file.write(block.data.cast("B"))
        self.rows += len(block)

    def blocks(self) -> Iterator[NDArray[np.int64]]:
        """Everything appended so far, some rows at a time, as fresh arrays."""
        self._file.seek(0)
        left = self.rows
        while left:
            rows = min(left, ROWS_PER_READ)
            block = np.empty((rows, self.words), np.int64)
            self._file.readinto(block.data.cast("B"))  # type: ignore[attr-defined]
            left -= rows
            yield block
        self._file.seek(0, 2)

    def column(self, index: int, *, floats: bool = False) -> NDArray[np.int64] | NDArray[np.float64]:
        """One whole column, [n], as int64 or (the same bits) float64."""
        parts = [block[:, index].copy() for block in self.blocks()]
        whole = np.concatenate(parts) if parts else np.empty(0, np.int64)
        return whole.view(np.float64) if floats else whole

"""The four files of a log folder: a line is in one whole or not at all, and each file is rotated when it is long.

system.log   what the run and its strategies say, signals, corporate actions, the summary at the end
orders.log   every command and order event that is no execution, with what risk refused
trades.log   executions, their corrections and busts
errors.log   every entry of ERROR or above, from wherever it came, once more
"""

import logging
from io import FileIO
from pathlib import Path
from typing import Any

from lockstep.run.logs.entries import Entry, line_of

STREAMS = ("system", "orders", "trades", "errors")
ROTATE_BYTES = 64 * 2**20
FILES_KEPT = 8
"""Of each stream, the file being written among them."""


class StreamFile:
    """One stream's file. What cannot be written is counted in `lost`; nothing is raised, and the next line is tried again."""

    def __init__(self, path: Path, rotate_bytes: int, keep: int) -> None:
        self.path = path
        self.lines = 0
        self.lost = 0
        self._rotate_bytes = rotate_bytes
        self._keep = keep
        self._file: FileIO | None = None
        self._size = 0

    def write(self, line: bytes) -> None:
        """Append one line."""
        try:
            if self._size and self._size + len(line) > self._rotate_bytes:
                self._rotate()
            file = self._open()
            written = file.write(line)
            if written != len(line):
                file.truncate(self._size)  # a full disk took half a line
                raise OSError("short write")
        except OSError:
            self.lost += 1
            self.close()
        else:
            self._size += len(line)
            self.lines += 1

    def close(self) -> None:
        """Give the file back; writing opens it again."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _open(self) -> FileIO:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = FileIO(self.path, "ab")
            self._size = self._file.tell()
        return self._file

    def _rotate(self) -> None:
        """orders.log becomes orders.log.1, that one .2, and so on; the oldest goes."""
        self.close()
        aged = [self.path, *(self.path.with_name(f"{self.path.name}.{age}") for age in range(1, self._keep))]
        if len(aged) == 1:
            self.path.unlink(missing_ok=True)
        for younger, older in zip(reversed(aged[:-1]), reversed(aged[1:]), strict=True):
            if younger.exists():
                younger.replace(older)
        self._size = 0


class StreamFiles:
    """The files of a folder, opened as their first lines come."""

    def __init__(self, folder: Path, rotate_bytes: int = ROTATE_BYTES, keep: int = FILES_KEPT) -> None:
        self.folder = folder
        self._files = {name: StreamFile(folder / f"{name}.log", rotate_bytes, keep) for name in STREAMS}

    def write(self, entry: Entry) -> None:
        """Put an entry into its stream, and an error into errors.log, too."""
        line = line_of(entry)
        self._files[entry.stream].write(line)
        if entry.level >= logging.ERROR:
            self._files["errors"].write(line)

    def lose(self, count: int) -> None:
        """So many lines could not even be made."""
        self._files["system"].lost += count

    def counts(self) -> dict[str, Any]:
        """Lines written by stream, and how many could not be."""
        return {name: file.lines for name, file in self._files.items()} | {
            "lost": sum(file.lost for file in self._files.values())
        }

    @property
    def lost(self) -> int:
        """Lines that could not be written."""
        return sum(file.lost for file in self._files.values())

    def close(self) -> None:
        """Give all files back."""
        for file in self._files.values():
            file.close()

"""The few things a journal asks of the file system, in one place, so that tests can make each of them fail."""

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from lockstep.store.journal.errors import JournalBusy

LOCK = "lock"
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system says where there is no room; any other failure means that the disk cannot be trusted."""


class Files:
    """The real file system. Everything raises OSError."""

    def create(self, path: Path) -> int:
        """Open a new file for appending. Raises: FileExistsError: there is one."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def append_to(self, path: Path) -> int:
        """Open a file for appending."""
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)

    def write(self, number: int, data: memoryview) -> int:
        """Write what the system takes at once. Returns: bytes taken."""
        return os.write(number, data)

    def write_all(self, number: int, data: memoryview) -> None:
        """Write everything; what a short write left is written next. Raises: OSError: the system takes no more."""
        left = data
        while left:
            taken = self.write(number, left)
            if taken <= 0:
                raise OSError(errno.EIO, "the system took no byte and gave no reason")
            left = left[taken:]

    def sync(self, number: int) -> None:
        """Return when the file's bytes are on the disk."""
        os.fsync(number)

    def truncate(self, number: int, size: int) -> None:
        """Cut a file off."""
        os.ftruncate(number, size)

    def close(self, number: int) -> None:
        """Give a file back."""
        os.close(number)

    def rename(self, old: Path, new: Path) -> None:
        """Give a file its name, whether or not one had it."""
        old.replace(new)

    def sync_folder(self, folder: Path) -> None:
        """Return when the folder's names are on the disk."""
        number = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.sync(number)
        finally:
            os.close(number)

    def write_new(self, path: Path, data: bytes) -> None:
        """A whole file, on the disk with its name, or nothing: there is never half of it under that name."""
        part = path.with_name(f".{path.name}.part")
        part.unlink(missing_ok=True)
        number = self.create(part)
        try:
            try:
                self.write_all(number, memoryview(data))
                self.sync(number)
            finally:
                self.close(number)
            self.rename(part, path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        self.sync_folder(path.parent)


class WriterLock:
    """One writer for a folder: `with WriterLock(folder)`. The lock goes with the process, however that ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        """Raises: JournalBusy: another writer holds it, named by its process."""
        file = (self._folder / LOCK).open("a+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            file.seek(0)
            who = file.read().strip() or "unknown"
            file.close()
            raise JournalBusy(
                f"{self._folder}: process {who} is writing this journal", hint="end it first, or use another folder"
            ) from e
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            with suppress(OSError):  # who wrote is no part of a journal: the same run leaves the same folder
                self._file.truncate(0)
            self._file.close()  # which unlocks
            self._file = None

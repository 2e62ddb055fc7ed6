"""A disk that fails: writes cut short, no room, errors of write and fsync, crashes at each call, and what a power cut leaves.

Files lie in a real folder, best one in memory, since the journal is read by its real reader. What was written and not synced
is remembered; a power cut keeps none, a part or all of it, with zeros or old sectors in the place of what was lost, and takes
back names whose folder was not synced.

Outside the model: what was synced is lost or altered later (the journal's own tests flip every bit); a disk that lies about
fsync; unlinking, which the writer does only to what is no longer needed.
"""

import errno
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

from lockstep.store.journal.files import Files

SECTOR = 512


class Crash(BaseException):
    """The process ends here. power: the machine with it. No handler of ours catches it but the world's."""

    def __init__(self, power: bool) -> None:
        super().__init__("crash")
        self.power = power


class Made(NamedTuple):
    """A name that a power cut may take back: old is None for a new file, else the name it had before."""

    new: Path
    old: Path | None


Fault = Callable[[str], tuple[str, int] | None]
"""Asked at each call with the seam's name: what fails there, and by how much."""


class FaultyFiles(Files):
    """Files of one machine, over its restarts."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self.dead = False  # the process has crashed: nothing reaches the disk any more
        self.full = False
        self._open: dict[int, Path] = {}
        self.synced: dict[Path, int] = {}  # bytes of a file that are on the disk for certain
        self.size: dict[Path, int] = {}
        self._made: list[Made] = []

    @property
    def unsynced(self) -> int:
        """Bytes that a power cut may take."""
        return sum(size - self.synced[path] for path, size in self.size.items())

    def create(self, path: Path) -> int:
        self._alive()
        number = super().create(path)
        self._open[number] = path
        self.synced[path] = self.size[path] = 0
        self._made.append(Made(path, None))
        return number

    def append_to(self, path: Path) -> int:
        self._alive()
        number = super().append_to(path)
        self._open[number] = path
        if path not in self.size:
            self.synced[path] = self.size[path] = path.stat().st_size
        return number

    def write(self, number: int, data: memoryview) -> int:
        self._alive()
        if self.full:
            raise OSError(errno.ENOSPC, "no space left on device")
        fault = self._fault("write")
        if fault is None:
            return self._write(number, data)
        kind, arg = fault
        if kind == "eio":
            raise OSError(errno.EIO, "input/output error")
        part = arg % (len(data) + 1)
        if kind == "enospc":  # the last of the room is taken before it says so
            self.full = True
            return self._write(number, data[:part]) if part else self.write(number, data)
        if kind == "short":
            return self._write(number, data[: max(1, part)])
        if kind == "crash_after":
            self._write(number, data)
        elif kind == "crash_torn":
            self._write(number, data[:part])
        self._die(arg)
        raise AssertionError

    def _write(self, number: int, data: memoryview) -> int:
        done = super().write(number, data)
        self.size[self._open[number]] += done
        return done

    def sync(self, number: int) -> None:
        self._alive()
        fault = self._fault("sync")
        if fault is not None:
            kind, arg = fault
            if kind == "eio":
                raise OSError(errno.EIO, "input/output error")
            if kind == "crash_before":
                self._die(arg)
        path = self._open.get(number)
        if path is not None:
            self.synced[path] = self.size[path]
        if fault is not None:
            self._die(fault[1])

    def sync_folder(self, folder: Path) -> None:
        self._alive()
        self._made = [made for made in self._made if made.new.parent != folder]

    def truncate(self, number: int, size: int) -> None:
        self._alive()
        super().truncate(number, size)
        path = self._open[number]
        self.size[path] = size
        self.synced[path] = min(self.synced[path], size)

    def rename(self, old: Path, new: Path) -> None:
        self._alive()
        fault = self._fault("rename")
        if fault is not None and fault[0] == "crash_before":
            self._die(fault[1])
        super().rename(old, new)
        self._made.append(Made(new, old))
        self.size[new], self.synced[new] = self.size.pop(old), self.synced.pop(old)
        for number, path in self._open.items():
            if path == old:
                self._open[number] = new
        if fault is not None:
            self._die(fault[1])

    def close(self, number: int) -> None:
        self._open.pop(number, None)
        super().close(number)

    # ---- the end of a process, and of a machine

    def _alive(self) -> None:
        if self.dead:
            raise OSError(errno.EIO, "the process is gone")

    def _die(self, arg: int) -> None:
        self.dead = True
        raise Crash(bool(arg & 1))

    def restart(self) -> None:
        """A new process. Descriptors of the old one are closed; the page cache is kept."""
        for number in list(self._open):
            self.close(number)
        self.dead = False

    def cut_power(self, chance: Random) -> None:
        """What was not on the disk is lost, wholly or in part."""
        for made in reversed(self._made):
            if chance.random() < 0.5 and made.new.exists():
                self._take_back(made)
        self._made = []
        for path, size in self.size.items():
            if path.exists() and size > self.synced[path]:
                self._lose(path, self.synced[path], size, chance)
        self.size = {path: path.stat().st_size for path in self.size if path.exists()}
        self.synced = dict(self.size)

    def _take_back(self, made: Made) -> None:
        if made.old is None:
            made.new.unlink()
        else:
            made.new.rename(made.old)
            self.size[made.old], self.synced[made.old] = self.size.pop(made.new), self.synced.pop(made.new)

    def _lose(self, path: Path, synced: int, size: int, chance: Random) -> None:
        with path.open("r+b") as file:
            kept = chance.randint(synced, size)
            if chance.random() < 0.5:
                file.truncate(kept)
                return
            # The length was kept and the bytes were not: whole sectors of zeros to the end.
            begin = max(synced, -(-kept // SECTOR) * SECTOR)
            if begin < size:
                file.seek(begin)
                file.write(bytes(size - begin))

"""One change of the store: files first, under a lock; then one rename that makes them all visible.

A process that dies before the rename leaves files nobody sees, which the next change removes; after it, the change is
complete. Two changes never meet: the second is refused with the process of the first.
"""

import os
import re
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from lockstep.model.errors import DataError, RetryError
from lockstep.store.catalog.vault import ledger
from lockstep.store.catalog.vault.ledger import Entry, Root
from lockstep.store.catalog.vault.names import id_of

LOCK = "lock"
TEMPORARY = ".new-"
UNCHANGED = "nothing was changed; free some space and run it again"
_HASH = rf"[0-9a-f]{{{ledger.HASH_DIGITS}}}"
_OURS = re.compile(
    rf"\.new-.*|instrument-{_HASH}\.json|\.?survey-{_HASH}\.json(\.\d+)?|\d{{4}}-\d{{2}}(-\d{{2}})?-{_HASH}\.parquet"
)
"""Files of these names are ours to remove; whatever else lies in the folder is left alone."""


class Change:
    """`with Change(home) as change: ...; change.commit(...)`; without `commit` nothing changes.

    cleaned: files that an unfinished change before this one had left, and which were removed.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.root = Root()
        self.cleaned = 0
        self._lock: IO[str] | None = None
        self._unfinished = False

    def temporary(self, path: Path) -> Path:
        """Where a file is written before it gets its name; its folder is made.

        Raises: RetryError: the folder cannot be made.
        """
        self._unfinished = True
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise RetryError(f"{path.parent}: cannot be made: {e.strerror}", hint=UNCHANGED) from e
        return path.with_name(TEMPORARY + path.name)

    def __enter__(self) -> Self:
        """Raises: RetryError: another process is changing the catalog, or the folder cannot be written."""
        import fcntl  # POSIX alone: where it is not, catalogs can be read but not changed

        try:
            self.home.mkdir(parents=True, exist_ok=True)
            lock = (self.home / LOCK).open("a+", encoding="ascii")
        except OSError as e:
            raise RetryError(f"{self.home}: cannot be written: {e.strerror}") from e
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            lock.seek(0)
            who = lock.read().strip() or "unknown"
            lock.close()
            raise RetryError(
                f"{self.home}: process {who} is importing into this catalog", hint="run it again when that one is done"
            ) from e
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock
        try:
            self.root = ledger.load_root(self.home)
            self._clean()
        except BaseException:
            lock.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._unfinished and self._lock is not None:
                self._clean()
        except OSError:
            pass  # the next change cleans up; a second failure must not hide the first
        finally:
            if self._lock is not None:
                self._lock.close()  # which unlocks

    def place(self, path: Path) -> None:
        """Give what was written to `temporary(path)` its name, once its bytes are on the disk."""
        written = path.with_name(TEMPORARY + path.name)
        try:
            with written.open("rb") as file:
                os.fsync(file.fileno())
            written.replace(path)
        except OSError as e:
            raise RetryError(f"{path}: cannot be written: {e.strerror}", hint=UNCHANGED) from e

    def commit(self, entries: list[Entry], retired: list[str]) -> None:
        """Make the entries the catalog's, all at once.

        Args:   retired: paths under home that no entry names any more.
        Raises: RetryError: a file cannot be written; nothing has changed then.
        """
        instruments = dict(self.root.instruments)
        old = [*retired]
        folders = set()
        for entry in entries:
            content = ledger.encoded(entry)
            name, key = ledger.entry_name(content), entry.instrument.id
            before = instruments.get(key)
            if before is not None and before != name:
                old.append(f"{entry.folder}/{before}")
            self._write(self.home / entry.folder / name, content)
            instruments[key] = name
            folders.add(self.home / entry.folder)
            folders.update(self.home / entry.folder / series for series in entry.series)
        for folder in folders:
            _fsync_folder(folder)
        live = {path for entry in entries for path in _paths_of(entry)}
        root = Root(
            generation=self.root.generation + 1,
            instruments=instruments,
            retired=tuple(path for path in old if path not in live),
        )
        self._write(self.home / ledger.ROOT, ledger.encoded(root))
        _fsync_folder(self.home)
        self.root = root
        self._unfinished = False
        for entry in entries:
            for survey in (self.home / entry.folder).glob("*survey-*"):
                if _OURS.fullmatch(survey.name):
                    survey.unlink(missing_ok=True)

    def _write(self, path: Path, content: bytes) -> None:
        try:
            self.temporary(path).write_bytes(content)
        except OSError as e:
            raise RetryError(f"{path}: cannot be written: {e.strerror}", hint=UNCHANGED) from e
        self.place(path)

    def _clean(self) -> None:
        """Remove what no entry names: files of an unfinished change, and those the last change made useless."""
        for path in self.home.glob(TEMPORARY + "*"):
            path.unlink(missing_ok=True)
            self.cleaned += 1
        for folder in self.home.iterdir():
            if folder.is_dir() and _is_instrument(folder.name):
                self._clean_folder(folder)

    def _clean_folder(self, folder: Path) -> None:
        known = set(self.root.retired)
        live: set[str] = set()
        file = self.root.instruments.get(id_of(folder.name))
        if file is not None:
            try:
                live = {f"{folder.name}/{file}", *_paths_of(ledger.load_entry(self.home, id_of(folder.name), file))}
            except DataError:
                return  # a damaged entry does not say what it named: better to keep too much
        for path in [*folder.glob("*"), *folder.glob("*/*")]:
            relative = path.relative_to(self.home).as_posix()
            if relative in live or not _OURS.fullmatch(path.name) or not path.is_file():
                continue
            if "survey-" in path.name and file is not None:  # still true, unless this change touches the instrument
                continue
            path.unlink(missing_ok=True)
            self.cleaned += relative not in known and "survey-" not in path.name


def _paths_of(entry: Entry) -> list[str]:
    named = entry.series.items()
    return [f"{entry.folder}/{name}/{part.file}" for name, series in named for part in series.parts]


def _is_instrument(name: str) -> bool:
    try:
        id_of(name)
    except DataError:
        return False
    return True


def _fsync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)

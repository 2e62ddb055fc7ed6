"""A session's journal: in order, whatever the disk does, and as safe as the mode says before anything leans on it.

A full disk ends nothing: what finds no room waits in memory, in order, and goes to the journal once there is some. Until then
nothing is safe, and whoever asks is told so. A disk that fails ends the session.
"""

from collections.abc import Callable
from functools import partial

from lockstep.model.errors import HaltError
from lockstep.store.journal.errors import JournalFailed, JournalFull
from lockstep.store.journal.writer import Durability, JournalWriter

HELD_MAX = 100_000
"""Records kept in memory while the disk is full; then the session ends."""
Append = Callable[[], object]
"""One append to the writer, with all it needs."""


class KeptJournal:
    """A writer, and what waits for room. failed: called before an error is raised that ends the session.

    Attributes (read-only): `full`: there is no room, nothing new is safe.
    """

    def __init__(self, writer: JournalWriter, durability: Durability, failed: Callable[[], None]) -> None:
        self.writer = writer
        self.full = False
        self._durable = durability is Durability.DURABLE
        self._failed = failed
        self._held: list[Append] = []

    def append(self, append: Append) -> None:
        """Append, or hold it while the disk is full: what came before goes first.

        Raises: JournalFailed. HaltError: too much is held.
        """
        if self._held:
            self._hold(append)
            return
        if not self._has_room(append):
            self._hold(append)

    def make_safe(self) -> bool:
        """Have everything appended with the operating system, in durable mode on the disk.

        Returns: False where there is no room for it. Raises: JournalFailed.
        """
        if self.full:
            return False
        self.full = not self._has_room(self.writer.sync if self._durable else self.writer.flush)
        return not self.full

    def snapshot(self, state: bytes) -> bool:
        """Put a state beside the journal. Returns: False where there is no room. Raises: JournalFailed."""
        if self.full:
            return False
        self.full = not self._has_room(partial(self.writer.snapshot, state))
        return not self.full

    def try_again(self) -> None:
        """Room again? Then what was held goes to the journal. Raises: JournalFailed."""
        done = 0
        while done < len(self._held) and self._has_room(self._held[done]):
            done += 1
        self.full = done < len(self._held)
        del self._held[:done]
        self.make_safe()

    def _has_room(self, step: Callable[[], object]) -> bool:
        """Do something with the writer. Returns: False where the disk is full, and nothing was done. Raises: JournalFailed."""
        try:
            step()
        except JournalFull:
            return False
        except JournalFailed:
            self._failed()
            raise
        return True

    def _hold(self, append: Append) -> None:
        self.full = True
        self._held.append(append)
        if len(self._held) > HELD_MAX:
            self._failed()
            raise HaltError(
                f"the disk has been full for too long: {HELD_MAX:,} records wait in memory",
                hint="free some space and open the session again; the venue tells what was not journalled",
            )

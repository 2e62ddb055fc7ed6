"""What a restart needs of a journal: the newest state that checks, and every record after it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lockstep.store.journal.layout import Record
from lockstep.store.journal.reader import Journal
from lockstep.store.journal.snapshots import Snapshot, readable_snapshots


class Recovery(NamedTuple):
    """snapshot: None where the journal has to be replayed whole. skipped: snapshots that were passed over, and why.

    journal: after all records were read, its `torn` says whether the tail is torn.
    """

    journal: Journal
    snapshot: Snapshot | None
    skipped: tuple[str, ...]

    def records(self) -> Iterator[Record]:
        """The records after the snapshot, in order. Raises: DamagedJournal: at the first block that does not check."""
        return self.journal.records(self.snapshot.sequence if self.snapshot else 0)


def recover(folder: Path) -> Recovery:
    """Find the newest snapshot that checks and belongs to this very journal. Nothing is changed.

    Raises: UsageError: no journal there. DamagedJournal. RefuseError: a newer version wrote it.
    """
    journal = Journal(folder)
    skipped: list[str] = []
    for snapshot in readable_snapshots(folder, skipped):
        if snapshot.identity != journal.identity_hash:
            skipped.append(f"the snapshot after record {snapshot.sequence} is of another run")
        elif journal.chain_at(snapshot.sequence) != snapshot.chain:
            skipped.append(f"the snapshot after record {snapshot.sequence} is of another history than the journal's")
        else:
            return Recovery(journal, snapshot, tuple(skipped))
    return Recovery(journal, None, tuple(skipped))

"""What can go wrong with a journal, by what the system does next."""

from pathlib import Path

from lockstep.model.errors import HaltError, RefuseError, RetryError


class JournalFull(RetryError):
    """No room: nothing of what was to be appended is in the journal, which is whole; appending may work again later."""


class JournalBusy(RetryError):
    """Another writer holds the folder."""


class JournalFailed(HaltError):
    """The disk refused to write or to keep: this writer is finished, and so is sending anything that leans on it.

    A failed fsync is never tried again: the kernel may have dropped the pages and call the next one a success.
    """


class DamagedJournal(RefuseError):
    """Bytes that were whole once and are not what was written: nothing from there on is believed.

    Attributes: path: of the segment; block: its number, -1 in a segment's header; offset: bytes into the segment.
    """

    def __init__(self, path: Path, block: int, offset: int, fact: str) -> None:
        where = f"block {block}" if block >= 0 else "header"
        super().__init__(
            f"{path}: damaged in {where} at byte {offset}: {fact}",
            hint="restore the file from a copy; what stands before it can still be read: lockstep journal cat",
        )
        self.path = path
        self.block = block
        self.offset = offset


class TornJournal(RefuseError):
    """The last block was never written whole; everything before it is good, and cutting it off needs permission."""

"""Reading a journal: block by block, every checksum and the chain checked, nothing ever changed.

What does not check is one of two things. A **torn tail**: the file ends inside its last block, as a crash leaves it;
everything before is good. **Damage**: bytes that are all there and are not what was written, or a file that ends early
although another follows; reading stops with the place. A reader that meets a writer at work sees a torn tail, too.
"""

import struct
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import UsageError
from lockstep.store.journal.errors import DamagedJournal
from lockstep.store.journal.layout import (
    BLOCK_HEAD_BYTES,
    BODY_BYTES_MAX,
    DECISION_WORDS,
    FACT_HEAD_BYTES,
    HASH_BYTES,
    NO_HASH,
    SECTOR_BYTES,
    SEGMENT_HEAD_BYTES,
    WORD,
    BlockHead,
    Record,
    RecordKind,
    SegmentHead,
    digest,
    segment_paths,
    unpack_block_head,
    unpack_segment_head,
)
from lockstep.store.journal.packing import check_records

_TIMES = struct.Struct("<qq")
_FACT = int(RecordKind.FACT)
_BLOCK_SMALLEST = 4 * WORD  # one record: its head, two times, a word of payload


class TornTail(NamedTuple):
    """A block that was never written whole: where it begins, and how many bytes of it are there."""

    path: Path
    block: int
    offset: int
    size: int

    def text(self) -> str:
        """In words."""
        if self.block < 0:
            return f"{self.path}: its header is torn: {self.size} bytes of {SEGMENT_HEAD_BYTES}"
        return f"{self.path}: the last block, {self.block}, is torn: {self.size} bytes of it at byte {self.offset}"


class Block(NamedTuple):
    """A block that checks. body: its records; hash: what the next block must name."""

    path: Path
    offset: int
    head: BlockHead
    body: bytes
    starts: "array[int]"
    hash: bytes

    @property
    def last_sequence(self) -> int:
        """Of its last record."""
        return self.head.first_sequence + self.head.records - 1

    def records(self) -> Iterator[Record]:
        """Its records in order."""
        body = self.body
        for sequence, start in enumerate(self.starts, self.head.first_sequence):
            at = start * WORD + WORD
            size = int.from_bytes(body[at - 4 : at - 1], "little")
            kind = body[at - 1]
            ts, ts_event = _TIMES.unpack_from(body, at)
            skipped = FACT_HEAD_BYTES if kind == _FACT else 0
            yield Record(sequence, ts, ts_event, kind, body[at + skipped : at + size])

    def decisions(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Its DECISION records alone: their sequences, [n], and their rows, [n, 8]; as arrays, a record at a time is slow."""
        words = np.frombuffer(self.body, "<i8")
        starts = np.frombuffer(self.starts, np.int64)
        which = np.flatnonzero(words[starts] >> 56 & 0xFF == RecordKind.DECISION)
        rows = words[starts[which, None] + np.arange(1, 1 + DECISION_WORDS)]
        return self.head.first_sequence + which, rows.astype(np.int64, copy=False)

    def facts(self) -> Iterator[Record]:
        """Its FACT records alone."""
        words = np.frombuffer(self.body, "<i8")
        starts = np.frombuffer(self.starts, np.int64)
        if (words[starts] >> 56 & 0xFF == RecordKind.FACT).any():
            yield from (record for record in self.records() if record.kind == RecordKind.FACT)


class Survey(NamedTuple):
    """What a whole reading found. first_ts, last_ts: of the engine's clock, 0 where there is no record.

    end: bytes of the last segment that are good; chain: what the next block must name; both only where no tail is torn.
    """

    segments: int
    blocks: int
    records: int
    size: int
    last_sequence: int
    first_ts: int
    last_ts: int
    last_block: int
    end: int
    chain: bytes
    closed: bool
    torn: TornTail | None


class Journal:
    """A journal in a folder, read lazily. Several may read while one writes.

    Raises: UsageError: there is no journal. DamagedJournal: a segment is missing, or a header does not check.
            RefuseError: a newer version wrote it.

    Attributes: `torn`: the torn tail, once a reading has come to it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.torn: TornTail | None = None
        self._paths = segment_paths(folder)
        if not self._paths:
            raise UsageError(f"no journal in {folder}", hint="name the folder that holds its .journal files")
        self._heads = [head for path in self._paths if (head := self._head(path)) is not None]

    @property
    def identity_hash(self) -> bytes:
        """The hash of the identity of the run it is of; empty where not even the first header was written whole."""
        return self._heads[0].identity if self._heads else b""

    def identity(self) -> Any:
        """What the journal says it is of, as plain data; None where its first block is torn.

        Raises: DamagedJournal.
        """
        first = next(self.records(), None)
        return None if first is None else first.fact().get("identity")

    def records(self, after: int = 0) -> Iterator[Record]:
        """Records in order, from the one after that sequence on.

        Raises: DamagedJournal: at the first block that does not check; every record before it has been given then.
        """
        for block in self.blocks(after):
            for record in block.records():
                if record.sequence > after:
                    yield record

    def blocks(self, after: int = 0) -> Iterator[Block]:
        """Blocks that check, in order, from the one that holds the record after that sequence on.

        Reading begins at the segment that holds it: what lies before is not looked at.
        Raises: DamagedJournal.
        """
        self.torn = None
        begin = max((k for k, head in enumerate(self._heads) if head.first_sequence <= after + 1), default=0)
        first = self._heads[begin] if begin else SegmentHead(1, 1, 1, self.identity_hash, NO_HASH)
        sequence, number, chain = first.first_sequence, first.first_block, first.chain
        for k in range(begin, len(self._paths)):
            path = self._paths[k]
            if k >= len(self._heads):  # the last one, cut inside its header
                self.torn = TornTail(path, -1, 0, path.stat().st_size)
                return
            _refuse_other_head(path, self._heads[k], SegmentHead(k + 1, sequence, number, self.identity_hash, chain))
            chain = digest(_head_bytes(path))
            for block in self._segment(path, self._heads[k], chain):
                sequence, number, chain = block.last_sequence + 1, block.head.number + 1, block.hash
                if block.last_sequence > after:
                    yield block

    def chain_at(self, sequence: int) -> bytes | None:
        """The hash of the block that ends with a record; None where no block does. Raises: DamagedJournal."""
        for block in self.blocks(sequence - 1):
            return block.hash if block.last_sequence == sequence else None
        return None

    def survey(self, after: int = 0) -> Survey:
        """Check everything from the segment on that holds the record after a sequence.

        Raises: DamagedJournal.
        """
        blocks = records = first_ts = last_ts = 0
        last: Block | None = None
        for block in self.blocks(after):
            if last is None:
                first_ts = _ts_of(block, 0)
            blocks, records, last = blocks + 1, records + block.head.records, block
            last_ts = _ts_of(block, -1)
        return self._survey(blocks, records, first_ts, last_ts, last)

    def _survey(self, blocks: int, records: int, first_ts: int, last_ts: int, last: Block | None) -> Survey:
        path = self._paths[-1]
        size = sum(each.stat().st_size for each in self._paths)
        if not self._heads:
            return Survey(1, 0, 0, size, 0, 0, 0, 0, 0, NO_HASH, closed=False, torn=self.torn)
        head = self._heads[-1]
        fresh = last is None or last.path != path  # the last segment has no block yet
        return Survey(
            segments=len(self._paths),
            blocks=blocks,
            records=records,
            size=size,
            last_sequence=last.last_sequence if last else head.first_sequence - 1,
            first_ts=first_ts,
            last_ts=last_ts,
            last_block=last.head.number if last else head.first_block - 1,
            end=SEGMENT_HEAD_BYTES if fresh or last is None else _end_of(last),
            chain=digest(_head_bytes(path)) if fresh or last is None else last.hash,
            closed=last is not None and self.torn is None and _closes(last),
            torn=self.torn,
        )

    def _head(self, path: Path) -> SegmentHead | None:
        """The header; None where the last segment ends inside it."""
        data = _head_bytes(path)
        if len(data) < SEGMENT_HEAD_BYTES or not any(data):
            if path == self._paths[-1]:
                return None
            raise DamagedJournal(path, -1, len(data), "it ends inside its header, and another segment follows")
        return unpack_segment_head(data, path)

    def _segment(self, path: Path, segment: SegmentHead, chain: bytes) -> Iterator[Block]:
        number, sequence, offset = segment.first_block, segment.first_sequence, SEGMENT_HEAD_BYTES
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(offset)
            while offset < size:
                read = _read_block(file, path, BlockHead(number, sequence, 0, 0, chain), offset)
                if not isinstance(read, Block):
                    if read or path != self._paths[-1]:
                        raise DamagedJournal(path, number, offset, read or "it ends there, and another segment follows")
                    self.torn = TornTail(path, number, offset, size - offset)
                    return
                yield read
                number, sequence, offset, chain = number + 1, read.last_sequence + 1, _end_of(read), read.hash


def _read_block(file: IO[bytes], path: Path, expected: BlockHead, offset: int) -> Block | str:
    """The block at an offset; or what is wrong with it, "" for torn. expected: its number, first sequence and chain."""
    data = file.read(BLOCK_HEAD_BYTES)
    head = unpack_block_head(data) if len(data) == BLOCK_HEAD_BYTES else None
    if head is None:
        torn = len(data) < BLOCK_HEAD_BYTES or _ends_in_nothing(file, offset)
        return "" if torn else "its header does not check"
    for name, want, got in zip(("number", "first sequence"), expected, head, strict=False):
        if want != got:
            return f"its {name} is {got}, {want} was expected"
    if head.chain != expected.chain:
        if _ends_in_nothing(file, offset):  # the zeros begin inside the header, behind what its CRC covers
            return ""
        return f"it follows a block of hash {head.chain.hex()[:16]}, the one before has {expected.chain.hex()[:16]}"
    if (
        not _BLOCK_SMALLEST <= head.size <= BODY_BYTES_MAX
        or head.size % WORD
        or not 0 < head.records <= head.size // WORD
    ):
        return f"it says {head.records} records in {head.size} bytes"
    body = file.read(head.size)
    ending = file.read(HASH_BYTES)
    if len(ending) < HASH_BYTES:
        return ""
    hashed = digest(data, body)
    starts = array("q", bytes(8 * head.records))
    words = memoryview(body).cast("Q")
    bad = check_records(words, head.first_sequence, head.records, starts)
    if hashed == ending and bad < 0:
        return Block(path, offset, head, body, starts, hashed)
    if _ends_in_nothing(file, offset):
        return ""
    if bad < 0:
        return f"its hash is {ending.hex()[:16]}, its bytes give {hashed.hex()[:16]}"
    if bad >= head.records:
        return f"its records end before its {head.size} bytes do"
    at = offset + BLOCK_HEAD_BYTES + WORD * starts[bad]
    return f"record {head.first_sequence + bad} at byte {at} does not match its CRC32C, or is of no known kind"


def _ends_in_nothing(file: IO[bytes], offset: int) -> bool:
    """Whether the file ends in whole sectors of zeros that begin inside the block: its length was kept, its bytes not."""
    file.seek(offset)
    block = file.read(BLOCK_HEAD_BYTES + BODY_BYTES_MAX + HASH_BYTES)
    while more := file.read(BODY_BYTES_MAX):
        if more.strip(b"\0"):
            return False
    written = offset + len(block.rstrip(b"\0"))
    return written == offset or -(-written // SECTOR_BYTES) * SECTOR_BYTES < offset + len(block)


def _refuse_other_head(path: Path, head: SegmentHead, expected: SegmentHead) -> None:
    for name, got, want in zip(SegmentHead._fields, head, expected, strict=True):
        if got != want:
            shown = [value.hex()[:16] if isinstance(value, bytes) else value for value in (got, want)]
            raise DamagedJournal(path, -1, 0, f"its {name.replace('_', ' ')} is {shown[0]}, {shown[1]} was expected")


def _head_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(SEGMENT_HEAD_BYTES)


def _end_of(block: Block) -> int:
    return block.offset + BLOCK_HEAD_BYTES + block.head.size + HASH_BYTES


def _ts_of(block: Block, index: int) -> int:
    ts: int = _TIMES.unpack_from(block.body, block.starts[index] * WORD + WORD)[0]
    return ts


def _closes(block: Block) -> bool:
    *_, record = block.records()
    return record.kind == RecordKind.FACT and record.fact()["type"] == "JournalClosed"

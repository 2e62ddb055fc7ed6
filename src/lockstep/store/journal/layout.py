"""The bytes of a journal: segment header, block header, records. docs/reference/journal-format.md has the tables.

    segment  = header of 128 bytes, blocks
    block    = header of 64 bytes, records, BLAKE2b-256 of header and records
    record   = one word (CRC32C, length, kind), payload, zeros up to a multiple of eight bytes

All little-endian. Everything is a multiple of eight bytes long, so that a block is an array of 64-bit words.
"""

import hashlib
import re
import struct
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from lockstep.model.errors import RefuseError, StateError
from lockstep.model.record import MARKET_EVENT
from lockstep.store.journal.crc32c import crc32c
from lockstep.store.journal.errors import DamagedJournal

JOURNAL_SCHEMA_VERSION = 1
MAGIC = b"lockstep journal"
BLOCK_MAGIC = b"LSBK"
WORD = 8
DECISION_WORDS = 8
MARKET_WORDS = MARKET_EVENT.itemsize // WORD

SEGMENT_HEAD_BYTES = 128
BLOCK_HEAD_BYTES = 64
HASH_BYTES = 32
BODY_BYTES_SOFT = 64 * 1024
"""A block is closed before it would grow beyond this; only a fact that is longer stands in a longer one, alone."""
FACT_BYTES_MAX = 1024 * 1024
BODY_BYTES_MAX = FACT_BYTES_MAX + 4 * WORD
SECTOR_BYTES = 512

_SEGMENT = struct.Struct("<16sIIQQ32s32s20s")
_BLOCK = struct.Struct("<4sIQQI")
_NAME = re.compile(r"(\d{8})\.journal")
NO_HASH = bytes(HASH_BYTES)


class RecordKind(IntEnum):
    """How a payload is laid out. Values are part of the format: append, never renumber.

    DECISION: a row of the engine's decision log, 8 words. MARKET: a market event record, 10 words. FACT: ts and ts_event,
    then MessagePack of a map with a text `type`. All three begin with ts and ts_event.
    """

    DECISION = 1
    MARKET = 2
    FACT = 3


FIXED_WORDS = {RecordKind.DECISION: DECISION_WORDS, RecordKind.MARKET: MARKET_WORDS}
PAYLOAD_BYTES = {int(kind): words * WORD for kind, words in FIXED_WORDS.items()}
FACT_HEAD_BYTES = 2 * WORD


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record. ts: the engine's clock, ts_event: the venue's (of a submitted order its expiry), ns UTC.

    payload: of a DECISION or MARKET record the whole row, 64 or 80 bytes, ts and ts_event included; of a FACT its MessagePack.
    """

    sequence: int
    ts: int
    ts_event: int
    kind: int
    payload: bytes

    def fact(self) -> dict[str, Any]:
        """The map of a FACT. Raises: StateError: it is another kind, or no map with a type."""
        if self.kind != RecordKind.FACT:
            raise StateError(f"record {self.sequence} is a {RecordKind(self.kind).name}, not a FACT")
        try:
            value = msgspec.msgpack.decode(self.payload)
        except msgspec.DecodeError as e:
            raise StateError(f"record {self.sequence} is no MessagePack: {e}") from e
        if not isinstance(value, dict) or not isinstance(value.get("type"), str):
            raise StateError(f"record {self.sequence} is no map with a type")
        return value


class SegmentHead(NamedTuple):
    """The header of a segment. chain: hash of the last block before it, zeros in the first segment."""

    number: int
    first_sequence: int
    first_block: int
    identity: bytes
    chain: bytes


class BlockHead(NamedTuple):
    """The header of a block. records: how many; size: their bytes; chain: hash of the block before it, or of the segment header."""

    number: int
    first_sequence: int
    records: int
    size: int
    chain: bytes


def digest(*parts: bytes | memoryview) -> bytes:
    """BLAKE2b-256 of the parts, one after the other."""
    state = hashlib.blake2b(digest_size=HASH_BYTES)
    for part in parts:
        state.update(part)
    return state.digest()


def identity_digest(identity: Any) -> bytes:
    """What stands in every segment header for the run a journal is of.

    Raises: StateError: not plain data.
    """
    return digest(identity_bytes(identity))


def identity_bytes(identity: Any) -> bytes:
    """Plain data as the one JSON text that stands for it. Raises: StateError: not plain data."""
    try:
        return msgspec.json.encode(identity, order="deterministic")
    except (TypeError, OverflowError) as e:
        raise StateError(f"the identity of a run must be plain data: {e}") from e


def segment_name(number: int) -> str:
    """The file name of a segment."""
    return f"{number:08d}.journal"


def segment_paths(folder: Path) -> list[Path]:
    """The segments of a folder in order. Raises: DamagedJournal: one is missing between others."""
    found = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name)) if folder.is_dir() else []
    for number, path in enumerate(found, 1):
        if path.name != segment_name(number):
            raise DamagedJournal(path, -1, 0, f"{segment_name(number)} is missing before it")
    return found


def pack_segment_head(head: SegmentHead) -> bytes:
    """128 bytes."""
    fixed = _SEGMENT.pack(
        MAGIC,
        JOURNAL_SCHEMA_VERSION,
        head.number,
        head.first_sequence,
        head.first_block,
        head.identity,
        head.chain,
        b"",
    )
    return fixed + crc32c(fixed).to_bytes(4, "little")


def unpack_segment_head(data: bytes, path: Path) -> SegmentHead:
    """The header of a segment from its 128 bytes.

    Raises: DamagedJournal: no header, or one that was altered. RefuseError: a newer version wrote it.
    """
    fixed, crc = data[:-4], int.from_bytes(data[-4:], "little")
    magic, version, number, sequence, block, identity, chain, _ = _SEGMENT.unpack(fixed)
    if magic != MAGIC:
        raise DamagedJournal(path, -1, 0, f"a journal begins with {MAGIC!r}, this with {magic!r}")
    if crc != crc32c(fixed):
        raise DamagedJournal(path, -1, 0, f"its CRC32C is {crc:#010x}, its bytes give {crc32c(fixed):#010x}")
    if version != JOURNAL_SCHEMA_VERSION:
        raise RefuseError(
            f"{path}: journal schema {version}, this version reads {JOURNAL_SCHEMA_VERSION}",
            hint="read it with the version of Lockstep that wrote it, or a newer one",
        )
    return SegmentHead(number, sequence, block, identity, chain)


def pack_block_head(head: BlockHead) -> bytes:
    """64 bytes."""
    fixed = _BLOCK.pack(BLOCK_MAGIC, head.records, head.number, head.first_sequence, head.size)
    return fixed + crc32c(fixed).to_bytes(4, "little") + head.chain


def unpack_block_head(data: bytes) -> BlockHead | None:
    """The header of a block from its 64 bytes, or None where they are none."""
    fixed = data[: _BLOCK.size]
    if data[:4] != BLOCK_MAGIC or int.from_bytes(data[_BLOCK.size : _BLOCK.size + 4], "little") != crc32c(fixed):
        return None
    _, count, number, sequence, size = _BLOCK.unpack(fixed)
    return BlockHead(number, sequence, count, size, data[_BLOCK.size + 4 :])

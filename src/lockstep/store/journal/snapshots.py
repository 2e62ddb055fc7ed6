"""Snapshots beside a journal: the whole state after one record, so that a restart replays only what came after.

    snapshots/<sequence, 20 digits>.snapshot
    = magic (16), schema version (u32), CRC32C of the header (u32), sequence (u64), clock (i64), length of the state (u64),
      identity of the run (32), hash of the journal's block that ends with that record (32), BLAKE2b-256 of the state (32), state

What the state is, its owner says; here it is bytes. A snapshot that does not check is passed over, never repaired: the one
before it, or the whole journal, does the same.
"""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lockstep.model.errors import StateError
from lockstep.store.journal.crc32c import crc32c
from lockstep.store.journal.files import Files
from lockstep.store.journal.layout import digest

SNAPSHOT_SCHEMA_VERSION = 1
SNAPSHOT_MAGIC = b"lockstep restore"
FOLDER = "snapshots"
SNAPSHOTS_KEPT = 3
_HEAD = struct.Struct("<16sIIQqQ32s32s32s")
_NAME = re.compile(r"(\d{20})\.snapshot")


class Snapshot(NamedTuple):
    """A state after a record. clock: ts of that record, ns UTC; chain: hash of the block that ends with it."""

    sequence: int
    clock: int
    identity: bytes
    chain: bytes
    state: bytes


def snapshot_path(folder: Path, sequence: int) -> Path:
    """Where the snapshot after a record lies."""
    return folder / FOLDER / f"{sequence:020d}.snapshot"


def snapshot_paths(folder: Path) -> list[Path]:
    """The snapshots of a journal, the newest first."""
    beside = folder / FOLDER
    found = [path for path in beside.iterdir() if _NAME.fullmatch(path.name)] if beside.is_dir() else []
    return sorted(found, reverse=True)


def write_snapshot(folder: Path, snapshot: Snapshot, files: Files) -> Path:
    """Write one whole, on the disk with its name, or nothing. Raises: OSError."""
    path = snapshot_path(folder, snapshot.sequence)
    if not path.parent.is_dir():
        path.parent.mkdir(exist_ok=True)
        files.sync_folder(folder)
    files.write_new(path, _head(snapshot) + snapshot.state)
    return path


def read_snapshot(path: Path) -> Snapshot:
    """A snapshot from its file.

    Raises: StateError: cut short, altered, of another record than its name says, or of another version. OSError.
    """
    data = path.read_bytes()
    if len(data) < _HEAD.size:
        raise StateError(f"{path}: cut short: {len(data)} bytes, its header alone has {_HEAD.size}")
    magic, version, crc, sequence, clock, size, identity, chain, hashed = _HEAD.unpack_from(data)
    if magic != SNAPSHOT_MAGIC:
        raise StateError(f"{path}: no snapshot beside a journal")
    if crc != crc32c(data[:20] + bytes(4) + data[24 : _HEAD.size]):
        raise StateError(f"{path}: its header does not match its CRC32C")
    if version != SNAPSHOT_SCHEMA_VERSION:
        raise StateError(
            f"{path}: snapshot schema {version}, this version reads {SNAPSHOT_SCHEMA_VERSION}",
            hint="read it with the version of Lockstep that wrote it, or a newer one",
        )
    state = data[_HEAD.size :]
    if len(state) != size or digest(state) != hashed:
        raise StateError(f"{path}: its state of {len(state)} bytes is not the one of {size} that was written")
    if path != snapshot_path(path.parent.parent, sequence):
        raise StateError(f"{path}: it holds the state after record {sequence}")
    return Snapshot(sequence, clock, identity, chain, state)


def readable_snapshots(folder: Path, skipped: list[str]) -> Iterator[Snapshot]:
    """Those that check, the newest first. skipped: receives why others do not."""
    for path in snapshot_paths(folder):
        try:
            yield read_snapshot(path)
        except StateError as e:
            skipped.append(str(e))
        except OSError as e:
            skipped.append(f"{path}: {(e.strerror or str(e)).lower()}")


def remove_old(folder: Path, keep: int) -> None:
    """Keep the newest so many."""
    for path in snapshot_paths(folder)[max(1, keep) :]:
        path.unlink(missing_ok=True)


def _head(snapshot: Snapshot) -> bytes:
    rest = (snapshot.sequence, snapshot.clock, len(snapshot.state), snapshot.identity, snapshot.chain)
    blank = _HEAD.pack(SNAPSHOT_MAGIC, SNAPSHOT_SCHEMA_VERSION, 0, *rest, digest(snapshot.state))
    return _HEAD.pack(SNAPSHOT_MAGIC, SNAPSHOT_SCHEMA_VERSION, crc32c(blank), *rest, digest(snapshot.state))

"""The bytes of a window snapshot.

Layout, little-endian: magic (8), schema version (uint16), zeros (6), capacity, count and bars held (int64 each), then
six columns of `held` values, oldest first (ts int64; open, high, low, close, volume float64), then the CRC-32 of all
before it (uint32).
"""

import struct
import sys
import zlib
from array import array
from typing import Any

from lockstep.model.errors import StateError

MAGIC = b"LKWINDOW"
SCHEMA = 1
CAPACITY_MAX = 10_000_000  # bars: 480 MB; bounds what a snapshot can make us allocate
HEADER = struct.Struct("<8sH6xqqq")
CHECKSUM = struct.Struct("<I")
KINDS = ("q", "d", "d", "d", "d", "d")


def pack_window(capacity: int, count: int, columns: "list[array[Any]]") -> bytes:
    """The snapshot of a window; columns as in the layout above, all of one length."""
    body = HEADER.pack(MAGIC, SCHEMA, capacity, count, len(columns[0]))
    body += b"".join(_little_endian(column).tobytes() for column in columns)
    return body + CHECKSUM.pack(zlib.crc32(body))


def unpack_window(data: bytes) -> "tuple[int, int, list[array[Any]]]":
    """Return (capacity, count, columns).

    Raises: TypeError: not bytes. StateError: not a window snapshot, another schema version, cut short or damaged.
    """
    if not isinstance(data, bytes):
        raise TypeError(f"a window snapshot is bytes, was {type(data).__name__}")
    if len(data) < HEADER.size + CHECKSUM.size or not data.startswith(MAGIC):
        raise StateError(f"not a window snapshot: {len(data)} bytes beginning with {data[:8]!r}")
    _, schema, capacity, count, held = HEADER.unpack_from(data)
    if schema != SCHEMA:
        raise StateError(f"window snapshot has schema version {schema}, this build reads {SCHEMA}")
    size = HEADER.size + 8 * len(KINDS) * held + CHECKSUM.size
    if len(data) != size:
        raise StateError(
            f"window snapshot of {held} bars must have {size} bytes, has {len(data)}: cut short or damaged"
        )
    body, (checksum,) = data[: -CHECKSUM.size], CHECKSUM.unpack(data[-CHECKSUM.size :])
    if zlib.crc32(body) != checksum:
        raise StateError(f"window snapshot is damaged: CRC-32 {zlib.crc32(body):#010x}, recorded {checksum:#010x}")
    if not (1 <= capacity <= CAPACITY_MAX and held == min(count, capacity)):
        raise StateError(f"window snapshot contradicts itself: capacity {capacity}, count {count}, {held} bars held")
    columns = []
    for which, kind in enumerate(KINDS):
        start = HEADER.size + 8 * held * which
        columns.append(_little_endian(array(kind, body[start : start + 8 * held])))
    return capacity, count, columns


def _little_endian(column: "array[Any]") -> "array[Any]":
    """Little-endian from native, or back; on the usual machines the same array."""
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column

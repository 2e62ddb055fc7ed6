"""DBN, the file format of Databento: "DBN", a version, the length of the metadata, the metadata, then records; all little-endian.

Source: databento.com/docs/standards-and-conventions/databento-binary-encoding. Of the kinds of records only mbo is read, 56 bytes each.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import DataError
from lockstep.store.catalog.books.lines import bytes_of

NAME = re.compile(r".*\.dbn(\.zst|\.gz)?", re.IGNORECASE)
MBO = np.dtype(
    [
        ("length", "u1"), ("rtype", "u1"), ("publisher", "<u2"), ("instrument", "<u4"), ("ts_event", "<i8"), ("order_id", "<i8"),
        ("price", "<i8"), ("size", "<u4"), ("flags", "u1"), ("channel", "u1"), ("action", "u1"), ("side", "u1"),
        ("ts_recv", "<i8"), ("delta", "<i4"), ("sequence", "<u4"),
    ]
)  # fmt: skip
_RTYPE_MBO = 0xA0
_RECORDS_AT_ONCE = 8_192
_VERSIONS = (1, 2, 3)


class Metadata(msgspec.Struct, frozen=True):
    """What a file says of itself. symbols: instrument numbers and their raw symbols."""

    dataset: str
    symbols: dict[int, str]
    begins: int


def is_dbn(path: Path) -> bool:
    """Whether a file is one of DBN, by its name."""
    return NAME.fullmatch(path.name) is not None


def begins_ns(path: Path) -> int:
    """The start of the range that a file was made for, ns UTC."""
    with bytes_of(path) as file:
        return metadata_of(file, path.name).begins


def metadata_of(file: BinaryIO, name: str) -> Metadata:
    """The head of a file, which is read past. Raises: DataError: not DBN, or of another schema."""
    head = file.read(8)
    if len(head) < 8 or head[:3] != b"DBN" or head[3] not in _VERSIONS:
        raise DataError(f"{name}: not a DBN file of version 1 to 3: it begins with {head[:4]!r}")
    size = int.from_bytes(head[4:], "little")
    data = file.read(size)
    if len(data) < size:
        raise DataError(f"{name}: cut short inside its metadata", hint="fetch the file again")
    schema = int.from_bytes(data[16:18], "little")
    if schema != 0:
        raise DataError(f"{name}: its schema is number {schema}: only mbo (0) is read", hint="download the schema mbo")
    begins = int.from_bytes(data[18:26], "little")
    # Version 1 has the count of records after the limit and symbols of 22 bytes; later ones say how long a symbol is.
    after_limit = 42 + (8 if head[3] == 1 else 0)
    width = 22 if head[3] == 1 else int.from_bytes(data[after_limit + 3 : after_limit + 5], "little")
    return Metadata(data[:16].rstrip(b"\0").decode(), _symbols(data, 100, width), begins)


def _symbols(data: bytes, at: int, width: int) -> dict[int, str]:
    """The mappings of instrument numbers to symbols."""

    def number() -> int:
        nonlocal at
        at += 4
        return int.from_bytes(data[at - 4 : at], "little")

    def word() -> str:
        nonlocal at
        at += width
        return data[at - width : at].split(b"\0")[0].decode()

    number()  # the length of a definition that no version has
    for _ in range(3):  # symbols asked for, found in part, not found
        for _ in range(number()):
            word()
    found: dict[int, str] = {}
    for _ in range(number()):
        symbol = word()
        for _ in range(number()):
            at += 8  # first and last day
            to = word()
            if to.isdigit():
                found[int(to)] = symbol
    return found


def records_of(file: BinaryIO, name: str) -> Iterator[NDArray[Any]]:
    size = MBO.itemsize
    left = b""
    done = 0
    while data := file.read(_RECORDS_AT_ONCE * size):
        data = left + data
        whole = len(data) // size
        left = data[whole * size :]
        records = np.frombuffer(data, MBO, whole)
        bad = (records["length"] * 4 != size) | (records["rtype"] != _RTYPE_MBO)
        if bad.any():
            at = int(np.argmax(bad))
            raise DataError(
                f"{name}: record {done + at + 1:,} is of type {int(records['rtype'][at])} and {int(records['length'][at]) * 4} bytes long: "
                f"only mbo ({_RTYPE_MBO}, {size} bytes) is read"
            )
        done += whole
        yield records
    if left:
        raise DataError(f"{name}: cut short: {len(left)} bytes after record {done:,}", hint="fetch the file again")

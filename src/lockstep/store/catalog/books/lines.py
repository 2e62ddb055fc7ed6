"""Recordings opened: plain, gzip, xz, zstd or a zip of one file, as lines or as bytes, proven to be whole.

zstd: lines are read by DuckDB, which is there anyway. Bytes are not something it gives; they are read by Python's own module
from 3.14 on, or by the `zstandard` package. Neither says that a file was cut short, so the frames are walked first.
"""

import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, NamedTuple

from lockstep.model.errors import DataError, UsageError
from lockstep.store.sql import sql_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LINE_BYTES_MAX = 8_000_000
"""The longest line: a full book of some thousand levels a side has some hundred thousand bytes."""
_LINES_AT_ONCE = 2_048
_ZSTD = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
_AGAIN = "fetch the file again"
_ZIP = b"PK\x03\x04"
_CUT = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


class Line(NamedTuple):
    """A line and its number, from 1 on."""

    number: int
    text: str


def is_zstd(path: Path) -> bool:
    """Whether a file begins as one compressed with zstd."""
    with path.open("rb") as file:
        return file.read(4) == _ZSTD


def is_zip_of_lines(path: Path) -> bool:
    """Whether a file is a zip of one file that is no table. One that is damaged is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except _CUT:
        return False
    return len(members) == 1 and not members[0].lower().endswith((".csv", "/"))


def lines_of(path: Path, db: "DuckDBPyConnection") -> Iterator[Line]:
    """The lines of a file in order, without their ends.

    Raises: DataError: cut short, not what it seems to be, or not UTF-8; names the place.
    """
    if is_zstd(path):
        prove_whole(path)
        yield from _zstd_lines(path, db)
        return
    number = 0
    try:
        with _opened(path) as file:
            for number, line in enumerate(file, 1):
                yield Line(number, line.rstrip(b"\r\n").decode())
    except (*_CUT, UnicodeDecodeError) as e:
        raise DataError(f"{path.name}: cut short or damaged after line {number:,}: {e}", hint=_AGAIN) from e


def first_line(path: Path, db: "DuckDBPyConnection") -> str:
    """The first line, "" where there is none or it is not text. Raises: DataError: compressed, and damaged or cut short."""
    if is_zstd(path):
        prove_whole(path)
        return next((line.text for line in _zstd_lines(path, db, limit=1)), "")
    try:
        with _opened(path) as file:
            return file.readline(LINE_BYTES_MAX).rstrip(b"\r\n").decode()
    except UnicodeDecodeError:
        return ""
    except _CUT as e:
        raise DataError(f"{path.name}: cut short or damaged: {e}", hint=_AGAIN) from e


@contextmanager
def bytes_of(path: Path) -> Iterator[BinaryIO]:
    """The unpacked bytes of a file. Raises: DataError: cut short. UsageError: zstd, and nothing here can unpack it."""
    if is_zstd(path):
        prove_whole(path)
        with _zstd_bytes(path) as file:
            yield file
        return
    try:
        with _opened(path) as plain:
            yield plain
    except _CUT as e:
        raise DataError(f"{path.name}: cut short or damaged: {e}", hint=_AGAIN) from e


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        magic = file.read(6)
    opened: Any
    if magic[:2] == b"\x1f\x8b":
        opened = gzip.open(path)  # noqa: SIM115 - the caller closes it
    elif magic == b"\xfd7zXZ\x00":
        opened = lzma.open(path)  # noqa: SIM115
    elif magic[:4] == _ZIP and is_zip_of_lines(path):
        with zipfile.ZipFile(path) as archive:  # the file itself stays open as long as the member
            if archive.infolist()[0].flag_bits & 1:
                raise DataError(f"{path.name}: the file inside is encrypted", hint="unpack it first")
            opened = archive.open(archive.namelist()[0])
    else:
        opened = path.open("rb")
    found: BinaryIO = opened
    return found


def _zstd_lines(path: Path, db: "DuckDBPyConnection", limit: int | None = None) -> Iterator[Line]:
    import duckdb

    cursor = db.cursor()
    number = 0
    try:
        found = cursor.execute(
            f"SELECT line FROM read_csv({sql_text(str(path))}, compression='zstd', columns={{'line': 'VARCHAR'}}, "
            "delim='\x01', quote='', escape='', header=false, auto_detect=false, new_line='\\n', "  # JSON has no raw \x01
            f"max_line_size={LINE_BYTES_MAX}, buffer_size={2 * LINE_BYTES_MAX})" + (f" LIMIT {limit}" if limit else "")
        )
        while rows := found.fetchmany(_LINES_AT_ONCE):
            for (text,) in rows:
                number += 1
                yield Line(number, text or "")
    except duckdb.Error as e:
        reason = str(e).splitlines()[0]
        raise DataError(f"{path.name}: cut short or damaged after line {number:,}: {reason}", hint=_AGAIN) from e
    finally:
        cursor.close()


@contextmanager
def _zstd_bytes(path: Path) -> Iterator[BinaryIO]:
    opened: Any
    try:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]  # Python 3.14

        opened = zstd.open(path)
    except ImportError:
        try:
            import zstandard
        except ImportError as e:
            raise UsageError(
                f"{path.name} is compressed with zstd, which this Python cannot unpack",
                hint="pip install 'lockstep-trading[books]'",
            ) from e
        opened = zstandard.open(path)
    with opened as file:
        found: BinaryIO = file
        yield found


def prove_whole(path: Path) -> None:
    """Walk the frames and blocks of a zstd file without unpacking. Raises: DataError: it ends inside one."""
    with path.open("rb") as file:
        size = path.stat().st_size
        while file.tell() < size:
            begin = file.tell()
            if not _frame(file) or file.tell() > size:
                raise DataError(
                    f"{path.name}: cut short: its {size:,} bytes end inside the zstd frame that begins at byte {begin:,}",
                    hint=_AGAIN,
                )


def _frame(file: IO[bytes]) -> bool:
    """Pass over one frame. Source: RFC 8878, section 3.1. Returns: whether it was all there, but for the file's size."""
    magic = file.read(4)
    if int.from_bytes(magic, "little") in _SKIPPABLE:
        file.seek(int.from_bytes(file.read(4), "little"), 1)
        return True
    descriptor = file.read(1)
    if magic != _ZSTD or not descriptor:
        return False
    flags = descriptor[0]
    single = bool(flags & 0x20)
    content = (1 if single else 0, 2, 4, 8)[flags >> 6]
    file.seek((0 if single else 1) + (0, 1, 2, 4)[flags & 3] + content, 1)
    last = False
    while not last:
        header = file.read(3)
        if len(header) < 3:
            return False
        block = int.from_bytes(header, "little")
        last = bool(block & 1)
        file.seek(1 if (block >> 1) & 3 == 1 else block >> 3, 1)  # a run is one byte, whatever its length
    file.seek(4 if flags & 4 else 0, 1)
    return True

"""Instrument ids as folder names, exactly and back again."""

import re
import string

from lockstep.model.errors import DataError

NAME_BYTES_MAX = 200
_PLAIN = frozenset((string.ascii_uppercase + string.digits + "._-").encode())
_ESCAPE = re.compile(rb"%([0-9a-f]{2})")


def folder_of(instrument_id: str) -> str:
    """The folder of an instrument: every byte but A-Z, 0-9, `.`, `_` and `-` as %xx, and a first `.` as well.

    Lower case is written out too: BTCusd and BTCUSD must not share a folder where the disk does not tell them apart.
    Raises: DataError: an empty id, or one too long for a file name.
    """
    raw = instrument_id.encode()
    name = "".join(
        chr(byte) if byte in _PLAIN and not (byte == ord(".") and i == 0) else f"%{byte:02x}"
        for i, byte in enumerate(raw)
    )
    if not 1 <= len(name) <= NAME_BYTES_MAX:
        raise DataError(
            f"instrument id {instrument_id!r} makes a folder name of {len(name)} bytes, limit 1 to {NAME_BYTES_MAX}"
        )
    return name


def id_of(folder: str) -> str:
    """The instrument of a folder. Raises: DataError: not a name that `folder_of` gives."""
    try:
        found = _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), folder.encode()).decode()
        if found and folder_of(found) == folder:
            return found
    except (UnicodeDecodeError, DataError):
        pass
    raise DataError(f"not the folder of an instrument: {folder!r}")

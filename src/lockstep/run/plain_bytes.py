"""Plain saved state as MessagePack, with whole numbers of any size: what snapshots of a run and of a session are made of.

Whole numbers beyond 64 bits, which MessagePack lacks, are extension 1: two's complement, big-endian. The same state gives
the same bytes.
"""

from typing import Any

import msgspec

from lockstep.model.errors import StateError

_BIG_INT = 1


def pack(state: Any) -> bytes:
    """Plain data as bytes."""
    try:
        return msgspec.msgpack.encode(state)
    except OverflowError:  # a large int somewhere, which is rare
        return msgspec.msgpack.encode(packable(state))


def packable(value: Any) -> Any:
    """Plain data as MessagePack takes it: large ints replaced by their extension."""
    if isinstance(value, dict):
        return {key: packable(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [packable(entry) for entry in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return msgspec.msgpack.Ext(_BIG_INT, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))
    return value


def unpack(data: bytes | memoryview) -> Any:
    """What `pack` was given. Raises: StateError: an extension nobody knows, or no MessagePack."""
    try:
        return msgspec.msgpack.Decoder(ext_hook=_big_int).decode(data)
    except msgspec.DecodeError as e:
        raise StateError(f"saved state is no MessagePack: {e}") from e


def _big_int(code: int, data: memoryview) -> int:
    if code != _BIG_INT:
        raise StateError(f"saved state holds an unknown kind of value: extension {code}")
    return int.from_bytes(data, "big", signed=True)

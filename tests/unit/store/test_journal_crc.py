"""CRC32C: the published vectors, and the slow definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.store.journal.crc32c import POLYNOMIAL, crc32c

ISCSI_READ = bytes.fromhex(
    "01c000000000000000000000000000001400000000000400000000140000001828000000000000000200000000000000"
)


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (ISCSI_READ, 0xD9963A56),
        (b"123456789", 0xE3069283),
        (b"", 0),
    ],
)
def test_crc32c_gives_the_vectors_of_rfc_3720(data: bytes, crc: int) -> None:
    assert crc32c(data) == crc


def bitwise(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (POLYNOMIAL if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@given(st.binary(max_size=200))
def test_crc32c_by_eight_bytes_equals_the_definition_by_bits(data: bytes) -> None:
    assert crc32c(data) == crc32c(memoryview(data)) == crc32c(bytearray(data)) == bitwise(data)

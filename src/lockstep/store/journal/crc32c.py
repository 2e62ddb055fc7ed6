"""CRC32C (Castagnoli), eight bytes at a time.

Source: RFC 3720, appendix B.4 (test vectors); M. Kounavis and F. Berry (2005), "A Systematic Approach to Building High
Performance, Software-based, CRC Generators" (slicing by 8).
"""

import cython

POLYNOMIAL = 0x82F63B78  # 0x1EDC6F41, bits reversed
_TABLES = cython.declare(cython.uint[2048])  # type: ignore[misc, valid-type]


def _fill_tables() -> None:
    """Eight tables of 256 one after the other: table k says what a byte does that has k more bytes after it."""
    for byte in range(256):
        crc: object = byte
        for _ in range(8):
            crc = crc >> 1 ^ (POLYNOMIAL if crc & 1 else 0)  # type: ignore[operator]
        _TABLES[byte] = crc
    for k in range(1, 8):
        for byte in range(256):
            before: object = int(_TABLES[256 * (k - 1) + byte])
            _TABLES[256 * k + byte] = before >> 8 ^ int(_TABLES[before & 0xFF])  # type: ignore[operator]


_fill_tables()


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
@cython.boundscheck(False)
@cython.wraparound(False)
def crc_word(crc: cython.uint, word: cython.ulonglong) -> cython.uint:
    """The register after eight more bytes, given as one little-endian word. It starts and is turned at the end by -1."""
    mixed: cython.ulonglong = word ^ crc
    after: cython.uint = (
        _TABLES[1792 + (mixed & 0xFF)]
        ^ _TABLES[1536 + (mixed >> 8 & 0xFF)]
        ^ _TABLES[1280 + (mixed >> 16 & 0xFF)]
        ^ _TABLES[1024 + (mixed >> 24 & 0xFF)]
        ^ _TABLES[768 + (mixed >> 32 & 0xFF)]
        ^ _TABLES[512 + (mixed >> 40 & 0xFF)]
        ^ _TABLES[256 + (mixed >> 48 & 0xFF)]
        ^ _TABLES[mixed >> 56]
    )
    return after


@cython.boundscheck(False)
@cython.wraparound(False)
def crc32c(data: bytes | bytearray | memoryview) -> cython.uint:
    """The CRC32C of some bytes."""
    crc: cython.uint = 0xFFFFFFFF
    word: cython.ulonglong
    at: cython.Py_ssize_t = 0
    size: cython.Py_ssize_t = len(data)
    k: cython.int
    while at + 8 <= size:
        word = 0
        for k in range(8):
            word |= cython.cast(cython.ulonglong, data[at + k]) << (8 * k)
        crc = crc_word(crc, word)
        at += 8
    while at < size:
        crc = crc >> 8 ^ _TABLES[(crc ^ data[at]) & 0xFF]
        at += 1
    return crc ^ 0xFFFFFFFF

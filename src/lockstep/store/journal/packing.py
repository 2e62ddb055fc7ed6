"""Records into a block, and the check of those that come out of one: the part of the journal that runs for each record.

A block is an array of 64-bit words. A record is one word that holds its CRC32C (bits 0 to 31), the length of its payload in
bytes (32 to 55) and its kind (56 to 63), then the payload, padded with zeros to whole words. The CRC is taken over the
sequence number, that word without the CRC, and the payload: a record that was moved, lost or repeated does not fit its place.
"""

from array import array
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.store.journal.crc32c import crc_word
else:
    from lockstep.store.journal.crc32c import crc_word

HEAD_WORDS = 8
HASH_WORDS = 4
_HEAD_WORDS = cython.declare(cython.Py_ssize_t, 8)
_SIGN = cython.declare(cython.ulonglong, 0x8000000000000000)
"""Signed times keep their order as unsigned words once this bit is turned."""
Words = Any  # a buffer of unsigned 64-bit words: memoryview or array in plain Python, a typed view compiled


@cython.final
@cython.cclass
class BlockBuffer:
    """The block being filled, with room for its header in front and its hash behind.

    Args: soft_bytes: of records; a block takes no more once they would not fit, except that a first record always does.
          record_bytes_max: of the longest single record. sequence: of the last record before; clock: its ts.

    Attributes (read-only): `raw`, its memory as bytes; `used`, words of header and records; `soft`, where `used` should end;
    `count`, records in it; `sequence`, of the last record added.
    """

    raw: memoryview
    used: cython.Py_ssize_t
    soft: cython.Py_ssize_t
    count: cython.longlong
    sequence: cython.longlong
    _words: Words
    _clock: cython.ulonglong

    def __init__(self, soft_bytes: int, record_bytes_max: int, sequence: int, clock: int) -> None:
        body = max(soft_bytes, record_bytes_max) // 8 + 2
        memory = array("Q", bytes(8 * (body + HEAD_WORDS + HASH_WORDS)))
        self.raw = memoryview(memory).cast("B")
        self._words = memory if cython.compiled else memoryview(memory)
        self.used = _HEAD_WORDS
        self.soft = soft_bytes // 8 + _HEAD_WORDS
        self.count = 0
        self.sequence = sequence
        self._clock = (clock & 0xFFFFFFFFFFFFFFFF) ^ _SIGN

    def fits(self, words: cython.longlong) -> cython.bint:
        """Whether so many more words, of records and their heads, stay inside the block."""
        room: cython.bint = self.used + words <= self.soft
        return room

    def clear(self) -> None:
        """Begin the next block."""
        self.used = _HEAD_WORDS
        self.count = 0

    def mark(self) -> tuple[int, ...]:
        """Where it stands, for `restore`."""
        return self.used, self.count, self.sequence, self._clock

    def restore(self, mark: tuple[int, ...]) -> None:
        """As it was at `mark`; between the two the block may have been cleared only if it was empty at the mark."""
        self.used, self.count, self.sequence, self._clock = mark

    def clock(self) -> int:
        """ts of the last record, ns UTC."""
        turned = int(self._clock) ^ 0x8000000000000000
        return turned - (turned >> 63 << 64)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    def first_backwards(self, rows: Words) -> cython.Py_ssize_t:
        """The first row whose ts, its first word, lies before the record's that it would follow; -1 where none does."""
        clock: cython.ulonglong = self._clock
        k: cython.Py_ssize_t
        for k in range(rows.shape[0]):
            if (rows[k, 0] ^ _SIGN) < clock:
                return k
            clock = rows[k, 0] ^ _SIGN
        return -1

    @cython.boundscheck(False)
    @cython.wraparound(False)
    def add_rows(self, kind: cython.int, rows: Words, start: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Add rows from `start` on, one record each, while they fit. Returns: how many."""
        width: cython.Py_ssize_t = rows.shape[1]
        count: cython.Py_ssize_t = rows.shape[0]
        k: cython.Py_ssize_t
        j: cython.Py_ssize_t
        at: cython.Py_ssize_t
        for k in range(start, count):
            at = self.used
            if at + 1 + width > self.soft:
                return k - start
            for j in range(width):
                self._words[at + 1 + j] = rows[k, j]
            self._close_record(at, kind, 8 * width)
        return count - start

    @cython.boundscheck(False)
    @cython.wraparound(False)
    def add(self, kind: cython.int, size: cython.longlong, words: Words) -> cython.bint:
        """Add one record of `size` bytes, given as whole words. Returns: False where it has to wait for the next block.

        Raises: ValueError: longer than any block takes.
        """
        count: cython.Py_ssize_t = words.shape[0]
        at: cython.Py_ssize_t = self.used
        if at + 1 + count > self.soft and self.count:
            return False
        if at + 1 + count + 4 > self._words.shape[0]:
            raise ValueError(f"a record of {size} bytes is longer than a block")
        k: cython.Py_ssize_t
        for k in range(count):
            self._words[at + 1 + k] = words[k]
        self._close_record(at, kind, size)
        return True

    @cython.cfunc
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    @cython.wraparound(False)
    def _close_record(self, at: cython.Py_ssize_t, kind: cython.int, size: cython.longlong) -> cython.int:
        count: cython.Py_ssize_t = (size + 7) >> 3
        self.sequence += 1
        head: cython.ulonglong = cython.cast(cython.ulonglong, kind) << 56 | cython.cast(cython.ulonglong, size) << 32
        crc: cython.uint = crc_word(crc_word(0xFFFFFFFF, cython.cast(cython.ulonglong, self.sequence)), head)
        k: cython.Py_ssize_t
        for k in range(at + 1, at + 1 + count):
            crc = crc_word(crc, self._words[k])
        self._words[at] = head | (crc ^ 0xFFFFFFFF)
        self._clock = self._words[at + 1] ^ _SIGN
        self.used = at + 1 + count
        self.count += 1
        return 0


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _is_known(head: cython.ulonglong) -> cython.bint:
    kind: cython.ulonglong = head >> 56
    size: cython.ulonglong = head >> 32 & 0xFFFFFF
    if kind == 1:  # RecordKind.DECISION: eight words
        return size == 64
    if kind == 2:  # RecordKind.MARKET: ten
        return size == 80
    return kind == 3 and size > 16  # RecordKind.FACT: two times and a text


@cython.boundscheck(False)
@cython.wraparound(False)
def check_records(
    words: Words, first_sequence: cython.longlong, count: cython.Py_ssize_t, starts: Any
) -> cython.Py_ssize_t:
    """Walk the records of a block and take each one's CRC.

    Args:    words: the records alone. starts: at least `count` long; receives the word each record begins at.
    Returns: -1, or the number, from 0, of the first record that does not check or is of no known kind; `count` where words are left over.
    """
    at: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t = words.shape[0]
    k: cython.Py_ssize_t
    j: cython.Py_ssize_t
    size: cython.Py_ssize_t
    head: cython.ulonglong
    crc: cython.uint
    for k in range(count):
        if at >= end:
            return k
        starts[k] = at
        head = words[at]
        size = cython.cast(cython.Py_ssize_t, ((head >> 32 & 0xFFFFFF) + 7) >> 3)
        if at + 1 + size > end or not _is_known(head):
            return k
        crc = crc_word(0xFFFFFFFF, cython.cast(cython.ulonglong, first_sequence + k))
        crc = crc_word(crc, head & 0xFFFFFFFF00000000)
        for j in range(at + 1, at + 1 + size):
            crc = crc_word(crc, words[j])
        if (crc ^ 0xFFFFFFFF) != (head & 0xFFFFFFFF):
            return k
        at += 1 + size
    return -1 if at == end else count

"""The ring under a market window: fixed memory, one writer, readers on other threads.

Memory is allocated once (48 bytes a slot: 480 kB at the default capacity), a bar goes in in constant time, and the
oldest falls out.

Threads. A window belongs to the one thread that writes it; any number of others may call `read_consistent`, and get
bars of one moment. The writer makes `sequence` odd before it touches the ring and even after it; the reader copies,
and keeps the copy only if `sequence` was even and has not moved. This leans on CPython's global lock, which orders the
writes and makes each column's copy whole. Compiled, a method never gives the lock away while it touches the ring, so
the other questions are whole too, each for itself; uncompiled, a thread switch can fall inside them. On a free-threaded
build of Python, importing the compiled module switches the global lock back on (Cython's default); uncompiled and
without the lock nothing is promised: put a lock of your own around the window.
"""

from array import array
from typing import Any, NamedTuple, SupportsFloat, SupportsIndex

import cython

from lockstep.book.window_bytes import CAPACITY_MAX, pack_window, unpack_window
from lockstep.model.arguments import factor, finite, whole
from lockstep.model.errors import StateError

TS_MIN, TS_MAX = -(2**63), 2**63 - 1  # ns UTC: an int64 reaches from 1677 to 2262
CAPACITY_DEFAULT = 10_000  # bars
ATTEMPTS_MAX = 10_000_000  # of a reader, about a second; only a writer that died inside a bar lasts that long


class WindowBar(NamedTuple):
    """One bar of a window: `ts` in ns UTC, prices as floats, volume in base units."""

    ts: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@cython.cclass
class BarRing:
    """The last `capacity` bars, oldest falling out: writing, copying out, and reading from another thread.

    Use it as `MarketWindow`, which adds the questions.

    Args:   capacity: 1 to 10,000,000 bars.
    Raises: TypeError, ValueError: a capacity that is not a whole number in range.

    Attributes (read-only): `capacity`; `count`, bars ever pushed; `sequence`, even while nobody writes.
    """

    capacity: cython.longlong
    count: cython.longlong
    sequence: cython.longlong
    # `_columns` are the rings themselves (ts, open, high, low, close, volume); the six below are typed views of them.
    _columns: "tuple[array[Any], ...]"
    _ts: "array[int]"
    _open: "array[float]"
    _high: "array[float]"
    _low: "array[float]"
    _close: "array[float]"
    _volume: "array[float]"
    _next: cython.longlong  # the slot of the next bar
    _size: cython.longlong

    def __init__(self, capacity: SupportsIndex = CAPACITY_DEFAULT) -> None:
        self.capacity = whole("capacity", capacity, 1, CAPACITY_MAX)
        kinds = ("q", "d", "d", "d", "d", "d")
        self._columns = tuple(array(kind, bytes(8 * self.capacity)) for kind in kinds)
        self._ts, self._open, self._high, self._low, self._close, self._volume = self._columns
        self.count = 0
        self.sequence = 0
        self._next = 0
        self._size = 0
        self._forget()

    # Writing

    def push(
        self,
        ts: SupportsIndex,
        open: SupportsFloat,
        high: SupportsFloat,
        low: SupportsFloat,
        close: SupportsFloat,
        volume: SupportsFloat,
    ) -> None:
        """Take one bar, checked.

        Args:   ts: ns UTC, not before the newest bar's. Prices finite, low <= open, close <= high. volume >= 0.
        Raises: TypeError: not a number. ValueError: any of the above broken; the window is unchanged.
        """
        at = whole("ts", ts, TS_MIN, TS_MAX)
        o, h, lo, c = finite("open", open), finite("high", high), finite("low", low), finite("close", close)
        v = finite("volume", volume)
        if not (lo <= o <= h and lo <= c <= h):
            raise ValueError(f"bar at {at}: open, high, low, close out of order: {o!r}, {h!r}, {lo!r}, {c!r}")
        if v < 0.0:
            raise ValueError(f"bar at {at}: volume must not be negative, was {v!r}")
        newest = self._ts[self._slot(0)] if self._size else at
        if at < newest:
            raise ValueError(f"bar at {at} is before the newest one held, at {newest}; feed bars in time order")
        self.append(at, o, h, lo, c, v)

    @cython.boundscheck(False)  # _next stays in 0..capacity-1
    @cython.wraparound(False)
    def append(
        self,
        ts: cython.longlong,
        open: cython.double,
        high: cython.double,
        low: cython.double,
        close: cython.double,
        volume: cython.double,
    ) -> cython.int:
        """Take one bar, unchecked: the engine's way in. Returns 0 (C callers see -1 on an error)."""
        at: cython.longlong = self._next
        self.sequence += 1
        self._ts[at] = ts
        self._open[at] = open
        self._high[at] = high
        self._low[at] = low
        self._close[at] = close
        self._volume[at] = volume
        at += 1
        self._next = 0 if at == self.capacity else at
        if self._size < self.capacity:
            self._size += 1
        self.count += 1
        self.sequence += 1
        return 0

    def rescale(self, price_factor: SupportsFloat, volume_factor: SupportsFloat = 1.0) -> None:
        """Express the bars held in new units: prices times `price_factor`, volumes times `volume_factor`.

        A 2:1 split is `rescale(0.5, 2.0)`. Raises TypeError, ValueError: a factor that is not finite and above 0.
        """
        price = factor("price_factor", price_factor)
        volume = factor("volume_factor", volume_factor)
        i: cython.Py_ssize_t
        self.sequence += 1
        for i in range(self._size):
            self._open[i] *= price
            self._high[i] *= price
            self._low[i] *= price
            self._close[i] *= price
            self._volume[i] *= volume
        self._forget()
        self.sequence += 1

    def clear(self) -> None:
        """Forget every bar; the memory is kept."""
        self.sequence += 1
        self._next = 0
        self._size = 0
        self.count = 0
        self._forget()
        self.sequence += 1

    def __len__(self) -> int:
        return self._size

    def read_consistent(self, n: SupportsIndex) -> dict[str, Any]:
        """The newest n bars of one moment, from any thread: a dict of `count` and the six columns, oldest first.

        Fewer than n where the window holds fewer. `count` is the number of bars ever pushed at that moment.

        Raises: ValueError: n below 1 or above the capacity. RuntimeError: a writer stopped in the middle of a bar.
        """
        wanted = whole("n", n, 1, self.capacity)
        for _ in range(ATTEMPTS_MAX):
            before = self.sequence
            if before % 2:
                continue  # the writer is in the middle of a bar; the interpreter lets it go on at its next switch
            count = self.count
            copies = [self._slice(which, min(wanted, self._size)) for which in range(6)]
            if self.sequence == before:
                import numpy as np  # not at the top: this module is part of `import lockstep`

                # numpy refuses to look at an empty buffer
                columns = [
                    np.frombuffer(copy, copy.typecode) if copy else np.empty(0, copy.typecode) for copy in copies
                ]
                return {"count": count, **dict(zip(WindowBar._fields, columns, strict=True))}
        raise RuntimeError(f"the writer has left the window half written at bar {self.count}: it died inside a push")

    def snapshot(self) -> bytes:
        """The bars held and the counters as bytes: versioned, checksummed, the same on every machine."""
        return pack_window(self.capacity, self.count, [self._slice(which, self._size) for which in range(6)])

    def restore(self, data: bytes) -> None:
        """Become the window that `snapshot` saw, in place. On an error this window is unchanged.

        Raises: TypeError, StateError: not bytes; not a window snapshot, another schema version, damaged, or of another capacity.
        """
        capacity, count, columns = unpack_window(data)
        if capacity != self.capacity:
            raise StateError(f"the snapshot is of a window of {capacity} bars, this one has {self.capacity}")
        self.clear()
        self._adopt(count, columns)
        self._forget()

    def _adopt(self, count: int, columns: "list[array[Any]]") -> None:
        """Fill an empty ring from a snapshot."""
        for row in zip(*columns, strict=True):
            self.append(row[0], row[1], row[2], row[3], row[4], row[5])
        self.count = count

    def _forget(self) -> None:
        """Called when bars held change or go: answers remembered from them no longer hold."""

    def _slot(self, back: cython.longlong) -> cython.longlong:
        at: cython.longlong = self._next - 1 - back
        return at if at >= 0 else at + self.capacity

    def _slice(self, which: int, n: int) -> "array[Any]":
        """The newest n of one column, oldest first: each slice is one copy under the global lock."""
        column = self._columns[which]
        start = self._next - n
        if start >= 0:
            return column[start : self._next]
        return column[start + self.capacity :] + column[: self._next]

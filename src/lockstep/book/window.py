"""A market window: the last N bars of one instrument in a ring of fixed size.

Two kinds of question: by position, `close(0)` being the newest bar; and over a run, `high(20)` being the highest high
of the newest twenty. Memory is bounded and pushing takes constant time; `ring` says how, and what other threads may do.
"""

from typing import TYPE_CHECKING, Any, Self, SupportsIndex

import cython

from lockstep.book.ring import BarRing, WindowBar
from lockstep.book.window_bytes import unpack_window
from lockstep.model.arguments import whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@cython.final
@cython.cclass
class MarketWindow(BarRing):
    """The last `capacity` bars of one instrument, oldest falling out.

    Args:   capacity: 1 to 10,000,000 bars.
    Raises: TypeError, ValueError: a capacity that is not a whole number in range.

    Attributes (read-only): `capacity`; `count`, bars ever pushed; `sequence`, even while nobody writes.
    """

    # The last answer of high(n) and low(n), and the `count` it was given at: asked again a bar later, it is usually
    # settled by the new bar and the one that fell out, without a scan.
    _high_n: cython.longlong
    _high_count: cython.longlong
    _high_value: cython.double
    _low_n: cython.longlong
    _low_count: cython.longlong
    _low_value: cython.double

    # By position: 0 is the newest bar

    def ts(self, back: SupportsIndex = 0) -> int:
        """The time of a bar, ns UTC. Raises IndexError: no bar so far back (for every question by position)."""
        return self._ts[self._slot(self._back(back))]

    def open(self, back: SupportsIndex = 0) -> float:
        """The open of a bar."""
        return self._open[self._slot(self._back(back))]

    def close(self, back: SupportsIndex = 0) -> float:
        """The close of a bar."""
        return self._close[self._slot(self._back(back))]

    def volume(self, back: SupportsIndex = 0) -> float:
        """The volume of a bar."""
        return self._volume[self._slot(self._back(back))]

    def bar(self, back: SupportsIndex = 0) -> WindowBar:
        """A whole bar."""
        i: cython.Py_ssize_t = self._slot(self._back(back))
        return WindowBar(self._ts[i], self._open[i], self._high[i], self._low[i], self._close[i], self._volume[i])

    # Over the newest n bars

    def high(self, n: SupportsIndex) -> float:
        """The highest high. Raises ValueError: n below 1 or above the bars held (for every question over a run)."""
        return self._highest(self._run(n, "high", 0))

    def low(self, n: SupportsIndex) -> float:
        """The lowest low."""
        return self._lowest(self._run(n, "low", 0))

    def range(self, n: SupportsIndex) -> float:
        """Highest high minus lowest low."""
        bars = self._run(n, "range", 0)
        return self._highest(bars) - self._lowest(bars)

    def avg_volume(self, n: SupportsIndex) -> float:
        """The mean volume."""
        bars: cython.longlong = self._run(n, "avg_volume", 0)
        return self._total(True, bars) / bars

    def avg_close(self, n: SupportsIndex) -> float:
        """The mean close."""
        bars: cython.longlong = self._run(n, "avg_close", 0)
        return self._total(False, bars) / bars

    def times(self, n: SupportsIndex) -> "NDArray[np.int64]":
        """The times, oldest first: [n], ns UTC, a copy (so are all columns)."""
        return self._copy(0, self._run(n, "times", 0))

    def opens(self, n: SupportsIndex) -> "NDArray[np.float64]":
        """The opens, oldest first: [n]."""
        return self._copy(1, self._run(n, "opens", 0))

    def highs(self, n: SupportsIndex) -> "NDArray[np.float64]":
        """The highs, oldest first: [n]."""
        return self._copy(2, self._run(n, "highs", 0))

    def lows(self, n: SupportsIndex) -> "NDArray[np.float64]":
        """The lows, oldest first: [n]."""
        return self._copy(3, self._run(n, "lows", 0))

    def closes(self, n: SupportsIndex) -> "NDArray[np.float64]":
        """The closes, oldest first: [n]."""
        return self._copy(4, self._run(n, "closes", 0))

    def volumes(self, n: SupportsIndex) -> "NDArray[np.float64]":
        """The volumes, oldest first: [n]."""
        return self._copy(5, self._run(n, "volumes", 0))

    def returns(self, n: SupportsIndex) -> "NDArray[np.float64]":
        """The newest n simple returns close / previous close - 1, oldest first: [n]; they need n + 1 bars."""
        closes = self._copy(4, self._run(n, "returns", 1) + 1)
        changes: NDArray[np.float64] = closes[1:] / closes[:-1] - 1.0
        return changes

    @classmethod
    def from_snapshot(cls, data: bytes) -> Self:
        """The window that `snapshot` saw.

        Raises: TypeError: not bytes. StateError: not a window snapshot, another schema version, cut short or damaged.
        """
        capacity, count, columns = unpack_window(data)
        window = cls(capacity)
        window._adopt(count, columns)
        return window

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MarketWindow) and self.snapshot() == other.snapshot()

    __hash__ = None  # type: ignore[assignment]  # it changes with every bar

    def __reduce__(self) -> tuple[Any, ...]:
        return MarketWindow.from_snapshot, (self.snapshot(),)

    def __repr__(self) -> str:
        return f"MarketWindow(capacity={self.capacity}): {self._size} bars held of {self.count} pushed"

    # Inside

    def _forget(self) -> None:
        self._high_n = 0
        self._high_count = 0
        self._high_value = 0.0
        self._low_n = 0
        self._low_count = 0
        self._low_value = 0.0

    def _back(self, back: SupportsIndex) -> int:
        if self._size == 0:
            raise IndexError("the window holds no bar yet")
        if type(back) is int and 0 <= back < self._size:
            return back
        try:
            return whole("bars back", back, 0, self._size - 1)
        except ValueError as e:
            raise IndexError(f"{e}: the window holds {self._size} bars, 0 is the newest") from e

    def _run(self, n: SupportsIndex, question: str, extra: int) -> int:
        """`n` as an int, checked: with `extra` older bars it must be held."""
        if type(n) is int and 1 <= n <= self._size - extra:
            return n
        bars = whole("n", n, -(2**62), 2**62)
        if bars < 1:
            raise ValueError(f"{question}({bars}): n must be 1 or more")
        if bars + extra > self.capacity:
            raise ValueError(
                f"{question}({bars}) needs {bars + extra} bars, the window's capacity is {self.capacity}: "
                "construct it with a larger one"
            )
        if bars + extra > self._size:
            raise ValueError(f"{question}({bars}) needs {bars + extra} bars, the window holds {self._size} so far")
        return bars

    @cython.boundscheck(False)  # n is at most the size, so every slot is in 0..capacity-1
    @cython.wraparound(False)
    def _highest(self, n: cython.longlong) -> cython.double:
        if self._high_n == n and self._high_count == self.count:
            return self._high_value
        newest: cython.double = self._high[self._slot(0)]
        best: cython.double = newest
        # One bar later: the old answer stands unless the bar that fell out of the run held it. With a full window that
        # bar is gone, so its high is not known.
        known: cython.bint = self._high_n == n and self._high_count == self.count - 1
        if known and newest >= self._high_value:
            pass
        elif known and n < self._size and self._high[self._slot(n)] < self._high_value:
            best = self._high_value
        else:
            at: cython.longlong = self._slot(0)
            for _ in range(n - 1):
                at = (at if at > 0 else self.capacity) - 1
                best = max(best, self._high[at])
        self._high_n = n
        self._high_count = self.count
        self._high_value = best
        return best

    @cython.boundscheck(False)  # as _highest
    @cython.wraparound(False)
    def _lowest(self, n: cython.longlong) -> cython.double:
        if self._low_n == n and self._low_count == self.count:
            return self._low_value
        newest: cython.double = self._low[self._slot(0)]
        best: cython.double = newest
        known: cython.bint = self._low_n == n and self._low_count == self.count - 1
        if known and newest <= self._low_value:
            pass
        elif known and n < self._size and self._low[self._slot(n)] > self._low_value:
            best = self._low_value
        else:
            at: cython.longlong = self._slot(0)
            for _ in range(n - 1):
                at = (at if at > 0 else self.capacity) - 1
                best = min(best, self._low[at])
        self._low_n = n
        self._low_count = self.count
        self._low_value = best
        return best

    @cython.boundscheck(False)  # as _highest
    @cython.wraparound(False)
    def _total(self, volume: cython.bint, n: cython.longlong) -> cython.double:
        """The sum of the newest n volumes, or else closes, oldest first."""
        total: cython.double = 0.0
        at: cython.longlong = self._slot(n - 1)
        for _ in range(n):
            total += self._volume[at] if volume else self._close[at]
            at += 1
            if at == self.capacity:
                at = 0
        return total

    def _copy(self, which: int, n: int) -> "NDArray[Any]":
        import numpy as np  # not at the top: this module is part of `import lockstep`

        column = self._slice(which, n)  # already a copy, of n >= 1 values
        return np.frombuffer(column, column.typecode)

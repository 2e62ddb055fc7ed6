"""Ranges: the average true range, and the highest and lowest price of a period."""

from array import array
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, SupportsIndex

import cython

from lockstep.features.base import PERIOD_MAX, Indicator, SeriesIndicator
from lockstep.model.arguments import whole
from lockstep.model.fields import float_field, floats_field, int_field, list_field

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@cython.final
@cython.cclass
class ATR(Indicator):
    """Average true range, in price units: Wilder's average of how far each bar moved, gaps included.

    A true range needs a previous close, so the first value comes at bar `period` + 1. TA-Lib's recurrence.

    Args:   period: 1 to 10,000 bars.
    Raises: TypeError, ValueError: a period that is not a whole number in range.
    Source: Wilder (1978), "New Concepts in Technical Trading Systems"; TA-Lib, ta_ATR.c.
    """

    period: cython.longlong
    _previous: cython.double  # close
    _average: cython.double  # sum of the first `period` true ranges, then Wilder's average
    _seen: cython.longlong  # bars, at most `period` + 1

    def __init__(self, period: SupportsIndex = 14) -> None:
        self.period = whole("period", period, 1, PERIOD_MAX)
        Indicator.__init__(self, self.period + 1, uses_range=True)

    @cython.cdivision(True)  # the period is at least 1
    def update_bar(
        self, high: cython.double, low: cython.double, close: cython.double, volume: cython.double
    ) -> cython.int:
        """Take one bar, unchecked; see `Indicator.update_bar`."""
        width: cython.double = high - low
        up: cython.double = abs(high - self._previous)
        down: cython.double = abs(low - self._previous)
        self.count += 1
        self._previous = close
        width = max(width, up)
        width = max(width, down)
        if self._seen > self.period:
            self._average = (self._average * (self.period - 1) + width) / self.period
            self.value = self._average
            return 0
        self._seen += 1
        if self._seen == 1:  # the first bar has no previous close
            return 0
        self._average += width
        if self._seen > self.period:
            self._average /= self.period
            self.value = self._average
            self.ready = True
        return 0

    @classmethod
    def batch(
        cls,
        highs: "NDArray[np.float64]",
        lows: "NDArray[np.float64]",
        closes: "NDArray[np.float64]",
        period: SupportsIndex = 14,
    ) -> "NDArray[np.float64]":
        """This indicator over whole columns, by the same compiled update: identical bits.

        Args:    highs, lows, closes: shape [n], float64, finite, low <= close <= high.
        Returns: [n], price units; NaN before the warm-up.
        Raises:  TypeError, ValueError: wrong dtype, shape or length, not finite; a bad period.
        """
        from lockstep.features.batch import column  # numpy stays out of `import lockstep`

        return column(cls(period), closes, highs, lows)

    def unit(self, price_factor: float, volume_factor: float) -> float:
        """A price."""
        return price_factor

    def _arguments(self) -> tuple[Any, ...]:
        return (self.period,)

    def _clear(self) -> None:
        Indicator._clear(self)
        self._previous = 0.0
        self._average = 0.0
        self._seen = 0

    def _rescale(self, price_factor: float, volume_factor: float) -> None:
        self._previous *= price_factor
        self._average *= price_factor
        if self.ready:
            self.value = self._average

    def _state(self) -> dict[str, Any]:
        return {"previous": self._previous, "average": self._average, "seen": self._seen}

    def _load(self, state: Mapping[str, Any], count: int) -> None:
        fed = min(count, self.period + 1)
        previous, average = float_field(state, "previous"), float_field(state, "average")
        seen = int_field(state, "seen", fed, fed)
        self._previous = previous
        self._average = average
        self._seen = seen


@cython.cclass
class Extreme(SeriesIndicator):
    """What Highest and Lowest share: a queue of the samples that can still become the extreme.

    A sample that a later one beats can never be the extreme again, so it leaves the queue: each sample enters and
    leaves once, constant time on average. Lowest is the highest of the negated samples; negating is exact.
    """

    _samples: "array[float]"  # circular, `_size` from `_head`: falling values, times `_sign`
    _bars: "array[int]"  # when each was fed
    _head: cython.longlong
    _size: cython.longlong
    _seen: cython.longlong  # samples fed
    _sign: cython.double

    def __init__(self, period: SupportsIndex, of: Indicator | None, sign: float) -> None:
        self._sign = sign
        SeriesIndicator.__init__(self, period, of)
        self.uses_range = of is None

    @cython.boundscheck(False)  # every index is in 0..period-1
    @cython.wraparound(False)
    def feed(self, sample: cython.double) -> cython.int:
        """Take one sample of the series."""
        x: cython.double = sample * self._sign
        if self._size > 0 and self._bars[self._head] <= self._seen - self.period:
            self._head = 0 if self._head + 1 == self.period else self._head + 1
            self._size -= 1
        last: cython.longlong = self._head + self._size - 1
        if last >= self.period:
            last -= self.period
        while self._size > 0 and self._samples[last] <= x:
            self._size -= 1
            last = self.period - 1 if last == 0 else last - 1
        at: cython.longlong = self._head + self._size
        if at >= self.period:
            at -= self.period
        self._samples[at] = x
        self._bars[at] = self._seen
        self._size += 1
        self._seen += 1
        if self._seen >= self.period:
            self.value = self._samples[self._head] * self._sign
            self.ready = True
        return 0

    def _clear(self) -> None:
        Indicator._clear(self)
        self._samples = array("d", bytes(8 * self.period))
        self._bars = array("q", bytes(8 * self.period))
        self._head = 0
        self._size = 0
        self._seen = 0

    def _rescale(self, price_factor: float, volume_factor: float) -> None:
        unit = self._sample_unit(price_factor, volume_factor)
        for i in range(self._size):
            self._samples[(self._head + i) % self.period] *= unit
        if self.ready:
            self.value = self._samples[self._head] * self._sign

    def _state(self) -> dict[str, Any]:
        order = [(self._head + i) % self.period for i in range(self._size)]
        return {
            "seen": self._seen,
            "samples": [self._samples[i] for i in order],
            "bars": [self._bars[i] for i in order],
        }

    def _load(self, state: Mapping[str, Any], count: int) -> None:
        fed = max(count - (self.warmup - self.period), 0)
        seen = int_field(state, "seen", fed, fed)
        bars = state.get("bars")
        size = len(bars) if isinstance(bars, list) else 0
        if size > self.period or (size == 0) != (seen == 0):
            raise ValueError(f"saved 'bars' must hold 1 to {self.period} bars after {seen} samples, was {size}")
        samples = floats_field(state, "samples", size)
        oldest = max(seen - self.period, 0)
        ages = [whole("saved 'bars'", bar, oldest, seen - 1) for bar in list_field(state, "bars", size)]
        if any(ages[i] >= ages[i + 1] or samples[i] <= samples[i + 1] for i in range(size - 1)):
            raise ValueError("saved 'bars' must rise and 'samples' must fall")
        for i in range(size):
            self._samples[i] = samples[i]
            self._bars[i] = ages[i]
        self._head = 0
        self._size = size
        self._seen = seen


@cython.final
@cython.cclass
class Highest(Extreme):
    """The highest high of the last `period` bars, this one included; or the highest value of `of`.

    Args:   period: 1 to 10,000 bars. of: the indicator to read, such as `Close()`; the bar's high if left out.
    Raises: TypeError, ValueError: a period that is not a whole number in range.
    """

    def __init__(self, period: SupportsIndex, of: Indicator | None = None) -> None:
        Extreme.__init__(self, period, of, 1.0)

    def update_bar(
        self, high: cython.double, low: cython.double, close: cython.double, volume: cython.double
    ) -> cython.int:
        """Take one bar, unchecked; see `Indicator.update_bar`."""
        return SeriesIndicator.update_bar(self, high, low, high, volume)


@cython.final
@cython.cclass
class Lowest(Extreme):
    """The lowest low of the last `period` bars, this one included; or the lowest value of `of`.

    Args:   period: 1 to 10,000 bars. of: the indicator to read, such as `Close()`; the bar's low if left out.
    Raises: TypeError, ValueError: a period that is not a whole number in range.
    """

    def __init__(self, period: SupportsIndex, of: Indicator | None = None) -> None:
        Extreme.__init__(self, period, of, -1.0)

    def update_bar(
        self, high: cython.double, low: cython.double, close: cython.double, volume: cython.double
    ) -> cython.int:
        """Take one bar, unchecked; see `Indicator.update_bar`."""
        return SeriesIndicator.update_bar(self, high, low, low, volume)

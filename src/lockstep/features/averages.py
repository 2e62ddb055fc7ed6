"""Moving averages: simple and exponential."""

from array import array
from collections.abc import Mapping
from typing import Any, SupportsIndex

import cython

from lockstep.features.base import Indicator, SeriesIndicator
from lockstep.model.fields import float_field, floats_field, int_field


@cython.final
@cython.cclass
class SMA(SeriesIndicator):
    """Simple moving average: the mean of the last `period` samples, in constant time.

    The running sum carries its own rounding error (a double-double), so it does not drift however many bars pass, and
    the mean is rounded once: a flat series has exactly its own value as average, and the average never leaves the
    range of its samples. (The sum has 106 bits: samples more than about 1e15 times smaller than a recent one lose digits.)

    Args:   period: 1 to 10,000 bars. of: the indicator to average; the close if left out.
    Raises: TypeError, ValueError: a period that is not a whole number in range.
    Source: Knuth, TAOCP vol. 2, 4.2.2 (exact sum of two floats); Dekker (1971), the split product.
    """

    _ring: "array[float]"  # the last `period` samples
    _next: cython.longlong  # where the next sample goes; the oldest once the ring is full
    _seen: cython.longlong  # samples in the ring, at most `period`
    _sum: cython.double
    _error: cython.double  # what rounding took from `_sum`

    def __init__(self, period: SupportsIndex, of: Indicator | None = None) -> None:
        SeriesIndicator.__init__(self, period, of)

    def _add(self, sample: cython.double) -> cython.int:
        total: cython.double = self._sum + sample
        part: cython.double = total - self._sum
        self._error += (self._sum - (total - part)) + (sample - part)
        self._sum = total
        return 0

    @cython.cdivision(True)  # the period is at least 1
    def _mean(self) -> cython.double:
        n: cython.double = self.period
        total: cython.double = self._sum + self._error
        part: cython.double = total - self._sum
        rest: cython.double = (self._sum - (total - part)) + (self._error - part)
        quotient: cython.double = total / n
        # 2**27 + 1 cuts a double into two halves of 26 bits (Veltkamp). n has 14 bits, so n times either half of the
        # quotient is exact, and the remainder corrects the quotient. A literal: a module constant is a Python object.
        cut: cython.double = 134217729.0 * quotient
        upper: cython.double = cut - (cut - quotient)
        remainder: cython.double = ((total - n * upper) - n * (quotient - upper)) + rest
        return quotient + remainder / n

    @cython.boundscheck(False)  # _next stays in 0..period-1
    @cython.wraparound(False)
    def feed(self, sample: cython.double) -> cython.int:
        """Take one sample of the series."""
        at: cython.longlong = self._next
        self._add(sample)
        if self._seen < self.period:
            self._seen += 1
        else:
            self._add(-self._ring[at])
        self._ring[at] = sample
        at += 1
        self._next = 0 if at == self.period else at
        if self._seen == self.period:
            self.value = self._mean()
            self.ready = True
        return 0

    def _clear(self) -> None:
        Indicator._clear(self)
        self._ring = array("d", bytes(8 * self.period))
        self._next = 0
        self._seen = 0
        self._sum = 0.0
        self._error = 0.0

    def _samples(self) -> list[float]:
        """Oldest first."""
        if self._seen < self.period:
            return [self._ring[i] for i in range(self._seen)]
        return [self._ring[(self._next + i) % self.period] for i in range(self.period)]

    def _fill(self, samples: list[float]) -> None:
        i: cython.Py_ssize_t
        for i in range(len(samples)):
            self._ring[i] = samples[i]
        self._seen = len(samples)
        self._next = self._seen % self.period

    def _rescale(self, price_factor: float, volume_factor: float) -> None:
        unit = self._sample_unit(price_factor, volume_factor)
        self._fill([sample * unit for sample in self._samples()])
        self._sum = 0.0
        self._error = 0.0
        i: cython.Py_ssize_t
        for i in range(self._seen):
            self._add(self._ring[i])
        if self.ready:
            self.value = self._mean()

    def _state(self) -> dict[str, Any]:
        return {"samples": self._samples(), "sum": self._sum, "error": self._error}

    def _load(self, state: Mapping[str, Any], count: int) -> None:
        held = min(max(count - (self.warmup - self.period), 0), self.period)
        samples = floats_field(state, "samples", held)
        total, error = float_field(state, "sum"), float_field(state, "error")
        self._fill(samples)
        self._sum = total
        self._error = error


@cython.final
@cython.cclass
class EMA(SeriesIndicator):
    """Exponential moving average, alpha = 2 / (period + 1), seeded with the mean of the first `period` samples.

    Undefined before the seed. TA-Lib's recurrence, step by step (builds of it differ in the last bit).

    Args:   period: 1 to 10,000 bars. of: the indicator to average; the close if left out.
    Raises: TypeError, ValueError: a period that is not a whole number in range.
    Source: TA-Lib, ta_EMA.c (default compatibility).
    """

    alpha: cython.double
    _seen: cython.longlong  # samples in the seed, at most `period`
    _sum: cython.double  # of the seed

    def __init__(self, period: SupportsIndex, of: Indicator | None = None) -> None:
        SeriesIndicator.__init__(self, period, of)
        self.alpha = 2.0 / (self.period + 1)

    @cython.cdivision(True)  # the period is at least 1
    def feed(self, sample: cython.double) -> cython.int:
        """Take one sample of the series."""
        if self._seen == self.period:
            self.value = (sample - self.value) * self.alpha + self.value
            return 0
        self._seen += 1
        self._sum += sample
        if self._seen == self.period:
            self.value = self._sum / self.period
            self.ready = True
        return 0

    def _clear(self) -> None:
        Indicator._clear(self)
        self._seen = 0
        self._sum = 0.0

    def _rescale(self, price_factor: float, volume_factor: float) -> None:
        unit = self._sample_unit(price_factor, volume_factor)
        self._sum *= unit
        if self.ready:
            self.value *= unit

    def _state(self) -> dict[str, Any]:
        return {"seen": self._seen, "sum": self._sum}

    def _load(self, state: Mapping[str, Any], count: int) -> None:
        fed = min(max(count - (self.warmup - self.period), 0), self.period)
        seen, total = int_field(state, "seen", fed, fed), float_field(state, "sum")
        self._seen = seen
        self._sum = total

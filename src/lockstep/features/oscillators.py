"""Oscillators: the relative strength index."""

from collections.abc import Mapping
from typing import Any, SupportsIndex

import cython

from lockstep.features.base import Indicator, SeriesIndicator
from lockstep.model.fields import float_field, int_field


@cython.final
@cython.cclass
class RSI(SeriesIndicator):
    """Relative strength index, 0 to 100: Wilder's smoothed gains as a share of gains and losses.

    The first value needs `period` changes, hence `period` + 1 samples. TA-Lib's recurrence, with one
    difference: where the series has not moved at all (gains and losses both 0), TA-Lib answers 0, which reads as
    oversold; this one answers 50, neither.

    Args:   period: 1 to 10,000 bars. of: the indicator to read; the close if left out.
    Raises: TypeError, ValueError: a period that is not a whole number in range.
    Source: Wilder (1978), "New Concepts in Technical Trading Systems"; TA-Lib, ta_RSI.c (default compatibility).
    """

    _previous: cython.double
    _gain: cython.double  # sum over the first `period` changes, then Wilder's average
    _loss: cython.double
    _seen: cython.longlong  # samples, at most `period` + 1

    def __init__(self, period: SupportsIndex = 14, of: Indicator | None = None) -> None:
        SeriesIndicator.__init__(self, period, of, 1)

    @cython.cdivision(True)  # the period is at least 1; gain + loss is checked
    def feed(self, sample: cython.double) -> cython.int:
        """Take one sample of the series."""
        change: cython.double = sample - self._previous
        gain: cython.double = max(0.0, change)
        loss: cython.double = max(0.0, -change)
        self._previous = sample
        if self._seen > self.period:
            self._gain = (self._gain * (self.period - 1) + gain) / self.period
            self._loss = (self._loss * (self.period - 1) + loss) / self.period
        else:
            self._seen += 1
            if self._seen == 1:  # the first sample has nothing to change from
                return 0
            self._gain += gain
            self._loss += loss
            if self._seen <= self.period:
                return 0
            self._gain /= self.period
            self._loss /= self.period
            self.ready = True
        both: cython.double = self._gain + self._loss
        self.value = 100.0 * (self._gain / both) if both > 0.0 else 50.0
        return 0

    def unit(self, price_factor: float, volume_factor: float) -> float:
        """A ratio: no unit."""
        return 1.0

    def _clear(self) -> None:
        Indicator._clear(self)
        self._previous = 0.0
        self._gain = 0.0
        self._loss = 0.0
        self._seen = 0

    def _rescale(self, price_factor: float, volume_factor: float) -> None:
        unit = self._sample_unit(price_factor, volume_factor)
        self._previous *= unit
        self._gain *= unit
        self._loss *= unit

    def _state(self) -> dict[str, Any]:
        return {"previous": self._previous, "gain": self._gain, "loss": self._loss, "seen": self._seen}

    def _load(self, state: Mapping[str, Any], count: int) -> None:
        fed = min(max(count - (self.warmup - self.period - 1), 0), self.period + 1)
        previous, seen = float_field(state, "previous"), int_field(state, "seen", fed, fed)
        gain, loss = float_field(state, "gain"), float_field(state, "loss")
        self._previous = previous
        self._gain = gain
        self._loss = loss
        self._seen = seen

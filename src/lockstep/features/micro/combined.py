"""Features of features: what one was a while ago, how far one is from another, and a linear prediction made of several."""

from array import array
from collections.abc import Mapping, Sequence
from typing import Any, SupportsFloat, SupportsIndex

import cython

if cython.compiled:
    from cython.cimports.lockstep.features.micro.base import MarketFeature
    from cython.cimports.lockstep.features.micro.depth import DepthView
else:
    from lockstep.features.micro.base import MarketFeature
    from lockstep.features.micro.depth import DepthView
from lockstep.features.micro.timed import span_ns
from lockstep.model.arguments import finite, whole
from lockstep.model.fields import field

_NAN = cython.declare(cython.double, float("nan"))
_FIRST_SIZE = 64
_INT_MAX = 2**63 - 1


@cython.final
@cython.cclass
class Lagged(MarketFeature):
    """What another feature was a while ago: the last value it had at or before now - `lag_ms`. `Lagged(WAP(), 200)`.

    nan while that is not known: before there is such a value, and until the lag has passed since it was last nan.

    Args:   of: the feature. lag_ms: 1 to 86,400,000 (a day).
    Raises: TypeError, ValueError: no feature, or no whole number in range.
    """

    of: MarketFeature
    lag_ms: cython.longlong
    _lag: cython.longlong  # ns
    _times: "array[int]"
    _values: "array[float]"
    _head: cython.longlong
    _size: cython.longlong
    _mask: cython.longlong

    def __init__(self, of: MarketFeature, lag_ms: SupportsIndex) -> None:
        self.of = feature("of", of)
        self._lag = span_ns("lag_ms", lag_ms)
        self.lag_ms = self._lag // 1_000_000
        self._times = array("q", bytes(8 * _FIRST_SIZE))
        self._values = array("d", bytes(8 * _FIRST_SIZE))
        self._mask = _FIRST_SIZE - 1
        MarketFeature.__init__(self, of.levels, on_trades=True)

    @cython.boundscheck(False)  # a place masked is in the ring
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def on_book(self, view: DepthView) -> cython.int:
        """See `MarketFeature.on_book`."""
        known: cython.double = self.of.value
        if known != known:  # noqa: PLR0124 - nan alone differs from itself, and the comparison is C
            self._size = 0
            self.value = _NAN
            return 0
        last: cython.longlong = (self._head + self._size - 1) & self._mask
        if self._size == 0 or self._values[last] != known:  # what stays the same needs no second entry
            if self._size > 0 and self._times[last] == view.clock:
                self._values[last] = known  # at one moment the last word counts
            else:
                self._append(view.clock, known)
        then: cython.longlong = view.clock - self._lag
        while self._size > 1 and self._times[(self._head + 1) & self._mask] <= then:
            self._head = (self._head + 1) & self._mask
            self._size -= 1
        self.value = self._values[self._head] if self._times[self._head] <= then else _NAN
        return 0

    def on_trade(self, view: DepthView) -> cython.int:
        """Time has passed."""
        return self.on_book(view)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _append(self, clock: cython.longlong, known: cython.double) -> cython.int:
        """A value from a time on. A ring that is full is doubled: it comes to hold what the busiest lag held."""
        if self._size > self._mask:
            times, values = self._entries()
            size = len(times)
            self._times = array("q", times + [0] * size)
            self._values = array("d", values + [0.0] * size)
            self._head = 0
            self._mask = 2 * size - 1
        place: cython.longlong = (self._head + self._size) & self._mask
        self._times[place] = clock
        self._values[place] = known
        self._size += 1
        return 0

    def _entries(self) -> tuple[list[int], list[float]]:
        places = [(self._head + i) & self._mask for i in range(self._size)]
        return [self._times[place] for place in places], [self._values[place] for place in places]

    def inputs(self) -> tuple[MarketFeature, ...]:
        """The feature it looks back at."""
        return (self.of,)

    def _arguments(self) -> tuple[Any, ...]:
        return (self.of, self.lag_ms)

    def _clear(self) -> None:
        MarketFeature._clear(self)
        self._head = 0
        self._size = 0

    def _state(self) -> dict[str, Any]:
        times, values = self._entries()
        return {"times": times, "values": values}

    def _load(self, state: Mapping[str, Any]) -> None:
        times = [whole("saved time", time, 0, _INT_MAX) for time in field(state, "times")]
        values = [finite("saved value", value) for value in field(state, "values")]
        if len(times) != len(values) or times != sorted(times):
            raise ValueError(f"saved {self!r} has {len(values)} values at {len(times)} times, or times that go back")
        self._head = 0
        self._size = 0
        for time, value in zip(times, values, strict=True):
            self._append(time, value)


@cython.final
@cython.cclass
class Gap(MarketFeature):
    """How far one feature is from another, as a share of the other: a / b - 1. `Gap(Mid(), Lagged(Mid(), 5000))` is a return of 5 s.

    nan while one of them is, and where the other is 0.

    Raises: TypeError: no features.
    """

    a: MarketFeature
    b: MarketFeature

    def __init__(self, a: MarketFeature, b: MarketFeature) -> None:
        self.a = feature("a", a)
        self.b = feature("b", b)
        MarketFeature.__init__(self, max(a.levels, b.levels), on_trades=a.on_trades or b.on_trades)

    @cython.cdivision(True)
    def on_book(self, view: DepthView) -> cython.int:
        """See `MarketFeature.on_book`."""
        self.value = self.a.value / self.b.value - 1.0 if self.b.value != 0.0 else _NAN
        return 0

    def on_trade(self, view: DepthView) -> cython.int:
        """See `MarketFeature.on_trade`."""
        return self.on_book(view)

    def inputs(self) -> tuple[MarketFeature, ...]:
        """The two."""
        return (self.a, self.b)

    def _arguments(self) -> tuple[Any, ...]:
        return (self.a, self.b)


@cython.final
@cython.cclass
class LinearPrediction(MarketFeature):
    """A linear prediction made of other features, and the signal it gives: intercept + the sum of weight * value.

    nan while one of the features is. It knows what they know at the moment and no more; the weights were learnt before, by
    `research.linear.fit_linear`, on another stretch of time.

    Attributes: `signal`: 1 where the prediction is above the threshold, -1 where it is below minus the threshold, else 0; 0 while
    it is nan. `features`, `weights`, `intercept`, `threshold`: as given.

    Args:   features: at least one. weights: one for each. threshold: 0 or more, in the unit of the prediction.
    Raises: TypeError, ValueError: no features, other numbers of weights, not finite, a threshold below 0.
    """

    features: tuple[MarketFeature, ...]
    weights: tuple[float, ...]
    intercept: cython.double
    threshold: cython.double
    signal: cython.int
    _weights: "array[float]"

    def __init__(
        self,
        features: Sequence[MarketFeature],
        weights: Sequence[SupportsFloat],
        intercept: SupportsFloat = 0.0,
        threshold: SupportsFloat = 0.0,
    ) -> None:
        self.features = tuple(feature("a feature of the prediction", entry) for entry in features)
        self._weights = array("d", [finite("weight", weight) for weight in weights])
        if not self.features or len(self.features) != len(self._weights):
            raise ValueError(
                f"one weight for each feature, at least one: was {len(self._weights)} for {len(self.features)}"
            )
        self.weights = tuple(self._weights)
        self.intercept = finite("intercept", intercept)
        self.threshold = finite("threshold", threshold)
        if self.threshold < 0.0:
            raise ValueError(f"threshold must be 0 or more, was {self.threshold}")
        levels = max(entry.levels for entry in self.features)
        MarketFeature.__init__(self, levels, on_trades=any(entry.on_trades for entry in self.features))

    @cython.boundscheck(False)  # as many weights as features
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def on_book(self, view: DepthView) -> cython.int:
        """See `MarketFeature.on_book`."""
        total: cython.double = self.intercept
        i: cython.Py_ssize_t
        for i in range(len(self.features)):
            total += self._weights[i] * cython.cast(MarketFeature, self.features[i]).value
        self.value = total  # nan of one is nan of all, and no comparison with it holds
        self.signal = 1 if total > self.threshold else -1 if total < -self.threshold else 0
        return 0

    def on_trade(self, view: DepthView) -> cython.int:
        """See `MarketFeature.on_trade`."""
        return self.on_book(view)

    def inputs(self) -> tuple[MarketFeature, ...]:
        """The features it is made of."""
        return self.features

    def _arguments(self) -> tuple[Any, ...]:
        return (list(self.features), list(self.weights), self.intercept, self.threshold)

    def _clear(self) -> None:
        MarketFeature._clear(self)
        self.signal = 0

    def _state(self) -> dict[str, Any]:
        return {"signal": self.signal}

    def _load(self, state: Mapping[str, Any]) -> None:
        self.signal = whole("saved 'signal'", field(state, "signal"), -1, 1)


def feature(name: str, value: object) -> MarketFeature:
    """The value, if it is a feature. Raises: TypeError."""
    if not isinstance(value, MarketFeature):
        raise TypeError(f"{name} must be a market feature such as WAP(), was {value!r} ({type(value).__name__})")
    return value

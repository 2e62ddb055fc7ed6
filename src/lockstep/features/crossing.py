"""Declared crossings: a condition that compiled code keeps up to date, so that a handler reads one field."""

from collections.abc import Mapping
from typing import Any, SupportsFloat

import cython

from lockstep.features.base import Indicator
from lockstep.features.sources import Level
from lockstep.model.fields import field, float_field


@cython.final
@cython.cclass
class CrossOver(Indicator):
    """Whether `a` crossed `b` at this bar: `value` is +1.0 upwards, -1.0 downwards, 0.0 otherwise.

    `up`: a was below b at the previous bar and is above it now. `down`: the reverse. Both comparisons are strict, as in
    backtesting.py's `crossover`: a bar at which the two are equal belongs to no side, and a crossing that rests on
    equality for a bar is not reported. Both must have been ready at the previous bar, hence one bar more of warm-up.

    Ownership: a CrossOver only *reads* its inputs. Whoever drives it updates them first, each once a bar, in the order
    that `resolve` gives; the engine and `IndicatorSet` do so, whether or not the inputs are declared on their own.

    Args:   a, b: indicators, or numbers for a fixed level: `CrossOver(Close(), SMA(50))`, `CrossOver(RSI(14), 30)`.
    Raises: TypeError, ValueError: neither an indicator nor a finite number; the same indicator twice.
    """

    a: Indicator
    b: Indicator
    up: cython.bint
    down: cython.bint
    _a: cython.double  # at the previous bar
    _b: cython.double
    _primed: cython.bint  # whether `_a` and `_b` hold values

    def __init__(self, a: Indicator | SupportsFloat, b: Indicator | SupportsFloat) -> None:
        left = a if isinstance(a, Indicator) else Level(a)
        right = b if isinstance(b, Indicator) else Level(b)
        if left is right:
            raise ValueError(f"CrossOver of {left!r} with itself never happens; give two different indicators")
        self.a = left
        self.b = right
        Indicator.__init__(self, max(left.warmup, right.warmup) + 1)

    def update_bar(
        self, high: cython.double, low: cython.double, close: cython.double, volume: cython.double
    ) -> cython.int:
        """Take one bar, unchecked: the inputs have been updated. See `Indicator.update_bar`."""
        self.count += 1
        if not (self.a.ready and self.b.ready):
            return 0
        a: cython.double = self.a.value
        b: cython.double = self.b.value
        if self._primed:
            self.up = self._a < self._b and a > b
            self.down = self._a > self._b and a < b
            self.value = 1.0 if self.up else (-1.0 if self.down else 0.0)
            self.ready = True
        self._primed = True
        self._a = a
        self._b = b
        return 0

    def inputs(self) -> tuple[Indicator, ...]:
        """The two sides."""
        return self.a, self.b

    def _arguments(self) -> tuple[Any, ...]:
        return self.a, self.b

    def _clear(self) -> None:
        Indicator._clear(self)
        self.up = False
        self.down = False
        self._a = 0.0
        self._b = 0.0
        self._primed = False

    def _rescale(self, price_factor: float, volume_factor: float) -> None:
        self._a *= self.a.unit(price_factor, volume_factor)
        self._b *= self.b.unit(price_factor, volume_factor)

    def _state(self) -> dict[str, Any]:
        return {"a": self._a, "b": self._b, "up": bool(self.up), "down": bool(self.down)}

    def _load(self, state: Mapping[str, Any], count: int) -> None:
        a, b = float_field(state, "a"), float_field(state, "b")
        up, down = field(state, "up"), field(state, "down")
        if not isinstance(up, bool) or not isinstance(down, bool) or (up and down):
            raise ValueError(f"saved 'up' and 'down' must be true or false and not both true, was {up!r}, {down!r}")
        self._a = a
        self._b = b
        self.up = up
        self.down = down
        self._primed = count >= self.warmup - 1

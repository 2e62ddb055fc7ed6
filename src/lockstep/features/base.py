"""What every indicator is: a value that one bar at a time keeps up to date.

Two ways in. `update_bar` is the engine's: C arguments, no checks, one virtual call through the `.pxd`. Its caller
has already refused bars that are not finite; a NaN that gets past it stays in the sums for good. `push` is
everyone else's: it checks the bar in Python terms, then calls `update_bar`.

The warm-up contract: `value` is NaN and `ready` false until exactly the `warmup`-th bar, and never again after it.

Prices are point-in-time. After a split or a dividend the engine calls `rescale`, and the past is from then on
expressed in the new units, as if the indicator had been fed the adjusted past; no future factor is ever looked at.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, SupportsFloat, SupportsIndex

import cython

from lockstep.model.arguments import factor, finite, whole
from lockstep.model.fields import field, int_field

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PERIOD_MAX = 10_000  # bars; the depth of a market window, and far beyond any period in use
COUNT_MAX = 2**62  # bars; only bounds what a saved state may claim
NAN = math.nan
SCHEMA = 1  # of saved states; a reader refuses any other


@cython.cclass
class Indicator:
    """The base of all indicators. Use one of its kinds: SMA, EMA, RSI, ATR, Highest, Lowest, CrossOver, Close ...

    Attributes (read-only):
        value:  float; NaN until `ready`.
        ready:  whether `warmup` bars have been seen.
        count:  bars seen.
        warmup: bars needed until `ready`, those of the inputs included.
        uses_range, uses_volume: whether `push` must be given high and low, or volume.
    """

    value: cython.double
    ready: cython.bint
    count: cython.longlong
    warmup: cython.longlong
    uses_range: cython.bint
    uses_volume: cython.bint

    def __init__(self, warmup: int, uses_range: bool = False, uses_volume: bool = False) -> None:
        if type(self) is Indicator or type(self) is SeriesIndicator:
            raise TypeError(f"{type(self).__name__} is the common base; construct SMA, EMA, RSI, ATR ... instead")
        self.warmup = warmup
        self.uses_range = uses_range
        self.uses_volume = uses_volume
        self._clear()

    def update_bar(
        self, high: cython.double, low: cython.double, close: cython.double, volume: cython.double
    ) -> cython.int:
        """Take one bar, unchecked: finite numbers, inputs already updated. Returns 0 (C callers see -1 on an error)."""
        self.count += 1
        return 0

    def push(
        self,
        close: SupportsFloat,
        high: SupportsFloat | None = None,
        low: SupportsFloat | None = None,
        volume: SupportsFloat | None = None,
    ) -> float:
        """Take one bar, checked, and return the new value (NaN until ready).

        `high` and `low` may be left out where the indicator reads only the close; `volume` likewise. An indicator of
        other indicators is pushed after its inputs; an `IndicatorSet` pushes everything once, in the right order.

        Raises: TypeError: not a number. ValueError: NaN or infinite, high below low, close outside low..high, a part
            of the bar missing, or an input that has not seen this bar yet.
        """
        for source in self.inputs():
            if source.count != self.count + 1:
                raise ValueError(
                    f"{self!r} is at bar {self.count + 1} but its input {source!r} has seen {source.count}: push each "
                    "input exactly once before it, or push them all through IndicatorSet([...])"
                )
        bar = checked_bar(self, self.uses_range, self.uses_volume, close, high, low, volume)
        self.update_bar(bar[0], bar[1], bar[2], bar[3])
        return self.value

    def inputs(self) -> tuple["Indicator", ...]:
        """The indicators this one reads; they must be updated before it, once a bar."""
        return ()

    def rescale(self, price_factor: SupportsFloat, volume_factor: SupportsFloat = 1.0) -> None:
        """Express the past in new units: every past price times `price_factor`, every volume times `volume_factor`.

        A 2:1 split is `rescale(0.5, 2.0)`; a dividend of 1 % of the price is `rescale(0.99)`. The state becomes what
        feeding the adjusted past would have made it (to 1e-12 relative). Inputs are rescaled on their own.

        Raises: TypeError, ValueError: a factor that is not a finite number above 0.
        """
        self._rescale(factor("price_factor", price_factor), factor("volume_factor", volume_factor))

    def unit(self, price_factor: float, volume_factor: float) -> float:
        """What `value` is multiplied by under `rescale`: the price factor, the volume factor, or 1 for a ratio."""
        return 1.0

    def reset(self) -> None:
        """Forget every bar. Inputs keep theirs: reset them too (`IndicatorSet.reset` does)."""
        self._clear()

    def save(self) -> dict[str, Any]:
        """The whole state as plain JSON data; `restore` on an equal indicator continues bit for bit."""
        return {
            "kind": type(self).__name__,
            "schema": SCHEMA,
            "params": repr(self),
            "count": self.count,
            "value": self.value if self.ready else None,
            "state": self._state(),
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from what `save` returned. On an error this indicator is unchanged.

        Raises: ValueError, TypeError: another kind, other parameters, another schema version, or damaged data.
        """
        if not isinstance(saved, Mapping):
            raise TypeError(f"saved state must be a dict from save(), was {type(saved).__name__}")
        if field(saved, "schema") != SCHEMA:
            raise ValueError(f"saved state has schema version {saved['schema']!r}, this build reads {SCHEMA}")
        if field(saved, "kind") != type(self).__name__ or field(saved, "params") != repr(self):
            raise ValueError(f"saved state is of {field(saved, 'params')}, cannot restore it into {self!r}")
        count = int_field(saved, "count", 0, COUNT_MAX)
        value = field(saved, "value")
        number = NAN if value is None else finite("saved 'value'", value)
        if (value is not None) != (count >= self.warmup):
            raise ValueError(f"saved state of {self!r} has value {value!r} at bar {count}, warm-up is {self.warmup}")
        state = field(saved, "state")
        if not isinstance(state, Mapping):
            raise TypeError(f"saved 'state' must be a dict, was {type(state).__name__}")
        self._load(state, count)
        self.count = count
        self.value = number
        self.ready = value is not None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._arguments(), self.save()

    def __setstate__(self, saved: Mapping[str, Any]) -> None:
        self.restore(saved)

    def __repr__(self) -> str:
        shown = ", ".join(repr(argument) for argument in self._arguments())
        return f"{type(self).__name__}({shown})"

    # What a kind fills in. `_state` and `_load` cover its own fields only; `_load` reads all before it writes any.

    def _arguments(self) -> tuple[Any, ...]:
        return ()

    def _clear(self) -> None:
        self.value = NAN
        self.ready = False
        self.count = 0

    def _rescale(self, price_factor: float, volume_factor: float) -> None:
        if self.ready:
            self.value *= self.unit(price_factor, volume_factor)

    def _state(self) -> dict[str, Any]:
        return {}

    def _load(self, state: Mapping[str, Any], count: int) -> None:
        pass


@cython.cclass
class SeriesIndicator(Indicator):
    """An indicator of one series over a period: of the close, or of another indicator given as `of`.

    `SMA(20, of=Volume())` is the average volume. Bars at which the input is not ready are counted, not fed.
    """

    period: cython.longlong
    source: Indicator | None

    def __init__(self, period: SupportsIndex, of: Indicator | None = None, lead: int = 0) -> None:
        # `lead`: bars the kind needs before the first of its `period` samples (a previous close).
        if of is not None and not isinstance(of, Indicator):
            raise TypeError(f"of must be an indicator, was {of!r} ({type(of).__name__})")
        self.period = whole("period", period, 1, PERIOD_MAX)
        self.source = of
        Indicator.__init__(self, self.period + lead + (0 if of is None else of.warmup - 1))

    def update_bar(
        self, high: cython.double, low: cython.double, close: cython.double, volume: cython.double
    ) -> cython.int:
        """Take one bar, unchecked; see `Indicator.update_bar`."""
        self.count += 1
        if self.source is None:
            return self.feed(close)
        if self.source.ready:
            return self.feed(self.source.value)
        return 0

    def feed(self, sample: cython.double) -> cython.int:
        """Take one sample of the series."""
        return 0

    @classmethod
    def batch(cls, values: "NDArray[np.float64]", period: SupportsIndex) -> "NDArray[np.float64]":
        """This indicator over a whole series, by the same compiled update: identical bits.

        Args:    values: shape [n], float64, finite; read-only arrays are welcome.
        Returns: [n]; NaN before the warm-up.
        Raises:  TypeError, ValueError: not float64, not one-dimensional, not finite; a bad period.
        """
        from lockstep.features.batch import column  # numpy stays out of `import lockstep`

        return column(cls(period), values, values, values)  # Highest and Lowest read high and low

    def inputs(self) -> tuple[Indicator, ...]:
        """The indicator given as `of`, if any."""
        return () if self.source is None else (self.source,)

    def unit(self, price_factor: float, volume_factor: float) -> float:
        """The unit of the series itself."""
        return self._sample_unit(price_factor, volume_factor)

    def _sample_unit(self, price_factor: float, volume_factor: float) -> float:
        return price_factor if self.source is None else self.source.unit(price_factor, volume_factor)

    def _arguments(self) -> tuple[Any, ...]:
        return (self.period,) if self.source is None else (self.period, self.source)


def checked_bar(
    who: object,
    uses_range: bool,
    uses_volume: bool,
    close: SupportsFloat,
    high: SupportsFloat | None,
    low: SupportsFloat | None,
    volume: SupportsFloat | None,
) -> tuple[float, float, float, float]:
    """Check one bar and return (high, low, close, volume); high and low default to the close where nobody reads them.

    Raises: TypeError, ValueError: as `Indicator.push` says.
    """
    c = finite("close", close)
    if (high is None) != (low is None) or (uses_range and high is None):
        raise ValueError(f"{who!r} needs high and low as well: push(close, high, low)")
    if uses_volume and volume is None:
        raise ValueError(f"{who!r} needs the volume as well: push(close, high, low, volume)")
    h = c if high is None else finite("high", high)
    lo = c if low is None else finite("low", low)
    v = 0.0 if volume is None else finite("volume", volume)
    if not lo <= c <= h:
        raise ValueError(f"bar must have low <= close <= high, was low {lo!r}, close {c!r}, high {h!r}")
    if v < 0.0:
        raise ValueError(f"volume must not be negative, was {v!r}")
    return h, lo, c, v


__all__ = ["PERIOD_MAX", "Indicator", "SeriesIndicator", "checked_bar"]

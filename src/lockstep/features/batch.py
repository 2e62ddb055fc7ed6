"""Indicators over whole columns: the streaming update in a compiled loop, so the bits are the same by construction."""

from typing import TYPE_CHECKING, Any

import cython
import numpy as np

from lockstep.features.base import Indicator
from lockstep.features.schedule import IndicatorSet

if TYPE_CHECKING:
    from numpy.typing import NDArray


def column(
    indicator: Indicator,
    close: "NDArray[np.float64]",
    high: "NDArray[np.float64] | None" = None,
    low: "NDArray[np.float64] | None" = None,
    volume: "NDArray[np.float64] | None" = None,
) -> "NDArray[np.float64]":
    """The indicator's value at every bar, its inputs driven along with it.

    The indicator is left as the last bar left it, so that streaming can go on from there.

    Args:    indicator: fresh, with fresh inputs. close, high, low, volume: shape [n], float64, finite; high and low, or
             volume, may be left out where no indicator reads them.
    Returns: [n]; NaN before the warm-up.
    Raises:  TypeError: not a float64 array. ValueError: shapes differ, not finite, low > close or close > high,
             negative volume, a column missing, or an indicator that has already seen bars.
    """
    driven = IndicatorSet([indicator])
    if indicator.count:
        raise ValueError(f"{indicator!r} has already seen {indicator.count} bars; reset it or give a fresh one")
    closes = checked_column("close", close, None)
    if (high is None) != (low is None):
        raise ValueError("give both high and low, or neither")
    if high is None and any(part.uses_range for part in driven):
        raise ValueError(f"{indicator!r} needs high and low as well: column(indicator, close, high, low)")
    if volume is None and any(part.uses_volume for part in driven):
        raise ValueError(f"{indicator!r} needs the volume as well: column(indicator, close, volume=volume)")
    highs = closes if high is None else checked_column("high", high, closes)
    lows = closes if low is None else checked_column("low", low, closes)
    volumes = np.zeros(closes.shape) if volume is None else checked_column("volume", volume, closes)
    refuse_first("low <= close <= high must hold", ~((lows <= closes) & (closes <= highs)))
    refuse_first("volume must not be negative", volumes < 0.0)
    out = np.empty(closes.shape)
    if cython.compiled:
        fill(driven, indicator, highs, lows, closes, volumes, out)
    else:  # a memoryview yields Python floats; numpy's own scalars would get into the state
        views: list[Any] = [memoryview(values) for values in (highs, lows, closes, volumes, out)]  # type: ignore[arg-type]
        fill(driven, indicator, *views)
    return out


@cython.boundscheck(False)  # all columns have been checked to have one length
@cython.wraparound(False)
def fill(
    driven: IndicatorSet,
    last: Indicator,
    high: "NDArray[np.float64]",
    low: "NDArray[np.float64]",
    close: "NDArray[np.float64]",
    volume: "NDArray[np.float64]",
    out: "NDArray[np.float64]",
) -> cython.int:
    i: cython.Py_ssize_t
    for i in range(close.shape[0]):
        driven.update_bar(high[i], low[i], close[i], volume[i])
        out[i] = last.value
    return 0


def checked_column(name: str, values: object, like: "NDArray[np.float64] | None") -> "NDArray[np.float64]":
    """A contiguous float64 column: `values` itself where it already is one.

    Raises: TypeError: not a float64 array. ValueError: not one-dimensional, another length than `like`, not finite.
    """
    if not isinstance(values, np.ndarray) or values.dtype != np.float64:
        got = f"an array of {values.dtype}" if isinstance(values, np.ndarray) else type(values).__name__
        raise TypeError(f"{name} must be a float64 array, was {got}; convert it with np.asarray({name}, np.float64)")
    if values.ndim != 1:
        raise ValueError(f"{name} must have one dimension, was of shape {values.shape}")
    if like is not None and values.shape != like.shape:
        raise ValueError(f"{name} has {values.shape[0]} bars, close has {like.shape[0]}")
    refuse_first(f"{name} must be finite", ~np.isfinite(values))
    return np.ascontiguousarray(values)


def refuse_first(rule: str, broken: "NDArray[np.bool_]") -> None:
    """Raise a ValueError that names the first bar at which a rule is broken, if any."""
    if broken.any():
        raise ValueError(f"{rule}: broken at bar {int(broken.argmax())}, in {int(broken.sum())} of {broken.size} bars")

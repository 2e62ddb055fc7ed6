"""How sure a Sharpe ratio is: a bootstrap interval that respects dependence between days.

Resampling single days would break up trends and volatility clusters and make the interval too narrow; the stationary
bootstrap draws blocks of random length instead. Randomness is an argument: the caller passes a seeded generator.
"""

import math

import msgspec
import numpy as np
import numpy.typing as npt

from lockstep.analytics.arrays import F64, I64, ROUNDING, checked_level
from lockstep.analytics.metrics import period_rate, sharpe_ratio
from lockstep.model.errors import UsageError

RETURNS_MIN = 20
_BLOCK_ELEMENTS = 1 << 20


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """A confidence interval and how it was made: `level` of the `resamples` usable estimates lie within it."""

    low: float
    high: float
    level: float
    resamples: int
    mean_block: float


def stationary_indices(n: int, resamples: int, mean_block: float, rng: np.random.Generator) -> I64:  # noqa: TID251 - the caller's
    """Row numbers of stationary bootstrap samples: blocks with a uniform start and geometric length, wrapping round.

    Args:    n: observations, 1 or more; resamples: samples to draw; mean_block: mean block length in observations,
             1.0 or more (1.0 is the ordinary bootstrap); rng: seeded by the caller.
    Returns: [resamples, n], each 0 <= index < n.
    Raises:  UsageError: n or mean_block under 1.
    Source:  Politis and Romano (1994), "The Stationary Bootstrap", Journal of the American Statistical Association 89.
    """
    if n < 1 or mean_block < 1.0:
        raise UsageError(f"need n >= 1 and mean_block >= 1: were {n} and {mean_block}")
    shape = (resamples, n)
    column = np.arange(n, dtype=np.int64)
    starts_block: npt.NDArray[np.bool_] = rng.random(shape) < 1.0 / mean_block
    starts_block[:, 0] = True
    block_at = np.maximum.accumulate(np.where(starts_block, column, 0), axis=1)
    first = np.take_along_axis(rng.integers(0, n, size=shape, dtype=np.int64), block_at, axis=1)
    indices: I64 = (first + column - block_at) % n
    return indices


def sharpe_interval(
    returns: F64,
    periods_per_year: int,
    rng: np.random.Generator,  # noqa: TID251 - seeded by the caller
    *,
    risk_free: float = 0.0,
    level: float = 0.95,
    resamples: int = 1000,
    mean_block: float | None = None,
) -> Interval | None:
    """Percentile interval of the annualised Sharpe ratio under the stationary bootstrap.

    Args:    returns: [n], per period; rng: seeded by the caller, advanced here; risk_free: annual fraction;
             level: 0.95 for a 95 % interval; mean_block: by default n ** (1/3), the growth rate that Politis and
             Romano show to be optimal for the mean.
    Returns: None under 20 returns, where resamples only repeat the same few days, and where the Sharpe ratio itself
             is undefined. Resamples without deviation (all of a flat stretch) are left out.
    Raises:  UsageError: level outside (0, 1), resamples under 1.
    """
    checked_level("level", level)
    if resamples < 1:
        raise UsageError(f"resamples must be at least 1: was {resamples}")
    if returns.size < RETURNS_MIN or sharpe_ratio(returns, periods_per_year, risk_free) is None:
        return None
    block = max(1.0, returns.size ** (1.0 / 3.0)) if mean_block is None else mean_block
    rate = period_rate(risk_free, periods_per_year)
    at_once = max(1, _BLOCK_ELEMENTS // returns.size)
    estimates = []
    for start in range(0, resamples, at_once):
        sample = returns[stationary_indices(returns.size, min(at_once, resamples - start), block, rng)]
        spread = sample.std(axis=1, ddof=1)
        usable = spread > ROUNDING
        estimates.append((sample.mean(axis=1)[usable] - rate) / spread[usable])
    ratios = np.concatenate(estimates) * math.sqrt(periods_per_year)
    if ratios.size == 0:
        return None
    low, high = np.quantile(ratios, [(1.0 - level) / 2.0, (1.0 + level) / 2.0]).tolist()
    return Interval(low=low, high=high, level=level, resamples=ratios.size, mean_block=block)

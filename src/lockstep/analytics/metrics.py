"""Risk-adjusted performance of a series of periodic returns: volatility, Sharpe, Sortino, Calmar.

Conventions, the same for all: returns are simple fractions per period; the risk-free rate is *annual* and becomes a
rate per period by compounding, (1 + rf) ** (1 / periods_per_year) - 1 (quantstats does the same; empyrical takes the
rate per period); deviations are sample deviations (ddof = 1) except the downside deviation, which divides by n.
A single NaN among the returns (equity at or below zero) leaves the figure undefined: None.
"""

import math

import numpy as np

from lockstep.analytics.arrays import F64, ROUNDING, checked_periods, finite_or_none
from lockstep.model.errors import UsageError

_BLOCK_ELEMENTS = 1 << 20


def period_rate(annual_rate: float, periods_per_year: int) -> float:
    """(1 + annual) ** (1 / periods_per_year) - 1.

    Raises:  UsageError: annual_rate at or below -1, or periods_per_year not positive.
    """
    if not annual_rate > -1.0:
        raise UsageError(f"an annual rate must be above -1: was {annual_rate}", hint="write 0.02 for 2 %")
    return math.expm1(math.log1p(annual_rate) / checked_periods(periods_per_year))


def deviation(returns: F64) -> float | None:
    """Sample standard deviation (ddof = 1) of one period; None under two returns; exactly 0.0 if only rounding."""
    if returns.size < 2:
        return None
    value = finite_or_none(np.std(returns, ddof=1))
    return 0.0 if value is not None and value < ROUNDING else value


def volatility(returns: F64, periods_per_year: int) -> float | None:
    """Annualised sample deviation: std(r, ddof = 1) * sqrt(periods_per_year) (Bacon 2008, ch. 4).

    None under two returns; 0.0 for constant returns.
    """
    value = deviation(returns)
    return None if value is None else value * math.sqrt(checked_periods(periods_per_year))


def sharpe_ratio(returns: F64, periods_per_year: int, risk_free: float = 0.0) -> float | None:
    """mean(r - f) / std(r - f, ddof = 1) * sqrt(periods_per_year).

    Args:    returns: [n], per period; risk_free: annual fraction, f its rate per period.
    Returns: the annualised ratio; None under two returns or where the deviation is zero (also for constant gains:
             an infinite ratio is not information).
    Source:  Sharpe (1994), "The Sharpe Ratio", Journal of Portfolio Management 21(1): the ex-post ratio.
    """
    rate = period_rate(risk_free, periods_per_year)
    spread = deviation(returns)
    if not spread:
        return None
    return finite_or_none((float(np.mean(returns)) - rate) / spread * math.sqrt(periods_per_year))


def downside_deviation(returns: F64, periods_per_year: int, target: float = 0.0) -> float | None:
    """sqrt(mean(min(r - t, 0) ** 2)) * sqrt(periods_per_year), over *all* n periods, not only the losing ones.

    Args:    target: annual fraction, t its rate per period. Returns: annualised; None without returns.
    Source:  Sortino and Price (1994), "Performance Measurement in a Downside Risk Framework", Journal of Investing.
    """
    if returns.size == 0:
        return None
    shortfall = np.minimum(returns - period_rate(target, periods_per_year), 0.0)
    value = finite_or_none(np.sqrt(np.mean(shortfall * shortfall)))
    return None if value is None else value * math.sqrt(periods_per_year)


def sortino_ratio(returns: F64, periods_per_year: int, target: float = 0.0) -> float | None:
    """Annualised mean return above the target over the annualised downside deviation.

    Args:    target: minimum acceptable return, annual fraction.
    Returns: None under two returns or without any shortfall.
    Source:  Sortino and Price (1994); empyrical's `sortino_ratio` is the same formula.
    """
    below = downside_deviation(returns, periods_per_year, target)
    if returns.size < 2 or below is None or below < ROUNDING:
        return None
    excess = float(np.mean(returns)) - period_rate(target, periods_per_year)
    return finite_or_none(excess * periods_per_year / below)


def calmar_ratio(annual_return: float | None, max_drawdown: float | None) -> float | None:
    """annual_return / |max_drawdown|, over the whole run (Young took the last 36 months).

    None where either is unknown or there was no drawdown.
    Source:  Young (1991), "Calmar Ratio: A Smoother Tool", Futures 20(1).
    """
    if annual_return is None or not max_drawdown:
        return None
    return finite_or_none(annual_return / abs(max_drawdown))


def rolling_sharpe(returns: F64, window: int, periods_per_year: int, risk_free: float = 0.0) -> F64:
    """The Sharpe ratio of the last `window` returns at each period.

    Args:    returns: [n]; window: periods, 2 or more; risk_free: annual fraction.
    Returns: [n]; NaN before the window is full and where the deviation in it is zero.
    Raises:  UsageError: window under 2.
    """
    if window < 2:
        raise UsageError(f"window must be at least 2 periods: was {window}")
    rate = period_rate(risk_free, periods_per_year)
    result = np.full(returns.size, np.nan)
    if returns.size < window:
        return result
    # Windows are reduced directly, in blocks that fit the cache: running sums would be quicker, but lose the digits
    # of a quiet window that follows a wild one.
    windows = np.lib.stride_tricks.sliding_window_view(returns, window)
    block = max(1, _BLOCK_ELEMENTS // window)
    for start in range(0, len(windows), block):
        part = windows[start : start + block]
        spread = part.std(axis=1, ddof=1)
        spread[spread < ROUNDING] = np.nan
        first = window - 1 + start
        result[first : first + len(part)] = (part.mean(axis=1) - rate) / spread * math.sqrt(periods_per_year)
    return result

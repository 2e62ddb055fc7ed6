"""Performance against a benchmark, by default buying and holding the same instruments.

Both series are returns per period on the same days. None is the answer where a series is too short, contains NaN, or
the denominator is zero.
"""

import math

import msgspec
import numpy as np

from lockstep.analytics.arrays import F64, ROUNDING, check_same_length, checked_periods, finite_or_none
from lockstep.analytics.metrics import deviation, period_rate


class BenchmarkStats(msgspec.Struct, frozen=True, kw_only=True):
    """What summarise says about the benchmark; fractions and annualised ratios.

    total_return:      of the benchmark; excess_return: the strategy's total return minus it.
    max_drawdown:      of the benchmark, over every row.
    """

    total_return: float | None
    excess_return: float | None
    max_drawdown: float | None
    volatility: float | None
    sharpe: float | None
    beta: float | None
    alpha: float | None
    correlation: float | None
    tracking_error: float | None
    information_ratio: float | None


def beta(returns: F64, benchmark: F64) -> float | None:
    """cov(r, b) / var(b). None under two periods or for a constant benchmark.

    A constant risk-free rate cancels out. Source: Sharpe (1964), "Capital Asset Prices"; Bacon (2008), ch. 4.
    """
    check_same_length(returns=returns, benchmark=benchmark)
    if not deviation(benchmark):
        return None
    centred = benchmark - benchmark.mean()
    return finite_or_none(np.dot(centred, returns - returns.mean()) / np.dot(centred, centred))


def alpha(returns: F64, benchmark: F64, periods_per_year: int, risk_free: float = 0.0) -> float | None:
    """Jensen's alpha, annualised by multiplication: (mean(r - f) - beta * mean(b - f)) * periods_per_year.

    quantstats annualises like this; empyrical compounds, (1 + a) ** periods_per_year - 1.
    Source:  Jensen (1968), "The Performance of Mutual Funds in the Period 1945-1964", Journal of Finance 23.
    """
    rate = period_rate(risk_free, periods_per_year)
    slope = beta(returns, benchmark)
    if slope is None:
        return None
    excess = float(returns.mean()) - rate - slope * (float(benchmark.mean()) - rate)
    return finite_or_none(excess * periods_per_year)


def correlation(returns: F64, benchmark: F64) -> float | None:
    """Pearson correlation, None where either series is constant or shorter than two."""
    check_same_length(returns=returns, benchmark=benchmark)
    if not deviation(returns) or not deviation(benchmark):
        return None
    a, b = returns - returns.mean(), benchmark - benchmark.mean()
    value = finite_or_none(np.dot(a, b) / math.sqrt(float(np.dot(a, a)) * float(np.dot(b, b))))
    return None if value is None else min(1.0, max(-1.0, value))


def tracking_error(returns: F64, benchmark: F64, periods_per_year: int) -> float | None:
    """Annualised sample deviation of r - b (Bacon 2008, ch. 4). None under two periods."""
    check_same_length(returns=returns, benchmark=benchmark)
    value = deviation(returns - benchmark)
    return None if value is None else value * math.sqrt(checked_periods(periods_per_year))


def information_ratio(returns: F64, benchmark: F64, periods_per_year: int) -> float | None:
    """mean(r - b) / std(r - b, ddof = 1) * sqrt(periods_per_year).

    empyrical's `excess_sharpe` and quantstats' `information_ratio` leave out the annualising root.
    None under two periods, or where the strategy moves exactly with its benchmark.
    Source:  Goodwin (1998), "The Information Ratio", Financial Analysts Journal 54(4).
    """
    error = tracking_error(returns, benchmark, periods_per_year)
    if error is None or error < ROUNDING * math.sqrt(periods_per_year):
        return None
    return finite_or_none(float(np.mean(returns - benchmark)) * periods_per_year / error)


def excess_return(total: float | None, benchmark_total: float | None) -> float | None:
    """Arithmetic excess: total - benchmark_total (Bacon 2008, ch. 3). None where either is unknown."""
    return None if total is None or benchmark_total is None else total - benchmark_total

"""Returns: simple, total, annualised, by month, and their histogram.

Returns are simple (arithmetic) fractions: 0.01 is one per cent. Sources: Bacon (2008), "Practical Portfolio
Performance Measurement and Attribution", 2nd ed., ch. 2-3.
"""

import msgspec
import numpy as np

from lockstep.analytics.arrays import F64, I64, checked_periods, finite_or_none
from lockstep.analytics.daily import DailyEquity
from lockstep.model.errors import UsageError
from lockstep.model.numbers import NANOS_PER_DAY

_BINS_MIN, _BINS_MAX = 5, 100
_HALF_WIDTH_MIN = 1e-6


class MonthlyReturns(msgspec.Struct, frozen=True):
    """Compounded returns by calendar month.

    years: the y calendar years covered; table: y rows of 12 fractions, None where no return falls in the month;
    totals: y fractions, the return of each (perhaps part) year.
    """

    years: tuple[int, ...]
    table: tuple[tuple[float | None, ...], ...]
    totals: tuple[float | None, ...]


class Histogram(msgspec.Struct, frozen=True):
    """Counts of returns: bin k holds edges[k] <= r < edges[k + 1], the last bin includes its right edge."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


def simple_returns(levels: F64) -> F64:
    """levels[i + 1] / levels[i] - 1.

    Args:    levels: [n], account equity or a price.
    Returns: [max(n - 1, 0)]; NaN where the level before is zero or negative: an account that has lost everything has
             no rate of return.
    """
    before = levels[:-1]
    result = np.full(before.shape, np.nan)
    np.divide(levels[1:], before, out=result, where=before > 0.0)
    return result - 1.0


def daily_returns(daily: DailyEquity) -> F64:
    """The return of each day, [r], aligned with `daily.return_day`."""
    return simple_returns(daily.levels)


def total_return(first: float, last: float) -> float | None:
    """last / first - 1 (Bacon 2008, simple return). None when `first` is not positive.

    A leveraged account can owe money at the end: the result is then below -1.
    """
    return finite_or_none(last / first - 1.0) if first > 0.0 else None


def annualised_return(total: float, elapsed_ns: int) -> float | None:
    """(1 + total) ** (365 / days) - 1 with days the elapsed calendar time, R327 (Bacon 2008, annualised return).

    Args:    total: fraction, such as `total_return`; elapsed_ns: first to last equity row.
    Returns: a fraction per year; -1.0 when everything was lost; None when the span is under one day (the power
             magnifies noise beyond meaning), when more than everything was lost, or on overflow.
    """
    if elapsed_ns < NANOS_PER_DAY:
        return None
    return _compound(1.0 + total, 365.0 * NANOS_PER_DAY / elapsed_ns)


def cagr(total: float, periods: int, periods_per_year: int) -> float | None:
    """(1 + total) ** (periods_per_year / periods) - 1, the compound annual growth rate by trading days.

    This is the convention of empyrical and quantstats. It differs from `annualised_return` in counting observations
    instead of calendar time; on a full calendar the two agree to about a per cent of themselves.

    Args:    total: fraction; periods: number of daily returns; periods_per_year: 252 or 365.
    Returns: a fraction per year; -1.0 when everything was lost; None without periods, below -1, or on overflow.
    """
    if periods < 1:
        return None
    return _compound(1.0 + total, checked_periods(periods_per_year) / periods)


def monthly_returns(daily: DailyEquity) -> MonthlyReturns:
    """Compounded return of each calendar month and year: last equity of it over the last equity before it.

    Months are those of the calendar's zone. The first month is measured from the base of the curve.
    """
    if daily.return_day.size == 0:
        return MonthlyReturns((), (), ())
    levels = daily.levels
    month = daily.return_day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    months, monthly = _period_returns(levels, month)
    years, yearly = _period_returns(levels, month // 12)
    span = np.arange(years[0], years[-1] + 1)
    table = np.full((span.size, 12), np.nan)
    table[months // 12 - span[0], months % 12] = monthly
    totals = np.full(span.size, np.nan)
    totals[years - span[0]] = yearly
    return MonthlyReturns(
        tuple((span + 1970).tolist()),
        tuple(tuple(finite_or_none(x) for x in row) for row in table.tolist()),
        tuple(finite_or_none(x) for x in totals.tolist()),
    )


def return_histogram(returns: F64, bins: int | None = None) -> Histogram:
    """Counts of returns in bins of equal width.

    Args:    returns: [n], NaN left out; bins: their number; by default the width 2 IQR n**(-1/3) of Freedman and
             Diaconis (1981), "On the histogram as a density estimator", held between 5 and 100 bins, because one
             outlier in a million would otherwise ask for thousands.
    Returns: edges and counts; both empty for no returns.
    Raises:  UsageError: bins not positive.
    """
    values = returns[np.isfinite(returns)]
    if bins is not None and bins < 1:
        raise UsageError(f"bins must be positive: was {bins}")
    if values.size == 0:
        return Histogram((), ())
    low, high = float(values.min()), float(values.max())
    if bins is None:
        quarter, three_quarters = np.percentile(values, [25.0, 75.0])
        width = 2.0 * float(three_quarters - quarter) * values.size ** (-1.0 / 3.0)
        wanted = (high - low) / width if width > 0.0 else 0.0
        bins = int(min(max(np.ceil(wanted), _BINS_MIN), _BINS_MAX))
    middle, half = (low + high) / 2.0, _HALF_WIDTH_MIN * max(1.0, abs(low), abs(high))
    if high - low < half:  # equal returns: edges that floats can tell apart, around them
        low, high = middle - half, middle + half
    counts, edges = np.histogram(values, bins=bins, range=(low, high))
    return Histogram(tuple(edges.tolist()), tuple(counts.tolist()))


def _period_returns(levels: F64, period: I64) -> tuple[I64, F64]:
    """Periods present and the return of each; `period` [r] labels the return that ends at levels[i + 1]."""
    last = np.flatnonzero(np.diff(period, append=np.iinfo(np.int64).max))
    ends = np.concatenate(([levels[0]], levels[last + 1]))
    return period[last], simple_returns(ends)


def _compound(wealth: float, exponent: float) -> float | None:
    if wealth < 0.0:
        return None
    try:
        return finite_or_none(wealth**exponent - 1.0)
    except OverflowError:
        return None

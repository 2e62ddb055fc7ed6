"""The shape and the tails of a return distribution: value at risk, expected shortfall, skewness, kurtosis.

Sign: VaR and CVaR are *returns*, so a loss is negative (-0.021 reads "on the worst 5 % of days 2.1 % or more was
lost"). Artzner et al. and Rockafellar and Uryasev write losses as positive numbers: theirs are ours negated.
"""

import math

import numpy as np

from lockstep.analytics.arrays import F64, ROUNDING, checked_level, finite_or_none


def value_at_risk(returns: F64, level: float = 0.95) -> float | None:
    """Historical VaR: the (1 - level) quantile of the returns, interpolated linearly (Hyndman-Fan type 7).

    Args:    returns: [n], per period; level: confidence, 0.95 for the worst twentieth.
    Returns: a return, usually negative; None without returns.
    Source:  Jorion (2007), "Value at Risk", 3rd ed., ch. 10 (historical simulation).
    """
    tail = 1.0 - checked_level("level", level)
    return finite_or_none(np.quantile(returns, tail)) if returns.size else None


def conditional_value_at_risk(returns: F64, level: float = 0.95) -> float | None:
    """Historical CVaR (expected shortfall): the mean of exactly the worst (1 - level) share of the returns.

    With a = (1 - level) * n and k its whole part: (sum of the k lowest + (a - k) * the next one) / a. Counting the
    boundary return by the fraction that falls inside keeps the measure coherent for every n; a mean over a whole
    number of days (empyrical) is the same wherever a is whole. Never above `value_at_risk` at the same level.

    Returns: a return, usually negative; None without returns.
    Source:  Rockafellar and Uryasev (2000), "Optimization of Conditional Value-at-Risk", Journal of Risk 2; the
             fractional term from their (2002) paper on general loss distributions, Prop. 8; coherence: Artzner,
             Delbaen, Eber, Heath (1999), "Coherent Measures of Risk", Mathematical Finance 9.
    """
    tail = 1.0 - checked_level("level", level)
    if returns.size == 0:
        return None
    share = tail * returns.size
    # 1 - 0.95 is a hair above 0.05: a product that should be whole must not gain or lose a day by it.
    if abs(share - round(share)) < 1e-9 * returns.size:
        share = float(round(share))
    whole = int(share)
    next_one = min(whole, returns.size - 1)
    lowest = np.partition(returns, next_one)[: next_one + 1]
    if share == 0.0:
        return finite_or_none(lowest[0])
    lowest.sort()
    return finite_or_none((math.fsum(lowest[:whole]) + (share - whole) * float(lowest[next_one])) / share)


def tail_ratio(returns: F64, level: float = 0.95) -> float | None:
    """|level quantile| / |(1 - level) quantile|: above 1 the good tail is the longer one.

    None without returns or where the lower quantile is zero (most days without a position).
    Source:  empyrical's and pyfolio's `tail_ratio`; the quantiles are those of `value_at_risk`.
    """
    checked_level("level", level)
    if returns.size == 0:
        return None
    low, high = np.abs(np.quantile(returns, [1.0 - level, level])).tolist()
    return finite_or_none(high / low) if low > 0.0 else None


def skewness(returns: F64) -> float | None:
    """Adjusted Fisher-Pearson skewness G1 = g1 * sqrt(n (n - 1)) / (n - 2).

    None under three returns or for constant ones.
    Source:  Joanes and Gill (1998), "Comparing measures of sample skewness and kurtosis", The Statistician 47.
    """
    n = returns.size
    second, third = _central_moment(returns, 2), _central_moment(returns, 3)
    if n < 3 or not second > ROUNDING**2:
        return None
    return finite_or_none(third / second**1.5 * math.sqrt(n * (n - 1)) / (n - 2))


def excess_kurtosis(returns: F64) -> float | None:
    """Sample excess kurtosis G2 = (n - 1) / ((n - 2)(n - 3)) * ((n + 1) g2 + 6); 0 for a normal distribution.

    None under four returns or for constant ones.
    Source:  Joanes and Gill (1998).
    """
    n = returns.size
    second, fourth = _central_moment(returns, 2), _central_moment(returns, 4)
    if n < 4 or not second > ROUNDING**2:
        return None
    g2 = fourth / second**2 - 3.0
    return finite_or_none((n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * g2 + 6.0))


def _central_moment(returns: F64, order: int) -> float:
    if returns.size == 0:
        return math.nan
    centred = returns - returns.mean()
    power = centred * centred
    for _ in range(order - 2):
        power = power * centred
    return float(power.mean())

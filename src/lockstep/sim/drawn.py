"""Delays drawn from a lognormal distribution, with nothing but +, -, *, / and a square root.

Those are rounded the same everywhere; a C library's exp and log need not be. So a seed gives the same nanoseconds on every machine.
"""

import cython

if cython.compiled:
    from cython.cimports.libc.math import sqrt
else:
    from math import sqrt
from lockstep.sim.models import LogNormal

_MASK = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
_LONGEST = cython.declare(cython.double, 366.0 * 86_400e9)  # as `models.Latency` allows
_LN2 = cython.declare(cython.double, 0.6931471805599453)


def mix(x: cython.ulonglong) -> cython.ulonglong:
    """64 bits of which each depends on every bit of x: the output step of SplitMix64 (Steele, Lea, Flood 2014)."""
    z: cython.ulonglong = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _MASK
    return z ^ (z >> 31)


def exponential(x: cython.double) -> cython.double:
    """e**x for |x| below 700: the power of 2 next to it, and Taylor's series for the rest."""
    k: cython.int = cython.cast(cython.int, x / _LN2 + (0.5 if x >= 0.0 else -0.5))
    r: cython.double = x - k * _LN2
    term: cython.double = 1.0
    total: cython.double = 1.0
    n: cython.int
    for n in range(1, 18):
        term *= r / n
        total += term
    while k > 0:
        total *= 2.0
        k -= 1
    while k < 0:
        total *= 0.5
        k += 1
    return total


def logarithm(x: cython.double) -> cython.double:
    """The natural logarithm of 0 < x <= 1: of a mantissa from 1/2 to 1 by the series of atanh, and so many halvings."""
    halvings: cython.int = 0
    while x < 0.5:
        x *= 2.0
        halvings += 1
    t: cython.double = (x - 1.0) / (x + 1.0)
    square: cython.double = t * t
    total: cython.double = 0.0
    n: cython.int
    for n in range(35, 0, -2):
        total = total * square + 1.0 / n
    halved: cython.double = halvings * _LN2
    return 2.0 * t * total - halved


def normal_quantile(p: cython.double) -> cython.double:
    """What a standard normal variable stays below with probability 0 < p < 1.

    Source: Wichura (1988), "Algorithm AS 241: The Percentage Points of the Normal Distribution", PPND16; good to about 1e-16.
    """
    q: cython.double = p - 0.5
    r: cython.double
    top: cython.double
    low: cython.double
    if -0.425 <= q <= 0.425:
        r = 0.180625 - q * q
        top = (((((((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r
                   + 45921.953931549871457) * r + 13731.693765509461125) * r + 1971.5909503065514427) * r
                 + 133.14166789178437745) * r + 3.3871328727963666080)  # fmt: skip
        low = (((((((5226.4952788528545610 * r + 28729.085735721942674) * r + 39307.895800092710610) * r
                   + 21213.794301586595867) * r + 5394.1960214247511077) * r + 687.18700749205790830) * r
                 + 42.313330701600911252) * r + 1.0)  # fmt: skip
        return q * top / low
    r = sqrt(-logarithm(p if q < 0.0 else 1.0 - p))  # IEEE 754 rounds it, too
    if r <= 5.0:
        r -= 1.6
        top = (((((((7.7454501427834140764e-4 * r + 0.0227238449892691845833) * r + 0.24178072517745061177) * r
                   + 1.27045825245236838258) * r + 3.64784832476320460504) * r + 5.7694972214606914055) * r
                 + 4.6303378461565452959) * r + 1.42343711074968357734)  # fmt: skip
        low = (((((((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r + 0.0151986665636164571966) * r
                   + 0.14810397642748007459) * r + 0.68976733498510000455) * r + 1.6763848301838038494) * r
                 + 2.05319162663775882187) * r + 1.0)  # fmt: skip
    else:
        r -= 5.0
        top = (((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 0.0012426609473880784386) * r
                   + 0.026532189526576123093) * r + 0.29656057182850489123) * r + 1.7848265399172913358) * r
                 + 5.4637849111641143699) * r + 6.6579046435011037772)  # fmt: skip
        low = (((((((2.04426310338993978564e-15 * r + 1.4215117583164458887e-7) * r + 1.8463183175100546818e-5) * r
                   + 7.868691311456132591e-4) * r + 0.0148753612908506148525) * r + 0.13692988092273580531) * r
                 + 0.59983220655588793769) * r + 1.0)  # fmt: skip
    tail: cython.double = top / low
    return -tail if q < 0.0 else tail


def lognormal_ns(bits: cython.ulonglong, median: cython.double, sigma: cython.double) -> cython.longlong:
    """The delay that 64 drawn bits stand for, ns, at most a year; sigma up to 3."""
    drawn: cython.double = median * exponential(sigma * normal_quantile(((bits >> 12) + 0.5) / 4503599627370496.0))
    return cython.cast(cython.longlong, drawn if drawn < _LONGEST else _LONGEST)


@cython.final
@cython.cclass
class FeedDraws:
    """What a feed's messages take, each by when it happened: of one moment and seed always the same, whatever was read before.

    Args: jitter_ns: the width of a uniform part. tail: a lognormal one. seed: of the run.
    """

    seed: cython.ulonglong
    jitter: cython.ulonglong
    median: cython.double
    sigma: cython.double

    def __init__(self, jitter_ns: int, tail: LogNormal | None, seed: int) -> None:
        self.seed = mix((seed + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF)
        self.jitter = jitter_ns
        self.median, self.sigma = (0.0, 0.0) if tail is None else (float(tail.median_ns), float(tail.sigma))

    def delay_at(self, ts: cython.longlong) -> cython.longlong:
        """The drawn part of the delay of what happened at ts, ns."""
        bits: cython.ulonglong = mix(self.seed ^ cython.cast(cython.ulonglong, ts))
        delay: cython.longlong = 0
        if self.median > 0.0:
            delay = lognormal_ns(bits, self.median, self.sigma)
        if self.jitter > 1:
            delay += cython.cast(cython.longlong, mix(bits) % self.jitter)
        return delay

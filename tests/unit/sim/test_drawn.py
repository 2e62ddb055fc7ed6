"""Lognormal delays: the functions beneath against the standard library's, the distribution against its definition."""

import math
from decimal import Decimal
from statistics import NormalDist, median, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.model.errors import UsageError
from lockstep.sim.chance import Chance
from lockstep.sim.drawn import FeedDraws, exponential, logarithm, lognormal_ns, normal_quantile
from lockstep.sim.models import LogNormal

BITS = st.integers(0, 2**64 - 1)


@given(st.floats(-30, 30))
def test_exponential_is_that_of_the_library(x: float) -> None:
    assert exponential(x) == pytest.approx(math.exp(x), rel=1e-14)


@given(st.floats(2.0**-60, 1.0))
def test_logarithm_is_that_of_the_library(x: float) -> None:
    assert logarithm(x) == pytest.approx(math.log(x), rel=1e-14, abs=1e-16)


@given(st.floats(2.0**-54, 1 - 2.0**-53))
def test_quantile_is_that_of_the_library(p: float) -> None:
    assert normal_quantile(p) == pytest.approx(NormalDist().inv_cdf(p), rel=1e-12, abs=1e-14)


@given(BITS, st.integers(1, 10**12), st.floats(0.01, 3))
def test_delay_is_whole_and_never_negative_nor_above_a_year(bits: int, middle: int, sigma: float) -> None:
    delay = lognormal_ns(bits, middle, sigma)
    assert isinstance(delay, int)
    assert 0 <= delay <= 366 * 86_400 * 10**9


@pytest.mark.parametrize("bits", [0, 1, 4095, 4096, 2**63, 2**64 - 4097, 2**64 - 1])
def test_delay_of_the_most_extreme_draws_is_known(bits: int) -> None:
    p = ((bits >> 12) + 0.5) / 2**52
    assert 0.0 < p < 1.0
    assert lognormal_ns(bits, 1e6, 1.0) == pytest.approx(1e6 * math.exp(NormalDist().inv_cdf(p)), rel=1e-9, abs=1)


def test_known_delays_are_the_same_on_every_machine() -> None:
    chance = Chance(42)
    assert [chance.lognormal(200_000_000, 0.5) for _ in range(4)] == KNOWN


KNOWN = [276_553_985, 121_620_343, 149_129_684, 163_659_997]


def test_half_lie_below_the_median_and_the_logarithm_spreads_by_sigma() -> None:
    chance = Chance(7)
    drawn = [chance.lognormal(200_000_000, 0.5) for _ in range(20_000)]
    assert median(drawn) == pytest.approx(200e6, rel=0.02)
    assert stdev(math.log(delay) for delay in drawn) == pytest.approx(0.5, rel=0.02)
    assert 1.5 < sorted(drawn)[19_000] / 200e6 < 3.2 < max(drawn) / 200e6  # 95 % lie below 2.28 medians


def test_no_tail_draws_nothing() -> None:
    chance = Chance(5)
    assert chance.lognormal(0, 0.5) == 0
    assert chance.save() == 5


@given(st.integers(0, 2**62), st.integers(0, 2**63 - 1))
def test_feed_delay_depends_on_moment_and_seed_alone(ts: int, seed: int) -> None:
    tail = LogNormal(1_000_000, Decimal("0.5"))
    first, second = FeedDraws(0, tail, seed), FeedDraws(0, tail, seed)
    second.delay_at(ts ^ 1)
    assert first.delay_at(ts) == second.delay_at(ts)
    assert 0 <= FeedDraws(1000, None, seed).delay_at(ts) < 1000


def test_feed_delays_of_two_seeds_and_of_neighbouring_moments_differ() -> None:
    one, other = (FeedDraws(0, LogNormal(1_000_000, Decimal(1)), seed) for seed in (0, 1))
    found = {one.delay_at(ts) for ts in range(200)} | {other.delay_at(ts) for ts in range(200)}
    assert len(found) > 390  # whole ns: two may meet by chance


@pytest.mark.parametrize(("middle", "sigma"), [(0, "1"), (-1, "1"), (2**60, "1"), (1, "0"), (1, "3.1"), (1, "NaN")])
def test_tail_out_of_range_is_refused(middle: int, sigma: str) -> None:
    with pytest.raises(UsageError, match="lognormal"):
        LogNormal(middle, Decimal(sigma))

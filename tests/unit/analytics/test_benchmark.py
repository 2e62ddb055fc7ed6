import empyrical
import numpy as np
import pytest

from lockstep.analytics.arrays import F64, I64
from lockstep.analytics.benchmark import (
    alpha,
    beta,
    correlation,
    excess_return,
    information_ratio,
    tracking_error,
)
from lockstep.analytics.returns import simple_returns
from lockstep.model.errors import DataError

MARKET = np.array([0.01, -0.01, 0.02, 0.0])


def test_beta_and_alpha_of_a_line_are_its_slope_and_intercept() -> None:
    ours = 0.001 + 1.5 * MARKET
    assert beta(ours, MARKET) == pytest.approx(1.5)
    assert alpha(ours, MARKET, 252) == pytest.approx(0.001 * 252)
    assert correlation(ours, MARKET) == pytest.approx(1.0)


def test_information_ratio_of_four_days_is_as_by_hand() -> None:
    active = np.array([0.001, -0.001, 0.002, 0.002])  # mean 0.001, squared deviations sum 6e-6
    assert tracking_error(MARKET + active, MARKET, 252) == pytest.approx((6e-6 / 3) ** 0.5 * 252**0.5)
    assert information_ratio(MARKET + active, MARKET, 252) == pytest.approx(0.001 / (2e-6) ** 0.5 * 252**0.5)


@pytest.mark.parametrize("symbol", ["AAPL", "CVX", "GE"])
def test_measures_against_a_recorded_benchmark_equal_empyrical(closes: dict[str, tuple[I64, F64]], symbol: str) -> None:
    ours, theirs = simple_returns(closes[symbol][1]), simple_returns(closes["BAC"][1])
    assert np.array_equal(closes[symbol][0], closes["BAC"][0])
    assert beta(ours, theirs) == pytest.approx(empyrical.beta(ours, theirs), rel=1e-9)
    # empyrical leaves the information ratio per day and compounds alpha.
    assert information_ratio(ours, theirs, 252) == pytest.approx(
        empyrical.excess_sharpe(ours, theirs) * 252**0.5, rel=1e-9
    )
    ours_alpha = alpha(ours, theirs, 252)
    assert ours_alpha is not None
    assert (1 + ours_alpha / 252) ** 252 - 1 == pytest.approx(empyrical.alpha_aligned(ours, theirs), rel=1e-9)
    assert correlation(ours, theirs) == pytest.approx(np.corrcoef(ours, theirs)[0, 1], rel=1e-9)


def test_alpha_with_a_risk_free_rate_equals_empyrical(closes: dict[str, tuple[I64, F64]]) -> None:
    ours, theirs = simple_returns(closes["AMZN"][1]), simple_returns(closes["BAC"][1])
    found = alpha(ours, theirs, 252, risk_free=0.02)
    wanted = empyrical.alpha_aligned(ours, theirs, risk_free=1.02 ** (1 / 252) - 1)
    assert found is not None
    assert (1 + found / 252) ** 252 - 1 == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("constant", [np.zeros(4), np.full(4, 0.01)])
def test_measures_against_a_constant_benchmark_are_undefined(constant: F64) -> None:
    assert beta(MARKET, constant) is None
    assert alpha(MARKET, constant, 252) is None
    assert correlation(MARKET, constant) is None


def test_strategy_equal_to_its_benchmark_has_no_information_ratio() -> None:
    assert information_ratio(MARKET, MARKET, 252) is None
    assert tracking_error(MARKET, MARKET, 252) == 0.0
    assert beta(MARKET, MARKET) == pytest.approx(1.0)


def test_measures_of_no_days_are_undefined() -> None:
    empty = np.empty(0)
    assert beta(empty, empty) is None
    assert information_ratio(empty, empty, 252) is None


def test_series_of_unequal_length_are_refused_with_both_lengths() -> None:
    with pytest.raises(DataError, match=r"equally long: .*\(4,\).*\(3,\)"):
        beta(MARKET, MARKET[:3])


def test_excess_return_is_the_difference_or_undefined() -> None:
    assert excess_return(0.3, 0.1) == pytest.approx(0.2)
    assert excess_return(None, 0.1) is None
    assert excess_return(0.1, None) is None

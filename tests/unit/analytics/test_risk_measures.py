import empyrical
import numpy as np
import pytest
from scipy import stats

from lockstep.analytics.arrays import F64, I64
from lockstep.analytics.returns import simple_returns
from lockstep.analytics.risk_measures import (
    conditional_value_at_risk,
    excess_kurtosis,
    skewness,
    tail_ratio,
    value_at_risk,
)
from lockstep.model.errors import UsageError

HUNDRED = np.arange(-50.0, 50.0) / 1000


def test_var_and_cvar_of_a_hundred_returns_are_as_by_hand() -> None:
    assert value_at_risk(HUNDRED) == pytest.approx(-0.04505)  # rank 0.05 * 99 = 4.95, between -46 and -45
    assert conditional_value_at_risk(HUNDRED) == pytest.approx(-0.048)  # mean of -50 ... -46


def test_cvar_counts_the_boundary_return_by_its_fraction() -> None:
    ten = np.array([-0.10, -0.06, *np.zeros(8)])
    assert conditional_value_at_risk(ten, 0.85) == pytest.approx((-0.10 + 0.5 * -0.06) / 1.5)


def test_cvar_of_few_returns_is_the_worst_one() -> None:
    assert conditional_value_at_risk(np.array([-0.03, 0.01])) == pytest.approx(-0.03)
    assert conditional_value_at_risk(np.array([0.02])) == pytest.approx(0.02)


@pytest.mark.parametrize("symbol", ["AAPL", "BAC", "CVX", "GE", "AMZN"])
def test_tails_of_recorded_returns_equal_empyrical(closes: dict[str, tuple[I64, F64]], symbol: str) -> None:
    returns = simple_returns(closes[symbol][1])
    assert value_at_risk(returns) == pytest.approx(empyrical.value_at_risk(returns), rel=1e-12)
    assert tail_ratio(returns) == pytest.approx(empyrical.tail_ratio(returns), rel=1e-12)
    # empyrical averages a whole number of days: the same where 5 % of n is whole, here for 1,240 of the 1,258.
    whole = returns[:1240]
    assert conditional_value_at_risk(whole) == pytest.approx(empyrical.conditional_value_at_risk(whole), rel=1e-12)


def test_cvar_of_recorded_returns_solves_the_program_of_rockafellar_and_uryasev(
    closes: dict[str, tuple[I64, F64]],
) -> None:
    # CVaR is min over c of c + E[(loss - c)+] / (1 - level); the minimum lies at one of the losses.
    losses = -simple_returns(closes["AAPL"][1])
    objective = [c + np.maximum(losses - c, 0).mean() / 0.05 for c in losses]
    assert conditional_value_at_risk(-losses) == pytest.approx(-min(objective), rel=1e-9)


@pytest.mark.parametrize("symbol", ["AAPL", "GE"])
def test_moments_of_recorded_returns_equal_scipy(closes: dict[str, tuple[I64, F64]], symbol: str) -> None:
    returns = simple_returns(closes[symbol][1])
    assert skewness(returns) == pytest.approx(stats.skew(returns, bias=False), rel=1e-9)
    assert excess_kurtosis(returns) == pytest.approx(stats.kurtosis(returns, bias=False), rel=1e-9)


def test_measures_without_returns_are_undefined() -> None:
    empty: F64 = np.empty(0)
    for measure in (value_at_risk, conditional_value_at_risk, tail_ratio, skewness, excess_kurtosis):
        assert measure(empty) is None


def test_shape_of_constant_or_few_returns_is_undefined() -> None:
    assert skewness(np.full(10, 0.01)) is None
    assert excess_kurtosis(np.full(10, 0.01)) is None
    assert skewness(np.array([0.0, 1.0])) is None
    assert excess_kurtosis(np.array([0.0, 1.0, 3.0])) is None
    assert tail_ratio(np.zeros(30)) is None


def test_cvar_of_a_vanishing_tail_is_the_worst_return() -> None:
    assert conditional_value_at_risk(HUNDRED, 1.0 - 1e-15) == -0.05


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_level_outside_zero_and_one_is_refused(level: float) -> None:
    with pytest.raises(UsageError, match="level must lie between 0 and 1"):
        value_at_risk(HUNDRED, level)
    with pytest.raises(UsageError, match="level must lie between 0 and 1"):
        conditional_value_at_risk(HUNDRED, level)

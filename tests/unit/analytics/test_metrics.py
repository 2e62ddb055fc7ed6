import math

import empyrical
import numpy as np
import pandas as pd
import pytest

from lockstep.analytics.arrays import F64, I64
from lockstep.analytics.metrics import (
    calmar_ratio,
    downside_deviation,
    period_rate,
    rolling_sharpe,
    sharpe_ratio,
    sortino_ratio,
    volatility,
)
from lockstep.analytics.returns import simple_returns
from lockstep.model.errors import UsageError

FOUR = np.array([0.01, -0.02, 0.03, 0.0])  # mean 0.005, sum of squared deviations 0.0013


def test_volatility_of_four_returns_is_as_by_hand() -> None:
    assert volatility(FOUR, 252) == pytest.approx(math.sqrt(0.0013 / 3) * math.sqrt(252))


def test_sharpe_of_four_returns_is_as_by_hand() -> None:
    assert sharpe_ratio(FOUR, 252) == pytest.approx(0.005 / math.sqrt(0.0013 / 3) * math.sqrt(252))


def test_sharpe_subtracts_the_compounded_rate_of_a_period() -> None:
    rate = 1.05 ** (1 / 252) - 1
    assert period_rate(0.05, 252) == pytest.approx(rate, rel=1e-12)
    wanted = (0.005 - rate) / math.sqrt(0.0013 / 3) * math.sqrt(252)
    assert sharpe_ratio(FOUR, 252, risk_free=0.05) == pytest.approx(wanted)


def test_sortino_of_four_returns_divides_by_all_periods() -> None:
    downside = math.sqrt(0.0004 / 4)
    assert downside_deviation(FOUR, 252) == pytest.approx(downside * math.sqrt(252))
    assert sortino_ratio(FOUR, 252) == pytest.approx(0.005 / downside * math.sqrt(252))


def test_calmar_divides_the_growth_by_the_depth() -> None:
    assert calmar_ratio(0.2, -0.1) == pytest.approx(2.0)
    assert calmar_ratio(-0.2, -0.1) == pytest.approx(-2.0)


@pytest.mark.parametrize("depth", [None, 0.0])
def test_calmar_without_drawdown_is_undefined(depth: float | None) -> None:
    assert calmar_ratio(0.2, depth) is None
    assert calmar_ratio(None, -0.1) is None


@pytest.mark.parametrize("returns", [np.empty(0), np.array([0.01])])
def test_ratios_of_under_two_returns_are_undefined(returns: F64) -> None:
    assert volatility(returns, 252) is None
    assert sharpe_ratio(returns, 252) is None
    assert sortino_ratio(returns, 252) is None


def test_ratios_of_constant_returns_are_undefined_and_not_infinite() -> None:
    growing = simple_returns(np.float64(1.001) ** np.arange(500.0))  # equal but for rounding in the last bit
    assert volatility(growing, 252) == 0.0
    assert sharpe_ratio(growing, 252) is None
    assert sortino_ratio(growing, 252) is None
    assert np.isnan(rolling_sharpe(growing, 20, 252)).all()


def test_ratios_of_losses_alone_are_negative_and_finite() -> None:
    losses = np.array([-0.01, -0.02, -0.005])
    sharpe, sortino = sharpe_ratio(losses, 252), sortino_ratio(losses, 252)
    assert sharpe is not None
    assert sharpe < 0
    assert sortino is not None
    assert sortino < 0


def test_ratios_with_an_undefined_return_are_undefined() -> None:
    returns = np.array([0.01, np.nan, 0.02])
    assert volatility(returns, 252) is None
    assert sharpe_ratio(returns, 252) is None
    assert sortino_ratio(returns, 252) is None


@pytest.mark.parametrize("symbol", ["AAPL", "BAC", "CVX", "GE", "AMZN"])
@pytest.mark.parametrize("risk_free", [0.0, 0.03])
def test_ratios_of_recorded_returns_equal_empyrical(
    closes: dict[str, tuple[I64, F64]], symbol: str, risk_free: float
) -> None:
    returns = simple_returns(closes[symbol][1])
    rate = 1.0 + risk_free
    per_day = rate ** (1 / 252) - 1  # empyrical takes the rate per period, we the annual one
    assert volatility(returns, 252) == pytest.approx(empyrical.annual_volatility(returns), rel=1e-12)
    assert volatility(returns, 365) == pytest.approx(empyrical.annual_volatility(returns, annualization=365), rel=1e-12)
    assert sharpe_ratio(returns, 252, risk_free) == pytest.approx(empyrical.sharpe_ratio(returns, per_day), rel=1e-9)
    assert sortino_ratio(returns, 252, risk_free) == pytest.approx(empyrical.sortino_ratio(returns, per_day), rel=1e-9)
    assert downside_deviation(returns, 252, risk_free) == pytest.approx(
        empyrical.downside_risk(returns, per_day), rel=1e-9
    )


def test_calmar_of_recorded_returns_equals_empyrical(closes: dict[str, tuple[I64, F64]]) -> None:
    returns = simple_returns(closes["GE"][1])
    ours = calmar_ratio(empyrical.cagr(returns), empyrical.max_drawdown(returns))
    assert ours == pytest.approx(empyrical.calmar_ratio(returns), rel=1e-12)


@pytest.mark.parametrize("window", [2, 21, 126])
def test_rolling_sharpe_of_recorded_returns_equals_pandas(closes: dict[str, tuple[I64, F64]], window: int) -> None:
    returns = simple_returns(closes["CVX"][1])
    windows = pd.Series(returns).rolling(window)
    wanted = (windows.mean() / windows.std() * math.sqrt(252)).to_numpy()
    ours = rolling_sharpe(returns, window, 252)
    known = ~np.isnan(ours)
    assert known.sum() >= returns.size - window  # a window of two equal returns has no deviation
    assert np.allclose(ours[known], wanted[known], rtol=1e-6)
    assert ours[-1] == pytest.approx(sharpe_ratio(returns[-window:], 252))


def test_rolling_sharpe_in_blocks_equals_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = np.sin(np.arange(300.0)) / 100
    whole = rolling_sharpe(returns, 20, 252)
    monkeypatch.setattr("lockstep.analytics.metrics._BLOCK_ELEMENTS", 140)
    assert np.array_equal(rolling_sharpe(returns, 20, 252), whole, equal_nan=True)


def test_rolling_sharpe_of_a_short_series_is_undefined_throughout() -> None:
    assert np.isnan(rolling_sharpe(FOUR, 5, 252)).all()
    with pytest.raises(UsageError, match="window must be at least 2 periods: was 1"):
        rolling_sharpe(FOUR, 1, 252)


@pytest.mark.parametrize("rate", [-1.0, -2.0, float("nan")])
def test_rate_at_or_below_minus_one_is_refused(rate: float) -> None:
    with pytest.raises(UsageError, match="annual rate must be above -1"):
        sharpe_ratio(FOUR, 252, risk_free=rate)

import math

import empyrical
import numpy as np
import pandas as pd
import pytest

from lockstep.analytics.arrays import F64, I64
from lockstep.analytics.daily import daily_equity
from lockstep.analytics.returns import (
    annualised_return,
    cagr,
    daily_returns,
    monthly_returns,
    return_histogram,
    simple_returns,
    total_return,
)
from lockstep.model.errors import UsageError
from lockstep.model.numbers import NANOS_PER_DAY

YEAR = 365 * NANOS_PER_DAY


def test_simple_returns_of_three_levels_are_two_fractions() -> None:
    assert simple_returns(np.array([100.0, 110.0, 99.0])) == pytest.approx([0.1, -0.1])


def test_simple_returns_after_ruin_are_undefined() -> None:
    found = simple_returns(np.array([100.0, 0.0, 50.0, -10.0, 5.0]))
    assert found[0] == -1.0
    assert np.isnan(found[[1, 3]]).all()


def test_returns_of_one_or_no_level_are_empty() -> None:
    assert simple_returns(np.array([100.0])).size == 0
    assert simple_returns(np.empty(0)).size == 0


def test_total_return_can_pass_minus_one_and_needs_a_positive_start() -> None:
    assert total_return(100.0, 125.0) == 0.25
    assert total_return(100.0, -50.0) == -1.5
    assert total_return(0.0, 5.0) is None


def test_annualised_return_follows_calendar_days() -> None:
    assert annualised_return(0.21, 2 * YEAR) == pytest.approx(0.1)
    assert annualised_return(0.1, YEAR // 2) == pytest.approx(0.21)
    assert annualised_return(0.05, 73 * NANOS_PER_DAY) == pytest.approx(1.05**5 - 1)


@pytest.mark.parametrize(
    ("total", "elapsed", "wanted"),
    [
        (-1.0, YEAR, -1.0),
        (-1.2, YEAR, None),
        (0.1, NANOS_PER_DAY - 1, None),
        (1e9, NANOS_PER_DAY, None),
        (0.1, 0, None),
    ],
)
def test_annualised_return_at_its_edges_is_minus_one_or_undefined(
    total: float, elapsed: int, wanted: float | None
) -> None:
    assert annualised_return(total, elapsed) == wanted


def test_cagr_counts_trading_days() -> None:
    assert cagr(0.21, 504, 252) == pytest.approx(0.1)
    assert cagr(0.21, 0, 252) is None
    assert cagr(-1.5, 10, 252) is None
    with pytest.raises(UsageError, match="periods_per_year must be positive: was 0"):
        cagr(0.21, 10, 0)


@pytest.mark.parametrize("symbol", ["AAPL", "GE"])
def test_growth_of_recorded_closes_equals_empyrical(closes: dict[str, tuple[I64, F64]], symbol: str) -> None:
    ts, close = closes[symbol]
    returns = simple_returns(close)
    total = total_return(float(close[0]), float(close[-1]))
    assert total is not None
    assert total == pytest.approx(empyrical.cum_returns_final(returns), rel=1e-12)
    assert cagr(total, returns.size, 252) == pytest.approx(empyrical.cagr(returns), rel=1e-10)
    # Calendar days against trading days: the same growth, counted by two clocks that differ by under 1 %.
    assert annualised_return(total, int(ts[-1] - ts[0])) == pytest.approx(empyrical.cagr(returns), rel=0.01)


def test_monthly_returns_of_recorded_closes_equal_empyrical(closes: dict[str, tuple[I64, F64]]) -> None:
    ts, close = closes["AAPL"]
    daily = daily_equity(ts, close, timezone="America/New_York", always_open=False)
    table = monthly_returns(daily)
    index = pd.DatetimeIndex(daily.return_day.astype("datetime64[D]"))
    series = pd.Series(daily_returns(daily), index=index)
    monthly, yearly = empyrical.aggregate_returns(series, "monthly"), empyrical.aggregate_returns(series, "yearly")
    assert len(monthly) == 61
    for (year, month), value in monthly.items():
        assert table.table[table.years.index(year)][month - 1] == pytest.approx(value, abs=1e-12)
    assert sum(cell is not None for row in table.table for cell in row) == len(monthly)
    assert table.totals == pytest.approx(tuple(yearly), abs=1e-12)


def test_monthly_table_leaves_months_without_returns_empty() -> None:
    ts = np.array(["2017-12-29T21:00", "2018-02-28T21:00"], dtype="datetime64[ns]").astype(np.int64)
    table = monthly_returns(daily_equity(ts, np.array([100.0, 120.0]), timezone="UTC", always_open=False))
    assert table.years == (2018,)
    assert table.table[0][:3] == (None, pytest.approx(0.2), None)
    assert table.totals == (pytest.approx(0.2),)


def test_months_and_years_compound_to_the_total() -> None:
    ts = np.arange(700, dtype=np.int64) * NANOS_PER_DAY + 12 * 3_600_000_000_000
    equity = 100.0 + np.arange(700) % 37 + np.arange(700) / 10
    table = monthly_returns(daily_equity(ts, equity, timezone="UTC", always_open=True))
    wanted = equity[-1] / equity[0]
    assert math.prod(1 + cell for row in table.table for cell in row if cell is not None) == pytest.approx(wanted)
    assert math.prod(1 + total for total in table.totals if total is not None) == pytest.approx(wanted)


def test_histogram_counts_every_return_once() -> None:
    found = return_histogram(np.array([-0.02, -0.01, 0.0, 0.01, 0.02, np.nan]), bins=4)
    assert found.counts == (1, 1, 1, 2)
    assert found.edges == pytest.approx((-0.02, -0.01, 0.0, 0.01, 0.02))


def test_histogram_of_recorded_returns_has_the_bins_of_freedman_and_diaconis(
    closes: dict[str, tuple[I64, F64]],
) -> None:
    returns = simple_returns(closes["AAPL"][1])
    found = return_histogram(returns)
    assert np.allclose(found.edges, np.histogram_bin_edges(returns, bins="fd"))
    assert sum(found.counts) == returns.size


def test_histogram_bins_stay_bounded_for_an_outlier_and_for_constant_returns() -> None:
    calm = np.linspace(-0.001, 0.001, 1000)
    assert len(return_histogram(np.append(calm, 50.0)).counts) == 100
    assert return_histogram(np.zeros(10)).counts == (0, 0, 10, 0, 0)
    assert sum(return_histogram(np.array([0.1, 0.1 + 2e-17, 0.1 - 2e-17])).counts) == 3
    assert return_histogram(np.empty(0)).counts == ()
    with pytest.raises(UsageError, match="bins must be positive: was 0"):
        return_histogram(calm, bins=0)

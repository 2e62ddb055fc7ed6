import empyrical
import msgspec
import numpy as np
import pytest

from lockstep.analytics.activity import Activity
from lockstep.analytics.arrays import F64, I64
from lockstep.analytics.benchmark import BenchmarkStats
from lockstep.analytics.fills import Fills, InstrumentUnits
from lockstep.analytics.returns import simple_returns
from lockstep.analytics.round_trips import flat_to_flat
from lockstep.analytics.summary import Summary, summarise
from lockstep.model.errors import DataError, UsageError
from lockstep.model.numbers import NANOS_PER_DAY
from lockstep.model.sessions import ALWAYS, XNYS


def holding_fills(ts: I64, close: F64) -> Fills:
    """Buy 10 on the first day, sell 10 on day 400, buy 10 on day 800."""
    rows = [0, 400, 800]
    return Fills(
        ts=ts[rows],
        instrument=np.zeros(3, np.int64),
        strategy=np.zeros(3, np.int64),
        side=np.array([1, -1, 1]),
        qty=np.full(3, 10),
        price=np.round(close[rows] * 100).astype(np.int64),
        fee=np.full(3, 1.0),
        slippage=np.full(3, 0.5),
    )


def test_summary_of_recorded_closes_equals_empyrical(closes: dict[str, tuple[I64, F64]]) -> None:
    (ts, close), (_, market) = closes["AAPL"], closes["BAC"]
    found = summarise(ts, close, XNYS, benchmark_equity=market, risk_free=0.01)
    ours, theirs, per_day = simple_returns(close), simple_returns(market), 1.01 ** (1 / 252) - 1
    assert (found.calendar, found.timezone, found.periods_per_year) == ("XNYS", "America/New_York", 252)
    assert (found.n_rows, found.n_days) == (1259, 1259)
    assert found.total_return == pytest.approx(empyrical.cum_returns_final(ours))
    assert found.cagr == pytest.approx(empyrical.cagr(ours))
    assert found.volatility == pytest.approx(empyrical.annual_volatility(ours))
    assert found.sharpe == pytest.approx(empyrical.sharpe_ratio(ours, per_day))
    assert found.sortino == pytest.approx(empyrical.sortino_ratio(ours, per_day))
    assert found.max_drawdown == found.max_drawdown_daily == pytest.approx(empyrical.max_drawdown(ours))
    assert found.drawdowns[0].depth == found.max_drawdown
    assert found.var_95 == pytest.approx(empyrical.value_at_risk(ours))
    assert found.best_day == ours.max()
    assert found.worst_day == ours.min()
    assert isinstance(found.benchmark, BenchmarkStats)
    assert found.benchmark.beta == pytest.approx(empyrical.beta(ours, theirs))
    assert found.benchmark.sharpe == pytest.approx(empyrical.sharpe_ratio(theirs, per_day))
    assert found.benchmark.excess_return == pytest.approx(
        empyrical.cum_returns_final(ours) - empyrical.cum_returns_final(theirs)
    )
    assert found.sharpe_interval is not None
    assert found.sharpe is not None
    assert found.sharpe_interval.low < found.sharpe < found.sharpe_interval.high
    assert found.warnings == ()


def test_summary_of_recorded_minutes_keeps_the_drawdown_inside_the_day(btc_minutes: tuple[I64, F64]) -> None:
    ts, close = btc_minutes
    found = summarise(ts, close, ALWAYS, resamples=50)
    assert (found.n_rows, found.n_days, found.periods_per_year) == (520_499, 365, 365)
    assert found.max_drawdown == pytest.approx((close / np.maximum.accumulate(close)).min() - 1)
    assert found.max_drawdown_daily is not None
    assert found.max_drawdown is not None
    assert found.max_drawdown < found.max_drawdown_daily < 0


def test_summary_with_fills_counts_trades_cost_and_time(closes: dict[str, tuple[I64, F64]]) -> None:
    ts, close = closes["GE"]
    fills, units = holding_fills(ts, close), [InstrumentUnits(2, 0)]
    trades = flat_to_flat(fills, units, marks=[round(close[-1] * 100)], mark_ts=int(ts[-1]))
    found = summarise(ts, 1000 + close, XNYS, fills=fills, units=units, trades=trades, resamples=50)
    assert isinstance(found.activity, Activity)
    assert (found.activity.fills, found.activity.fees, found.activity.slippage) == (3, 3.0, 1.5)
    assert found.activity.traded_notional == pytest.approx(10 * close[[0, 400, 800]].sum())
    assert found.activity.time_in_market == pytest.approx((400 + 459) / 1259)
    assert found.activity.average_gross is None
    assert found.trades is not None
    assert (found.trades.closed, found.trades.still_open) == (1, 1)
    assert found.warnings[0].startswith("only 1 closed trade, fewer than 30")


def test_gross_exposure_gives_time_in_market_and_its_average() -> None:
    ts = np.arange(100, dtype=np.int64) * NANOS_PER_DAY
    gross = np.where(np.arange(100) < 25, 50.0, 0.0)
    fills = holding_fills(np.arange(1000, dtype=np.int64), np.ones(1000))
    found = summarise(ts, np.full(100, 100.0), ALWAYS, fills=fills, units=[InstrumentUnits(2, 0)], gross=gross)
    assert found.activity is not None
    assert (found.activity.time_in_market, found.activity.average_gross) == (0.25, 0.125)
    with pytest.raises(DataError, match="equally long"):
        summarise(ts, np.full(100, 100.0), ALWAYS, fills=fills, units=[InstrumentUnits(2, 0)], gross=gross[:5])


def test_summary_survives_json_without_a_change(closes: dict[str, tuple[I64, F64]]) -> None:
    ts, close = closes["AAPL"]
    found = summarise(ts, close, XNYS, benchmark_equity=close)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Summary) == found


def test_summary_is_the_same_for_the_same_seed_and_names_it(closes: dict[str, tuple[I64, F64]]) -> None:
    ts, close = closes["CVX"]
    assert summarise(ts, close, XNYS, seed=3) == summarise(ts, close, XNYS, seed=3)
    other = summarise(ts, close, XNYS, seed=4)
    assert other.bootstrap_seed == 4
    assert other.sharpe_interval != summarise(ts, close, XNYS, seed=3).sharpe_interval


def test_empty_curve_says_so_and_defines_nothing() -> None:
    found = summarise(np.empty(0, np.int64), np.empty(0), ALWAYS, benchmark_equity=np.empty(0))
    assert found.warnings == ("no equity rows: nothing was run, so no figure is defined",)
    assert (found.n_rows, found.n_days, found.start_ts, found.final_equity) == (0, 0, None, None)
    for name in ("total_return", "annual_return", "cagr", "volatility", "sharpe", "sortino", "calmar", "max_drawdown"):
        assert getattr(found, name) is None
    assert found.drawdowns == ()


def test_curve_of_one_row_defines_the_total_alone() -> None:
    found = summarise(np.array([5]), np.array([110.0]), ALWAYS, initial_equity=100.0)
    assert found.total_return == pytest.approx(0.1)
    assert found.annual_return is None
    assert found.sharpe is None
    assert found.max_drawdown == 0.0


def test_constant_equity_has_zero_returns_and_undefined_ratios() -> None:
    found = summarise(np.arange(400, dtype=np.int64) * NANOS_PER_DAY, np.full(400, 1e5), ALWAYS)
    assert (found.total_return, found.annual_return, found.cagr, found.volatility) == (0.0, 0.0, 0.0, 0.0)
    assert (found.sharpe, found.sortino, found.calmar, found.sharpe_interval) == (None, None, None, None)
    assert (found.max_drawdown, found.longest_drawdown_ns) == (0.0, 0)
    assert found.warnings == ("daily equity never changed: ratios are undefined",)


def test_lost_account_is_named_with_the_time_it_was_lost() -> None:
    ts = np.arange(1, 101, dtype=np.int64) * NANOS_PER_DAY
    equity = np.where(np.arange(100) < 50, 100.0, -5.0)
    found = summarise(ts, equity, ALWAYS)
    assert found.total_return == pytest.approx(-1.05)
    assert found.annual_return is None
    assert found.sharpe is None
    assert found.max_drawdown == pytest.approx(-1.05)
    assert found.warnings[0].startswith("equity reached -5 at 1970-02-21T00:00:00 UTC: the account was lost")


def test_short_run_is_warned_of() -> None:
    found = summarise(np.arange(10, dtype=np.int64) * NANOS_PER_DAY, np.linspace(100, 101, 10), ALWAYS)
    assert found.warnings == (
        "the run spans 9.0 days, fewer than 90: annualised figures extrapolate far beyond the data",
    )


def test_first_day_counts_from_the_initial_equity() -> None:
    ts = np.arange(1, 4, dtype=np.int64) * NANOS_PER_DAY
    found = summarise(ts, np.array([90.0, 99.0, 108.9]), ALWAYS, initial_equity=100.0)
    assert found.total_return == pytest.approx(0.089)
    assert found.worst_day == pytest.approx(-0.1)
    assert found.max_drawdown == found.max_drawdown_daily == pytest.approx(-0.1)


def test_bad_arguments_are_refused() -> None:
    ts, equity = np.array([1, 2]), np.array([1.0, 2.0])
    with pytest.raises(UsageError, match="initial_equity must be positive"):
        summarise(ts, equity, ALWAYS, initial_equity=-1.0)
    with pytest.raises(UsageError, match="count must not be negative"):
        summarise(ts, equity, ALWAYS, top_drawdowns=-1)
    with pytest.raises(DataError, match="equally long"):
        summarise(ts, equity, ALWAYS, benchmark_equity=equity[:1])

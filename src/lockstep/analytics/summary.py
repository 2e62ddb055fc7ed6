"""Every figure of one run in one frozen record that becomes JSON as it stands."""

from collections.abc import Sequence

import msgspec
import numpy as np

from lockstep.analytics import activity, benchmark, metrics, risk_measures
from lockstep.analytics.arrays import F64, I64, check_same_length, checked_periods
from lockstep.analytics.bootstrap import Interval, sharpe_interval
from lockstep.analytics.daily import DailyEquity, daily_equity
from lockstep.analytics.drawdown import Drawdown, largest_drawdowns, longest_drawdown_ns, max_drawdown
from lockstep.analytics.fills import Fills, InstrumentUnits
from lockstep.analytics.returns import (
    Histogram,
    MonthlyReturns,
    annualised_return,
    cagr,
    daily_returns,
    monthly_returns,
    return_histogram,
    simple_returns,
    total_return,
)
from lockstep.analytics.trades import Trades, TradeStats, small_sample_warning, trade_stats
from lockstep.model.numbers import NANOS_PER_DAY
from lockstep.model.sessions import Session

SCHEMA = 1
_SHORT_RUN_DAYS = 90


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The result of `summarise`. Returns and rates are fractions, ratios annualised, None means undefined.

    schema:             version of this record.
    n_rows, n_days:     equity rows; days of the calendar (filled ones included). start_ts, end_ts: ns UTC.
    annual_return:      (1 + total) ** (365 / calendar days) - 1; cagr: by trading days, periods_per_year.
    volatility ... tail_ratio: of daily returns.
    max_drawdown:       over every equity row, at or below 0; max_drawdown_daily: over daily closes only.
    drawdowns:          the deepest episodes over every row, deepest first; longest_drawdown_ns: the longest one.
    var_95, cvar_95:    daily returns, a loss being negative.
    bootstrap_seed:     seed of the Sharpe interval (numpy PCG64).
    warnings:           sentences for the top of the report.
    """

    schema: int
    calendar: str
    timezone: str
    periods_per_year: int
    risk_free: float
    n_rows: int
    n_days: int
    start_ts: int | None
    end_ts: int | None
    initial_equity: float | None
    final_equity: float | None
    total_return: float | None
    annual_return: float | None
    cagr: float | None
    best_day: float | None
    worst_day: float | None
    monthly: MonthlyReturns
    histogram: Histogram
    volatility: float | None
    sharpe: float | None
    sharpe_interval: Interval | None
    bootstrap_seed: int
    sortino: float | None
    calmar: float | None
    max_drawdown: float | None
    max_drawdown_daily: float | None
    longest_drawdown_ns: int
    drawdowns: tuple[Drawdown, ...]
    var_95: float | None
    cvar_95: float | None
    skewness: float | None
    excess_kurtosis: float | None
    tail_ratio: float | None
    benchmark: benchmark.BenchmarkStats | None
    activity: activity.Activity | None
    trades: TradeStats | None
    warnings: tuple[str, ...]


# tidy: allow function_length - one line a figure: what the record holds, as a table
def summarise(
    ts: I64,
    equity: F64,
    calendar: Session,
    *,
    initial_equity: float | None = None,
    risk_free: float = 0.0,
    fills: Fills | None = None,
    units: Sequence[InstrumentUnits] = (),
    trades: Trades | None = None,
    gross: F64 | None = None,
    benchmark_equity: F64 | None = None,
    top_drawdowns: int = 5,
    seed: int = 0,
    resamples: int = 1000,
) -> Summary:
    """Compute every figure of a run.

    Args:    ts: [n], ns UTC, strictly increasing; equity: [n], account currency; calendar: the session
             calendar, whose zone, closed days and periods per year count the days;
             initial_equity: capital before the first row, by default the first row; risk_free: annual fraction;
             fills with units (by instrument index): for turnover and cost; trades: for trade statistics; gross: [n],
             value of all positions, each taken positive; benchmark_equity: [n], an account that bought and held, on
             the same rows, starting from the same capital; seed, resamples: of the Sharpe interval.
    Returns: the record; an empty curve gives one of None with a warning.
    Raises:  DataError: a bad curve, columns of unequal length; UsageError: an argument out of its range.
    """
    checked_periods(calendar.periods_per_year)
    daily = daily_equity(
        ts, equity, timezone=calendar.timezone, always_open=calendar.always_open, initial_equity=initial_equity
    )
    returns = daily_returns(daily)
    ppy = calendar.periods_per_year
    first, last = (initial_equity or float(equity[0]), float(equity[-1])) if ts.size else (initial_equity, None)
    elapsed_ns = int(ts[-1] - ts[0]) if ts.size else 0
    total = total_return(first, last) if first is not None and last is not None else None
    annual = annualised_return(total, elapsed_ns) if total is not None else None
    deepest = max_drawdown(equity, initial_equity)
    stats = None if trades is None else trade_stats(trades)
    rng = np.random.Generator(np.random.PCG64(seed))  # noqa: TID251 - the seed is an argument, named in the result
    return Summary(
        schema=SCHEMA,
        calendar=calendar.name,
        timezone=calendar.timezone,
        periods_per_year=ppy,
        risk_free=risk_free,
        n_rows=int(ts.size),
        n_days=int(daily.day.size),
        start_ts=int(ts[0]) if ts.size else None,
        end_ts=int(ts[-1]) if ts.size else None,
        initial_equity=first,
        final_equity=last,
        total_return=total,
        annual_return=annual,
        cagr=cagr(total, returns.size, ppy) if total is not None else None,
        best_day=_extreme(returns, np.fmax),
        worst_day=_extreme(returns, np.fmin),
        monthly=monthly_returns(daily),
        histogram=return_histogram(returns),
        volatility=metrics.volatility(returns, ppy),
        sharpe=metrics.sharpe_ratio(returns, ppy, risk_free),
        sharpe_interval=sharpe_interval(returns, ppy, rng, risk_free=risk_free, resamples=resamples),
        bootstrap_seed=seed,
        sortino=metrics.sortino_ratio(returns, ppy, risk_free),
        calmar=metrics.calmar_ratio(annual, deepest),
        max_drawdown=deepest,
        max_drawdown_daily=max_drawdown(daily.levels),
        longest_drawdown_ns=longest_drawdown_ns(ts, equity, initial_equity),
        drawdowns=largest_drawdowns(ts, equity, top_drawdowns, initial_equity),
        var_95=risk_measures.value_at_risk(returns),
        cvar_95=risk_measures.conditional_value_at_risk(returns),
        skewness=risk_measures.skewness(returns),
        excess_kurtosis=risk_measures.excess_kurtosis(returns),
        tail_ratio=risk_measures.tail_ratio(returns),
        benchmark=_benchmark_stats(ts, daily, total, benchmark_equity, calendar, risk_free, initial_equity),
        activity=_activity(ts, equity, fills, units, trades, gross),
        trades=stats,
        warnings=_warnings(daily, elapsed_ns, equity, ts, stats),
    )


def _benchmark_stats(
    ts: I64,
    daily: DailyEquity,
    total: float | None,
    equity: F64 | None,
    calendar: Session,
    risk_free: float,
    initial_equity: float | None,
) -> benchmark.BenchmarkStats | None:
    if equity is None:
        return None
    held = daily_equity(
        ts, equity, timezone=calendar.timezone, always_open=calendar.always_open, initial_equity=initial_equity
    )
    ours, theirs, ppy = daily_returns(daily), simple_returns(held.levels), calendar.periods_per_year
    its_total = total_return(initial_equity or float(equity[0]), float(equity[-1])) if equity.size else None
    return benchmark.BenchmarkStats(
        total_return=its_total,
        excess_return=benchmark.excess_return(total, its_total),
        max_drawdown=max_drawdown(equity, initial_equity),
        volatility=metrics.volatility(theirs, ppy),
        sharpe=metrics.sharpe_ratio(theirs, ppy, risk_free),
        beta=benchmark.beta(ours, theirs),
        alpha=benchmark.alpha(ours, theirs, ppy, risk_free),
        correlation=benchmark.correlation(ours, theirs),
        tracking_error=benchmark.tracking_error(ours, theirs, ppy),
        information_ratio=benchmark.information_ratio(ours, theirs, ppy),
    )


def _activity(
    ts: I64,
    equity: F64,
    fills: Fills | None,
    units: Sequence[InstrumentUnits],
    trades: Trades | None,
    gross: F64 | None,
) -> activity.Activity | None:
    if fills is None:
        return None
    traded = float(fills.notional(units).sum())
    multiple = activity.turnover(traded, equity)
    in_market = None
    if gross is not None:
        check_same_length(gross=gross, equity=equity)
        in_market = activity.time_in_market(gross)
    elif trades is not None:
        in_market = activity.time_in_market_of_trades(ts, trades)
    return activity.Activity(
        fills=fills.count,
        traded_notional=traded,
        turnover=multiple,
        turnover_annual=activity.annual_turnover(multiple, int(ts[-1] - ts[0]) if ts.size else 0),
        time_in_market=in_market,
        average_gross=None if gross is None else activity.average_gross(gross, equity),
        fees=fills.total_fees(),
        slippage=fills.total_slippage(),
    )


def _warnings(daily: DailyEquity, elapsed_ns: int, equity: F64, ts: I64, stats: TradeStats | None) -> tuple[str, ...]:
    if ts.size == 0:
        return ("no equity rows: nothing was run, so no figure is defined",)
    found = []
    broke = np.flatnonzero(equity <= 0.0)
    if broke.size:
        when = np.datetime_as_string(ts[broke[0]].astype("datetime64[ns]"), unit="s")
        found.append(
            f"equity reached {equity[broke[0]]:g} at {when} UTC: the account was lost, and figures of daily returns "
            "are undefined where a day began without equity"
        )
    if elapsed_ns < _SHORT_RUN_DAYS * NANOS_PER_DAY:
        found.append(
            f"the run spans {elapsed_ns / NANOS_PER_DAY:.1f} days, fewer than {_SHORT_RUN_DAYS}: annualised figures "
            "extrapolate far beyond the data"
        )
    banner = None if stats is None else small_sample_warning(stats.closed)
    if banner is not None:
        found.append(banner)
    if daily.equity.size and float(np.ptp(daily.levels)) == 0.0:
        found.append("daily equity never changed: ratios are undefined")
    return tuple(found)


def _extreme(returns: F64, pick: np.ufunc) -> float | None:
    known = returns[~np.isnan(returns)]
    return float(pick.reduce(known)) if known.size else None

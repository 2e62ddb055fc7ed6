"""The figures and series of one run, computed once by the metric functions of analytics and shared by every section."""

from dataclasses import dataclass

import numpy as np

from lockstep.analytics import activity
from lockstep.analytics.arrays import F64, I64
from lockstep.analytics.daily import daily_equity
from lockstep.analytics.drawdown import running_peak, underwater
from lockstep.analytics.metrics import rolling_sharpe
from lockstep.analytics.report.inputs import ReportInput
from lockstep.analytics.returns import annualised_return, daily_returns
from lockstep.analytics.summary import Summary, summarise
from lockstep.analytics.trades import Trades
from lockstep.model.numbers import NANOS_PER_DAY
from lockstep.model.sessions import ALWAYS, SESSIONS, WEEKDAYS, Session

__all__ = ["ROLLING_WINDOWS", "Measures", "Turnover", "calendar_of", "measure"]

ROLLING_WINDOWS = (252, 126, 63, 21)


@dataclass(frozen=True, slots=True)
class Turnover:
    """How much was traded and held; see `lockstep.analytics.activity` for each formula."""

    traded: float
    multiple: float | None
    annual: float | None
    time_in_market: float | None
    average_gross: float | None


@dataclass(frozen=True, slots=True)
class Measures:
    """What the page says about one run.

    ts, equity:  [n], every engine clock. underwater, peak: [n]. benchmark: [n], buy and hold on the same rows, or None.
    day, returns: [d], days since 1970-01-01 and the return of each. rolling: [d], NaN before the window is full;
    rolling_window: days, 0 when the run is too short for the shortest window.
    benchmark_annual: annualised return of the benchmark. years: elapsed calendar time.
    """

    summary: Summary
    calendar: Session
    turnover: Turnover
    trades: Trades
    ts: I64
    equity: F64
    peak: F64
    underwater: F64
    benchmark: F64 | None
    benchmark_annual: float | None
    day: I64
    returns: F64
    rolling: F64
    rolling_window: int
    years: float


def calendar_of(run: ReportInput) -> Session:
    """How days are counted: by the instruments' session; where they differ, by the one with the longest year.

    A session that is not one of ours (a result of another version) is taken as the manifest describes it.
    """
    facts = run.manifest.instruments
    if not facts:
        return WEEKDAYS
    chosen = max(facts, key=lambda f: f.periods_per_year)
    if chosen.session in SESSIONS:
        return SESSIONS[chosen.session]
    like = ALWAYS if chosen.periods_per_year >= ALWAYS.periods_per_year else WEEKDAYS
    return Session(
        name=chosen.session or like.name,
        timezone=chosen.timezone or like.timezone,
        windows=like.windows,
        periods_per_year=chosen.periods_per_year,
    )


def measure(run: ReportInput) -> Measures:
    """Compute everything the page shows about one run."""
    table = run.table("equity")
    ts, equity = table["ts"].astype(np.int64), table["equity"].astype(np.float64)
    gross = table["gross_exposure"].astype(np.float64)
    capital = run.manifest.cash or None
    calendar = calendar_of(run)
    trades = trades_of(run)
    held = benchmark_on_rows(run, ts, capital)
    summary = summarise(
        ts, equity, calendar, initial_equity=capital, trades=trades, gross=gross, benchmark_equity=held, seed=0
    )
    daily = daily_equity(
        ts, equity, timezone=calendar.timezone, always_open=calendar.always_open, initial_equity=capital
    )
    returns = daily_returns(daily)
    window = next((w for w in ROLLING_WINDOWS if returns.size >= 2 * w), 0)
    elapsed_ns = int(ts[-1] - ts[0]) if ts.size else 0
    of_benchmark = summary.benchmark.total_return if summary.benchmark else None
    return Measures(
        summary=summary,
        calendar=calendar,
        turnover=_turnover_of(run, equity, gross, elapsed_ns),
        trades=trades,
        ts=ts,
        equity=equity,
        peak=running_peak(equity, capital),
        underwater=underwater(equity, capital),
        benchmark=held,
        benchmark_annual=None if of_benchmark is None else annualised_return(of_benchmark, elapsed_ns),
        day=daily.return_day,
        returns=returns,
        rolling=rolling_sharpe(returns, window, calendar.periods_per_year) if window else np.zeros(0),
        rolling_window=window,
        years=elapsed_ns / (365.25 * NANOS_PER_DAY),
    )


def benchmark_on_rows(run: ReportInput, ts: I64, capital: float | None) -> F64 | None:
    """Buy and hold as known at each equity row: its last daily close, and the capital before the first one."""
    table = run.table("benchmark")
    at, held = table["ts"].astype(np.int64), table["equity"].astype(np.float64)
    if held.size == 0 or ts.size == 0:
        return None
    known = np.searchsorted(at, ts, side="right") - 1
    return np.where(known >= 0, held[np.maximum(known, 0)], capital or held[0])


def _turnover_of(run: ReportInput, equity: F64, gross: F64, elapsed_ns: int) -> Turnover:
    fills = run.table("fills")
    traded = float(np.sum(np.abs(fills["qty"].astype(np.float64) * fills["price"].astype(np.float64))))
    multiple = activity.turnover(traded, equity)
    return Turnover(
        traded=traded,
        multiple=multiple,
        annual=activity.annual_turnover(multiple, elapsed_ns),
        time_in_market=activity.time_in_market(gross),
        average_gross=activity.average_gross(gross, equity),
    )


def trades_of(run: ReportInput) -> Trades:
    """The trade table as columns of analytics; instrument and strategy are indices into the sorted names."""
    table = run.table("trades")
    symbols = [str(name) for name in table["symbol"].tolist()]
    strategies = [str(name) for name in table["strategy"].tolist()]
    symbol_index = {name: k for k, name in enumerate(sorted(set(symbols)))}
    strategy_index = {name: k for k, name in enumerate(sorted(set(strategies)))}
    return Trades(
        entry_ts=table["entry_ts"].astype(np.int64),
        exit_ts=table["exit_ts"].astype(np.int64),
        instrument=np.array([symbol_index[name] for name in symbols], dtype=np.int64),
        strategy=np.array([strategy_index[name] for name in strategies], dtype=np.int64),
        side=table["side"].astype(np.int64),
        qty=table["qty"].astype(np.int64),
        entry_price=table["entry_price"].astype(np.float64),
        exit_price=table["exit_price"].astype(np.float64),
        gross_pnl=table["gross_pnl"].astype(np.float64),
        fees=table["fees"].astype(np.float64),
        net_pnl=table["net_pnl"].astype(np.float64),
        slippage=np.zeros(len(symbols)),  # the trade table has no slippage of its own; the page shows that of the run
        return_pct=table["return_pct"].astype(np.float64),
        holding_ns=table["holding_ns"].astype(np.int64),
        is_open=table["open"].astype(np.bool_),
    )

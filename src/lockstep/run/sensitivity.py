"""The same run under other assumptions: costs times 0 to 3, other latencies, the other bar path."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from lockstep.analytics.daily import daily_equity
from lockstep.analytics.metrics import sharpe_ratio
from lockstep.analytics.returns import daily_returns
from lockstep.model.errors import StrategyFault
from lockstep.model.sessions import Session
from lockstep.run.backtest import Backtest, Outcome
from lockstep.run.config import BacktestConfig
from lockstep.run.tables import equity_columns, round_trips
from lockstep.sim.models import Latency

COST_MULTIPLES = (0, 1, 2, 3)
_MS = 1_000_000

Step = Callable[[str, int, int], None]
"""(what is being run, steps done, steps in all)."""


def sensitivity(outcome: Outcome, step: Step | None = None) -> dict[str, Any]:
    """Rerun a finished backtest under each assumption.

    Returns: the "sensitivity" object of a manifest. A rerun in which the strategy fails is left out (bar_path: None) and
             named in "failed": the run itself is not lost to what would have been.
    """
    backtest = outcome.backtest
    config = backtest.config
    delays = [("0", 0, 0), ("200 ms", 200 * _MS, 0), ("1 s", 1000 * _MS, 0)]
    lengths = [feeds.bar_ns for feeds in backtest.feeds if not feeds.has_ticks]
    delays.append(("one bar", min(lengths), 1) if lengths else ("10 s", 10_000 * _MS, 0))
    other = "optimistic" if config.fills.path == "pessimistic" else "pessimistic"
    total = len(COST_MULTIPLES) + len(delays) + bool(lengths)

    failed: list[str] = []

    def rerun(label: str, done: int, changed: BacktestConfig) -> dict[str, Any] | None:
        if step is not None:
            step(label, done, total)
        if changed == config:
            return headline(outcome)
        again = Backtest(backtest.plans, backtest.data, changed, funding=backtest.funding_given)
        try:
            return headline(again.run())
        except StrategyFault as e:
            failed.append(f"{label}: {e}")
            return None

    replace = msgspec.structs.replace
    costs = []
    for k, multiple in enumerate(COST_MULTIPLES):
        found = rerun(f"costs x {multiple}", k, replace(config, cost_multiple=multiple))
        if found is not None:
            costs.append({"multiple": multiple, **found})
    latencies = []
    for k, (label, delay, bars) in enumerate(delays):
        # A day's delay would still meet Monday's open from a Friday: one bar is counted in bars, not by the clock.
        entry_ns = 0 if bars else delay
        feed = {name: getattr(config.latency, name) for name in ("feed_ns", "feed_jitter_ns", "feed_tail")}
        latency = Latency(name=label, entry_ns=entry_ns, entry_bars=bars, **feed)
        found = rerun(f"latency {label}", len(COST_MULTIPLES) + k, replace(config, latency=latency))
        if found is not None:
            latencies.append({"label": label, "latency_ns": delay, **found})
    swapped = None
    if lengths:  # ticks have no path to guess
        swapped = rerun(f"{other} bar path", total - 1, replace(config, fills=replace(config.fills, path=other)))
    return {
        "costs": costs,
        "latency": latencies,
        "bar_path": None
        if swapped is None
        else {
            "chosen": config.fills.path,
            "other": other,
            "final_equity_other": swapped["final_equity"],
            "share_of_pnl": _share(outcome.final_equity, swapped["final_equity"], float(config.cash)),
        },
        "failed": failed,
    }


def _share(equity: float, other: float, cash: float) -> float | None:
    """The part of the profit or loss that the choice of path moves; None where there is neither."""
    pnl = max(abs(equity - cash), abs(other - cash))
    return abs(other - equity) / pnl if pnl > 0.0 else None


def headline(outcome: Outcome) -> dict[str, Any]:
    """Final equity, total return, Sharpe ratio and trade count of a run."""
    cash = float(outcome.backtest.config.cash)
    columns = equity_columns(outcome)
    session = reporting_session(outcome.backtest)
    sharpe = None
    if len(columns["ts"]):
        daily = daily_equity(
            columns["ts"],
            columns["equity"],
            timezone=session.timezone,
            always_open=session.always_open,
            initial_equity=cash,
        )
        sharpe = sharpe_ratio(daily_returns(daily), session.periods_per_year)
    return {
        "final_equity": outcome.final_equity,
        "total_return": outcome.final_equity / cash - 1.0,
        "sharpe": sharpe,
        "trades": int(np.count_nonzero(~round_trips(outcome).is_open)),
    }


def reporting_session(backtest: Backtest) -> Session:
    """The calendar that a run's days are counted by: the one with the longest year among its instruments."""
    return max((instrument.session for instrument in backtest.instruments), key=lambda s: s.periods_per_year)

"""How much was traded and held: turnover, time in the market, average exposure, and what it cost."""

import msgspec
import numpy as np

from lockstep.analytics.arrays import F64, I64, check_same_length, finite_or_none
from lockstep.analytics.trades import Trades
from lockstep.model.numbers import NANOS_PER_DAY


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """What was traded, held and paid.

    traded_notional:  both sides, account currency. turnover: multiples of the mean equity over the run;
    turnover_annual:  per 365 days. time_in_market: share of equity rows with a position, 0 to 1.
    average_gross:    mean of gross position value / equity over all rows, 1.0 being fully invested.
    fees, slippage:   totals, account currency, a cost being positive.
    """

    fills: int
    traded_notional: float
    turnover: float | None
    turnover_annual: float | None
    time_in_market: float | None
    average_gross: float | None
    fees: float
    slippage: float


def turnover(traded_notional: float, equity: F64) -> float | None:
    """traded_notional / mean(equity): bought plus sold, in multiples of the account.

    Two-sided, as execution cost is paid on both; the one-sided figure of a fund report (SEC Form N-1A, item 13: the
    lesser of purchases and sales over average assets) is about half of it.
    Returns: None for an empty curve or where the mean equity is not positive.
    """
    mean = float(equity.mean()) if equity.size else 0.0
    return finite_or_none(traded_notional / mean) if mean > 0.0 else None


def annual_turnover(run_turnover: float | None, elapsed_ns: int) -> float | None:
    """Turnover per 365 days; None under one day."""
    if run_turnover is None or elapsed_ns < NANOS_PER_DAY:
        return None
    return finite_or_none(run_turnover * 365.0 * NANOS_PER_DAY / elapsed_ns)


def time_in_market(gross: F64) -> float | None:
    """Share of rows with a position: mean(gross > 0). Args: gross [n], value of all positions, each taken positive."""
    return float(np.mean(gross > 0.0)) if gross.size else None


def time_in_market_of_trades(ts: I64, trades: Trades) -> float | None:
    """Share of equity rows at which some trade was on: entry_ts <= ts < exit_ts, an open trade to the last row.

    For results without a gross exposure column. Args: ts: [n], ns UTC, increasing. None for no rows.
    """
    if ts.size == 0:
        return None
    change = np.zeros(ts.size + 1, dtype=np.int64)
    np.add.at(change, np.searchsorted(ts, trades.entry_ts, side="left"), 1)
    np.add.at(change, np.searchsorted(ts, trades.closed().exit_ts, side="left"), -1)
    return float(np.mean(np.cumsum(change[:-1]) > 0))


def average_gross(gross: F64, equity: F64) -> float | None:
    """mean(gross / equity) over the rows with positive equity; None if there are none."""
    check_same_length(gross=gross, equity=equity)
    solvent = equity > 0.0
    return finite_or_none(np.mean(gross[solvent] / equity[solvent])) if solvent.any() else None

"""Round-trip trades as columns, and the statistics of them.

`round_trips.py` and `lots.py` make the trades from fills: the first from flat to flat, the second lot by lot. Money
is exact in integer units until the one division that makes each float.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import msgspec
import numpy as np

from lockstep.analytics.arrays import F64, I64, Bools, finite_or_none
from lockstep.analytics.fills import InstrumentUnits

RELIABLE_TRADES_MIN = 30
"""Fewer closed trades than this and every trade statistic carries a warning: the usual lower bound for the central
limit theorem to be of any help, e.g. Hogg, Tanis and Zimmerman (2015), "Probability and Statistical Inference"."""


class UnitTrade(NamedTuple):
    """One round trip in exact units, before any division; its order is that of the fields.

    entry_qty, exit_qty: quantity units as at the exit (a split restates them), perhaps fractional when a split was
    uneven; entry_value, exit_value: sum of `InstrumentUnits.rate` x quantity units. An open trade counts its rest as
    sold at the mark.
    """

    entry_ts: int
    exit_ts: int
    instrument: int
    strategy: int
    side: int
    entry_qty: int | Fraction
    entry_value: int | Fraction
    exit_qty: int | Fraction
    exit_value: int | Fraction
    fees: float
    slippage: float
    is_open: bool


@dataclass(frozen=True, slots=True)
class Trades:
    """Round trips as columns of length m, ordered by entry, then exit, instrument and strategy.

    entry_ts, exit_ts: ns UTC of the first entry and the last exit fill (of an open trade, of the mark).
    side: +1 long, -1 short. qty: total entered, quantity units, as at the exit.
    entry_price, exit_price: averages by quantity, quote currency, in shares as at the exit (a 2:1 split halves the
    entry price); NaN where no exit fill exists. gross_pnl: account currency, before fees; fees; net_pnl: gross - fees.
    slippage: account currency, already inside gross_pnl. return_pct: net_pnl in *per cent* of the entry notional, NaN
    if that is zero. holding_ns: exit - entry. is_open: still held at the end, marked at the last price without fee.
    """

    entry_ts: I64
    exit_ts: I64
    instrument: I64
    strategy: I64
    side: I64
    qty: I64
    entry_price: F64
    exit_price: F64
    gross_pnl: F64
    fees: F64
    net_pnl: F64
    slippage: F64
    return_pct: F64
    holding_ns: I64
    is_open: Bools

    @property
    def count(self) -> int:
        """Number of trades, open ones included, m."""
        return int(self.entry_ts.size)

    def where(self, keep: Bools) -> "Trades":
        """The trades that a mask [m] selects."""
        return Trades(**{name: getattr(self, name)[keep] for name in self.__slots__})

    def closed(self) -> "Trades":
        """The trades that have ended."""
        return self.where(~self.is_open)


class TradeStats(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics of closed trades, by net profit; None where there is nothing to count.

    win_rate:      wins / closed; a trade of exactly zero is neither a win nor a loss.
    average_win, average_loss, largest_win, largest_loss: account currency; losses are negative.
    payoff_ratio:  average_win / |average_loss|; profit_factor: all wins / |all losses|; None without losses.
    expectancy:    mean net profit of a trade, account currency; expectancy_pct: mean of return_pct, per cent.
    average_holding_ns, median_holding_ns: ns.
    Source:        Pardo (2008), "The Evaluation and Optimization of Trading Strategies"; Tharp (1998) for expectancy.
    """

    closed: int
    still_open: int
    wins: int
    losses: int
    win_rate: float | None
    average_win: float | None
    average_loss: float | None
    largest_win: float | None
    largest_loss: float | None
    payoff_ratio: float | None
    profit_factor: float | None
    expectancy: float | None
    expectancy_pct: float | None
    net_pnl: float
    average_holding_ns: int | None
    median_holding_ns: int | None


def trades_from_units(unit_trades: Iterable[UnitTrade], units: Sequence[InstrumentUnits]) -> Trades:
    """Turn exact round trips into float columns, one correctly rounded division per number."""
    trips = sorted(unit_trades)
    of = [units[t.instrument] for t in trips]
    values = [u.unit_value for u in units]
    # An inverse contract is worth more of the base currency the lower its price: a long loses value as price rises.
    gross = [
        _product((t.exit_value - t.entry_value) * (-t.side if u.inverse else t.side), values[t.instrument])
        for t, u in zip(trips, of, strict=True)
    ]
    invested = np.array([abs(_product(t.entry_value, values[t.instrument])) for t in trips], dtype=np.float64)
    fees = np.array([t.fees for t in trips], dtype=np.float64)
    net = np.array(gross, dtype=np.float64) - fees
    return_pct = np.full(net.size, np.nan)
    np.divide(100.0 * net, invested, out=return_pct, where=invested > 0.0)
    entry_ts, exit_ts = _ints(t.entry_ts for t in trips), _ints(t.exit_ts for t in trips)
    return Trades(
        entry_ts=entry_ts,
        exit_ts=exit_ts,
        instrument=_ints(t.instrument for t in trips),
        strategy=_ints(t.strategy for t in trips),
        side=_ints(t.side for t in trips),
        qty=_ints(int(t.entry_qty) for t in trips),
        entry_price=_floats(u.price_of(t.entry_value, t.entry_qty) for t, u in zip(trips, of, strict=True)),
        exit_price=_floats(u.price_of(t.exit_value, t.exit_qty) for t, u in zip(trips, of, strict=True)),
        gross_pnl=np.array(gross, dtype=np.float64),
        fees=fees,
        net_pnl=net,
        slippage=np.array([t.slippage for t in trips], dtype=np.float64),
        return_pct=return_pct,
        holding_ns=exit_ts - entry_ts,
        is_open=np.array([t.is_open for t in trips], dtype=np.bool_),
    )


def trade_stats(trades: Trades) -> TradeStats:
    """Win rate, average win and loss, profit factor, expectancy and the rest, of the closed trades."""
    closed = trades.closed()
    net, holding = closed.net_pnl, closed.holding_ns
    wins, losses = net[net > 0.0], net[net < 0.0]
    average_win = finite_or_none(wins.mean()) if wins.size else None
    average_loss = finite_or_none(losses.mean()) if losses.size else None
    return_pct = closed.return_pct[~np.isnan(closed.return_pct)]
    return TradeStats(
        closed=closed.count,
        still_open=trades.count - closed.count,
        wins=int(wins.size),
        losses=int(losses.size),
        win_rate=wins.size / net.size if net.size else None,
        average_win=average_win,
        average_loss=average_loss,
        largest_win=float(wins.max()) if wins.size else None,
        largest_loss=float(losses.min()) if losses.size else None,
        payoff_ratio=finite_or_none(average_win / -average_loss) if average_win and average_loss else None,
        profit_factor=finite_or_none(wins.sum() / -losses.sum()) if losses.size else None,
        expectancy=finite_or_none(net.mean()) if net.size else None,
        expectancy_pct=finite_or_none(return_pct.mean()) if return_pct.size else None,
        net_pnl=float(net.sum()),
        average_holding_ns=int(holding.mean()) if net.size else None,
        median_holding_ns=int(np.median(holding)) if net.size else None,
    )


def small_sample_warning(closed: int) -> str | None:
    """The banner for a run with too few closed trades to conclude from; None from 30 on."""
    if closed >= RELIABLE_TRADES_MIN:
        return None
    return (
        f"only {closed} closed trade{'' if closed == 1 else 's'}, fewer than {RELIABLE_TRADES_MIN}: win rate, profit "
        "factor and expectancy say little; test a longer period or more instruments"
    )


def _product(value: int | Fraction, unit_value: Fraction) -> float:
    if isinstance(value, int):
        return value * unit_value.numerator / unit_value.denominator  # exact ints, one correctly rounded division
    return float(value * unit_value)


def _ints(values: Iterable[int]) -> I64:
    return np.fromiter(values, dtype=np.int64)


def _floats(values: Iterable[float]) -> F64:
    return np.fromiter(values, dtype=np.float64)

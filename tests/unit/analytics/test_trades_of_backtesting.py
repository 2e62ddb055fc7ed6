"""The same orders on recorded GOOG days, filled at the next open: our trades against those of backtesting.py."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lockstep.analytics.fills import Fills, InstrumentUnits
from lockstep.analytics.lots import fifo
from lockstep.analytics.round_trips import flat_to_flat
from lockstep.analytics.trades import Trades, trade_stats

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it asks for a notebook
    from backtesting import Backtest, Strategy
    from backtesting.test import GOOG

Orders = Callable[[int], int]

FEE = 0.001
CENTS = InstrumentUnits(price_decimals=2, qty_decimals=0)


def pyramid(bar: int) -> int:
    """Signed orders on some bars: entries in two steps, a part exit, flips both ways."""
    return {0: 10, 7: 25, 15: -20, 22: -40, 31: 5, 40: 60}.get(bar % 50, 0)


def flip(bar: int) -> int:
    """One fill in, one out, always reversing."""
    if bar == 20:
        return 100
    return {0: -200, 1: 200}[bar // 20 % 2] if bar > 20 and bar % 20 == 0 else 0


def run(orders: Orders) -> tuple[Any, Fills]:
    class Scripted(Strategy):
        def init(self) -> None: ...

        def next(self) -> None:
            qty = orders(len(self.data) - 1)
            if qty > 0:
                self.buy(size=qty)
            elif qty < 0:
                self.sell(size=-qty)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        test = Backtest(GOOG, Scripted, cash=10_000_000, commission=FEE, finalize_trades=True)
        trades = test.run()._trades
    signed = np.array([0, *(orders(bar) for bar in range(1, len(GOOG) - 1))])
    bars = np.flatnonzero(signed) + 1  # filled at the next open
    signed = signed[signed != 0]
    price = np.round(GOOG["Open"].to_numpy()[bars] * 100).astype(np.int64)
    return trades, Fills(
        ts=bars.astype(np.int64),
        instrument=np.zeros_like(bars),
        strategy=np.zeros_like(bars),
        side=np.sign(signed),
        qty=np.abs(signed),
        price=price,
        fee=FEE * np.abs(signed) * price / 100,
        slippage=np.zeros(bars.size),
    )


def closed_rows(table: Any) -> list[tuple[int, int, int, float, float, float, float]]:
    last = len(GOOG) - 1
    rows = zip(
        *(table[name] for name in ("EntryBar", "ExitBar", "Size", "EntryPrice", "ExitPrice", "PnL", "ReturnPct")),
        strict=True,
    )
    return sorted(row for row in rows if row[1] < last)


@pytest.mark.parametrize(("orders", "method"), [(pyramid, fifo), (flip, fifo), (flip, flat_to_flat)])
def test_trades_on_recorded_days_equal_those_of_backtesting(orders: Orders, method: Callable[..., Trades]) -> None:
    table, fills = run(orders)
    trades = method(fills, [CENTS], marks=[0], mark_ts=len(GOOG)).closed()
    ours = sorted(
        zip(
            trades.entry_ts.tolist(),
            trades.exit_ts.tolist(),
            (trades.side * trades.qty).tolist(),
            trades.entry_price.tolist(),
            trades.exit_price.tolist(),
            trades.net_pnl.tolist(),
            (trades.return_pct / 100).tolist(),
            strict=True,
        )
    )
    wanted = closed_rows(table)
    assert len(wanted) > 80
    assert len(ours) == len(wanted)
    assert np.allclose(np.array(ours, float), np.array(wanted, float), rtol=1e-9, atol=1e-9)
    stats = trade_stats(trades)
    pnl = np.array([row[5] for row in wanted])
    assert stats.win_rate == pytest.approx((pnl > 0).mean())
    assert stats.profit_factor == pytest.approx(pnl[pnl > 0].sum() / -pnl[pnl < 0].sum())
    assert stats.expectancy == pytest.approx(pnl.mean())
    assert stats.net_pnl == pytest.approx(pnl.sum())

"""Trade identity: an EMA cross on GOOG days and EUR/USD hours makes the trades of backtesting.py, and ends with its equity.

Same terms on both sides: fixed quantity, next-open fills, commission as an exact percentage, no finalised trades, an open
position marked at the last close without an exit fee, EMA seeded with the SMA of its first n values and undefined before.
"""

import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lockstep.model.fees import FeeSchedule
from lockstep.run.backtest import Backtest, Outcome
from lockstep.run.config import BacktestConfig
from lockstep.run.strategy_file import load_strategy
from lockstep.sim.models import LATENCIES, BarFills, Slippage
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.readers import read_market_data

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it asks for a notebook
    import backtesting
    from backtesting.test import EURUSD, GOOG


STRATEGY = """
from lockstep import EMA, Bar, CrossOver, Strategy


class EmaCross(Strategy):
    fast: int = 10
    slow: int = 30
    quantity: int = 10
    short: bool = False

    def on_start(self) -> None:
        self.cross = self.indicator(CrossOver(EMA(self.fast), EMA(self.slow)))

    def on_bar(self, bar: Bar) -> None:
        if self.cross.up:
            self.target_position(self.quantity)
        elif self.cross.down:
            self.target_position(-self.quantity if self.short else 0)
"""
CASH = 1_000_000
COMMISSION = Decimal("0.002")
DATA = {"GOOG": (GOOG, 10, "%Y-%m-%d", "equity"), "EURUSD": (EURUSD, 20_000, "%Y-%m-%d %H:%M:%S", "fx")}


def ema(values: Any, period: int) -> Any:
    """EMA over closes, seeded with the SMA of the first `period`; nan before. Written here anew: the twin."""
    out = np.full(len(values), np.nan)
    value = float(np.sum(values[:period])) / period
    out[period - 1] = value
    weight = 2.0 / (period + 1)
    for k in range(period, len(values)):
        value += weight * (values[k] - value)
        out[k] = value
    return out


def theirs(name: str, fast: int, slow: int, short: bool) -> tuple[list[tuple[int, int, float]], float]:
    """Their fills as (ns UTC, signed quantity, price) and final equity."""
    frame, quantity, _, _ = DATA[name]

    class Cross(backtesting.Strategy):
        def init(self) -> None:
            self.fast = self.I(ema, self.data.Close, fast)
            self.slow = self.I(ema, self.data.Close, slow)

        def next(self) -> None:
            a, b = self.fast, self.slow
            target: int | None = None
            if a[-2] < b[-2] and a[-1] > b[-1]:
                target = quantity
            elif a[-2] > b[-2] and a[-1] < b[-1]:
                target = -quantity if short else 0
            if target is not None:
                missing = target - self.position.size
                if missing > 0:
                    self.buy(size=missing)
                elif missing < 0:
                    self.sell(size=-missing)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        test = backtesting.Backtest(
            frame, Cross, cash=CASH, commission=float(COMMISSION), trade_on_close=False, finalize_trades=False
        )
        result = test.run()
    fills: dict[int, list[float]] = {}

    def note(time: Any, size: int, price: float) -> None:
        entry = fills.setdefault(int(time.tz_localize("UTC").value), [0, price])
        entry[0] += size

    for trade in result._trades.itertuples():
        note(trade.EntryTime, trade.Size, trade.EntryPrice)
        note(trade.ExitTime, -trade.Size, trade.ExitPrice)
    for open_trade in result._strategy.trades:
        note(open_trade.entry_time, open_trade.size, open_trade.entry_price)
    made = [(time, int(size), price) for time, (size, price) in sorted(fills.items())]
    return made, float(result["Equity Final [$]"])


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, MarketData]:
    """Their data frames through a CSV and our own reader."""
    folder = tmp_path_factory.mktemp("frames")
    found = {}
    for name, (frame, _, form, kind) in DATA.items():
        path = folder / f"{name}.csv"
        frame.to_csv(path, index_label="timestamp", date_format=form)
        (found[name],) = read_market_data(path, asset_class=kind, session="24/7")
    return found


@pytest.fixture(scope="module")
def strategy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("strategy") / "ema_cross.py"
    path.write_text(STRATEGY)
    return path


def ours(data: MarketData, strategy: Path, name: str, fast: int, slow: int, short: bool) -> Outcome:
    config = BacktestConfig(
        cash=Decimal(CASH),
        fees=FeeSchedule(maker=COMMISSION, taker=COMMISSION),
        latency=LATENCIES["none"],
        slippage=Slippage(),
        fills=BarFills(participation=None),
    )
    params = {"fast": fast, "slow": slow, "quantity": DATA[name][1], "short": short}
    return Backtest(load_strategy(strategy), [data], config, params).run()


@pytest.mark.parametrize("short", [False, True], ids=["flat", "short"])
@pytest.mark.parametrize(("fast", "slow"), [(10, 30), (5, 20), (20, 50), (3, 7)])
@pytest.mark.parametrize("name", ["GOOG", "EURUSD"])
def test_ema_cross_makes_the_trades_of_backtesting(
    histories: dict[str, MarketData], strategy: Path, name: str, fast: int, slow: int, short: bool
) -> None:
    expected, equity = theirs(name, fast, slow, short)
    outcome = ours(histories[name], strategy, name, fast, slow, short)
    scale = 10.0 ** outcome.backtest.instruments[0].price_decimals
    qty_scale = 10.0 ** outcome.backtest.instruments[0].qty_decimals
    spool = outcome.fill_rows
    sides = np.where((spool.column(4) >> 6 & 3) == 2, 1, -1)
    made = [
        (int(time), int(side * qty / qty_scale), float(price / scale))
        for time, side, qty, price in zip(spool.column(1), sides, spool.column(5), spool.column(6), strict=True)
    ]
    assert len(made) >= 20
    assert made == expected
    assert outcome.final_equity == pytest.approx(equity, rel=1e-9)
    assert float(outcome.engine.portfolio.ledger.balance) == pytest.approx(
        equity - sum(position.value for position in outcome.engine.portfolio.positions), rel=1e-9
    )

"""One run on the shipped stocks that does a bit of everything, and its folder: what the tests of results look at."""

from pathlib import Path
from typing import Any

import pytest

from lockstep.run.backtest import Backtest, Outcome
from lockstep.run.config import BacktestConfig
from lockstep.run.results import finish_run
from lockstep.run.strategy_file import load_strategy
from lockstep.store.catalog.readers import read_market_data
from lockstep.store.runs import RunFolder

VARIED = '''"""Buys strength, sells short on weakness, leaves stops and limits resting over splits, cancels, asks too much."""

from lockstep import EMA, Strategy


class Varied(Strategy):
    fast: int = 5
    part: float = 0.2

    def on_start(self):
        self.a = self.indicator(EMA(self.fast))
        self.b = self.indicator(EMA(30))
        self.count = 0

    def on_bar(self, bar):
        self.count += 1
        if self.count % 100 == 1:
            self.buy(20, limit=self.round_price(bar.close * 0.4), tif="GTC")
        if self.count % 250 == 2:
            self.buy(10_000_000)
        if self.a.value > self.b.value and self.position.qty <= 0:
            note = self.signal("BUY", 0.5, target=bar.close * 1.1, reasoning="fast over slow; \\u2191")
            self.target_position(self.size(self.part), signal=note)
            self.sell(5, stop=self.round_price(bar.close * 0.9), tif="DAY")
        elif self.a.value < self.b.value and self.position.qty > 0:
            self.cancel()
            self.signal("SELL", 0.25)
            self.target_position(-30)
'''


@pytest.fixture(scope="session")
def stocks() -> list[Any]:
    """AAPL (splits in 2000 and 2005), IBM and MSFT (dividends), daily."""
    return read_market_data("us_stocks", symbols=["AAPL", "IBM", "MSFT"])


@pytest.fixture(scope="session")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The strategy's file."""
    path = tmp_path_factory.mktemp("varied") / "varied.py"
    path.write_text(VARIED, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def outcome(stocks: list[Any], varied: Path) -> Outcome:
    """The finished run."""
    return Backtest(load_strategy(varied), stocks, BacktestConfig()).run()


@pytest.fixture(scope="session")
def folder(outcome: Outcome, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """What it left on disk, sensitivity included."""
    return finish_run(outcome, tmp_path_factory.mktemp("runs"), command="lockstep backtest varied.py --data us_stocks")

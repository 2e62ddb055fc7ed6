"""Several strategies, each on its own symbols and bars, with the history each asks for: on real stocks and coins."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lockstep.model.enums import EventKind
from lockstep.model.errors import LockstepError, StrategyError, UsageError
from lockstep.run.backtest import Backtest, Outcome
from lockstep.run.config import BacktestConfig
from lockstep.run.plan import StrategyPlan
from lockstep.run.strategy_file import StrategyFile, load_strategy
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.readers import read_market_data

NOTES = """
from lockstep import EMA, Strategy


class Notes(Strategy):
    period: int = 5
    history = {history!r}

    def on_start(self):
        self.seen, self.past = [], []
        self.slow = self.indicator(EMA(self.period))
        self.recent = self.window(50)

    def on_history(self, bar):
        self.past.append((bar.ts_open, bar.ts_event, bar.close))

    def on_bar(self, bar):
        self.seen.append((bar.ts_open, bar.ts_event, bar.close, self.slow.value))
"""
MINUTE = 60 * 10**9
DAY = 86_400 * 10**9
START = 1_517_443_200 * 10**9  # 2018-02-01 00:00 UTC


@pytest.fixture
def notes(tmp_path: Path) -> Any:
    def write(history: int | str = 0, name: str = "notes.py") -> StrategyFile:
        (tmp_path / name).write_text(NOTES.format(history=history))
        return load_strategy(tmp_path / name)

    return write


@pytest.fixture(scope="module")
def stocks() -> list[MarketData]:
    return read_market_data("us_stocks", symbols=["AAPL", "IBM", "MSFT"])


@pytest.fixture(scope="module")
def coin(data: Path) -> list[MarketData]:
    return read_market_data(data / "bars_1m" / "ftx_btc-perp_1m_20211231_20220201.csv.gz")


def instance(outcome: Outcome, seat: int = 0) -> Any:
    return outcome.engine.seats[seat].strategy


def closes(data: MarketData) -> list[tuple[int, int, float]]:
    scale = 10.0**data.instrument.price_decimals
    rows = np.concatenate(list(data.chunks()))
    rows = rows[rows["kind"] == EventKind.BAR]
    return [(int(r["ts_open"]), int(r["ts_event"]), int(r["p3"]) / scale) for r in rows]


def run(plans: Sequence[StrategyPlan], data: list[MarketData], **config: Any) -> Outcome:
    return Backtest(plans, data, BacktestConfig(**config)).run()


def test_each_plan_sees_its_symbols_alone(notes: Any, stocks: list[MarketData]) -> None:
    plans = [StrategyPlan(notes(), symbols=["ibm", "AAPL"]), StrategyPlan(notes(), {"period": 9}, symbols=["MSFT"])]
    outcome = run(plans, stocks)
    seats = [
        (seat.name, instance(outcome, k).instrument.symbol, instance(outcome, k).period)
        for k, seat in enumerate(outcome.engine.seats)
    ]
    assert seats == [("Notes:AAPL", "AAPL", 5), ("Notes:IBM", "IBM", 5), ("Notes", "MSFT", 9)]
    assert len(instance(outcome, 2).seen) == stocks[2].info.rows - 8


def test_a_symbol_without_data_is_refused_with_the_nearest(notes: Any, stocks: list[MarketData]) -> None:
    with pytest.raises(UsageError, match="no data of 'IBN'") as caught:
        run([StrategyPlan(notes(), symbols=["IBN"])], stocks)
    assert "IBM" in caught.value.hint


@pytest.mark.slow
@pytest.mark.data
def test_a_timeframe_gives_the_bars_that_lie_in_it_and_no_other(notes: Any, coin: list[MarketData]) -> None:
    found = instance(run([StrategyPlan(notes(), {"period": 1}, timeframe="5m")], coin)).seen
    expected: dict[int, tuple[int, int, float]] = {}
    for ts_open, _, close in closes(coin[0]):
        begin = ts_open - ts_open % (5 * MINUTE)
        expected[begin] = (begin, begin + 5 * MINUTE, close)
    last_end = coin[0].info.last_ns
    assert [row[:3] for row in found] == [bar for bar in expected.values() if bar[1] <= last_end]


@pytest.mark.slow
@pytest.mark.data
def test_two_timeframes_of_one_instrument_are_what_each_is_alone(notes: Any, coin: list[MarketData]) -> None:
    both = run([StrategyPlan(notes()), StrategyPlan(notes(), timeframe="1h")], coin)
    own, hourly = instance(both, 0).seen, instance(both, 1).seen
    assert own == instance(run([StrategyPlan(notes())], coin)).seen
    assert hourly == instance(run([StrategyPlan(notes(), timeframe="1h")], coin)).seen
    assert len(own) > 50 * len(hourly) > 0


@pytest.mark.data
@pytest.mark.parametrize("timeframe", ["30s", "7m"])
def test_a_timeframe_that_cannot_be_made_is_refused(notes: Any, coin: list[MarketData], timeframe: str) -> None:
    with pytest.raises(UsageError):
        run([StrategyPlan(notes(), timeframe=timeframe)], coin)


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("timeframe", [None, "1h"])
def test_history_is_the_bars_before_the_start_and_leaves_indicators_as_if_run_through(
    notes: Any, coin: list[MarketData], timeframe: str | None
) -> None:
    start = coin[0].info.first_ns + 10 * DAY
    start -= start % DAY
    whole = instance(run([StrategyPlan(notes(), {"period": 3}, timeframe=timeframe)], coin)).seen
    shown = instance(run([StrategyPlan(notes(200), {"period": 3}, timeframe=timeframe)], coin, start_ns=start))
    before = [row[:3] for row in whole if row[0] < start]
    assert shown.past == before[-200:]
    after = [row for row in whole if row[0] >= start]
    assert [row[:3] for row in shown.seen] == [row[:3] for row in after]
    assert shown.seen[0][3] == pytest.approx(after[0][3], rel=1e-12)  # 200 bars on, an EMA of 3 has forgotten
    assert len(shown.recent) == 50


@pytest.mark.data
def test_history_as_a_time_reaches_back_that_far(notes: Any, coin: list[MarketData]) -> None:
    start = coin[0].info.first_ns + 5 * DAY
    past = instance(run([StrategyPlan(notes("4h"))], coin, start_ns=start)).past
    assert past[0][0] >= start - 4 * 60 * MINUTE
    assert len(past) == 240
    assert past[-1][1] <= start


def test_history_of_one_strategy_is_not_shown_to_another(notes: Any, stocks: list[MarketData]) -> None:
    start = closes(stocks[0])[1000][0]
    plans = [StrategyPlan(notes(30), symbols=["AAPL"]), StrategyPlan(notes(7, "b.py"), symbols=["AAPL"])]
    outcome = run([*plans, StrategyPlan(notes(0, "c.py"), symbols=["AAPL"])], stocks, start_ns=start)
    assert [len(instance(outcome, k).past) for k in range(3)] == [30, 7, 0]
    assert outcome.history_missing == []
    alone = run([StrategyPlan(notes(7, "b.py"), symbols=["AAPL"])], stocks, start_ns=start)
    assert instance(alone).seen == instance(outcome, 1).seen


def test_missing_history_is_said_and_what_there_is_is_shown(notes: Any, stocks: list[MarketData]) -> None:
    start = closes(stocks[0])[10][0]
    outcome = run([StrategyPlan(notes(30), symbols=["AAPL"])], stocks, start_ns=start)
    assert len(instance(outcome).past) == 10
    assert len(outcome.history_missing) == 1
    assert "10 of the 30 bars of 1d" in outcome.history_missing[0]


def test_history_does_not_move_the_account_or_the_count_of_events(notes: Any, stocks: list[MarketData]) -> None:
    start = closes(stocks[0])[1000][0]
    outcome = run([StrategyPlan(notes(500), symbols=["AAPL"])], stocks[:1], start_ns=start)
    assert outcome.events == stocks[0].count(start, None)
    assert outcome.engine.bars == len(instance(outcome).seen)


def test_an_order_in_history_is_refused(tmp_path: Path, stocks: list[MarketData]) -> None:
    source = "from lockstep import Strategy\n\n\nclass Eager(Strategy):\n    history = 3\n\n"
    source += "    def on_history(self, bar):\n        self.buy(1)\n\n    def on_bar(self, bar):\n        pass\n"
    (tmp_path / "eager.py").write_text(source)
    start = closes(stocks[0])[100][0]
    with pytest.raises(LockstepError, match="no order in on_history"):
        run([StrategyPlan(load_strategy(tmp_path / "eager.py"))], stocks, start_ns=start)


@pytest.mark.parametrize("history", [-1, 2.5, "soon", "5", "1w", True, 10**9])
def test_a_history_that_is_neither_bars_nor_time_is_refused(notes: Any, history: Any) -> None:
    with pytest.raises(StrategyError, match="history was"):
        notes(history)


def test_a_strategy_of_quotes_on_bars_is_refused(tmp_path: Path, stocks: list[MarketData]) -> None:
    source = "from lockstep import Strategy\n\n\nclass Deaf(Strategy):\n    def on_quote(self, quote):\n        pass\n"
    (tmp_path / "deaf.py").write_text(source)
    with pytest.raises(StrategyError, match=r"Deaf has on_quote, and the data of AAPL are bars"):
        run([StrategyPlan(load_strategy(tmp_path / "deaf.py"))], stocks)

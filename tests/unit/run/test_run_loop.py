"""The run as a whole: sizes, speed limits of growth, and what it says when it cannot start."""

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from machine import HOUR, T0, Machine, Plan, bars, coin, records

from lockstep import EMA, Strategy
from lockstep.model.errors import StrategyError, StrategyFault, UsageError
from lockstep.run.backtest import Backtest
from lockstep.run.config import BacktestConfig
from lockstep.run.strategy_file import load_strategy
from lockstep.sim.models import BarFills, Latency, Slippage, latency_from_text
from lockstep.store.catalog.readers import read_market_data


class Crosses(Strategy):
    fast: int = 5
    slow: int = 20

    def on_start(self) -> None:
        self.a = self.indicator(EMA(self.fast))
        self.b = self.indicator(EMA(self.slow))

    def on_bar(self, bar: Any) -> None:
        self.target_position(1 if self.a.value > self.b.value else 0)


@pytest.mark.data
@pytest.mark.slow
def test_hundred_strategies_on_a_hundred_instruments_add_up(data: Path) -> None:
    """Real daily bars; every strategy's position is its own, and their sum is the account's."""
    entries = read_market_data(data / "equities_daily/sp500_5yr_daily_2013_2018.csv.gz", symbols=SYMBOLS)
    pairs = [(entry.instrument, np.concatenate(list(entry.chunks()))[:60]) for entry in entries]
    assert len(pairs) == 100
    machine = Machine(pairs, cash=10**12, queue_outside_hours=True)
    for k in range(100):
        machine.seat(Each(fast=3 + k % 7, slow=12 + k % 11), *range(100), name=f"s{k}")
    machine.go()
    held = dict.fromkeys(range(100), 0)
    for seat in machine.engine.seats:
        for sub in seat.subscriptions:
            held[sub.instrument_index] += sub.position.units
    assert all(held[k] == machine.portfolio.holdings[k].units == machine.venue.markets[k].net for k in range(100))
    assert machine.engine.bars == 6000
    assert len(machine.fills) > 10_000


class Each(Strategy):
    """An EMA cross on every instrument, one instance for all."""

    trades = "all"
    fast: int = 5
    slow: int = 20

    def on_start(self) -> None:
        self.pairs = {
            i.symbol: (self.indicator(EMA(self.fast), i), self.indicator(EMA(self.slow), i)) for i in self.instruments
        }

    def on_bar(self, bar: Any) -> None:
        a, b = self.pairs[bar.symbol]
        self.target_position(1 if a.value > b.value else 0, bar.instrument)


SYMBOLS = (
    "A AAL AAP AAPL ABBV ABC ABT ADI ADM AEE AFL AIG AIZ AKAM ALB ALK ALXN AMAT AME AMG AMP AMZN ANDV ANSS "
    "ANTM AON APC APD APH ARNC AVGO AVY AWK AZO BA BAC BAX BBT BF.B BIIB BLL BSX BWA CA CAG CAT CBOE CBS CCI "
    "CCL CDNS CELG CERN CF CHRW CHTR CI CLX CMS CNC COG COST CPB CRM CSCO CTAS CTL CTSH CVS CVX CXO D DAL DG "
    "DGX DHI DIS DISCK DLTR DOV DPS DRE DTE DUK DVA DVN EA ECL ED EFX EIX EL EMN EMR EOG EQR ESRX ESS ETR EXC "
).split()


@pytest.mark.slow
def test_work_grows_with_the_orders_resting_not_with_their_square() -> None:
    """Many resting orders that no bar meets: 16 times as many cost 16 times as much, not 256 times. The bound lies between."""

    def seconds(orders: int) -> float:
        machine = Machine([(coin(), records(bars(*([100] * 60))))])
        machine.seat(Plan({0: lambda s: [s.buy(1, limit=1) for _ in range(orders)] and None}))
        started = time.perf_counter()
        machine.go()
        return time.perf_counter() - started

    seconds(100)
    small = min(seconds(500) for _ in range(5))
    large = min(seconds(8000) for _ in range(3))
    assert large < 64 * small


def strategy(tmp_path: Path, body: str) -> Path:
    path = tmp_path / "s.py"
    path.write_text("from lockstep import Strategy\n\n\nclass S(Strategy):\n" + body)
    return path


@pytest.fixture(scope="module")
def ibm() -> list[Any]:
    return read_market_data("us_stocks", symbols=["IBM"])


def test_run_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs data"):
        Backtest(load_strategy(strategy(tmp_path, "    def on_bar(self, bar): ...\n")), [])


def test_instrument_given_twice_is_refused(tmp_path: Path, ibm: list[Any]) -> None:
    with pytest.raises(UsageError, match="more than once"):
        Backtest(load_strategy(strategy(tmp_path, "    def on_bar(self, bar): ...\n")), ibm * 2)


def test_fault_of_a_handler_names_file_line_strategy_and_time(tmp_path: Path, ibm: list[Any]) -> None:
    path = strategy(tmp_path, "    def on_bar(self, bar):\n        self.n = 1 / 0\n")
    with pytest.raises(
        StrategyFault, match=r"s\.py line 6, S at 2000-03-01T21:00:00Z: ZeroDivisionError: division by zero"
    ):
        Backtest(load_strategy(path), ibm).run()


def test_fault_of_ours_says_what_to_do(tmp_path: Path, ibm: list[Any]) -> None:
    path = strategy(tmp_path, "    def on_bar(self, bar):\n        self.buy(1, tif='GTX')\n")
    with pytest.raises(StrategyFault, match="unknown time in force 'GTX'") as caught:
        Backtest(load_strategy(path), ibm).run()
    assert "did you mean" in caught.value.hint


def test_range_of_a_run_is_by_the_bars_that_start_in_it(tmp_path: Path, ibm: list[Any]) -> None:
    path = strategy(tmp_path, "    def on_bar(self, bar): ...\n")
    whole = ibm[0].info
    middle = (whole.first_ns + whole.last_ns) // 2 // (24 * HOUR) * 24 * HOUR
    first = Backtest(load_strategy(path), ibm, BacktestConfig(end_ns=middle)).run()
    second = Backtest(load_strategy(path), ibm, BacktestConfig(start_ns=middle)).run()
    together = Backtest(load_strategy(path), ibm).run()
    assert first.events + second.events == together.events
    assert first.last_clock < middle < second.last_clock == together.last_clock


def test_progress_is_told_and_leaves_the_run_alone(tmp_path: Path, ibm: list[Any]) -> None:
    told: list[tuple[int, int]] = []
    path = strategy(tmp_path, "    def on_bar(self, bar): ...\n")
    outcome = Backtest(load_strategy(path), ibm).run(lambda done, total: told.append((done, total)))
    assert told[0] == (0, outcome.events)
    assert outcome.run_hash == Backtest(load_strategy(path), ibm).run().run_hash


def slippage_of(outcome: Any) -> Any:
    return np.concatenate([block.view(np.float64)[:, 9] for block in outcome.fill_rows.blocks()])


def test_cost_multiple_scales_fees_and_slippage(tmp_path: Path, ibm: list[Any]) -> None:
    path = strategy(tmp_path, "    def on_bar(self, bar):\n        if not self.position: self.buy(10)\n")
    costs = []
    for multiple in (0, 1, 2, 3):
        outcome = Backtest(load_strategy(path), ibm, BacktestConfig(cost_multiple=multiple)).run()
        costs.append((outcome.engine.portfolio.ledger.fees, float(slippage_of(outcome).sum())))
    assert costs[0] == (0, 0.0)
    assert costs[0][0] <= costs[1][0] <= costs[2][0] <= costs[3][0]
    assert costs[1][1] < costs[2][1] < costs[3][1]


@pytest.mark.parametrize(
    "make",
    [
        lambda: BacktestConfig(cash=Decimal(0)),
        lambda: BacktestConfig(leverage=Decimal(0)),
        lambda: BacktestConfig(leverage=Decimal(1001)),
        lambda: BacktestConfig(cost_multiple=-1),
        lambda: BacktestConfig(start_ns=5, end_ns=5),
        lambda: BarFills(path="hopeful"),
        lambda: BarFills(limit_fill="near"),
        lambda: BarFills(participation=Decimal(0)),
        lambda: BarFills(participation=Decimal("1.01")),
        lambda: Slippage(bps=Decimal(-1)),
        lambda: Slippage(bps=Decimal(10_000)),
        lambda: Slippage(volume_impact=Decimal(1)),
        lambda: Latency(entry_ns=-1),
        lambda: Latency(ack_jitter_ns=367 * 24 * HOUR),
        lambda: latency_from_text("soon"),
        lambda: latency_from_text("ms"),
        lambda: latency_from_text("1.2.3s"),
    ],
)
def test_settings_that_cannot_be_are_refused(make: Any) -> None:
    with pytest.raises(UsageError):
        make()


@pytest.mark.parametrize(
    ("text", "ns"),
    [("none", 0), ("0ms", 0), ("200ms", 200_000_000), ("1s", 10**9), ("250us", 250_000), ("1.5s", 1_500_000_000),
     ("7ns", 7), ("1m", 60 * 10**9), ("1h", HOUR), ("1d", 24 * HOUR)],
)  # fmt: skip
def test_latency_is_read_from_text(text: str, ns: int) -> None:
    assert latency_from_text(text).entry_ns == ns


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("def on_bar(self bar):\n    pass\n", "line 1"),
        ("import nothing_like_this\n", "ModuleNotFoundError"),
        ("x = 1\n", "no class in it derives"),
        (
            "from lockstep import Strategy\nclass A(Strategy):\n    def on_baar(self, bar): ...\n",
            "on_baar is no handler",
        ),
        (
            "from lockstep import Strategy\nclass A(Strategy):\n    def on_bar(self, b): ...\nclass B(A): ...\n",
            "has 2 strategies",
        ),
    ],
)
def test_strategy_files_that_cannot_run_are_refused(tmp_path: Path, body: str, message: str) -> None:
    path = tmp_path / "broken.py"
    path.write_text(body)
    with pytest.raises(StrategyError, match=message):
        load_strategy(path)


def test_strategy_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no strategy file"):
        load_strategy(tmp_path / "missing.py")
    path = tmp_path / "binary.py"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StrategyError, match="not UTF-8"):
        load_strategy(path)


def test_class_is_chosen_by_name_and_misspelling_is_answered(tmp_path: Path) -> None:
    path = tmp_path / "two.py"
    path.write_text(
        "from lockstep import Strategy\nclass Ax(Strategy):\n    def on_bar(self, b): ...\nclass Bx(Ax): ...\n"
    )
    assert load_strategy(path, "Bx").name == "Bx"
    with pytest.raises(StrategyError, match="no strategy class 'Bxx'"):
        load_strategy(path, "Bxx")


def test_constructor_that_fails_is_named(tmp_path: Path, ibm: list[Any]) -> None:
    path = strategy(
        tmp_path, "    def __init__(self, **p):\n        raise KeyError('x')\n    def on_bar(self, b): ...\n"
    )
    with pytest.raises(StrategyError, match=r"S\(\) failed: KeyError"):
        Backtest(load_strategy(path), ibm)


def test_source_gives_the_earliest_start() -> None:
    machine = Machine([(coin("A"), records(bars(1, 2, start=T0 + HOUR))), (coin("B"), records(bars(1, 2)))])
    assert machine.source().first_time() == T0

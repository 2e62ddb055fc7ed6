"""The same run twice is the same run: in processes of other hash seeds, compiled and not; and what changes which hash."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import lockstep
from lockstep.model.fees import FeeSchedule
from lockstep.run.backtest import Backtest, is_compiled
from lockstep.run.config import BacktestConfig
from lockstep.run.strategy_file import load_strategy
from lockstep.sim.models import BarFills, Slippage
from lockstep.store.catalog.readers import read_market_data

SOURCE = """
from lockstep import EMA, RSI, Strategy


class Mixed(Strategy):
    fast: int = 5
    part: float = 0.1

    def on_start(self):
        self.a = self.indicator(EMA(self.fast))
        self.b = self.indicator(EMA(30))
        self.r = self.indicator(RSI(14))

    def on_bar(self, bar):
        names = {"long", "flat", "none"}  # a set of texts: its order follows the hash seed
        if self.a.value > self.b.value and not self.position:
            self.buy(self.size(self.part), signal=self.signal("BUY", self.r.value / 100, reasoning=",".join(sorted(names))))
            self.sell(1, stop=self.round_price(bar.close * 0.95), tif="DAY")
        elif self.a.value < self.b.value and self.position:
            self.cancel()
            self.close()
"""
PROGRAM = """
import json, sys
from lockstep.run.backtest import Backtest, is_compiled
from lockstep.run.strategy_file import load_strategy
from lockstep.store.catalog.readers import read_market_data

data = read_market_data("us_stocks", symbols=["AAPL", "IBM"])
out = Backtest(load_strategy(sys.argv[1]), data).run()
print(json.dumps([out.run_hash, out.decision_hash, out.fills, out.final_equity, is_compiled()]))
"""


@pytest.fixture(scope="module")
def strategy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("strategy") / "mixed.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture(scope="module")
def stocks() -> list[Any]:
    return read_market_data("us_stocks", symbols=["AAPL", "IBM"])


def in_process(strategy: Path, hash_seed: str, pure: str) -> list[Any]:
    env = dict(os.environ, PYTHONHASHSEED=hash_seed, LOCKSTEP_PURE=pure)
    env["PYTHONPATH"] = str(Path(lockstep.__file__).resolve().parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(strategy)], capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_two_processes_with_other_hash_seeds_compiled_and_pure_give_one_run_hash(
    strategy: Path, stocks: list[Any]
) -> None:
    here = Backtest(load_strategy(strategy), stocks).run()
    runs = [in_process(strategy, "1", ""), in_process(strategy, "4242", ""), in_process(strategy, "7", "1")]
    assert [run[:4] for run in runs] == [[here.run_hash, here.decision_hash, here.fills, here.final_equity]] * 3
    assert runs[2][4] is False
    assert here.fills > 100
    assert isinstance(is_compiled(), bool)


def test_running_again_gives_the_same_hash(strategy: Path, stocks: list[Any]) -> None:
    backtest = Backtest(load_strategy(strategy), stocks)
    assert backtest.run().run_hash == backtest.run().run_hash


def test_one_changed_parameter_price_or_fee_gives_another_hash(
    strategy: Path, stocks: list[Any], tmp_path: Path
) -> None:
    lines = ["date,open,high,low,close,volume"]
    scale = [10**entry.instrument.price_decimals for entry in stocks]
    bars = [row for row in next(iter(stocks[1].chunks())) if row["kind"] == 5][:400]

    def written(name: str, change: int) -> list[Any]:
        rows = []
        for k, bar in enumerate(bars):
            prices = [int(bar[p]) for p in ("p0", "p1", "p2", "p3")]
            if k == 200:
                prices[3] += change if prices[3] + change <= prices[1] else -change
            rows.append(",".join([str(k), *(f"{p / scale[1]:.4f}" for p in prices), str(bar["volume"])]))
        path = tmp_path / name / "ibm.csv"
        path.parent.mkdir()
        days = [f"{2000 + k // 336}-{k // 28 % 12 + 1:02d}-{k % 28 + 1:02d}" for k in range(len(rows))]
        path.write_text(
            "\n".join([*lines, *(day + row[row.index(",") :] for day, row in zip(days, rows, strict=True))]) + "\n"
        )
        return read_market_data(path, asset_class="equity", session="24/7")

    file = load_strategy(strategy)
    plain, changed = written("plain", 0), written("changed", 1)
    base = Backtest(file, plain).run()
    runs = {
        "base": base.run_hash,
        "parameter": Backtest(file, plain, params={"part": 0.11}).run().run_hash,
        "price": Backtest(file, changed).run().run_hash,
        "fee": Backtest(file, plain, BacktestConfig(fees=FeeSchedule(taker=Decimal("0.00101")))).run().run_hash,
        "seed": Backtest(file, plain, BacktestConfig(seed=1)).run().run_hash,
        "cash": Backtest(file, plain, BacktestConfig(cash=Decimal(100_001))).run().run_hash,
    }
    assert len(set(runs.values())) == len(runs)
    assert Backtest(file, plain).run().run_hash == base.run_hash


def test_equal_amounts_written_otherwise_are_the_same_run() -> None:
    def config(one: str, part: str) -> BacktestConfig:
        return BacktestConfig(slippage=Slippage(bps=Decimal(one)), fills=BarFills(participation=Decimal(part)))

    assert config("50", "0.1").facts() == config("50.0", "0.10").facts()
    assert config("50", "0.1").facts() != config("50", "0.11").facts()


def test_changed_comment_changes_the_run_but_not_the_decisions(
    strategy: Path, stocks: list[Any], tmp_path: Path
) -> None:
    other = tmp_path / "mixed.py"
    other.write_text(SOURCE.replace("# a set of texts", "# some texts"))
    first = Backtest(load_strategy(strategy), stocks).run()
    second = Backtest(load_strategy(other), stocks).run()
    assert first.decision_hash == second.decision_hash
    assert first.run_hash != second.run_hash


def test_path_and_name_of_the_file_are_no_part_of_the_run(strategy: Path, stocks: list[Any], tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "another_name.py"
    other.parent.mkdir()
    other.write_text(SOURCE)
    assert (
        Backtest(load_strategy(other), stocks).run().run_hash
        == Backtest(load_strategy(strategy), stocks).run().run_hash
    )


def test_order_in_which_data_is_given_does_not_matter(strategy: Path, stocks: list[Any]) -> None:
    file = load_strategy(strategy)
    assert Backtest(file, stocks).run().run_hash == Backtest(file, stocks[::-1]).run().run_hash


@pytest.mark.slow
def test_instrument_beside_changes_no_fill_of_another(strategy: Path) -> None:
    """AAPL alone and among five: the same fills where capital does not bind. Without jitter: the draws are shared."""
    config = BacktestConfig(cash=Decimal(10**9), latency=lockstep_latency())
    source = SOURCE.replace("self.size(self.part)", "100")
    path = strategy.parent / "fixed.py"
    path.write_text(source)
    file = load_strategy(path)

    def fills(symbols: list[str] | None) -> list[tuple[int, ...]]:
        outcome = Backtest(file, read_market_data("us_stocks", symbols=symbols), config).run()
        index = [i.symbol for i in outcome.backtest.instruments].index("IBM")
        spool = outcome.fill_rows
        columns = [spool.column(k).tolist() for k in (1, 4, 5, 6)]
        return [
            (ts, head & 0x7FFFFFF, qty, price)
            for ts, head, qty, price in zip(*columns, strict=True)
            if head >> 27 & 0xFFFF == index
        ]

    alone = fills(["IBM"])
    assert len(alone) > 50
    assert fills(None) == alone
    assert fills(["AAPL", "IBM"]) == alone


def lockstep_latency() -> Any:
    from lockstep.sim.models import Latency

    return Latency(entry_ns=5_000_000, fill_ns=1_000_000)

"""The same run under other assumptions: every row is a run of its own that anybody can repeat."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from lockstep.run.backtest import Backtest, Outcome
from lockstep.run.config import BacktestConfig
from lockstep.run.results import finish_run
from lockstep.run.sensitivity import headline, sensitivity
from lockstep.run.strategy_file import load_strategy
from lockstep.run.tables import equity_columns
from lockstep.sim.models import BarFills, Latency, Slippage
from lockstep.store.runs import RunFolder

replace = msgspec.structs.replace


def rerun(outcome: Outcome, **changes: Any) -> dict[str, Any]:
    backtest = outcome.backtest
    config = replace(backtest.config, **changes)
    return headline(Backtest(backtest.plans, backtest.data, config).run())


def test_costs_once_are_the_run_itself_and_each_multiple_a_run_with_dearer_fills(
    folder: RunFolder, outcome: Outcome
) -> None:
    rows = folder.manifest["sensitivity"]["costs"]
    assert [row.pop("multiple") for row in (dict(row) for row in rows)] == [0, 1, 2, 3]
    own = headline(outcome)
    assert {name: rows[1][name] for name in own} == own
    schedule = [(m, replace(outcome.backtest.config, slippage=Slippage(bps=Decimal(m)))) for m in (2, 3)]
    for multiple, config in schedule:  # default slippage is 1 bps
        found = rerun(outcome, slippage=config.slippage, fees=outcome.backtest.instruments[0].fees.scaled(multiple))
        assert {name: rows[multiple][name] for name in own} == found


def test_costs_zero_are_a_run_without_fees_and_slippage(folder: RunFolder, outcome: Outcome) -> None:
    row = folder.manifest["sensitivity"]["costs"][0]
    backtest = outcome.backtest
    config = replace(backtest.config, cost_multiple=0)
    free = Backtest(backtest.plans, backtest.data, config).run()
    assert free.fills > 100
    assert not np.any(free.fill_rows.float_column(8))
    assert not np.any(free.fill_rows.float_column(9))
    assert row["final_equity"] == free.final_equity
    assert row["final_equity"] == rerun(
        outcome, slippage=Slippage(), fees=backtest.instruments[0].fees.scaled(0)
    )["final_equity"]  # fmt: skip


@pytest.mark.slow
def test_latency_rows_are_runs_with_only_that_delay(folder: RunFolder, outcome: Outcome) -> None:
    rows = {row["label"]: row for row in folder.manifest["sensitivity"]["latency"]}
    delays = {
        "0": Latency(),
        "200 ms": Latency(entry_ns=200_000_000),
        "1 s": Latency(entry_ns=1_000_000_000),
        "one bar": Latency(entry_bars=1),
    }
    assert list(rows) == list(delays)
    for label, latency in delays.items():
        found = rerun(outcome, latency=latency)
        assert {name: rows[label][name] for name in found} == found
    assert rows["one bar"]["final_equity"] != rows["0"]["final_equity"]
    assert rows["one bar"]["latency_ns"] == 86_400 * 10**9


def test_bar_path_row_is_a_run_on_the_other_path(folder: RunFolder, outcome: Outcome) -> None:
    found = folder.manifest["sensitivity"]["bar_path"]
    other = rerun(outcome, fills=BarFills(path="optimistic"))["final_equity"]
    assert (found["chosen"], found["other"]) == ("pessimistic", "optimistic")
    assert found["final_equity_other"] == other
    cash = 100_000.0
    widest = max(abs(other - cash), abs(outcome.final_equity - cash))
    assert found["share_of_pnl"] == pytest.approx(abs(other - outcome.final_equity) / widest, abs=1e-12)


@pytest.mark.slow
def test_sensitivity_of_an_optimistic_run_swaps_back_and_leaves_the_run_alone(outcome: Outcome) -> None:
    backtest = outcome.backtest
    config = BacktestConfig(fills=BarFills(path="optimistic"))
    run = Backtest(backtest.strategy, backtest.data[1:2], config).run()
    before = equity_columns(run)["equity"].copy()
    steps: list[tuple[str, int, int]] = []
    found = sensitivity(run, lambda *step: steps.append(step))
    plain = Backtest(backtest.strategy, backtest.data[1:2]).run()
    assert found["bar_path"]["final_equity_other"] == plain.final_equity
    assert np.array_equal(equity_columns(run)["equity"], before)
    assert [done for _, done, _ in steps] == list(range(9))
    assert {total for _, _, total in steps} == {9}


def test_strategy_that_fails_in_a_rerun_only_costs_that_row_not_the_run(stocks: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "brittle.py"
    path.write_text(
        "from lockstep import Strategy\n\n\nclass Brittle(Strategy):\n    k = 0\n\n    def on_bar(self, bar):\n"
        "        self.k += 1\n        if self.k == 3:\n            self.buy(10)\n\n    def on_fill(self, fill):\n"
        "        if self.k > 3:\n            raise ValueError('a bar late')\n"
    )
    outcome = Backtest(load_strategy(path), stocks[1:2]).run()
    manifest = finish_run(outcome, tmp_path / "runs", command="x").manifest
    found = manifest["sensitivity"]
    assert [row["label"] for row in found["latency"]] == ["0", "200 ms", "1 s"]
    assert len(found["costs"]) == 4
    assert found["bar_path"]["other"] == "optimistic"
    (warning,) = (text for text in manifest["warnings"] if "rerun" in text)
    assert warning.startswith("the strategy failed in a rerun, latency one bar: brittle.py line 14")
    assert "a bar late" in warning

"""A run folder: its manifest agrees with its tables, money adds up, the same run gives the same bytes."""

import json
import math
import os
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lockstep
from lockstep.model.errors import InvariantError
from lockstep.run import results
from lockstep.run.backtest import Backtest, Outcome
from lockstep.run.config import BacktestConfig
from lockstep.run.results import finish_run, summary
from lockstep.run.strategy_file import load_strategy
from lockstep.store.run_tables import RUN_TABLES
from lockstep.store.runs import RunFolder, RunWriter

NOT_EVENTS = ("submit", "cancel_request")


def table(folder: RunFolder, name: str) -> Any:
    """A table's columns, of whichever type each is."""
    return folder.table(name)


def deterministic(folder: RunFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.path.iterdir() if path.name != "session.json"}


@pytest.mark.slow
def test_counts_equal_the_rows_of_the_tables(folder: RunFolder) -> None:
    counts = folder.manifest["counts"]
    records = Counter(table(folder, "orders")["record"])
    assert counts["fills"] == len(table(folder, "fills")["ts"]) == records["fill"] + records["partial"]
    assert counts["trades"] == int(np.sum(~np.asarray(table(folder, "trades")["open"])))
    assert counts["signals"] == len(table(folder, "signals")["ts"]) > 50
    assert counts["orders"] == records["submit"]
    assert counts["denied"] == records["deny"] > 10
    assert counts["rejected"] == records["reject"]
    assert counts["order_events"] == sum(n for record, n in records.items() if record not in NOT_EVENTS)
    data = folder.manifest["data"]
    assert counts["bars"] == sum(entry["rows"] for entry in data)
    actions = Counter(table(folder, "actions")["kind"])
    assert actions == {
        "split": sum(entry["splits"] for entry in data),
        "dividend": sum(entry["dividends"] for entry in data),
    }
    assert counts["events"] == counts["bars"] + sum(actions.values())


def test_final_equity_is_the_last_row_and_cash_plus_what_is_held(folder: RunFolder, outcome: Outcome) -> None:
    final = folder.manifest["final"]
    equity = table(folder, "equity")
    held = sum(entry["value"] for entry in final["open_positions"])
    assert float(final["equity"]) == outcome.final_equity == equity["equity"][-1]
    assert float(final["cash"]) == pytest.approx(float(equity["cash"][-1]), abs=1e-6)
    assert float(final["cash"]) + held == pytest.approx(float(final["equity"]), abs=1e-6)
    for entry in final["open_positions"]:
        assert entry["value"] == pytest.approx(entry["qty"] * entry["price"], abs=1e-6)
    np.testing.assert_allclose(np.asarray(equity["net_exposure"]) + equity["cash"], equity["equity"], atol=1e-6)
    assert np.all(np.diff(np.asarray(equity["ts"])) > 0)


def test_fees_and_slippage_are_the_sums_over_the_fills(folder: RunFolder) -> None:
    final, fills = folder.manifest["final"], table(folder, "fills")
    for name, column in (("fees", "fee"), ("slippage", "slippage")):
        assert 0.0 < float(final[name]) == pytest.approx(math.fsum(fills[column]), abs=1e-6)


def test_ledger_and_trades_both_explain_the_final_equity(folder: RunFolder) -> None:
    """Splits here are 2 for 1: nothing is paid in lieu of fractions."""
    final, trades = folder.manifest["final"], table(folder, "trades")
    gain = float(Decimal(final["equity"]) - Decimal(folder.manifest["config"]["cash"]))
    dividends = float(final["dividends"])
    booked = float(final["realised"]) + float(final["unrealised"]) + dividends - float(final["fees"])
    assert booked == pytest.approx(gain, abs=1e-6)
    assert math.fsum(trades["net_pnl"]) + dividends == pytest.approx(gain, abs=1e-6)
    assert dividends != 0.0
    np.testing.assert_allclose(np.asarray(trades["gross_pnl"]) - trades["fees"], trades["net_pnl"], atol=1e-9)


def test_fills_rebuild_the_cash_of_every_equity_row(folder: RunFolder, outcome: Outcome) -> None:
    """A second bookkeeper: fills and corporate actions in order of time, naively, in floats."""
    fills, actions, equity = (table(folder, name) for name in ("fills", "actions", "equity"))
    moves = [(int(ts), 1, fills["symbol"][k], k) for k, ts in enumerate(fills["ts"])]
    moves += [(int(ts), 0, actions["symbol"][k], k) for k, ts in enumerate(actions["ts"])]
    moves.sort()
    held = dict.fromkeys(("AAPL", "IBM", "MSFT"), 0.0)
    cash, at, rows = float(folder.manifest["config"]["cash"]), 0, []
    for ts in equity["ts"]:
        while at < len(moves) and moves[at][0] <= ts:
            _, is_fill, symbol, k = moves[at]
            at += 1
            if is_fill:
                signed = fills["side"][k] * fills["qty"][k]
                held[symbol] += signed
                cash -= signed * fills["price"][k] + fills["fee"][k]
            elif actions["kind"][k] == "split":
                held[symbol] *= actions["ratio_num"][k] / actions["ratio_den"][k]
            else:
                cash += held[symbol] * actions["amount"][k]
        rows.append(cash)
    np.testing.assert_allclose(np.array(rows), equity["cash"], atol=1e-5)
    open_now = {entry["symbol"]: entry["qty"] for entry in folder.manifest["final"]["open_positions"]}
    assert {symbol: qty for symbol, qty in held.items() if qty} == open_now


def test_summary_and_headline_agree_with_the_manifest(folder: RunFolder, outcome: Outcome) -> None:
    manifest, shown = folder.manifest, summary(outcome)
    assert shown["run_hash"] == manifest["run_hash"] == folder.path.name
    for name in ("total_return", "sharpe", "max_drawdown"):
        assert shown[name] == manifest["headline"][name]
    equity = np.concatenate(([float(manifest["config"]["cash"])], table(folder, "equity")["equity"]))
    assert manifest["headline"]["max_drawdown"] == pytest.approx(
        float(np.min(equity / np.maximum.accumulate(equity))) - 1.0, abs=1e-12
    )
    assert shown["trades"] == manifest["counts"]["trades"]


@pytest.mark.slow
def test_same_run_in_another_folder_gives_the_same_bytes_of_every_file(
    folder: RunFolder, stocks: list[Any], varied: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "elsewhere" / varied.name
    copy.parent.mkdir()
    copy.write_bytes(varied.read_bytes())
    again = Backtest(load_strategy(copy), list(reversed(stocks)), BacktestConfig()).run()
    second = finish_run(again, tmp_path / "runs", command=folder.manifest["command"])
    first, other = deterministic(folder), deterministic(second)
    assert sorted(first) == sorted(other) == sorted(["manifest.json", *(f"{name}.parquet" for name in RUN_TABLES)])
    assert [name for name in first if first[name] != other[name]] == []
    for text in (str(tmp_path), str(varied.parent)):
        assert not any(text.encode() in content for content in other.values())


PROGRAM = """
import sys
from pathlib import Path
from lockstep.run.backtest import Backtest
from lockstep.run.results import finish_run
from lockstep.run.strategy_file import load_strategy
from lockstep.store.catalog.readers import read_market_data

stocks = read_market_data("us_stocks", symbols=["AAPL", "IBM", "MSFT"])
outcome = Backtest(load_strategy(sys.argv[1]), stocks).run()
print(finish_run(outcome, Path(sys.argv[2]), command="x", with_sensitivity=False).path)
"""


def test_compiled_and_pure_processes_write_the_same_bytes(varied: Path, tmp_path: Path) -> None:
    found = []
    for pure in ("", "1"):
        env = dict(os.environ, PYTHONHASHSEED="1" + pure, LOCKSTEP_PURE=pure)
        env["PYTHONPATH"] = str(Path(lockstep.__file__).resolve().parent.parent)
        given = [sys.executable, "-c", PROGRAM, str(varied), str(tmp_path / f"runs{pure}")]
        done = subprocess.run(given, capture_output=True, text=True, env=env, check=False)
        assert done.returncode == 0, done.stderr
        found.append(deterministic(RunFolder(Path(done.stdout.strip()))))
    assert [name for name in found[0] if found[0][name] != found[1][name]] == []


def test_run_without_a_trade_is_written_whole(stocks: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "idle.py"
    path.write_text("from lockstep import Strategy\n\n\nclass Idle(Strategy):\n    def on_bar(self, bar): ...\n")
    found = finish_run(Backtest(load_strategy(path), stocks[1:2]).run(), tmp_path / "runs", command="x")
    assert found.manifest["headline"] == {"total_return": 0.0, "sharpe": None, "max_drawdown": 0.0}
    assert found.manifest["final"]["open_positions"] == []
    assert {len(found.table(name)["ts"]) for name in ("fills", "orders", "signals")} == {0}
    assert len(found.table("trades")["entry_ts"]) == 0
    assert found.manifest["sensitivity"]["bar_path"]["share_of_pnl"] is None


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, InvariantError])
@pytest.mark.parametrize("where", ["_benchmark", "_session", "commit"])
def test_interruption_while_writing_leaves_nothing(
    outcome: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, error: type[BaseException]
) -> None:
    def stop(*given: Any) -> Any:
        raise error("stopped here")

    monkeypatch.setattr(RunWriter if where == "commit" else results, where, stop)
    with pytest.raises(error, match="stopped here"):
        finish_run(outcome, tmp_path / "runs", command="x", with_sensitivity=False)
    assert list((tmp_path / "runs").iterdir()) == []


def test_rewriting_a_run_keeps_what_was_rendered_beside_it(outcome: Outcome, tmp_path: Path) -> None:
    first = finish_run(outcome, tmp_path, command="x", with_sensitivity=False)
    (first.path / "report.html").write_text("a page")
    before = deterministic(first)
    second = finish_run(outcome, tmp_path, command="x", with_sensitivity=False)
    assert second.path == first.path
    assert deterministic(second) == before
    assert json.loads((second.path / "session.json").read_text())["seconds"] == outcome.seconds

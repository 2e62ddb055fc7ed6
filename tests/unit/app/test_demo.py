"""`lockstep demo`: the same on every machine. Its result is kept in tests/baseline/demo.json.

A change that is meant to change results (a fee rule, the fill model) changes this file too, knowingly:

    LOCKSTEP_UPDATE_BASELINE=1 python -m pytest tests/unit/app/test_demo.py -k baseline

and the commit that does so says why.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

BASELINE = Path(__file__).resolve().parents[2] / "baseline" / "demo.json"
SCHEMA_VERSION = 1
EXACT = ("run_hash", "decision_hash", "events", "orders", "denied", "fills", "trades", "final_equity", "fees")
CLOSE = ("total_return", "buy_and_hold_return", "sharpe", "max_drawdown", "slippage")
"""Sums over many days, whose last bit a numerical library may choose."""
RELATIVE = 1e-12
Call = Callable[..., Result]
pytestmark = pytest.mark.slow


def test_demo_gives_the_result_kept_as_baseline(call_json: Callable[..., dict[str, Any]]) -> None:
    run = call_json("demo")
    found = {"schema_version": SCHEMA_VERSION} | {name: run[name] for name in (*EXACT, *CLOSE)}
    if os.environ.get("LOCKSTEP_UPDATE_BASELINE"):
        BASELINE.parent.mkdir(exist_ok=True)
        BASELINE.write_text(json.dumps(found, indent=1) + "\n")
    kept = json.loads(BASELINE.read_text())
    how = "the demo's result changed; if that is meant, see the top of this file"
    assert set(found) == set(kept), how
    assert {name: found[name] for name in EXACT} == {name: kept[name] for name in EXACT}, how
    assert {name: found[name] for name in CLOSE} == pytest.approx({name: kept[name] for name in CLOSE}, rel=RELATIVE)


def test_demo_writes_a_self_contained_report_into_its_run(
    call_json: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    run = call_json("demo")
    assert run["report"] == f"runs/{run['run_hash']}/report.html"
    page = (tmp_path / run["report"]).read_text(encoding="utf-8")
    assert "EmaCross" in page
    assert run["symbols"] == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    assert run["warnings"] == []
    assert run["seconds"] > 0
    manifest = json.loads((tmp_path / run["folder"] / "manifest.json").read_text())
    assert manifest["command"] == "lockstep demo"
    assert manifest["sensitivity"]["costs"][1]["final_equity"] == run["final_equity"]


def test_demo_shows_figures_report_and_next_steps(call: Call, tmp_path: Path) -> None:
    said = call("demo", "--out", "page.html", code=0).stdout
    for part in ("EmaCross on AAPL, FB, GOOG, IBM, MSFT", "Sharpe ratio", "buy and hold", "page.html", "lockstep new"):
        assert part in said
    assert (tmp_path / "page.html").stat().st_size > 100_000


def test_demo_run_again_leaves_one_run_and_its_report(call: Call, tmp_path: Path) -> None:
    call("demo", code=0)
    call("demo", code=0)
    (folder,) = (tmp_path / "runs").iterdir()
    assert (folder / "report.html").is_file()


def test_demo_ignores_a_data_set_of_the_same_name_at_home(
    call_json: Callable[..., dict[str, Any]], tmp_path: Path, apple: list[list[str]], prices: Callable[..., str]
) -> None:
    (tmp_path / "home" / "data").mkdir(parents=True)
    prices(apple, name="home/data/us_stocks.csv")
    assert call_json("data", "show", "us_stocks")["instruments"][0]["rows"] == len(apple)
    assert call_json("demo")["run_hash"] == json.loads(BASELINE.read_text())["run_hash"]

"""`--risk FILE`, its faults, and `lockstep risk report`."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lockstep.risk.limits import STANDARD, RiskLimits
from lockstep.run.settings.limits_file import read_limits

TOML = """
preset = "standard"
max_position_size = "25%"
max_price_age = "2d"
orders_per_second = 20
max_daily_loss = 0.02
halt_on = ["daily_loss"]
[symbols.aapl]
max_order_qty = 50
[strategies.MyStrategy]
max_open_orders = 3
"""
DATA = ("--data", "us_stocks", "--symbol", "AAPL", "--no-sensitivity")


def test_same_limits_in_three_formats(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(TOML)
    tree = {
        "preset": "standard", "max_position_size": 0.25, "max_price_age": "2d", "orders_per_second": 20,
        "max_daily_loss": "2%", "halt_on": ["daily_loss"], "symbols": {"AAPL": {"max_order_qty": 50}},
        "strategies": {"MyStrategy": {"max_open_orders": 3}},
    }  # fmt: skip
    (tmp_path / "b.json").write_text(json.dumps({"risk": tree}))
    (tmp_path / "c.yaml").write_text("risk:\n" + TOML.split("[symbols", maxsplit=1)[0].replace(" = ", ": ").replace("\n", "\n  ")
        + "\n  symbols:\n    AAPL:\n      max_order_qty: 50\n  strategies:\n    MyStrategy:\n      max_open_orders: 3\n")  # fmt: skip
    limits = read_limits(tmp_path / "a.toml")
    assert limits == read_limits(tmp_path / "b.json") == read_limits(tmp_path / "c.yaml")
    assert (limits.price_band, limits.self_trade) == (STANDARD.price_band, True)
    assert (limits.position_fraction_max, limits.price_age_max_ns) == (Decimal("0.25"), 2 * 86_400 * 10**9)
    assert limits.of_symbol("AAPL").order_qty_max == 50
    assert limits.of_symbol("MSFT").order_qty_max is None
    assert limits.of_strategy("MyStrategy:AAPL").open_orders_max == 3
    assert limits.orders_per_second == 20


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("max_positon = 5", ("line 1", "risk.max_positon", "did you mean 'max_position'?")),
        ("\nmax_order_qty = -1", ("line 2", "was -1", "number from 0")),
        ("price_band = 5", ("was 5", "fraction from 0 to 1", '"5%"')),
        ("max_price_age = 60", ("was 60", '"60s"')),
        ("orders_per_second = 1.5", ("1.5", "whole number")),
        ('preset = "standart"', ("standart", "did you mean 'standard'?")),
        ("[symbols.AAPL]\nmax_order_qt = 5", ("no key AAPL.max_order_qt", "did you mean 'max_order_qty'?")),
        ("[strategies.x]\nprice_band = 0.1", ("no key x.price_band",)),
        ("[symbols.AAPL]\nmax_position = -5", ("AAPL.max_position was -5",)),
        ('halt_on = ["loss"]', ("'loss'", "daily_loss")),
        ("[symbols]\nAAPL = 5", ("no table for AAPL",)),
        ('max_price_age = "999999999d"', ("'999999999d'", "at most 36500d")),
        ("[symbols.AAPL]\nmax_position = 1\n[symbols.aapl]\nmax_position = 5", ("two tables for AAPL",)),
    ],
)
def test_fault_of_a_limits_file_is_named(
    call: Callable[..., Any], tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    (tmp_path / "limits.toml").write_text(text + "\n")
    call("new", "my_strategy", code=0)
    result = call("backtest", "my_strategy.py", *DATA, "--risk", "limits.toml", code=2)
    for word in words:
        assert word in " ".join(result.stderr.split())


def test_limit_of_an_unknown_strategy_is_refused(call: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "limits.toml").write_text("[strategies.MyStrateg]\nmax_position = 5\n")
    call("new", "my_strategy", code=0)
    result = call("backtest", "my_strategy.py", *DATA, "--risk", "limits.toml", code=2)
    assert "strategy 'MyStrateg'" in result.stderr


def test_report_says_what_was_refused_and_how_near_the_rest_came(
    call: Callable[..., Any], call_json: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "limits.toml").write_text("max_order_notional = 20000\nmax_drawdown = 0.05\n")
    call("new", "my_strategy", code=0)
    run = call_json("backtest", "my_strategy.py", *DATA, "--risk", "limits.toml")
    found = call_json("risk", "report", run["run_hash"][:12])
    assert found["refused"] == run["denied"]
    assert found["checked"] == run["denied"] + run["orders"]
    by_rule = {entry["rule"]: entry for entry in found["rules"]}
    assert sum(entry["refusals"] for entry in found["rules"]) == run["denied"] > 0
    assert by_rule["order_notional"]["refusals"] > 0
    assert all(entry["nearest"]["part"] <= 1.0 for entry in found["rules"] if entry["nearest"])
    took = found["verdict_ns"]
    assert took["count"] == found["checked"]
    assert 0 < took["p50"] <= took["p99"] <= took["p999"] <= took["max"]
    text = call("risk", "report", code=0).stdout
    assert "order_notional" in text
    assert "a verdict took, in microseconds: p50" in text


def test_default_limits_are_buying_power_alone(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("buying_power = true\n")
    assert read_limits(tmp_path / "a.toml") == RiskLimits()

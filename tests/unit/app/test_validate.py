"""`lockstep validate`: what a strategy declares, and whether it would start."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Call = Callable[..., Result]
CallJson = Callable[..., dict[str, Any]]

RICH = '''from decimal import Decimal

from lockstep import EMA, CrossOver, Strategy, param


class Rich(Strategy):
    """Everything a strategy can declare.

    A second paragraph.
    """

    fast: int = param(10, ge=2, le=50, doc="bars of the fast average")
    rule: str = param("cross", choices=("cross", "level"))
    risk: Decimal = Decimal("0.5")
    floor: float = param(1.0, ge=0)
    short: bool = False

    def on_start(self):
        self.cross = self.indicator(CrossOver(EMA(self.fast), EMA(40)))
        self.history = self.window(500)

    def on_bar(self, bar):
        pass

    def on_fill(self, fill):
        pass
'''

PAIR = """from lockstep import Strategy


class Pair(Strategy):
    trades = "all"

    def on_start(self):
        self.left, self.right = self.instruments

    def on_bar(self, bar):
        pass
"""


def test_validate_tells_parameters_handlers_and_warm_up(call_json: CallJson, strategy: Callable[..., str]) -> None:
    told = call_json("validate", strategy(RICH), "--param", "fast=20", "--param", "rule=level")
    assert told["valid"] is True
    assert told["handlers"] == ["on_start", "on_bar", "on_fill"]
    by_name = {entry["name"]: entry for entry in told["parameters"]}
    assert by_name["fast"] == {
        "name": "fast", "type": "int", "default": 10, "value": 20, "minimum": 2, "maximum": 50, "choices": [],
        "doc": "bars of the fast average",
    }  # fmt: skip
    assert by_name["rule"]["choices"] == ["cross", "level"]
    assert by_name["risk"]["default"] == "0.5"
    assert by_name["short"]["value"] is False
    warmups = {entry["name"]: entry["bars"] for entry in told["indicators"]}
    assert warmups["EMA(40)"] == 40
    assert "window of 500 bars" in warmups
    assert told["warmup_bars"] == 41


def test_validate_shows_the_same_for_people(call: Call, strategy: Callable[..., str]) -> None:
    said = call("validate", strategy(RICH), code=0).stdout
    for part in ("Rich is fit to run", "Everything a strategy can declare.", "2 to 50", "cross, level", "0 or more"):
        assert part in said
    assert "lockstep backtest mine.py --data us_stocks" in said
    assert "A second paragraph" not in said


@pytest.mark.parametrize(
    ("pair", "says"),
    [("fast=1", "minimum 2"), ("rule=levle", "did you mean 'level'?"), ("fats=3", "did you mean 'fast'?")],
)
def test_validate_refuses_parameters_as_a_backtest_would(
    pair: str, says: str, call: Call, strategy: Callable[..., str]
) -> None:
    assert says in call("validate", strategy(RICH), "--param", pair, code=1).stderr


def test_validate_starts_a_strategy_of_several_instruments_on_those_named(
    call: Call, call_json: CallJson, strategy: Callable[..., str]
) -> None:
    mine = strategy(PAIR)
    assert call_json("validate", mine, "--symbol", "AAPL", "--symbol", "IBM")["trades"] == "all"
    assert "on_start: ValueError" in call("validate", mine, code=1).stderr


def test_validate_with_json_keeps_what_the_file_prints_off_stdout(
    call_json: CallJson, strategy: Callable[..., str]
) -> None:
    assert call_json("validate", strategy("print('loading')\n" + RICH))["class"] == "Rich"


def test_validate_with_json_gives_the_error_as_one_object(call_json: CallJson, strategy: Callable[..., str]) -> None:
    told = call_json("validate", strategy(RICH.replace("on_bar", "on_bras")), code=1)
    assert told["type"] == "StrategyError"
    assert told["hint"] == "did you mean 'on_bar'?"

"""`lockstep data`: which data sets there are, and what is in one."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from lockstep.app.cli.histories import length_text

Row = list[str]
Call = Callable[..., Result]
CallJson = Callable[..., dict[str, Any]]
NINE_FIELDS = {"symbol", "timestamp", "open", "high", "low", "close", "volume", "bid", "ask"}


def test_data_list_names_the_shipped_set_and_the_users_own(
    call: Call, call_json: CallJson, apple: list[Row], prices: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "home" / "data").mkdir(parents=True)
    prices(apple, name="home/data/mine.csv")
    prices(apple[:1] + apple[:1], name="home/data/broken.csv")
    told = {entry["name"]: entry for entry in call_json("data", "list")["datasets"]}
    assert told["us_stocks"]["symbols"] == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    assert (told["us_stocks"]["kind"], told["us_stocks"]["rows"]) == ("shipped", 12_154)
    assert (told["mine"]["kind"], told["mine"]["rows"]) == ("local", 60)
    assert told["broken"]["problem"]
    said = call("data", "list", code=0).stdout
    assert "cannot be read" in said
    assert f"warning: broken: {told['broken']['problem']}" in said
    assert str(tmp_path / "home" / "data") in said


def test_data_show_gives_the_nine_fields_of_a_bar(call_json: CallJson) -> None:
    (one,) = call_json("data", "show", "us_stocks", "--symbol", "AAPL", "--rows", "2")["instruments"]
    assert len(one["first"]) == len(one["last"]) == 2
    assert all(set(bar) == NINE_FIELDS for bar in (*one["first"], *one["last"]))
    # As published: Quandl WIKI, AAPL on 2000-03-01, before two splits.
    assert one["first"][0] == {
        "symbol": "AAPL", "timestamp": "2000-03-01T21:00:00Z", "open": 118.56, "high": 132.06, "low": 118.5,
        "close": 130.31, "volume": 9_616_100.0, "bid": None, "ask": None,
    }  # fmt: skip
    splits = [action for action in one["actions"] if action["kind"] == "split"]
    assert [(action["timestamp"][:10], action["ratio"]) for action in splits] == [
        ("2000-06-21", "2:1"), ("2005-02-28", "2:1"),
    ]  # fmt: skip


def test_data_show_takes_a_symbol_alone(call_json: CallJson) -> None:
    told = call_json("data", "show", "ibm")
    assert [one["symbol"] for one in told["instruments"]] == ["IBM"]
    assert sum(action["kind"] == "dividend" for action in told["instruments"][0]["actions"]) == 52


def test_data_show_of_several_gives_facts_and_says_how_to_see_bars(call: Call) -> None:
    said = call("data", "show", "us_stocks", code=0).stdout
    assert "Quandl WIKI" in said
    assert "lockstep data show us_stocks --symbol AAPL" in said
    assert "end of bar" not in said


def test_data_show_of_one_gives_its_bars_and_actions(call: Call) -> None:
    said = call("data", "show", "MSFT", "--rows", "1", code=0).stdout
    for part in (
        "2000-03-01T21:00:00Z",
        "... 3,268 more",
        "2013-03-01T21:00:00Z",
        "2003-02-18  split 2:1",
        "--json has them",
    ):
        assert part in said


def test_data_show_of_a_file_says_what_was_assumed(
    call: Call, call_json: CallJson, apple: list[Row], prices: Callable[..., str]
) -> None:
    name = prices(apple)
    said = call("data", "show", name, code=0).stdout
    assert "taken for an equity" in said
    assert "splits and dividends not modelled" in said
    (one,) = call_json("data", "show", name, "--asset-class", "crypto")["instruments"]
    assert one["instrument"]["asset_class"] == "crypto"


def test_data_show_of_few_bars_shows_each_once(call: Call, apple: list[Row], prices: Callable[..., str]) -> None:
    said = call("data", "show", prices(apple[:4]), "--rows", "3", code=0).stdout
    ends = re.findall(r"^(\S+T00:00:00Z) ", said, re.MULTILINE)
    assert len(ends) == len(set(ends)) == 4
    assert "more" not in said


def test_data_show_of_an_unknown_name_is_a_usage_error(call: Call) -> None:
    assert "did you mean 'us_stocks'?" in call("data", "show", "us_stock", code=2).stderr


@pytest.mark.parametrize(
    ("bar_ns", "text"), [(86_400 * 10**9, "1 d"), (300 * 10**9, "5 min"), (90 * 10**9, "90 s"), (1500, "1,500 ns")]
)
def test_length_of_a_bar_is_told_in_whole_units(bar_ns: int, text: str) -> None:
    assert length_text(bar_ns) == text

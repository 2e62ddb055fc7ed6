"""Whatever is wrong with what was given: one clear message, the right exit code, no traceback, nothing half-written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Row = list[str]
Call = Callable[..., Result]

GOOD = """from lockstep import EMA, Bar, Strategy


class Mine(Strategy):
    fast: int = 10

    def on_start(self) -> None:
        self.ema = self.indicator(EMA(self.fast))

    def on_bar(self, bar: Bar) -> None:
        if bar.close > self.ema.value and not self.position:
            self.buy(10)
"""


def refused(call: Call, tmp_path: Path, *words: str, code: int, says: tuple[str, ...]) -> None:
    before = sorted(path.name for path in tmp_path.rglob("*") if "__pycache__" not in path.parts)
    result = call("backtest", *words, code=code)
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines[0].startswith("error: ")
    assert all(line.startswith("hint: ") for line in lines[1:]), lines
    assert len(lines) <= 2
    for part in says:
        assert part in result.stderr, f"{part!r} not in {result.stderr}"
    after = sorted(path.name for path in tmp_path.rglob("*") if "__pycache__" not in path.parts)
    assert [name for name in after if name not in before and name != "runs"] == []
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


STRATEGIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "syntax error": (GOOD.replace("(self, bar: Bar)", "(self, bar: Bar"), ("mine.py line 1", "hint: fix the syntax")),
    "no strategy": ("x = 1\n", ("no strategy", "lockstep new")),
    "misspelt handler": (GOOD.replace("on_bar", "on_bars"), ("Mine.on_bars is no handler", "did you mean 'on_bar'?")),
    "missing handler": (
        "from lockstep import Strategy\n\n\nclass Mine(Strategy):\n    pass\n",
        ("no handler", "on_bar"),
    ),
    "import error": ("import nosuchmodule\n" + GOOD, ("mine.py line 1", "nosuchmodule")),
    "name error": (GOOD + "\n\nundefined\n", ("mine.py line 15", "undefined")),
    "bad default": (GOOD.replace("fast: int = 10", 'fast: int = "ten"'), ("fast", "'ten'")),
    "on_start fails": (
        GOOD.replace("EMA(self.fast)", "EMA(0)"),
        ("mine.py line 8", "period must be from 1 to 10000, was 0"),
    ),
    "on_bar fails": (
        GOOD.replace("self.buy(10)", "self.buy(1 / 0)"),
        ("mine.py line 12", "ZeroDivisionError", "at 20"),
    ),
    "not a quantity": (GOOD.replace("self.buy(10)", 'self.buy("ten")'), ("mine.py line 12", "ten")),
    "no such indicator": (GOOD.replace("self.ema.value", "self.emma.value"), ("mine.py line 11", "emma")),
    "not UTF-8": ("# caf\xe9\n" + GOOD, ("not UTF-8",)),
    "two strategies": (GOOD + GOOD.split("\n\n\n")[1].replace("Mine", "Other"), ("2 strategies", "--class")),
}


@pytest.mark.parametrize("case", STRATEGIES)
def test_backtest_of_a_bad_strategy_says_what_is_wrong_and_writes_nothing(
    case: str, call: Call, tmp_path: Path, apple: list[Row], prices: Callable[..., str]
) -> None:
    source, says = STRATEGIES[case]
    (tmp_path / "mine.py").write_bytes(source.encode("latin-1"))
    refused(call, tmp_path, "mine.py", "--data", prices(apple), code=1, says=says)


@pytest.mark.parametrize(
    "case", [case for case in STRATEGIES if not case.startswith(("on_bar", "not a q", "no such i"))]
)
def test_validate_of_a_bad_strategy_says_what_is_wrong(case: str, call: Call, tmp_path: Path) -> None:
    source, says = STRATEGIES[case]
    (tmp_path / "mine.py").write_bytes(source.encode("latin-1"))
    result = call("validate", "mine.py", code=1)
    assert result.stdout == ""
    for part in says:
        assert part in result.stderr


PARAMS: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "unknown name": ("fsat=3", 1, ("Mine has no parameter 'fsat'", "did you mean 'fast'?")),
    "wrong type": ("fast=1.5", 1, ("fast must be int", "'1.5'")),
    "words": ("fast=quick", 1, ("fast must be int", "'quick'")),
    "no equals sign": ("fast", 2, ("'fast'", "--param fast=12")),
    "no name": ("=3", 2, ("'=3'",)),
    "outside the indicator's range": ("fast=-3", 1, ("period must be from 1 to 10000, was -3",)),
}


@pytest.mark.parametrize("case", PARAMS)
def test_backtest_with_a_wrong_parameter_says_which_and_what_was_meant(
    case: str, call: Call, tmp_path: Path, apple: list[Row], prices: Callable[..., str], strategy: Callable[..., str]
) -> None:
    pair, code, says = PARAMS[case]
    refused(call, tmp_path, strategy(GOOD), "--data", prices(apple), "--param", pair, code=code, says=says)


def changed(rows: list[Row], row: int, column: int, value: str) -> list[Row]:
    return [[*one[:column], value, *one[column + 1 :]] if k == row else one for k, one in enumerate(rows)]


DATA: dict[str, tuple[Callable[[list[Row]], list[Row]], tuple[str, ...]]] = {
    "unsorted times": (lambda rows: [*rows[:10], rows[11], rows[10], *rows[12:]], ("line 13", "2000-03-")),
    "duplicate times": (lambda rows: [*rows[:10], *rows[9:]], ("line 12", "2000-03-14")),
    "NaN": (lambda rows: changed(rows, 5, 4, "nan"), ("line 7", "close")),
    "a word for a price": (lambda rows: changed(rows, 5, 1, "high"), ("line 7", "'high'")),
    "an empty price": (lambda rows: changed(rows, 5, 1, ""), ("line 7", "open")),
    "negative price": (lambda rows: changed(rows, 5, 3, "-" + rows[5][3]), ("line 7", "low")),
    "negative volume": (lambda rows: changed(rows, 5, 5, "-5"), ("line 7", "volume")),
    "high below low": (lambda rows: changed(changed(rows, 5, 2, rows[5][3]), 5, 3, rows[5][2]), ("line 7", "high")),
    "not a time": (lambda rows: changed(rows, 5, 0, "yesterday"), ("line 7", "yesterday")),
    "no rows": (lambda rows: rows[:0], ("no rows",)),
}


@pytest.mark.parametrize("case", DATA)
def test_backtest_on_bad_data_names_the_line_and_the_fact(
    case: str, call: Call, tmp_path: Path, apple: list[Row], prices: Callable[..., str], strategy: Callable[..., str]
) -> None:
    change, says = DATA[case]
    data = prices(change(apple))
    refused(call, tmp_path, strategy(GOOD), "--data", data, code=1, says=("prices.csv", *says))


def test_backtest_on_data_without_a_column_names_it(
    call: Call, tmp_path: Path, apple: list[Row], prices: Callable[..., str], strategy: Callable[..., str]
) -> None:
    data = prices([[*row[:4], row[5]] for row in apple], header=["date", "open", "high", "low", "volume"])
    refused(call, tmp_path, strategy(GOOD), "--data", data, code=1, says=("prices.csv", "close"))


WORDS: dict[str, tuple[tuple[str, ...], int, tuple[str, ...]]] = {
    "unknown data set": (("--data", "us_stoks"), 2, ("unknown data set 'us_stoks'", "did you mean 'us_stocks'?")),
    "no such file": (("--data", "nowhere/prices.csv"), 1, ("no such file", "us_stocks")),
    "unknown instrument": (("--data", "us_stocks", "--symbol", "APPL"), 1, ("APPL", "did you mean 'AAPL'")),
    "range after the data": (("--data", "us_stocks", "--start", "2020-01-01"), 1, ("no data", "2013-03-01")),
    "range before the data": (("--data", "us_stocks", "--end", "1999-12-31"), 1, ("no data", "2000-03-01")),
    "range reversed": (("--data", "us_stocks", "--start", "2005-01-01", "--end", "2004-01-01"), 2, ("range is empty",)),
    "not a date": (("--data", "us_stocks", "--start", "1/2/2005"), 2, ("--start", "'1/2/2005'", "2018-01-31")),
    "no such day": (("--data", "us_stocks", "--end", "2005-02-30"), 2, ("--end", "2005-02-30")),
    "cash in words": (("--data", "us_stocks", "--cash", "lots"), 2, ("--cash", "'lots'")),
    "no cash": (("--data", "us_stocks", "--cash", "0"), 2, ("cash was 0",)),
    "fee": (("--data", "us_stocks", "--fee", "cheap"), 2, ("--fee", "'cheap'", "0.1%")),
    "latency": (("--data", "us_stocks", "--latency", "remot"), 2, ("'remot'", "did you mean 'remote'?")),
    "bar path": (("--data", "us_stocks", "--bar-path", "optimist"), 2, ("did you mean 'optimistic'?",)),
    "limit fill": (("--data", "us_stocks", "--limit-fill", "thru"), 2, ("'thru'", "through")),
    "participation": (("--data", "us_stocks", "--participation", "2"), 2, ("participation was 2", "none")),
    "asset class": (("--data", "us_stocks", "--asset-class", "equty"), 2, ("did you mean 'equity'?",)),
    "calendar": (("--data", "us_stocks", "--calendar", "XNYSE"), 2, ("did you mean 'XNYS'?",)),
    "class": (("--data", "us_stocks", "--class", "Mien"), 1, ("'Mien'", "did you mean 'Mine'?")),
    "option": (("--data", "us_stocks", "--slipage-bps", "1"), 2, ("did you mean '--slippage-bps'?",)),
    "no data named": ((), 2, ("--data", "--help")),
    "order limit": (("--data", "us_stocks", "--max-order-qty", "-1"), 1, ("order_qty_max", "-1")),
    "report on a folder": (("--data", "us_stocks", "--report", "."), 2, ("is a folder",)),
}


@pytest.mark.parametrize("case", WORDS)
def test_backtest_with_a_wrong_word_says_what_to_type(
    case: str, call: Call, tmp_path: Path, strategy: Callable[..., str]
) -> None:
    words, code, says = WORDS[case]
    refused(call, tmp_path, strategy(GOOD), *words, code=code, says=says)


def test_backtest_of_a_missing_file_names_the_nearest(call: Call, tmp_path: Path, strategy: Callable[..., str]) -> None:
    strategy(GOOD, "momentum.py")
    refused(call, tmp_path, "momentun.py", "--data", "us_stocks", code=2, says=("did you mean 'momentum.py'?",))


def test_error_with_json_is_one_object_with_the_same_code(call_json: Callable[..., dict[str, Any]]) -> None:
    told = call_json("backtest", "nothing.py", "--data", "us_stocks", code=2)
    assert set(told) == {"error", "hint", "type"}
    assert told["type"] == "UsageError"
    assert "nothing.py" in told["error"]


@pytest.mark.parametrize("first", [True, False])
def test_traceback_is_shown_when_asked_for_before_or_after_the_command(
    first: bool, call: Call, apple: list[Row], prices: Callable[..., str], strategy: Callable[..., str]
) -> None:
    words = ["backtest", strategy(STRATEGIES["on_bar fails"][0]), "--data", prices(apple)]
    words = ["--traceback", *words] if first else [*words, "--traceback"]
    result = call(*words, code=1)
    assert "Traceback (most recent call last)" in result.stderr
    assert "self.buy(1 / 0)" in result.stderr
    assert "error: mine.py line 12" in result.stderr

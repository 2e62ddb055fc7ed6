"""Order books on the command line: what a new user types, and what is said where nothing came of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from book_files import START_MS, depth, recording, snapshot
from click.testing import Result

Call = Callable[..., Result]
CallJson = Callable[..., dict[str, Any]]

WAITING = """
from lockstep import Strategy
from lockstep.features.micro import Imbalance, RealisedVolatility


class Waiting(Strategy):
    def on_start(self):
        self.features = [self.indicator(Imbalance(5)), self.indicator(RealisedVolatility(1000, 60))]

    def on_book(self, update):
        self.buy(1)
"""
SILENT = WAITING.replace("self.buy(1)", "pass").replace(", self.indicator(RealisedVolatility(1000, 60))", "")


def trade(at: int, *, late_ms: int = 5) -> str:
    """A line of a public trade at 10.5."""
    sent = START_MS + at
    data = {"e": "trade", "E": sent, "T": sent, "s": "BTCUSDT", "t": at, "p": "10.5", "q": "1", "m": True}
    return f"{(sent + late_ms) * 1_000_000} " + json.dumps({"stream": "btcusdt@trade", "data": data})


FULL = snapshot(5, [("10.0", "1")], [("11.0", "1")])
LATER = [depth(6, 6, [("10.0", "2")], [], at=9), trade(20), depth(7, 7, [("10.0", "3")], [], at=30)]


@pytest.fixture
def waiting(tmp_path: Path) -> str:
    (tmp_path / "waiting.py").write_text(WAITING)
    return "waiting.py"


def words(file: Path, *more: str) -> tuple[str, ...]:
    return ("backtest", "waiting.py", "--data", file.name, "--no-sensitivity", "--no-save", *more)


def test_features_that_were_never_all_known_are_named(call_json: CallJson, tmp_path: Path, waiting: str) -> None:
    notice = call_json(*words(recording(tmp_path, FULL, *LATER)))["notice"]
    assert "RealisedVolatility(1000, 60)" in notice
    assert "Imbalance" not in notice


def test_run_on_a_book_that_never_was_whole_says_so(call_json: CallJson, tmp_path: Path, waiting: str) -> None:
    run = call_json(*words(recording(tmp_path, *LATER)))
    assert "its book was EMPTY (NO_SNAPSHOT)" in run["notice"]


def test_hint_for_the_rows_of_one_kind_names_a_kind_and_works(call: Call, tmp_path: Path) -> None:
    file = recording(tmp_path, FULL, *LATER)
    hint = call("data", "show", file.name, code=0).stdout.splitlines()[-1]
    assert hint.startswith("Its rows: lockstep ")
    shown = call(*hint.removeprefix("Its rows: lockstep ").split(), code=0).stdout
    assert "time (UTC)" in shown
    assert "Its rows" not in shown


@pytest.mark.parametrize(("kind", "there"), [("bars", "books and trades"), ("quotes", "books and trades")])
def test_kind_that_a_recording_lacks_is_answered_with_those_it_has(
    call: Call, tmp_path: Path, kind: str, there: str
) -> None:
    said = call("data", "show", recording(tmp_path, FULL, *LATER).name, "--kind", kind, code=1)
    assert f"no {kind} there" in said.output
    assert f"it holds {there}" in said.output


def test_handler_of_books_on_data_without_one_is_told_how_to_give_it(call: Call, tmp_path: Path, waiting: str) -> None:
    said = call(*words(recording(tmp_path, FULL, *LATER), "--kind", "trades"), code=1)
    assert "--kind depth" in said.output


@pytest.mark.parametrize("option", ["--recovery", "--silence"])
def test_time_of_zero_is_not_taken_for_none(call: Call, tmp_path: Path, waiting: str, option: str) -> None:
    said = call(*words(recording(tmp_path, FULL, *LATER), option, "0ms"), code=2)
    assert f"{option[2:]} was 0ms" in said.output
    assert "none" in said.output


@pytest.mark.parametrize("text", ["recordet", "nonsense"])
def test_latency_not_understood_is_told_all_that_there_are(call: Call, tmp_path: Path, waiting: str, text: str) -> None:
    said = call(*words(recording(tmp_path, FULL, *LATER), "--latency", text), code=2)
    assert "recorded" in said.output.replace(text, "")


def test_a_break_shows_the_best_of_the_book(call: Call, tmp_path: Path) -> None:
    (tmp_path / "silent.py").write_text(SILENT)
    file = recording(tmp_path, FULL, *LATER)
    shown = call("play", "silent.py", "--data", file.name, "--speed", "max", "--break-when", "events >= 4").stdout
    assert "bid 10" in shown, shown


def test_gap_that_a_snapshot_ended_is_warned_of_all_the_same(call_json: CallJson, tmp_path: Path, waiting: str) -> None:
    gone = [depth(9, 9, [("10.0", "4")], [], at=40), snapshot(9, [("10.0", "1")], [("11.0", "1")], at=50), trade(60)]
    run = call_json(*words(recording(tmp_path, FULL, *LATER, *gone)))
    assert "BTCUSDT: faults of its book: 1 x GAP; the notes of the data say where" in run["warnings"], run["warnings"]


@pytest.mark.parametrize("levels", [[("NaN", "1")], "hello"])
def test_number_that_is_none_is_not_explained_as_another_instrument(call: Call, tmp_path: Path, levels: Any) -> None:
    said = call("data", "show", recording(tmp_path, FULL, depth(6, 6, levels, [], at=9)).name, code=1)
    assert "line 2" in said.output
    assert "one instrument" not in said.output


@pytest.mark.parametrize("words_", [("--queue", "log"), ("--recovery", "1s"), ("--silence", "1s"), ("--book-start", "empty")])  # fmt: skip
def test_option_of_books_on_data_without_one_is_not_passed_over(call: Call, words_: tuple[str, str]) -> None:
    call("new", "mine", code=0)
    said = call("backtest", "mine.py", "--data", "us_stocks", "--symbol", "IBM", "--no-save", *words_, code=2)
    assert "are about order books, and the data are bars" in said.output
    assert "--kind depth" in said.output


def test_fills_without_a_fee_say_that_none_was_charged(call: Call, tmp_path: Path) -> None:
    (tmp_path / "waiting.py").write_text(SILENT.replace("pass", "self.buy(1)"))
    shown = words(recording(tmp_path, FULL, *LATER), "--latency", "none")
    assert "none was charged: the fees of the run are 0" in " ".join(call(*shown, "--fee", "0").stdout.split())
    assert "none was charged" not in " ".join(call(*shown).stdout.split())

"""`lockstep new`: what it writes runs as it is, and nothing is ever overwritten by accident."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from lockstep.app.cli.new import ON_BOOKS, TEMPLATES

ROOT = Path(__file__).resolve().parents[3]
Call = Callable[..., Result]
CODE_LINES = 12
EXAMPLE_LINES_MAX = 20


def code_lines(source: str) -> list[str]:
    return [line for line in source.splitlines() if line.strip() and not line.strip().startswith("#")]


@pytest.mark.parametrize("template", TEMPLATES)
def test_new_writes_twelve_lines_that_trade(
    template: str, call: Call, call_json: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    said = call("new", "my-first idea", "--template", template, code=0).stdout
    written = tmp_path / "my_first_idea.py"
    assert len(code_lines(written.read_text())) == CODE_LINES
    assert "class MyFirstIdea(Strategy)" in written.read_text()
    assert "lockstep backtest my_first_idea.py --data us_stocks" in said
    call("validate", "my_first_idea.py", code=0)
    run = call_json("backtest", "my_first_idea.py", "--data", "us_stocks", "--no-sensitivity")
    assert run["trades"] > 0
    assert run["notice"] is None


@pytest.mark.parametrize("template", ON_BOOKS)
def test_new_writes_a_strategy_on_books_that_is_fit_to_run(template: str, call: Call, tmp_path: Path) -> None:
    said = call("new", "quotes", "--template", template, "--config", code=0).stdout
    assert "class Quotes(Strategy)" in (tmp_path / "quotes.py").read_text()
    assert 'kind = "depth"' in (tmp_path / "quotes.toml").read_text()
    assert "lockstep run --config quotes.toml" in said
    assert "--kind depth" in call("validate", "quotes.py", code=0).stdout


def test_new_refuses_to_overwrite_unless_forced(call: Call, tmp_path: Path) -> None:
    call("new", "mine", code=0)
    (tmp_path / "mine.py").write_text("precious\n")
    result = call("new", "mine.py", code=2)
    assert result.stderr == "error: mine.py exists\nhint: choose another name, or overwrite it with --force\n"
    assert (tmp_path / "mine.py").read_text() == "precious\n"
    call("new", "mine", "--force", code=0)
    assert "class Mine(Strategy)" in (tmp_path / "mine.py").read_text()


@pytest.mark.parametrize("name", ["1st", "a.b", "strategy", "---", "na\u00efve!", ".py", ".."])
def test_new_refuses_a_name_no_class_can_have(name: str, call: Call, tmp_path: Path) -> None:
    call("new", "--", name, code=2)
    assert not list(tmp_path.glob("*.py"))


def test_new_says_which_template_was_meant(call: Call) -> None:
    assert "did you mean 'ema-cross'?" in call("new", "mine", "--template", "ema", code=2).stderr


def test_new_with_json_names_file_class_and_next_steps(
    call_json: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    told = call_json("new", "folder/dips.py", "--template", "rsi-reversion")
    assert (told["file"], told["class"]) == ("folder/dips.py", "Dips")
    assert (tmp_path / "folder" / "dips.py").is_file()
    assert told["next"][0] == "lockstep validate folder/dips.py"


@pytest.mark.parametrize("name", ["ema_cross.py", "sma_momentum.py", "rsi_reversion.py"])
def test_shipped_example_is_the_one_in_the_repository_and_at_most_twenty_lines(name: str) -> None:
    shipped = (ROOT / "src" / "lockstep" / "app" / "examples" / name).read_bytes()
    assert shipped == (ROOT / "examples" / name).read_bytes()
    assert len(shipped.splitlines()) <= EXAMPLE_LINES_MAX
    ast.parse(shipped)


def test_examples_of_the_repository_are_those_shipped_to_the_byte() -> None:
    shipped = ROOT / "src" / "lockstep" / "app" / "examples"
    there = {path.name: path.read_bytes() for path in (ROOT / "examples").glob("*.py")}
    assert there == {path.name: path.read_bytes() for path in shipped.glob("*.py") if path.name != "__init__.py"}

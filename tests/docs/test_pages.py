"""What the documents repeat of the program is what the program says."""

import re
from pathlib import Path
from typing import Any

import pytest

import pages
from lockstep.app.cli.demo import STRATEGY
from lockstep.app.cli.root import COMMANDS
from lockstep.model.enums import OrderEventKind, OrderState
from lockstep.run.backtest import Backtest
from lockstep.run.results import finish_run
from lockstep.run.strategy_file import load_strategy
from lockstep.store.catalog.readers import read_market_data
from lockstep.store.run_tables import RUN_TABLES

ROOT = Path(__file__).resolve().parents[2]
RESULT_FORMAT = (ROOT / "docs/reference/result-format.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_generated_pages_say_what_the_program_says() -> None:
    stale = [str(path.relative_to(ROOT)) for path in pages.stale()]
    assert not stale, f"{', '.join(stale)} no longer say what the program says: run python tools/pages.py"


def test_command_page_holds_every_command() -> None:
    page = pages.cli_page()
    assert [name for name in COMMANDS if f"\n## {name}\n" not in page] == []


def test_state_page_answers_every_pair_of_state_and_event() -> None:
    for state in OrderState:
        rows = list(pages.transitions(state))[2:]
        named = [name for row in rows for name in row.split("|")[1].strip().split(", ")]
        assert sorted(named) == sorted(event.name for event in OrderEventKind), state.name


def test_page_that_differs_in_one_word_is_stale(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("one\n  two\nSpeed   1 s\n")
    monkeypatch.setattr(pages, "pages", lambda: {page: "one two\nSpeed   2 s\n"})
    assert pages.stale() == []
    monkeypatch.setattr(pages, "pages", lambda: {page: "one three\nSpeed   2 s\n"})
    assert pages.stale() == [page]


@pytest.mark.parametrize("table", RUN_TABLES)
def test_result_format_page_names_every_column_and_its_type(table: str) -> None:
    section = re.search(rf"^### {table}\.parquet$(.*?)(?=^#|\Z)", RESULT_FORMAT, re.DOTALL | re.MULTILINE)
    assert section, f"docs/reference/result-format.md has no section {table}.parquet"
    stated = re.findall(r"^\| `(\w+)` \| (\w+) \|", section[1], re.MULTILINE)
    assert stated == list(RUN_TABLES[table].items())


def test_result_format_page_names_every_key_of_the_manifest(tmp_path: Path) -> None:
    outcome = Backtest(load_strategy(STRATEGY), read_market_data("us_stocks", symbols=["IBM"])).run()
    run = finish_run(outcome, tmp_path, command="lockstep", with_sensitivity=False)
    rows = re.findall(r"^\| (`\w+.*?) \| (.*) \|$", RESULT_FORMAT.split("## Tables")[0], re.MULTILINE)
    stated = {key: set(re.findall(r"`(\w+)", words)) for keys, words in rows for key in re.findall(r"`(\w+)", keys)}
    for key, value in run.manifest.items():
        assert key in stated, f"docs/reference/result-format.md does not name {key} of manifest.json"
        inner: Any = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict):
            assert set(inner) <= stated[key], f"{key}: {sorted(set(inner) - stated[key])}"
    session = set(re.findall(r"`(\w+)`", RESULT_FORMAT.split("`session.json` holds")[1].split("\n")[0]))
    assert session == set(run.session)

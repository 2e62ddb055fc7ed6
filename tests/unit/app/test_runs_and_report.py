"""`lockstep runs` and `lockstep report`: what was run, and the pages about it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result

Call = Callable[..., Result]
CallJson = Callable[..., dict[str, Any]]


@pytest.fixture
def three(call_json: CallJson, ema_cross: str) -> list[dict[str, Any]]:
    """Three runs on GOOG that differ in one parameter, oldest first."""
    words = ("backtest", ema_cross, "--data", "us_stocks", "--symbol", "GOOG", "--no-sensitivity")
    return [call_json(*words, "--param", f"slow={slow}") for slow in (20, 30, 40)]


def date_session(run: dict[str, Any], minute: int) -> None:
    """Set when a run was made: three in one second have no order of their own."""
    path = Path(run["folder"], "session.json")
    text = path.read_text()
    at = text.index('"created": "') + len('"created": "')
    path.write_text(f"{text[:at]}2024-01-01T00:{minute:02d}:00+00:00{text[text.index(chr(34), at) :]}")


def test_runs_lists_every_run_the_newest_first(call: Call, call_json: CallJson, three: list[dict[str, Any]]) -> None:
    for minute, run in enumerate(three):
        date_session(run, minute)
    listed = call_json("runs")["runs"]
    assert [entry["run_hash"] for entry in listed] == [run["run_hash"] for run in reversed(three)]
    for entry, run in zip(listed, reversed(three), strict=True):
        for name in ("total_return", "sharpe", "max_drawdown", "final_equity", "trades", "params"):
            assert entry[name] == run[name], name
    said = call("runs", "--last", "2", code=0).stdout
    assert three[2]["run_hash"][:8] in said
    assert three[0]["run_hash"][:8] not in said
    assert "2 of 3 runs" in said
    assert "EmaCross" in said


def test_runs_of_an_empty_folder_says_how_to_make_the_first(call: Call, call_json: CallJson) -> None:
    assert "lockstep demo" in call("runs", code=0).stdout
    assert call_json("runs") == {"folder": "runs", "runs": [], "total": 0, "unreadable": []}


def test_runs_lists_the_whole_ones_beside_a_damaged_one(
    call: Call, call_json: CallJson, three: list[dict[str, Any]]
) -> None:
    Path(three[1]["folder"], "manifest.json").write_bytes(b'{"run_hash": "cut sh')
    told = call_json("runs")
    assert len(told["runs"]) == 2
    (line,) = told["unreadable"]
    assert three[1]["run_hash"][:12] in line
    assert "manifest.json" in call("runs", code=0).stdout


def test_a_run_that_another_version_kept_is_listed_or_says_how_to_make_it_again(
    call: Call, call_json: CallJson, three: list[dict[str, Any]]
) -> None:
    manifest = Path(three[1]["folder"], "manifest.json")
    old = json.loads(manifest.read_text()) | {"schema_version": 2}
    manifest.write_text(json.dumps(old))
    assert len(call_json("runs")["runs"]) == 3
    refused = call("report", three[1]["run_hash"][:12], code=1).stderr
    assert "result schema 2" in refused
    assert f"run it again, which keeps it anew: {old['command']}" in refused
    manifest.write_text(json.dumps({"schema_version": 2, "command": old["command"]}))
    (line,) = call_json("runs")["unreadable"]
    assert old["command"] in line
    manifest.write_text(json.dumps({"schema_version": 4}))
    (line,) = call_json("runs")["unreadable"]
    assert "its manifest lacks 'headline'" in line


def test_report_without_a_name_is_about_the_newest_run(
    call: Call, call_json: CallJson, three: list[dict[str, Any]]
) -> None:
    for minute, run in zip((1, 3, 2), three, strict=True):
        date_session(run, minute)
    told = call_json("report")
    assert told["runs"] == [three[1]["run_hash"]]
    assert Path(told["report"]).is_file()
    assert call("report", code=0).stdout == f"wrote {told['report']}\n"


def test_report_takes_the_beginning_of_a_hash_or_a_folder(call_json: CallJson, three: list[dict[str, Any]]) -> None:
    for which in (three[0]["run_hash"][:8], three[0]["folder"]):
        assert call_json("report", which, "--out", "page.html") == {
            "report": "page.html",
            "runs": [three[0]["run_hash"]],
        }


def test_report_of_several_puts_them_side_by_side(call_json: CallJson, three: list[dict[str, Any]]) -> None:
    told = call_json("report", *(run["run_hash"][:8] for run in three))
    assert told["runs"] == [run["run_hash"] for run in three]
    page = Path(told["report"]).read_text(encoding="utf-8")
    assert all(run["run_hash"][:8] in page for run in three)


def test_report_is_the_same_page_each_time(call: Call, three: list[dict[str, Any]], tmp_path: Path) -> None:
    for name in ("one.html", "two.html"):
        call("report", three[0]["run_hash"], "--out", name, code=0)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("0123456789ab",), 2, "lockstep runs"),
        (("nonsense",), 2, "no run 'nonsense'"),
        (("TWICE", "TWICE"), 2, "named twice"),
        (("CUT",), 1, "manifest.json"),
        (("--out", "runs"), 2, "is a folder"),
        (("--runs", "nowhere"), 2, "no runs in nowhere"),
    ],
)
def test_report_of_what_is_not_there_says_so(
    words: tuple[str, ...], code: int, says: str, call: Call, three: list[dict[str, Any]], tmp_path: Path
) -> None:
    Path(three[1]["folder"], "manifest.json").write_text("{")
    short = {"TWICE": three[0]["run_hash"][:8], "CUT": three[1]["run_hash"][:8]}
    result = call("report", *(short.get(word, word) for word in words), code=code)
    assert says in result.stderr
    assert not list(tmp_path.glob("*.html"))


def test_report_open_asks_for_a_browser_and_says_so_where_there_is_none(
    call: Call, three: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def nobody(address: str) -> int:
        opened.append(address)
        return 1

    monkeypatch.setattr(click, "launch", nobody)
    result = call("report", "--open", "--out", "page.html", code=0)
    assert opened[0].startswith("file:///")
    assert opened[0].endswith("/page.html")
    assert "open page.html yourself" in result.stderr


def test_report_rerendered_survives_the_same_run_again(
    call_json: CallJson, call: Call, ema_cross: str, tmp_path: Path
) -> None:
    words = ("backtest", ema_cross, "--data", "us_stocks", "--symbol", "FB", "--no-sensitivity")
    run = call_json(*words)
    page = Path(call_json("report")["report"])
    kept = page.read_bytes()
    assert call_json(*words)["run_hash"] == run["run_hash"]
    assert page.read_bytes() == kept
    shutil.rmtree(tmp_path / "runs")

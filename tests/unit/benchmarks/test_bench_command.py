"""The command `python -m benchmarks.bench`: what it writes, when, and how it ends. Nothing is measured here."""

import json
from pathlib import Path

import pytest
from benchmarks import bench
from benchmarks.history import read_history
from benchmarks.race import Setting
from benchmarks.report import Entry


def measured(value: float, name: str = "bars") -> list[Entry]:
    return [Entry(name, value, "bars/s", higher_is_better=True)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with one fast row, recorded data present, and its files under `tmp_path`."""

    def row(setting: Setting) -> list[Entry]:
        return measured(float(setting.repeat))

    def size(setting: Setting) -> list[Entry]:
        return measured(float(setting.repeat), "size")

    (tmp_path / "bars_1m").mkdir()
    monkeypatch.setenv("LOCKSTEP_DATA", str(tmp_path))
    monkeypatch.setattr(bench, "LATEST", tmp_path / "latest.json")
    monkeypatch.setattr(bench, "HISTORY", tmp_path / "history.jsonl")
    monkeypatch.setattr(bench, "PAGE", tmp_path / "PERFORMANCE.md")
    monkeypatch.setattr(bench, "ROWS", {"bars": row, "install_size": size})
    return tmp_path


def test_full_run_writes_latest_and_adds_to_history(folder: Path) -> None:
    assert bench.main(["--repeat", "4"]) == 0
    assert [record["value"] for record in json.loads((folder / "latest.json").read_text())] == [4.0, 4.0]
    assert [line.values for line in read_history(folder / "history.jsonl")] == [{"bars": 4.0, "size": 4.0}]


def test_run_of_one_row_renews_that_row_in_latest_but_adds_no_history(folder: Path) -> None:
    assert bench.main(["--row", "bars"]) == 0
    assert len(json.loads((folder / "latest.json").read_text())) == 1
    assert not (folder / "history.jsonl").exists()
    bench.main(["--repeat", "4"])
    bench.main(["--row", "install_size", "--repeat", "9"])
    latest = {record["name"]: record["value"] for record in json.loads((folder / "latest.json").read_text())}
    assert latest == {"bars": 4.0, "size": 9.0}
    assert len(read_history(folder / "history.jsonl")) == 1


def test_run_writes_its_figures_into_the_page(folder: Path) -> None:
    (folder / "PERFORMANCE.md").write_text("<!-- figures -->\n<!-- /figures -->\n")
    bench.main(["--repeat", "4"])
    assert "| `bars` | 4 | bars/s |" in (folder / "PERFORMANCE.md").read_text()


def test_full_run_names_what_regressed_since_the_run_before(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench.main(["--repeat", "10"])
    assert "regressed" not in capsys.readouterr().err
    bench.main(["--repeat", "4"])
    assert "regressed: bars is 0.40 times" in capsys.readouterr().err


def test_history_is_shown_without_measuring_and_without_recorded_data(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main(["--history"]) == 0
    assert "no full run yet" in capsys.readouterr().out
    bench.main(["--repeat", "4"])
    monkeypatch.setenv("LOCKSTEP_DATA", str(folder / "absent"))
    capsys.readouterr()
    assert bench.main(["--history"]) == 0
    assert "bars/s" in capsys.readouterr().out
    assert len(read_history(folder / "history.jsonl")) == 1


def test_quick_run_writes_nothing_and_runs_one_round(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--quick", "--json", "--repeat", "9"]) == 0
    assert [record["value"] for record in json.loads(capsys.readouterr().out)] == [1.0]
    assert not (folder / "latest.json").exists()


def test_second_full_run_shows_the_change_since_the_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench.main(["--repeat", "2"])
    capsys.readouterr()
    bench.main(["--repeat", "5"])
    assert "2.5 x" in capsys.readouterr().out
    assert len(read_history(folder / "history.jsonl")) == 2


def test_run_without_recorded_data_ends_with_the_reason(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCKSTEP_DATA", str(folder / "absent"))
    assert bench.main([]) == 1
    assert "LOCKSTEP_DATA" in capsys.readouterr().err
    assert not (folder / "latest.json").exists()


def test_run_with_a_broken_history_ends_before_it_measures(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "history.jsonl").write_text("broken\n")
    assert bench.main([]) == 1
    assert "history.jsonl line 1" in capsys.readouterr().err
    assert not (folder / "latest.json").exists()


@pytest.mark.parametrize("arguments", [["--row", "nope"], ["--repeat", "0"], ["--repeat", "x"]])
def test_run_with_a_wrong_argument_is_bad_usage(folder: Path, arguments: list[str]) -> None:
    assert folder.is_dir()
    with pytest.raises(SystemExit) as ended:
        bench.main(arguments)
    assert ended.value.code == 2

"""The benchmark report: ratios, limits, entries, history, and how rivals that fail are told."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks import footprint
from benchmarks.page import with_figures
from benchmarks.peers import environments
from benchmarks.peers.environments import Candidate, PeerEnvironment, Unavailable, ensure_environment, find_python
from benchmarks.peers.program import ProgramResult, RunFigures, best_of, read_bars
from benchmarks.processes import Failed, run_program
from benchmarks.report import (
    Entry,
    better_ratio,
    entry_from,
    figure_text,
    read_latest,
    renewed,
    table_of,
    write_latest,
)
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

positive = st.floats(min_value=1e-6, max_value=1e12)


def result(seconds: float = 2.0, events: int = 100, peak_rss_mb: float = 50.0) -> ProgramResult:
    return ProgramResult(
        name="rival",
        version="1.0",
        events=events,
        orders=4,
        fills=4,
        trades=2,
        final_equity=1_000.5,
        seconds=seconds,
        peak_rss_mb=peak_rss_mb,
    )


def speed(value: float | None = 900_000.0, peer_value: float | None = 90_000.0, **fields: object) -> Entry:
    defaults: dict[str, object] = {"peer": "rival", "peer_version": "1.0", "limit": 800_000.0, "ratio_limit": 10.0}
    return Entry(
        "bars",
        value,
        "bars/s",
        higher_is_better=True,
        peer_value=peer_value,
        **(defaults | fields),  # type: ignore[arg-type]
    )


class TestRatio:
    @given(ours=positive, theirs=positive)
    def test_ratio_of_the_better_side_is_at_least_one_either_way(self, ours: float, theirs: float) -> None:
        speed_ratio = better_ratio(ours, theirs, higher_is_better=True)
        time_ratio = better_ratio(ours, theirs, higher_is_better=False)
        assert speed_ratio is not None
        assert time_ratio is not None
        assert (speed_ratio >= 1.0) == (ours >= theirs)
        assert (time_ratio >= 1.0) == (ours <= theirs)

    @pytest.mark.parametrize("ours", [None, 0.0, -1.0, float("nan"), float("inf")])
    def test_ratio_without_a_usable_figure_is_none(self, ours: float | None) -> None:
        assert better_ratio(ours, 5.0, higher_is_better=True) is None
        assert better_ratio(5.0, ours, higher_is_better=False) is None


class TestEntry:
    def test_record_has_the_agreed_fields_in_order(self) -> None:
        record = speed(limit=None, ratio_limit=None).to_record()
        assert list(record) == ["name", "value", "unit", "peer", "peer_version", "peer_value", "ratio"]
        assert record["ratio"] == pytest.approx(10.0)

    def test_record_of_a_missing_rival_says_why(self) -> None:
        record = speed(peer_value=None, peer_version=None, note="needs Python 3.13").to_record()
        assert record["peer_value"] is None
        assert record["ratio"] is None
        assert record["note"] == "needs Python 3.13"

    @pytest.mark.parametrize(
        ("value", "peer_value", "acceptable"),
        [(900_000.0, 90_000.0, True), (700_000.0, 7.0, False), (900_000.0, 91_000.0, False), (None, 90_000.0, None)],
    )
    def test_entry_is_acceptable_only_when_value_and_ratio_keep_their_limits(
        self, value: float | None, peer_value: float, acceptable: bool | None
    ) -> None:
        assert speed(value, peer_value).is_acceptable is acceptable

    def test_entry_where_less_is_better_fails_above_its_limit(self) -> None:
        assert Entry("mb", 200.0, "MB", higher_is_better=False, limit=200.0).is_acceptable is True
        assert Entry("mb", 200.1, "MB", higher_is_better=False, limit=200.0).is_acceptable is False

    def test_record_is_read_back_as_the_same_entry(self) -> None:
        memory = Entry("mb", 100.0, "MB", higher_is_better=False, limit=200.0, note="noisy")
        assert [entry_from(entry.to_record()) for entry in (speed(), memory)] == [speed(), memory]

    def test_entries_of_one_figure_against_two_rivals_have_two_keys(self) -> None:
        assert speed(peer="a").key != speed(peer="b").key


class TestOutput:
    def test_latest_is_a_json_list_and_leaves_no_partial_file(self, tmp_path: Path) -> None:
        path = tmp_path / "latest.json"
        path.write_text("old")
        write_latest(path, [speed(), speed(peer="b")])
        assert [record["peer"] for record in json.loads(path.read_text())] == ["rival", "b"]
        assert [file.name for file in tmp_path.iterdir()] == ["latest.json"]

    def test_latest_is_read_back_and_one_of_another_shape_is_none(self, tmp_path: Path) -> None:
        path = tmp_path / "latest.json"
        assert read_latest(path) == []
        write_latest(path, [speed(), speed(peer="b")])
        assert read_latest(path) == [speed(), speed(peer="b")]
        path.write_text('[{"surprise": 1}]')
        assert read_latest(path) == []

    def test_renewed_entries_stand_in_their_old_places_and_new_ones_at_the_end(self) -> None:
        before = [speed(peer="a"), speed(peer="b")]
        again, new = speed(value=1.0, peer="a"), speed(peer="c")
        assert renewed(before, [new, again]) == [again, before[1], new]

    def test_page_holds_the_figures_between_its_marks_and_nothing_else_changes(self) -> None:
        page = "before\n<!-- figures -->\nold\n<!-- /figures -->\nafter\n"
        entries = [speed(), speed(peer="b", peer_value=None, peer_version=None, note="a|b")]
        text = with_figures(page, entries)
        assert text.startswith("before\n<!-- figures -->\n| figure |")
        assert text.endswith("<!-- /figures -->\nafter\n")
        assert "| `bars` | 900,000 | bars/s | >= 800,000, >= 10 x | rival 1.0 | 90,000 | 10 x |" in text
        assert "|  |  |  | >= 800,000, >= 10 x | b | - | a/b |" in text
        assert with_figures(text, entries) == text

    def test_page_without_a_place_for_the_figures_is_refused(self) -> None:
        with pytest.raises(ValueError, match="<!-- figures -->"):
            with_figures("no marks", [speed()])

    def test_table_marks_a_missed_limit_and_shows_the_note(self) -> None:
        console = Console(width=200, record=True, file=io.StringIO())
        console.print(table_of([speed(value=1.0, note="noisy")], {}))
        text = console.export_text()
        assert "missed" in text
        assert "noisy" in text

    @pytest.mark.parametrize(
        ("value", "text"), [(None, "-"), (1_234_567.8, "1,234,568"), (123.45, "123.5"), (1.2345, "1.23"), (0.0, "0")]
    )
    def test_figure_is_written_for_people(self, value: float | None, text: str) -> None:
        assert figure_text(value) == text


class TestProgram:
    def test_result_line_is_read_back_equal(self) -> None:
        line = result().to_line()
        assert ProgramResult.from_line(line) == result()
        assert json.loads(line)["events_per_second"] == 50.0

    @pytest.mark.parametrize("line", ["", "not json", "[1]", '{"name": "x"}', '{"surprise": 1}'])
    def test_result_line_that_is_not_one_is_refused(self, line: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            ProgramResult.from_line(line)

    def test_result_without_fills_is_refused(self) -> None:
        figures = RunFigures(seconds=1.0, orders=0, fills=0, trades=0, final_equity=1.0)
        with pytest.raises(ValueError, match="no order filled and no cross counted on 10 events"):
            best_of("rival", "1", 10, 1, lambda: figures)

    @pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
    def test_result_with_a_time_that_is_not_positive_is_refused(self, seconds: float) -> None:
        with pytest.raises(ValueError, match="seconds was"):
            result(seconds=seconds)

    def test_best_of_runs_as_often_as_told_and_keeps_the_fastest(self) -> None:
        times = iter([3.0, 1.0, 2.0])
        best = best_of("rival", "1", 10, 3, lambda: RunFigures(next(times), 1, 1, 0, 1.0))
        assert best.seconds == 1.0
        assert next(times, None) is None

    def test_best_of_no_run_is_refused(self) -> None:
        with pytest.raises(ValueError, match="repeat was 0"):
            best_of("rival", "1", 10, 0, lambda: RunFigures(1.0, 1, 1, 0, 1.0))

    def test_bars_are_read_up_to_the_limit(self, tmp_path: Path) -> None:
        path = tmp_path / "bars.csv"
        path.write_text("timestamp_ms,open,high,low,close,volume\n60000,1,3,0.5,2,1e-7\n120000,2,2,2,2,0\n")
        bars = list(read_bars(path, 1))
        assert [(bar.open_ms, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars] == [
            (60_000, 1.0, 3.0, 0.5, 2.0, 1e-7)
        ]
        assert len(list(read_bars(path, None))) == 2


class TestProcesses:
    def test_program_that_exits_with_an_error_is_told_by_its_last_line(self) -> None:
        outcome = run_program(Path(sys.executable), "benchmarks.no_such_module", [])
        assert isinstance(outcome, Failed)
        assert "no_such_module" in outcome.note

    def test_program_without_an_interpreter_fails_without_raising(self, tmp_path: Path) -> None:
        assert isinstance(run_program(tmp_path / "python", "json", []), Failed)

    def test_program_that_prints_no_result_fails_without_raising(self) -> None:
        outcome = run_program(Path(sys.executable), "this", [])
        assert isinstance(outcome, Failed)
        assert outcome.note.startswith("this: ")

    def test_program_slower_than_allowed_fails_without_raising(self) -> None:
        outcome = run_program(Path(sys.executable), "this", [], seconds_max=0.001)
        assert isinstance(outcome, Failed)
        assert "no result after 0.001 s" in outcome.note

    def test_command_that_fails_has_no_wall_time_but_a_reason(self) -> None:
        assert footprint.best_wall_seconds([sys.executable, "-c", "raise SystemExit('boom')"], 1) == (None, "boom")


class TestEnvironments:
    def test_running_python_is_found_and_an_impossible_one_is_not(self) -> None:
        assert find_python("") == Path(sys.executable)
        assert find_python("3.999") is None

    def test_python_on_path_that_does_not_start_is_passed_over(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shim = tmp_path / "python3.998"
        shim.write_text("#!/bin/sh\necho 'command not found' >&2\nexit 127\n")
        shim.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
        assert find_python("3.998") is None

    def test_rival_whose_python_is_missing_is_unavailable_with_the_reason(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(environments.PEERS, "rival", (Candidate("rival", "rival==1", "3.999", "json"),))
        found = ensure_environment("rival", tmp_path)
        assert found == Unavailable("rival", "rival==1 needs Python 3.999, which was not found")

    def test_rival_that_does_not_install_is_unavailable_and_its_folder_is_not_reused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(environments.PEERS, "rival", (Candidate("rival", "rival==1", "", "json"),))
        monkeypatch.setattr(
            "benchmarks.peers.environments.subprocess.run",
            lambda command, **_: subprocess.CompletedProcess(command, 1, "", "no matching distribution\n"),
        )
        for _ in range(2):
            assert ensure_environment("rival", tmp_path) == Unavailable("rival", "rival==1: no matching distribution")

    def test_environment_complete_for_this_requirement_is_reused_and_for_another_is_not(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        python = tmp_path / "rival" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.touch()
        (tmp_path / "rival" / "complete.json").write_text('{"requirement": "rival==1", "version": "1.0"}')
        monkeypatch.setitem(environments.PEERS, "rival", (Candidate("rival", "rival==1", "3.999", "json"),))
        assert ensure_environment("rival", tmp_path) == PeerEnvironment("rival", "1.0", python, "json")
        monkeypatch.setitem(environments.PEERS, "rival", (Candidate("rival", "rival==2", "3.999", "json"),))
        assert isinstance(ensure_environment("rival", tmp_path), Unavailable)


class TestInstallSize:
    def test_folder_size_counts_distributions_and_leaves_out_the_installer(self, tmp_path: Path) -> None:
        for name, length in [
            ("a", 1_000_000),
            ("pip", 5_000_000),
            ("setuptools-65.0.dist-info", 10),
            ("b-1.dist-info", 0),
        ]:
            (tmp_path / name).mkdir()
            (tmp_path / name / "file").write_bytes(b"x" * length)
        size = footprint.folder_size(tmp_path)
        assert (size.packages, size.megabytes) == (1, 1.0)

"""Earlier benchmark runs: kept, read back, compared, and shown over time."""

import io
from pathlib import Path

import pytest
from benchmarks.history import (
    HISTORY_SCHEMA,
    WORST_CHANGE,
    HistoryLine,
    append_history,
    change_of,
    history_line,
    read_history,
    regressions,
    trend_table,
)
from benchmarks.processes import ROOT
from benchmarks.report import Entry
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console


def speed(value: float | None = 900_000.0, peer_value: float | None = 90_000.0, version: str = "1.0") -> Entry:
    return Entry(
        "bars", value, "bars/s", higher_is_better=True, peer="rival", peer_version=version, peer_value=peer_value
    )


def memory(value: float) -> Entry:
    return Entry("mb", value, "MB", higher_is_better=False)


def line(*entries: Entry, date: str = "2026-01-02") -> HistoryLine:
    return history_line(entries, {"lockstep": "0.1.0", "commit": "abc1234"}, date)


def shown(lines: list[HistoryLine]) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(trend_table(lines))
    return console.export_text()


class TestHistory:
    def test_history_appended_twice_is_read_back_in_order(self, tmp_path: Path) -> None:
        path = tmp_path / "history.jsonl"
        first = history_line([speed()], {"lockstep": "0.1.0"}, "2026-01-02")
        second = history_line([speed(value=None)], {"lockstep": "0.1.1"}, "2026-01-03")
        append_history(path, first)
        append_history(path, second)
        assert read_history(path) == [first, second]

    def test_history_line_keeps_versions_of_rivals_and_leaves_out_what_was_not_measured(self) -> None:
        line = history_line([speed(value=None)], {"lockstep": "0.1.0"}, "2026-01-02")
        assert line.versions == {"lockstep": "0.1.0", "rival": "1.0"}
        assert line.values == {}
        assert line.peer_values == {"bars/rival": 90_000.0}

    def test_history_of_no_file_is_empty(self, tmp_path: Path) -> None:
        assert read_history(tmp_path / "absent.jsonl") == []

    @pytest.mark.parametrize("text", ["{", "[]", '{"date": "2026-01-02"}', '{"unknown": 1}', "3"])
    def test_history_with_a_broken_line_names_the_line(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "history.jsonl"
        append_history(path, history_line([speed()], {}, "2026-01-02"))
        path.write_text(path.read_text() + text + "\n")
        with pytest.raises(ValueError, match=r"history\.jsonl line 2"):
            read_history(path)

    def test_history_of_another_schema_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "history.jsonl"
        append_history(path, HistoryLine("2026-01-02", {}, {}, {}, schema=99))
        with pytest.raises(ValueError, match="schema 99"):
            read_history(path)

    def test_history_in_the_repository_can_be_read_and_knows_the_unit_of_each_figure(self) -> None:
        lines = read_history(ROOT / "benchmarks" / "history.jsonl")
        assert lines
        for entry in lines:
            assert entry.schema == HISTORY_SCHEMA
            assert set(entry.units) == set(entry.values)
            costs = {"MB", "bytes", "bytes/record", "packages", "s", "us", "ns", "ns/event", "ns/record", "%", "x"}
            assert {entry.units[key] for key in entry.lower_is_better} <= costs


class TestComparison:
    def test_change_above_one_means_better_for_speed_and_for_memory(self) -> None:
        lines = [line(speed(450_000.0, None), memory(150.0)), line(speed(900_000.0, None), memory(100.0))]
        assert change_of("bars/rival", lines) == pytest.approx(2.0)
        assert change_of("mb", lines) == pytest.approx(1.5)

    def test_figure_of_the_first_run_has_no_change(self) -> None:
        assert change_of("mb", [line(memory(1.0))]) is None
        assert change_of("mb", [line(speed()), line(memory(1.0))]) is None
        assert regressions([]) == {}

    def test_slower_machine_slows_the_rival_too_and_is_no_regression(self) -> None:
        assert regressions([line(speed(900_000.0, 90_000.0)), line(speed(300_000.0, 30_000.0))]) == {}

    def test_faster_machine_hides_no_regression(self) -> None:
        found = regressions([line(speed(300_000.0, 30_000.0)), line(speed(450_000.0, 90_000.0))])
        assert found == {"bars/rival": pytest.approx(0.5)}

    def test_another_version_of_the_rival_is_no_measure_of_ours(self) -> None:
        lines = [line(speed(900_000.0, 90_000.0)), line(speed(900_000.0, 900_000.0, version="2.0"))]
        assert change_of("bars/rival", lines) == pytest.approx(1.0)
        assert regressions(lines) == {}

    def test_one_lucky_run_before_makes_no_regression(self) -> None:
        before = [line(memory(value)) for value in (100.0, 100.0, 20.0)]
        assert regressions([*before, line(memory(100.0))]) == {}

    def test_only_the_last_five_runs_before_count(self) -> None:
        before = [line(memory(1.0))] * 10 + [line(memory(100.0))] * 5
        assert regressions([*before, line(memory(100.0))]) == {}

    @given(st.floats(min_value=0.01, max_value=1.0))
    def test_regression_is_what_is_worse_than_seven_tenths_of_before(self, change: float) -> None:
        found = regressions([line(speed(1e6, None)), line(speed(1e6 * change, None))])
        assert bool(found) == (1e6 * change / 1e6 < WORST_CHANGE)


class TestTrend:
    def test_trend_shows_every_run_with_its_commit_and_marks_the_one_that_regressed(self) -> None:
        text = shown(
            [
                line(speed(1_000_000.0, 100_000.0), memory(100.0), date="2026-01-02"),
                line(speed(400_000.0, 100_000.0), memory(101.0), date="2026-01-03"),
                line(speed(1_000_000.0, 100_000.0), memory(102.0), date="2026-01-04"),
            ]
        )
        assert text.count("!") == 2  # the title explains the mark
        assert "400,000 (4 x) !" in text
        for word in ("2026-01-02", "2026-01-04", "abc1234", "bars/s", "MB", "1,000,000 (10 x)", "102"):
            assert word in text

    def test_trend_of_a_figure_that_came_later_leaves_earlier_runs_empty(self) -> None:
        text = shown([line(memory(100.0)), line(memory(100.0), speed())])
        (row,) = [text_line for text_line in text.splitlines() if "bars/rival" in text_line]
        assert "- " in row
        assert "900,000 (10 x)" in row

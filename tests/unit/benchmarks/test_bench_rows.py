"""The rows of the benchmark: turns, the best of each, rivals that fail, and the proof that both sides did the same job."""

from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks import breadth, costs, histories, ours, race, recordings, scale, speed
from benchmarks.peers import environments
from benchmarks.peers.environments import PeerEnvironment, Unavailable
from benchmarks.peers.program import ProgramResult
from benchmarks.processes import ROOT, Failed
from benchmarks.race import Setting
from benchmarks.rows import ROWS


def result(seconds: float = 2.0, events: int = 100, peak_rss_mb: float = 50.0) -> ProgramResult:
    return ProgramResult("rival", "1.0", events, 4, 4, 2, 1_000.5, seconds, peak_rss_mb)


class TestRows:
    def test_best_outcome_is_the_fastest_run_with_the_least_memory_of_all(self) -> None:
        best = race.best_outcome([result(3.0, peak_rss_mb=40.0), Failed("x"), result(1.0, peak_rss_mb=60.0)])
        assert isinstance(best, ProgramResult)
        assert (best.seconds, best.peak_rss_mb, best.events_per_second) == (1.0, 40.0, 100.0)

    def test_best_outcome_of_failures_alone_is_the_last_failure(self) -> None:
        assert race.best_outcome([Failed("first"), Failed("last")]) == Failed("last")

    def test_bytes_per_event_is_growth_over_further_events(self) -> None:
        one, four = result(events=1_000_000, peak_rss_mb=100.0), result(events=3_000_000, peak_rss_mb=116.0)
        assert costs.bytes_per_event(one, four) == pytest.approx(8.0)

    def test_row_with_a_rival_that_cannot_be_installed_gives_an_entry_with_a_note(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(race, "run_program", lambda *_: result())
        setting = Setting(
            tmp_path, repeat=2, quick=True, say=lambda _: None, environment_of=lambda peer: Unavailable(peer, "offline")
        )
        entries = speed.orders_filled(setting)
        assert [(entry.peer, entry.value, entry.peer_value, entry.note) for entry in entries] == [
            ("nautilus_trader", 2.0, None, "offline")
        ]

    def test_row_runs_ours_and_rivals_by_turns(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        modules: list[str] = []

        def record(_python: Path, module: str, _arguments: list[str]) -> ProgramResult:
            modules.append(module)
            return result()

        monkeypatch.setattr(race, "run_program", record)
        setting = Setting(
            tmp_path,
            repeat=2,
            quick=False,
            say=lambda _: None,
            environment_of=lambda peer: PeerEnvironment(peer, "1.0", Path("python"), peer),
        )
        speed.orders_filled(setting)
        assert modules == ["benchmarks.ours", "nautilus_trader"] * 2

    def test_row_does_not_try_again_what_failed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        calls: list[str] = []

        def fail(_python: Path, module: str, _arguments: list[str]) -> Failed:
            calls.append(module)
            return Failed("broken")

        monkeypatch.setattr(race, "run_program", fail)
        setting = Setting(
            tmp_path, repeat=3, quick=True, say=lambda _: None, environment_of=lambda peer: Unavailable(peer, "offline")
        )
        entries = speed.orders_filled(setting)
        assert calls == ["benchmarks.ours"]
        assert entries[0].note == "broken; offline"

    def test_every_row_of_ticks_has_a_strategy_and_runs_on_its_own_ticker(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[list[str]] = []

        def record(_python: Path, _module: str, arguments: list[str]) -> ProgramResult:
            asked.append(arguments)
            return replace(result(), fills=0, crosses=7)

        monkeypatch.setattr(race, "run_program", record)
        setting = Setting(
            tmp_path,
            repeat=1,
            quick=False,
            say=lambda _: None,
            environment_of=lambda peer: PeerEnvironment(peer, "1.0", Path("python"), peer),
        )
        for row, ticker in speed.TICKERS.items():
            assert ours.ROWS[row].is_file()
            (entry,) = ROWS[row](setting)
            assert (entry.name, entry.ratio) == (row, 1.0)
            assert {(words[0], Path(words[1]).name) for words in asked} == {(row, ticker)}
            asked.clear()

    @pytest.mark.parametrize(("events", "crosses"), [(100, 6), (99, 7)])
    def test_rival_that_counted_otherwise_did_another_job_and_gives_no_ratio(self, events: int, crosses: int) -> None:
        mine = replace(result(), crosses=7)
        other = speed.same_job(mine, replace(result(), events=events, crosses=crosses))
        assert isinstance(other, Failed)
        assert f"rival counted {crosses} crosses in {events} events" in other.note
        assert speed.same_job(mine, mine) == mine

    def test_rival_without_a_result_stays_as_it_failed(self) -> None:
        assert speed.same_job(Failed("ours"), result()) == result()
        assert speed.same_job(result(), Failed("theirs")) == Failed("theirs")

    def test_rows_of_breadth_tell_what_company_costs_and_what_it_is_measured_from(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(scale, "merge_cost", lambda paths, repeat: (200.0, 230.0 + len(paths) + repeat))
        monkeypatch.setattr(scale, "hundred", lambda *_: (200.0, 400.0))
        setting = Setting(tmp_path, repeat=2, quick=False, say=lambda _: None)
        (merge,), (many,) = breadth.merge_cost(setting), breadth.hundred(setting)
        assert (merge.value, merge.unit, merge.is_acceptable) == (36.0, "ns", True)
        assert (many.value, many.unit, many.is_acceptable) == (2.0, "x", False)
        assert many.note == "200 ns an event alone, 400 together"

    def test_rows_without_their_data_say_so(self, tmp_path: Path) -> None:
        setting = Setting(tmp_path, repeat=1, quick=True, say=lambda _: None)
        journal = (recordings.journal_append, recordings.recording_cost, recordings.journal_restart)
        for row in (breadth.merge_cost, breadth.hundred, histories.catalog_read, histories.csv_import, *journal):
            for entry in row(setting):
                assert entry.value is None
                assert entry.note
                assert entry.is_acceptable is None

    def test_every_row_against_nautilus_has_a_program_for_each_way_to_install_it(self) -> None:
        for candidates in environments.PEERS.values():
            for candidate in candidates:
                relative = candidate.module.replace(".", "/") + ".py"
                assert (ROOT / relative).is_file(), candidate.module

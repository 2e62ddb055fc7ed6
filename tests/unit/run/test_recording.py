"""Recording a backtest and running it again: the same bytes, the same decisions, and the first that differs found."""

import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockstep.model.errors import RefuseError, StateError, StrategyFault, UsageError
from lockstep.model.fees import FeeSchedule
from lockstep.risk.limits import RiskLimits
from lockstep.run.backtest import Backtest
from lockstep.run.config import BacktestConfig
from lockstep.run.data_source import DataSource
from lockstep.run.identity import canonical
from lockstep.run.plan import StrategyPlan
from lockstep.run.recorded import DataGone, Decisions, Recorded
from lockstep.run.recording import REASONING_MAX, record
from lockstep.run.replay import Comparison, replay
from lockstep.run.strategy_file import load_strategy
from lockstep.sim.models import LATENCIES, BarFills, Slippage
from lockstep.store.journal.errors import DamagedJournal
from lockstep.store.journal.reader import Journal
from lockstep.store.journal.writer import JournalWriter

SOURCE = DataSource(where="us_stocks", symbols=("AAPL", "IBM", "MSFT"))
FAILS = """
from lockstep import Strategy


class Fails(Strategy):
    after: int = 50

    def on_start(self):
        self.bars = 0

    def on_bar(self, bar):
        self.bars += 1
        self.buy(1)
        if self.bars == self.after:
            raise {what}
"""


@pytest.fixture
def backtest(varied: Path, stocks: list[Any]) -> Backtest:
    return Backtest([StrategyPlan(load_strategy(varied), {"part": "0.1"})], stocks, BacktestConfig(seed=3))


@pytest.fixture
def recorded(backtest: Backtest, tmp_path: Path) -> Recorded:
    record(backtest, tmp_path / "kept", [SOURCE])
    return Recorded(tmp_path / "kept")


def segments(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.journal"))}


@pytest.mark.slow
def test_recording_changes_no_outcome_and_two_of_one_run_are_the_same_bytes(backtest: Backtest, tmp_path: Path) -> None:
    plain = backtest.run()
    for place in ("one", "deep/two"):
        kept = record(backtest, tmp_path / place, [SOURCE])
        assert (kept.run_hash, kept.decision_hash) == (plain.run_hash, plain.decision_hash)
    one, two = segments(tmp_path / "one"), segments(tmp_path / "deep/two")
    assert one == two
    assert one
    assert not any(str(path).encode() in data for data in one.values() for path in (tmp_path, Path.cwd()))


@pytest.mark.slow
def test_recording_holds_every_decision_every_signals_words_and_the_end(backtest: Backtest, tmp_path: Path) -> None:
    outcome = record(backtest, tmp_path / "kept", [SOURCE])
    kept = Recorded(tmp_path / "kept")
    assert (kept.all_decisions().rows == np.concatenate(list(outcome.decisions.blocks()))).all()
    assert len(outcome.signals) > 10
    assert all(kept.signal_words(signal.signal_id) == signal.reasoning for signal in outcome.signals)
    assert kept.ending is not None
    assert kept.ending["run_hash"] == outcome.run_hash
    assert kept.ending["decisions"] == len(kept.all_decisions().rows)
    assert kept.survey.closed
    lines = [kept.lines.line(entry) for entry in Journal(kept.folder).records()]
    assert {line["strategy"] for line in lines if line["type"] == "submit"} == {
        "Varied:AAPL",
        "Varied:IBM",
        "Varied:MSFT",
    }


def test_replay_of_a_recording_is_identical_to_the_hash(recorded: Recorded) -> None:
    found = replay(recorded, recorded.backtest())
    assert found.identical, found.why
    assert recorded.ending is not None
    assert found.run_hash == recorded.ending["run_hash"]
    assert found.compared == recorded.ending["decisions"] > 100
    assert found.events == recorded.ending["events"]


def test_replay_until_a_time_compares_up_to_there_and_tells_the_state(recorded: Recorded) -> None:
    halfway = int(recorded.all_decisions().rows[:, 0].mean())
    found = replay(recorded, recorded.backtest(), halfway)
    assert found.identical
    assert 0 < found.compared < len(recorded.all_decisions().rows)
    assert found.state is not None
    assert found.clock <= halfway
    assert found.run_hash is None
    with pytest.raises(UsageError, match="the run goes from"):
        replay(recorded, recorded.backtest(), 1)


def test_replay_until_a_time_has_handled_the_venues_words_by_then_too(recorded: Recorded) -> None:
    clocks = recorded.all_decisions().rows[:, 0]
    for at in (5, len(clocks) // 3, len(clocks) // 2):
        until = int(clocks[at]) + 10 * 10**9  # no next bar has opened by then
        found = replay(recorded, recorded.backtest(), until)
        assert (found.identical, found.compared) == (True, int((clocks <= until).sum()))
        assert found.clock <= until


@pytest.mark.parametrize("at", [0, 57, -1])
def test_replay_of_a_recording_with_one_other_decision_names_it(recorded: Recorded, tmp_path: Path, at: int) -> None:
    rows = recorded.all_decisions().rows.copy()
    rows[at, 4] += 1
    forged = forge(recorded, rows, tmp_path / "forged")
    found = replay(forged, forged.backtest())
    assert not found.identical
    assert found.compared == at % len(rows)
    assert found.difference is not None
    assert found.difference.recorded is not None
    assert found.difference.replayed is not None
    differs = {key for key, value in found.difference.recorded.items() if found.difference.replayed[key] != value}
    assert len(differs) == 1


@pytest.mark.slow
def test_replay_that_decides_more_or_less_than_was_recorded_is_not_identical(
    recorded: Recorded, tmp_path: Path
) -> None:
    rows = recorded.all_decisions().rows
    shorter = forge(recorded, rows[:-1], tmp_path / "shorter")
    found = replay(shorter, shorter.backtest())
    assert found.difference is not None
    assert (found.identical, found.difference.recorded) == (False, None)
    longer = forge(recorded, np.concatenate([rows, rows[-1:]]), tmp_path / "longer")
    found = replay(longer, longer.backtest())
    assert found.difference is not None
    assert (found.identical, found.difference.replayed) == (False, None)


def forge(recorded: Recorded, rows: np.ndarray, folder: Path) -> Recorded:
    """A journal whose every checksum is right and whose decisions are these."""
    with JournalWriter(folder, recorded.identity, flush_seconds=None) as writer:
        writer.append_decisions(rows)
        assert recorded.ending is not None
        writer.append_fact(recorded.ending)
    shutil.copy(recorded.folder / "places.json", folder)
    return Recorded(folder)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_comparison_finds_the_first_difference_however_both_sides_are_cut(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 40))
    rows = np.arange(count * 8, dtype=np.int64).reshape(count, 8)
    other = rows[: data.draw(st.integers(0, count))].copy()
    if len(other) and data.draw(st.booleans()):
        other[data.draw(st.integers(0, len(other) - 1)), data.draw(st.integers(0, 7))] ^= 1 << data.draw(
            st.integers(0, 62)
        )
    same = next((k for k in range(len(other)) if (rows[k] != other[k]).any()), len(other))

    def pieces(whole: np.ndarray) -> Iterator[np.ndarray]:
        cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(whole) - 1)), max_size=5)))
        yield from (part for part in np.split(whole, [cut for cut in cuts if cut < len(whole)]) if len(part))

    recorded = (Decisions(part[:, 0] // 8, part) for part in pieces(rows))
    comparison = Comparison(recorded)
    for part in pieces(other):
        comparison.update(part)
    comparison.finish()
    assert comparison.compared == same
    if same == count:
        assert comparison.first is None
        return
    assert comparison.first is not None
    before, now = comparison.first
    assert before is not None
    assert before[0] == same
    assert (now is None) == (same == len(other))


# ---- what is given survives


amounts = st.decimals("0.01", "99999", places=2)
configs = st.builds(
    BacktestConfig,
    cash=amounts,
    leverage=st.decimals("1", "20", places=1),
    fees=st.none() | st.builds(FeeSchedule, maker=st.decimals("-0.001", "0.01", places=5), per_unit=amounts),
    latency=st.sampled_from([LATENCIES[name] for name in sorted(LATENCIES)]),
    slippage=st.builds(Slippage, bps=st.decimals("0", "50", places=2)),
    fills=st.builds(BarFills, path=st.sampled_from(["pessimistic", "optimistic"]), participation=st.none() | st.just(Decimal("0.5"))),
    limits=st.builds(RiskLimits, order_qty_max=st.none() | amounts, buying_power=st.booleans()),
    sessions=st.sampled_from([(), ("pre", "regular")]),
    seed=st.integers(0, 2**31),
    start_ns=st.none() | st.integers(0, 10**18),
)  # fmt: skip


@given(config=configs)
def test_configuration_read_back_from_a_recording_is_the_one_of_the_run(config: BacktestConfig) -> None:
    again = msgspec.convert(msgspec.json.decode(canonical(config.facts())), BacktestConfig)
    assert again == config
    assert canonical(again.facts()) == canonical(config.facts())


def test_two_strategies_with_bars_and_symbols_of_their_own_are_replayed(
    varied: Path, stocks: list[Any], tmp_path: Path
) -> None:
    file = load_strategy(varied)
    plans = [
        StrategyPlan(file, {"fast": 7}, symbols=["ibm"], name="quick"),
        StrategyPlan(file, timeframe="1d", name="daily"),
    ]
    record(Backtest(plans, stocks, BacktestConfig()), tmp_path / "kept", [SOURCE])
    recorded = Recorded(tmp_path / "kept")
    assert recorded.identity["seats"] == ["quick", "daily:AAPL", "daily:IBM", "daily:MSFT"]
    assert replay(recorded, recorded.backtest()).identical


# ---- other strategies, data and places


@pytest.mark.slow
def test_replay_runs_the_recorded_source_and_says_that_the_file_has_changed(
    recorded: Recorded, varied: Path, tmp_path: Path
) -> None:
    assert recorded.changed_files() == []
    mine = tmp_path / "mine.py"
    mine.write_text(varied.read_text())
    record(Backtest(load_strategy(mine), SOURCE.read(None)), tmp_path / "mine", [SOURCE])
    mine.write_text("raise SystemExit(1)\n")
    changed = Recorded(tmp_path / "mine")
    assert [path.name for path in changed.changed_files()] == ["mine.py"]
    assert replay(changed, changed.backtest()).identical
    mine.unlink()
    assert changed.changed_files() == []
    assert replay(changed, changed.backtest()).identical


def test_another_strategy_over_the_same_data_differs_at_its_first_other_decision(
    recorded: Recorded, varied: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.py"
    other.write_text(varied.read_text().replace("250 == 2", "250 == 3"))
    found = replay(recorded, recorded.backtest(strategy=(str(other), None)))
    assert found.difference is not None
    assert not found.identical
    assert found.difference.recorded is not None
    assert found.difference.recorded["qty"] == "10000000"
    same = tmp_path / "same.py"
    same.write_text(varied.read_text() + "\n# only a remark\n")
    assert replay(recorded, recorded.backtest(strategy=(str(same), None))).identical


def test_moved_data_are_found_by_their_new_place_and_other_data_are_refused(
    varied: Path, tmp_path: Path, stocks: list[Any]
) -> None:
    source = DataSource(where=str(tmp_path / "ibm.csv"))
    write_bars(tmp_path / "ibm.csv")
    record(Backtest(load_strategy(varied), source.read(None)), tmp_path / "kept", [source])
    recorded = Recorded(tmp_path / "kept")
    assert replay(recorded, recorded.backtest()).identical
    (tmp_path / "moved").mkdir()
    moved = (tmp_path / "ibm.csv").rename(tmp_path / "moved" / "ibm.csv")
    with pytest.raises(DataGone, match=r"ibm\.csv, are not there"):
        recorded.backtest()
    assert replay(recorded, recorded.backtest([str(moved)])).identical
    write_bars(moved, close=7)
    with pytest.raises(StateError, match=r"the content of the data of IBM\.LOCAL .* has changed"):
        recorded.backtest([str(moved)])
    with pytest.raises(StateError, match=r"recorded on IBM.LOCAL \(bars\); these data are OTHER.LOCAL"):
        recorded.backtest([str(moved.rename(tmp_path / "other.csv"))])
    with pytest.raises(UsageError, match="1 sources"):
        recorded.backtest(["a.csv", "b.csv"])


def test_recording_that_moves_with_its_data_needs_no_word(varied: Path, tmp_path: Path) -> None:
    home = tmp_path / "before"
    home.mkdir()
    write_bars(home / "ibm.csv")
    source = DataSource(where=str(home / "ibm.csv"))
    record(Backtest(load_strategy(varied), source.read(None)), home / "kept", [source])
    home.rename(tmp_path / "after")
    recorded = Recorded(tmp_path / "after" / "kept")
    assert replay(recorded, recorded.backtest()).identical


def write_bars(path: Path, close: int = 2) -> None:
    rows = [f"2020-01-{day:02},10{day}.25,110{day}.5,10{day}.0,10{day}.{close}5,1000" for day in range(10, 29)]
    path.write_text("\n".join(["date,open,high,low,close,volume", *rows]) + "\n")


# ---- folders, failures, damage


def test_recording_the_same_run_again_replaces_it_and_another_run_is_refused(
    backtest: Backtest, recorded: Recorded, varied: Path, stocks: list[Any]
) -> None:
    before = segments(recorded.folder)
    record(backtest, recorded.folder, [SOURCE])
    assert segments(recorded.folder) == before
    assert [path.name for path in recorded.folder.parent.iterdir()] == ["kept"]
    with pytest.raises(UsageError, match="another run"):
        record(Backtest(load_strategy(varied), stocks), recorded.folder, [SOURCE])
    assert segments(recorded.folder) == before


def test_recording_in_the_folder_one_is_in_is_replaced_too(
    backtest: Backtest, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = segments(recorded.folder)
    monkeypatch.chdir(recorded.folder)
    record(backtest, Path(), [SOURCE])
    assert segments(recorded.folder) == before
    assert [path.name for path in recorded.folder.parent.iterdir()] == ["kept"]


def test_folder_with_anything_else_in_it_is_refused_and_left_alone(backtest: Backtest, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        record(backtest, tmp_path)
    with pytest.raises(UsageError, match="is a file"):
        record(backtest, tmp_path / "mine.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_run_that_fails_is_kept_up_to_there_and_fails_the_same_in_a_replay(tmp_path: Path, stocks: list[Any]) -> None:
    file = tmp_path / "fails.py"
    file.write_text(FAILS.format(what="ValueError('no more')"))
    with pytest.raises(StrategyFault):
        record(Backtest(load_strategy(file), stocks), tmp_path / "kept", [SOURCE])
    recorded = Recorded(tmp_path / "kept")
    assert recorded.ending is not None
    assert "no more" in recorded.ending["error"]
    assert len(recorded.all_decisions().rows) > 50
    found = replay(recorded, recorded.backtest())
    assert found.identical, found.why
    fixed = tmp_path / "fixed.py"
    fixed.write_text(FAILS.format(what="ValueError('no more')").replace("== self.after", "== 10**9"))
    assert not replay(recorded, recorded.backtest(strategy=(str(fixed), None))).identical


@pytest.mark.parametrize("text", ["'caf\\udce9'", "'x' * 3_000_000"], ids=["surrogate", "long"])
def test_run_that_fails_with_a_text_no_record_can_hold_keeps_its_end(
    tmp_path: Path, stocks: list[Any], text: str
) -> None:
    file = tmp_path / "fails.py"
    file.write_text(FAILS.format(what=f"ValueError({text})"))
    with pytest.raises(StrategyFault):
        record(Backtest(load_strategy(file), stocks), tmp_path / "kept", [SOURCE])
    recorded = Recorded(tmp_path / "kept")
    assert recorded.survey.closed
    assert recorded.ending is not None
    assert "ValueError: " in recorded.ending["error"]
    assert replay(recorded, recorded.backtest()).identical


SAYS = """
import numpy as np

from lockstep import Strategy


class Says(Strategy):
    def on_bar(self, bar):
        half = np.float64(0.5)
        self.signal("BUY", confidence=half, target=half, stop=half, reasoning={reasoning})
"""


@pytest.mark.parametrize(
    ("reasoning", "kept"), [("'caf\\udce9'", "caf\\udce9"), ("'x' * 2_000_000", "x" * REASONING_MAX), ("'so'", "so")]
)
def test_signal_of_any_words_and_of_numpys_numbers_is_recorded(
    tmp_path: Path, stocks: list[Any], reasoning: str, kept: str
) -> None:
    file = tmp_path / "says.py"
    file.write_text(SAYS.format(reasoning=reasoning))
    outcome = record(
        Backtest(load_strategy(file), stocks, BacktestConfig(end_ns=953_000_000 * 10**9)), tmp_path / "kept", [SOURCE]
    )
    recorded = Recorded(tmp_path / "kept")
    assert len(outcome.signals) > 10
    assert recorded.signal_words(1) == kept
    assert replay(recorded, recorded.backtest()).identical


def test_run_that_was_interrupted_is_kept_and_the_same_as_far_as_it_went(tmp_path: Path, stocks: list[Any]) -> None:
    file = tmp_path / "fails.py"
    file.write_text(FAILS.format(what="KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        record(Backtest(load_strategy(file), stocks), tmp_path / "kept", [SOURCE])
    recorded = Recorded(tmp_path / "kept")
    assert recorded.ending is not None
    assert recorded.ending["interrupted"]
    fixed = tmp_path / "fixed.py"
    fixed.write_text(file.read_text().replace("raise KeyboardInterrupt", "pass"))
    found = replay(recorded, recorded.backtest(strategy=(str(fixed), None)))
    assert found.identical, found.why
    assert found.compared == recorded.ending["decisions"]


def test_recording_with_its_end_cut_off_is_never_called_identical(recorded: Recorded) -> None:
    (path,) = recorded.folder.glob("*.journal")
    whole = path.read_bytes()
    path.write_bytes(whole[:-50])
    torn = Recorded(recorded.folder)
    found = replay(torn, torn.backtest())
    assert not found.identical
    assert "breaks off" in found.why
    assert "torn" in found.why
    path.write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])
    with pytest.raises(DamagedJournal, match="block 1"):
        Recorded(recorded.folder)


@pytest.mark.parametrize("name", ["hash_schema", "decision_schema"])
def test_recording_of_another_schema_is_refused_with_both_numbers(
    recorded: Recorded, tmp_path: Path, name: str
) -> None:
    recorded.identity[name] += 1
    said = rf"{name.replace('_', ' ')} {recorded.identity[name]}, Lockstep .* has"
    with pytest.raises(RefuseError, match=said):
        forge(recorded, recorded.all_decisions().rows, tmp_path / "newer").backtest()


def test_journal_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    with JournalWriter(tmp_path / "other", {"of": "something else"}):
        pass
    with pytest.raises(UsageError, match="not the recording of a backtest"):
        Recorded(tmp_path / "other")

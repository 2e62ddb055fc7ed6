"""`lockstep backtest --record`, `replay`, `why` and `orders`: exit codes, one message each, and nothing changed by reading."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from lockstep.app.cli.demo import STRATEGY
from lockstep.run.backtest import Backtest
from lockstep.run.data_source import DataSource
from lockstep.run.recording import record
from lockstep.run.strategy_file import load_strategy
from lockstep.store.journal.crc32c import crc32c

Call = Callable[..., Result]
CallJson = Callable[..., dict[str, Any]]
IBM = ("--data", "us_stocks", "--symbol", "IBM", "--no-sensitivity", "--no-save")
READERS = (
    ("replay", "kept"),
    ("replay", "kept", "--until", "2005-01-03"),
    ("why", "3", "--journal", "kept"),
    ("orders", "--journal", "kept"),
    ("journal", "verify", "kept"),
    ("journal", "cat", "kept", "--limit", "9"),
)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of the EMA cross on IBM, made once."""
    folder = tmp_path_factory.mktemp("recorded")
    strategy = Path(shutil.copy(STRATEGY, folder))
    source = DataSource(where="us_stocks", symbols=("IBM",))
    record(Backtest(load_strategy(strategy), source.read(None)), folder / "kept", [source])
    return folder / "kept"


@pytest.fixture
def kept(call: Call, recorded: Path) -> Path:
    """A copy of it in the folder where commands are called."""
    return Path(shutil.copytree(recorded, "kept"))


def contents(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_times_that_are_printed_are_taken_again_to_the_nanosecond(call: Call, call_json: CallJson, kept: Path) -> None:
    record = call_json("journal", "cat", "kept", "--type", "accept", "--limit", "1")["records"][0]
    at = record["ts"]
    assert len(at) == len("2000-06-05T20:00:00.123456789Z")
    assert call_json("replay", "kept", "--until", at)["identical"] is True
    assert call_json("journal", "cat", "kept", "--from", at, "--limit", "1")["records"] == [record]
    earlier = call_json("journal", "cat", "kept", "--until", at)["records"]
    assert earlier[-1]["sequence"] == record["sequence"] - 1
    found = call("journal", "cat", "kept", "--from", f"{at[:-1]}1Z", code=2)
    assert "--from is no moment" in found.stderr
    assert "ns since" not in found.stderr


def test_words_of_a_strategy_cannot_pass_for_a_line_of_why(call: Call) -> None:
    Path("forger.py").write_text(
        "from lockstep import Strategy\n\n\nclass Forger(Strategy):\n    def on_bar(self, bar):\n"
        "        said = self.signal('BUY', reasoning='up\\n2001-01-01T00:00:00Z  risk  refused\\x1b[31m')\n"
        "        self.buy(1, signal=said)\n"
    )
    call("backtest", "forger.py", *IBM, "--end", "2000-06-01", "--record", "forged")
    shown = call("why", "1", "--journal", "forged").stdout
    assert not any(line.startswith("2001") for line in shown.splitlines())
    assert "\x1b[31m" not in shown
    assert "up\\n2001" in shown


def test_orders_of_a_recording_that_was_cut_off_say_so(call: Call, kept: Path) -> None:
    journal = kept / "00000001.journal"
    journal.write_bytes(journal.read_bytes()[:-1])
    assert "breaks off after record 1: " in call("orders", "--journal", "kept", "--json", code=0).stderr
    refused = call("why", "3", "--journal", "kept", code=2).stderr
    assert "the run made none" not in refused
    assert "breaks off" in refused


@pytest.mark.parametrize(("size", "fact"), [(0, "its header is torn: 0 bytes of 128"), (128, "no record is there")])
def test_recording_of_which_nothing_was_written_is_no_journal_of_something_else(
    call: Call, kept: Path, size: int, fact: str
) -> None:
    journal = kept / "00000001.journal"
    journal.write_bytes(journal.read_bytes()[:size])
    refused = call("replay", "kept", code=1).stderr
    assert fact in refused
    assert "record the run again" in refused


def test_difference_counts_no_events_that_came_after_it(call: Call, kept: Path) -> None:
    Path("other.py").write_text(
        "from lockstep import Strategy\n\n\nclass Other(Strategy):\n    def on_bar(self, bar):\n        self.buy(1)\n"
    )
    said = call("replay", "kept", "--strategy", "other.py", code=1).stdout
    assert "the same before: 0 decisions" in said


def test_recording_is_named_and_replays_identically(call: Call, call_json: CallJson, ema_cross: str) -> None:
    run = call_json("backtest", ema_cross, *IBM, "--record", "kept")
    assert run["recording"] == "kept"
    found = call_json("replay", "kept")
    assert found["identical"] is True
    assert (found["events"], found["hash"], found["run_hash"]) == (run["events"], run["decision_hash"], run["run_hash"])
    assert found["recorded_hash"] == found["hash"]
    assert call("replay", "kept", code=0).stdout.startswith("identical: ")


def test_run_of_a_settings_file_is_recorded_and_replayed(call: Call, call_json: CallJson) -> None:
    call("new", "trend", "--config", code=0)
    run = call_json(
        "run", "--config", "trend.toml", "--no-save", "--set", "output.sensitivity=false", "--record", "kept"
    )
    found = call_json("replay", "kept")
    assert (found["identical"], found["run_hash"]) == (True, run["run_hash"])


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_reading_a_recording_changes_nothing_in_its_folder(call: Call, kept: Path, words: tuple[str, ...]) -> None:
    before = contents(kept)
    call(*words, code=0)
    assert contents(kept) == before


@pytest.mark.parametrize("words", READERS, ids=" ".join)
@pytest.mark.parametrize("damage", ["altered", "newer", "empty"])
def test_journal_that_cannot_be_read_gets_one_message_and_stays_as_it_is(
    call: Call, kept: Path, words: tuple[str, ...], damage: str
) -> None:
    path = kept / "00000001.journal"
    data = bytearray(path.read_bytes())
    if damage == "altered":
        data[300] ^= 1  # in the identity
    elif damage == "newer":
        data[16] += 1
        data[124:128] = crc32c(bytes(data[:124])).to_bytes(4, "little")
    else:
        path.unlink()
    if damage != "empty":
        path.write_bytes(data)
    before = contents(kept)
    result = call(*words)
    assert result.exit_code in (1, 2)
    said = {
        "altered": "damaged in block 1",
        "newer": "journal schema 2, this version reads 1",
        "empty": "no journal in",
    }
    assert said[damage] in result.stderr
    assert sum(line.startswith("error") for line in result.stderr.splitlines()) == 1
    assert contents(kept) == before


def test_recording_that_breaks_off_is_not_identical(call_json: CallJson, kept: Path) -> None:
    path = kept / "00000001.journal"
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    found = call_json("replay", "kept", code=1)
    assert found["identical"] is False
    assert "breaks off" in found["why"]
    path.write_bytes(whole[:400])
    assert "which run it is of" in call_json("replay", "kept", code=1)["error"]


def test_first_decision_of_another_strategy_that_differs_is_shown(
    call: Call, call_json: CallJson, kept: Path, ema_cross: str
) -> None:
    Path("other.py").write_text(Path(ema_cross).read_text().replace("fast: int = 10", "fast: int = 11"))
    found = call_json("replay", "kept", "--strategy", "other.py", code=1)
    assert found["difference"]["recorded"] != found["difference"]["replayed"]
    said = call("replay", "kept", "--strategy", "other.py", code=1).stdout
    assert "not identical: a decision differs" in said
    assert "\nrecorded " in said
    assert "\nreplayed " in said
    call("replay", "kept", "--class", "Other", code=2)
    missing = call("replay", "kept", "--strategy", "othr.py", code=2)
    assert "'other.py'" in missing.stderr


def test_changed_file_is_told_and_the_recorded_source_runs(call: Call, ema_cross: str) -> None:
    call("backtest", ema_cross, *IBM, "--record", "kept", code=0)
    Path(ema_cross).write_text("x = 1\n")
    said = call("replay", "kept", code=0).stdout
    assert "ema_cross.py says something else now; what was recorded ran" in said
    assert "identical" in said


def test_state_at_a_time_is_printed(call: Call, call_json: CallJson, kept: Path) -> None:
    found = call_json("replay", "kept", "--until", "2005-01-03")
    assert found["identical"]
    assert found["state"]["counts"]["events"] == found["events"]
    assert found["until"] <= "2005-01-03"
    assert "EMA(10)" in call("replay", "kept", "--until", "2005-01-03", code=0).stdout
    call("replay", "kept", "--until", "1980-01-01", code=2)


def test_why_tells_the_chain_and_an_unknown_order_names_the_nearest(
    call: Call, call_json: CallJson, kept: Path
) -> None:
    said = call("why", "3", "--journal", "kept", code=0).stdout
    places = [
        said.index(word)
        for word in ("order 3:", " event ", " indicators ", "buying_power", "submit:", "accept:", "fill:")
    ]
    assert places == sorted(places)
    found = call_json("why", "3", "--journal", "kept")
    assert found["order"]["id"] == 3
    assert found["missing"] == ""
    unknown = call("why", "99999", "--journal", "kept", code=2)
    assert "no order 99999" in unknown.stderr
    assert "nearest: " in unknown.stderr


def test_data_that_are_gone_stop_a_replay_and_leave_why_what_was_recorded(
    call: Call, call_json: CallJson, strategy: Callable[[str], str], prices: Callable[..., str], apple: list[list[str]]
) -> None:
    file = prices(apple, name="aapl.csv")
    mine = strategy(
        "from lockstep import Strategy\n\n\nclass Mine(Strategy):\n    def on_bar(self, bar):\n        self.buy(1)\n"
    )
    call("backtest", mine, "--data", file, "--no-sensitivity", "--no-save", "--record", "kept", code=0)
    Path("elsewhere").mkdir()
    Path(file).rename("elsewhere/aapl.csv")
    gone = call("replay", "kept", code=2)
    assert "aapl.csv, are not there" in gone.stderr
    assert "--data PLACE" in gone.stderr
    assert call_json("replay", "kept", "--data", "elsewhere/aapl.csv")["identical"]
    ids = [order["id"] for order in call_json("orders", "--journal", "kept")["orders"]]
    found = call_json("why", str(ids[0]), "--journal", "kept")
    assert "are not there" in found["missing"]
    assert "order" in {link["link"] for link in found["chain"]}
    assert "not known: " in call("why", str(ids[0]), "--journal", "kept", code=0).stdout


def test_orders_are_filtered_and_wrong_words_are_answered(call: Call, call_json: CallJson, kept: Path) -> None:
    found = call_json("orders", "--journal", "kept", "--status", "filled", "--symbol", "ibm", "--limit", "5")
    assert len(found["orders"]) == 5
    assert {order["state"] for order in found["orders"]} == {"FILLED"}
    assert call_json("orders", "--journal", "kept", "--status", "REJECTED")["orders"] == []
    assert "0 of " in call("orders", "--journal", "kept", "--status", "REJECTED", code=0).stdout
    assert "'REJECTED'" in call("orders", "--journal", "kept", "--status", "rejcted", code=2).stderr
    assert "'IBM'" in call("orders", "--journal", "kept", "--symbol", "IBN", code=2).stderr


def test_folder_of_another_run_is_refused_before_the_run_and_after_the_data(
    call: Call, kept: Path, ema_cross: str
) -> None:
    before = contents(kept)
    other = call("backtest", ema_cross, *IBM, "--cash", "5000", "--record", "kept", code=2)
    assert "another run" in other.stderr
    assert contents(kept) == before
    Path("full").mkdir()
    Path("full/mine").write_text("mine")
    assert "not empty" in call("backtest", ema_cross, *IBM, "--record", "full", code=2).stderr
    assert json.loads(call("replay", "full", "--json", code=2).stdout)["error"] == "no journal in full"


def test_recording_and_logs_go_together(call: Call, call_json: CallJson, ema_cross: str) -> None:
    run = call_json("backtest", ema_cross, *IBM, "--record", "kept", "--logs", "logs")
    assert call_json("replay", "kept")["run_hash"] == run["run_hash"]
    assert "session_summary" in "".join(path.read_text() for path in Path("logs").rglob("*.log"))

"""`lockstep journal`: what a recorded run says, and how a torn or damaged one is told."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import journals
import pytest
from click.testing import Result

from lockstep.engine.records import RECORD_NAMES
from lockstep.run.backtest import Outcome
from lockstep.run.journal_lines import JournalLines
from lockstep.run.tables import fill_blocks
from lockstep.store.catalog.times import time_text
from lockstep.store.journal.reader import Journal
from lockstep.store.journal.writer import JournalWriter

Call = Callable[..., Result]
CallJson = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    folder = tmp_path_factory.mktemp("recording") / "recorded"
    return folder, journals.record_backtest(folder)


@pytest.fixture
def recorded(recording: tuple[Path, Outcome], tmp_path: Path) -> Path:
    """A copy to spoil, in the folder where commands are called."""
    (tmp_path / "recorded").mkdir()
    for path in recording[0].glob("*.journal"):
        (tmp_path / "recorded" / path.name).write_bytes(path.read_bytes())
    return tmp_path / "recorded"


def segment(folder: Path) -> Path:
    return folder / "00000001.journal"


def test_verify_of_a_whole_journal_counts_what_is_in_it(call: Call, call_json: CallJson, recorded: Path) -> None:
    found = Journal(recorded).survey()
    told = call_json("journal", "verify", "recorded")
    assert (told["status"], told["records"], told["segments"], told["closed"]) == ("whole", found.records, 1, True)
    assert told["hash"] == found.chain.hex()
    assert f"{found.records:,} records" in call("journal", "verify", "recorded", code=0).stdout


def test_cat_shows_the_fills_of_the_run_to_the_digit(
    call_json: CallJson, recorded: Path, recording: tuple[Path, Outcome]
) -> None:
    told = call_json("journal", "cat", "recorded", "--type", "fill", "--type", "partial")["records"]
    (fills,) = list(fill_blocks(recording[1]))
    assert len(told) == len(fills["ts"]) > 20
    for k, line in enumerate(told):
        assert line["symbol"] == fills["symbol"][k]
        assert (float(line["price"]), float(line["qty"])) == (fills["price"][k], fills["qty"][k])
        assert line["side"] == ("BUY" if fills["side"][k] > 0 else "SELL")
        assert line["ts"] == time_text(int(fills["ts"][k]))
        assert line["execution_id"] == fills["exec_id"][k]


def test_export_writes_one_object_a_record_in_order(
    call: Call, call_json: CallJson, recorded: Path, recording: tuple[Path, Outcome]
) -> None:
    told = call_json("journal", "export", "recorded", "--out", "all.jsonl")
    lines = [json.loads(line) for line in (recorded.parent / "all.jsonl").read_text().splitlines()]
    assert told == {"journal": "recorded", "out": "all.jsonl", "records": len(lines), "torn": False}
    assert [line["sequence"] for line in lines] == list(range(1, len(lines) + 1))
    kinds = Counter(line["type"] for line in lines)
    words = Counter(RECORD_NAMES[int(row[2]) & 63] for block in recording[1].decisions.blocks() for row in block)
    assert kinds == words | Counter(JournalOpened=1, JournalClosed=1, Signal=len(recording[1].signals))
    assert kinds["submit"] > 0
    assert (
        call("journal", "export", "recorded", "--out", "-", code=0).stdout
        == (recorded.parent / "all.jsonl").read_text()
    )
    assert call_json("journal", "export", "recorded", "--type", "submit")["out"] == "recorded.jsonl"


def test_from_and_until_are_a_half_open_range_of_the_engines_clock(call_json: CallJson, recorded: Path) -> None:
    every = call_json("journal", "cat", "recorded")["records"]
    middle = call_json("journal", "cat", "recorded", "--from", "2002-01-01", "--until", "2004-01-01")["records"]
    assert middle == [line for line in every if "2002-01-01" <= line["ts"] < "2004-01-01"]
    assert 0 < len(middle) < len(every)
    assert call_json("journal", "cat", "recorded", "--limit", "3")["records"] == every[:3]


def test_cat_for_people_is_one_line_a_record_whatever_a_text_holds(call: Call, tmp_path: Path) -> None:
    with JournalWriter(tmp_path / "j", {}) as writer:
        writer.append_fact({"type": "Note", "text": "one\n\x1b[31mtwo", "plain": "word", "ts": 10**9, "raw": b"\xff"})
        writer.append_fact({"type": "O\u202ed d\n", "n\no": float("nan")})
    lines = call("journal", "cat", "j", code=0).stdout.splitlines()
    assert len(lines) == 4
    assert r'text="one\n\u001b[31mtwo"' in lines[1]
    assert "plain=word" in lines[1]
    assert "at=1970-01-01T00:00:01Z" in lines[1]
    assert lines[2].split(maxsplit=2)[2].startswith(r'"O\u202ed d\n"')
    told = json.loads(call("journal", "cat", "j", "--json", code=0).stdout)["records"]
    assert (told[1]["raw"], told[2]["n\no"]) == ("/w==", None)


def test_market_events_are_told_in_the_instruments_units(tmp_path: Path) -> None:
    identity = {"instruments": [{"symbol": "X", "price_decimals": 2, "qty_decimals": 1}], "strategies": ["S"]}
    events = journals.market(6)
    events["kind"] = [5, 4, 3, 2, 0, 0]
    events["aux"] = [0, 0, 3, 1, 1, 2]
    events["flags"] = [1, 0, 0, 1, 0, 0]
    for k, name in enumerate(("p0", "p1", "p2", "p3")):
        events[name] = 100 + k
    events["p1"][5] = 2
    with JournalWriter(tmp_path, identity) as writer:
        writer.append_market(events)
    names = JournalLines(identity)
    bar, quote, trade, book, split, dividend = [names.line(record) for record in [*Journal(tmp_path).records()][1:-1]]
    assert (bar["symbol"], bar["open"], bar["close"], bar["carried"]) == ("X", "1.00", "1.03", True)
    assert (quote["bid"], quote["ask_qty"]) == ("1.00", "10.3")
    assert (trade["price"], trade["qty"], trade["trade_id"], trade["aggressor"]) == ("1.00", "10.1", 102, "BUY")
    assert (book["side"], book["action"], book["venue_sequence"]) == ("SELL", "SET", 103)
    assert (split["type"], split["new_shares"], split["old_shares"]) == ("corporate_action", 100, 101)
    assert (dividend["action"], dividend["amount"]) == ("DIVIDEND", "1.00")


def test_torn_tail_is_told_from_damage(call: Call, call_json: CallJson, recorded: Path) -> None:
    content = segment(recorded).read_bytes()
    segment(recorded).write_bytes(content[:-1])
    told = call_json("journal", "verify", "recorded", code=1)
    assert (told["status"], told["file"]) == ("torn", "00000001.journal")
    result = call("journal", "verify", "recorded", code=1)
    assert "the last block" in result.stderr
    assert "hint: lockstep journal recover recorded" in result.stderr
    assert "is torn" in call("journal", "cat", "recorded", "--limit", "100000", code=0).stderr
    segment(recorded).write_bytes(content[:500] + bytes([content[500] ^ 1]) + content[501:])
    told = call_json("journal", "verify", "recorded", code=1)
    assert (told["status"], told["file"], told["block"], told["offset"]) == ("damaged", "00000001.journal", 1, 128)
    assert "damaged in block 1 at byte 128" in call("journal", "verify", "recorded", code=1).stderr
    assert call_json("journal", "cat", "recorded", code=1)["type"] == "DamagedJournal"
    call("journal", "export", "recorded", code=1)
    assert [path.name for path in recorded.parent.iterdir() if path.suffix != ".journal"] == ["recorded"]
    assert segment(recorded).read_bytes()[:500] == content[:500]


def test_cat_of_a_damaged_journal_gives_what_stands_before(call: Call, recorded: Path) -> None:
    with JournalWriter(recorded, Journal(recorded).identity()) as writer:
        writer.append_fact({"type": "Last"})
    content = bytearray(segment(recorded).read_bytes())
    content[-3] ^= 1
    segment(recorded).write_bytes(bytes(content))
    result = call("journal", "cat", "recorded", code=1)
    before = len(result.stdout.splitlines())
    assert before > 100
    assert result.stderr.startswith("error: recorded/00000001.journal: damaged in block")


def test_recover_says_what_a_restart_finds_and_cuts_only_with_permission(
    call: Call, call_json: CallJson, recorded: Path
) -> None:
    with JournalWriter(recorded, Journal(recorded).identity()) as writer:
        writer.snapshot(b"state")
        writer.append_fact({"type": "Last"})
    content = segment(recorded).read_bytes()
    segment(recorded).write_bytes(content[:-1])
    told = call_json("journal", "recover", "recorded")
    assert told["snapshot"] is not None
    assert (told["set_aside"], told["skipped"]) == (None, [])
    assert told["torn_bytes"] > 0
    assert told["replay"] == told["last_sequence"] - told["snapshot"]
    assert segment(recorded).read_bytes() == content[:-1]
    assert "--cut moves those bytes" in call("journal", "recover", "recorded", code=0).stdout
    said = call("journal", "recover", "recorded", "--cut", code=0).stdout
    assert f"{told['torn_bytes']:,} bytes of a torn block set aside" in said
    assert call_json("journal", "verify", "recorded")["status"] == "whole"


def test_newer_journal_other_folder_and_wrong_words_get_one_message_each(call: Call, recorded: Path) -> None:
    assert "no journal in nowhere" in call("journal", "verify", "nowhere", code=2).stderr
    result = call("journal", "cat", "recorded", "--type", "fil", code=2)
    assert "no record of type 'fil'" in result.stderr
    assert "did you mean 'fill'?" in result.stderr
    assert "--from is no moment" in call("journal", "cat", "recorded", "--from", "yesterday", code=2).stderr
    assert "both want standard output" in call("journal", "export", "recorded", "--out", "-", "--json", code=2).stdout
    assert "did you mean 'journal verify'?" in call("journal", "verfy", "recorded", code=2).stderr


def test_journal_of_a_writer_at_work_is_said_not_to_be_closed(call: Call, tmp_path: Path) -> None:
    with JournalWriter(tmp_path / "j", {}) as writer:
        writer.flush()
        assert "not closed" in call("journal", "verify", "j", code=0).stdout
        call("journal", "recover", "j", "--cut", code=0)  # nothing is torn: there is nothing to cut
        whole = segment(tmp_path / "j").read_bytes()
        segment(tmp_path / "j").write_bytes(whole + b"half")
        assert "is writing this journal" in call("journal", "recover", "j", "--cut", code=1).stderr
        segment(tmp_path / "j").write_bytes(whole)


def test_export_never_writes_into_the_journal_nor_over_a_folder(call: Call, recorded: Path) -> None:
    journal = recorded / "00000001.journal"
    before = journal.read_bytes()
    for out in ("recorded/00000001.journal", "recorded/x.jsonl", "recorded/../recorded/y"):
        assert "inside the journal" in call("journal", "export", "recorded", "--out", out, code=2).stderr
    Path("there").mkdir()
    assert "--out there: a folder" in call("journal", "export", "recorded", "--out", "there", code=2).stderr
    assert journal.read_bytes() == before
    assert sorted(path.name for path in recorded.iterdir() if path.is_file()) == ["00000001.journal"]


def test_export_of_the_folder_one_is_in_lies_beside_it(
    call: Call, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = recorded.resolve()
    monkeypatch.chdir(recorded)
    call("journal", "export", ".", code=0)
    assert whole.with_name("recorded.jsonl").is_file()

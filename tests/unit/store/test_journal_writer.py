"""What is appended is what is read: kinds, order, modes, segments, one writer, and the same bytes compiled and pure."""

import hashlib
import os
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path
from typing import Any

import journals
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.model.enums import SignalAction
from lockstep.model.errors import InvariantError, StateError
from lockstep.model.messages import Signal
from lockstep.model.numbers import Nanos
from lockstep.store.journal import layout
from lockstep.store.journal.errors import JournalBusy
from lockstep.store.journal.layout import RecordKind
from lockstep.store.journal.reader import Journal
from lockstep.store.journal.writer import Durability, JournalWriter

SUPPORT = Path(__file__).resolve().parents[2] / "support"
SRC = Path(__file__).resolve().parents[3] / "src"


def test_records_of_all_kinds_come_back_as_they_were(tmp_path: Path) -> None:
    rows, events = journals.decisions(3, first=10), journals.market(2, first=20)
    with JournalWriter(tmp_path, journals.IDENTITY, ts=5) as writer:
        assert writer.append_decisions(rows) == 4
        assert writer.append_market(events) == 6
        assert writer.append_fact({"type": "Note", "text": "caf\u00e9", "n": -(2**63)}, ts=30, ts_event=29) == 7
    opened, *read, closed = Journal(tmp_path).records()
    assert [record.sequence for record in read] == [2, 3, 4, 5, 6, 7]
    assert [record.kind for record in read] == [RecordKind.DECISION] * 3 + [RecordKind.MARKET] * 2 + [RecordKind.FACT]
    assert b"".join(record.payload for record in read[:3]) == rows.tobytes()
    assert b"".join(record.payload for record in read[3:5]) == events.tobytes()
    assert [(record.ts, record.ts_event) for record in read[:5]] == [
        *((int(row[0]), int(row[1])) for row in rows), (20, 19), (21, 20),
    ]  # fmt: skip
    assert (read[5].ts, read[5].ts_event) == (30, 29)
    assert read[5].fact() == {"type": "Note", "text": "caf\u00e9", "n": -(2**63)}
    assert (opened.ts, opened.fact()["identity"]) == (5, journals.IDENTITY)
    assert (closed.ts, closed.fact()) == (30, {"type": "JournalClosed", "reason": ""})


def test_messages_of_the_model_are_facts_as_they_are(tmp_path: Path) -> None:
    signal = Signal(
        signal_id=1, ts=Nanos(7), strategy="S", symbol="IBM", action=SignalAction.BUY, confidence=0.5, reasoning="why"
    )
    with JournalWriter(tmp_path, {}) as writer:
        writer.append_fact(signal)
    _, record, _ = Journal(tmp_path).records()
    assert msgspec.convert(record.fact(), Signal) == signal


@pytest.mark.parametrize("mode", list(Durability))
def test_thousand_records_in_two_segments_are_one_chain(mode: Durability, tmp_path: Path) -> None:
    records = journals.make(tmp_path / "one", durability=mode)
    assert [record.sequence for record in records] == list(range(1, 1001))
    found = Journal(tmp_path / "one").survey()
    assert (found.records, found.last_sequence, found.closed, found.torn) == (1000, 1000, True, None)
    assert found.segments >= 2
    assert found.size == sum(path.stat().st_size for path in (tmp_path / "one").glob("*.journal"))
    middle = list(Journal(tmp_path / "one").records(after=900))
    assert middle == records[900:]


def test_going_on_continues_sequence_and_chain_and_refuses_another_run(tmp_path: Path) -> None:
    with JournalWriter(tmp_path, journals.IDENTITY) as writer:
        writer.append_decisions(journals.decisions(5, first=100))
    with pytest.raises(StateError, match="of another run"):
        JournalWriter(tmp_path, {"of": "another"})
    with JournalWriter(tmp_path, journals.IDENTITY) as writer:
        assert writer.appended == 8
        assert writer.clock == 104
        writer.append_decisions(journals.decisions(5, first=104))
    records, journal = journals.read_all(tmp_path)
    assert [record.sequence for record in records] == list(range(1, 15))
    assert "identity" not in records[7].fact()
    assert journal.identity() == journals.IDENTITY


def test_time_never_goes_back_and_a_refused_append_leaves_nothing(tmp_path: Path) -> None:
    rows = journals.decisions(4, first=10)
    rows[2, 0] = 9
    with JournalWriter(tmp_path, {}) as writer:
        with pytest.raises(InvariantError, match="goes back at row 2: ts is 9, after 11"):
            writer.append_decisions(rows)
        assert writer.appended == 1
        writer.append_decisions(rows[:2])
        with pytest.raises(InvariantError, match="ts is 10, after 11"):
            writer.append_fact({"type": "Late"}, ts=10)
        with pytest.raises(InvariantError, match="goes back at row 0: ts is 10, after 11"):
            writer.append_decisions(rows[:1])
    assert Journal(tmp_path).survey().records == 4


def test_times_before_1970_are_in_order_too(tmp_path: Path) -> None:
    rows = journals.decisions(3)
    rows[:, 0] = (-(2**63), -5, 2**63 - 1)
    with JournalWriter(tmp_path, {}, ts=-(2**63)) as writer:
        writer.append_decisions(rows)
        assert writer.clock == 2**63 - 1
    assert [record.ts for record in Journal(tmp_path).records()][:4] == [-(2**63), -(2**63), -5, 2**63 - 1]


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ({"n": 1}, "needs a text type"),
        ({"type": 3}, "needs a text type"),
        ({"type": "Big", "n": 2**64}, "a Big cannot be journalled"),
        ({"type": "Odd", "n": object()}, "a Odd cannot be journalled"),
        ({"type": "Long", "text": "x" * 2**20}, "at most 1,048,576 can be journalled"),
    ],
)
def test_fact_that_cannot_be_kept_is_refused_whole(fact: dict[str, object], said: str, tmp_path: Path) -> None:
    with JournalWriter(tmp_path, {}) as writer:
        with pytest.raises(StateError, match=said):
            writer.append_fact(fact)
        assert writer.appended == 1


def test_rows_of_another_shape_are_refused(tmp_path: Path) -> None:
    with JournalWriter(tmp_path, {}) as writer:
        wrong: list[Any] = [np.zeros((2, 9), np.int64), np.zeros((2, 8)), np.zeros(8, np.int64)]
        for rows in wrong:
            with pytest.raises(InvariantError, match="a DECISION record is 8 words of int64"):
                writer.append_decisions(rows)
        assert writer.append_decisions(np.zeros((0, 8), np.int64)) == 1
        strided = np.zeros((4, 16), np.int64)[::2, :8]
        assert writer.append_decisions(strided) == 3


def test_fact_longer_than_a_block_stands_alone(tmp_path: Path) -> None:
    text = "y" * (layout.FACT_BYTES_MAX - 100)
    with JournalWriter(tmp_path, {}) as writer:
        writer.append_decisions(journals.decisions(3))
        writer.append_fact({"type": "Long", "text": text})
        writer.append_decisions(journals.decisions(3, first=3))
    assert [block.head.records for block in Journal(tmp_path).blocks()] == [4, 1, 4]
    assert list(Journal(tmp_path).records())[4].fact()["text"] == text


def test_append_after_close_is_refused_and_closing_twice_is_once(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, {})
    writer.close("done")
    writer.close()
    with pytest.raises(InvariantError, match="append after close"):
        writer.append_decisions(journals.decisions(1))
    with pytest.raises(InvariantError, match="append after close"):
        writer.append_fact({"type": "Late"})
    assert Journal(tmp_path).survey().records == 2


def test_second_writer_is_refused_with_the_process_of_the_first(tmp_path: Path) -> None:
    with JournalWriter(tmp_path, {}) as writer:
        with pytest.raises(JournalBusy, match=f"process {os.getpid()} is writing"):
            JournalWriter(tmp_path, {})
        writer.append_fact({"type": "Still"})
    with JournalWriter(tmp_path, {}):
        pass


def test_durable_append_is_committed_when_it_returns_and_a_group_when_it_ends(tmp_path: Path) -> None:
    syncs: list[str] = []

    def watch(what: str, _: int) -> None:
        if what == "sync":
            syncs.append(what)

    with JournalWriter(tmp_path, {}, durability="durable", files=journals.FaultyFiles(watch)) as writer:
        before = len(syncs)
        assert writer.append_decisions(journals.decisions(3)) == writer.committed == 4
        assert len(syncs) == before + 1
        assert Journal(tmp_path).survey().records == 4
        with writer.group():
            writer.append_decisions(journals.decisions(3, first=3))
            writer.append_fact({"type": "Same"})
            assert (writer.appended, writer.committed) == (8, 4)
        assert writer.committed == 8
        assert len(syncs) == before + 2
        with suppress(KeyError), writer.group():
            writer.append_fact({"type": "Happened"})
            raise KeyError("the caller's own fault")
        assert writer.committed == 9  # it had happened


def test_relaxed_journal_reaches_the_system_by_block_by_time_and_by_flush(tmp_path: Path) -> None:
    with JournalWriter(tmp_path, {}, flush_seconds=None) as writer:
        writer.append_decisions(journals.decisions(3))
        assert writer.committed == 0
        writer.flush_if_due()
        assert writer.committed == 0
        writer.flush()
        assert writer.committed == 4
        writer.append_decisions(journals.decisions(2000, first=3))  # more than a block
        assert 4 < writer.committed < writer.appended
    with JournalWriter(tmp_path, {}, flush_seconds=0.0) as writer:
        before = writer.appended
        writer.append_decisions(journals.decisions(1, first=5000))
        assert writer.committed == before  # what was there before goes first
        writer.flush_if_due()
        assert writer.committed == writer.appended


def test_writer_that_ends_by_an_exception_leaves_the_journal_open_and_whole(tmp_path: Path) -> None:
    with suppress(KeyError), JournalWriter(tmp_path, {}) as writer:
        writer.append_decisions(journals.decisions(3))
        raise KeyError
    found = Journal(tmp_path).survey()
    assert (found.records, found.closed, found.torn) == (4, False, None)


def test_bytes_are_the_same_compiled_and_pure_and_every_time(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        sys.path.insert(0, sys.argv[1])
        import journals
        journals.make(Path(sys.argv[2]), 300, segment_bytes=10_000)
    """)
    env = {**os.environ, "PYTHONPATH": str(SRC), "LOCKSTEP_PURE": "1"}
    command = [sys.executable, "-c", program, str(SUPPORT), str(tmp_path / "pure")]
    subprocess.run(command, env=env, check=True, timeout=120)
    journals.make(tmp_path / "here", 300, segment_bytes=10_000)
    names = sorted(path.name for path in (tmp_path / "here").glob("*.journal"))
    assert len(names) >= 3
    for name in names:
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "pure" / name).read_bytes()


KINDS = st.sampled_from(["decisions", "market", "fact", "flush", "reopen", "group"])


@given(st.lists(st.tuples(KINDS, st.integers(0, 40)), max_size=25), st.sampled_from([200, 3000, 10**9]))
def test_any_order_of_appends_comes_back_in_that_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]], segment_bytes: int
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    expected: list[bytes] = []

    def append(writer: JournalWriter, what: str, count: int) -> None:
        first = writer.clock + count
        if what == "decisions":
            rows = journals.decisions(count, first)
            writer.append_decisions(rows)
            expected.extend(row.tobytes() for row in rows)
        elif what == "market":
            events = journals.market(count, first)
            writer.append_market(events)
            expected.extend(event.tobytes() for event in events)
        else:
            fact = {"type": "F", "text": "z" * count * 50}
            writer.append_fact(fact)
            expected.append(msgspec.msgpack.encode(fact, order="deterministic"))

    writer = JournalWriter(folder, {}, segment_bytes=segment_bytes)
    for what, count in steps:
        if what == "flush":
            writer.flush()
        elif what == "reopen":
            writer.close()
            writer = JournalWriter(
                folder, {}, segment_bytes=segment_bytes, durability=["relaxed", "durable"][count % 2]
            )
        elif what == "group":
            with writer.group():
                append(writer, "fact", count)
                append(writer, "decisions", count)
        else:
            append(writer, what, count)
    writer.close()
    records, journal = journals.read_all(folder)
    ours = (b"JournalOpened", b"JournalClosed")
    assert [record.payload for record in records if not any(name in record.payload for name in ours)] == expected
    assert [record.sequence for record in records] == list(range(1, len(records) + 1))
    assert all(one.ts <= other.ts for one, other in zip(records, records[1:], strict=False))
    assert journal.survey().closed


def test_identity_hash_does_not_depend_on_the_order_of_keys() -> None:
    assert layout.identity_digest({"a": 1, "b": 2}) == layout.identity_digest({"b": 2, "a": 1})
    assert layout.identity_digest({}) == hashlib.blake2b(b"{}", digest_size=32).digest()
    with pytest.raises(StateError, match="plain data"):
        layout.identity_digest({"a": object()})

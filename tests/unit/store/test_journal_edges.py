"""Edges of a journal that nothing else reaches: a group larger than a block, a disk that takes nothing, a header cut off."""

import errno
from pathlib import Path

import journals
import msgspec
import pytest

from lockstep.model.errors import StateError
from lockstep.store.journal.errors import JournalFailed
from lockstep.store.journal.files import Files
from lockstep.store.journal.layout import FACT_BYTES_MAX, FACT_HEAD_BYTES, NO_HASH, RecordKind
from lockstep.store.journal.reader import Journal, Survey
from lockstep.store.journal.writer import JournalWriter

SEGMENT = "00000001.journal"


def test_facts_of_a_group_larger_than_a_block_are_all_there(tmp_path: Path) -> None:
    with JournalWriter(tmp_path, {}, durability="durable") as writer, writer.group():
        for number in range(900):
            writer.append_fact({"type": "Note", "number": number, "text": "x" * 100})
    facts = [record.fact() for record in Journal(tmp_path).records() if record.kind == RecordKind.FACT]
    assert [fact["number"] for fact in facts if fact["type"] == "Note"] == list(range(900))


class Deaf(Files):
    """A disk that takes no byte and gives no reason."""

    def __init__(self) -> None:
        self.deaf = False

    def write(self, number: int, data: memoryview) -> int:
        return 0 if self.deaf else super().write(number, data)


def test_disk_that_takes_nothing_is_an_error_and_not_waited_for(tmp_path: Path) -> None:
    disk = Deaf()
    writer = JournalWriter(tmp_path, {}, files=disk)
    writer.append_decisions(journals.decisions(10))
    disk.deaf = True
    with pytest.raises(JournalFailed):
        writer.flush()
    writer._release()
    with pytest.raises(OSError, match="took no byte") as caught:
        disk.write_all(0, memoryview(b"abc"))
    assert caught.value.errno == errno.EIO


def test_lock_that_was_let_go_says_nothing_of_who_wrote(tmp_path: Path) -> None:
    with JournalWriter(tmp_path, {}):
        assert (tmp_path / "lock").stat().st_size > 0
    assert (tmp_path / "lock").stat().st_size == 0


@pytest.mark.parametrize("size", [0, 1, 40])
def test_journal_without_a_whole_header_holds_nothing_and_is_torn(size: int, tmp_path: Path) -> None:
    with JournalWriter(tmp_path, {}) as writer:
        writer.append_decisions(journals.decisions(3))
    path = tmp_path / SEGMENT
    path.write_bytes(path.read_bytes()[:size])
    journal = Journal(tmp_path)
    found = journal.survey()
    assert found == Survey(1, 0, 0, size, 0, 0, 0, 0, 0, NO_HASH, closed=False, torn=journal.torn)


def test_fact_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(tmp_path: Path) -> None:
    empty = len(msgspec.msgpack.encode({"type": "Note", "text": "x" * 2**17})) - 2**17
    room = FACT_BYTES_MAX - FACT_HEAD_BYTES - empty
    with JournalWriter(tmp_path, {}) as writer:
        writer.append_fact({"type": "Note", "text": "x" * room})
        with pytest.raises(StateError, match="can be journalled"):
            writer.append_fact({"type": "Note", "text": "x" * (room + 1)})
    facts = [record.fact() for record in Journal(tmp_path).records() if record.kind == RecordKind.FACT]
    assert [len(fact["text"]) for fact in facts if fact["type"] == "Note"] == [room]

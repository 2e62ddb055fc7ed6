"""Snapshots beside a journal, and what a restart takes: the newest state that checks, and the records after it."""

from pathlib import Path

import journals
import pytest

from lockstep.model.errors import InvariantError, StateError
from lockstep.store.journal.crc32c import crc32c
from lockstep.store.journal.layout import digest
from lockstep.store.journal.reader import Journal
from lockstep.store.journal.recovery import recover
from lockstep.store.journal.snapshots import read_snapshot, snapshot_path, snapshot_paths
from lockstep.store.journal.writer import JournalWriter

TAKEN = (11, 22, 33)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three snapshots, ten records before each and after the last."""
    with JournalWriter(tmp_path / "j", journals.IDENTITY, segment_bytes=1500) as writer:
        for turn in range(3):
            writer.append_decisions(journals.decisions(10, first=100 * turn + 1))
            writer.snapshot(f"state {turn}".encode() * 100)
        writer.append_decisions(journals.decisions(10, first=301))
    return tmp_path / "j"


def test_restart_takes_the_newest_snapshot_and_the_records_after_it(folder: Path) -> None:
    every = list(Journal(folder).records())
    found = recover(folder)
    assert found.snapshot is not None
    assert (found.snapshot.sequence, found.snapshot.clock) == (33, 210)
    assert found.snapshot.state == b"state 2" * 100
    assert found.skipped == ()
    assert list(found.records()) == every[33:]
    assert every[33].fact() == {
        "type": "SnapshotTaken", "sequence": 33, "state_hash": digest(found.snapshot.state).hex(),
    }  # fmt: skip


def test_snapshot_is_taken_of_records_that_are_on_the_disk(tmp_path: Path) -> None:
    order: list[str] = []
    files = journals.FaultyFiles(lambda what, _: order.append(what))
    with JournalWriter(tmp_path, {}, files=files) as writer:
        writer.append_decisions(journals.decisions(3))
        order.clear()
        writer.snapshot(b"state")
        assert writer.committed >= 4
    # the journal's block and its fsync; then the snapshot's own file: written, synced, named, its folder synced
    assert order[:2] == ["write", "sync"]
    assert order[2:].index("create") < order[2:].index("rename")
    with JournalWriter(tmp_path, {}, durability="durable") as writer:
        with writer.group(), pytest.raises(InvariantError, match="inside a group"):
            writer.snapshot(b"state")
        assert len(snapshot_paths(tmp_path)) == 1


def spoil(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 4
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("at", [0, 17, 21, 25, 33, 45, 60, 90, 130, 150, -1])
def test_altered_snapshot_is_passed_over_for_the_one_before(at: int, folder: Path) -> None:
    spoil(snapshot_path(folder, 33), at)
    found = recover(folder)
    assert found.snapshot is not None
    assert found.snapshot.sequence == 22
    assert len(found.skipped) == 1
    assert next(found.records()).sequence == 23


def test_every_cut_of_a_snapshot_is_noticed(folder: Path) -> None:
    path = snapshot_path(folder, 33)
    content = path.read_bytes()
    for size in range(0, len(content), 7):
        path.write_bytes(content[:size])
        with pytest.raises(StateError):
            read_snapshot(path)
    path.write_bytes(content + b"x")
    with pytest.raises(StateError, match="its state of 701 bytes is not the one of 700"):
        read_snapshot(path)


def test_restart_without_a_good_snapshot_replays_everything(folder: Path) -> None:
    for path in snapshot_paths(folder):
        spoil(path, 40)
    found = recover(folder)
    assert found.snapshot is None
    assert len(found.skipped) == 3
    assert list(found.records()) == list(Journal(folder).records())


def test_snapshot_under_another_name_of_another_run_or_history_is_passed_over(folder: Path, tmp_path: Path) -> None:
    snapshot_path(folder, 22).rename(snapshot_path(folder, 44))
    with JournalWriter(tmp_path / "other", {"of": "another run"}) as writer:
        writer.append_decisions(journals.decisions(42))
        other = writer.snapshot(b"other")
    other.rename(snapshot_path(folder, 43))
    with JournalWriter(tmp_path / "twin", journals.IDENTITY) as writer:
        writer.append_decisions(journals.decisions(41))
        twin = writer.snapshot(b"twin")
    twin.rename(snapshot_path(folder, 42))
    found = recover(folder)
    assert found.snapshot is not None
    assert found.snapshot.sequence == 33
    assert [text.split(": ")[-1].removeprefix("the snapshot ") for text in found.skipped] == [
        "it holds the state after record 22",
        "after record 43 is of another run",
        "after record 42 is of another history than the journal's",
    ]


def test_newer_snapshot_version_is_said(folder: Path) -> None:
    path = snapshot_path(folder, 33)
    content = bytearray(path.read_bytes())
    content[16:20] = (2).to_bytes(4, "little")
    content[20:24] = bytes(4)
    content[20:24] = crc32c(bytes(content[:144])).to_bytes(4, "little")
    path.write_bytes(bytes(content))
    with pytest.raises(StateError, match="snapshot schema 2, this version reads 1"):
        read_snapshot(path)


def test_old_snapshots_go_and_so_many_stay(tmp_path: Path) -> None:
    with JournalWriter(tmp_path, {}) as writer:
        for turn in range(5):
            writer.append_decisions(journals.decisions(1, first=turn + 1))
            writer.snapshot(b"s", keep=2)
    assert len(snapshot_paths(tmp_path)) == 2
    assert recover(tmp_path).snapshot is not None

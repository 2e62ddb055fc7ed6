"""The simulator itself: a few seeds, the kept scripts, the same run twice, and scripts that can be made shorter."""

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from disk import Crash, FaultyFiles
from journals import decisions
from script import Fault, Script, load, make_script, shrink
from simulate import REGRESSIONS, numbers, run_script, run_seed, scratch
from world import World

from lockstep.store.journal.errors import JournalFailed, JournalFull
from lockstep.store.journal.files import Files
from lockstep.store.journal.reader import Journal
from lockstep.store.journal.writer import JournalWriter

HERE = Path(__file__).parent


@pytest.mark.slow  # uncompiled
@pytest.mark.parametrize("seed", range(900, 906))
def test_seed_breaks_no_invariant(seed: int) -> None:
    result = run_seed((seed, 1500))
    assert not result.number, result.text
    assert result.checks > 0


@pytest.mark.slow  # uncompiled
@pytest.mark.parametrize("path", sorted(REGRESSIONS.glob("*.json")), ids=lambda path: path.stem)
def test_kept_script_breaks_no_invariant(path: Path) -> None:
    result = run_script(load(path))
    assert not result.number, result.text


def _journal_of(seed: int) -> bytes:
    """Everything the run wrote, apart from the names of the processes."""
    with scratch() as folder:
        world = World(make_script(seed, 1200), folder)
        assert world.run() is None
        return b"".join(path.read_bytes() for path in sorted(world.folder.glob("*.journal")))


def test_same_seed_writes_the_same_journal_to_the_byte() -> None:
    first = _journal_of(77)
    assert len(first) > 50_000
    assert _journal_of(77) == first
    assert _journal_of(78) != first


@pytest.mark.slow
def test_seed_writes_the_same_journal_whatever_the_hash_seed() -> None:
    script = "import hashlib, test_simulator as t; print(hashlib.sha256(t._journal_of(77)).hexdigest())"
    paths = [
        HERE,
        HERE.parent / "support",
        HERE.parents[1] / "src",
        *os.environ.get("PYTHONPATH", "").split(os.pathsep),
    ]
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": os.pathsep.join(str(path) for path in paths if path),
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def test_faults_of_a_seed_are_the_same_each_time_and_come_back_from_a_file(tmp_path: Path) -> None:
    script = make_script(5, 500)
    assert script == make_script(5, 500)
    assert script != make_script(6, 500)
    script.save(tmp_path / "kept.json", "a note")
    assert load(tmp_path / "kept.json") == script
    assert json.loads((tmp_path / "kept.json").read_text(encoding="utf-8"))["note"] == "a note"


def test_shrinking_leaves_exactly_the_faults_that_are_needed() -> None:
    faults = tuple(Fault("market", n, "loss", 0) for n in range(1, 60))
    needed = {faults[7], faults[31], faults[58]}
    short = shrink(Script(1, 100, "durable", faults), lambda script: needed <= set(script.faults))
    assert set(short.faults) == needed


def test_numbers_of_seeds_are_read_from_lists_and_ranges() -> None:
    assert numbers("3,7-9,12") == [3, 7, 8, 9, 12]


def test_power_cut_keeps_what_was_synced_and_may_take_the_rest(tmp_path: Path) -> None:
    kept = set()
    for seed in range(40):
        disk = FaultyFiles(lambda seam: None)
        path = tmp_path / f"{seed}"
        number = disk.create(path)
        disk.write(number, memoryview(b"a" * 600))
        disk.sync(number)
        disk.sync_folder(tmp_path)
        disk.write(number, memoryview(b"b" * 2000))
        disk.restart()
        disk.cut_power(Random(seed))
        left = path.read_bytes()
        assert left.startswith(b"a" * 600)
        kept.add(left.rstrip(b"\0").count(b"b"))
    assert len(kept) > 10


def test_power_cut_may_take_a_name_whose_folder_was_not_synced(tmp_path: Path) -> None:
    there = set()
    for seed in range(20):
        disk = FaultyFiles(lambda seam: None)
        number = disk.create(tmp_path / f"{seed}")
        disk.write(number, memoryview(b"x"))
        disk.sync(number)
        disk.restart()
        disk.cut_power(Random(seed))
        there.add((tmp_path / f"{seed}").exists())
    assert there == {True, False}


def test_disk_of_a_process_that_has_crashed_takes_nothing_more(tmp_path: Path) -> None:
    disk = FaultyFiles(lambda seam: ("crash_torn", 3) if seam == "write" else None)
    number = disk.create(tmp_path / "file")
    with pytest.raises(Crash):
        disk.write(number, memoryview(b"12345678"))
    with pytest.raises(OSError, match="the process is gone"):
        disk.sync(number)
    disk.restart()
    assert (tmp_path / "file").read_bytes() == b"123"


# ---- what the simulator found in the journal, each stated by itself


def test_segment_that_a_killed_writer_had_only_named_survives_a_power_cut(tmp_path: Path) -> None:
    for seed in range(12):  # a cut takes back an unsynced name in half of the cases
        folder, switch = tmp_path / f"{seed}", dict[str, tuple[str, int]]()
        disk = FaultyFiles(switch.get)
        writer = JournalWriter(folder, {}, files=disk, segment_bytes=1000, flush_seconds=None)
        writer.append_decisions(decisions(20))
        writer.sync()
        switch["rename"] = ("crash_after", 0)
        with pytest.raises(Crash):
            writer.append_decisions(decisions(1, first=21))
        writer._release()
        disk.restart()
        switch.clear()
        writer = JournalWriter(folder, {}, files=disk, segment_bytes=1000, flush_seconds=None)
        writer.append_decisions(decisions(5, first=21))
        writer.sync()
        promised = writer.appended
        writer._release()
        disk.restart()
        disk.cut_power(Random(seed))
        assert Journal(folder).survey().last_sequence == promised


def test_new_journal_keeps_the_names_of_the_folders_above_it(tmp_path: Path) -> None:
    synced: list[Path] = []

    class Noting(Files):
        def sync_folder(self, folder: Path) -> None:
            synced.append(folder)
            super().sync_folder(folder)

    with JournalWriter(tmp_path / "a" / "b", {}, files=Noting()):
        assert {tmp_path, tmp_path / "a", tmp_path / "a" / "b"} <= set(synced)


@pytest.mark.parametrize(("fault", "error"), [(("enospc", 0), JournalFull), (("eio", 0), JournalFailed)])
def test_disk_that_refuses_while_a_torn_tail_is_set_aside_is_named(
    tmp_path: Path, fault: tuple[str, int], error: type[Exception]
) -> None:
    with JournalWriter(tmp_path, {}) as writer:
        writer.append_decisions(decisions(20))
    path = tmp_path / "00000001.journal"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(error, match="a torn tail could not be set aside"):
        JournalWriter(tmp_path, {}, set_torn_aside=True, files=FaultyFiles({"write": fault}.get))
    with JournalWriter(tmp_path, {}, set_torn_aside=True) as writer:
        assert writer.appended > 0

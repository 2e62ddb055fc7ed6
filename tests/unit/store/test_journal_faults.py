"""The disk fills up, refuses, forgets: an append is in the journal whole or not at all, and what was promised is there."""

import errno
import os
import resource
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import journals
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.model.errors import InvariantError
from lockstep.store.journal.errors import JournalFailed, JournalFull
from lockstep.store.journal.files import Files
from lockstep.store.journal.reader import Journal
from lockstep.store.journal.snapshots import snapshot_paths
from lockstep.store.journal.writer import JournalWriter

SUPPORT = Path(__file__).resolve().parents[2] / "support"
SRC = Path(__file__).resolve().parents[3] / "src"


class Trouble:
    """What goes wrong from now on: an errno for a call by its name; for `write`, how many bytes are taken first."""

    def __init__(self) -> None:
        self.error: dict[str, int] = {}
        self.short = 0

    def __call__(self, what: str, _: int) -> int | None:
        if what == "write" and self.short:
            taken, self.short = self.short, 0
            return taken
        if what in self.error:
            raise OSError(self.error[what], os.strerror(self.error[what]))
        return None


@pytest.fixture
def trouble() -> Trouble:
    return Trouble()


@pytest.mark.parametrize("mode", ["relaxed", "durable"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
@pytest.mark.parametrize("short", [0, 1, 50, 1000])
def test_full_disk_refuses_an_append_whole_and_takes_it_again_when_there_is_room(
    mode: str, code: int, short: int, trouble: Trouble, tmp_path: Path
) -> None:
    """3,000 rows are several blocks: none of them stays, not even those that found room, nor half a block."""
    with JournalWriter(tmp_path, {}, durability=mode, files=journals.FaultyFiles(trouble)) as writer:
        writer.append_decisions(journals.decisions(10))
        writer.flush()
        appended, before = writer.appended, (tmp_path / "00000001.journal").stat().st_size
        trouble.error["write"], trouble.short = code, short
        for _ in range(2):
            with pytest.raises(JournalFull, match="a block could not be written"):
                writer.append_decisions(journals.decisions(3000, first=20))
            assert writer.appended == appended
        assert (tmp_path / "00000001.journal").stat().st_size == before
        assert Journal(tmp_path).survey().torn is None
        trouble.error.clear()
        assert writer.append_decisions(journals.decisions(3000, first=20)) == appended + 3000
    records, _ = journals.read_all(tmp_path)
    assert len(records) == 1 + 10 + 3000 + 1


def test_full_disk_takes_back_a_whole_group(trouble: Trouble, tmp_path: Path) -> None:
    with JournalWriter(tmp_path, {}, durability="durable", files=journals.FaultyFiles(trouble)) as writer:
        trouble.error["write"] = errno.ENOSPC
        with pytest.raises(JournalFull), writer.group():  # noqa: PT012 - it is the group's end that raises
            writer.append_decisions(journals.decisions(5))
            writer.append_fact({"type": "Note"})
        assert writer.appended == writer.committed == 1
        trouble.error.clear()
        with writer.group():
            writer.append_decisions(journals.decisions(5))
    assert Journal(tmp_path).survey().records == 7


def test_group_that_was_taken_back_takes_no_more(trouble: Trouble, tmp_path: Path) -> None:
    with JournalWriter(tmp_path, {}, durability="durable", files=journals.FaultyFiles(trouble)) as writer:
        with writer.group():
            writer.append_decisions(journals.decisions(5))
            trouble.error["write"] = errno.ENOSPC
            with pytest.raises(JournalFull):
                writer.append_decisions(journals.decisions(2000, first=10))
            trouble.error.clear()
            with pytest.raises(InvariantError, match="a group that was taken back"):
                writer.append_fact({"type": "Note"})
        assert writer.appended == 1
        writer.append_fact({"type": "After"})
    assert Journal(tmp_path).survey().records == 3


def test_relaxed_flush_that_finds_no_room_still_holds_what_was_appended(trouble: Trouble, tmp_path: Path) -> None:
    with JournalWriter(tmp_path, {}, flush_seconds=None, files=journals.FaultyFiles(trouble)) as writer:
        writer.append_decisions(journals.decisions(10))
        trouble.error["write"] = errno.ENOSPC
        for _ in range(2):
            with pytest.raises(JournalFull, match="whole up to record 0"):
                writer.flush()
        assert (writer.appended, writer.committed) == (11, 0)
        trouble.error.clear()
        writer.flush()
        assert writer.committed == 11
    assert Journal(tmp_path).survey().records == 12


def test_short_write_is_finished(trouble: Trouble, tmp_path: Path) -> None:
    with JournalWriter(tmp_path, {}, files=journals.FaultyFiles(trouble)) as writer:
        writer.append_decisions(journals.decisions(10))
        trouble.short = 77
    assert Journal(tmp_path).survey().records == 12


@pytest.mark.parametrize("mode", ["relaxed", "durable"])
@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ({"write": errno.EIO}, "a block could not be written: input/output error"),
        ({"sync": errno.EIO}, "fsync failed: input/output error"),
        ({"sync": errno.ENOSPC}, "fsync failed: no space left on device"),
        ({"write": errno.ENOSPC, "truncate": errno.EIO}, "what a failed write left could not be taken back"),
    ],
)
def test_disk_that_cannot_be_trusted_ends_the_writer_for_good(
    mode: str, calls: dict[str, int], said: str, trouble: Trouble, tmp_path: Path
) -> None:
    writer = JournalWriter(tmp_path, {}, durability=mode, files=journals.FaultyFiles(trouble))
    writer.append_decisions(journals.decisions(10))
    writer.sync()
    trouble.error |= calls
    with pytest.raises(JournalFailed, match=said) as first:  # noqa: PT012 - relaxed, it is the sync that raises
        writer.append_decisions(journals.decisions(10, first=11))
        writer.sync()
    assert f"records up to {writer.committed} are" in str(first.value)
    trouble.error.clear()  # the next fsync would succeed: it is never asked for
    calls_before = writer._files.calls  # type: ignore[attr-defined]
    for again in (lambda: writer.append_fact({"type": "More"}), writer.flush, writer.sync):
        with pytest.raises(JournalFailed, match=said):
            again()
    writer.close()
    assert writer._files.calls == calls_before  # type: ignore[attr-defined]
    records, _ = journals.read_all(tmp_path)
    assert len(records) >= 11
    with JournalWriter(tmp_path, {}, set_torn_aside=True) as again_open:  # the lock was given back
        assert again_open.appended >= 12


@pytest.mark.parametrize("what", ["create", "write", "sync", "rename", "append_to"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_segment_that_cannot_be_begun_leaves_the_journal_whole(
    what: str, code: int, trouble: Trouble, tmp_path: Path
) -> None:
    writer = JournalWriter(tmp_path, {}, segment_bytes=1000, files=journals.FaultyFiles(trouble))
    writer.append_decisions(journals.decisions(20))
    writer.flush()
    trouble.error[what] = code
    kind = JournalFailed if code == errno.EIO or what == "sync" else JournalFull
    with pytest.raises(kind):
        writer.append_decisions(journals.decisions(20, first=21))
    assert writer.appended == 21
    assert Journal(tmp_path).survey().records == 21
    trouble.error.clear()
    if kind is JournalFull:
        writer.append_decisions(journals.decisions(20, first=21))
        writer.close()
        found = Journal(tmp_path).survey()
        assert (found.segments, found.records, found.closed) == (2, 42, True)
    else:
        writer.close()


def test_snapshot_that_finds_no_room_leaves_the_journal_at_work(trouble: Trouble, tmp_path: Path) -> None:
    with JournalWriter(tmp_path, {}, files=journals.FaultyFiles(trouble)) as writer:
        writer.append_decisions(journals.decisions(3))
        writer.sync()
        trouble.error["write"] = errno.ENOSPC
        with pytest.raises(JournalFull, match="a snapshot could not be written"):
            writer.snapshot(b"state")
        assert snapshot_paths(tmp_path) == []
        trouble.error.clear()
        writer.snapshot(b"state")
    assert len(snapshot_paths(tmp_path)) == 1
    assert not list((tmp_path / "snapshots").glob(".*"))


def test_file_size_limit_of_the_system_itself_is_a_full_disk(tmp_path: Path) -> None:
    """The same without an injected fault: the kernel takes part of the last block and then no byte more."""
    program = textwrap.dedent("""
        import resource, signal, sys
        from pathlib import Path
        sys.path.insert(0, sys.argv[1])
        import journals
        from lockstep.store.journal.errors import JournalFull
        from lockstep.store.journal.writer import JournalWriter
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        writer = JournalWriter(Path(sys.argv[2]), {})
        appended = 0
        try:
            for turn in range(10_000):
                appended = writer.append_decisions(journals.decisions(100, first=100 * turn + 1))
        except JournalFull as e:
            assert "file too large" in str(e), e
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        writer.flush()
        print(appended)
    """)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    env = {**os.environ, "PYTHONPATH": str(SRC)}
    command = [sys.executable, "-c", program, str(SUPPORT), str(tmp_path)]
    done = subprocess.run(command, env=env, check=True, timeout=60, capture_output=True, text=True)
    found = Journal(tmp_path).survey()
    assert (found.records, found.torn) == (int(done.stdout), None)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("mode", ["relaxed", "durable"])
def test_interrupt_in_a_write_ends_the_writer_and_no_block_is_written_twice(
    when: str, mode: str, tmp_path: Path
) -> None:
    class Interrupted(Files):
        on = False

        def write_all(self, number: int, data: memoryview) -> None:
            if self.on and when == "before":
                raise KeyboardInterrupt
            super().write_all(number, data)
            if self.on:
                raise KeyboardInterrupt

    files = Interrupted()
    with suppress(KeyboardInterrupt), JournalWriter(tmp_path, {}, durability=mode, files=files) as writer:
        writer.append_decisions(journals.decisions(10))
        writer.flush()
        files.on = True
        with suppress(KeyboardInterrupt):
            writer.append_decisions(journals.decisions(10, first=11))
            writer.flush()
        files.on = False
        with pytest.raises(JournalFailed, match="a write was not seen to its end: interrupted"):
            writer.sync()
        raise KeyboardInterrupt
    records, journal = journals.read_all(tmp_path)
    assert (len(records), journal.torn) == (11 if when == "before" else 21, None)


def test_group_can_be_neither_flushed_nor_closed_from_inside(tmp_path: Path) -> None:
    with JournalWriter(tmp_path, {}, durability="durable") as writer:
        with writer.group():
            writer.append_decisions(journals.decisions(3))
            for call in (writer.flush, writer.sync, writer.close):
                with pytest.raises(InvariantError, match="inside a group"):
                    call()
        assert writer.committed == 4


def test_refused_append_of_a_durable_journal_is_taken_off_the_disk(tmp_path: Path) -> None:
    """Blocks of it that found room were written: without an fsync after the cut, a power cut could bring them back."""
    asked: list[str] = []

    def watch(what: str, _: int) -> None:
        asked.append(what)
        if what == "write" and asked.count("write") == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    files = journals.FaultyFiles(lambda *_: None)
    with JournalWriter(tmp_path, {}, durability="durable", files=files) as writer:
        files.plan = watch
        with pytest.raises(JournalFull):
            writer.append_decisions(journals.decisions(2000))
        assert asked[-2:] == ["truncate", "sync"]


PLANS = st.dictionaries(
    st.integers(1, 60), st.sampled_from([errno.ENOSPC, errno.EIO, -1, -7, -300]), min_size=1, max_size=6
)


@given(PLANS, st.sampled_from(["relaxed", "durable"]), st.sampled_from([600, 5000, 10**9]))
def test_whatever_fails_what_was_promised_is_there_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, plan: dict[int, int], mode: str, segment_bytes: int
) -> None:
    """plan: by the number of the call an errno, or below zero how few bytes a write takes."""
    folder = tmp_path_factory.mktemp("journal")

    def fail(what: str, number: int) -> int | None:
        code = plan.get(number, 0)
        if code > 0:
            raise OSError(code, os.strerror(code))
        return -code if code and what == "write" else None

    accepted: list[bytes] = []
    committed = 0
    try:
        writer = JournalWriter(
            folder,
            {},
            durability=mode,
            segment_bytes=segment_bytes,
            flush_seconds=None,
            files=journals.FaultyFiles(fail),
        )
    except (JournalFull, JournalFailed):
        return
    for turn in range(12):
        rows = journals.decisions((turn * 37) % 90 + 1, first=writer.clock + 1)
        try:
            assert writer.append_decisions(rows) == writer.appended == len(accepted) + 1 + len(rows)
        except JournalFull:
            assert writer.appended == len(accepted) + 1
            continue
        except JournalFailed:
            break
        accepted += [row.tobytes() for row in rows]
        committed = writer.committed
        if mode == "durable":
            assert committed == writer.appended
    writer._release()  # a process that is gone: nothing more is written
    records = list(Journal(folder).records())
    decided = [record.payload for record in records[1:]]
    assert len(records) >= committed
    assert decided[: len(accepted)] == accepted[: len(decided)]  # a failed last append may be there: it was not denied


KILLED = """
    import sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[1])
    import journals
    from lockstep.store.journal.writer import JournalWriter
    writer = JournalWriter(Path(sys.argv[2]), {}, durability="durable", segment_bytes=30_000, set_torn_aside=True)
    turn = 0
    while True:
        turn += 1
        last = writer.append_decisions(journals.decisions(turn % 60 + 1, first=writer.clock + 1))
        print(last, flush=True)
"""


@pytest.mark.slow
def test_killed_process_loses_nothing_that_it_said_was_committed(tmp_path: Path) -> None:
    """Ten times over the same journal: each process goes on where the last one was killed, at any point."""
    env = {**os.environ, "PYTHONPATH": str(SRC)}
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(SUPPORT), str(tmp_path)]
    read_before = 0
    for turn in range(10):
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(3 + 17 * turn % 40)]
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read()
        told = [int(line) for line in ("".join(said) + rest).splitlines(keepends=True) if line.endswith("\n")]
        records, _ = journals.read_all(tmp_path)
        assert len(records) >= max(told)
        assert [record.sequence for record in records] == list(range(1, len(records) + 1))
        assert len(records) > read_before
        read_before = len(records)

"""A journal that was cut, altered, or is of another version: what is given is what was written, the rest is named."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import journals
import pytest

from lockstep.model.errors import LockstepError, RefuseError, StateError, UsageError
from lockstep.store.journal import layout
from lockstep.store.journal.crc32c import crc32c
from lockstep.store.journal.errors import DamagedJournal, TornJournal
from lockstep.store.journal.layout import Record
from lockstep.store.journal.reader import Journal
from lockstep.store.journal.writer import JournalWriter, cut_torn_tail

COUNT = 200
STEP = 97  # the sampled tests look at every so many bytes; tests/support/journal_exhaustive.py looks at all


class Original:
    """A journal that is left as it is, and copies of it to spoil."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records = journals.make(folder, COUNT, segment_bytes=7000)
        self.paths = sorted(folder.glob("*.journal"))
        self.blocks = list(Journal(folder).blocks())

    def spoiled(self, target: Path, path: Path, content: bytes) -> Path:
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.folder, target)
        (target / path.name).write_bytes(content)
        return target


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    return Original(tmp_path_factory.mktemp("original"))


def given_before(folder: Path) -> tuple[list[Record], LockstepError | None, Journal | None]:
    """What reading gives before it ends, and how it ends."""
    records: list[Record] = []
    journal = None
    try:
        journal = Journal(folder)
        for record in journal.records():
            records.append(record)  # noqa: PERF402 - what came before an error counts
    except (DamagedJournal, RefuseError) as e:
        return records, e, journal
    return records, None, journal


def test_journal_is_as_designed(original: Original) -> None:
    assert len(original.paths) >= 2
    assert len(original.records) == COUNT
    assert all(len(path.read_bytes()) % 8 == 0 for path in original.paths)


def test_last_segment_cut_anywhere_gives_the_blocks_before_and_names_the_torn_one(
    original: Original, tmp_path: Path
) -> None:
    path = original.paths[-1]
    content = path.read_bytes()
    blocks = [block for block in original.blocks if block.path == path]
    ends = {block.offset + 96 + block.head.size for block in blocks} | {128}
    for size in sorted({*range(0, len(content), STEP), *ends, *(end - 1 for end in ends), *(end + 1 for end in ends)}):
        if size >= len(content):
            continue
        folder = original.spoiled(tmp_path / "cut", path, content[:size])
        whole = [block for block in blocks if block.offset + 96 + block.head.size <= size]
        last = whole[-1].last_sequence if whole else blocks[0].head.first_sequence - 1
        records, error, journal = given_before(folder)
        assert error is None
        assert records == original.records[:last]
        assert journal is not None
        if size in ends:
            assert journal.torn is None
        else:
            assert journal.torn is not None
            begin = max((end for end in ends if end <= size), default=0)
            assert (journal.torn.path.name, journal.torn.offset, journal.torn.size) == (path.name, begin, size - begin)


def test_segment_before_the_last_cut_anywhere_is_damage(original: Original, tmp_path: Path) -> None:
    path = original.paths[0]
    content = path.read_bytes()
    for size in (*range(0, len(content), STEP), layout.SEGMENT_HEAD_BYTES, original.blocks[1].offset):
        folder = original.spoiled(tmp_path / "cut", path, content[:size])
        records, error, _ = given_before(folder)
        assert isinstance(error, DamagedJournal)
        assert records == original.records[: len(records)]


def test_every_flipped_bit_is_named_and_nothing_wrong_is_given(original: Original, tmp_path: Path) -> None:
    for path in original.paths:
        content = path.read_bytes()
        for at in range(0, len(content), STEP):
            spoiled = bytearray(content)
            spoiled[at] ^= 1 << (at % 8)
            folder = original.spoiled(tmp_path / "flip", path, bytes(spoiled))
            records, error, _ = given_before(folder)
            assert isinstance(error, RefuseError), (path.name, at)
            assert records == original.records[: len(records)]
            if isinstance(error, DamagedJournal):
                assert error.path.name == path.name
                assert error.offset <= at


def test_flipped_bit_in_a_record_names_segment_block_offset_and_record(original: Original, tmp_path: Path) -> None:
    block = original.blocks[2]
    at = block.offset + layout.BLOCK_HEAD_BYTES + 8 * block.starts[3] + 20
    content = bytearray(block.path.read_bytes())
    content[at] ^= 16
    folder = original.spoiled(tmp_path / "flip", block.path, bytes(content))
    with pytest.raises(DamagedJournal) as raised:
        Journal(folder).survey()
    found = raised.value
    assert (found.path.name, found.block, found.offset) == (block.path.name, block.head.number, block.offset)
    record_at = block.offset + 64 + 8 * block.starts[3]
    said = f"record {block.head.first_sequence + 3} at byte {record_at} does not match its CRC32C"
    assert said in str(found)
    assert "restore the file from a copy" in found.hint


def test_consistent_forgery_of_a_block_breaks_the_chain(original: Original, tmp_path: Path) -> None:
    """A block that was replaced, with checksums and its own hash made to fit, is found by the next one."""
    block = original.blocks[1]
    body = bytearray(block.body)
    first = layout.MARKET_WORDS  # any word of the payload of the first record
    body[first] ^= 1
    size = int.from_bytes(body[4:7], "little")
    sealed = block.head.first_sequence.to_bytes(8, "little") + bytes(4) + body[4:8] + body[8 : 8 + -(-size // 8) * 8]
    body[:4] = crc32c(sealed).to_bytes(4, "little")
    head = layout.pack_block_head(block.head)
    content = bytearray(block.path.read_bytes())
    end = block.offset + 64 + block.head.size
    content[block.offset + 64 : end] = body
    content[end : end + 32] = layout.digest(head, bytes(body))
    folder = original.spoiled(tmp_path / "forged", block.path, bytes(content))
    with pytest.raises(DamagedJournal, match=r"it follows a block of hash \w+, the one before has \w+") as raised:
        Journal(folder).survey()
    assert raised.value.block == block.head.number + 1


def test_missing_or_swapped_segment_is_damage(original: Original, tmp_path: Path) -> None:
    folder = original.spoiled(tmp_path / "missing", original.paths[0], original.paths[0].read_bytes())
    (folder / "00000001.journal").unlink()
    with pytest.raises(DamagedJournal, match=r"00000001\.journal is missing before it"):
        Journal(folder)
    folder = original.spoiled(tmp_path / "swapped", original.paths[0], original.paths[1].read_bytes())
    with pytest.raises(DamagedJournal, match="its number is 2, 1 was expected"):
        Journal(folder).survey()


def test_segment_of_another_journal_is_damage(original: Original, tmp_path: Path) -> None:
    journals.make(tmp_path / "other", COUNT + 41, segment_bytes=7000, ts=1)
    other = tmp_path / "other" / original.paths[-1].name
    folder = original.spoiled(tmp_path / "mixed", original.paths[-1], other.read_bytes())
    with pytest.raises(DamagedJournal, match="its chain is"):
        Journal(folder).survey()


@pytest.mark.parametrize("zeros", [1, 511, 512, 4096, 100_000, 5_000_000])
def test_tail_of_zeros_is_torn_where_whole_sectors_are_empty(original: Original, zeros: int, tmp_path: Path) -> None:
    """A file system may keep a file's new length and lose its bytes: a power cut, not a crash of ours."""
    path = original.paths[-1]
    folder = original.spoiled(tmp_path / "zeros", path, path.read_bytes() + bytes(zeros))
    records, error, journal = given_before(folder)
    assert records == original.records
    assert journal is not None
    assert (error is None, journal.torn is not None) == (True, True)


def test_last_block_of_which_whole_sectors_are_empty_is_torn_and_one_with_a_hole_of_bytes_is_damaged(
    tmp_path: Path,
) -> None:
    with JournalWriter(tmp_path, {}) as writer:
        writer.append_decisions(journals.decisions(10))
        writer.flush()
        writer.append_decisions(journals.decisions(100, first=11))
    path = tmp_path / "00000001.journal"
    content = path.read_bytes()
    path.write_bytes(content[:4096] + bytes(len(content) - 4096))
    records, journal = journals.read_all(tmp_path)
    assert len(records) == 11
    assert journal.torn is not None
    path.write_bytes(content[:4096] + bytes(100) + content[4196:])
    with pytest.raises(DamagedJournal):
        journals.read_all(tmp_path)


def test_last_block_that_is_zeros_from_any_byte_of_its_header_on_is_torn(tmp_path: Path) -> None:
    """Where a sector ends inside the header, its CRC may check and what stands behind it be lost."""
    cut_at = set()
    for pad in range(0, 512, 8):
        folder = tmp_path / f"{pad}"
        with JournalWriter(folder, {}) as writer:
            writer.append_fact({"type": "Padding", "text": "x" * pad})
            writer.flush()
            writer.append_decisions(journals.decisions(20))
            writer.flush()
            writer._release()
        path = folder / "00000001.journal"
        content, offset = path.read_bytes(), list(Journal(folder).blocks())[-1].offset
        sector = -(-offset // 512) * 512
        cut_at.add(sector - offset)
        path.write_bytes(content[:sector] + bytes(len(content) - sector))
        assert journals.read_all(folder)[1].torn is not None, f"zeros {sector - offset} bytes into the block"
    assert len([at for at in cut_at if at < 64]) == 8


def test_newer_version_is_refused_with_both_versions(original: Original, tmp_path: Path) -> None:
    content = bytearray(original.paths[0].read_bytes())
    content[16:20] = (layout.JOURNAL_SCHEMA_VERSION + 1).to_bytes(4, "little")
    content[124:128] = crc32c(bytes(content[:124])).to_bytes(4, "little")
    folder = original.spoiled(tmp_path / "newer", original.paths[0], bytes(content))
    with pytest.raises(RefuseError, match="journal schema 2, this version reads 1") as raised:
        Journal(folder)
    assert "the version of Lockstep that wrote it" in raised.value.hint
    with pytest.raises(RefuseError, match="journal schema 2"):
        JournalWriter(folder, journals.IDENTITY)


def test_what_is_no_journal_is_said_to_be_none(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UsageError, match=f"no journal in {re.escape(str(folder))}"):
            Journal(folder)
    (tmp_path / "00000001.journal").write_bytes(b"timestamp,open,high,low,close,volume\n" * 20)
    with pytest.raises(DamagedJournal, match="a journal begins with"):
        Journal(tmp_path)


def test_reading_changes_nothing(original: Original, tmp_path: Path) -> None:
    path = original.paths[-1]
    folder = original.spoiled(tmp_path / "torn", path, path.read_bytes()[:-5])
    for file in folder.iterdir():
        file.chmod(0o444)
    before = {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}
    journals.read_all(folder)
    Journal(folder).survey()
    assert {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()} == before


def test_reader_follows_a_writer_at_work(tmp_path: Path) -> None:
    with JournalWriter(tmp_path, {}, segment_bytes=500) as writer:
        for turn in range(1, 6):
            writer.append_decisions(journals.decisions(5, first=5 * turn))
            writer.flush()
            found = Journal(tmp_path).survey()
            assert (found.last_sequence, found.closed, found.torn) == (writer.committed, False, None)


Spoil = Callable[[bytes], bytes]


@pytest.mark.parametrize("kept", [1, 64, 127, 128, 140, 300, -40, -1])
def test_torn_tail_is_cut_only_with_permission_and_kept_beside(original: Original, kept: int, tmp_path: Path) -> None:
    path = original.paths[-1]
    content = path.read_bytes()[:kept]
    folder = original.spoiled(tmp_path / "torn", path, content)
    records, journal = journals.read_all(folder)
    torn = journal.torn
    if torn is None:
        assert kept == 128
        return
    with pytest.raises(TornJournal, match="is torn") as raised:
        JournalWriter(folder, journals.IDENTITY)
    assert "--cut" in raised.value.hint
    assert (folder / path.name).read_bytes() == content
    aside = cut_torn_tail(folder)
    assert aside is not None
    assert aside.read_bytes() == content[torn.offset :]
    assert aside.suffix != ".journal"
    assert cut_torn_tail(folder) is None
    with JournalWriter(folder, journals.IDENTITY) as writer:
        writer.append_decisions(journals.decisions(3, first=writer.clock))
    again, journal = journals.read_all(folder)
    assert again[: len(records)] == records
    assert len(again) == len(records) + 5
    assert journal.torn is None


def test_writer_with_permission_goes_on_after_a_torn_tail(original: Original, tmp_path: Path) -> None:
    path = original.paths[-1]
    folder = original.spoiled(tmp_path / "torn", path, path.read_bytes()[:-1])
    with JournalWriter(folder, journals.IDENTITY, set_torn_aside=True) as writer:
        assert writer.appended == original.blocks[-2].last_sequence + 1
    assert Journal(folder).survey().closed
    assert len(list(folder.glob("*.torn-*"))) == 1


def test_first_segment_cut_in_its_header_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "00000001.journal").write_bytes(layout.MAGIC)
    assert Journal(tmp_path).survey().torn is not None
    assert Journal(tmp_path).identity() is None
    with JournalWriter(tmp_path, {}, set_torn_aside=True) as writer:
        assert writer.appended == 1
    assert (tmp_path / "00000001.torn-0").read_bytes() == layout.MAGIC


def test_damage_stops_a_writer_even_with_permission(original: Original, tmp_path: Path) -> None:
    content = bytearray(original.paths[0].read_bytes())
    content[700] ^= 1
    folder = original.spoiled(tmp_path / "damaged", original.paths[0], bytes(content))
    with pytest.raises(DamagedJournal):
        JournalWriter(folder, journals.IDENTITY, set_torn_aside=True)
    with pytest.raises(DamagedJournal):
        cut_torn_tail(folder)
    assert (folder / original.paths[0].name).read_bytes() == bytes(content)


def test_record_of_another_kind_is_no_fact(original: Original) -> None:
    with pytest.raises(StateError, match="is a DECISION, not a FACT"):
        original.records[1].fact()

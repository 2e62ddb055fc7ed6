"""A journal of 1,000 records, cut at every byte and with every bit flipped: minutes, so only where it is asked for.

    LOCKSTEP_EXHAUSTIVE=1 python -m pytest tests/unit/store/test_journal_exhaustive.py -s

The suite runs the same over a sample of the bytes: test_journal_reader.py.
"""

import os
import sys
import time
from pathlib import Path

import journals
import pytest

from lockstep.store.journal.errors import DamagedJournal
from lockstep.store.journal.reader import Block, Journal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get("LOCKSTEP_EXHAUSTIVE"), reason="minutes: set LOCKSTEP_EXHAUSTIVE=1"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "journal"
    assert len(journals.make(folder, 1000)) == 1000
    return folder


def bodies(folder: Path, given: list[bytes]) -> Journal:
    """Collects what is given until the end or an error."""
    journal = Journal(folder)
    given.extend(block.body for block in journal.blocks())
    return journal


def end_of(block: Block) -> int:
    return block.offset + 96 + block.head.size


def test_every_cut_gives_the_longest_prefix_of_whole_blocks(folder: Path) -> None:
    blocks = list(Journal(folder).blocks())
    *before, path = sorted(folder.glob("*.journal"))
    content = path.read_bytes()
    began, cuts = time.perf_counter(), 0
    for size in reversed(range(len(content))):  # the last segment: a torn tail, or a shorter journal
        os.truncate(path, size)
        given: list[bytes] = []
        journal = bodies(folder, given)
        whole = [block for block in blocks if block.path != path or end_of(block) <= size]
        assert given == [block.body for block in whole]
        good = max((end_of(block) for block in whole if block.path == path), default=128 if size >= 128 else 0)
        assert (journal.torn is None) == (size == good and size > 0)
        if journal.torn is not None:
            assert (journal.torn.path, journal.torn.offset, journal.torn.size) == (path, good, size - good)
        cuts += 1
    path.write_bytes(content)
    for path in before:  # a segment that another follows: damage, wherever it is cut
        content = path.read_bytes()
        for size in reversed(range(len(content))):
            os.truncate(path, size)
            given = []
            with pytest.raises(DamagedJournal):
                bodies(folder, given)
            whole = [b for b in blocks if b.path < path or (b.path == path and end_of(b) <= size)]
            assert given == [block.body for block in whole] or (size < 128 and not given)
            cuts += 1
        path.write_bytes(content)
    assert Journal(folder).survey().records == 1000
    sys.stderr.write(f"\n{cuts:,} cuts, {time.perf_counter() - began:.0f} s\n")


def test_every_flipped_bit_is_found_in_its_block(folder: Path) -> None:
    blocks = list(Journal(folder).blocks())
    began, flips = time.perf_counter(), 0
    for path in sorted(folder.glob("*.journal")):
        mine = [block for block in blocks if block.path == path]
        content = path.read_bytes()
        number = os.open(path, os.O_WRONLY)
        for at, byte in enumerate(content):
            block = next((block for block in mine if block.offset <= at < end_of(block)), None)
            sound = blocks.index(block) if block else blocks.index(mine[0])
            for bit in range(8):
                os.pwrite(number, bytes([byte ^ 1 << bit]), at)
                given: list[bytes] = []
                with pytest.raises(DamagedJournal) as raised:
                    bodies(folder, given)
                found = raised.value
                if block is None:
                    assert (found.path, found.block, found.offset) == (path, -1, 0)
                else:
                    assert (found.path, found.block, found.offset) == (path, block.head.number, block.offset)
                assert given == [each.body for each in blocks[: len(given)]]
                assert len(given) in (0, sound)  # 0: a header that does not check stops before the first block
                flips += 1
            os.pwrite(number, bytes([byte]), at)
        os.close(number)
    assert Journal(folder).survey().records == 1000
    sys.stderr.write(f"\n{flips:,} flips, {time.perf_counter() - began:.0f} s\n")

"""Rows kept in memory or in a file: whichever it is, the same rows come back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lockstep.store import rowspool
from lockstep.store.rowspool import RowSpool

WORDS = 3


def block(rows: int, start: int = 0) -> NDArray[np.int64]:
    return np.arange(start * WORDS, (start + rows) * WORDS, dtype=np.int64).reshape(rows, WORDS)


def filled(sizes: list[int], memory_bytes_max: int) -> RowSpool:
    spool, start = RowSpool(WORDS, memory_bytes_max), 0
    for size in sizes:
        spool.append(block(size, start))
        start += size
    return spool


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(0, 60 * WORDS * 8), st.integers(1, 50))
def test_rows_in_file_equal_rows_in_memory(sizes: list[int], limit: int, per_read: int) -> None:
    before, rowspool.ROWS_PER_READ = rowspool.ROWS_PER_READ, per_read
    try:
        held, filed = filled(sizes, 10**9), filled(sizes, limit)
        whole = block(sum(sizes))
        for spool in (held, filed):
            assert spool.rows == len(whole)
            again = [np.concatenate([np.empty((0, WORDS), np.int64), *spool.blocks()]) for _ in range(2)]
            assert np.array_equal(again[0], whole)
            assert np.array_equal(again[1], whole)
            for index in range(WORDS):
                assert np.array_equal(spool.column(index), whole[:, index])
    finally:
        rowspool.ROWS_PER_READ = before


def test_floats_come_back_bit_for_bit() -> None:
    values = np.array([0.1, -0.0, np.inf, 1e-310, 1 / 3])
    for limit in (0, 10**6):
        spool = RowSpool(1, limit)
        spool.append(values.view(np.int64).reshape(-1, 1))
        assert spool.float_column(0).tobytes() == values.tobytes()


def test_appended_block_may_be_used_again_by_its_owner() -> None:
    for limit in (0, 10**6):
        spool, buffer = RowSpool(WORDS, limit), block(4)
        spool.append(buffer[:2])
        buffer[:] = -1
        assert np.array_equal(spool.column(0), [0, 3])


@pytest.mark.parametrize("limit", [0, 10**6])
def test_rows_appended_after_a_reader_stopped_half_way_go_to_the_end(
    limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rowspool, "ROWS_PER_READ", 2)
    spool = filled([3, 3], limit)
    reader = spool.blocks()
    next(reader)
    spool.append(block(2, 6))
    assert np.array_equal(np.concatenate(list(spool.blocks())), block(8))


def test_two_readers_at_once_do_not_disturb_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rowspool, "ROWS_PER_READ", 3)
    spool = filled([10], 0)
    pairs = list(zip(spool.blocks(), spool.blocks(), strict=True))
    assert all(np.array_equal(one, other) for one, other in pairs)
    assert np.array_equal(np.concatenate([one for one, _ in pairs]), block(10))


def test_empty_spool_has_no_blocks_and_empty_columns() -> None:
    spool = RowSpool(WORDS)
    assert list(spool.blocks()) == []
    assert spool.column(0).dtype == np.int64
    assert spool.float_column(2).dtype == np.float64
    assert len(spool.column(0)) == len(spool.float_column(2)) == 0

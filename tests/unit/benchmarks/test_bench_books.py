"""The rows of books: what the programs read, what counts as the same job, and rows whose data is absent."""

from array import array
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks import book_data, books
from benchmarks.ours_books import measure, steps_in
from benchmarks.peers.books import CLEAR, SET, STEP_NS, TRADE, RecordedBook, read_book, write_book
from benchmarks.peers.program import ProgramArguments, ProgramResult
from benchmarks.processes import Failed
from benchmarks.race import Setting

from lockstep.model.record import BOOK_FULL, BOOK_LAST

MS = 1_000_000
NUMBERS = [
    (5 * MS, MS, CLEAR, -2, 0, 0, 0),
    (5 * MS, MS, SET, 1, 1000, 5, 0),
    (5 * MS, MS, SET, -1, 1001, 7, 1),
    (6 * MS, 2 * MS, TRADE, -1, 1000, 2, 0),
    (7 * MS, 3 * MS, SET, 1, 1000, 3, 1),
]
BOOK = RecordedBook(1, 3, 0, 9, array("q", [number for row in NUMBERS for number in row]))


def result() -> ProgramResult:
    return ProgramResult("rival", "1.0", 100, 4, 4, 2, 1_000.5, 2.0, 50.0)


def test_recorded_book_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "x.book"
    write_book(path, BOOK)
    assert read_book(path) == BOOK
    assert list(read_book(path, 2).numbers) == list(BOOK.numbers[:14])
    assert len(BOOK) == 5


def test_records_of_a_recorded_book_begin_with_the_full_one() -> None:
    records = book_data.records_of(BOOK)
    whole = (records["flags"] & BOOK_FULL > 0).tolist()
    ends = (records["flags"] & BOOK_LAST > 0).tolist()
    assert whole == [True, True, True, False, False]
    assert ends == [False, False, True, False, True]
    assert records["p0"].tolist() == [0, 1000, 1001, 1000, 1000]
    assert np.array_equal(records["clock"] // MS, [5, 5, 5, 6, 7])


@pytest.mark.parametrize("row", ["l2_loop", "l2_call"])
def test_program_counts_changes_of_levels_and_tells_the_last_best_bid(tmp_path: Path, row: str) -> None:
    path = tmp_path / "x.book"
    write_book(path, BOOK)
    found = measure(ProgramArguments(row, path, None, 1))
    assert (found.events, found.crosses) == (3, 1000)


def test_steps_end_with_the_records_at_hand() -> None:
    numbers = array("q", [30 * STEP_NS, 0, SET, 1, 1, 1, 1])
    assert steps_in(RecordedBook(1, 1, 2 * STEP_NS, 100, numbers)) == 8
    assert steps_in(RecordedBook(1, 1, 2 * STEP_NS, 5, numbers)) == 5


def test_rival_with_other_orders_did_another_job() -> None:
    mine = result()
    assert books.same_orders(mine, replace(result(), fills=9)) == replace(result(), fills=9)  # its rules differ
    other = books.same_orders(mine, replace(result(), orders=5))
    assert isinstance(other, Failed)
    assert "rival sent 5 orders in 100 events, lockstep 4 orders in 100 events" in other.note
    assert books.same_orders(Failed("ours"), mine) == mine


def test_rows_of_books_without_their_data_say_so(tmp_path: Path) -> None:
    setting = Setting(tmp_path, repeat=1, quick=True, say=lambda _: None)
    for row in (books.l2_loop, books.l2_call, books.l3_loop, books.tick_backtest, books.tick_python, books.book_memory):
        for entry in row(setting):
            assert entry.value is None
            assert entry.note
            assert entry.is_acceptable is None

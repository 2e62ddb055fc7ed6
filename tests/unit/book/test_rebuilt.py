"""The probable queue behind levels: what each change of a level and each trade makes of it."""

import pytest
from book_rows import COIN, TICK

from lockstep.book.l2 import L2Book
from lockstep.book.rebuilt import RebuiltBook
from lockstep.book.saved import restore_book, restore_rebuilt, save_book, save_rebuilt
from lockstep.model.rows import EventRows

PRICE = 4 * TICK


def book_of(*sizes: int) -> RebuiltBook:
    """A bid level of orders of these sizes, joined one after another at the times 1, 2, ..."""
    book = RebuiltBook(COIN, L2Book(COIN, window=64))
    for k, size in enumerate(sizes, 1):
        book.update(1, PRICE, book.levels.qty_units_at(1, PRICE) + size, k)
    return book


def after(book: RebuiltBook, qty: int) -> list[int]:
    """What is left once the level shows so much and time has moved on."""
    book.update(1, PRICE, qty, 100)
    book.come_to(101)
    return book.sizes(1, PRICE)


def test_increase_joins_the_end_and_a_trade_eats_the_front() -> None:
    book = book_of(3, 5, 2)
    book.trade(1, PRICE, 4, 50)
    assert after(book, 6) == [4, 2]


def test_cancel_is_of_the_newest_order_of_that_size() -> None:
    assert after(book_of(3, 5, 3, 4), 12) == [3, 5, 4]


def test_cancel_of_no_orders_size_is_a_part_of_the_smallest_larger_one_which_keeps_its_place() -> None:
    assert after(book_of(9, 4, 7, 1), 19) == [9, 2, 7, 1]


def test_cancel_larger_than_every_order_begins_with_the_largest() -> None:
    assert after(book_of(2, 5, 4), 2) == [2]


@pytest.mark.parametrize("trade_first", [True, False])
def test_decrease_that_a_trade_of_its_moment_explains_is_no_cancel(trade_first: bool) -> None:
    book = book_of(3, 5, 3)
    if trade_first:
        book.trade(1, PRICE, 3, 100)
    book.update(1, PRICE, 8, 100)
    if not trade_first:
        assert book.sizes(1, PRICE) == [3, 5, 3]  # it waits for a trade
        book.trade(1, PRICE, 3, 100)
    book.come_to(101)
    assert book.sizes(1, PRICE) == [5, 3]


def test_trade_that_its_level_does_not_show_was_put_there_anew() -> None:
    book = book_of(3, 5)
    book.trade(1, PRICE, 3, 50)
    assert book.sizes(1, PRICE) == [5]
    book.update(1, 3 * TICK, 7, 60)  # the book is told, and our level is as it was
    book.come_to(61)
    assert book.sizes(1, PRICE) == [5, 3]


def test_order_that_joined_after_a_decrease_of_the_same_moment_did_not_leave_by_it() -> None:
    book = book_of(3, 5)
    book.update(1, PRICE, 5, 100)
    book.update(1, PRICE, 8, 100)
    book.come_to(101)
    assert book.sizes(1, PRICE) == [5, 3]


def test_trade_of_an_unknown_side_is_at_the_side_that_has_the_price() -> None:
    book = book_of(3, 5)
    book.trade(0, PRICE, 3, 50)
    assert book.sizes(1, PRICE) == [5]


def test_full_book_is_a_block_at_each_level_counted_by_the_usual_size() -> None:
    book = RebuiltBook(COIN, L2Book(COIN, window=64))
    book.load([(PRICE, 12)], [(6 * TICK, 5)], 1)
    assert (book.sizes(1, PRICE), book.orders_at(1, PRICE)) == ([12], 1)  # no order came yet: nothing is usual
    book.update(1, 3 * TICK, 4, 2)
    assert book.orders_at(1, PRICE) == 3


def test_full_book_keeps_the_orders_that_it_has_room_for() -> None:
    book = book_of(3, 5, 2)
    book.load([(PRICE, 11)], [], 50)
    assert book.sizes(1, PRICE) == [3, 5, 2, 1]
    book.load([(PRICE, 6)], [], 60)
    assert book.sizes(1, PRICE) == [3, 2, 1]
    book.load([], [(PRICE, 6)], 70)
    assert (book.sizes(1, PRICE), book.sizes(-1, PRICE)) == ([], [6])


def test_faulty_update_changes_nothing() -> None:
    book = book_of(3)
    assert book.update(1, PRICE, -1, 5) == 1
    assert book.update(1, PRICE + 1, 4, 5) == 1
    book.trade(1, PRICE + 1, 4, 5)
    book.trade(1, PRICE, -4, 5)
    assert book.sizes(1, PRICE) == [3]


def test_queue_longer_than_its_bound_tells_the_two_oldest_as_one() -> None:
    book = book_of(*[1] * 1030)
    sizes = book.sizes(1, PRICE)
    assert (len(sizes), sum(sizes), sizes[:2]) == (1024, 1030, [7, 1])


def test_ahead_of_a_mark_are_the_orders_that_were_there() -> None:
    book = book_of(3, 5)
    mark = book.next_id
    book.update(1, PRICE, 10, 50)
    assert book.ahead(1, 4, mark) == 8
    book.trade(1, PRICE, 4, 60)
    assert (book.ahead(1, 4, mark), book.ahead(-1, 4, mark), book.ahead(1, 5, mark)) == (4, 0, 0)


def test_rows_that_are_not_there_are_refused() -> None:
    rows = EventRows()
    with pytest.raises((IndexError, AttributeError)):
        RebuiltBook(COIN, L2Book(COIN, window=64)).apply(rows, 0, 3)


def test_saved_queue_goes_on_as_it_was() -> None:
    book = book_of(3, 5, 3)
    book.update(1, PRICE, 8, 100)
    book.trade(1, 3 * TICK, 3, 100)
    other = RebuiltBook(COIN, L2Book(COIN, window=64))
    restore_book(other.levels, save_book(book.levels))
    restore_rebuilt(other, save_rebuilt(book))
    assert save_rebuilt(other) == save_rebuilt(book)
    for each in (book, other):
        each.come_to(101)
        assert each.sizes(1, PRICE) == [3, 5]

"""Books as plain data: damaged or foreign data are refused, with what is wrong in them."""

import json
from typing import Any

import pytest
from book_rows import COIN, TICK

from lockstep.book.l2 import L2Book
from lockstep.book.l3 import L3Book
from lockstep.book.saved import restore_book, save_book


def levels() -> L2Book:
    book = L2Book(COIN)
    for side, price, qty in ((1, 40, 3), (1, 39, 2), (-1, 42, 5)):
        book.update(side, price * TICK, qty)
    return book


def orders() -> L3Book:
    book = L3Book(COIN)
    for order_id, side, price, qty in ((7, 1, 40, 3), (5, 1, 40, 2), (6, -1, 42, 5)):
        book.add(order_id, side, price * TICK, qty)
    return book


@pytest.mark.parametrize("make", [levels, orders])
def test_book_put_back_is_the_book_that_was_saved(make: Any) -> None:
    saved = json.loads(json.dumps(save_book(make())))
    book = type(make())(COIN)
    restore_book(book, saved)
    assert save_book(book) == saved
    assert book.depth_units(1, 9) == make().depth_units(1, 9)


@pytest.mark.parametrize(
    ("make", "change", "words"),
    [
        (levels, {"bids": [[40 * TICK + 1, 3]]}, "cannot have the level"),
        (levels, {"asks": [[40 * TICK, 0]]}, "saved quantity must be from 1"),
        (levels, {"faults": [0]}, "saved 'faults' must be a list of"),
        (levels, {"state": 99}, "saved 'state' must be from 0"),
        (orders, {"orders": [[1, 1, 40 * TICK, 3], [1, 1, 40 * TICK, 3]]}, "cannot have the order"),
        (orders, {"orders": None}, "NoneType"),
        (orders, {"unknown": -1}, "saved 'unknown' must be from 0"),
    ],
)
def test_damaged_book_is_refused_with_what_is_wrong(make: Any, change: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        restore_book(type(make())(COIN), save_book(make()) | change)


def test_book_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks 'bids'"):
        restore_book(L2Book(COIN), save_book(orders()))

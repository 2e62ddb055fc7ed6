"""AMZN, 2012-06-21, LOBSTER level 1: each row of the order book follows from its message."""

from pathlib import Path

import numpy as np
import pytest
from recorded_books import csv_rows, event_ends, held, histories, records_of

from lockstep.book.l2 import L2Book
from lockstep.book.l3 import L3Book
from lockstep.model.enums import BookAction, BookFault, BookState

pytestmark = pytest.mark.data
STEM = "l3/lobster_AMZN_2012-06-21_34200000_57600000_{}_1.csv.gz"
ACTIONS = {1: BookAction.ADD, 2: BookAction.MODIFY, 3: BookAction.DELETE, 4: BookAction.MATCH}
NOT_THERE = 9_999_999_999


def test_a_book_of_the_orders_of_one_level_is_crossed_within_thirteen_seconds(data: Path) -> None:
    """Why a run refuses them: an order that a better one hid and that was cancelled there would stand for ever."""
    found = histories(data / STEM.format("message"))["book"]
    assert found.info.levels == 1
    records = records_of(found)
    book, rows, begin = L3Book(found.instrument, unknown_ids="count"), held(records), 0
    book.trust_empty()
    for end in event_ends(records).tolist():
        book.apply(rows, begin, end)
        begin = end
        if not book.is_good:
            break
    assert book.status == (BookState.RESYNCING, BookFault.CROSSED)
    assert (records["ts_event"][begin - 1] - records["ts_event"][0]) / 1e9 < 13


def test_amzn_records_say_what_the_messages_say(data: Path) -> None:
    found = histories(data / STEM.format("message"))
    messages = np.array(csv_rows(data / STEM.format("message")), object)
    kinds = messages[:, 1].astype(int)
    order_id, size, price, side = (messages[:, k].astype(np.int64) for k in range(2, 6))
    books, trades = records_of(found["book"]), records_of(found["trade"])
    assert (books["flags"][:2] & 15).tolist() == [BookAction.CLEAR, BookAction.STATUS]
    books = books[2:]
    on_book = np.isin(kinds, tuple(ACTIONS))
    assert (books["flags"] & 15).tolist() == [ACTIONS[kind] for kind in kinds[on_book].tolist()]
    assert np.array_equal(
        books["p0"] * 10, price[on_book]
    )  # the instrument has three decimals: hidden orders trade at half a cent
    assert np.array_equal(books["p2"], order_id[on_book])
    assert np.array_equal(books["aux"].astype(int) - 2, side[on_book])
    told = np.isin(kinds[on_book], (1, 3, 4))
    assert np.array_equal(books["p1"][told], size[on_book][told])
    left: dict[int, int] = {}
    unknown = 0
    for record, took in zip(books, size[on_book].tolist(), strict=True):
        action, number = int(record["flags"]) & 15, int(record["p2"])
        if action == BookAction.ADD:
            left[number] = took
        elif number in left:
            left[number] -= took
            assert action != BookAction.MODIFY or int(record["p1"]) == left[number]
        elif action == BookAction.MODIFY:
            unknown += 1
            assert int(record["p1"]) == 0
    assert unknown == 4
    executed = np.isin(kinds, (4, 5))
    assert np.array_equal(trades["p0"] * 10, price[executed])
    assert np.array_equal(trades["p1"], size[executed])
    assert np.array_equal(trades["aux"].astype(int) - 2, -side[executed])
    assert (found["book"].instrument.price_decimals, found["book"].instrument.tick_size) == (3, 10)


def test_amzn_rows_follow_from_their_messages(data: Path) -> None:
    found = histories(data / STEM.format("message"))
    rows = np.array(csv_rows(data / STEM.format("orderbook")), np.int64)
    messages = np.array(csv_rows(data / STEM.format("message")), object)
    kinds = messages[:, 1].astype(int).tolist()
    size, price, side = (messages[:, k].astype(np.int64).tolist() for k in (3, 4, 5))
    book = L2Book(found["book"].instrument, tick=10)  # a cent at the three decimals
    emptied = followed = 0
    ask, ask_qty, bid, bid_qty = (rows[:, k].tolist() for k in range(4))
    best = {1: (bid, bid_qty), -1: (ask, ask_qty)}
    for which in (1, -1):
        book.update(which, best[which][0][0] // 10, best[which][1][0])
    for i in range(1, len(rows)):
        which, at = side[i], price[i] // 10
        if kinds[i] != 5:
            qty = book.qty_units_at(which, at)
            new = qty + size[i] if kinds[i] == 1 else qty - size[i]
            assert new >= 0, f"row {i}: more went than was there"
            is_best = qty > 0 or kinds[i] == 1
            assert is_best, f"row {i}: a change behind the best"
            if kinds[i] == 1 and qty == 0:
                book.clear(which)  # what lies behind the new best is not told any more
            book.update(which, at, new)
            if new == 0:  # only here the recorded row may say what comes next
                emptied += 1
                book.clear(which)
                prices, quantities = best[which]
                book.update(which, prices[i] // 10, quantities[i])
        seen = (book.ask_units * 10, book.ask_qty_units, book.bid_units * 10, book.bid_qty_units)
        assert seen == (ask[i], ask_qty[i], bid[i], bid_qty[i]), f"row {i}"
        followed += 1
    assert (len(rows), followed, emptied) == (57_515, 57_514, 13_953)
    assert book.fault_counts() == {}


def test_amzn_quotes_are_the_rows_where_they_change(data: Path) -> None:
    found = histories(data / STEM.format("message"))
    rows = np.array(csv_rows(data / STEM.format("orderbook")), np.int64)
    quotes = records_of(found["quote"])
    changed = np.concatenate(([True], (rows[1:] != rows[:-1]).any(axis=1)))
    for column, word, scale in ((0, "p1", 10), (1, "p3", 1), (2, "p0", 10), (3, "p2", 1)):
        assert np.array_equal(quotes[word] * scale, rows[changed, column])

"""The book by order: price-time priority as a list of orders would keep it, and no event that cannot be right changes it."""

from random import Random
from typing import Any

import pytest
from book_rows import COIN, TICK, order_rows, rows

from lockstep.book.ids import IdTable
from lockstep.book.l3 import L3Book, Place, Resting
from lockstep.model.enums import BookAction, BookFault, BookState
from lockstep.model.record import BOOK_FULL, BOOK_LAST

EVENTS = 4_000


class Slow:
    """The twin: one list of orders, each [id, side, price, quantity], those in front were there before."""

    def __init__(self) -> None:
        self.orders: list[list[int]] = []

    def of(self, order_id: int) -> list[int] | None:
        return next((order for order in self.orders if order[0] == order_id), None)

    def add(self, order_id: int, side: int, price: int, qty: int) -> bool:
        if qty <= 0 or price % TICK or self.of(order_id):
            return False
        self.orders.append([order_id, side, price, qty])
        return True

    def modify(self, order_id: int, price: int, qty: int) -> bool:
        order = self.of(order_id)
        if order is None or qty < 0 or price % TICK:
            return False
        if qty == 0:
            self.orders.remove(order)
        elif price == order[2] and qty <= order[3]:
            order[3] = qty
        else:
            self.orders.remove(order)
            self.orders.append([order_id, order[1], price, qty])
        return True

    def cancel(self, order_id: int) -> bool:
        order = self.of(order_id)
        if order is not None:
            self.orders.remove(order)
        return order is not None

    def match(self, order_id: int, qty: int) -> bool:
        order = self.of(order_id)
        if order is None or qty <= 0 or qty > order[3]:
            return False
        order[3] -= qty
        if order[3] == 0:
            self.orders.remove(order)
        return True

    def depth(self, side: int) -> list[tuple[int, int]]:
        levels: dict[int, int] = {}
        for _, its, price, qty in self.orders:
            if its == side:
                levels[price] = levels.get(price, 0) + qty
        return sorted(levels.items(), reverse=side > 0)

    def queue(self, side: int, price: int) -> list[Resting]:
        return [Resting(*order) for order in self.orders if (order[1], order[2]) == (side, price)]


def play(seed: int, book: L3Book, slow: Slow, events: int) -> None:
    chance, centre = Random(seed), 4_000  # noqa: S311 - a schedule, not a secret
    for k in range(events):
        if chance.random() < 0.01:
            centre += chance.randrange(-300, 300)
        kind = chance.random()
        order_id = chance.randrange(-40, 40) * (10**12 if seed % 2 else 1)
        price = (centre + chance.randrange(-6, 6) * chance.choice([1, 1, 1, 40])) * TICK + (chance.random() < 0.02)
        qty = chance.randrange(-1, 30)
        if kind < 0.45:
            side = chance.choice([1, -1])
            done = book.add(order_id, side, price, qty) == 0, slow.add(order_id, side, price, qty)
        elif kind < 0.65:
            known = slow.of(order_id)
            if known is not None and chance.random() < 0.5:
                price = known[2]
            done = book.modify(order_id, price, qty) == 0, slow.modify(order_id, price, qty)
        elif kind < 0.85:
            done = book.match(order_id, qty) == 0, slow.match(order_id, qty)
        else:
            done = book.cancel(order_id) == 0, slow.cancel(order_id)
        assert done[0] is done[1], (seed, k, done)
        if k % 10 == 0:
            compare(book, slow, chance)
    compare(book, slow, chance)


def compare(book: L3Book, slow: Slow, chance: Random) -> None:
    assert len(book) == len(slow.orders)
    for side in (1, -1):
        depth = slow.depth(side)
        assert book.depth_units(side, 1_000) == depth
        best = book.bid_units if side > 0 else book.ask_units
        qty = book.bid_qty_units if side > 0 else book.ask_qty_units
        assert (best, qty) == (depth[0] if depth else (0, 0))
        for price, qty in depth[:3]:
            line = slow.queue(side, price)
            assert book.queue(side, price) == line
            assert (book.qty_units_at(side, price), book.orders_at(side, price)) == (qty, len(line))
    if slow.orders:
        order_id, side, price, qty = chance.choice(slow.orders)
        line = slow.queue(side, price)
        at = line.index(Resting(order_id, side, price, qty))
        assert book.place(order_id) == Place(at, sum(order.qty for order in line[:at]))
        assert book.find(order_id) == line[at]


@pytest.mark.parametrize("seed", range(4))
def test_book_is_what_a_list_of_orders_would_be_event_by_event(seed: int) -> None:
    book, slow = L3Book(COIN, room=2, window=64), Slow()
    play(seed, book, slow, EVENTS if seed else EVENTS // 4)
    assert set(book.fault_counts()) == {"NEGATIVE_QTY", "OFF_TICK", "UNKNOWN_ORDER", "KNOWN_ORDER", "OVER_MATCHED"}
    book.clear()
    assert (len(book), book.levels(1), book.levels(-1), book.orders()) == (0, 0, 0, [])


def test_ids_stay_findable_while_the_table_grows_and_holes_close() -> None:
    table, known = IdTable(8), dict[int, int]()
    book = L3Book(COIN, room=1)
    chance = Random(5)  # noqa: S311
    for k in range(6_000):
        order_id = chance.choice([chance.randrange(-(2**63), 2**63), chance.randrange(64), k * 4096])
        if order_id not in known:
            assert book.add(order_id, 1, TICK, 1) == 0
            known[order_id] = k
        if known and chance.random() < 0.4:
            gone = chance.choice(list(known))
            assert book.cancel(gone) == 0
            del known[gone]
    assert {order.order_id for order in book.orders()} == set(known)
    assert [order.order_id for order in book.orders()] == sorted(known, key=known.__getitem__)
    assert table.count == 0


def test_records_do_what_single_events_do() -> None:
    book = L3Book(COIN)
    held = order_rows(
        (BookAction.CLEAR, -2, 0, 0, 0, BOOK_FULL),
        (BookAction.ADD, 1, 40 * TICK, 5, 1, BOOK_FULL),
        (BookAction.ADD, 1, 40 * TICK, 6, 2, BOOK_FULL),
        (BookAction.ADD, -1, 41 * TICK, 7, 3, BOOK_FULL | BOOK_LAST),
        (BookAction.MATCH, 1, 40 * TICK, 2, 1, 0),
        (BookAction.MODIFY, 1, 40 * TICK, 9, 1, 0),
        (BookAction.DELETE, -1, 0, 0, 3, BOOK_LAST),
        (BookAction.STATUS, 0, int(BookState.STALE), int(BookFault.SILENT), 0, 0),
    )
    assert book.apply(held, 0, 4) == 0
    assert (book.is_good, book.place(2)) == (True, Place(1, 5))
    assert book.apply(held, 4, 7) == 0
    assert book.queue(1, 40 * TICK) == [Resting(2, 1, 40 * TICK, 6), Resting(1, 1, 40 * TICK, 9)]
    assert (book.ask_units, book.ts, len(book)) == (0, 7, 2)
    book.apply(held, 7, 8)
    assert book.status == (BookState.STALE, BookFault.SILENT)
    assert book.apply(rows((BookAction.SET, 1, 100, 1, 0)), 0, 1) == 1
    assert book.fault_counts() == {"UNKNOWN_ACTION": 1}


def test_events_about_orders_from_before_a_recording_may_be_counted_alone() -> None:
    book = L3Book(COIN, unknown_ids="count")
    book.apply(order_rows((BookAction.ADD, 1, TICK, 5, 1, BOOK_FULL | BOOK_LAST)), 0, 1)
    assert book.cancel(99) == 1
    assert (book.is_good, book.unknown, book.fault_counts()) == (True, 1, {})
    assert book.match(1, 6) == 1
    assert book.status == (BookState.RESYNCING, BookFault.OVER_MATCHED)


def test_unknown_orders_have_no_place() -> None:
    book = L3Book(COIN)
    assert (book.find(1), book.place(1), book.queue(1, TICK), book.queue(1, TICK + 1)) == (None, None, [], [])
    assert (book.orders_at(-1, TICK), book.qty_units_at(-1, TICK)) == (0, 0)
    assert repr(book) == "L3Book(COIN, 0.0 x 0.0 | 0.0 x 0.0, EMPTY, NO_SNAPSHOT)"


@pytest.mark.parametrize("settings", [{"unknown_ids": "maybe"}, {"room": 0}, {"tick": 0}, {"window": 65}])
def test_setting_that_cannot_be_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        L3Book(COIN, **settings)

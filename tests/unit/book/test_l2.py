"""The book by level: whatever comes in whatever order, it shows what a dictionary of levels would, and says when it cannot be trusted."""

from decimal import Decimal
from random import Random
from typing import Any

import pytest
from book_rows import COIN, TICK, rows
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lockstep.book.l2 import L2Book
from lockstep.book.standing import Level
from lockstep.model.enums import BookAction, BookFault, BookState
from lockstep.model.record import BOOK_FULL, BOOK_LAST

STEPS = 1_500
Step = tuple[int, int, int]


def walk(seed: int, window: int, count: int) -> list[Step]:
    """Updates of (side, tick, quantity) around a centre that wanders and leaps; nearly half of them remove the best."""
    chance, centre = Random(seed), 5_000  # noqa: S311 - levels of a test, not secrets
    best: dict[int, dict[int, int]] = {1: {}, -1: {}}
    steps: list[Step] = []
    for _ in range(count):
        if chance.random() < 0.01:
            centre += chance.randrange(-3 * window, 3 * window)
        reach = chance.choice([5, 50, window, 10 * window])
        side, tick = chance.choice([1, -1]), centre + chance.randrange(-reach, reach)
        qty = chance.choice([0, chance.randrange(1, 100)])
        if chance.random() < 0.3 and best[side]:
            tick, qty = (max if side > 0 else min)(best[side]), 0
        steps.append((side, tick, qty))
        best[side][tick] = qty
        if not qty:
            del best[side][tick]
    return steps


@pytest.mark.parametrize("window", [64, 1024, 65_536])
def test_book_of_any_window_shows_what_a_dictionary_of_levels_would(window: int) -> None:
    for seed in range(4 if window < 65_536 else 1):
        book = L2Book(COIN, window=window)
        levels: dict[int, dict[int, int]] = {1: {}, -1: {}}
        for k, (side, tick, qty) in enumerate(walk(seed, window, STEPS)):
            assert book.update(side, tick * TICK, qty) == 0
            levels[side].pop(tick, None)
            if qty:
                levels[side][tick] = qty
            assert book.bid_units == max(levels[1], default=0) * TICK, (seed, k)
            assert book.ask_units == min(levels[-1], default=0) * TICK, (seed, k)
            if k % 25 == 0:
                for count in (1, 7, 5_000):
                    bids = sorted(levels[1].items(), reverse=True)[:count]
                    assert book.depth_units(1, count) == [(tick * TICK, qty) for tick, qty in bids]
                    asks = sorted(levels[-1].items())[:count]
                    assert book.depth_units(-1, count) == [(tick * TICK, qty) for tick, qty in asks]
                assert (book.levels(1), book.levels(-1)) == (len(levels[1]), len(levels[-1]))
                probe = next(iter(levels[side]), tick)
                assert book.qty_units_at(side, probe * TICK) == levels[side].get(probe, 0)
        assert book.updates == STEPS
        assert book.fault_counts() == {}


@given(st.lists(st.tuples(st.sampled_from([1, -1]), st.integers(-70, 70), st.integers(0, 3)), max_size=60))
def test_record_by_record_and_all_at_once_are_the_same(steps: list[Step]) -> None:
    held = rows(*((BookAction.SET, side, tick * TICK, qty, 0) for side, tick, qty in steps))
    one, many = L2Book(COIN, window=64), L2Book(COIN, window=64)
    for k in range(len(steps)):
        one.apply(held, k, k + 1)
    many.apply(held, 0, len(steps))
    for side in (1, -1):
        assert one.depth_units(side, 200) == many.depth_units(side, 200)


def test_prices_and_quantities_are_read_as_floats_of_the_units() -> None:
    book = L2Book(COIN)
    book.load([(10_000, 1_500), (9_975, 20)], [(10_025, 7)], ts=5)
    assert (book.bid, book.bid_qty, book.ask, book.ask_qty) == (100.0, 1.5, 100.25, 0.007)
    assert book.bids(5) == [Level(100.0, 1.5), Level(99.75, 0.02)]
    assert book.asks(5) == [Level(100.25, 0.007)]
    assert (book.is_good, book.ts) == (True, 5)
    assert repr(book) == "L2Book(COIN, 1.5 x 100.0 | 100.25 x 0.007, GOOD)"
    assert Decimal(book.bid) == 100


def test_empty_book_has_no_prices_and_is_not_good() -> None:
    book = L2Book(COIN)
    assert (book.bid, book.bid_qty, book.ask, book.ask_qty, book.bids(), book.is_crossed()) == (0, 0, 0, 0, [], False)
    assert book.status == (BookState.EMPTY, BookFault.NO_SNAPSHOT)
    assert not book.is_good


@pytest.mark.parametrize(
    ("price", "qty", "fault"),
    [(10_000, -1, BookFault.NEGATIVE_QTY), (10_001, 5, BookFault.OFF_TICK), (-10_013, 5, BookFault.OFF_TICK)],
)
def test_faulty_update_changes_nothing_and_is_counted_with_its_place(price: int, qty: int, fault: BookFault) -> None:
    book = L2Book(COIN)
    book.load([(9_950, 3)], [(10_050, 4)])
    before = book.depth_units(1, 9), book.depth_units(-1, 9)
    assert book.update(1, price, qty) == 1
    assert book.update(1, price, qty) == 1
    assert (book.depth_units(1, 9), book.depth_units(-1, 9)) == before
    assert book.status == (BookState.RESYNCING, fault)
    assert book.fault_counts() == {fault.name: 2}
    assert book.first_faults() == {fault.name: 3}
    book.load([(9_950, 3)], [(10_050, 4)])
    assert book.is_good
    assert book.fault_counts() == {fault.name: 2}


def test_full_book_of_records_is_good_at_its_last_one_and_replaces_what_was_there() -> None:
    book = L2Book(COIN)
    book.load([(9_000, 1)], [(11_000, 1)])
    held = rows(
        (BookAction.CLEAR, -2, 0, 0, BOOK_FULL),
        (BookAction.SET, 1, 10_000, 5, BOOK_FULL),
        (BookAction.SET, -1, 10_025, 6, BOOK_FULL | BOOK_LAST),
    )
    book.set_state(int(BookState.RESYNCING), int(BookFault.GAP))
    assert book.apply(held, 0, 2) == 0
    assert not book.is_good
    book.apply(held, 2, 3)
    assert (book.is_good, book.depth_units(1, 9), book.depth_units(-1, 9)) == (True, [(10_000, 5)], [(10_025, 6)])


def test_book_may_be_crossed_inside_a_group_and_is_resyncing_when_it_ends_so() -> None:
    book = L2Book(COIN)
    book.load([(9_950, 3)], [(10_050, 4)])
    through = (BookAction.SET, 1, 10_050, 2, 0)
    book.apply(rows(through, (BookAction.SET, -1, 10_050, 0, BOOK_LAST)), 0, 2)
    assert book.is_good
    book.load([(9_950, 3)], [(10_050, 4)])
    book.apply(rows((*through[:4], BOOK_LAST)), 0, 1)
    assert book.status == (BookState.RESYNCING, BookFault.CROSSED)


def test_auction_may_cross_and_ends_by_the_venues_word() -> None:
    book = L2Book(COIN)
    held = rows(
        (BookAction.STATUS, 0, int(BookState.AUCTION), int(BookFault.VENUE), 0),
        (BookAction.SET, 1, 10_050, 2, 0),
        (BookAction.SET, -1, 10_025, 2, BOOK_LAST),
        (BookAction.SET, -1, 10_000, -2, BOOK_LAST),
        (BookAction.STATUS, 0, int(BookState.GOOD), int(BookFault.VENUE), 0),
    )
    assert book.apply(held, 0, 4) == 1
    assert book.status == (BookState.AUCTION, BookFault.VENUE)
    assert book.fault_counts() == {"NEGATIVE_QTY": 1}
    book.apply(held, 4, 5)
    assert book.status == (BookState.GOOD, BookFault.NONE)


def test_silent_book_is_stale_until_it_is_told_again() -> None:
    book = L2Book(COIN, silence_max_ns=10)
    book.load([(9_950, 3)], [(10_050, 4)], ts=1)
    assert book.look(11)
    assert not book.look(12)
    assert book.status == (BookState.STALE, BookFault.SILENT)
    book.apply(rows((BookAction.SET, 1, 9_975, 1, BOOK_LAST)), 0, 1)
    assert book.is_good


def test_one_side_can_be_cleared() -> None:
    book = L2Book(COIN, window=64)
    book.load([(100 * TICK, 3), (TICK, 4)], [(101 * TICK, 4), (9_999 * TICK, 1)])
    book.apply(rows((BookAction.CLEAR, 1, 0, 0, 0)), 0, 1)
    assert (book.levels(1), book.levels(-1), book.bid_units) == (0, 2, 0)
    book.update(1, 50 * TICK, 9)
    assert book.depth_units(1, 9) == [(50 * TICK, 9)]


def test_action_about_an_order_is_a_fault_of_a_book_by_level() -> None:
    book = L2Book(COIN)
    assert book.apply(rows((BookAction.ADD, 1, 10_000, 1, 0)), 0, 1) == 1
    assert book.fault_counts() == {"UNKNOWN_ACTION": 1}


@pytest.mark.parametrize("settings", [{"window": 100}, {"window": 32}, {"tick": 0}])
def test_setting_that_cannot_be_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        L2Book(COIN, **settings)


def test_rows_that_are_not_there_are_refused() -> None:
    with pytest.raises(IndexError, match="rows 0 to 2 of 1"):
        L2Book(COIN).apply(rows((BookAction.SET, 1, 100, 1, 0)), 0, 2)


@pytest.mark.parametrize("tick", [1, TICK])
def test_records_and_single_updates_leave_the_same_book(tick: int) -> None:
    """Records of a book whose tick is its price unit take a way of their own."""
    instrument = replace(COIN, tick_size=tick)
    one, other = L2Book(instrument, window=64), L2Book(instrument, window=64)
    steps = [*walk(7, 64, STEPS), (1, 9, -1), *walk(8, 64, 50)]
    for side, level, qty in steps:
        one.update(side, level * tick, qty)
    told = rows(*((BookAction.SET, side, level * tick, qty, 0) for side, level, qty in steps))
    assert other.apply(told, 0, len(steps)) == 1
    for side in (1, -1):
        assert one.depth_units(side, 99_999) == other.depth_units(side, 99_999)
        assert one.levels(side) == other.levels(side)
    assert (one.bid_units, one.ask_units, one.updates) == (other.bid_units, other.ask_units, other.updates)
    assert other.first_faults() == one.first_faults() == {"NEGATIVE_QTY": STEPS + 1}

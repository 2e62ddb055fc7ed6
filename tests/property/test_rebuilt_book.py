"""Random changes of levels and trades: the probable queue is what a slow twin makes of them, and always as long as its level."""

from typing import Any

import numpy as np
from book_rows import COIN, TICK
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_rebuilt import SlowRebuilt

from lockstep.book.l2 import L2Book
from lockstep.book.rebuilt import RebuiltBook
from lockstep.model.enums import BookAction, EventKind
from lockstep.model.record import BOOK_FULL, BOOK_LAST, MARKET_EVENT, Records
from lockstep.model.rows import EventRows

Step = tuple[Any, ...]
LEVELS = [(side, price) for side in (1, -1) for price in range(1, 4)]


@st.composite
def steps(draw: st.DrawFn) -> list[Step]:
    """("set", ts, level, quantity), ("trade", ts, level, quantity, whether its side is told), ("whole", ts, quantities by level)."""
    found: list[Step] = []
    now = 5
    for _ in range(draw(st.integers(1, 40))):
        now += draw(st.sampled_from([0, 0, 0, 1, 2]))
        what = draw(st.sampled_from(["set"] * 6 + ["trade"] * 3 + ["whole"]))
        late = draw(st.sampled_from([0, 0, 0, 1]))
        if what == "whole":
            found.append((what, now, draw(st.dictionaries(st.sampled_from(LEVELS), st.integers(1, 12)))))
        elif what == "set":
            found.append(
                (what, now - late, draw(st.sampled_from(LEVELS)), draw(st.sampled_from([0, 1, 2, 3, 5, 9, 14])))
            )
        else:
            level, told = draw(st.sampled_from(LEVELS)), draw(st.booleans())
            found.append((what, now - late, level, draw(st.sampled_from([0, 1, 2, 3, 8])), told))
    return found


def records_of(step: Step) -> Records:
    what, ts, *rest = step
    lines: list[tuple[EventKind, int, int, int, int]] = []
    if what == "set":
        (side, price), qty = rest
        lines = [(EventKind.BOOK, BookAction.SET | BOOK_LAST, side, price, qty)]
    elif what == "trade":
        (side, price), qty, told = rest
        lines = [(EventKind.TRADE, 0, -side if told else -2, price, qty)]
    else:
        lines = [(EventKind.BOOK, BookAction.CLEAR | BOOK_FULL, -2, 0, 0)]
        lines += [(EventKind.BOOK, BookAction.SET | BOOK_FULL, *level, qty) for level, qty in rest[0].items()]
        lines[-1] = (EventKind.BOOK, lines[-1][1] | BOOK_LAST, *lines[-1][2:])
    records = np.zeros(len(lines), MARKET_EVENT)
    for k, (kind, flags, side, price, qty) in enumerate(lines):
        records[k]["ts_event"], records[k]["kind"], records[k]["flags"] = ts, kind, flags
        records[k]["aux"], records[k]["p0"], records[k]["p1"] = side + 2, price * TICK, qty
    return records


def feed(book: RebuiltBook, twin: SlowRebuilt, step: Step) -> None:
    rows, records = EventRows(), records_of(step)
    rows.hold(records)
    book.apply(rows, 0, len(records))
    what, ts, *rest = step
    if what == "whole":
        twin.whole(rest[0], ts)
    elif what == "set":
        (side, price), qty = rest
        twin.told(side, price, qty, ts)
    elif rest[1]:
        (side, price), qty, told = rest
        twin.trade(side if told else 0, price, qty, ts)


@settings(max_examples=400)
@given(steps(), st.sampled_from([False, False, True]))
def test_rebuilt_queues_are_those_of_a_slow_twin_and_as_long_as_their_levels(todo: list[Step], oldest: bool) -> None:
    book, twin = RebuiltBook(COIN, L2Book(COIN, window=64), oldest=oldest), SlowRebuilt(oldest=oldest)
    for step in todo:
        feed(book, twin, step)
        for level in LEVELS:
            side, price = level
            sizes = book.sizes(side, price * TICK)
            assert sizes == [one.qty for one in twin.line(level)]
            assert sum(sizes) == twin.shown.get(level, 0) + twin.waiting(level)
            assert book.orders_at(side, price * TICK) == twin.orders(level)
    book.come_to(10**9)
    if any(qty and when > twin.moment for _, qty, when in twin.owed):
        return  # of a trade after the last change nothing is known yet
    for side, price in LEVELS:
        assert sum(book.sizes(side, price * TICK)) == twin.shown.get((side, price), 0)


@settings(max_examples=200)
@given(steps(), st.integers(0, 40), st.sampled_from(LEVELS))
def test_rebuilt_what_is_ahead_of_a_mark_never_grows_and_is_no_more_than_the_queue(
    todo: list[Step], cut: int, level: tuple[int, int]
) -> None:
    book, twin = RebuiltBook(COIN, L2Book(COIN, window=64)), SlowRebuilt()
    for step in todo[:cut]:
        feed(book, twin, step)
    mark, side, price = book.next_id, *level
    ahead = book.ahead(side, price, mark)
    assert ahead == sum(book.sizes(side, price * TICK))
    for step in todo[cut:]:
        feed(book, twin, step)
        now = book.ahead(side, price, mark)
        assert 0 <= now <= min(ahead, sum(book.sizes(side, price * TICK)))
        ahead = now

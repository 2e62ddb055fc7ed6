"""What a subscriber of levels sees of a book of orders, and what a score of a rebuilt queue says."""

import numpy as np
import pytest
from book_rows import COIN, TICK

from lockstep.model.enums import BookAction, EventKind
from lockstep.model.record import BOOK_LAST, MARKET_EVENT, Records
from lockstep.research.queues.best_only import known_levels
from lockstep.research.queues.score import score
from lockstep.research.queues.shown import Ahead, Viewer

ADD, DELETE, MATCH, MODIFY = BookAction.ADD, BookAction.DELETE, BookAction.MATCH, BookAction.MODIFY
Line = tuple[BookAction, int, int, int, int]


def records_of(*lines: Line) -> Records:
    """(action, side, price in ticks, quantity, order id), each by itself, at the times 1, 2, ..."""
    records = np.zeros(len(lines), MARKET_EVENT)
    for k, (action, side, price, qty, order_id) in enumerate(lines):
        records[k]["clock"] = records[k]["ts_event"] = k + 1
        records[k]["kind"], records[k]["flags"], records[k]["aux"] = EventKind.BOOK, action | BOOK_LAST, side + 2
        records[k]["p0"], records[k]["p1"], records[k]["p2"] = price * TICK, qty, order_id
    return records


def kept(*lines: Line) -> list[tuple[int, ...]]:
    found = known_levels(records_of(*lines))
    return [(int(r["flags"]) & 15, int(r["p0"]) // TICK, int(r["p1"]), int(r["p2"])) for r in found]


def test_level_that_did_not_begin_as_a_better_price_is_left_out() -> None:
    assert kept((ADD, 1, 4, 5, 1), (MATCH, 1, 4, 5, 1), (DELETE, 1, 3, 5, 9), (ADD, 1, 3, 5, 2)) == []


def test_level_that_began_in_sight_is_known_until_a_better_one_hides_it() -> None:
    assert kept(
        (ADD, 1, 4, 5, 1), (ADD, 1, 5, 7, 2), (ADD, 1, 5, 1, 3), (MATCH, 1, 5, 2, 2), (ADD, 1, 6, 3, 4), (DELETE, 1, 6, 3, 4),
        (DELETE, 1, 5, 5, 2), (ADD, 1, 5, 5, 5),
    ) == [
        (ADD, 5, 7, 2), (ADD, 5, 1, 3), (MATCH, 5, 2, 2), (MODIFY, 5, 0, 2), (MODIFY, 5, 0, 3), (ADD, 6, 3, 4), (DELETE, 6, 3, 4),
    ]  # fmt: skip


def test_asks_begin_in_sight_at_a_lower_price() -> None:
    assert kept((ADD, -1, 8, 5, 1), (ADD, -1, 7, 7, 2), (ADD, -1, 9, 7, 3)) == [(ADD, 7, 7, 2), (MODIFY, 7, 0, 2)]


def test_viewer_takes_ours_out_of_levels_and_trades_and_asks_where_they_stood() -> None:
    lines: list[Line] = [(ADD, 1, 4, 5, k) for k in range(1, 40)]
    seen = Viewer(COIN, 10**9, 4, 10)
    ours = [k for k in range(1, 40) if seen._is_ours(k)]
    first = ours[0]
    lines += [(DELETE, 1, 4, 0, first - 1), (MATCH, 1, 4, 5, first)]
    shown = seen.see(records_of(*lines))
    sets = shown.records[shown.records["kind"] == EventKind.BOOK]
    assert shown.taken_out == len(ours) > 3
    assert sets["p1"].max() == 5 * (39 - len(ours))
    assert not (shown.records["kind"] == EventKind.TRADE).any()  # of our own execution nothing is seen
    (asked,) = [q for q in shown.questions if isinstance(q, Ahead)]
    assert (asked.ahead, asked.fate) == (5 * (first - 2), "executed")


def test_score_of_levels_of_single_orders_is_perfect() -> None:
    lines: list[Line] = []
    for k in range(1, 200):
        lines += [(ADD, 1, k, k, k), (DELETE, 1, k - 5, 0, k - 5)] if k > 5 else [(ADD, 1, k, k, k)]
    scored = score(COIN, Viewer(COIN, 10, 1000, 10).see(records_of(*lines)))
    assert scored.counts["all"].exact == 1.0
    assert (scored.cancels.whole, scored.cancels.only) == (194, 194)


def test_score_counts_cancels_by_whether_the_newest_of_a_size_left() -> None:
    lines: list[Line] = [(ADD, 1, 4, 5, 101), (ADD, 1, 4, 5, 102), (ADD, 1, 4, 5, 103), (DELETE, 1, 4, 0, 103)]
    lines += [(DELETE, 1, 4, 0, 101), (MODIFY, 1, 4, 3, 102), (MODIFY, 1, 3, 3, 102)]
    assert tuple(Viewer(COIN, 10, 10**9, 10).see(records_of(*lines)).cancels) == (3, 1, 1, 1)


@pytest.mark.parametrize("every", [1, 3])
def test_questions_come_in_the_order_of_their_rows(every: int) -> None:
    lines: list[Line] = [(ADD, 1, 4, 5, k) for k in range(1, 60)]
    rows = [question.row for question in Viewer(COIN, every, 3, 10).see(records_of(*lines)).questions]
    assert rows == sorted(rows)

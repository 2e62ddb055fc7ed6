"""Fill fidelity on recordings made by hand: which orders are followed and why others are not, and what their taking out means."""

from pathlib import Path

import pytest
from book_rows import COIN, TICK
from histories import book, trades

from lockstep.book.l2 import L2Book
from lockstep.book.rebuilt import RebuiltBook
from lockstep.research.fidelity.orders import half_of, sort_out
from lockstep.research.fidelity.study import LEVELS, NEVER, ORDERS, REBUILDS, TOUCH, Courses, Rival, follow_all, queue
from lockstep.research.fidelity.tape import Tape, tape_of

BEGIN = (0, [("CLEAR", 0, 0, 0), ("ADD", 1, 100 * TICK, 5, 1), ("ADD", -1, 110 * TICK, 5, 2)], True)


def tape(*groups: tuple[int, list[tuple[object, ...]]], prints: tuple[tuple[int, int, int], ...] = ()) -> Tape:
    """A full book, then groups of changes; trades hit bids."""
    told = trades(*prints)
    told["aux"] = 1  # a seller took
    return tape_of(COIN, book(BEGIN, *((ts, changes, False) for ts, changes in groups)), told)


def bid(ident: int, qty: int = 4, tick: int = 101) -> tuple[object, ...]:
    return ("ADD", 1, tick * TICK, qty, ident)


def about(what: str, ident: int, qty: int = 4, tick: int = 101) -> tuple[object, ...]:
    return (what, 1, tick * TICK, qty, ident)


def left_out(made: Tape) -> dict[str, int]:
    return {why: count for why, count in sort_out(made.orders).left_out.items() if count}


@pytest.mark.parametrize(
    ("then", "why"),
    [
        ([bid(7, tick=110)], "marketable"),
        ([bid(7)], "open"),
        ([bid(7), about("MODIFY", 7, 3), about("DELETE", 7)], "modified"),
        ([bid(7), about("MATCH", 7), bid(7)], "iceberg"),
    ],
)
def test_order_that_is_not_followed_is_counted_with_its_reason(then: list[tuple[object, ...]], why: str) -> None:
    made = tape(*((k, [one]) for k, one in enumerate(then, 1)))
    assert left_out(made)[why] >= 1
    assert sort_out(made.orders).followed == []
    assert left_out(made)["before"] == 2


def test_order_that_the_venue_takes_out_of_a_trade_was_stopped_and_a_cancel_after_it_was_not() -> None:
    first, second = [bid(7), bid(8)], [about("MATCH", 7), about("DELETE", 8)]
    assert left_out(tape((1, first), (2, second)))["stopped"] == 1
    assert "stopped" not in left_out(tape((1, first), (2, second[:1]), (3, second[1:])))


def outcome(made: Tape, rival: Rival) -> dict[int, tuple[int, bool]]:
    """By id: what a model leaves of an order, and whether it filled it in full by its end."""
    orders = sort_out(made.orders).followed
    courses = Courses(made)
    found = follow_all(made, orders, [courses.of(order) for order in orders], rival)
    return {order.order_id: (int(found.left[k]), bool(found.filled[k])) for k, order in enumerate(orders)}


MODELS = {"pessimistic": LEVELS, "power": LEVELS, "log": LEVELS, "rebuilt": REBUILDS, "exact": ORDERS}


@pytest.mark.parametrize("kind", MODELS)
def test_execution_of_the_real_order_finds_ours_where_ours_is_first(kind: str) -> None:
    made = tape(
        (1, [bid(7)]), (2, [bid(8)]), (5, [about("MATCH", 7)]), (6, [about("DELETE", 8)]), prints=((5, 101 * TICK, 4),)
    )
    rival = Rival(kind, queue(kind), MODELS[kind])
    assert outcome(made, rival) == {7: (0, True), 8: (4, False)}  # what stood before 8 took it all


@pytest.mark.parametrize("kind", MODELS)
def test_part_of_the_real_order_is_a_part_of_ours(kind: str) -> None:
    made = tape((1, [bid(7)]), (5, [about("MATCH", 7, 1)]), (6, [about("DELETE", 7)]), prints=((5, 101 * TICK, 1),))
    assert outcome(made, Rival(kind, queue(kind), MODELS[kind])) == {7: (3, False)}


def test_baselines_fill_nothing_and_all_that_a_trade_touches() -> None:
    made = tape((1, [bid(7)]), (5, [about("MATCH", 7, 1)]), (6, [about("DELETE", 7)]), prints=((5, 101 * TICK, 1),))
    assert outcome(made, Rival(NEVER, None)) == {7: (4, False)}
    assert outcome(made, Rival(TOUCH, None)) == {7: (0, True)}


def test_only_the_exact_model_knows_who_left_before_ours() -> None:
    groups = (
        (1, [bid(6)]),
        (2, [bid(7)]),
        (3, [bid(8)]),
        (4, [about("DELETE", 6)]),
        (5, [about("MATCH", 7)]),
        (9, [about("DELETE", 8)]),
    )
    made = tape(*groups, prints=((5, 101 * TICK, 4),))
    assert outcome(made, Rival("exact", queue("exact"), ORDERS))[7] == (0, True)
    assert outcome(made, Rival("pessimistic", queue("pessimistic")))[7] == (4, False)


def test_halves_do_not_depend_on_the_machine_and_are_about_as_large() -> None:
    assert [half_of(k) for k in range(12)] == [1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert 4_800 < sum(half_of(k) for k in range(10_000)) < 5_200


def test_rebuilt_queue_begins_with_a_block_where_the_recording_begins_with_a_book() -> None:
    line = RebuiltBook(COIN, L2Book(COIN, window=64))
    line.begin(1, 4, 9)
    assert (line.ahead(1, 4, line.next_id), line.sizes(1, 4 * TICK)) == (9, [9])


def test_folder_without_single_orders_is_refused(tmp_path: Path) -> None:
    from lockstep.model.errors import LockstepError
    from lockstep.research.fidelity.report import read_tapes

    with pytest.raises(LockstepError):
        read_tapes(tmp_path)

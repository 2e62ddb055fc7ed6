"""Places in a queue: what moves an order up, by each model, and what reaches it."""

import math

import pytest
from book_rows import COIN, TICK
from hypothesis import given
from hypothesis import strategies as st

from lockstep.book.l3 import L3Book
from lockstep.model.errors import InvariantError
from lockstep.sim.queue import QueueModel


def model(kind: str = "pessimistic", power: float = 1.0, lot: int = 1, scale: float = 1.0) -> QueueModel:
    return QueueModel(kind, power, lot, scale)


def test_queue_pessimistic_place_moves_by_trades_and_by_a_level_smaller_than_what_was_ahead() -> None:
    queue = model()
    place = queue.join(10, 0)
    queue.told(place, 10, 30, 1)  # others come behind
    queue.told(place, 30, 12, 2)  # 18 leave: all of them were behind
    queue.settle(place)
    assert place.ahead == 10
    queue.told(place, 12, 7, 3)
    assert queue.trade(place, 3, 3, 4) == 0
    assert place.ahead == 4


def test_queue_trade_eats_what_is_ahead_and_then_reaches_us() -> None:
    queue = model()
    place = queue.join(10, 0)
    assert queue.trade(place, 14, 14, 1) == 4
    assert place.ahead == 0
    assert queue.trade(place, 5, 5, 2) == 5


def test_queue_trade_partly_taken_by_an_older_order_of_ours_moves_by_the_rest() -> None:
    queue = model()
    place = queue.join(5, 0)
    assert queue.trade(place, 6, 3, 1) == 0
    assert (place.ahead, place.traded) == (2, 6)


@pytest.mark.parametrize("kind", ["pessimistic", "power", "log"])
@pytest.mark.parametrize("order", ["trade first", "level first"])
def test_queue_trade_and_its_level_change_at_one_moment_count_once_in_either_order(kind: str, order: str) -> None:
    queue = model(kind)
    place = queue.join(10, 0)
    queue.told(place, 10, 20, 1)
    if order == "trade first":
        queue.trade(place, 4, 4, 5)
    queue.told(place, 20, 16, 5)
    if order == "level first":
        queue.trade(place, 4, 4, 5)
    queue.settle(place)
    assert place.ahead == 6


def test_queue_of_nobody_behind_us_loses_a_trade_once_where_its_level_change_came_first() -> None:
    queue = model()
    place = queue.join(10, 0)
    queue.told(place, 10, 6, 5)
    assert queue.trade(place, 4, 4, 5) == 0
    assert place.ahead == 6
    assert queue.trade(place, 9, 9, 6) == 3


def test_queue_several_trades_and_changes_of_a_moment_explain_each_other_as_a_whole() -> None:
    queue = model("power")
    place = queue.join(30, 0)
    queue.told(place, 30, 26, 5)
    queue.told(place, 26, 20, 5)
    queue.trade(place, 4, 4, 5)
    queue.trade(place, 3, 3, 5)
    queue.settle(place)
    assert place.ahead == 20  # 10 left, 7 by trades, and there was nobody behind us


def test_queue_trade_that_its_level_had_already_shown_explains_no_later_cancel() -> None:
    queue = model("power")
    place = queue.join(10, 0)
    queue.told(place, 10, 20, 1)
    queue.told(place, 20, 16, 5)
    queue.trade(place, 4, 4, 5)
    queue.told(place, 16, 12, 6)
    queue.settle(place)
    assert place.ahead == pytest.approx(6 - 4 * 6 / 16)


def test_queue_trade_that_was_in_the_level_when_we_joined_does_not_move_us() -> None:
    queue = model()
    place = queue.join(10, 5)
    assert queue.trade(place, 14, 14, 5) == 0
    assert place.ahead == 10
    assert queue.trade(place, 14, 14, 6) == 4


def test_queue_power_one_spreads_a_cancel_evenly_over_the_level() -> None:
    queue = model("power")
    place = queue.join(10, 0)
    queue.told(place, 10, 40, 1)
    queue.told(place, 40, 20, 2)  # a quarter of what left stood ahead
    queue.settle(place)
    assert place.ahead == pytest.approx(5.0)


def test_queue_larger_power_believes_that_the_longer_part_lost_orders() -> None:
    even, steep = model("power", 1.0), model("power", 3.0)
    assert even.share_behind(10, 30) == pytest.approx(0.75)
    assert steep.share_behind(10, 30) == pytest.approx(27 / 28)


def test_queue_log_counts_in_base_units() -> None:
    queue = model("log", scale=1000.0)
    assert queue.share_behind(2000, 6000) == pytest.approx(math.log(7) / (math.log(7) + math.log(3)))


def test_queue_decrease_that_trades_explain_is_no_cancel() -> None:
    queue = model("power")
    place = queue.join(10, 0)
    queue.told(place, 10, 20, 1)
    queue.trade(place, 4, 4, 2)
    queue.told(place, 20, 16, 3)
    assert (place.ahead, place.traded) == (6, 0)
    queue.told(place, 16, 14, 4)  # this one no trade explains
    queue.settle(place)
    assert place.ahead == pytest.approx(6 - 2 * 6 / 16)


def test_queue_trades_that_no_change_of_the_level_showed_are_forgotten_once_it_was_told() -> None:
    queue = model("power")
    place = queue.join(10, 0)
    queue.told(place, 10, 20, 1)
    queue.trade(place, 4, 4, 2)  # of a hidden order, it seems
    queue.told(place, 20, 20, 3)
    queue.told(place, 20, 16, 4)
    queue.settle(place)
    assert place.ahead == pytest.approx(6 - 4 * 6 / 20)


def test_queue_cancel_larger_than_what_stood_behind_takes_the_rest_ahead() -> None:
    queue = model("power", 3.0)
    place = queue.join(10, 0)
    queue.told(place, 10, 100, 1)
    queue.told(place, 100, 5, 2)
    queue.settle(place)
    assert place.ahead == 5


def test_queue_half_a_lot_and_more_reaches_us_and_less_is_kept_for_the_next_trade() -> None:
    queue = model("power", lot=10)
    place = queue.join(26, 0)
    assert queue.trade(place, 30, 30, 1) == 0
    assert place.ahead == -4
    assert queue.trade(place, 10, 10, 2) == 10


def test_queue_never_gives_more_than_the_trade_had_left() -> None:
    queue = model(lot=10)
    place = queue.join(0, 0)
    assert queue.trade(place, 7, 7, 1) == 7


@pytest.mark.parametrize("kind", ["fifo", "", "POWER"])
def test_queue_unknown_model_is_refused(kind: str) -> None:
    with pytest.raises(InvariantError, match="pessimistic, power, log, exact"):
        model(kind)


def three_orders() -> tuple[L3Book, QueueModel]:
    book = L3Book(COIN)
    for order_id, qty in ((1, 5), (2, 7), (3, 9)):
        book.add(order_id, 1, 4 * TICK, qty)
    return book, model("exact")


def test_queue_exact_place_knows_the_orders_ahead_and_no_later_one() -> None:
    book, queue = three_orders()
    place = queue.join_line(book, 1, 4)
    book.add(4, 1, 4 * TICK, 11)
    assert place.ahead == 21
    assert [queue.is_ahead(place, order_id) for order_id in (1, 2, 3, 4)] == [True, True, True, False]
    queue.leave(place, 2, 7)
    queue.shrink(place, 2)
    assert place.ahead == 12
    assert not queue.is_ahead(place, 2)


def test_queue_exact_place_at_a_level_without_orders_is_the_first() -> None:
    book, queue = three_orders()
    for side, tick in ((1, 5), (-1, 4)):
        assert queue.join_line(book, side, tick).ahead == 0


def test_queue_exact_place_is_found_again_in_a_book_told_anew() -> None:
    book, queue = three_orders()
    place = queue.join_line(book, 1, 4)
    book.clear()
    for order_id, qty in ((2, 7), (8, 50), (3, 4)):  # 1 has left, 8 came while nothing was told
        book.add(order_id, 1, 4 * TICK, qty)
    queue.rejoin_line(place, book, 1, 4)
    assert place.ahead == 11
    assert [queue.is_ahead(place, order_id) for order_id in (1, 2, 3, 8)] == [False, True, True, False]


@given(
    st.sampled_from(["pessimistic", "power", "log"]),
    st.sampled_from([0.3, 1.0, 2.0, 5.0]),
    st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=30),
)
def test_queue_place_stays_within_the_level_and_only_ever_moves_up(
    kind: str, power: float, steps: list[tuple[bool, int]]
) -> None:
    queue = model(kind, power)
    level = 20
    place = queue.join(level, 0)
    for ts, (trades, size) in enumerate(steps, 1):
        before = place.ahead
        if trades:
            assert 0 <= queue.trade(place, size, size, ts) <= size
        else:
            queue.told(place, level, size, ts)
            queue.settle(place)
            level = size
            assert place.ahead <= level
        assert -0.5 <= place.ahead <= max(before, 0.0)  # what a trade nearly reached is 0 once one has

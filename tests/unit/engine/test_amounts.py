"""Amounts at their edges: one unit left, one unit too many, in new shares while a replacement is out."""

from typing import Any

from bench import Bench, asked, bought

from lockstep.model.enums import OrderEventKind as E
from lockstep.model.enums import OrderState as S
from lockstep.model.enums import Reason


def test_correction_that_leaves_one_unit_leaves_the_order_open() -> None:
    bench = Bench(bought(limit=100))
    bench.bar()
    bench.fill(1, 9)
    bench.correct(2, 1, 9, 99)
    assert (bench.orders[0].state, bench.pending) == (S.PARTIAL_FILL, (1, 0))
    bench.correct(3, 1, 10, 99)
    assert (bench.orders[0].state, bench.pending) == (S.FILLED, (0, 0))


def test_more_filled_than_either_outcome_of_a_replacement_allows_is_an_overfill() -> None:
    outcomes: tuple[Any, ...] = (
        lambda bench: bench.replaced(11, 100),
        lambda bench: bench.word(E.REPLACE_REJECT, reason=Reason.TOO_LATE),
    )
    for outcome in outcomes:
        bench = asked(qty=14)
        bench.fill(1, 12)
        assert (bench.engine.state.orders.overfills, bench.orders[0].state) == (0, S.PENDING_REPLACE)
        outcome(bench)
        assert (bench.engine.state.orders.overfills, bench.orders[0].state, bench.units) == (1, S.FILLED, 12)
        assert bench.engine.portfolio.holdings[0].suspended


def test_refused_replacement_of_an_order_that_had_none_is_ignored_and_counted() -> None:
    bench = Bench(bought(limit=100))
    bench.bar()
    bench.word(E.ACCEPT)
    bench.word(E.REPLACE_REJECT)
    orders = bench.engine.state.orders
    assert (bench.orders[0].state, orders.ignored, orders.overfills) == (
        S.ACKNOWLEDGED,
        {("ACKNOWLEDGED", "REPLACE_REJECT"): 1},
        0,
    )


def test_replacement_that_is_out_over_a_split_reserves_in_new_shares_rounded_up() -> None:
    bench = asked(qty=14)
    bench.fill(1, 4)
    assert bench.pending == (10, 0)
    bench.word(E.RESTATE, qty=8, limit_price=75)  # four new shares for three: 6 left become 8, 10 asked for 13 1/3
    assert bench.pending == (14, 0)
    bench.word(E.REPLACE_REJECT, reason=Reason.TOO_LATE)
    assert (bench.pending, bench.orders[0].qty) == ((8, 0), 12.0)


def test_trail_is_told_where_it_is_a_distance() -> None:
    bench = Bench(bought(), lambda s: [s.sell(1, trail=3), s.sell(1, trail_bps=50), s.sell(1, limit=120)])
    bench.bar()
    bench.bar()
    assert [order.trail for order in bench.orders] == [None, 3.0, None, None]

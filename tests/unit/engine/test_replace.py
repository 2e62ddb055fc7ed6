"""Cancel-replace: what is asked, what is reserved while the answer is out, and both outcomes of every race."""

from decimal import Decimal
from typing import Any

import pytest
from bench import Bench, asked, bought
from hypothesis import given
from hypothesis import strategies as st
from machine import HOUR, Machine, Plan, bars, coin, one, records

from lockstep.engine import switch
from lockstep.engine.saved import restore_engine, save_engine
from lockstep.model.enums import CorporateAction, Reason, Who
from lockstep.model.enums import OrderEventKind as E
from lockstep.model.enums import OrderState as S
from lockstep.model.errors import InstrumentError, StrategyError
from lockstep.model.messages import ReplaceOrder
from lockstep.risk.limits import RiskLimits
from lockstep.sim.models import BarFills, Latency


def test_replacement_goes_out_whole_and_makes_a_chain_of_client_ids() -> None:
    bench = asked(qty=14, limit=101)
    order = bench.orders[0]
    assert (order.state, order.qty, order.limit_price, order.client_id) == (S.PENDING_REPLACE, 10.0, 100.0, "1")
    (command,) = bench.word(E.CANCEL_REJECT)
    assert isinstance(command, ReplaceOrder)
    assert (command.client_order_id, command.revision, command.replaces, command.qty, command.limit_price) == (
        1,
        1,
        0,
        14,
        101,
    )
    assert not bench.plan.replace(order, qty=15)  # an answer is still out
    bench.replaced(14, 101)
    assert (order.state, order.qty, order.limit_price, order.client_id) == (S.ACKNOWLEDGED, 14.0, 101.0, "1.1")
    assert bench.plan.replace(order, qty=8)
    bench.replaced(8, 101)
    assert (order.client_id, order.leaves) == ("1.2", 8.0)
    assert [row[:6] for row in bench.records if row[0].startswith("replace")] == [
        ("replace_request", 1, 14, 101, 0, 0), ("replace", 1, 14, 101, 0, 0),
        ("replace_request", 1, 8, 101, 0, 0), ("replace", 1, 8, 101, 0, 0),
    ]  # fmt: skip


def test_client_id_that_was_refused_is_never_asked_for_again() -> None:
    bench = asked(qty=14)
    order = bench.orders[0]
    bench.word(E.REPLACE_REJECT, reason=Reason.PRICE_BAND)
    assert order.client_id == "1"
    assert bench.plan.replace(order, qty=15)
    (command,) = [c for c in bench.word(E.CANCEL_REJECT) if isinstance(c, ReplaceOrder)]
    assert (command.revision, command.replaces) == (2, 0)
    bench.replaced(15, 100)
    assert order.client_id == "1.2"


def test_answer_heard_again_is_no_answer_to_the_next_replacement() -> None:
    bench = asked(qty=14)
    order = bench.orders[0]
    bench.replaced(14, 100, revision=1)
    assert bench.plan.replace(order, qty=8)
    bench.replaced(14, 100, revision=1)
    bench.word(E.REPLACE_REJECT, revision=1)
    assert (order.state, order.qty, order.client_id, bench.pending) == (S.PENDING_REPLACE, 14.0, "1.1", (14, 0))
    bench.replaced(8, 100, revision=2)
    bench.replaced(8, 100, revision=2)
    assert (order.state, order.qty, order.client_id, bench.pending) == (S.ACKNOWLEDGED, 8.0, "1.2", (8, 0))
    assert (bench.engine.state.orders.duplicates, bench.engine.state.orders.anomalies) == (3, {})


def test_quantity_already_filled_is_asked_for_as_a_cancel() -> None:
    for qty in (3, 4):
        bench = Bench(bought(limit=100))
        bench.bar()
        bench.fill(1, 4)
        assert bench.plan.replace(bench.orders[0], qty=qty)
        assert (bench.orders[0].state, bench.orders[0].qty) == (S.PENDING_CANCEL, 10.0)
        assert bench.records[-1][0] == "cancel_request"


@pytest.mark.parametrize(("qty", "limit", "pending"), [(14, 100, 14), (6, 100, 10), (10, 120, 10)])
def test_while_it_is_pending_the_larger_of_both_is_reserved(qty: int, limit: int, pending: int) -> None:
    for accepted in (True, False):
        bench = asked(qty=qty, limit=limit)
        holding = bench.engine.portfolio.holdings[0]
        assert bench.pending == (pending, 0)
        assert holding.pending_buy_worth == max(qty * limit, 1000)
        if accepted:
            bench.replaced(qty, limit)
        else:
            bench.word(E.REPLACE_REJECT, reason=Reason.PRICE_BAND)
        assert bench.pending == ((qty, 0) if accepted else (10, 0))
        assert holding.pending_buy_worth == (qty * limit if accepted else 1000)
        bench.word(E.CANCEL)
        assert (bench.pending, holding.pending_buy_worth) == ((0, 0), 0.0)


def test_risk_judges_an_increase_and_never_a_decrease() -> None:
    plan = Plan({0: lambda s: s.buy(10, limit=100), 1: lambda s: [s.replace(s.placed[0], qty=11) or None]})
    machine = Machine([(coin(), records(bars(200, 200, 200)))], cash=1000)
    machine.seat(plan, limits=RiskLimits()).go()
    order = plan.placed[0]
    assert (order.state, order.reason, order.qty) == (S.ACKNOWLEDGED, Reason.BUYING_POWER, 10.0)
    assert machine.story(1) == ["submit", "accept", "replace_reject", "refusal"]
    bench = asked(qty=9, limit=90)
    bench.engine.suspend(0)
    bench.replaced(9, 90)
    assert not bench.plan.replace(bench.orders[0], qty=10)
    assert bench.records[-1][0] == "replace_reject"
    assert bench.records[-1][-1] == int(Who.SYSTEM)
    assert bench.plan.replace(bench.orders[0], qty=8)


def test_fill_that_crosses_a_replacement_counts_in_either_outcome() -> None:
    for outcome, state, leaves in ((E.REPLACE, S.PARTIAL_FILL, 4), (E.REPLACE_REJECT, S.FILLED, 0)):
        bench = asked(qty=14)
        bench.fill(1, 10)  # all of the old quantity: only the answer says whether it is done
        order = bench.orders[0]
        assert (order.state, bench.pending) == (S.PENDING_REPLACE, (4, 0))
        if outcome is E.REPLACE:
            bench.replaced(14, 100)
        else:
            bench.word(outcome, reason=Reason.TOO_LATE)
        assert (order.state, bench.pending, bench.units) == (state, (leaves, 0), 10)
        assert bench.engine.state.orders.overfills == 0


def test_replacement_heard_of_after_its_cancel_was_asked_ends_in_one_state() -> None:
    bench = asked(qty=14)
    order = bench.orders[0]
    assert bench.plan.cancel(order)
    bench.replaced(14, 100)
    assert (order.state, order.qty, bench.pending) == (S.PENDING_CANCEL, 14.0, (14, 0))
    bench.word(E.CANCEL)
    assert (order.state, bench.pending) == (S.CANCELED, (0, 0))


def test_replacement_nobody_asked_for_is_an_anomaly_and_changes_nothing() -> None:
    bench = Bench(bought(limit=100))
    bench.bar()
    bench.replaced(20, 90)
    assert (bench.orders[0].qty, bench.pending) == (10.0, (10, 0))
    bench.word(E.REPLACE_REJECT)
    assert bench.engine.state.orders.anomalies == {("PENDING_NEW", "REPLACE"): 1}
    assert bench.engine.state.orders.ignored == {("PENDING_NEW", "REPLACE_REJECT"): 1}


def test_lost_replacement_comes_back_with_the_word_of_the_venue() -> None:
    bench = asked(qty=14)
    bench.engine.lose(1)
    assert (bench.orders[0].state, bench.pending) == (S.UNKNOWN, (14, 0))
    assert not bench.plan.replace(bench.orders[0], qty=11)
    bench.word(E.ACCEPT)
    assert bench.orders[0].state is S.PENDING_REPLACE
    bench.engine.lose(1)
    bench.replaced(14, 100)
    assert (bench.orders[0].state, bench.orders[0].qty) == (S.ACKNOWLEDGED, 14.0)


def test_what_cannot_be_replaced_is_refused_by_name() -> None:
    bench = Bench(lambda s: [s.buy(1), s.buy(1, limit=90), s.sell(1, trail=5)])
    bench.bar()
    market, limit, trail = bench.orders
    for order, terms, text in (
        (market, {"qty": 2}, "is a market order"), (limit, {}, "was given none of them"),
        (limit, {"stop": 80}, "has no stop to replace: it is LIMIT"), (trail, {"stop": 80}, "it is TRAILING_STOP"),
        (trail, {"limit": 80}, "has no limit to replace"), (7, {"qty": 2}, "replace takes the Order"),
    ):  # fmt: skip
        with pytest.raises(StrategyError, match=text):
            bench.plan.replace(order, **terms)
    with pytest.raises(InstrumentError):
        bench.plan.replace(limit, qty=0)


def test_pending_replacement_is_saved_and_restored() -> None:
    bench, other = asked(qty=14, limit=101), asked(qty=14, limit=101)
    bench.plan.placed.clear()
    restore_engine(other.engine, save_engine(bench.engine))
    other.replaced(14, 101)
    assert other.pending == (14, 0)


# ---- at the simulated venue


def test_lowered_limit_waits_for_its_new_price_and_a_raised_one_takes() -> None:
    rows = bars(100, 100, (100, 100, 94, 95), 96, 96, 96)
    run = one(rows, {0: lambda s: s.buy(2, limit=95), 1: lambda s: [s.replace(s.placed[0], limit=90) or None],
                     3: lambda s: [s.replace(s.placed[0], limit=97, qty=3) or None]})  # fmt: skip
    assert run.story(1) == ["submit", "accept", "replace_request", "replace", "replace_request", "replace", "fill"]
    assert [(f.qty, f.price, f.liquidity, (f.ts_event - rows[0].ts_open) // HOUR) for f in run.fills] == [
        (3, 96, "TAKER", 4)
    ]


def test_only_a_smaller_quantity_keeps_the_place_in_the_queue() -> None:
    for qty, first in ((4, 1), (6, 2)):
        run = one(
            bars(100, 100, (100, 100, 90, 95)),
            {
                0: lambda s: [s.buy(5, limit=95), s.buy(5, limit=95)],
                1: lambda s, qty=qty: [s.replace(s.placed[0], qty=qty) or None],
            },
        )
        assert [fill.order_id for fill in run.fills] == [first, 3 - first]


def test_replacing_to_what_is_filled_or_less_cancels_the_rest() -> None:
    run = one(
        bars(100, (100, 100, 90, 95), 100, volume=40.0),
        {0: lambda s: s.buy(10, limit=95), 1: lambda s: [s.replace(s.placed[0], qty=2) or None]},
        fills=BarFills(),
    )
    assert run.story(1) == ["submit", "accept", "partial", "cancel_request", "cancel"]
    assert run.plan.placed[0].state is S.CANCELED


def test_replacement_that_comes_too_late_is_refused() -> None:
    run = one(
        bars(100, 100, (100, 100, 90, 95), 100, 100),
        {0: lambda s: s.buy(1, limit=95), 1: lambda s: [s.set_timer("x", at=s.now + HOUR // 10) or None]},
        handlers={"timer": lambda s, _: [s.replace(s.placed[0], qty=2) or None]},
    )
    # the fill might have been of more: only the answer says that the order is done
    assert run.story(1) == ["submit", "accept", "replace_request", "partial", "replace_reject"]
    assert run.plan.placed[0].state is S.FILLED
    assert run.portfolio.holdings[0].pending_buy == 0


def test_split_restates_a_replacement_under_way() -> None:
    rows = bars(100, 100, 100, 50, 50, 50)
    data = records(rows, [(rows[2].ts_end + 1, CorporateAction.SPLIT, 2, 1)])
    plan = Plan({0: lambda s: s.buy(10, limit=90), 2: lambda s: [s.replace(s.placed[0], qty=12, limit=80) or None]})

    machine = Machine([(coin(), data)], latency=Latency(entry_ns=HOUR // 2))
    machine.seat(plan).go()
    order = plan.placed[0]
    assert (order.qty, order.limit_price, order.state) == (24.0, 40.0, S.ACKNOWLEDGED)
    assert machine.portfolio.holdings[0].pending_buy == 24


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(1, 12), st.integers(92, 106)), max_size=10),
    st.lists(st.integers(-3, 3), min_size=8, max_size=8),
)
def test_any_run_of_replacements_ends_with_engine_and_venue_agreed(
    changes: list[tuple[int, int, int]], moves: list[int]
) -> None:
    price, rows = 100, []
    for move in moves:
        price += move
        rows.append((price, price + 2, price - 2, price))

    def act(s: Any, _bar: Any) -> None:
        if s.k == 0:
            s.placed.extend([s.buy(5, limit=97), s.sell(5, limit=103)])
        for at, qty, limit in changes:
            if at == s.k:
                s.replace(s.placed[qty % 2], qty=qty, limit=limit)

    run = one(bars(*rows, volume=60.0), act, fills=BarFills())
    resting = {order.order_id: order for order in run.venue.markets[0].resting}
    holding = run.portfolio.holdings[0]
    for order in run.plan.placed:
        if order.is_open and order.state is not S.PENDING_REPLACE:
            theirs = resting[order.id]
            assert (theirs.qty, theirs.leaves, theirs.limit_price) == (
                order.qty_units, order.leaves_units, order.limit_units
            )  # fmt: skip
        assert order.is_open or order.id not in resting
    assert run.engine.state.orders.overfills == 0
    assert run.engine.state.orders.anomalies == {}
    if not run.engine.open_orders():
        assert (holding.pending_buy, holding.pending_sell, run.portfolio.reserved) == (0, 0, 0.0)


def test_stop_beside_a_target_may_be_moved_whatever_limits_openings() -> None:
    """Both only close the same ten: moving one needs neither buying power nor the kill switch off."""

    def protect(strategy: Any) -> list[Any]:
        return [
            strategy.sell(10, stop=90, reduce_only=True),
            strategy.sell(10, limit=120, reduce_only=True),
        ]

    bench = Bench(bought(limit=100), protect)
    bench.bar()
    bench.fill(1, 10)
    bench.bar()
    _, stop, target = bench.orders
    switch.change_limits(bench.engine, RiskLimits(position_max=Decimal(1), gross_max=Decimal(1)), "test", "ann")
    assert bench.plan.replace(stop, stop=95)
    bench.replaced(10, stop=95, order_id=2)
    bench.engine.portfolio.transfer("USD", -1_000_000)  # nothing is left to open anything with
    assert bench.plan.replace(target, limit=115)
    bench.replaced(10, limit=115, order_id=3)
    assert (stop.stop_price, target.limit_price, bench.pending) == (95.0, 115.0, (0, 20))
    assert not bench.plan.replace(target, qty=11)  # more than there is to close


def test_cancel_refused_before_the_acknowledgement_leaves_the_replacement_waiting_for_its_answer() -> None:
    bench = Bench(bought(limit=100))
    bench.bar()
    (order,) = bench.orders
    assert bench.plan.replace(order, qty=14)
    assert bench.plan.cancel(order)
    bench.word(E.CANCEL_REJECT)
    assert order.state is S.PENDING_REPLACE
    assert not bench.plan.replace(order, qty=12)  # an answer is still out
    assert bench.pending == (14, 0)
    bench.replaced(14, 100)
    assert (order.state, order.qty, order.client_id) == (S.ACKNOWLEDGED, 14.0, "1.1")
    assert not bench.engine.state.orders.anomalies


@pytest.mark.parametrize("side", [1, -1])
def test_order_would_meet_what_a_resting_one_is_asked_to_become(side: int) -> None:
    """Rests ten away and is asked to come to two away: until the answer either may be true."""
    bench = Bench(lambda s: s.order(10 * side, limit=100 - 10 * side))
    switch.change_limits(bench.engine, RiskLimits(self_trade=True), "test", "ann")
    bench.bar()
    bench.word(E.ACCEPT)
    (resting,) = bench.orders
    assert bench.plan.replace(resting, limit=100 - 2 * side)
    bench.plan.placed.clear()  # orders of its own are nothing that a strategy may save
    again = Bench()
    restore_engine(again.engine, save_engine(bench.engine))
    switch.change_limits(again.engine, RiskLimits(self_trade=True), "test", "ann")
    for played in (bench, again):
        refused = played.plan.order(-5 * side, limit=100 - 2 * side)
        assert (refused.reason, refused.refusal.limit) == (Reason.SELF_TRADE, 100.0 - 2 * side)
        assert played.plan.order(-5 * side, limit=100 - side).is_open
    bench.word(E.REPLACE_REJECT)
    assert bench.plan.order(-5 * side, limit=100 - 2 * side).is_open
    assert bench.plan.order(-5 * side, limit=100 - 10 * side).reason is Reason.SELF_TRADE


def test_cooldown_holds_for_what_a_replacement_would_add() -> None:
    bench = Bench(bought(limit=100))
    bench.bar()
    bench.word(E.ACCEPT)
    (order,) = bench.orders
    bench.plan.cool_down(2)
    before = len(bench.records)
    assert not bench.plan.replace(order, qty=11)
    assert (order.reason, order.state) == (Reason.COOLDOWN, S.ACKNOWLEDGED)
    assert [row[0] for row in bench.records[before:]] == ["replace_reject"]
    assert bench.plan.replace(order, qty=9, limit=99)  # no more than was there before
    bench.replaced(9, 99)
    bench.bar()
    bench.bar()
    assert bench.plan.replace(order, qty=11)

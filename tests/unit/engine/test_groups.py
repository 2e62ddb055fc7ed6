"""Brackets and orders of which one cancels the others: at a venue played by hand, at the simulated one, and by chance."""

from decimal import Decimal
from typing import Any

import pytest
from bench import Bench
from hypothesis import given, settings
from hypothesis import strategies as st
from machine import HOUR, Machine, Plan, bars, coin, one, records

from lockstep.engine import switch
from lockstep.engine.saved import restore_engine, save_engine
from lockstep.model.enums import CorporateAction, OrderType, Reason, Who
from lockstep.model.enums import OrderEventKind as E
from lockstep.model.enums import OrderState as S
from lockstep.model.errors import StrategyError
from lockstep.model.messages import CancelOrder, ReplaceOrder, SubmitOrder
from lockstep.risk.limits import RiskLimits
from lockstep.sim.models import BarFills, Latency


def entered(**more: Any) -> Bench:
    """A buy of 10 at 100 with exits at 110 and 95, that the venue has."""
    bench = Bench(lambda s: s.buy(10, limit=100, **({"take_profit": 110, "stop_loss": 95} | more)))
    bench.bar()
    bench.word(E.ACCEPT)
    return bench


def legs(bench: Bench) -> dict[OrderType, Any]:
    """The legs that are open, by type."""
    return {order.order_type: order for order in bench.engine.open_orders() if order.parent_id}


def quantities(bench: Bench) -> dict[str, float]:
    return {kind.name: order.leaves for kind, order in legs(bench).items()}


def test_legs_open_for_what_is_filled_and_are_recorded_with_their_parent() -> None:
    bench = entered()
    assert legs(bench) == {}
    stop, take = bench.fill(1, 4)
    assert isinstance(stop, SubmitOrder)
    assert isinstance(take, SubmitOrder)
    assert (stop.order_type, stop.qty, stop.stop_price, stop.side) == (OrderType.STOP, 4, 95, -1)
    assert (take.order_type, take.qty, take.limit_price, take.side) == (OrderType.LIMIT, 4, 110, -1)
    assert all(leg.reduce_only and leg.parent_id == 1 for leg in legs(bench).values())
    assert bench.pending == (6, 4)  # the two reserve once
    links = [row[1:6] for row in bench.records if row[0] == "link"]
    assert links == [(2, 1, 2, 1, 0), (3, 1, 1, 1, 0)]
    assert [row[-1] for row in bench.records if row[:2] in (("submit", 2), ("submit", 3))] == [int(Who.SYSTEM)] * 2


def test_legs_grow_with_their_parent_and_shrink_with_each_other() -> None:
    bench = entered()
    bench.fill(1, 4)
    for number in (2, 3):
        bench.word(E.ACCEPT, number)
    grown = bench.fill(2, 6)
    assert [(type(c), c.client_order_id, c.qty) for c in grown] == [(ReplaceOrder, 2, 10), (ReplaceOrder, 3, 10)]
    bench.replaced(10, 0, 95, 2)
    bench.replaced(10, 110, 0, 3)
    assert quantities(bench) == {"STOP": 10.0, "LIMIT": 10.0}
    assert bench.pending == (0, 10)
    (less,) = bench.fill(3, 7, 110, order_id=3)
    assert (less.client_order_id, less.qty) == (2, 3)
    bench.replaced(3, 0, 95, 2)
    assert quantities(bench) == {"STOP": 3.0, "LIMIT": 3.0}
    (gone,) = bench.fill(4, 3, 110, order_id=3)
    assert isinstance(gone, CancelOrder)
    assert (gone.client_order_id, bench.records[-1][0], bench.records[-1][-1]) == (2, "cancel_request", int(Who.SYSTEM))
    assert next(iter(legs(bench).values())).reason is Reason.LINKED
    bench.word(E.CANCEL, 2)
    assert (bench.engine.state.groups, bench.pending, bench.units) == ({}, (0, 0), 0)
    assert bench.engine.state.orders.anomalies == bench.engine.state.orders.ignored == {}


def test_parent_that_fills_on_after_its_legs_are_done_gets_new_ones() -> None:
    bench = entered()
    bench.fill(1, 4)
    bench.fill(2, 4, 95, order_id=2)
    bench.word(E.CANCEL, 3)
    bench.fill(3, 6)
    assert quantities(bench) == {"STOP": 6.0, "LIMIT": 6.0}
    assert bench.pending == (0, 6)


def test_new_leg_waits_for_an_unknown_one_that_may_fill_more_than_is_left() -> None:
    bench = entered()
    bench.fill(1, 6)
    bench.engine.lose(2)  # the stop
    bench.fill(2, 6, 110, order_id=3)
    assert legs(bench)[OrderType.STOP].state is S.UNKNOWN
    bench.fill(3, 4)  # 4 are left to close, the stop may still do 6
    assert list(legs(bench)) == [OrderType.STOP]
    assert bench.pending == (0, 6)
    bench.word(E.CANCEL, 2)
    assert quantities(bench) == {"STOP": 4.0, "LIMIT": 4.0}


def test_leg_that_venue_or_strategy_ended_is_not_opened_again_and_the_other_reserves() -> None:
    for end in (E.REJECT, E.CANCEL):
        bench = entered()
        bench.fill(1, 4)
        bench.word(end, 2, Reason.PRICE_BAND)  # the stop, which reserved for both
        assert quantities(bench) == {"LIMIT": 4.0}
        assert bench.pending == (6, 4)
        bench.fill(2, 6)
        bench.word(E.ACCEPT, 3)
        bench.replaced(10, 110, 0, 3)
        assert quantities(bench) == {"LIMIT": 10.0}
        assert bench.pending == (0, 10)


def test_replacement_that_a_venue_refuses_is_not_asked_for_again_without_end() -> None:
    bench = entered()
    bench.fill(1, 4)
    bench.fill(2, 6)
    asked = [*bench.word(E.REPLACE_REJECT, 2), *bench.word(E.REPLACE_REJECT, 3)]
    assert asked == []
    assert quantities(bench) == {"STOP": 4.0, "LIMIT": 4.0}
    bench.fill(3, 3, 110, order_id=3)
    sent = bench.word(E.REPLACE_REJECT, 2)
    assert [type(c) for c in sent] == []
    bust = bench.engine.step(bench.report(E.BUST, 9, 0, 0, 2))  # 6 of the parent never were: 1 is left
    assert [(type(c), c.client_order_id) for c in bust] == [(ReplaceOrder, 2)]
    (cancel,) = bench.word(E.REPLACE_REJECT, 2)
    assert isinstance(cancel, CancelOrder)  # too large, and cannot be made smaller
    assert bench.word(E.CANCEL_REJECT, 2) == []


def test_position_closed_by_hand_cancels_the_legs() -> None:
    bench = entered()
    bench.fill(1, 10)
    bench.plan.sell(4)
    bench.plan.sell(6)
    bench.fill(2, 4, order_id=4)
    assert len(legs(bench)) == 2
    sent = bench.fill(3, 6, order_id=5)
    assert [(type(c), c.client_order_id) for c in sent] == [(CancelOrder, 2), (CancelOrder, 3)]
    bench.word(E.CANCEL, 2)
    bench.word(E.CANCEL, 3)
    assert (bench.engine.state.groups, bench.pending) == ({}, (0, 0))


def test_legs_pass_a_position_limit_of_their_own_parent() -> None:
    """Both would break it if each reserved for itself."""
    plan = Plan({0: lambda s: s.buy(10, take_profit=140, stop_loss=60)})
    machine = Machine([(coin(), records(bars(*[100] * 4)))], cash=1000)
    machine.seat(plan, limits=RiskLimits(position_max=Decimal(10))).go()
    assert sorted(order.state for order in machine.engine.open_orders()) == [S.ACKNOWLEDGED] * 2
    assert machine.engine.state.denied == 0


def test_split_restates_legs_that_work_and_legs_to_come() -> None:
    rows = bars(100, 100, 100, 50, 50, 50, 50)
    data = records(rows, [(rows[2].ts_end + 1, CorporateAction.SPLIT, 2, 1)])
    plan = Plan({0: lambda s: [s.buy(10, take_profit=140, stop_loss=60), s.buy(3, limit=10, take_profit=200)]})
    machine = Machine([(coin(), data)]).seat(plan).go()
    prices = {
        o.order_type.name: (o.leaves, o.limit_price or o.stop_price)
        for o in machine.engine.open_orders()
        if o.parent_id
    }
    assert prices == {"LIMIT": (20.0, 70.0), "STOP": (20.0, 30.0)}
    assert [group.take_units for group in machine.engine.state.groups.values()] == [70, 100]
    assert "replace_request" not in machine.story(3)


@pytest.mark.parametrize(
    ("side", "terms", "text"),
    [
        ("buy", {"limit": 100, "take_profit": 99}, "limit= was 100 and take_profit= 99"),
        ("buy", {"take_profit": 99, "stop_loss": 99}, "stop_loss= was 99 and take_profit= 99"),
        ("buy", {"limit": 100, "stop_loss": 101}, "stop_loss= was 101 and limit= 100"),
        ("sell", {"take_profit": 120, "stop_loss": 110}, "of a sell, take_profit= lies below stop_loss="),
        ("buy", {"take_profit": 120, "reduce_only": True}, "a reduce_only order opens nothing"),
    ],
)
def test_bracket_that_makes_no_sense_is_refused_and_nothing_is_sent(side: str, terms: Any, text: str) -> None:
    bench = Bench()
    bench.bar()
    with pytest.raises(StrategyError) as refused:
        getattr(bench.plan, side)(1, **terms)
    assert text in f"{refused.value} {refused.value.hint}"
    assert bench.engine.open_orders() == []


def test_denied_entry_leaves_no_group() -> None:
    bench = Bench()
    bench.bar()
    bench.engine.suspend(0)
    assert bench.plan.buy(1, take_profit=120).state is S.DENIED
    assert bench.engine.state.groups == {}


# ---- one cancels the others


def test_first_fill_cancels_the_others_and_an_end_without_one_does_not() -> None:
    bench = Bench(lambda s: [s.buy(2, limit=90), s.buy(3, limit=80), s.sell(1, limit=120)])
    bench.bar()
    assert bench.plan.oco(bench.orders)
    assert bench.word(E.CANCEL, 3) == []
    (command,) = bench.fill(1, 1, 80, order_id=2)
    assert (command.client_order_id, type(command)) == (1, CancelOrder)
    bench.fill(2, 2, 90, order_id=1)  # it crossed our cancel: the venue's word stands
    assert bench.units == 3
    bench.fill(3, 2, 80, order_id=2)
    assert bench.engine.state.groups == {}


def test_orders_that_cannot_be_linked_are_refused_by_name() -> None:
    bench = Bench(lambda s: [s.buy(2, limit=90), s.buy(3, limit=80), s.buy(1, limit=70)])
    bench.bar()
    first, second, third = bench.orders
    for given_orders, text in (
        ([first], "two or more different"), ([first, first], "two or more different"), (first, "takes a list of orders"),
        ([first, 7], "oco takes the Order"),
    ):  # fmt: skip
        with pytest.raises(StrategyError, match=text):
            bench.plan.oco(given_orders)
    assert bench.plan.oco([first, second])
    with pytest.raises(StrategyError, match="order 1 depends on others already"):
        bench.plan.oco([first, third])


# ---- saved, and by chance


def test_groups_are_saved_and_restored_and_go_on_alike() -> None:
    bench, other = entered(), entered()
    bench.fill(1, 4)
    bench.fill(2, 4, 110, order_id=3)
    bench.word(E.CANCEL, 2)
    bench.plan.placed.clear()
    saved = save_engine(bench.engine)
    restore_engine(other.engine, saved)
    assert save_engine(other.engine) == saved
    other.hour = bench.hour
    for each in (bench, other):
        each.fill(3, 3)
        assert quantities(each) == {"STOP": 3.0, "LIMIT": 3.0}


def bounded(bench: Bench, parent: int) -> None:
    """No leg works more than its parent filled, and where no answer is out both together want no more than is left."""
    for group in bench.engine.state.groups.values():
        filled = sum(leg.cum_units for leg in group.legs)
        for leg in group.legs:
            most = max(leg.qty_units, leg.replace_units) if leg.is_open else leg.cum_units
            assert most <= parent, leg
            settled = leg.state in (S.ACKNOWLEDGED, S.PARTIAL_FILL, S.PENDING_NEW)
            assert not settled or filled + leg.leaves_units <= parent, leg


KINDS = st.sampled_from((OrderType.LIMIT, OrderType.STOP))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("parent"), st.integers(1, 8)),
        st.tuples(st.just("leg"), st.integers(1, 8), KINDS),
        st.tuples(
            st.sampled_from(("answer", "refuse", "lose", "cancel")), st.sampled_from((OrderType.LIMIT, OrderType.STOP))
        ),
    ),
    max_size=25,
)


def hear(bench: Bench, number: int, what: str, leg: Any, amount: int = 0) -> int:
    """A venue's word about a leg, as a venue may speak that honours reduce-only. Returns what it filled."""
    if what == "leg":
        qty: int = min(amount, leg.qty_units - leg.cum_units, bench.units)
        if qty > 0:
            bench.fill(number, qty, 105, order_id=leg.id)
        return qty
    if what == "lose":
        bench.engine.lose(leg.id)
    elif what == "cancel" and leg.state is S.PENDING_CANCEL:
        bench.word(E.CANCEL, leg.id)
    elif what == "answer" and leg.replace_units:
        total = max(leg.replace_units, leg.cum_units)
        bench.replaced(total, leg.limit_units, leg.stop_units, leg.id, leg.revision_asked)
    elif what == "refuse" and leg.replace_units:
        bench.word(E.REPLACE_REJECT, leg.id, revision=leg.revision_asked)
    return 0


@settings(max_examples=200)
@given(STEPS)
def test_children_never_fill_or_work_more_than_their_parent_filled(steps: list[Any]) -> None:
    bench = Bench(lambda s: s.buy(20, limit=100, take_profit=110, stop_loss=95))
    bench.bar()
    bench.word(E.ACCEPT)
    parent = filled = 0
    for number, (what, *more) in enumerate(steps, 1):
        if what == "parent":
            qty = min(more[0], 20 - parent)
            parent += qty
            if qty:
                bench.fill(number, qty)
        elif more[-1] in legs(bench):
            filled += hear(bench, number, what, legs(bench)[more[-1]], more[0] if what == "leg" else 0)
        bounded(bench, parent)
        assert filled <= parent
        assert bench.units == parent - filled
        assert bench.pending[1] <= parent
    bench.word(E.CANCEL)
    while legs(bench):  # a cancel may make room for a new one
        for order in legs(bench).values():
            bench.word(E.CANCEL, order.id)
    assert (bench.pending, bench.engine.portfolio.reserved) == ((0, 0), 0.0)
    assert bench.engine.state.groups == {}


@settings(max_examples=60)
@given(st.lists(st.integers(-6, 6), min_size=10, max_size=30), st.integers(0, 2), st.sampled_from((20.0, 60.0, 1000.0)))
def test_bracket_at_the_simulated_venue_never_turns_the_position(moves: list[int], delay: int, volume: float) -> None:
    price, rows = 100, []
    for move in moves:
        rows.append((price, max(price, price + move) + 2, min(price, price + move) - 2, price + move))
        price += move

    def act(s: Any, _bar: Any) -> None:
        assert 0 <= s.position.qty <= 9
        if s.k == 0:
            s.placed.append(s.buy(9, limit=101, take_profit=105, stop_loss=96))

    run = one(bars(*rows, volume=volume), act, fills=BarFills(), latency=Latency(entry_ns=delay * HOUR // 2))
    parent = run.plan.placed[0]
    sold = -sum(fill.side * fill.qty for fill in run.fills if fill.order_id != parent.id)
    assert 0 <= sold <= parent.cum_units
    assert run.engine.state.orders.overfills == 0
    again = one(bars(*rows, volume=volume), act, fills=BarFills(), latency=Latency(entry_ns=delay * HOUR // 2))
    assert again.decision_rows == run.decision_rows


def test_leg_replaced_by_its_strategy_is_never_above_its_parent() -> None:
    bench = entered()
    bench.fill(1, 4)
    for number in (2, 3):
        bench.word(E.ACCEPT, number)
    for leg in legs(bench).values():
        with pytest.raises(StrategyError, match=r"closes what order 1 filled: qty= was 5, at most 4"):
            bench.plan.replace(leg, qty=5)
        assert bench.plan.replace(leg, qty=4, **({"stop": 96} if leg.stop_price else {"limit": 109}))
    assert bench.pending == (6, 4)
    assert bench.plan.replace(bench.orders[0], qty=20)  # what it opens is its own


@pytest.mark.parametrize(
    "limits",
    [
        {"order_qty_max": Decimal(3)},
        {"orders_per_second": 2},
        {"order_notional_max": Decimal(300)},
        {"price_age_max_ns": 0},
    ],
)
def test_leg_moved_by_its_strategy_passes_risk_whichever_leg_reserves(limits: dict[str, Any]) -> None:
    bench = entered()
    switch.change_limits(bench.engine, RiskLimits(orders_per_second=100), "test", "ann")
    bench.fill(1, 4)
    for number in (2, 3):
        bench.word(E.ACCEPT, number)
    switch.change_limits(bench.engine, RiskLimits(**limits), "test", "ann")
    if "price_age_max_ns" in limits:
        bench.hour += 1
        bench.word(E.ACCEPT, 2)  # later, and no price since
    before = len(bench.records)
    assert not bench.plan.replace(legs(bench)[OrderType.STOP], stop=96)
    assert not bench.plan.replace(legs(bench)[OrderType.LIMIT], limit=109)
    assert [row[0] for row in bench.records[before:]] == ["replace_reject", "refusal"] * 2
    assert bench.pending == (6, 4)


def test_order_filled_before_it_was_linked_cancels_the_others() -> None:
    bench = Bench(lambda s: [s.sell(5, limit=price) for price in (110, 111, 112)])
    bench.bar()
    bench.fill(1, 5, order_id=1)
    assert bench.plan.oco(bench.orders)
    assert [order.state for order in bench.orders] == [S.FILLED, S.PENDING_CANCEL, S.PENDING_CANCEL]


@pytest.mark.parametrize(
    "limits",
    [
        {"orders_per_second": 1},
        {"account_orders_per_second": 1},
        {"price_age_max_ns": 0},
        {"order_notional_max": Decimal(1000)},
    ],
)
def test_legs_are_there_whatever_would_hold_up_another_order(limits: dict[str, Any]) -> None:
    plan = Plan({0: lambda s: s.buy(10, limit=100, take_profit=110, stop_loss=95)})
    machine = Machine([(coin(), records(bars(100, (100, 101, 99, 100), 100)))])
    machine.seat(plan, limits=RiskLimits(**limits)).go()
    kinds = sorted(order.order_type.name for order in machine.engine.open_orders())
    assert (machine.engine.portfolio.positions[0].units, kinds) == (10, ["LIMIT", "STOP"])

"""The kill switch: what fires it, what it cancels, what still goes out, and that only a reset ends it."""

from decimal import Decimal
from typing import Any

import pytest
from bench import Bench
from machine import HOUR, T0, Machine, Plan, bars, coin, records

from lockstep import Strategy
from lockstep.engine import switch
from lockstep.engine.saved import restore_engine, save_engine
from lockstep.model.enums import OrderState, Reason
from lockstep.model.errors import UsageError
from lockstep.risk.limits import RiskLimits, StrategyLimits, SymbolLimits


class Trader(Strategy):
    """Buys ten at the first bar and rests an order; then does what `later` says at each bar."""

    def on_start(self) -> None:
        self.sent: list[Any] = []

    def on_bar(self, bar: Any) -> None:
        n = len(self.sent)
        if n == 0:
            self.sent.append(self.buy(10))
            self.sent.append(self.buy(1, limit=1))
        elif self.now >= T0 + 4 * HOUR:
            self.sent += [self.buy(1), self.sell(4), self.sell(7)]


def play(limits: RiskLimits, *prices: int, **seat: Any) -> tuple[Machine, Trader]:
    machine = Machine([(coin(), records(bars(*prices)))], cash=10_000, leverage=5.0)
    trader = Trader()
    machine.engine.add_strategy(trader, "trader", [0], limits)
    return machine, trader


def run(machine: Machine) -> None:
    from lockstep.run.loop import Loop

    source = machine.source()
    machine.engine.start(source.first_time())
    Loop(machine.engine, machine.venue, source).run_all()


def records_of(machine: Machine) -> list[str]:
    machine.engine.flush()
    return [row.kind for row in machine.decisions]


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        ({"daily_loss_max": Decimal("0.01")}, "daily_loss"),
        ({"drawdown_max": Decimal("0.01")}, "drawdown"),
    ],
)
def test_loss_fires_it_cancels_everything_and_lets_only_closing_orders_out(limits: Any, rule: str) -> None:
    machine, trader = play(RiskLimits(**limits), 100, 100, 88, 88, 88, 88)
    run(machine)
    desk = machine.engine.state.desk
    assert desk.halted
    (act,) = desk.acts
    assert (act.rule, act.who, act.limit) == (rule, "risk", 0.01)
    assert act.actual == pytest.approx(0.012)
    first, resting, opening, closing, turning = trader.sent[:5]
    assert first.state is OrderState.FILLED
    assert resting.state is OrderState.CANCELED
    assert (opening.state, opening.reason, opening.refusal.rule) == (
        OrderState.DENIED,
        Reason.KILL_SWITCH,
        "kill_switch",
    )
    assert closing.state is OrderState.FILLED
    assert (turning.state, turning.refusal.actual) == (OrderState.DENIED, 1.0)
    assert "kill" in records_of(machine)


def test_loss_at_its_limit_does_not_fire() -> None:
    machine, _ = play(RiskLimits(drawdown_max=Decimal("0.01")), 100, 100, 90)
    run(machine)
    assert not machine.engine.state.desk.halted


def test_trigger_that_is_not_named_only_refuses() -> None:
    machine, trader = play(RiskLimits(drawdown_max=Decimal("0.01"), halt_on=()), 100, 100, 88, 88, 88)
    run(machine)
    assert not machine.engine.state.desk.halted
    assert trader.sent[2].reason is Reason.DRAWDOWN
    assert trader.sent[1].is_open


def test_more_refusals_than_allowed_fire_it() -> None:
    machine, trader = play(RiskLimits(refusals_max=1, order_qty_max=Decimal(3)), 100, 100)
    run(machine)
    assert not machine.engine.state.desk.halted
    machine, trader = play(RiskLimits(refusals_max=1, order_qty_max=Decimal(3)), 100, 100, 100, 100, 100)
    run(machine)
    assert machine.engine.state.desk.acts[0].rule == "refusals"
    assert trader.sent[1].state is OrderState.CANCELED


def test_command_and_reset_are_recorded_with_who_and_why() -> None:
    machine, trader = play(RiskLimits(), 100, 100, 100)
    run(machine)
    engine = machine.engine
    with pytest.raises(UsageError, match="nothing to reset"):
        switch.reset(engine, "calm", "ann")
    switch.kill(engine, "fat finger", "ann")
    assert [request.order_id for request in engine.state.outbox] == [trader.sent[1].id]
    assert trader.sell(11).reason is Reason.KILL_SWITCH
    assert trader.sell(10).state is OrderState.PENDING_NEW
    switch.reset(engine, "checked", "bob")
    assert trader.buy(1).state is OrderState.PENDING_NEW
    assert [(act.rule, act.who, act.why) for act in engine.state.desk.acts] == [
        ("kill_switch", "ann", "fat finger"), ("reset", "bob", "checked"),
    ]  # fmt: skip
    assert [kind for kind in records_of(machine) if kind in ("kill", "reset")] == ["kill", "reset"]


def test_it_stays_on_over_a_restore() -> None:
    machine, first = play(RiskLimits(), 100, 100, 100)
    run(machine)
    switch.kill(machine.engine, "stop", "ann")
    first.sent.clear()  # orders are no plain data
    again, trader = play(RiskLimits(), 100, 100, 100)
    again.engine.start(T0)
    restore_engine(again.engine, save_engine(machine.engine))
    assert again.engine.state.desk.halted
    assert again.engine.state.desk.acts == machine.engine.state.desk.acts
    assert trader.buy(1).reason is Reason.KILL_SWITCH


def test_reset_after_a_loss_counts_losses_from_there() -> None:
    machine, trader = play(RiskLimits(drawdown_max=Decimal("0.01")), 100, 100, 80, 80)
    run(machine)
    assert machine.engine.state.desk.halted
    switch.reset(machine.engine, "accepted", "ann")
    machine.engine.mark(machine.engine.state.clock + 1)
    assert not machine.engine.state.desk.halted
    assert trader.buy(1).refusal is None


def test_warning_is_recorded_before_its_order() -> None:
    machine, _ = play(RiskLimits(order_qty_max=Decimal(11)), 100, 100)
    run(machine)
    assert records_of(machine)[:2] == ["warning", "submit"]


def test_system_error_fires_it_with_the_error_as_the_reason() -> None:
    machine, trader = play(RiskLimits(), 100, 100)
    run(machine)
    switch.fail(machine.engine, switch.fault_text(ConnectionError("venue gone")))
    (act,) = machine.engine.state.desk.acts
    assert (act.rule, act.who, act.why) == ("system_error", "system", "ConnectionError: venue gone")
    assert [request.order_id for request in machine.engine.state.outbox] == [trader.sent[1].id]
    assert trader.buy(1).reason is Reason.KILL_SWITCH


@pytest.mark.parametrize(("limit", "fires"), [("9", True), ("10", False)])
def test_fill_beyond_a_position_limit_fires_it(limit: str, fires: bool) -> None:
    change = RiskLimits(strategies={"trader": StrategyLimits(position_max=Decimal(limit))})

    class Late(Trader):
        def on_bar(self, bar: Any) -> None:
            super().on_bar(bar)
            if len(self.sent) == 2:  # the order for ten is on its way
                switch.change_limits(late.engine, change, "less", "ann")

    late = Machine([(coin(), records(bars(100, 100, 100)))], cash=10_000, leverage=5.0)
    late.engine.add_strategy(Late(), "trader", [0], RiskLimits())
    run(late)
    assert late.engine.state.desk.halted is fires
    assert ("strategy_position" in [act.rule for act in late.engine.state.desk.acts]) is fires


def test_limits_change_at_once_with_who_and_why_and_survive_a_restore() -> None:
    machine, trader = play(RiskLimits(), 100, 100, 100)
    run(machine)
    limits = RiskLimits(order_qty_max=Decimal(2), open_orders_max=2, orders_per_second=1)
    with pytest.raises(UsageError, match="neither may be empty"):
        switch.change_limits(machine.engine, limits, "", "ann")
    with pytest.raises(UsageError, match="symbol 'ABC'"):
        switch.change_limits(machine.engine, RiskLimits(symbols={"ABC": SymbolLimits()}), "why", "ann")
    switch.change_limits(machine.engine, limits, "volatile", "ann")
    assert trader.buy(3).reason is Reason.ORDER_QTY
    assert trader.buy(1, limit=2).refusal is None  # the second: the one that rested before is counted
    assert trader.buy(1, limit=2).reason is Reason.OPEN_ORDERS
    assert records_of(machine).count("limits") == 1
    again, other = play(RiskLimits(), 100, 100, 100)
    again.engine.start(T0)
    trader.sent.clear()
    restore_engine(again.engine, save_engine(machine.engine))
    assert again.engine.state.desk.acts[-1].who == "ann"
    assert other.buy(3).reason is Reason.ORDER_QTY
    assert other.buy(1, limit=2).reason is Reason.OPEN_ORDERS
    other.cancel()
    switch.change_limits(again.engine, RiskLimits(), "calm", "bob")
    assert other.buy(3).refusal is None


def test_cancel_that_is_out_already_costs_nothing_of_the_budget() -> None:
    bench = Bench(lambda s: [s.buy(1, limit=50), s.buy(1, limit=51), s.buy(1, limit=52)])
    switch.change_limits(bench.engine, RiskLimits(cancels_per_second=2), "test", "ann")
    bench.bar()
    first, second, third = bench.orders
    assert bench.plan.cancel(first)
    assert not any(bench.plan.cancel(first) for _ in range(5))
    assert bench.plan.cancel(second)
    assert not bench.plan.cancel(third)
    assert [row[1] for row in bench.records if row[0] == "refusal"] == [third.id]


@pytest.mark.parametrize("side", [1, -1])
def test_position_beyond_its_limit_by_a_correction_or_a_bust_fires_it(side: int) -> None:
    """Ten may be held. Corrected to eleven; or the closing of the first ten turns out to have been none."""

    def send(towards: int) -> Any:
        return lambda s: s.order(10 * towards * side)

    for amend, held in (("correct", 11), ("bust", 20)):
        bench = Bench(send(1), send(-1), send(1))
        switch.change_limits(bench.engine, RiskLimits(position_max=Decimal(10)), "test", "ann")
        for number in (1, 2, 3):
            bench.bar()
            bench.fill(number, 10, order_id=number)
        assert not bench.engine.state.desk.halted
        if amend == "correct":
            bench.correct(4, 3, 11, order_id=3)
        else:
            bench.bust(4, 2, order_id=2)
        assert bench.units == held * side
        assert [act.rule for act in bench.engine.state.desk.acts][1:] == ["position"]


def test_cancel_that_is_refused_is_no_order_that_was() -> None:
    bench = Bench(lambda s: s.buy(1, limit=50))
    switch.change_limits(bench.engine, RiskLimits(cancels_per_second=0), "test", "ann")
    bench.bar()
    assert not bench.plan.cancel(bench.orders[0])
    gate = bench.engine.state.subscriptions[0].gate
    assert (gate.checked, gate.refused, gate.refusals) == (1, 0, {"CANCEL_THROTTLE": 1})


def test_limits_of_a_strategy_hold_over_its_seats_once_they_are_said_of_it() -> None:
    """First each seat has a pace of its own, then both share one; and what was saved after a third change can be restored."""

    def seated() -> Machine:
        own = StrategyLimits(orders_per_second=5)
        limits = RiskLimits(strategies={"trend:AAA": own, "trend:BBB": own})
        machine = Machine([(coin(name), records(bars(100, 100))) for name in ("AAA", "BBB")])
        for k, name in enumerate(("trend:AAA", "trend:BBB")):
            machine.seat(Plan({}), k, name=name, limits=limits)
        machine.engine.start(T0)
        for sub in machine.engine.state.subscriptions:
            sub.holding.set_last(100)
        return machine

    engine = seated().engine
    shared = RiskLimits(strategies={"trend": StrategyLimits(orders_per_second=3, open_orders_max=2)})
    switch.change_limits(engine, shared, "one pace", "ann")
    sent = [seat.strategy.buy(1) for seat in engine.seats for _ in range(2)]
    assert [order.is_open for order in sent] == [True, True, False, False]
    assert sent[2].reason is Reason.STRATEGY_OPEN_ORDERS
    switch.change_limits(
        engine, RiskLimits(strategies={"trend:AAA": StrategyLimits(order_qty_max=Decimal(1))}), "x", "ann"
    )
    engine.state.later.clear()  # what a step would have handed over
    again = seated().engine
    restore_engine(again, save_engine(engine))
    assert again.seats[0].strategy.buy(2).reason is Reason.ORDER_QTY
    assert again.seats[1].strategy.buy(2).is_open

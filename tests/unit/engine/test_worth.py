"""What orders are worth to risk: the price they may trade at, not the one that was typed."""

from decimal import Decimal
from typing import Any

import pytest
from bench import Bench
from machine import Machine, Plan, bars, coin, records

from lockstep.engine import switch
from lockstep.model.enums import OrderState, Settlement
from lockstep.risk.limits import RiskLimits


def limited(send: Any, **limits: Any) -> Any:
    """The order sent at a last price of 100, under limits."""
    bench = Bench(send)
    switch.change_limits(bench.engine, RiskLimits(**limits), "test", "ann")
    bench.bar(100)
    return bench.orders[0], bench.engine.portfolio.holdings[0]


@pytest.mark.parametrize(
    ("side", "terms", "price"),
    [
        (-1, {"limit": 1}, 100),  # sells at the market
        (-1, {"limit": 100}, 100),
        (-1, {"limit": 120}, 120),  # rests
        (1, {"limit": 80}, 80),  # rests
        (1, {"limit": 120}, 120),
        (1, {"stop": 1}, 100),  # the price has passed it: buys at the market
        (1, {"stop": 120}, 120),  # waits
        (-1, {"stop": 80}, 80),  # waits
        (-1, {"stop": 200}, 200),
        (-1, {"stop": 80, "limit": 1}, 80),  # sells at 80 once it is there
        (-1, {"stop": 80, "limit": 90}, 90),
        (1, {"stop": 120, "limit": 130}, 130),
        (-1, {"stop": 200, "limit": 1}, 100),  # there already
    ],
)
def test_order_is_worth_what_it_may_trade_at(side: int, terms: dict[str, int], price: int) -> None:
    def send(strategy: Any) -> Any:
        return (strategy.buy if side > 0 else strategy.sell)(10, **terms)

    order, holding = limited(send, order_notional_max=Decimal(10 * price))
    assert order.is_open
    assert (holding.pending_buy_worth if side > 0 else holding.pending_sell_worth) == 10 * price
    order, _ = limited(send, order_notional_max=Decimal(10 * price - 1))
    assert (order.state, order.refusal.rule, order.refusal.actual) == (OrderState.DENIED, "order_notional", 10 * price)


def test_short_sale_at_any_price_needs_the_buying_power_of_the_market() -> None:
    order, _ = limited(lambda s: s.sell(10_001, limit=1))  # the bench has 1,000,000
    assert order.refusal.rule == "buying_power"


def test_replacement_is_worth_what_it_may_trade_at() -> None:
    bench = Bench(lambda s: s.sell(10, limit=120))
    switch.change_limits(bench.engine, RiskLimits(order_notional_max=Decimal(1200)), "test", "ann")
    bench.bar(100)
    assert not bench.plan.replace(bench.orders[0], qty=13, limit=1)
    assert bench.plan.replace(bench.orders[0], qty=12, limit=1)
    assert bench.engine.portfolio.holdings[0].pending_sell_worth == 1200.0


@pytest.mark.parametrize(("limit", "worth"), [(100, 20), (40, 25)])
def test_inverse_contract_is_worth_more_at_the_market_than_at_a_higher_limit(limit: int, worth: int) -> None:
    """Of one that rests lower, at its limit."""
    item = coin(settlement=Settlement.INVERSE)
    for spare, approved in ((0, True), (1, False)):
        machine = Machine([(item, records(bars(50)))], cash=1000)
        limits = RiskLimits(order_notional_max=Decimal(worth - spare))
        machine.seat(Plan({0: lambda s: s.buy(1000, limit=limit)}), limits=limits).go()
        assert machine.plan.placed[0].is_open == approved

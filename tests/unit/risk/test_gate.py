"""The gate: each limit at its edge, what is on its way counted, closing never held up."""

from decimal import Decimal
from typing import Any

import pytest

from lockstep.model.enums import AssetClass, Reason, Settlement
from lockstep.model.errors import RefuseError
from lockstep.model.instrument import Instrument
from lockstep.portfolio.portfolio import Portfolio
from lockstep.risk.gate import Gate
from lockstep.risk.limits import RiskLimits

PRICE = 100.0  # 10000 units


def share(**changes: Any) -> Instrument:
    rules: dict[str, Any] = {
        "venue": "XNAS", "symbol": "AAPL", "asset_class": AssetClass.EQUITY, "base_currency": "AAPL",
        "quote_currency": "USD", "price_decimals": 2, "qty_decimals": 0,
    }  # fmt: skip
    return Instrument(**{**rules, **changes})


class Desk:
    """One instrument, its gate and account; orders work until they are filled or cancelled."""

    def __init__(self, cash: Any = 10_000, leverage: float = 1.0, held: int = 0, **limits: Any) -> None:
        item = share()
        self.portfolio = Portfolio([item, share(symbol="MSFT")], cash, leverage)
        self.holding = self.portfolio.holdings[0]
        self.position = self.portfolio.add_position("s", 0, 0)
        self.holding.set_last(10000)
        if held:
            self.portfolio.book_fill(self.position, 1 if held > 0 else -1, 10000, abs(held), 0)
        self.gate = Gate(item, RiskLimits(**limits))

    def check(self, side: int, qty: int, price: float = PRICE) -> int:
        return self.gate.check(self.portfolio, self.holding, side, qty, price * qty)

    def send(self, side: int, qty: int, price: float = PRICE) -> int:
        rule = self.check(side, qty, price)
        if not rule:
            self.holding.add_pending(side, qty, price * qty)
        return rule

    def fill(self, side: int, qty: int, price: float = PRICE) -> None:
        self.holding.add_pending(side, -qty, -price * qty)
        self.portfolio.book_fill(self.position, side, int(price * 100), qty, 0)


@pytest.mark.parametrize(("qty", "rule"), [(9, 0), (10, 0), (11, Reason.ORDER_QTY)])
@pytest.mark.parametrize("side", [1, -1])
def test_order_quantity_at_its_limit(side: int, qty: int, rule: int) -> None:
    desk = Desk(order_qty_max=Decimal(10))
    assert desk.check(side, qty) == rule
    if rule:
        verdict = desk.gate.verdict(rule)
        assert (verdict.rule, verdict.limit, verdict.actual) == ("order_qty", 10.0, 11.0)
        assert desk.gate.refusals == {"ORDER_QTY": 1}
    assert (desk.gate.checked, desk.gate.refused) == (1, int(bool(rule)))


@pytest.mark.parametrize(("qty", "rule"), [(3, 0), (4, 0), (5, Reason.POSITION)])
@pytest.mark.parametrize("side", [1, -1])
def test_position_at_its_limit_counts_held_and_working(side: int, qty: int, rule: int) -> None:
    desk = Desk(held=4 * side, position_max=Decimal(10))
    assert desk.send(side, 2) == 0
    assert desk.send(side, qty) == rule


def test_order_towards_flat_is_not_held_up_by_a_position_beyond_the_limit() -> None:
    desk = Desk(held=20, position_max=Decimal(10))
    assert desk.check(-1, 20) == 0
    assert desk.check(-1, 30) == 0
    assert desk.check(-1, 31) == Reason.POSITION
    assert desk.check(1, 1) == Reason.POSITION


@pytest.mark.parametrize(("qty", "rule"), [(99, 0), (100, 0), (101, Reason.BUYING_POWER)])
@pytest.mark.parametrize("side", [1, -1])
def test_buying_power_at_its_limit(side: int, qty: int, rule: int) -> None:
    desk = Desk()
    assert desk.check(side, qty) == rule
    if rule:
        verdict = desk.gate.verdict(rule)
        assert (verdict.rule, verdict.limit, verdict.actual) == ("buying_power", 10_000.0, 10_100.0)


@pytest.mark.parametrize(("qty", "rule"), [(300, 0), (301, Reason.BUYING_POWER)])
def test_buying_power_grows_with_leverage(qty: int, rule: int) -> None:
    assert Desk(leverage=3.0).check(1, qty) == rule


def test_working_orders_hold_their_buying_power_until_they_are_gone() -> None:
    desk = Desk()
    assert desk.send(1, 60) == 0
    assert (desk.portfolio.buying_power(), desk.portfolio.reserved) == (4000.0, 6000.0)
    assert desk.send(1, 41) == Reason.BUYING_POWER
    assert desk.send(1, 40) == 0
    desk.fill(1, 60)
    assert desk.portfolio.buying_power() == 0.0
    desk.holding.add_pending(1, -40, -4000.0)
    assert (desk.portfolio.buying_power(), desk.portfolio.reserved) == (4000.0, 0.0)


@pytest.mark.parametrize("held", [100, -100])
def test_closing_is_never_refused_by_buying_power(held: int) -> None:
    desk = Desk(held=held)
    desk.holding.set_last(20000 if held < 0 else 5000)  # the short has lost everything
    away = -1 if held > 0 else 1
    assert desk.send(away, 50) == 0
    assert desk.send(away, 50) == 0
    assert desk.check(-away, 1) == Reason.BUYING_POWER or held > 0


def test_flip_of_a_whole_account_needs_no_more_than_the_account() -> None:
    desk = Desk(held=100)
    assert desk.portfolio.buying_power() == 0.0
    assert desk.check(-1, 200) == 0
    assert desk.check(-1, 201) == Reason.BUYING_POWER


def test_second_closing_order_reserves_what_it_would_open_whichever_fills_first() -> None:
    desk = Desk(held=10)
    assert desk.send(-1, 10) == 0  # closes
    assert desk.send(-1, 100) == 0  # would open 100 short
    desk.fill(-1, 100)
    assert desk.position.units == -90
    assert desk.portfolio.reserved == pytest.approx(1000.0)  # the first order would now open ten more
    assert desk.portfolio.buying_power() == pytest.approx(0.0)


@pytest.mark.parametrize("price", [float("nan"), 0.0, -1.0])
@pytest.mark.parametrize("buying_power", [True, False])
def test_order_with_no_reference_price_is_refused(price: float, buying_power: bool) -> None:
    desk = Desk(buying_power=buying_power)
    assert desk.check(1, 1, price) == Reason.NO_REFERENCE_PRICE
    assert desk.gate.verdict(Reason.NO_REFERENCE_PRICE).rule == "no_reference_price"


def test_gate_without_buying_power_checks_the_rest_alone() -> None:
    desk = Desk(buying_power=False, order_qty_max=Decimal(1000))
    assert desk.check(1, 1000) == 0
    assert desk.check(1, 1001) == Reason.ORDER_QTY


def test_opening_units_are_what_goes_beyond_closing() -> None:
    desk = Desk(held=10)
    assert desk.holding.opening_units(1, 5) == 5
    assert desk.holding.opening_units(-1, 10) == 0
    assert desk.holding.opening_units(-1, 15) == 5
    desk.send(-1, 8)
    assert desk.holding.opening_units(-1, 5) == 3
    desk.send(-1, 8)
    assert desk.holding.opening_units(-1, 5) == 5


def test_limit_finer_than_the_instrument_goes_down_to_a_unit() -> None:
    desk = Desk(order_qty_max=Decimal("10.5"))
    assert (desk.check(1, 10), desk.check(1, 11)) == (0, Reason.ORDER_QTY)
    assert Desk(order_qty_max=Decimal(0)).check(1, 1) == Reason.ORDER_QTY


@pytest.mark.parametrize("limit", [Decimal(-1), Decimal("NaN"), Decimal("Infinity"), float("nan"), True, "ten"])
@pytest.mark.parametrize("name", ["order_qty_max", "position_max"])
def test_limit_that_is_no_amount_is_refused(name: str, limit: Any) -> None:
    with pytest.raises(RefuseError, match=name):
        RiskLimits(**{name: limit})


def test_small_order_beside_a_huge_one_leaves_no_rest_when_both_are_gone() -> None:
    desk = Desk(cash="1e13")
    desk.holding.add_pending(1, 10**9, 1e12)
    desk.holding.add_pending(1, 1, 0.1)
    desk.holding.add_pending(1, -(10**9), -1e12)
    desk.holding.add_pending(1, -1, -0.1)
    assert (desk.holding.pending_buy_worth, desk.portfolio.reserved) == (0.0, 0.0)


def test_inverse_contract_is_measured_in_its_base() -> None:
    item = share(base_currency="BTC", price_decimals=0, settlement=Settlement.INVERSE)
    portfolio = Portfolio([item], 1, 2.0)
    portfolio.holdings[0].set_last(50_000)
    gate = Gate(item, RiskLimits())
    assert gate.check(portfolio, portfolio.holdings[0], 1, 100_000, 100_000 / 50_000) == 0
    assert gate.check(portfolio, portfolio.holdings[0], 1, 100_001, 100_001 / 50_000) == Reason.BUYING_POWER

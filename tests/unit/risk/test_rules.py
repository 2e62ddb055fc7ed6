"""Every rule beyond the first three: at a unit below its limit, at it, and above; and what it leaves alone."""

import math
from decimal import Decimal
from typing import Any

import pytest
from gates import SECOND, T0, Floor, share

from lockstep.model.enums import AssetClass, Reason
from lockstep.model.errors import RefuseError, UsageError
from lockstep.model.traffic import make_terms
from lockstep.orders.order import OpenOrders
from lockstep.portfolio.portfolio import Portfolio
from lockstep.risk.desk import Desk
from lockstep.risk.gate import Gate
from lockstep.risk.limits import NO_LIMITS, STANDARD, RiskLimits, StrategyLimits, SymbolLimits
from lockstep.risk.timings import Timings

DAY = 86_400 * SECOND


def floor(cash: int = 1_000_000, leverage: float = 10.0, count: int = 2, **limits: Any) -> Floor:
    return Floor(RiskLimits(**limits), cash, leverage, count)


def held(qty: int, **limits: Any) -> Floor:
    """A floor whose first strategy holds so many of AAA."""
    made = floor(**limits)
    side = 1 if qty > 0 else -1
    made.portfolio.book_fill(made.portfolio.position(0, 0), side, 100, abs(qty), 0)
    return made


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("limits", "rule", "limit", "actual"),
    [
        ({"order_qty_max": Decimal(10)}, "order_qty", 10.0, 11.0),
        ({"order_notional_max": Decimal(1000)}, "order_notional", 1000.0, 1100.0),
        ({"order_fraction_max": Decimal("0.001")}, "order_notional", 1000.0, 1100.0),
        ({"position_max": Decimal(10)}, "position", 10.0, 11.0),
        ({"position_notional_max": Decimal(1000)}, "position_notional", 1000.0, 1100.0),
        ({"position_fraction_max": Decimal("0.001")}, "position_notional", 1000.0, 1100.0),
        ({"gross_max": Decimal(1000)}, "gross_exposure", 1000.0, 1100.0),
        ({"net_max": Decimal(1000)}, "net_exposure", 1000.0, 1100.0),
        ({"leverage_max": Decimal("0.001")}, "leverage", 0.001, 0.0011),
        ({"symbols": {"AAA": SymbolLimits(order_qty_max=Decimal(10))}}, "order_qty", 10.0, 11.0),
        ({"strategies": {"one": StrategyLimits(order_qty_max=Decimal(10))}}, "order_qty", 10.0, 11.0),
        ({"strategies": {"one": StrategyLimits(position_max=Decimal(10))}}, "strategy_position", 10.0, 11.0),
        ({"strategies": {"one": StrategyLimits(order_notional_max=Decimal(1000))}}, "order_notional", 1000.0, 1100.0),
    ],
)  # fmt: skip
def test_amount_at_its_limit(side: int, limits: dict[str, Any], rule: str, limit: float, actual: float) -> None:
    for qty, expected in ((9, None), (10, None), (11, rule)):
        sent = floor(**limits).send(side, qty)
        assert sent.rule == expected
        if sent.verdict is not None:
            assert sent.verdict.rule == rule
            assert (sent.verdict.limit, sent.verdict.actual) == pytest.approx((limit, actual))


@pytest.mark.parametrize(
    "limits",
    [
        {"position_notional_max": Decimal(10)}, {"position_fraction_max": Decimal("0.0001")}, {"gross_max": Decimal(10)},
        {"net_max": Decimal(10)}, {"leverage_max": Decimal("0.0001")}, {"positions_max": 0},
        {"daily_loss_max": Decimal(0)}, {"drawdown_max": Decimal(0)},
    ],
)  # fmt: skip
@pytest.mark.parametrize("qty", [50, -50])
def test_order_that_only_closes_is_not_held_up_by_limits_of_what_is_open(limits: dict[str, Any], qty: int) -> None:
    desk = held(qty, **limits)
    desk.price(0, 90 if qty > 0 else 110)  # the position has lost
    assert desk.send(-1 if qty > 0 else 1, 50).rule is None
    assert desk.send(1 if qty > 0 else -1, 60, instrument=1).rule is not None  # this one opens


def test_limits_count_working_orders_too() -> None:
    desk = floor(gross_max=Decimal(3000), position_notional_max=Decimal(2000))
    assert [desk.send(1, 10).rule for _ in range(3)] == [None, None, "position_notional"]
    assert desk.send(1, 10, instrument=1).rule is None
    assert desk.send(1, 1, instrument=1).rule == "gross_exposure"
    assert desk.send(-1, 20).rule is None  # the worst of AAA is 2000 either way
    assert desk.send(-1, 1).rule == "position_notional"


def test_net_exposure_lets_two_sides_offset() -> None:
    desk = floor(net_max=Decimal(1000))
    short = desk.send(-1, 10, instrument=1)
    assert desk.send(1, 10).rule is None
    assert desk.send(1, 1).rule == "net_exposure"  # the short has not filled yet
    desk.fill(short)
    assert desk.send(1, 10).rule is None
    assert desk.send(1, 1).rule == "net_exposure"


def test_number_of_positions_at_its_limit() -> None:
    desk = floor(count=4, positions_max=2)
    first = desk.send(1, 1)
    desk.fill(first)
    assert desk.send(1, 1, instrument=1).rule is None
    refused = desk.send(1, 1, instrument=2)
    assert (refused.rule, refused.verdict and refused.verdict.actual) == ("positions", 3.0)
    assert desk.send(1, 5).rule is None  # more of what is held is no new position
    assert desk.send(1, 5, instrument=1).rule is None


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        ({"open_orders_max": 3}, "open_orders"),
        ({"account_open_orders_max": 3}, "account_open_orders"),
        ({"strategies": {"one": StrategyLimits(open_orders_max=3)}}, "strategy_open_orders"),
    ],
)
def test_open_orders_at_their_limit(limits: dict[str, Any], rule: str) -> None:
    desk = floor(**limits)
    sent = [desk.send(1, 1, limit=90) for _ in range(3)]
    refused = desk.send(1, 1, limit=90)
    assert refused.rule == rule
    assert refused.verdict is not None
    assert (refused.verdict.limit, refused.verdict.actual) == (3.0, 4.0)
    assert (desk.send(1, 1, limit=90, instrument=1).rule is None) == (rule == "open_orders")
    assert (desk.send(1, 1, limit=90, strategy=1).rule is None) == (rule == "strategy_open_orders")
    desk.cancel(sent[1])
    if rule == "account_open_orders":
        assert desk.send(1, 1, limit=90).rule is None
    desk.cancel(sent[0])
    assert desk.send(1, 1, limit=90).rule is None


@pytest.mark.parametrize(("limit", "rule"), [(105, None), (106, "price_band"), (95, None), (94, "price_band")])
@pytest.mark.parametrize("side", [1, -1])
def test_price_band_at_its_edge(side: int, limit: int, rule: str | None) -> None:
    desk = floor(price_band=Decimal("0.05"))
    sent = desk.send(side, 1, limit=limit)
    assert sent.rule == rule
    if sent.verdict is not None:
        assert (sent.verdict.limit, sent.verdict.actual) == pytest.approx((0.05, 0.06))


def test_price_band_is_exact_where_floats_are_not() -> None:
    desk = floor(cash=10**15, price_band=Decimal("0.1"))
    for last in (3, 7, 10**9 + 7, 30, 10**12 + 10):
        desk.price(0, last * 10)
        assert desk.send(1, 1, limit=last * 11).rule is None
        assert desk.send(1, 1, limit=last * 11 + 1).rule == "price_band"
        assert desk.send(1, 1, limit=last * 9).rule is None
        assert desk.send(1, 1, limit=last * 9 - 1).rule == "price_band"


@pytest.mark.parametrize(("age", "rule"), [(SECOND - 1, None), (SECOND, None), (SECOND + 1, "stale_price")])
def test_price_age_at_its_limit(age: int, rule: str | None) -> None:
    desk = floor(price_age_max_ns=SECOND)
    desk.clock += age
    assert desk.send(1, 1).rule == rule
    assert desk.send(1, 1, limit=100).rule == rule  # a limit price of one's own is no reference
    desk.price(0, 100)
    assert desk.send(1, 1).rule is None


def test_limit_order_without_any_price_is_refused_where_a_band_or_an_age_asks_for_one() -> None:
    for limits in ({"price_band": Decimal("0.05")}, {"price_age_max_ns": DAY}):
        desk = floor(**limits)
        desk.portfolio = type(desk.portfolio)(desk.items, 1_000_000)
        assert desk.send(1, 1, limit=100).rule in ("no_reference_price", "stale_price")


@pytest.mark.parametrize(
    ("resting", "incoming", "rule"),
    [
        ((-1, 101), (1, 100), None), ((-1, 101), (1, 101), "self_trade"), ((-1, 101), (1, 102), "self_trade"),
        ((1, 99), (-1, 100), None), ((1, 99), (-1, 99), "self_trade"), ((1, 99), (-1, 98), "self_trade"),
        ((1, 99), (1, 99), None), ((-1, 101), (1, 0), "self_trade"), ((1, 99), (-1, 0), "self_trade"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("strategy", [0, 1])
def test_order_that_would_meet_an_own_one_is_refused(
    resting: tuple[int, int], incoming: tuple[int, int], rule: str | None, strategy: int
) -> None:
    desk = floor(self_trade=True)
    there = desk.send(resting[0], 5, limit=resting[1])
    assert desk.send(incoming[0], 5, limit=incoming[1], strategy=strategy).rule == rule
    assert desk.send(incoming[0], 5, limit=incoming[1], instrument=1).rule is None
    desk.cancel(there)
    assert desk.send(incoming[0], 5, limit=incoming[1], strategy=strategy).rule is None


def test_market_order_reaches_as_far_as_the_band() -> None:
    for resting, rule in ((104, "self_trade"), (105, "self_trade")):
        desk = floor(self_trade=True, price_band=Decimal("0.05"))
        desk.send(-1, 1, limit=resting)
        assert desk.send(1, 1).rule == rule
    desk = floor(self_trade=True, price_band=Decimal("0.05"))
    desk.send(-1, 1, limit=105)
    desk.price(0, 99)  # 103.95
    assert desk.send(1, 1).rule is None


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        ({"orders_per_second": 10}, "throttle"),
        ({"account_orders_per_second": 10}, "account_throttle"),
        ({"strategies": {"one": StrategyLimits(orders_per_second=10)}}, "strategy_throttle"),
    ],
)
def test_eleventh_order_in_a_second_is_refused(limits: dict[str, Any], rule: str) -> None:
    desk = floor(**limits)
    for k in range(10):
        desk.clock = T0 + k * 10**8
        assert desk.send(1, 1).rule is None
    desk.clock = T0 + SECOND - 1
    refused = desk.send(1, 1)
    assert refused.rule == rule
    assert refused.verdict is not None
    assert (refused.verdict.limit, refused.verdict.actual) == (10.0, 11.0)
    assert (desk.send(1, 1, instrument=1).rule is None) == (rule == "throttle")
    assert (desk.send(1, 1, strategy=1).rule is None) == (rule == "strategy_throttle")
    desk.clock = T0 + SECOND  # the first is a second ago: one more
    assert [desk.send(1, 1).rule for _ in range(2)] == [None, rule]


def test_cancels_have_their_own_budget_and_none_while_halted() -> None:
    from lockstep.risk.limits import RiskAct

    desk = floor(cancels_per_second=2, orders_per_second=1)
    gate = desk.gates[0, 0]
    assert desk.send(1, 1).rule is None
    assert [bool(gate.may_cancel(T0)) for _ in range(3)] == [True, True, False]
    assert gate.verdict(49).rule == "cancel_throttle"
    desk.desk.halt(RiskAct(ts=T0, rule="halted", who="me", why="test"))
    assert gate.may_cancel(T0)


@pytest.mark.parametrize(("after", "rule"), [(SECOND - 1, "duplicate"), (SECOND, None)])
def test_same_order_again_within_the_window_is_refused(after: int, rule: str | None) -> None:
    desk = floor(duplicate_ns=SECOND)
    assert desk.send(1, 5, limit=99).rule is None
    desk.clock += after
    others: tuple[dict[str, Any], ...] = ({"qty": 6}, {"limit": 98}, {"strategy": 1}, {"instrument": 1})
    for other in others:
        assert desk.send(1, **({"qty": 5, "limit": 99} | other)).rule is None
    assert desk.send(-1, 5, limit=99).rule is None
    assert desk.send(1, 5, limit=99).rule == rule


@pytest.mark.parametrize(("price", "rule"), [(81, None), (80, None), (79, "daily_loss")])
def test_daily_loss_at_its_limit_holds_until_the_day_turns(price: int, rule: str | None) -> None:
    desk = held(1000, daily_loss_max=Decimal("0.02"), halt_on=())
    desk.desk.mark(T0, desk.portfolio.equity())
    desk.price(0, price)
    sent = desk.send(1, 1)
    assert sent.rule == rule
    if sent.verdict is not None:
        assert (sent.verdict.limit, sent.verdict.actual) == pytest.approx((0.02, 0.021))
    desk.desk.mark(T0 + DAY - 1, desk.portfolio.equity())
    desk.clock = T0 + DAY
    assert desk.send(1, 1).rule is None


@pytest.mark.parametrize(("price", "rule"), [(81, None), (80, None), (79, "drawdown")])
def test_drawdown_at_its_limit_is_from_the_highest_mark(price: int, rule: str | None) -> None:
    desk = held(1000, cash=900_000, drawdown_max=Decimal("0.02"), halt_on=())
    desk.price(0, 200)
    desk.desk.mark(T0, desk.portfolio.equity())  # 1,000,000
    desk.price(0, 100 + price)
    assert desk.send(1, 1).rule == rule
    desk.clock = T0 + DAY
    assert desk.send(1, 1).rule == rule


@pytest.mark.parametrize(
    ("after", "rule"), [(-1, "outside_hours"), (0, None), (9, None), (10, "outside_hours"), (20, None), (30, "outside_hours")]
)  # fmt: skip
def test_order_outside_the_hours_is_refused(after: int, rule: str | None) -> None:
    desk = floor(session_hours=True)
    desk.gates[0, 0].keep_hours([(T0, T0 + 10), (T0 + 20, T0 + 30)])
    desk.clock = T0 + after
    assert desk.send(1, 1).rule == rule


def test_warnings_begin_at_ninety_percent_and_are_said_once() -> None:
    desk = floor(order_qty_max=Decimal(100))
    for qty, count in ((89, 0), (90, 1), (95, 1), (50, 1), (100, 2), (101, 2)):
        desk.send(1, qty)
        assert len(desk.desk.warnings) == count
    assert desk.desk.warnings[0] == (1, 100.0, 90.0)
    assert desk.gates[0, 0].nearest()["order_qty"] == 1.0
    assert (desk.gates[0, 0].checked, desk.gates[0, 0].refusals) == (6, {"ORDER_QTY": 1})


def test_nothing_beyond_buying_power_is_checked_by_default() -> None:
    desk = Floor(NO_LIMITS)
    desk.send(-1, 1, limit=101)
    assert [desk.send(1, 1, limit=1000).rule for _ in range(100)] == [None] * 100
    assert desk.desk.warnings == []


def test_standard_limits_are_those_of_the_guide() -> None:
    assert (STANDARD.price_band, STANDARD.orders_per_second, STANDARD.self_trade) == (Decimal("0.05"), 10, True)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"order_notional_max": Decimal(-1)}, "order_notional_max was -1, must be 0 or more"),
        ({"price_band": Decimal(5)}, "price_band was 5, must be a fraction"),
        ({"orders_per_second": Decimal("1.5")}, "must be a whole number"),
        ({"daily_loss_max": Decimal("NaN")}, "daily_loss_max"),
        ({"halt_on": ("drawdwn",)}, "unknown trigger of the kill switch 'drawdwn'"),
    ],
)
def test_limit_that_cannot_be_is_refused(limits: dict[str, Any], words: str) -> None:
    with pytest.raises(RefuseError, match=words):
        RiskLimits(**limits)


def test_limit_of_what_the_run_does_not_have_is_refused() -> None:
    limits = RiskLimits(symbols={"AAAA": SymbolLimits()})
    with pytest.raises(UsageError, match="symbol 'AAAA'"):
        limits.check_names(["AAA"], ["one"])
    with pytest.raises(UsageError, match="strategy 'tow'"):
        RiskLimits(strategies={"tow": StrategyLimits()}).check_names(["AAA"], ["two"])


@pytest.mark.parametrize(
    ("limits", "qty", "limit", "rule"),
    [
        ({"position_max": Decimal(10)}, 10, 99, None), ({"position_max": Decimal(10)}, 11, 99, "position"),
        ({"open_orders_max": 1}, 5, 98, None), ({"account_open_orders_max": 1}, 5, 98, None),
        ({"strategies": {"one": StrategyLimits(open_orders_max=1, position_max=Decimal(6))}}, 6, 98, None),
        ({"strategies": {"one": StrategyLimits(position_max=Decimal(6))}}, 7, 98, "strategy_position"),
        ({"price_band": Decimal("0.05")}, 5, 94, "price_band"), ({"orders_per_second": 1}, 5, 99, "throttle"),
        ({"order_notional_max": Decimal(600)}, 6, 100, None), ({"order_notional_max": Decimal(600)}, 7, 100, "order_notional"),
        ({"gross_max": Decimal(600)}, 6, 100, None), ({"gross_max": Decimal(600)}, 7, 100, "gross_exposure"),
    ],
)  # fmt: skip
def test_replacement_is_checked_in_place_of_its_order(
    limits: dict[str, Any], qty: int, limit: int, rule: str | None
) -> None:
    desk = floor(**limits)
    order = desk.send(1, 5, limit=99).order
    holding: Any = desk.portfolio.holdings[0]
    before = (holding.pending_buy, holding.pending_buy_worth)
    code = desk.gates[0, 0].decide_replace(
        desk.portfolio, holding, order, qty, limit, 0, float(qty * limit), desk.clock, len(desk.orders.by_id)
    )
    assert (Reason(code).name.lower() if code else None) == rule
    assert (holding.pending_buy, holding.pending_buy_worth) == before


def test_timings_give_percentiles_within_an_eighth() -> None:
    timings = Timings()
    assert timings.percentile(0.5) == 0
    for ns in range(1, 100_001):
        timings.add(ns)
    for part in (0.001, 0.5, 0.9, 0.99, 1.0):
        assert part * 100_000 <= timings.percentile(part) <= part * 100_000 * 1.125
    assert timings.longest == timings.percentile(1.0) == 100_000
    timings.add(2**62)
    assert timings.percentile(1.0) > 2**40


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    "limits",
    [
        {"position_notional_max": Decimal(900)},
        {"position_fraction_max": Decimal("0.0009")},
        {"strategies": {"one": StrategyLimits(position_max=Decimal(10))}},
        {"strategies": {"one": StrategyLimits(position_max=Decimal(9))}},
    ],
)
def test_stop_target_and_the_next_stop_of_one_position_are_let_past_its_limits(
    side: int, limits: dict[str, Any]
) -> None:
    """Worth more than the position, and more units than it: all of them can only close it."""
    at = held(10 * side, **limits)
    exits = [{"stop": 100 - 10 * side}, {"limit": 100 + 20 * side}, {"stop": 100 - 5 * side}]
    assert [at.send(-side, 10, reduce=True, **terms).rule for terms in exits] == [None] * 3
    assert at.send(-side, 11, reduce=True).rule is not None
    assert at.send(-side, 10, limit=100 + 20 * side).rule is not None


@pytest.mark.parametrize("limits", [{"order_fraction_max": Decimal(1)}, {"position_fraction_max": Decimal(1000)}])
def test_part_of_an_equity_that_is_not_known_refuses(limits: dict[str, Any]) -> None:
    """A balance in euros, of which no rate has been seen yet."""
    items = [share("AAA"), share("EURUSD", asset_class=AssetClass.FX, base_currency="EUR", quote_currency="USD")]
    euro = share("BBB", quote_currency="EUR")
    portfolio = Portfolio([*items, euro], 1_000_000, 10.0, currency="USD")
    portfolio.transfer("EUR", 5)
    portfolio.holdings[0].set_last(100)
    position = portfolio.add_position("one", 0, 0)
    gate = Gate(items[0], RiskLimits(buying_power=False, **limits), Desk(1_000_000.0), position, "one")
    order = OpenOrders().create("one", 0, 0, items[0], 0, make_terms(1, 1, 1, 0, 1, 0, 0, 0, 0, 0), T0)
    assert math.isnan(portfolio.equity())
    assert gate.decide(portfolio, portfolio.holdings[0], order, 100.0, T0, 1) != 0
    portfolio.holdings[1].set_last(2)
    assert gate.decide(portfolio, portfolio.holdings[0], order, 100.0, T0, 1) == 0


def test_warning_of_two_limits_under_one_rule_is_recorded_once() -> None:
    """In currency 90 % are reached, in parts of equity next to nothing: the next order is no new warning."""
    at = floor(order_notional_max=Decimal(1000), order_fraction_max=Decimal("0.5"))
    for _ in range(3):
        assert at.send(1, 9).rule is None
    assert at.desk.warnings == [(int(Reason.ORDER_NOTIONAL), 1000.0, 900.0)]


@pytest.mark.parametrize("name", ["price_age_max_ns", "duplicate_ns"])
@pytest.mark.parametrize("value", [10**25, 2**63, -1])
def test_length_of_time_that_no_clock_can_count_is_refused(name: str, value: int) -> None:
    with pytest.raises(RefuseError, match=f"{name} was {value}"):
        floor(**{name: value})
    floor(**{name: 100 * 365 * DAY})


@pytest.mark.parametrize(
    ("limits", "rule"),
    [({"daily_loss_max": Decimal("0.1")}, "daily_loss"), ({"drawdown_max": Decimal("0.1")}, "drawdown")],
)
def test_loss_of_an_account_that_began_with_nothing_refuses_and_halts(limits: dict[str, Any], rule: str) -> None:
    at = floor(cash=0, buying_power=False, **limits)
    at.portfolio.transfer("USD", -5)
    verdict = at.send(1, 1).verdict
    assert verdict is not None
    assert (verdict.rule, verdict.actual) == (rule, math.inf)
    at.desk.mark(at.clock, -5.0)
    assert at.desk.due == Reason[rule.upper()]

"""How orders meet bars: path, gaps, trade-through, liquidity, time in force, slippage, fees, splits."""

from decimal import Decimal
from typing import Any

import pytest
from machine import (
    DAY,
    HOUR,
    MILLI,
    MINUTE,
    SECOND,
    T0,
    TOUCH,
    UNLIMITED,
    BarRow,
    Machine,
    Plan,
    bars,
    coin,
    one,
    records,
)

from lockstep.model.enums import CorporateAction
from lockstep.model.fees import FeeSchedule
from lockstep.model.sessions import XNYS, XNYS_EXTENDED
from lockstep.sim.models import BarFills, Latency, Slippage

OPTIMISTIC = BarFills(participation=None, path="optimistic")
TENTH = BarFills(participation=Decimal("0.1"))


def got(run: Machine) -> list[tuple[int, int, int]]:
    return [(fill.order_id, fill.side * fill.qty, fill.price) for fill in run.fills]


@pytest.mark.parametrize(
    ("bar", "through", "touch"),
    [
        ((100, 105, 96, 100), [], []),
        ((100, 105, 95, 100), [], [(1, 1, 95)]),  # touched, not traded through
        ((100, 105, 94, 100), [(1, 1, 95)], [(1, 1, 95)]),
    ],
)
def test_limit_fills_by_trade_through_or_by_touch(bar: Any, through: Any, touch: Any) -> None:
    rows = bars(100, 100, bar)
    plan = {0: lambda s: s.buy(1, limit=95)}
    assert got(one(rows, plan)) == through
    assert got(one(rows, plan, fills=TOUCH)) == touch


def test_limit_that_has_met_no_bar_takes_at_a_better_open() -> None:
    (fill,) = one(bars(100, 93), {0: lambda s: s.buy(1, limit=95)}).fills
    assert (fill.price, fill.liquidity) == (93, "TAKER")


def test_resting_limit_gapped_over_fills_at_its_price_or_optimistically_at_the_open() -> None:
    rows = bars(100, 100, 90)
    plan = {0: lambda s: s.buy(1, limit=95)}
    assert [(f.price, f.liquidity) for f in one(rows, plan).fills] == [(95, "MAKER")]
    assert [(f.price, f.liquidity) for f in one(rows, plan, fills=OPTIMISTIC).fills] == [(90, "MAKER")]


@pytest.mark.parametrize(("opens", "price"), [(100, 105), (105, 105), (112, 112)])
def test_stop_fills_at_its_price_or_at_an_open_beyond_it(opens: int, price: int) -> None:
    run = one(bars(100, (opens, 115, 98, 100)), {0: lambda s: s.buy(1, stop=105)})
    assert [(f.price, f.liquidity) for f in run.fills] == [(price, "TAKER")]
    assert run.story(1) == ["submit", "accept", "trigger", "fill"]


def test_sell_stop_gapped_over_fills_at_the_worse_open() -> None:
    run = one(bars(100, 100, (90, 99, 85, 95)), {0: lambda s: s.buy(1), 1: lambda s: s.sell(1, stop=95)})
    assert got(run) == [(1, 1, 100), (2, -1, 90)]


def test_stop_limit_rests_at_its_limit_after_its_trigger() -> None:
    plan = {0: lambda s: s.buy(1, stop=105, limit=103)}
    run = one(bars(100, (100, 106, 104, 106), (106, 106, 101, 102)), plan)
    assert [(f.price, f.liquidity) for f in run.fills] == [(103, "MAKER")]
    assert run.trades[0][0] == 2


def test_stop_limit_gapped_over_does_not_chase() -> None:
    run = one(bars(100, (110, 112, 108, 110), 110), {0: lambda s: s.buy(1, stop=105, limit=106)})
    assert run.story(1) == ["submit", "accept", "trigger"]


def test_stop_limit_with_room_takes_at_the_stop() -> None:
    (fill,) = one(bars(100, (100, 110, 99, 108)), {0: lambda s: s.buy(1, stop=105, limit=106)}).fills
    assert (fill.price, fill.liquidity) == (105, "TAKER")


def test_path_goes_against_a_position_unless_optimistic() -> None:
    """Stop and target of a long position in one bar: the stop comes first, or the target."""
    plan = {0: lambda s: s.buy(1), 1: lambda s: [s.sell(1, stop=95), s.sell(1, limit=105)]}
    rows = bars(100, 100, (100, 110, 90, 100))
    assert [price for _, _, price in got(one(rows, plan))] == [100, 95, 105]
    assert [price for _, _, price in got(one(rows, plan, fills=OPTIMISTIC))] == [100, 105, 95]


@pytest.mark.parametrize(("bar", "nearer_first"), [((100, 110, 95, 100), [96, 105]), ((100, 105, 90, 100), [104, 96])])
def test_path_of_a_flat_account_takes_the_nearer_extreme_first(bar: Any, nearer_first: list[int]) -> None:
    high = 105 if bar[1] == 110 else 104
    plan = {0: lambda s: [s.buy(1, limit=96), s.sell(1, limit=high)]}
    run = one(bars(100, bar), plan)
    assert [price for _, _, price in got(run)] == nearer_first


def test_path_is_chosen_by_what_was_entered_at_the_open() -> None:
    """Entry, stop and target sent together: the high is nearer, but the position entered at the open is long."""
    plan = {0: lambda s: [s.buy(1), s.sell(1, stop=92), s.sell(1, limit=104)]}
    rows = bars(100, (100, 105, 90, 100))
    assert [price for _, _, price in got(one(rows, plan))] == [100, 92, 104]
    assert [price for _, _, price in got(one(rows, plan, fills=OPTIMISTIC))] == [100, 104, 92]


def test_partial_fills_by_participation_go_on_at_the_next_opens() -> None:
    run = one(bars(100, 101, 102, 103, volume=100.0), {0: lambda s: s.buy(25)}, fills=TENTH)
    assert got(run) == [(1, 10, 101), (1, 10, 102), (1, 5, 103)]
    assert run.story(1) == ["submit", "accept", "partial", "partial", "fill"]


def test_liquidity_of_a_bar_is_consumed_once_by_all_orders() -> None:
    plan = {0: lambda s: [s.buy(6), s.sell(3), s.buy(9, limit=200), s.buy(2, stop=100)]}
    run = one(bars(100, 100, volume=100.0), plan, fills=TENTH)
    assert got(run) == [(1, 6, 100), (2, -3, 100), (3, 1, 100)]


def test_liquidity_comes_in_whole_lots() -> None:
    run = one(bars(100, 100, 100, volume=170.0), {0: lambda s: s.buy(20)}, instrument=coin(lot_size=10), fills=TENTH)
    assert got(run) == [(1, 10, 100), (1, 10, 100)]


def test_bar_without_volume_fills_nothing() -> None:
    run = one([*bars(100), *bars(100, 100, start=T0 + HOUR, volume=0.0)], {0: lambda s: s.buy(1)}, fills=TENTH)
    assert got(run) == []


def test_volume_beyond_64_bits_of_units_still_fills() -> None:
    run = one(
        bars(100, 100, volume=1e15), {0: lambda s: s.buy("0.00000001")}, instrument=coin(qty_decimals=8), fills=TENTH
    )
    assert got(run) == [(1, 1, 100)]


def test_fok_is_all_or_nothing() -> None:
    plan = {0: lambda s: [s.buy(11, tif="FOK"), s.buy(10, tif="FOK")]}
    run = one(bars(100, 100, 100, volume=100.0), plan, fills=TENTH)
    assert got(run) == [(2, 10, 100)]
    assert run.story(1) == ["submit", "accept", "cancel"]
    assert [row.reason for row in run.decisions if row.kind == "cancel"] == ["TIME_IN_FORCE"]


def test_ioc_takes_what_there_is_and_ends() -> None:
    plan = {0: lambda s: [s.buy(15, tif="IOC"), s.buy(5, limit=90, tif="IOC")]}
    run = one(bars(100, (100, 100, 80, 100), volume=100.0), plan, fills=TENTH)
    assert got(run) == [(1, 10, 100)]
    assert run.story(1) == ["submit", "accept", "partial", "cancel"]
    assert run.story(2) == ["submit", "accept", "cancel"]


def test_gtc_rests_and_day_ends_at_utc_midnight_without_a_calendar() -> None:
    flat = [100] * 30
    plan = {2: lambda s: [s.buy(1, limit=50, tif="DAY"), s.buy(1, limit=50)]}
    run = one(bars(*flat), plan)
    (expire,) = [row for row in run.decisions if row.kind == "expire"]
    assert (expire.id, expire.ts_event, expire.reason) == (1, T0 + DAY, "TIME_IN_FORCE")
    assert len(run.engine.open_orders()) == 1


def test_day_order_fills_in_the_last_bar_of_its_day_but_not_after() -> None:
    prices: list[Any] = [100] * 26
    prices[23] = (100, 100, 90, 100)
    prices[24] = (100, 100, 80, 100)
    run = one(bars(*prices), {2: lambda s: [s.buy(1, limit=95, tif="DAY"), s.buy(1, limit=85, tif="DAY")]})
    assert got(run) == [(1, 1, 95)]


@pytest.mark.parametrize(("minutes", "fills"), [(61, 0), (75, 0), (76, 1), (120, 1)])
def test_gtd_fills_no_later_than_its_time_inside_a_bar(minutes: int, fills: int) -> None:
    """The low comes at a quarter of the bar: 75 minutes after the start."""
    expire = T0 + minutes * MINUTE
    run = one(bars(100, (100, 110, 90, 100), 100), {0: lambda s: s.buy(1, limit=95, tif="GTD", expire=expire)})
    assert len(run.fills) == fills
    assert all(fill.ts_event < expire for fill in run.fills)
    assert run.story(1)[-1] == ("fill" if fills else "expire")


def test_gtd_that_is_over_on_arrival_is_rejected() -> None:
    expire = T0 + HOUR + MILLI
    run = one(
        bars(100, 100),
        {0: lambda s: s.buy(1, tif="GTD", expire=expire, limit=200)},
        latency=Latency(entry_ns=5 * MILLI),
    )
    assert run.fills == []
    assert [(row.kind, row.reason) for row in run.decisions][-1] == ("reject", "TIME_IN_FORCE")


NY_OPEN = 1_600_090_200 * SECOND  # Monday 2020-09-14, 9:30 New York


def ny_days(*offsets: int) -> list[BarRow]:
    return [BarRow(NY_OPEN + k * DAY, NY_OPEN + k * DAY + 6 * HOUR + 30 * MINUTE, 100, 110, 90, 100) for k in offsets]


def test_day_order_in_daily_bars_ends_with_the_next_session() -> None:
    run = one(
        ny_days(0, 1, 2),
        {0: lambda s: [s.buy(1, limit=80, tif="DAY"), s.buy(1, limit=95, tif="DAY")]},
        instrument=coin(session=XNYS),
        queue_outside_hours=True,
    )
    assert [(fill.order_id, fill.ts_event > NY_OPEN + DAY) for fill in run.fills] == [(2, True)]
    (expire,) = [row for row in run.decisions if row.kind == "expire"]
    assert expire.ts_event == NY_OPEN + DAY + 6 * HOUR + 30 * MINUTE


def test_day_order_over_a_holiday_waits_for_the_session_that_trades() -> None:
    """Tuesday has no bar; an order of Monday's close is for Wednesday."""
    run = one(
        ny_days(0, 2, 3),
        {0: lambda s: [s.buy(1, limit=95, tif="DAY"), s.buy(1, limit=80, tif="DAY")]},
        instrument=coin(session=XNYS),
        queue_outside_hours=True,
    )
    assert [fill.order_id for fill in run.fills] == [1]
    (expire,) = [row for row in run.decisions if row.kind == "expire"]
    assert expire.ts_event == NY_OPEN + 2 * DAY + 6 * HOUR + 30 * MINUTE


@pytest.mark.parametrize(
    ("session", "minute", "taken"),
    [
        (XNYS_EXTENDED, -331, False),  # 03:59 New York
        (XNYS_EXTENDED, -330, True),
        (XNYS, -1, False),  # 09:29
        (XNYS, 0, True),
        (XNYS, 389, True),  # 15:59
        (XNYS, 390, False),  # 16:00
        (XNYS, 391, False),  # 16:01
    ],
)
def test_orders_outside_hours_are_rejected(session: Any, minute: int, taken: bool) -> None:
    start = NY_OPEN - 6 * HOUR
    rows = bars(*([100] * 2000), start=start, step=MINUTE)
    run = one(
        rows,
        {},
        instrument=coin(session=session),
        handlers={
            "start": lambda s: s.set_timer("x", at=NY_OPEN + minute * MINUTE),
            "timer": lambda s, _: s.buy(1, limit=90),
        },
    )
    assert run.story(1) == ["submit", "accept" if taken else "reject"]
    if not taken:
        assert run.decisions[-1].reason == "OUTSIDE_HOURS"


@pytest.mark.parametrize(
    ("kind", "price", "taken"),
    [("limit", "95.01", True), ("limit", "94.99", False), ("limit", "104.99", True), ("limit", "105.01", False),
     ("limit", "105", True), ("stop", "105.01", False), ("stop", "104.99", True)],
)  # fmt: skip
def test_orders_outside_the_price_band_are_rejected(kind: str, price: str, taken: bool) -> None:
    """A band of 5 %: 4.99 % passes, 5.01 % is refused."""
    run = one(
        bars(10_000, 10_000),
        {0: lambda s: s.buy(1, **{kind: price})},
        instrument=coin(price_decimals=2, price_band_bps=500),
    )
    assert run.story(1)[1] == ("accept" if taken else "reject")
    if not taken:
        assert run.decisions[-1].reason == "PRICE_BAND"


def test_band_of_huge_prices_does_not_wrap() -> None:
    high = 2**53 - 1
    run = one(
        bars(high - 2, high - 2),
        {0: lambda s: [s.buy(1, limit=high // 2), s.buy(1, limit=high)]},
        instrument=coin(price_band_bps=500),
        cash=10**18,
    )
    assert [run.story(k)[1] for k in (1, 2)] == ["reject", "accept"]


@pytest.mark.parametrize(("side", "price"), [(1, 10_015), (-1, 9_985)])
def test_fixed_slippage_is_rounded_to_the_tick_against_us(side: int, price: int) -> None:
    run = one(
        bars(10_000, 10_000),
        {0: lambda s: s.order(side)},
        instrument=coin(tick_size=5),
        slippage=Slippage(bps=Decimal("10.1")),
    )
    (fill,) = run.fills
    assert (fill.price, fill.reference, fill.slippage) == (price, 10_000, 15.0)


def test_slippage_never_passes_a_limit_and_spares_makers() -> None:
    plan = {0: lambda s: [s.buy(1, limit=10_003), s.buy(1, limit=9_990)]}
    run = one(bars(10_000, (10_000, 10_000, 9_900, 9_900)), plan, slippage=Slippage(bps=Decimal(10)))
    assert [(f.price, f.slippage, f.liquidity) for f in run.fills] == [(10_003, 3.0, "TAKER"), (9_990, 0.0, "MAKER")]


def test_sale_never_slips_below_a_tick() -> None:
    run = one(bars(2, 2), {0: lambda s: s.sell(1)}, slippage=Slippage(bps=Decimal(9999)))
    assert [fill.price for fill in run.fills] == [1]


def test_volume_share_slippage_grows_with_the_square_of_the_share() -> None:
    run = one(
        bars(1_000_000, 1_000_000, volume=100.0),
        {0: lambda s: [s.buy(10), s.buy(20)]},
        slippage=Slippage(volume_impact=Decimal("0.1")),
        cash=10**10,
    )
    assert [fill.price for fill in run.fills] == [1_001_000, 1_004_000]


def test_volume_share_of_a_bar_without_volume_costs_the_whole_impact() -> None:
    run = one(bars(1000, 1000, volume=0.0), {0: lambda s: s.buy(1)}, slippage=Slippage(volume_impact=Decimal("0.1")))
    assert [fill.price for fill in run.fills] == [1100]


@pytest.mark.parametrize(
    ("fees", "charged"),
    [
        (FeeSchedule(per_unit=Decimal("0.005")), [0.05, 0.05, 0.025]),
        (FeeSchedule(taker=Decimal("0.001")), [1.0, 1.0, 0.5]),
        (FeeSchedule(flat=Decimal(1)), [1.0, 0.0, 0.0]),
        (FeeSchedule(per_unit=Decimal("0.005"), minimum=Decimal(1)), [1.0, 0.05, 0.025]),
        (FeeSchedule(taker=Decimal("0.001"), flat=Decimal(2), minimum=Decimal(1)), [3.0, 1.0, 0.5]),
    ],
)
def test_fees_are_charged_per_fill_and_per_order_once(fees: FeeSchedule, charged: list[float]) -> None:
    run = one(bars(*([100] * 4), volume=100.0), {0: lambda s: s.buy(25)}, instrument=coin(fees=fees), fills=TENTH)
    assert [fill.fee for fill in run.fills] == charged
    assert run.portfolio.ledger.decimal(run.portfolio.ledger.fees) == Decimal(str(sum(charged)))


def test_makers_pay_their_own_rate_and_rebates_round_against_us() -> None:
    fees = FeeSchedule(maker=Decimal("-0.0001"), taker=Decimal("0.0005"))
    plan = {0: lambda s: [s.buy(1), s.buy(3, limit=95)]}
    run = one(bars(100, (100, 100, 90, 90)), plan, instrument=coin(fees=fees))
    assert [(fill.liquidity, fill.fee) for fill in run.fills] == [("TAKER", 0.05), ("MAKER", -0.0285)]


def test_cancel_before_the_next_open_wins() -> None:
    plan = {0: lambda s: s.buy(1, limit=95), 1: lambda s: s.cancel() and None}
    run = one(bars(100, 100, (100, 100, 90, 100)), plan)
    assert run.fills == []
    assert run.story(1) == ["submit", "accept", "cancel_request", "cancel"]


def test_cancel_that_crosses_a_fill_comes_too_late() -> None:
    """The fill happens inside the second bar and is reported after it: the cancel is sent in between."""
    plan = {0: lambda s: s.buy(1, limit=95), 1: lambda s: s.cancel() and None}
    run = one(bars(100, (100, 100, 90, 100), 100, 100), plan, latency=Latency(fill_ns=HOUR))
    assert got(run) == [(1, 1, 95)]
    assert run.story(1) == ["submit", "accept", "cancel_request", "cancel_reject", "fill"]
    assert [row.reason for row in run.decisions if row.kind in ("cancel_reject", "fill")] == ["TOO_LATE", "NONE"]


def test_cancel_slower_than_a_bar_loses_to_that_bar() -> None:
    plan = {0: lambda s: s.buy(1, limit=95), 2: lambda s: s.cancel() and None}
    run = one(bars(100, 100, 100, (100, 100, 90, 100), 100, 100), plan, latency=Latency(entry_ns=HOUR + 1))
    assert got(run) == [(1, 1, 95)]


def test_venue_order_id_survives_a_rejected_cancel() -> None:
    seen: list[tuple[str, int]] = []
    plan = {0: lambda s: s.buy(1, limit=95), 1: lambda s: s.cancel() and None}
    one(
        bars(100, (100, 100, 90, 100), 100, 100),
        plan,
        latency=Latency(fill_ns=HOUR),
        handlers={"order": lambda _s, event: seen.append((event.kind.name, event.venue_order_id))},
    )
    assert seen == [("ACCEPT", 1), ("CANCEL_REJECT", 1), ("FILL", 1)]


def split(rows: list[BarRow], at: int, new: int, old: int, plan: Any, **settings: Any) -> Machine:
    machine = Machine(
        [(settings.pop("instrument", coin()), records(rows, [(at, CorporateAction.SPLIT, new, old)]))], **settings
    )
    machine.seat(Plan(plan))
    return machine.go()


def test_split_restates_open_orders_and_neither_gains_nor_loses() -> None:
    plan = {0: lambda s: s.buy(10), 1: lambda s: [s.sell(10, limit=141), s.sell(10, stop=81)]}
    run = split(bars(100, 100, 100, 50, (50, 75, 50, 70)), T0 + 3 * HOUR + 1, 2, 1, plan)
    equity = [floats[1] for _, floats in run.equity_rows]
    assert equity[:4] == [10_000_000.0] * 4
    assert got(run) == [(1, 10, 100), (2, -20, 71)]
    assert [(row.id, row.a, row.b, row.c) for row in run.decisions if row.kind == "restate"] == [
        (2, 20, 71, 0),
        (3, 20, 0, 40),
    ]


def test_split_in_flight_is_restated_before_it_arrives() -> None:
    plan = {1: lambda s: s.target_position(10), 4: lambda s: s.target_position(20)}
    run = split(
        bars(100, 100, 100, 50, 50, 50, 50), T0 + 2 * HOUR + 1, 2, 1, plan, latency=Latency(entry_ns=HOUR + MINUTE)
    )
    assert got(run) == [(1, 20, 50)]
    assert run.engine.seats[0].subscriptions[0].working_market == 0


@pytest.mark.parametrize(("new", "old", "qty", "left"), [(3, 2, 3, 4), (1, 10, 5, 0), (1, 3, 100, 33), (7, 5, 9, 12)])
def test_target_position_keeps_its_count_over_a_split(new: int, old: int, qty: int, left: int) -> None:
    """A working sale of an odd quantity: what the venue makes of it is what the count follows."""
    rows = [*bars(100), *bars(*([100] * 3), start=T0 + HOUR, volume=0.0), *bars(100, 100, start=T0 + 4 * HOUR)]
    plan = {0: lambda s: s.sell(qty)}
    run = split(rows, T0 + 2 * HOUR + 1, new, old, plan, fills=BarFills(participation=Decimal(1)))
    assert -sum(fill.qty for fill in run.fills) == -left
    assert run.engine.seats[0].subscriptions[0].working_market == 0
    assert run.portfolio.holdings[0].pending_sell == 0
    assert run.portfolio.reserved == 0.0


def test_split_of_large_orders_does_not_wrap() -> None:
    big = 2**52
    run = split(
        bars(4, 4, 4, 1), T0 + 2 * HOUR + 1, 4000, 1000, {0: lambda s: s.sell(big, limit=40)},
        cash=10**18, instrument=coin(),
    )  # fmt: skip
    (row,) = [row for row in run.decisions if row.kind == "restate"]
    assert (row.a, row.b) == (4 * big, 10)


def test_split_pays_cash_for_fractions() -> None:
    run = split(bars(100, 100, 100, 67), T0 + 2 * HOUR + 1, 3, 2, {0: lambda s: s.buy(5)})
    assert run.plan.position.units == 7
    assert run.portfolio.ledger.decimal(run.portfolio.ledger.in_lieu) == pytest.approx(
        Decimal("33.33333333"), abs=Decimal("1e-7")
    )


@pytest.mark.parametrize(("side", "cash"), [(1, 5), (-1, -5)])
def test_dividend_is_paid_to_longs_and_by_shorts(side: int, cash: int) -> None:
    machine = Machine([(coin(), records(bars(100, 100, 100, 99), [(T0 + 3 * HOUR, CorporateAction.DIVIDEND, 50, 2)]))])
    run = machine.seat(Plan({0: lambda s: s.order(side * 10)})).go()
    assert run.portfolio.ledger.decimal(run.portfolio.ledger.dividends) == cash
    assert [row.kind for row in run.decisions].count("dividend") == 1


def test_public_trade_moves_the_last_price_of_the_band() -> None:
    machine = Machine([(coin(price_band_bps=500), records(bars(100, 100)))])
    machine.venue.on_trade(0, T0, 200, 1, 0)
    assert (machine.venue.markets[0].last, machine.venue.markets[0].last_before) == (200, 200)


def test_unlimited_venue_gives_everything_at_once() -> None:
    assert got(one(bars(100, 100, volume=1.0), {0: lambda s: s.buy(50_000)}, fills=UNLIMITED)) == [(1, 50_000, 100)]


def test_rest_of_a_crossing_limit_takes_at_the_next_open_and_not_at_its_own_price() -> None:
    run = one(bars(100, 100, 101, 108, volume=100.0), {0: lambda s: s.buy(25, limit=110)}, fills=TENTH)
    assert [(f.qty, f.price, f.liquidity) for f in run.fills] == [
        (10, 100, "TAKER"),
        (10, 101, "TAKER"),
        (5, 108, "TAKER"),
    ]


def test_rest_of_a_crossing_limit_rests_once_the_market_has_left() -> None:
    rows = bars(100, 100, (120, 121, 119, 120), (120, 120, 100, 100), volume=100.0)
    run = one(rows, {0: lambda s: s.buy(15, limit=110)}, fills=TENTH)
    assert [(f.qty, f.price, f.liquidity) for f in run.fills] == [(10, 100, "TAKER"), (5, 110, "MAKER")]


def test_split_in_flight_restates_prices_and_cancels_what_rounds_to_nothing() -> None:
    plan = {1: lambda s: [s.buy(30, limit=95, instrument="AAA"), s.sell(3, stop=91), s.buy(9, limit=95)]}
    run = split(
        bars(100, 100, 100, 1000, 1000), T0 + 2 * HOUR + 1, 1, 10, plan, latency=Latency(entry_ns=HOUR + MINUTE)
    )
    assert [(row.id, row.a, row.b) for row in run.decisions if row.kind == "restate"] == [(1, 3, 950)]
    assert [(row.id, row.reason) for row in run.decisions if row.kind == "cancel"] == [
        (2, "CORPORATE_ACTION"),
        (3, "CORPORATE_ACTION"),
    ]
    assert run.portfolio.holdings[0].pending_sell == 0
    assert run.portfolio.holdings[0].pending_buy == 3

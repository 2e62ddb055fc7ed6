"""Orders move along the table, keep their sums, and leave when done."""

from decimal import Decimal
from typing import Any

import pytest

from lockstep.model.enums import AssetClass, OrderState, OrderType, Reason, Side, TimeInForce
from lockstep.model.enums import OrderEventKind as E
from lockstep.model.enums import OrderState as S
from lockstep.model.errors import InvariantError
from lockstep.model.instrument import Instrument
from lockstep.model.traffic import VenueReport, make_fill, make_terms
from lockstep.orders.order import OpenOrders, Order
from lockstep.orders.table import ANOMALY, IGNORED, LATE

ITEM = Instrument(
    venue="XNAS", symbol="AAPL", asset_class=AssetClass.EQUITY, base_currency="AAPL", quote_currency="USD",
    price_decimals=2, qty_decimals=1,
)  # fmt: skip


def made(orders: OpenOrders, qty: int = 100, *events: E) -> Order:
    order = orders.create("s", 0, 0, ITEM, 0, make_terms(1, 4, 1, 0, qty, 10025, 10050, 0, 0, 7), 5)
    for event in events:
        orders.apply(order, int(event))
    return order


def test_new_order_reads_as_what_was_asked() -> None:
    orders = OpenOrders()
    order = made(orders)
    assert (order.id, order.symbol, order.strategy, order.signal_id, order.ts_sent) == (1, "AAPL", "s", 7, 5)
    assert (order.side, order.order_type, order.time_in_force) == (Side.BUY, OrderType.STOP_LIMIT, TimeInForce.GTC)
    assert (order.qty, order.filled, order.leaves, order.limit_price, order.stop_price) == (
        10.0,
        0.0,
        10.0,
        100.25,
        100.5,
    )
    assert (order.state, order.reason, order.average_price) == (S.NEW, Reason.NONE, None)
    assert order.is_open
    assert orders.by_id == {1: order}
    assert repr(order) == "Order(1 BUY 10.0 AAPL STOP_LIMIT NEW, filled 0.0)"
    market = orders.create("s", 0, 0, ITEM, 0, make_terms(-1, 1, 0, 0, 5, 0, 0, 0, 0, 0), 5)
    assert (market.id, market.side, market.limit_price, market.stop_price) == (2, Side.SELL, None, None)


def test_fill_before_the_acknowledgement_is_taken_and_the_late_acknowledgement_ignored() -> None:
    orders = OpenOrders()
    order = made(orders, 100, E.SUBMIT)
    assert orders.apply_fill(order, 40, 10000) == S.PARTIAL_FILL
    assert orders.apply(order, E.ACCEPT) == IGNORED
    assert orders.apply_fill(order, 60, 10010) == S.FILLED
    assert orders.apply(order, E.ACCEPT) == IGNORED
    assert (order.state, order.cum_units, order.leaves_units, order.is_open) == (S.FILLED, 100, 0, False)
    assert order.average_price == Decimal("100.06")
    assert (orders.by_id, orders.done_count, orders.anomalies) == ({}, 1, {})
    assert orders.ignored == {("PARTIAL_FILL", "ACCEPT"): 1, ("FILLED", "ACCEPT"): 1}


def test_cancel_that_crosses_a_fill_is_ignored_and_counted() -> None:
    orders = OpenOrders()
    order = made(orders, 100, E.SUBMIT, E.ACCEPT, E.CANCEL_REQUEST)
    assert orders.apply_fill(order, 30, 10000) == S.PENDING_CANCEL
    assert (order.cum_units, order.leaves_units) == (30, 70)
    assert orders.apply_fill(order, 70, 10000) == S.FILLED
    assert orders.apply(order, E.CANCEL_REJECT) == IGNORED
    assert orders.ignored == {("FILLED", "CANCEL_REJECT"): 1}


@pytest.mark.parametrize(
    ("before", "crossing", "back"),
    [
        ((E.SUBMIT,), (), S.PENDING_NEW),
        ((E.SUBMIT,), (E.ACCEPT,), S.ACKNOWLEDGED),
        ((E.SUBMIT,), (E.ACCEPT, E.TRIGGER), S.TRIGGERED),
        ((E.SUBMIT, E.ACCEPT), (), S.ACKNOWLEDGED),
        ((E.SUBMIT, E.ACCEPT), (E.ACCEPT,), S.ACKNOWLEDGED),
        ((E.SUBMIT, E.ACCEPT), (E.TRIGGER,), S.TRIGGERED),
        ((E.SUBMIT, E.ACCEPT, E.TRIGGER), (E.ACCEPT,), S.TRIGGERED),
    ],
)
@pytest.mark.parametrize(
    ("request_", "refusal"), [(E.CANCEL_REQUEST, E.CANCEL_REJECT), (E.REPLACE_REQUEST, E.REPLACE_REJECT)]
)
def test_refused_request_leads_back_to_where_the_order_really_stands(
    before: tuple[E, ...], crossing: tuple[E, ...], back: S, request_: E, refusal: E
) -> None:
    orders = OpenOrders()
    order = made(orders, 100, *before, request_, *crossing)
    assert orders.apply(order, refusal) == back
    filled = made(orders, 100, *before, request_, *crossing)
    orders.apply_fill(filled, 10, 10000)
    assert orders.apply(filled, refusal) == S.PARTIAL_FILL


def test_unknown_order_with_fills_comes_back_as_partly_filled() -> None:
    for word in (E.ACCEPT, E.TRIGGER):
        orders = OpenOrders()
        order = made(orders, 100, E.SUBMIT)
        orders.apply_fill(order, 10, 10000)
        assert orders.apply(order, E.LOSE) == S.UNKNOWN
        assert orders.apply(order, E.RESTATE) == S.UNKNOWN
        assert orders.apply(order, word) == S.PARTIAL_FILL


@pytest.mark.parametrize("end", [E.CANCEL, E.EXPIRE, E.REJECT])
def test_late_fill_of_a_finished_order_is_counted_raised_and_leaves_it_final(end: E) -> None:
    orders = OpenOrders()
    order = made(orders, 100, E.SUBMIT, E.ACCEPT, end)
    state = order.state
    assert orders.apply_fill(order, 10, 10000) == LATE
    assert (order.state, order.cum_units, order.leaves_units, order.average_price) == (state, 10, 0, Decimal(100))
    assert orders.apply_fill(order, 90, 10000) == LATE
    assert orders.overfills == 0
    assert orders.apply_fill(order, 1, 10000) == LATE
    assert (order.state, order.cum_units, orders.overfills, orders.done_count) == (state, 101, 1, 1)
    assert orders.anomalies == {(state.name, "PARTIAL"): 1, (state.name, "FILL"): 2}


def fill(exec_id: int, qty: int, price: int, *, kind: E = E.FILL, ref: int = 0) -> VenueReport:
    return make_fill(int(kind), 0, 9, 8, 1, 0, exec_id, qty, price, 3, ref)


def filled(orders: OpenOrders, order: Order, *reports: VenueReport) -> None:
    for report in reports:
        orders.apply_fill(order, report.qty, report.price)
        orders.keep_execution(order, report)


def test_executions_are_known_by_their_number_and_that_of_their_corrections() -> None:
    orders = OpenOrders()
    order = made(orders, 100, E.SUBMIT)
    filled(orders, order, *(fill(10 * k, 5, 10000) for k in (3, 1, 2)))

    def stands(*numbers: int) -> list[int]:
        return [-1 if found is None else found.qty for found in map(order.execution, numbers)]

    assert stands(30, 10, 20) == [5, 5, 5]
    assert order.execution(0) is order.execution(11) is order.execution(31) is None
    assert orders.amend(order, fill(40, 7, 9000, kind=E.CORRECT, ref=10)) == S.PARTIAL_FILL
    assert (order.cum_units, order.notional_units) == (17, 10 * 10000 + 7 * 9000)
    assert orders.amend(order, fill(50, 6, 9000, kind=E.CORRECT, ref=40)) == S.PARTIAL_FILL  # a correction of one
    assert (order.cum_units, stands(10, 40, 50)) == (16, [6, 6, 6])
    assert orders.amend(order, fill(60, 0, 0, kind=E.BUST, ref=10)) == S.PARTIAL_FILL
    assert (order.cum_units, order.notional_units, stands(10)) == (10, 100000, [0])
    with pytest.raises(InvariantError, match="no execution 77 to amend"):
        orders.amend(order, fill(61, 1, 1, kind=E.CORRECT, ref=77))


@pytest.mark.parametrize(
    ("before", "after"),
    [((), S.ACKNOWLEDGED), ((E.CANCEL_REQUEST,), S.PENDING_CANCEL), ((E.LOSE,), S.UNKNOWN)],
)
def test_bust_of_all_that_was_filled_leads_back_to_an_order_that_works(before: tuple[E, ...], after: S) -> None:
    orders = OpenOrders()
    order = made(orders, 100, E.SUBMIT, E.ACCEPT)
    filled(orders, order, fill(1, 40, 10000))
    for event in before:
        orders.apply(order, event)
    assert orders.amend(order, fill(2, 0, 0, kind=E.BUST, ref=1)) == after
    assert (order.cum_units, order.notional_units, order.leaves_units) == (0, 0, 100)
    if E.CANCEL_REQUEST in before:
        assert orders.apply(order, E.CANCEL_REJECT) == S.ACKNOWLEDGED


def test_bust_of_a_finished_order_is_booked_and_it_stays_finished() -> None:
    orders = OpenOrders()
    order = made(orders, 10, E.SUBMIT)
    filled(orders, order, fill(1, 10, 10000))
    assert orders.amend(order, fill(2, 0, 0, kind=E.BUST, ref=1)) == LATE
    assert (order.state, order.cum_units, order.leaves_units) == (S.FILLED, 0, 0)
    assert orders.anomalies == {("FILLED", "BUST"): 1}


def test_correction_to_all_that_was_ordered_ends_the_order_and_to_more_is_an_overfill() -> None:
    for qty, overfills in ((10, 0), (11, 1)):
        orders = OpenOrders()
        order = made(orders, 10, E.SUBMIT)
        filled(orders, order, fill(1, 4, 10000))
        assert orders.amend(order, fill(2, qty, 10000, kind=E.CORRECT, ref=1)) == S.FILLED
        assert (order.cum_units, orders.overfills, orders.by_id) == (qty, overfills, {})


def test_orders_done_lately_are_found_and_older_ones_are_not() -> None:
    orders = OpenOrders(done_kept=3)
    placed = [made(orders, 10, E.SUBMIT) for _ in range(6)]
    for order in (*placed[1:], placed[0]):
        orders.apply(order, E.CANCEL)
    assert [orders.find(order.id) for order in placed] == [placed[0], None, None, None, placed[4], placed[5]]
    assert orders.find(99) is None
    with pytest.raises(InvariantError, match="at least one order"):
        OpenOrders(done_kept=0)


def test_fault_of_ours_halts_and_changes_nothing() -> None:
    orders = OpenOrders()
    order = made(orders)
    with pytest.raises(InvariantError, match="order 1: PARTIAL cannot happen in state NEW"):
        orders.apply_fill(order, 10, 10000)
    assert (order.state, order.cum_units, order.notional_units) == (S.NEW, 0, 0)
    assert orders.by_id == {1: order}


@pytest.mark.parametrize("qty", [0, -1])
def test_fill_of_nothing_halts(qty: int) -> None:
    orders = OpenOrders()
    order = made(orders, 100, E.SUBMIT)
    with pytest.raises(InvariantError, match=f"a fill of {qty} units is none"):
        orders.apply_fill(order, qty, 10000)
    assert order.cum_units == 0


def test_fill_of_more_than_was_ordered_is_taken_as_the_truth_and_counted() -> None:
    orders = OpenOrders()
    order = made(orders, 100, E.SUBMIT)
    assert orders.apply_fill(order, 101, 10000) == S.FILLED
    assert (order.cum_units, order.leaves_units, orders.overfills, orders.by_id) == (101, 0, 1, {})


@pytest.mark.parametrize("event", [-1, 18, 233, 10**6])
def test_event_number_off_the_table_halts(event: int) -> None:
    orders = OpenOrders()
    with pytest.raises(InvariantError, match=f"no order event has the number {event}"):
        orders.apply(made(orders), event)


def test_restated_order_keeps_its_fills_and_state() -> None:
    orders = OpenOrders()
    order = made(orders, 100, E.SUBMIT, E.ACCEPT)
    assert orders.restate(order, 200, 5012, 5025) == S.ACKNOWLEDGED
    assert (order.qty_units, order.limit_units, order.stop_units) == (200, 5012, 5025)
    orders.apply_fill(order, 50, 5000)
    assert orders.restate(order, 350, 2506, 2512) == S.PARTIAL_FILL
    assert (order.cum_units, order.leaves_units) == (50, 300)
    with pytest.raises(InvariantError, match="50 are filled already"):
        orders.restate(order, 50, 1, 1)
    orders.apply(order, E.CANCEL)
    assert orders.restate(order, 700, 1, 1) == ANOMALY
    assert order.qty_units == 350


def test_notional_beyond_64_bits_is_exact() -> None:
    orders = OpenOrders()
    order = made(orders, 2**53, E.SUBMIT)
    orders.apply_fill(order, 2**53 - 1, 2**53 - 1)
    orders.apply_fill(order, 1, 2**53)
    assert order.notional_units == (2**53 - 1) ** 2 + 2**53
    assert order.average_price is not None
    assert order.average_price < Decimal(2**53) / 100


def test_denied_order_is_done_at_once_and_asking_for_more_is_harmless() -> None:
    orders = OpenOrders()
    order = made(orders, 100, E.DENY)
    assert (order.state, orders.by_id) == (OrderState.DENIED, {})
    assert orders.apply(order, E.CANCEL_REQUEST) == IGNORED
    assert orders.apply(order, E.REPLACE_REQUEST) == IGNORED


@pytest.mark.compiled
def test_order_cannot_be_written_by_who_reads_it() -> None:
    orders = OpenOrders()
    order: Any = made(orders)
    for name in ("qty_units", "state_code", "venue_order_id", "reason_code", "notional_units"):
        with pytest.raises(AttributeError):
            setattr(order, name, 1)
    with pytest.raises(AttributeError):
        orders.by_id = {}

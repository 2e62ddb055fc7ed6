"""A split at the venue: working orders, and those on their way, are restated in new shares."""

import cython

if cython.compiled:
    from cython.cimports.lockstep.model.traffic import OrderRequest, VenueReport, make_report, make_request
    from cython.cimports.lockstep.sim.desk import Desk
    from cython.cimports.lockstep.sim.market import Market, VenueOrder
    from cython.cimports.lockstep.sim.transit import InFlight
else:
    from lockstep.model.traffic import OrderRequest, VenueReport, make_report, make_request
    from lockstep.sim.desk import Desk
    from lockstep.sim.market import Market, VenueOrder
    from lockstep.sim.transit import InFlight
from lockstep.model.enums import OrderEventKind, Reason

_SUBMIT = cython.declare(cython.int, int(OrderEventKind.SUBMIT))
_CANCEL = cython.declare(cython.int, int(OrderEventKind.CANCEL))
_RESTATE = cython.declare(cython.int, int(OrderEventKind.RESTATE))
_CORPORATE_ACTION = cython.declare(cython.int, int(Reason.CORPORATE_ACTION))


def restate_orders(
    desk: Desk, index: cython.int, ts: cython.longlong, new_shares: cython.longlong, old_shares: cython.longlong
) -> cython.int:
    """A split: restate every working order as brokers do (quantity x new/old, prices x old/new, FINRA rule 5330).

    Quantities are rounded down to a lot, prices to a tick away from filling; what leaves nothing to trade is cancelled.
    """
    market: Market = cython.cast(Market, desk.markets[index])
    order: VenueOrder
    for entry in market.resting[:]:
        order = cython.cast(VenueOrder, entry)
        leaves = _scaled_down(order.leaves, new_shares, old_shares, market.lot)
        if leaves == 0:
            desk.end(market, order, _CANCEL, _CORPORATE_ACTION, ts)
            continue
        filled = _scaled_down(order.qty - order.leaves, new_shares, old_shares, 1)
        order.leaves = leaves
        order.qty = filled + leaves
        if order.limit_price:
            order.limit_price = _scaled_price(order.limit_price, old_shares, new_shares, market.tick, -order.side)
        if order.stop_price:
            order.stop_price = _scaled_price(order.stop_price, old_shares, new_shares, market.tick, order.side)
        report: VenueReport = desk.report_on(order, _RESTATE, _CORPORATE_ACTION, ts, desk.ack_ns, 0)
        report.qty = order.leaves
        report.limit_price = order.limit_price
        report.stop_price = order.stop_price
        desk.queue(report)
    _split_in_flight(desk, index, ts, new_shares, old_shares)
    market.net = _scaled_down(abs(market.net), new_shares, old_shares, 1) * (1 if market.net > 0 else -1)
    wide: cython.py_int = old_shares  # a Python int: the product may pass 64 bits
    market.last = wide * market.last // new_shares
    market.last_before = market.last
    return 0


def _split_in_flight(
    desk: Desk, index: cython.int, ts: cython.longlong, new_shares: cython.longlong, old_shares: cython.longlong
) -> cython.int:
    """The same for orders that have yet to arrive: their sender meant shares and prices of before the split."""
    market: Market = cython.cast(Market, desk.markets[index])
    flight: InFlight
    old: OrderRequest
    k: cython.Py_ssize_t
    keep: list[InFlight] = []
    for k in range(desk.next_arrival, len(desk.arrivals)):
        flight = cython.cast(InFlight, desk.arrivals[k])
        old = flight.request
        if old.kind != _SUBMIT or old.instrument != index:
            keep.append(flight)
            continue
        qty = _scaled_down(old.qty, new_shares, old_shares, market.lot)
        limit: cython.py_int = 0
        stop: cython.py_int = 0
        if old.limit_price:
            limit = _scaled_price(old.limit_price, old_shares, new_shares, market.tick, -old.side)
        if old.stop_price:
            stop = _scaled_price(old.stop_price, old_shares, new_shares, market.tick, old.side)
        kind: cython.int = _RESTATE if qty else _CANCEL
        report: VenueReport = make_report(kind, index, ts + desk.ack_ns, ts, old.order_id, 0, _CORPORATE_ACTION)
        report.qty, report.limit_price, report.stop_price = qty, limit, stop
        desk.queue(report)
        if qty:
            flight.request = make_request(
                old.kind, old.strategy, old.instrument, old.ts, old.basis_ts, old.order_id, old.side,
                old.order_type, old.time_in_force, qty, limit, stop, old.expire_ts,
            )  # fmt: skip
            keep.append(flight)
    desk.arrivals = keep
    desk.next_arrival = 0
    return 0


def _scaled_down(units: int, num: int, den: int, step: int) -> int:
    scaled = units * num // den
    return scaled - scaled % step


def _scaled_price(price: int, num: int, den: int, tick: int, direction: int) -> int:
    exact = price * num
    step = den * tick
    ticks = exact // step if direction < 0 else -(-exact // step)
    return max(1, ticks) * tick

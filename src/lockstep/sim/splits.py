"""A split at the venue: working orders, and those on their way, are restated in new shares."""

import cython

if cython.compiled:
    from cython.cimports.lockstep.model.traffic import (
        OrderRequest,
        OrderTerms,
        VenueReport,
        make_report,
        make_request,
        make_terms,
        split_display,
    )
    from cython.cimports.lockstep.sim.desk import Desk
    from cython.cimports.lockstep.sim.market import Market, Stake, VenueOrder
    from cython.cimports.lockstep.sim.transit import InFlight
else:
    from lockstep.model.traffic import (
        OrderRequest,
        OrderTerms,
        VenueReport,
        make_report,
        make_request,
        make_terms,
        split_display,
    )
    from lockstep.sim.desk import Desk
    from lockstep.sim.market import Market, Stake, VenueOrder
    from lockstep.sim.transit import InFlight
from lockstep.model.enums import OrderEventKind, OrderFlag, Reason

_REPLACE_REQUEST = cython.declare(cython.int, int(OrderEventKind.REPLACE_REQUEST))
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
    stake: Stake
    wide_old: cython.py_int = old_shares  # a Python int: the products may pass 64 bits
    for entry in market.resting[:]:
        order = cython.cast(VenueOrder, entry)
        leaves = _scaled_down(order.leaves, new_shares, old_shares, market.lot)
        if leaves == 0:
            desk.end(market, order, _CANCEL, _CORPORATE_ACTION, ts)
            continue
        order.qty += leaves - order.leaves  # what is filled stays as it was: the owner counts it so too
        order.leaves = leaves
        order.display = split_display(order.display, new_shares, old_shares, market.lot)
        if order.limit_price:
            order.limit_price = _scaled_price(order.limit_price, old_shares, new_shares, market.tick, -order.side)
        if order.stop_price > 0:
            order.stop_price = _scaled_price(order.stop_price, old_shares, new_shares, market.tick, order.side)
        if order.trail:
            order.best = order.best * wide_old // new_shares
            order.trail = _scaled_trail(order.trail, order.flags, old_shares, new_shares, market.tick)
        report: VenueReport = desk.report_on(order, _RESTATE, _CORPORATE_ACTION, ts, desk.ack_ns, 0)
        report.qty = order.leaves
        report.limit_price = order.limit_price
        report.stop_price = order.trail or order.stop_price
        desk.queue(report)
    _split_in_flight(desk, index, ts, new_shares, old_shares)
    market.net = _scaled_down(abs(market.net), new_shares, old_shares, 1) * (1 if market.net > 0 else -1)
    for owned in market.stakes:
        stake = cython.cast(Stake, owned)
        stake.net = _scaled_down(abs(stake.net), new_shares, old_shares, 1) * (1 if stake.net > 0 else -1)
    market.last = wide_old * market.last // new_shares
    market.last_before = market.last
    market.forget_quote()
    if market.depth is not None:
        market.depth.forget()
        for entry in market.resting:
            order = cython.cast(VenueOrder, entry)
            order.place = None
            order.spared = order.sparing = 0
    return 0


def _split_in_flight(
    desk: Desk, index: cython.int, ts: cython.longlong, new_shares: cython.longlong, old_shares: cython.longlong
) -> cython.int:
    """The same for orders that have yet to arrive: their sender meant shares and prices of before the split."""
    market: Market = cython.cast(Market, desk.markets[index])
    flight: InFlight
    old: OrderRequest
    terms: OrderTerms
    k: cython.Py_ssize_t
    keep: list[InFlight] = []
    for k in range(desk.next_arrival, len(desk.arrivals)):
        flight = cython.cast(InFlight, desk.arrivals[k])
        old = flight.request
        if old.instrument != index or old.terms is None:
            keep.append(flight)
            continue
        if old.kind == _REPLACE_REQUEST:
            _split_replacement(desk, market, flight, new_shares, old_shares)
            keep.append(flight)
            continue
        terms = _split_terms(market, old.terms, 0, new_shares, old_shares)
        kind: cython.int = _RESTATE if terms.qty else _CANCEL
        report: VenueReport = make_report(
            kind, index, ts + desk.ack_ns + desk.answer_ns(ts), ts, old.order_id, 0, _CORPORATE_ACTION
        )
        report.qty, report.limit_price, report.stop_price = (
            terms.qty,
            terms.limit_price,
            terms.trail or terms.stop_price,
        )
        desk.queue(report)
        if terms.qty:
            flight.request = make_request(
                old.kind, old.strategy, old.instrument, old.ts, old.basis_ts, old.order_id, terms
            )
            keep.append(flight)
    desk.arrivals = keep
    desk.next_arrival = 0
    for entry in market.held:
        flight = cython.cast(InFlight, entry)
        if flight.request.kind == _REPLACE_REQUEST:
            _split_replacement(desk, market, flight, new_shares, old_shares)
    return 0


def _split_replacement(
    desk: Desk, market: Market, flight: InFlight, new_shares: cython.longlong, old_shares: cython.longlong
) -> cython.int:
    """A replacement that has yet to take effect: what it leaves open, in new shares. What is filled stays as it was."""
    old: OrderRequest = flight.request
    terms: OrderTerms = cython.cast(OrderTerms, old.terms)
    order: VenueOrder | None = desk.by_id.get(old.order_id)
    filled: cython.longlong = 0 if order is None else order.qty - order.leaves
    flight.request = make_request(
        old.kind, old.strategy, old.instrument, old.ts, old.basis_ts, old.order_id,
        _split_terms(market, terms, filled, new_shares, old_shares), old.revision, old.replaces,
    )  # fmt: skip
    return 0


def _split_terms(
    market: Market,
    terms: OrderTerms,
    filled: cython.longlong,
    new_shares: cython.longlong,
    old_shares: cython.longlong,
) -> OrderTerms:
    """Terms in new shares; of the quantity only what is beyond `filled`."""
    qty = terms.qty
    if qty > filled:
        qty = filled + _scaled_down(qty - filled, new_shares, old_shares, market.lot)
    limit: cython.py_int = 0
    stop: cython.py_int = 0
    trail: cython.py_int = 0
    if terms.limit_price:
        limit = _scaled_price(terms.limit_price, old_shares, new_shares, market.tick, -terms.side)
    if terms.stop_price:
        stop = _scaled_price(terms.stop_price, old_shares, new_shares, market.tick, terms.side)
    if terms.trail:
        trail = _scaled_trail(terms.trail, terms.flags, old_shares, new_shares, market.tick)
    return make_terms(
        terms.side, terms.order_type, terms.time_in_force, terms.flags, qty, limit, stop, trail, terms.expire_ts,
        terms.signal_id, split_display(terms.display, new_shares, old_shares, market.lot),
    )  # fmt: skip


def _scaled_down(units: int, num: int, den: int, step: int) -> int:
    scaled = units * num // den
    return scaled - scaled % step


def _scaled_price(price: int, num: int, den: int, tick: int, direction: int) -> int:
    exact = price * num
    step = den * tick
    ticks = exact // step if direction < 0 else -(-exact // step)
    return max(1, ticks) * tick


def _scaled_trail(trail: int, flags: int, num: int, den: int, tick: int) -> int:
    """A trail in price units to a tick away from filling; one in millionths of the price stays."""
    return trail if flags & int(OrderFlag.TRAIL_PPM) else _scaled_price(trail, num, den, tick, 1)

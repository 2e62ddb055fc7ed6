"""Matching on bars. A bar is taken as a path of four prices: open, one extreme, the other, close.

An order meets the first bar whose open is not older than what its sender knew, and that ends after the order arrived. At
that open it takes: market orders fill there, stops already crossed trigger there. Along the path stops trigger at their
price and limits that rest fill, maker, at theirs. Which extreme comes first a bar does not say: the pessimistic path
goes against the open position, the optimistic one with it. Liquidity is consumed once per bar.

A bar is one moment to whoever sends a command inside it: an order meets the next bar, and a cancel takes effect when the
bar is over, whether that bar was matched before the command arrived or (beside an instrument with shorter bars) after it.
"""

import cython

if cython.compiled:
    from cython.cimports.lockstep.sim.desk import Desk
    from cython.cimports.lockstep.sim.market import Market, VenueOrder
else:
    from lockstep.sim.desk import Desk
    from lockstep.sim.market import Market, VenueOrder
from lockstep.model.enums import OrderEventKind, OrderFlag, Reason, TimeInForce

_CANCEL = cython.declare(cython.int, int(OrderEventKind.CANCEL))
_IOC = cython.declare(cython.int, int(TimeInForce.IOC))
_FOK = cython.declare(cython.int, int(TimeInForce.FOK))
_TIME_IN_FORCE = cython.declare(cython.int, int(Reason.TIME_IN_FORCE))
_POST_ONLY_FLAG = cython.declare(cython.int, int(OrderFlag.POST_ONLY))
_NEVER = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)


def match_bar(
    desk: Desk,
    market: Market,
    ts_open: cython.longlong,
    ts_end: cython.longlong,
    o: cython.longlong,
    h: cython.longlong,
    l: cython.longlong,
    c: cython.longlong,
    volume: cython.double,
) -> cython.int:
    """Match what rests on one bar, oldest first among equals. Reports are queued with their times inside the bar."""
    quarter: cython.longlong = (ts_end - ts_open) // 4
    desk.expire(market, ts_open)
    market.offer(volume)
    _at_open(desk, market, ts_open, ts_end, o, volume)
    if len(market.resting) == 0:
        return 0
    low_first: cython.bint  # asked after the open: what was entered there is what the path can hurt
    if market.net == 0:
        low_first = o - l <= h - o  # the nearer extreme: the usual convention where no position names a worse one
    else:
        low_first = (market.net > 0) != desk.optimistic
    if low_first:
        _segment(desk, market, ts_open, ts_end, o, l, ts_open + quarter, volume)
        _segment(desk, market, ts_open, ts_end, l, h, ts_open + 2 * quarter, volume)
        _segment(desk, market, ts_open, ts_end, h, c, ts_open + 3 * quarter, volume)
    else:
        _segment(desk, market, ts_open, ts_end, o, h, ts_open + quarter, volume)
        _segment(desk, market, ts_open, ts_end, h, l, ts_open + 2 * quarter, volume)
        _segment(desk, market, ts_open, ts_end, l, c, ts_open + 3 * quarter, volume)
    order: VenueOrder
    for entry in market.resting:
        order = cython.cast(VenueOrder, entry)
        if order.basis_ts <= ts_open and order.arrival < ts_end:
            if order.bars_to_wait > 0:
                order.bars_to_wait -= 1
            else:
                order.fresh = order.crossing
    return desk.expire(market, ts_end)


def _at_open(
    desk: Desk,
    market: Market,
    ts_open: cython.longlong,
    ts_end: cython.longlong,
    o: cython.longlong,
    volume: cython.double,
) -> cython.int:
    order: VenueOrder
    k: cython.Py_ssize_t = 0
    while k < len(market.resting):
        order = cython.cast(VenueOrder, market.resting[k])
        if order.basis_ts <= ts_open and order.arrival < ts_end and order.bars_to_wait == 0:
            _open_order(desk, market, order, ts_open, o, volume)
        if k < len(market.resting) and market.resting[k] is order:
            k += 1  # still there; else the next one has taken its place
    return 0


def _open_order(
    desk: Desk,
    market: Market,
    order: VenueOrder,
    ts_open: cython.longlong,
    o: cython.longlong,
    volume: cython.double,
) -> cython.int:
    """What an order does at a bar's open."""
    ts: cython.longlong = ts_open if ts_open > order.arrival else order.arrival
    order.crossing = False
    if order.waiting:
        if not desk.sets_off(market, order, o):
            return 0
        desk.trigger(order, ts)
    if order.limit_price == 0:
        _fill(desk, market, order, o, False, ts, volume)
    elif (order.limit_price - o) * order.side >= 0:
        if order.fresh and order.flags & _POST_ONLY_FLAG:
            return desk.refuse_to_take(market, order, ts)
        if order.fresh:
            _fill(desk, market, order, o, False, ts, volume)
        elif order.limit_price != o or desk.touch:  # it rested: the open traded through it, or touched it
            _fill(desk, market, order, o if desk.optimistic else order.limit_price, True, ts, volume)
    if order.leaves > 0 and (order.time_in_force == _IOC or order.time_in_force == _FOK):
        desk.end(market, order, _CANCEL, _TIME_IN_FORCE, ts)
    return 0


def _segment(
    desk: Desk,
    market: Market,
    ts_open: cython.longlong,
    ts_end: cython.longlong,
    start: cython.longlong,
    end: cython.longlong,
    ts: cython.longlong,
    volume: cython.double,
) -> cython.int:
    """The price runs from start to end: act on the orders it meets, in the order in which it meets them."""
    if start == end:
        return 0
    up: cython.int = 1 if end > start else -1
    order: VenueOrder
    nearest: VenueOrder | None
    distance: cython.longlong
    best: cython.longlong
    reached: cython.longlong = 0  # how far along we are, with everything nearer already acted upon
    acted: set[int] = set()
    while True:
        nearest = None
        best = _NEVER
        for entry in market.resting:
            order = cython.cast(VenueOrder, entry)
            if order.basis_ts > ts_open or order.arrival >= ts_end or order.expire_ts <= ts:
                continue
            if order.bars_to_wait > 0 or order.order_id in acted:
                continue
            distance = _distance(desk, order, start, end, up)
            if reached <= distance < best:
                best = distance
                nearest = order
        if nearest is None:
            return _follow_move(desk, market, ts_open, ts_end, end)
        reached = best
        acted.add(nearest.order_id)
        if _act(desk, market, nearest, start + best * up, ts, volume):
            acted.discard(nearest.order_id)


def _follow_move(
    desk: Desk, market: Market, ts_open: cython.longlong, ts_end: cython.longlong, end: cython.longlong
) -> cython.int:
    """The price has run to end: the trailing stops that met the bar's open and still wait follow it."""
    order: VenueOrder
    for entry in market.resting:
        order = cython.cast(VenueOrder, entry)
        if order.waiting and order.best > 0 and order.basis_ts <= ts_open and order.arrival < ts_end:
            desk.follow(market, order, end)
    return 0


def _distance(
    desk: Desk, order: VenueOrder, start: cython.longlong, end: cython.longlong, up: cython.int
) -> cython.longlong:
    """How far from start the move meets an order, price units; -1 where it does not."""
    price: cython.longlong
    short_of: cython.longlong = 0  # how far the move must go beyond the price
    if order.waiting:
        if order.side != up:
            return -1
        price = order.stop_price
    elif order.limit_price == 0:
        return -1  # its rest waits for the next open
    else:
        if order.side == up:
            return -1  # a limit rests against the move
        price = order.limit_price
        short_of = 0 if desk.touch else 1
    if (price - start) * up < 0 or (end - price) * up < short_of:
        return -1
    return (price - start) * up


def _act(
    desk: Desk,
    market: Market,
    order: VenueOrder,
    price: cython.longlong,
    ts: cython.longlong,
    volume: cython.double,
) -> cython.int:
    """An order is met at its price. Returns 1 where a stop limit triggered and may still rest, else 0."""
    if ts < order.arrival:
        ts = order.arrival
    if not order.waiting:
        _fill(desk, market, order, price, True, ts, volume)
        return 0
    desk.trigger(order, ts)
    if order.limit_price == 0 or (order.limit_price - price) * order.side >= 0:
        _fill(desk, market, order, price, False, ts, volume)
        return 0
    return 1


def _fill(
    desk: Desk,
    market: Market,
    order: VenueOrder,
    reference: cython.longlong,
    maker: cython.bint,
    ts: cython.longlong,
    volume: cython.double,
) -> cython.int:
    """Fill what the bar still has for an order."""
    market.available -= desk.fill(market, order, reference, maker, ts, volume, market.available)
    return 0

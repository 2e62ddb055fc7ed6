"""Matching on quotes and trades.

Quotes. An order takes what stands when it arrives: a buy the ask, as far as the size shown reaches; the rest waits, and takes
again from the next quotes. A limit that does not take rests, and is filled at its price when the opposite quote comes
through it. What we took of a quote stays taken until that side changes its price or size. A crossed quote is not believed.

Trades. A resting limit is filled at its price when a trade prints through it, by a taker on the other side or one not known.
Where there are no quotes a taking order takes at the next trade. Our part of each trade's quantity is there once.

Stops watch the trades where there are any, else the quote they would take. Where there are trades alone a stop takes at the
trade after the one that triggered it.

Best price first, then oldest. An order meets no quote and no trade from before its arrival, or from before what its sender
knew (basis_ts); a quote that still stands is not from before. Each order acts once at an event. Our place in a queue is not
modelled: a trade through our price is taken to reach us.
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
_FIRST = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)  # the rank of an order at any price


def meet_on_arrival(desk: Desk, market: Market, order: VenueOrder) -> cython.int:
    """An order has arrived: it meets the quote that stands, unless its sender knew something later still."""
    if not market.quotes or order.basis_ts > order.arrival:
        return 0
    if order.waiting:
        price: cython.longlong = 0 if market.trades else _touch_price(market, order.side, order.arrival)
        if price == 0 or not desk.sets_off(market, order, price):
            return 0
        desk.trigger(order, order.arrival)
    return _meet_quote(desk, market, order, order.arrival)


# ---- quotes


def match_quote(desk: Desk, market: Market, ts: cython.longlong) -> cython.int:
    """A new quote stands: stops that watch it, then every order that it does something to."""
    order: VenueOrder
    best: VenueOrder | None
    price: cython.longlong
    rank: cython.longlong
    top: cython.longlong
    if not market.trades:
        for entry in market.resting:
            order = cython.cast(VenueOrder, entry)
            if order.waiting and order.basis_ts <= ts and order.arrival <= ts:
                price = _touch_price(market, order.side, ts)
                if price > 0 and desk.sets_off(market, order, price):
                    desk.trigger(order, ts)
    while True:
        best = None
        top = -1
        for entry in market.resting:
            order = cython.cast(VenueOrder, entry)
            if order.waiting or order.met == market.events or order.basis_ts > ts or order.arrival > ts:
                continue
            rank = _quote_rank(desk, market, order)
            if rank > top:
                top = rank
                best = order
        if best is None:
            return 0
        _meet_quote(desk, market, best, ts)


def _touch_price(market: Market, side: cython.int, ts: cython.longlong) -> cython.longlong:
    """What an order of this side would take at: the ask for a buy, the bid for a sell; 0 where none stands."""
    if not market.stands(ts):
        return 0
    return market.ask if side > 0 else market.bid


def _quote_rank(desk: Desk, market: Market, order: VenueOrder) -> cython.longlong:
    """How far in front an order stands for the present quote: its distance from the price; -1 where nothing happens."""
    price: cython.longlong = market.ask if order.side > 0 else market.bid
    if order.limit_price == 0:
        return _FIRST if price > 0 else 0 if order.time_in_force == _IOC or order.time_in_force == _FOK else -1
    beyond: cython.longlong = (order.limit_price - price) * order.side
    if price == 0 or beyond < 0:
        return 0 if order.fresh else -1  # it takes nothing and rests from now on
    return beyond if order.fresh or beyond > 0 or desk.touch else -1


def _meet_quote(desk: Desk, market: Market, order: VenueOrder, ts: cython.longlong) -> cython.int:
    """What an order that waits for nothing does at the standing quote."""
    price: cython.longlong = _touch_price(market, order.side, ts)
    beyond: cython.longlong = (order.limit_price - price) * order.side
    takes: cython.bint = order.fresh
    order.met = market.events
    order.crossing = False
    if price > 0 and order.limit_price == 0:
        _take_side(desk, market, order, price, False, ts)
    elif price > 0 and beyond >= 0 and takes:
        if order.flags & _POST_ONLY_FLAG:
            return desk.refuse_to_take(market, order, ts)
        _take_side(desk, market, order, price, False, ts)
    elif price > 0 and (beyond > 0 or (beyond == 0 and desk.touch)):
        _take_side(desk, market, order, order.limit_price, True, ts)
    return _settle(desk, market, order, ts)


def _take_side(
    desk: Desk, market: Market, order: VenueOrder, price: cython.longlong, maker: cython.bint, ts: cython.longlong
) -> cython.int:
    """Fill an order against what is left of the size that the quote showed on the other side."""
    if order.side > 0:
        market.ask_left -= desk.fill(
            market, order, price, maker, ts, market.shown_ask_qty / market.qty_scale, market.ask_left
        )
    else:
        market.bid_left -= desk.fill(
            market, order, price, maker, ts, market.shown_bid_qty / market.qty_scale, market.bid_left
        )
    return 0


def _settle(desk: Desk, market: Market, order: VenueOrder, ts: cython.longlong) -> cython.int:
    """After a meeting: what may not wait ends; what wants more of a price it takes stays fresh, everything else rests."""
    if order.leaves > 0 and (order.time_in_force == _IOC or order.time_in_force == _FOK):
        return desk.end(market, order, _CANCEL, _TIME_IN_FORCE, ts)
    order.fresh = order.crossing or order.limit_price == 0
    return 0


# ---- trades


def match_trade(
    desk: Desk,
    market: Market,
    ts: cython.longlong,
    price: cython.longlong,
    qty: cython.longlong,
    aggressor: cython.int,
) -> cython.int:
    """A trade printed: stops first, then every order that it fills. aggressor: +1, -1, or 0 where it is not known."""
    order: VenueOrder
    best: VenueOrder | None
    rank: cython.longlong
    top: cython.longlong
    _watch_trade(desk, market, ts, price)
    if qty <= 0:
        return 0
    volume: cython.double = qty / market.qty_scale
    market.offer(volume)
    while True:
        best = None
        top = -1
        for entry in market.resting:
            order = cython.cast(VenueOrder, entry)
            if order.waiting or order.met == market.events or order.basis_ts > ts or order.arrival > ts:
                continue
            rank = _trade_rank(desk, market, order, price, aggressor)
            if rank > top:
                top = rank
                best = order
        if best is None:
            return 0
        _meet_trade(desk, market, best, price, ts, volume)


def _watch_trade(desk: Desk, market: Market, ts: cython.longlong, price: cython.longlong) -> cython.int:
    """Stops watch the trade's price. With quotes, what triggers takes what stands, and so does who met nothing so far."""
    order: VenueOrder
    k: cython.Py_ssize_t = 0
    while k < len(market.resting):
        order = cython.cast(VenueOrder, market.resting[k])
        if order.basis_ts <= ts and order.arrival <= ts:
            if order.waiting:
                if desk.sets_off(market, order, price):
                    desk.trigger(order, ts)
                    order.met = market.events
                    if market.quotes:
                        _meet_quote(desk, market, order, ts)
            elif order.met == 0 and market.quotes:
                _meet_quote(desk, market, order, ts)
        if k < len(market.resting) and market.resting[k] is order:
            k += 1  # still there; else the next one has taken its place
    return 0


def _trade_rank(
    desk: Desk, market: Market, order: VenueOrder, price: cython.longlong, aggressor: cython.int
) -> cython.longlong:
    """How far in front an order stands for a trade: its distance from the price; -1 where nothing happens."""
    beyond: cython.longlong = (order.limit_price - price) * order.side
    if not market.quotes:
        if order.limit_price == 0:
            first: cython.longlong = _FIRST
            return first
        if order.fresh:
            return beyond if beyond > 0 else 0
    elif order.limit_price == 0:
        return -1
    if aggressor == order.side or beyond < 0 or (beyond == 0 and not desk.touch):
        return -1
    return beyond


def _meet_trade(
    desk: Desk,
    market: Market,
    order: VenueOrder,
    price: cython.longlong,
    ts: cython.longlong,
    volume: cython.double,
) -> cython.int:
    """What an order does at a trade: take at its price where there are no quotes, or be filled at its own."""
    takes: cython.bint = order.fresh and not market.quotes
    order.met = market.events
    if order.limit_price == 0 or (takes and (order.limit_price - price) * order.side >= 0):
        if order.flags & _POST_ONLY_FLAG:
            return desk.refuse_to_take(market, order, ts)
        order.crossing = False
        market.available -= desk.fill(market, order, price, False, ts, volume, market.available)
    elif takes:
        order.crossing = False
    else:
        market.available -= desk.fill(market, order, order.limit_price, True, ts, volume, market.available)
    return _settle(desk, market, order, ts)

"""The order desk of a simulated venue: what every way of matching shares.

Orders are checked and acknowledged when they arrive, rest, trigger, are cancelled, expire, and are filled here, with
slippage and fees. When they fill and at which price is the business of `bars`, `ticks` and `depth`.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.model.traffic import OrderRequest, OrderTerms, VenueReport, make_report
    from cython.cimports.lockstep.sim.market import Market, VenueOrder
    from cython.cimports.lockstep.sim.transit import InFlight, Transit
else:
    from lockstep.model.traffic import OrderRequest, OrderTerms, VenueReport, make_report
    from lockstep.sim.market import Market, VenueOrder
    from lockstep.sim.transit import InFlight, Transit
from lockstep.model.enums import Liquidity, OrderEventKind, OrderFlag, OrderType, Reason, TimeInForce
from lockstep.model.errors import InvariantError
from lockstep.sim.models import BarFills, Latency, Slippage

_ACCEPT = cython.declare(cython.int, int(OrderEventKind.ACCEPT))
_REJECT = cython.declare(cython.int, int(OrderEventKind.REJECT))
_TRIGGER = cython.declare(cython.int, int(OrderEventKind.TRIGGER))
_FILL = cython.declare(cython.int, int(OrderEventKind.FILL))
_CANCEL = cython.declare(cython.int, int(OrderEventKind.CANCEL))
_CANCEL_REJECT = cython.declare(cython.int, int(OrderEventKind.CANCEL_REJECT))
_REPLACE_REQUEST = cython.declare(cython.int, int(OrderEventKind.REPLACE_REQUEST))
_REPLACE = cython.declare(cython.int, int(OrderEventKind.REPLACE))
_REPLACE_REJECT = cython.declare(cython.int, int(OrderEventKind.REPLACE_REJECT))
_EXPIRE = cython.declare(cython.int, int(OrderEventKind.EXPIRE))
_STOP = cython.declare(cython.int, int(OrderType.STOP))
_TRAILING = cython.declare(cython.int, int(OrderType.TRAILING_STOP))
_DAY = cython.declare(cython.int, int(TimeInForce.DAY))
_FOK = cython.declare(cython.int, int(TimeInForce.FOK))
_GTD = cython.declare(cython.int, int(TimeInForce.GTD))
_MAKER = cython.declare(cython.int, int(Liquidity.MAKER))
_TAKER = cython.declare(cython.int, int(Liquidity.TAKER))
_OUTSIDE_HOURS = cython.declare(cython.int, int(Reason.OUTSIDE_HOURS))
_PRICE_BAND = cython.declare(cython.int, int(Reason.PRICE_BAND))
_TOO_LATE = cython.declare(cython.int, int(Reason.TOO_LATE))
_TIME_IN_FORCE = cython.declare(cython.int, int(Reason.TIME_IN_FORCE))
_POST_ONLY = cython.declare(cython.int, int(Reason.POST_ONLY))
_REDUCE_ONLY = cython.declare(cython.int, int(Reason.REDUCE_ONLY))
_REDUCE_ONLY_FLAG = cython.declare(cython.int, int(OrderFlag.REDUCE_ONLY))
_TRAIL_PPM = cython.declare(cython.int, int(OrderFlag.TRAIL_PPM))
_NEVER = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)


@cython.cclass
class Desk(Transit):
    """Orders at the venue, from arrival to their end. Times are ns UTC; prices and quantities the instruments' units."""

    markets: list[Market]
    by_id: dict[int, VenueOrder]
    last_venue_id: cython.longlong
    last_exec_id: cython.longlong
    optimistic: cython.bint
    touch: cython.bint
    slip_num: Any
    slip_den: Any
    impact: cython.double
    slips: cython.bint

    def start_desk(
        self, markets: Sequence[Market], latency: Latency, slippage: Slippage, fills: BarFills, seed: int
    ) -> None:
        """Nothing has arrived. seed: of the latency's jitters."""
        self.start_transit(latency, seed)
        self.markets = list(markets)
        self.by_id = {}
        self.last_venue_id = 0
        self.last_exec_id = 0
        self.optimistic = fills.path == "optimistic"
        self.touch = fills.limit_fill == "touch"
        fixed = Fraction(slippage.bps) / 10_000
        self.slip_num, self.slip_den = fixed.numerator, fixed.denominator
        self.impact = float(slippage.volume_impact)
        self.slips = fixed > 0 or self.impact > 0.0

    # ---- commands arrive

    def release_held(self, market: Market) -> cython.int:
        """Act on the cancels and replacements that no longer wait for a bar, in their order."""
        flight: InFlight
        held: list[InFlight] = market.held
        market.held = []
        for entry in held:
            flight = cython.cast(InFlight, entry)
            if flight.request.basis_ts > market.settled_to:
                market.held.append(flight)
            else:
                self.change(market, flight)
        return 0

    def change(self, market: Market, flight: InFlight) -> cython.int:
        """A cancel or replacement takes effect."""
        if flight.request.kind == _REPLACE_REQUEST:
            self.replace(market, flight)
            return 0
        return self.cancel(market, flight)

    def replace(self, market: Market, flight: InFlight) -> VenueOrder | None:
        """A replacement takes effect, at the time at which a cancel would. Returns the order where it may meet a price anew.

        A total at or below what is filled cancels the rest. Only a smaller quantity keeps the place among the others; a
        new price makes it an order that has just arrived.
        """
        request: OrderRequest = flight.request
        terms: OrderTerms = cython.cast(OrderTerms, request.terms)
        ts: cython.longlong = flight.arrival if flight.arrival > market.matched_to else market.matched_to
        report: VenueReport
        order: VenueOrder | None = self.by_id.get(request.order_id)
        if order is None:
            report = make_report(
                _REPLACE_REJECT,
                request.instrument,
                self.heard_at(ts, ts + self.ack_ns + self.ack_draw() + self.answer_ns(ts)),
                ts,
                request.order_id,
                0,
                _TOO_LATE,
            )
            report.revision = request.revision
            self.queue(report)
            return None
        if terms.qty <= order.qty - order.leaves:
            self.end(market, order, _CANCEL, 0, ts)
            return None
        follows: cython.bint = order.order_type == _TRAILING  # its stop is the venue's
        moved: cython.bint = terms.limit_price != order.limit_price or (
            not follows and terms.stop_price != order.stop_price
        )
        reason: cython.int = 0
        if moved and (market.outside_band(terms.limit_price, ts) or market.outside_band(terms.stop_price, ts)):
            reason = _PRICE_BAND
        elif not follows and terms.stop_price != order.stop_price and not order.waiting:
            reason = _TOO_LATE  # it has triggered
        if reason:
            report = self.report_on(
                order, _REPLACE_REJECT, reason, ts, self.ack_ns + self.ack_draw(), self.ack_jitter_ns
            )
            report.revision = request.revision
            self.queue(report)
            return None
        if moved or terms.qty > order.qty:
            self._requeue(market, order)
        order.leaves += terms.qty - order.qty
        order.qty = terms.qty
        order.limit_price = terms.limit_price
        if not follows:
            order.stop_price = terms.stop_price
        if moved:
            order.fresh = True
            order.crossing = False
            order.met = 0
            order.arrival = ts
            order.basis_ts = request.basis_ts
            order.bars_to_wait = self.entry_bars
        report = self.report_on(order, _REPLACE, 0, ts, self.ack_ns + self.ack_draw(), self.ack_jitter_ns)
        report.revision = request.revision
        report.qty = terms.qty
        report.limit_price = terms.limit_price
        report.stop_price = terms.stop_price
        self.queue(report)
        return order if moved else None

    def _take_out(self, market: Market, order: VenueOrder) -> cython.int:
        """An order does not stand among those that rest."""
        k: cython.Py_ssize_t
        for k in range(len(market.resting)):
            if market.resting[k] is order:
                del market.resting[k]
                break
        return 0

    def _requeue(self, market: Market, order: VenueOrder) -> cython.int:
        """Behind every other order: it has lost its place."""
        self._take_out(market, order)
        market.resting.append(order)
        order.place = None
        return 0

    def cancel(self, market: Market, flight: InFlight) -> cython.int:
        """A cancel takes effect: when it arrived, or at the end of the bar it arrived in if that is matched already."""
        request: OrderRequest = flight.request
        ts: cython.longlong = flight.arrival if flight.arrival > market.matched_to else market.matched_to
        order: VenueOrder | None = self.by_id.get(request.order_id)
        if order is not None:
            return self.end(market, order, _CANCEL, 0, ts)
        return self.queue(
            make_report(
                _CANCEL_REJECT,
                request.instrument,
                self.heard_at(ts, ts + self.ack_ns + self.ack_draw() + self.answer_ns(ts)),
                ts,
                request.order_id,
                0,
                _TOO_LATE,
            )
        )

    def admit(self, request: OrderRequest, arrival: cython.longlong) -> VenueOrder | None:
        """An order is here: check it and acknowledge it. Returns it where it rests now, None where it was rejected."""
        market: Market = cython.cast(Market, self.markets[request.instrument])
        if request.terms is None:
            raise InvariantError(f"order {request.order_id} was submitted without terms")
        terms: OrderTerms = request.terms
        order: VenueOrder = VenueOrder.__new__(VenueOrder)
        self.last_venue_id += 1
        order.order_id = request.order_id
        order.venue_order_id = self.last_venue_id
        order.instrument = request.instrument
        order.side = terms.side
        order.order_type = terms.order_type
        order.time_in_force = terms.time_in_force
        order.flags = terms.flags
        order.qty = terms.qty
        order.leaves = terms.qty
        order.limit_price = terms.limit_price
        order.stop_price = terms.stop_price
        order.trail = terms.trail
        order.best = 0
        order.met = 0
        order.stake = market.stake_of(request.strategy)
        order.basis_ts = request.basis_ts
        order.arrival = arrival
        order.last_clock = arrival
        order.fresh = True
        order.bars_to_wait = self.entry_bars
        order.crossing = False
        order.waiting = terms.order_type >= _STOP  # STOP, STOP_LIMIT and TRAILING_STOP
        order.charged = False
        order.place = None
        order.placement = 0
        order.display = terms.display
        order.tip = 0
        order.spared = 0
        order.sparing = 0
        order.expire_ts = _NEVER
        reason: cython.int = 0
        if not market.always_open and not market.queue_outside_hours and not market.is_open(arrival):
            reason = _OUTSIDE_HOURS
        elif market.outside_band(order.limit_price, arrival) or market.outside_band(order.stop_price, arrival):
            reason = _PRICE_BAND
        elif order.time_in_force == _GTD and terms.expire_ts <= arrival:
            reason = _TIME_IN_FORCE  # over before it is there
        if reason:
            self.queue(
                self.report_on(order, _REJECT, reason, arrival, self.ack_ns + self.ack_draw(), self.ack_jitter_ns)
            )
            return None
        if order.time_in_force == _DAY:
            order.expire_ts = market.day_end(arrival)
        elif order.time_in_force == _GTD:
            order.expire_ts = terms.expire_ts
        market.resting.append(order)
        self.by_id[order.order_id] = order
        self.queue(self.report_on(order, _ACCEPT, 0, arrival, self.ack_ns + self.ack_draw(), self.ack_jitter_ns))
        return order

    # ---- orders trigger, fill and end

    def sets_off(self, market: Market, order: VenueOrder, price: cython.longlong) -> cython.bint:
        """Whether a price triggers a stop that waits. Where it does not, a trailing stop follows it."""
        if order.order_type == _TRAILING and order.best == 0:
            self.follow(market, order, price)
            return False
        if (price - order.stop_price) * order.side >= 0:
            return True
        if order.order_type == _TRAILING:
            self.follow(market, order, price)
        return False

    def follow(self, market: Market, order: VenueOrder, price: cython.longlong) -> cython.int:
        """A trailing stop has met a price: where that is its best so far, the stop moves, to a tick away from the price."""
        if order.best > 0 and (price - order.best) * order.side >= 0:
            return 0
        order.best = price
        distance: cython.longlong = order.trail
        if order.flags & _TRAIL_PPM:
            wide: cython.py_int = price  # a Python int: the product may pass 64 bits
            distance = -(-wide * order.trail // 1_000_000)
        stop: cython.longlong = price + order.side * distance
        off: cython.longlong = stop % market.tick
        if off > 0:
            stop += market.tick - off if order.side > 0 else -off
        order.stop_price = stop
        return 0

    def trigger(self, order: VenueOrder, ts: cython.longlong) -> cython.int:
        """A stop no longer waits. It reaches the book only now, so it takes."""
        order.waiting = False
        order.fresh = True
        return self.queue(self.report_on(order, _TRIGGER, 0, ts, self.fill_ns + self.fill_draw(), 0))

    def allowed(self, market: Market, order: VenueOrder, ts: cython.longlong) -> cython.longlong:
        """How much of an order may be filled: all that is left, a reduce-only one's stake. 0 where it ended for want of one."""
        if not order.flags & _REDUCE_ONLY_FLAG:
            return order.leaves
        open_qty: cython.longlong = -order.stake.net * order.side
        if open_qty <= 0 or (open_qty < order.leaves and order.time_in_force == _FOK):
            self.end(market, order, _CANCEL, _REDUCE_ONLY, ts)
            return 0
        return open_qty if open_qty < order.leaves else order.leaves

    def fill(
        self,
        market: Market,
        order: VenueOrder,
        reference: cython.longlong,
        maker: cython.bint,
        ts: cython.longlong,
        volume: cython.double,
        room: cython.longlong,
    ) -> cython.longlong:
        """Fill what there is of an order at a reference price, made worse for a taker. Returns the quantity, units.

        room: what may be taken, units, of which whole lots. volume: the size of what it takes from, base units, which its
        own price impact is measured by. A reduce-only order is cut to its strategy's stake and ends with it.
        """
        wanted: cython.longlong = self.allowed(market, order, ts)
        if wanted == 0 or (order.time_in_force == _FOK and room < wanted):
            return 0
        qty: cython.longlong = wanted
        if room < wanted:
            qty = room - room % market.lot
        if qty <= 0:
            order.crossing = not maker
            return 0
        self.execute(market, order, reference, maker, ts, volume, qty)
        return qty

    def execute(
        self,
        market: Market,
        order: VenueOrder,
        reference: cython.longlong,
        maker: cython.bint,
        ts: cython.longlong,
        volume: cython.double,
        qty: cython.longlong,
    ) -> cython.int:
        """An execution of so much of an order, which may be filled and is there."""
        price: cython.longlong = reference if maker else self.slipped(market, order, reference, qty, volume)
        order.leaves -= qty
        market.net += qty * order.side
        order.stake.net += qty * order.side
        report: VenueReport = self.report_on(order, _FILL, 0, ts, self.fill_ns + self.fill_draw(), self.fill_jitter_ns)
        self.last_exec_id += 1
        report.exec_id = self.last_exec_id
        report.qty = qty
        report.price = price
        report.reference_price = reference
        if not maker and market.bid > 0 and market.ask > 0:
            report.spread = market.ask - market.bid
        report.liquidity = _MAKER if maker else _TAKER
        report.fee = market.fees.fee(price, qty, maker, not order.charged)
        if market.depth is not None:
            market.depth.marks.add(self.last_exec_id, ts)
            if maker and order.placement > 0:
                market.depth.placements.fill(order.placement, qty)
        order.charged = True
        order.crossing = not maker
        self.queue(report)
        if order.leaves == 0:
            self.forget(market, order)
        elif order.flags & _REDUCE_ONLY_FLAG and order.stake.net == 0:
            self.end(market, order, _CANCEL, _REDUCE_ONLY, ts)
        return 0

    def slipped(
        self,
        market: Market,
        order: VenueOrder,
        price: cython.longlong,
        qty: cython.longlong,
        volume: cython.double,
    ) -> int:
        """A taker's price, rounded to the tick against the taker; a limit is never passed. Exact: Python ints throughout."""
        if not self.slips:
            return price
        wide: cython.py_int = price
        extra = wide * self.slip_num * 1_000_000_000
        if self.impact > 0.0:
            part: cython.double = qty / (volume * market.qty_scale) if volume > 0.0 else 1.0
            if part > 1.0:
                part = 1.0
            extra = extra + wide * self.slip_den * cython.cast(cython.longlong, self.impact * part * part * 1e9)
        ticks = -((-extra) // (self.slip_den * 1_000_000_000 * market.tick))
        worse = wide + order.side * ticks * market.tick
        if order.limit_price > 0 and (worse - order.limit_price) * order.side > 0:
            return order.limit_price
        return worse if worse >= market.tick else market.tick

    def expire(self, market: Market, until: cython.longlong) -> cython.int:
        """End the orders whose time is over by `until`."""
        order: VenueOrder
        k: cython.Py_ssize_t = 0
        while k < len(market.resting):
            order = cython.cast(VenueOrder, market.resting[k])
            if order.expire_ts <= until and order.fresh and order.time_in_force == _DAY and market.queue_outside_hours:
                # It was to trade in a session that had no bar: a holiday, which the weekly hours do not know.
                order.expire_ts = market.day_end(until)
            if order.expire_ts <= until:
                self.end(market, order, _EXPIRE, _TIME_IN_FORCE, order.expire_ts)
            else:
                k += 1
        return 0

    def forget(self, market: Market, order: VenueOrder) -> cython.int:
        """An order is done: it no longer rests."""
        self._take_out(market, order)
        del self.by_id[order.order_id]
        return 0

    def refuse_to_take(self, market: Market, order: VenueOrder, ts: cython.longlong) -> cython.int:
        """A post-only order would take: rejected, or cancelled where it has fills, from before it was replaced."""
        kind: cython.int = _REJECT if order.leaves == order.qty else _CANCEL
        return self.end(market, order, kind, _POST_ONLY, ts)

    def end(
        self, market: Market, order: VenueOrder, kind: cython.int, reason: cython.int, ts: cython.longlong
    ) -> cython.int:
        """An order ends without a further fill: cancelled, expired or rejected."""
        self.forget(market, order)
        order.leaves = 0
        return self.queue(self.report_on(order, kind, reason, ts, self.ack_ns + self.ack_draw(), self.ack_jitter_ns))

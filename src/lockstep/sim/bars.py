"""A venue that knows bars alone. A bar is taken as a path of four prices: open, one extreme, the other, close.

An order meets the first bar whose open is not older than what its sender knew, and that ends after the order arrived. At
that open it takes: market orders fill there, stops already crossed trigger there. Along the path stops trigger at their
price and limits that rest fill, maker, at theirs. Which extreme comes first a bar does not say: the pessimistic path
goes against the open position, the optimistic one with it. Liquidity is consumed once per bar.

Arrivals and reports are queues in time; the run loop drains them between events. Every command in flight is delayed,
never reordered.

A bar is one moment to whoever sends a command inside it: an order meets the next bar, and a cancel takes effect when the
bar is over, whether that bar was matched before the command arrived or (beside an instrument with shorter bars) after it.
"""

from collections.abc import Sequence
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.model.traffic import OrderRequest, VenueReport, make_report, make_request
    from cython.cimports.lockstep.sim.market import Market, VenueOrder
    from cython.cimports.lockstep.sim.transit import InFlight, Transit
else:
    from lockstep.model.traffic import OrderRequest, VenueReport, make_report, make_request
    from lockstep.sim.market import Market, VenueOrder
    from lockstep.sim.transit import InFlight, Transit
from fractions import Fraction

from lockstep.model.enums import Liquidity, OrderEventKind, OrderType, Reason, TimeInForce
from lockstep.sim.models import BarFills, Latency, Slippage

_SUBMIT = cython.declare(cython.int, int(OrderEventKind.SUBMIT))
_ACCEPT = cython.declare(cython.int, int(OrderEventKind.ACCEPT))
_REJECT = cython.declare(cython.int, int(OrderEventKind.REJECT))
_TRIGGER = cython.declare(cython.int, int(OrderEventKind.TRIGGER))
_FILL = cython.declare(cython.int, int(OrderEventKind.FILL))
_CANCEL = cython.declare(cython.int, int(OrderEventKind.CANCEL))
_CANCEL_REJECT = cython.declare(cython.int, int(OrderEventKind.CANCEL_REJECT))
_EXPIRE = cython.declare(cython.int, int(OrderEventKind.EXPIRE))
_RESTATE = cython.declare(cython.int, int(OrderEventKind.RESTATE))
_MARKET = cython.declare(cython.int, int(OrderType.MARKET))
_LIMIT = cython.declare(cython.int, int(OrderType.LIMIT))
_STOP = cython.declare(cython.int, int(OrderType.STOP))
_STOP_LIMIT = cython.declare(cython.int, int(OrderType.STOP_LIMIT))
_DAY = cython.declare(cython.int, int(TimeInForce.DAY))
_IOC = cython.declare(cython.int, int(TimeInForce.IOC))
_FOK = cython.declare(cython.int, int(TimeInForce.FOK))
_GTD = cython.declare(cython.int, int(TimeInForce.GTD))
_MAKER = cython.declare(cython.int, int(Liquidity.MAKER))
_TAKER = cython.declare(cython.int, int(Liquidity.TAKER))
_OUTSIDE_HOURS = cython.declare(cython.int, int(Reason.OUTSIDE_HOURS))
_PRICE_BAND = cython.declare(cython.int, int(Reason.PRICE_BAND))
_TOO_LATE = cython.declare(cython.int, int(Reason.TOO_LATE))
_TIME_IN_FORCE = cython.declare(cython.int, int(Reason.TIME_IN_FORCE))
_CORPORATE_ACTION = cython.declare(cython.int, int(Reason.CORPORATE_ACTION))
_NEVER = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)


@cython.final
@cython.cclass
class BarVenue(Transit):
    """The simulated venue of a bar backtest. Times are ns UTC; prices and quantities the instruments' units."""

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

    def __init__(
        self, markets: Sequence[Market], latency: Latency, slippage: Slippage, fills: BarFills, seed: int
    ) -> None:
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

    def open_bar(self, index: cython.int, ts_open: cython.longlong) -> cython.int:
        """The instrument's next bar opened at ts_open: commands sent before it no longer wait for an earlier bar."""
        market: Market = cython.cast(Market, self.markets[index])
        if ts_open > market.settled_to:
            market.settled_to = ts_open
        if len(market.held) > 0:
            self._release_held(market)
        return 0

    def arrive(self, flight: InFlight) -> cython.int:
        """A request is here."""
        request: OrderRequest = flight.request
        if request.kind == _SUBMIT:
            return self._arrive_order(request, flight.arrival)
        market: Market = cython.cast(Market, self.markets[request.instrument])
        if request.basis_ts > market.settled_to:
            market.held.append(flight)  # a bar that opened before it was sent may still come, and may fill the order
            return 0
        return self._cancel(market, flight)

    def _release_held(self, market: Market) -> cython.int:
        """Act on the cancels that no longer wait for a bar, in their order."""
        flight: InFlight
        held: list[InFlight] = market.held
        market.held = []
        for entry in held:
            flight = cython.cast(InFlight, entry)
            if flight.request.basis_ts > market.settled_to:
                market.held.append(flight)
            else:
                self._cancel(market, flight)
        return 0

    def _cancel(self, market: Market, flight: InFlight) -> cython.int:
        """A cancel takes effect: when it arrived, or at the end of the bar it arrived in if that is matched already."""
        request: OrderRequest = flight.request
        ts: cython.longlong = flight.arrival if flight.arrival > market.matched_to else market.matched_to
        order: VenueOrder | None = self.by_id.get(request.order_id)
        if order is not None:
            return self._end(market, order, _CANCEL, 0, ts)
        return self.queue(
            make_report(_CANCEL_REJECT, request.instrument, ts + self.ack_ns, ts, request.order_id, 0, _TOO_LATE)
        )

    def _arrive_order(self, request: OrderRequest, arrival: cython.longlong) -> cython.int:
        market: Market = cython.cast(Market, self.markets[request.instrument])
        order: VenueOrder = VenueOrder.__new__(VenueOrder)
        self.last_venue_id += 1
        order.order_id = request.order_id
        order.venue_order_id = self.last_venue_id
        order.instrument = request.instrument
        order.side = request.side
        order.order_type = request.order_type
        order.time_in_force = request.time_in_force
        order.qty = request.qty
        order.leaves = request.qty
        order.limit_price = request.limit_price
        order.stop_price = request.stop_price
        order.basis_ts = request.basis_ts
        order.arrival = arrival
        order.last_clock = arrival
        order.fresh = True
        order.bars_to_wait = self.entry_bars
        order.crossing = False
        order.triggered = False
        order.charged = False
        order.expire_ts = _NEVER
        reason: cython.int = 0
        if not market.always_open and not market.queue_outside_hours and not market.is_open(arrival):
            reason = _OUTSIDE_HOURS
        elif market.outside_band(order.limit_price, arrival) or market.outside_band(order.stop_price, arrival):
            reason = _PRICE_BAND
        elif order.time_in_force == _GTD and request.expire_ts <= arrival:
            reason = _TIME_IN_FORCE  # over before it is there
        if reason:
            self.queue(self.report_on(order, _REJECT, reason, arrival, self.ack_ns, self.ack_jitter_ns))
            return 0
        if order.time_in_force == _DAY:
            order.expire_ts = market.day_end(arrival)
        elif order.time_in_force == _GTD:
            order.expire_ts = request.expire_ts
        market.resting.append(order)
        self.by_id[order.order_id] = order
        return self.queue(self.report_on(order, _ACCEPT, 0, arrival, self.ack_ns, self.ack_jitter_ns))

    # ---- the market moves

    def on_price(self, index: cython.int, price: cython.longlong) -> cython.int:
        """A price that is no bar (a public trade): the last price for bands."""
        market: Market = cython.cast(Market, self.markets[index])
        market.last = price
        market.last_before = price
        return 0

    def on_bar(
        self,
        index: cython.int,
        ts_open: cython.longlong,
        ts_end: cython.longlong,
        o: cython.longlong,
        h: cython.longlong,
        l: cython.longlong,
        c: cython.longlong,
        volume: cython.double,
    ) -> cython.int:
        """A bar is over: match what rested, oldest first among equals. Reports are queued with their times inside the bar."""
        market: Market = cython.cast(Market, self.markets[index])
        if len(market.resting) > 0:
            self._match(market, ts_open, ts_end, o, h, l, c, volume)
        market.last_before = market.last
        market.last = c
        market.matched_to = ts_end
        if ts_end > market.settled_to:
            market.settled_to = ts_end
        if len(market.held) > 0:
            self._release_held(market)
        return 0

    def _match(
        self,
        market: Market,
        ts_open: cython.longlong,
        ts_end: cython.longlong,
        o: cython.longlong,
        h: cython.longlong,
        l: cython.longlong,
        c: cython.longlong,
        volume: cython.double,
    ) -> cython.int:
        quarter: cython.longlong = (ts_end - ts_open) // 4
        self._expire(market, ts_open)
        market.start_bar(volume)
        self._at_open(market, ts_open, ts_end, o, volume)
        if len(market.resting) == 0:
            return 0
        low_first: cython.bint  # asked after the open: what was entered there is what the path can hurt
        if market.net == 0:
            low_first = o - l <= h - o  # the nearer extreme: the usual convention where no position names a worse one
        else:
            low_first = (market.net > 0) != self.optimistic
        if low_first:
            self._segment(market, ts_open, ts_end, o, l, ts_open + quarter, volume)
            self._segment(market, ts_open, ts_end, l, h, ts_open + 2 * quarter, volume)
            self._segment(market, ts_open, ts_end, h, c, ts_open + 3 * quarter, volume)
        else:
            self._segment(market, ts_open, ts_end, o, h, ts_open + quarter, volume)
            self._segment(market, ts_open, ts_end, h, l, ts_open + 2 * quarter, volume)
            self._segment(market, ts_open, ts_end, l, c, ts_open + 3 * quarter, volume)
        order: VenueOrder
        for entry in market.resting:
            order = cython.cast(VenueOrder, entry)
            if order.basis_ts <= ts_open and order.arrival < ts_end:
                if order.bars_to_wait > 0:
                    order.bars_to_wait -= 1
                else:
                    order.fresh = order.crossing
        return self._expire(market, ts_end)

    def _at_open(
        self,
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
                self._open_order(market, order, ts_open, o, volume)
            if k < len(market.resting) and market.resting[k] is order:
                k += 1  # still there; else the next one has taken its place
        return 0

    def _open_order(
        self,
        market: Market,
        order: VenueOrder,
        ts_open: cython.longlong,
        o: cython.longlong,
        volume: cython.double,
    ) -> cython.int:
        """What an order does at a bar's open."""
        ts: cython.longlong = ts_open if ts_open > order.arrival else order.arrival
        order.crossing = False
        if (order.order_type == _STOP or order.order_type == _STOP_LIMIT) and not order.triggered:
            if (o - order.stop_price) * order.side >= 0:
                order.triggered = True
                order.fresh = True  # it reaches the book only now, so it takes
                self.queue(self.report_on(order, _TRIGGER, 0, ts, self.fill_ns, 0))
            else:
                return 0
        if order.order_type == _MARKET or order.order_type == _STOP:
            self._fill(market, order, o, False, ts, volume)
        elif (order.limit_price - o) * order.side >= 0:
            if order.fresh:
                self._fill(market, order, o, False, ts, volume)
            elif order.limit_price != o or self.touch:  # it rested: the open traded through it, or touched it
                self._fill(market, order, o if self.optimistic else order.limit_price, True, ts, volume)
        if order.leaves > 0 and (order.time_in_force == _IOC or order.time_in_force == _FOK):
            self._end(market, order, _CANCEL, _TIME_IN_FORCE, ts)
        return 0

    def _segment(
        self,
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
                distance = self._distance(order, start, end, up)
                if reached <= distance < best:
                    best = distance
                    nearest = order
            if nearest is None:
                return 0
            reached = best
            acted.add(nearest.order_id)
            if self._act(market, nearest, start + best * up, ts, volume):
                acted.discard(nearest.order_id)

    def _distance(
        self, order: VenueOrder, start: cython.longlong, end: cython.longlong, up: cython.int
    ) -> cython.longlong:
        """How far from start the move meets an order, price units; -1 where it does not."""
        price: cython.longlong
        short_of: cython.longlong = 0  # how far the move must go beyond the price
        if order.order_type == _MARKET or (order.order_type == _STOP and order.triggered):
            return -1  # its rest waits for the next open
        if order.order_type != _LIMIT and not order.triggered:
            if order.side != up:
                return -1
            price = order.stop_price
        else:
            if order.side == up:
                return -1  # a limit rests against the move
            price = order.limit_price
            short_of = 0 if self.touch else 1
        if (price - start) * up < 0 or (end - price) * up < short_of:
            return -1
        return (price - start) * up

    def _act(
        self,
        market: Market,
        order: VenueOrder,
        price: cython.longlong,
        ts: cython.longlong,
        volume: cython.double,
    ) -> cython.int:
        """An order is met at its price. Returns 1 where a stop limit triggered and may still rest, else 0."""
        if ts < order.arrival:
            ts = order.arrival
        if order.order_type == _LIMIT or order.triggered:
            self._fill(market, order, price, True, ts, volume)
            return 0
        order.triggered = True
        self.queue(self.report_on(order, _TRIGGER, 0, ts, self.fill_ns, 0))
        if order.order_type == _STOP or (order.limit_price - price) * order.side >= 0:
            self._fill(market, order, price, False, ts, volume)
            return 0
        return 1

    def _fill(
        self,
        market: Market,
        order: VenueOrder,
        reference: cython.longlong,
        maker: cython.bint,
        ts: cython.longlong,
        volume: cython.double,
    ) -> cython.int:
        if order.time_in_force == _FOK and not market.unlimited and market.available < order.leaves:
            return 0
        qty: cython.longlong = market.take(order.leaves)
        if qty <= 0:
            order.crossing = not maker
            return 0
        price: cython.longlong = reference if maker else self._slipped(market, order, reference, qty, volume)
        order.leaves -= qty
        market.net += qty * order.side
        report: VenueReport = self.report_on(order, _FILL, 0, ts, self.fill_ns, self.fill_jitter_ns)
        self.last_exec_id += 1
        report.exec_id = self.last_exec_id
        report.qty = qty
        report.price = price
        report.reference_price = reference
        report.liquidity = _MAKER if maker else _TAKER
        report.fee = market.fees.fee(price, qty, maker, not order.charged)
        order.charged = True
        order.crossing = not maker
        if order.leaves == 0:
            self._forget(market, order)
        return self.queue(report)

    def _slipped(
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

    def _expire(self, market: Market, until: cython.longlong) -> cython.int:
        order: VenueOrder
        k: cython.Py_ssize_t = 0
        while k < len(market.resting):
            order = cython.cast(VenueOrder, market.resting[k])
            if order.expire_ts <= until and order.fresh and order.time_in_force == _DAY and market.queue_outside_hours:
                # It was to trade in a session that had no bar: a holiday, which the weekly hours do not know.
                order.expire_ts = market.day_end(until)
            if order.expire_ts <= until:
                self._end(market, order, _EXPIRE, _TIME_IN_FORCE, order.expire_ts)
            else:
                k += 1
        return 0

    def _forget(self, market: Market, order: VenueOrder) -> cython.int:
        k: cython.Py_ssize_t
        for k in range(len(market.resting)):
            if market.resting[k] is order:
                del market.resting[k]
                break
        del self.by_id[order.order_id]
        return 0

    def _end(
        self, market: Market, order: VenueOrder, kind: cython.int, reason: cython.int, ts: cython.longlong
    ) -> cython.int:
        self._forget(market, order)
        order.leaves = 0
        return self.queue(self.report_on(order, kind, reason, ts, self.ack_ns, self.ack_jitter_ns))

    def on_split(
        self, index: cython.int, ts: cython.longlong, new_shares: cython.longlong, old_shares: cython.longlong
    ) -> cython.int:
        """A split: restate every working order as brokers do (quantity x new/old, prices x old/new, FINRA rule 5330).

        Quantities are rounded down to a lot, prices to a tick away from filling; what leaves nothing to trade is cancelled.
        """
        market: Market = cython.cast(Market, self.markets[index])
        order: VenueOrder
        for entry in market.resting[:]:
            order = cython.cast(VenueOrder, entry)
            leaves = _scaled_down(order.leaves, new_shares, old_shares, market.lot)
            if leaves == 0:
                self._end(market, order, _CANCEL, _CORPORATE_ACTION, ts)
                continue
            filled = _scaled_down(order.qty - order.leaves, new_shares, old_shares, 1)
            order.leaves = leaves
            order.qty = filled + leaves
            if order.limit_price:
                order.limit_price = _scaled_price(order.limit_price, old_shares, new_shares, market.tick, -order.side)
            if order.stop_price:
                order.stop_price = _scaled_price(order.stop_price, old_shares, new_shares, market.tick, order.side)
            report: VenueReport = self.report_on(order, _RESTATE, _CORPORATE_ACTION, ts, self.ack_ns, 0)
            report.qty = order.leaves
            report.limit_price = order.limit_price
            report.stop_price = order.stop_price
            self.queue(report)
        self._split_in_flight(index, ts, new_shares, old_shares)
        market.net = _scaled_down(abs(market.net), new_shares, old_shares, 1) * (1 if market.net > 0 else -1)
        wide: cython.py_int = old_shares  # a Python int: the product may pass 64 bits
        market.last = wide * market.last // new_shares
        market.last_before = market.last
        return 0

    def _split_in_flight(
        self, index: cython.int, ts: cython.longlong, new_shares: cython.longlong, old_shares: cython.longlong
    ) -> cython.int:
        """The same for orders that have yet to arrive: their sender meant shares and prices of before the split."""
        market: Market = cython.cast(Market, self.markets[index])
        flight: InFlight
        old: OrderRequest
        k: cython.Py_ssize_t
        keep: list[InFlight] = []
        for k in range(self.next_arrival, len(self.arrivals)):
            flight = cython.cast(InFlight, self.arrivals[k])
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
            report: VenueReport = make_report(kind, index, ts + self.ack_ns, ts, old.order_id, 0, _CORPORATE_ACTION)
            report.qty, report.limit_price, report.stop_price = qty, limit, stop
            self.queue(report)
            if qty:
                flight.request = make_request(
                    old.kind, old.strategy, old.instrument, old.ts, old.basis_ts, old.order_id, old.side,
                    old.order_type, old.time_in_force, qty, limit, stop, old.expire_ts,
                )  # fmt: skip
                keep.append(flight)
        self.arrivals = keep
        self.next_arrival = 0
        return 0


def _scaled_down(units: int, num: int, den: int, step: int) -> int:
    scaled = units * num // den
    return scaled - scaled % step


def _scaled_price(price: int, num: int, den: int, tick: int, direction: int) -> int:
    exact = price * num
    step = den * tick
    ticks = exact // step if direction < 0 else -(-exact // step)
    return max(1, ticks) * tick

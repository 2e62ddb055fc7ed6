"""The simulated venue: commands arrive, the market moves, reports go back.

Arrivals and reports are queues in time; the run loop drains them between events. Every command in flight is delayed,
never reordered. What the market's moves do to the orders is in `bars`, `ticks` and `depth`.

The market's side is told in the venue's own time, and only that and the times of arrival decide: the venue does not know
the engine's clock, so that it may be ahead of it by the feed's latency.
"""

from collections.abc import Sequence

import cython

if cython.compiled:
    from cython.cimports.lockstep.model.rows import EventRows
    from cython.cimports.lockstep.model.traffic import OrderRequest
    from cython.cimports.lockstep.sim.bars import match_bar
    from cython.cimports.lockstep.sim.depth import arrive_at_book, match_print, tell_group
    from cython.cimports.lockstep.sim.desk import Desk
    from cython.cimports.lockstep.sim.market import Market, VenueOrder
    from cython.cimports.lockstep.sim.splits import restate_orders
    from cython.cimports.lockstep.sim.ticks import match_quote, match_trade, meet_on_arrival
    from cython.cimports.lockstep.sim.transit import InFlight
else:
    from lockstep.model.rows import EventRows
    from lockstep.model.traffic import OrderRequest
    from lockstep.sim.bars import match_bar
    from lockstep.sim.depth import arrive_at_book, match_print, tell_group
    from lockstep.sim.desk import Desk
    from lockstep.sim.market import Market, VenueOrder
    from lockstep.sim.splits import restate_orders
    from lockstep.sim.ticks import match_quote, match_trade, meet_on_arrival
    from lockstep.sim.transit import InFlight
from lockstep.model.enums import OrderEventKind
from lockstep.sim.models import BarFills, Latency, Slippage

_SUBMIT = cython.declare(cython.int, int(OrderEventKind.SUBMIT))
_REPLACE_REQUEST = cython.declare(cython.int, int(OrderEventKind.REPLACE_REQUEST))
_NEVER = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)


@cython.final
@cython.cclass
class Venue(Desk):
    """The venue of a run, for all its instruments. Times are ns UTC; prices and quantities the instruments' units."""

    def __init__(
        self, markets: Sequence[Market], latency: Latency, slippage: Slippage, fills: BarFills, seed: int
    ) -> None:
        self.start_desk(markets, latency, slippage, fills, seed)

    def arrive(self, flight: InFlight) -> cython.int:
        """A request is here."""
        request: OrderRequest = flight.request
        market: Market = cython.cast(Market, self.markets[request.instrument])
        if self.next_expiry <= flight.arrival:
            self.expire_due(flight.arrival)
        if request.kind == _SUBMIT:
            order: VenueOrder | None = self.admit(request, flight.arrival)
            if order is not None and not market.bars:
                if order.expire_ts < self.next_expiry:
                    self.next_expiry = order.expire_ts
                self._meet(market, order, flight.arrival)
            return 0
        if market.bars and request.basis_ts > market.settled_to:
            market.held.append(flight)  # a bar that opened before it was sent may still come, and may fill the order
            return 0
        if request.kind == _REPLACE_REQUEST:
            changed: VenueOrder | None = self.replace(market, flight)
            if changed is None and market.depth is not None:
                changed = self.by_id.get(request.order_id)
                if changed is not None and (changed.fresh or changed.waiting or changed.place is not None):
                    changed = None  # else it has become larger, and lost its place in the queue
            if changed is not None and not market.bars:
                self._meet(market, changed, flight.arrival)
            return 0
        return self.cancel(market, flight)

    def _meet(self, market: Market, order: VenueOrder, ts: cython.longlong) -> cython.int:
        """An order that has just come, or more of it, meets what stands: the book, or the quote."""
        if market.depth is not None:
            return arrive_at_book(self, market, market.depth, order, ts)
        return meet_on_arrival(self, market, order)

    def open_bar(self, index: cython.int, ts_open: cython.longlong) -> cython.int:
        """The instrument's next bar opened at ts_open: commands sent before it no longer wait for an earlier bar."""
        market: Market = cython.cast(Market, self.markets[index])
        if ts_open > market.settled_to:
            market.settled_to = ts_open
        if len(market.held) > 0:
            self.release_held(market)
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
        """A bar is over. Where the instrument has quotes or trades too, orders meet those instead."""
        market: Market = cython.cast(Market, self.markets[index])
        if not market.bars:
            return 0
        if len(market.resting) > 0:
            match_bar(self, market, ts_open, ts_end, o, h, l, c, volume)
        market.last_before = market.last
        market.last = c
        market.matched_to = ts_end
        if ts_end > market.settled_to:
            market.settled_to = ts_end
        if len(market.held) > 0:
            self.release_held(market)
        return 0

    def on_quote(
        self,
        index: cython.int,
        ts: cython.longlong,
        bid: cython.longlong,
        ask: cython.longlong,
        bid_qty: cython.longlong,
        ask_qty: cython.longlong,
    ) -> cython.int:
        """The best bid and ask changed. A side without price or size has nothing to take."""
        market: Market = cython.cast(Market, self.markets[index])
        if not market.quotes:
            return 0
        self._pass_to(ts)
        market.events += 1
        if market.show(ts, bid, ask, bid_qty, ask_qty) and len(market.resting) > 0 and market.is_open(ts):
            match_quote(self, market, ts)
        return 0

    def on_trade(
        self,
        index: cython.int,
        ts: cython.longlong,
        price: cython.longlong,
        qty: cython.longlong,
        aggressor: cython.int,
    ) -> cython.int:
        """A public trade. aggressor: +1 where a buyer took, -1 where a seller did, 0 where that is not known."""
        if price <= 0:
            return 0
        market: Market = cython.cast(Market, self.markets[index])
        if market.trades:
            self._pass_to(ts)
            market.events += 1
            if len(market.resting) > 0 and market.is_open(ts):
                if market.depth is not None:
                    match_print(self, market, market.depth, ts, price, qty, aggressor)
                else:
                    match_trade(self, market, ts, price, qty, aggressor)
            elif market.depth is not None and market.depth.orders is not None:
                market.depth.hidden_of(
                    -aggressor, price, qty, ts
                )  # its executions are told, and explain no later trade
            if market.depth is not None and market.depth.line is not None:
                market.depth.line.trade(-aggressor, price, qty, ts)
        market.last = price
        market.last_before = price
        return 0

    def takes_groups(self, index: cython.int) -> cython.bint:
        """Whether nothing can be reported inside a group of changes of the book, so that it may come in one call."""
        market: Market = cython.cast(Market, self.markets[index])
        return len(market.resting) == 0 or (market.depth is not None and market.depth.levels is not None)

    @cython.boundscheck(False)  # the caller's rows
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def on_book(
        self, index: cython.int, rows: EventRows, start: cython.Py_ssize_t, stop: cython.Py_ssize_t
    ) -> cython.int:
        """The book changed: BOOK records start to stop - 1, of one moment in the venue's own time, at most to the end of a group."""
        market: Market = cython.cast(Market, self.markets[index])
        if market.depth is None:
            return 0
        self._pass_to(rows.w[start, 1])
        return tell_group(self, market, market.depth, rows, start, stop)

    def _pass_to(self, ts: cython.longlong) -> cython.int:
        """Time has come to ts, whether or not the run loop said so: what arrives and ends by then comes first."""
        if self.next_due <= ts:
            self.settle_arrivals(ts + 1)
            if self.next_expiry <= ts:
                self.expire_due(ts)
        return 0

    def expire_due(self, until: cython.longlong) -> cython.int:
        """End what time ends by `until` where orders meet ticks, and look when the next one ends."""
        market: Market
        order: VenueOrder
        self.next_expiry = _NEVER
        for entry in self.markets:
            market = cython.cast(Market, entry)
            if market.bars:
                continue
            self.expire(market, until)
            for resting in market.resting:
                order = cython.cast(VenueOrder, resting)
                if order.expire_ts < self.next_expiry:
                    self.next_expiry = order.expire_ts
        self._look()
        return 0

    def on_split(
        self, index: cython.int, ts: cython.longlong, new_shares: cython.longlong, old_shares: cython.longlong
    ) -> cython.int:
        """A split, before its session opens."""
        return restate_orders(self, index, ts, new_shares, old_shares)

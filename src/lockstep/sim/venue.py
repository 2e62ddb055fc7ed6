"""The simulated venue: commands arrive, the market moves, reports go back.

Arrivals and reports are queues in time; the run loop drains them between events. Every command in flight is delayed,
never reordered. What the market's moves do to the orders is in `bars`.
"""

from collections.abc import Sequence

import cython

if cython.compiled:
    from cython.cimports.lockstep.model.traffic import OrderRequest
    from cython.cimports.lockstep.sim.bars import match_bar
    from cython.cimports.lockstep.sim.desk import Desk
    from cython.cimports.lockstep.sim.market import Market
    from cython.cimports.lockstep.sim.splits import restate_orders
    from cython.cimports.lockstep.sim.transit import InFlight
else:
    from lockstep.model.traffic import OrderRequest
    from lockstep.sim.bars import match_bar
    from lockstep.sim.desk import Desk
    from lockstep.sim.market import Market
    from lockstep.sim.splits import restate_orders
    from lockstep.sim.transit import InFlight
from lockstep.model.enums import OrderEventKind
from lockstep.sim.models import BarFills, Latency, Slippage

_SUBMIT = cython.declare(cython.int, int(OrderEventKind.SUBMIT))


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
        if request.kind == _SUBMIT:
            self.admit(request, flight.arrival)
            return 0
        market: Market = cython.cast(Market, self.markets[request.instrument])
        if request.basis_ts > market.settled_to:
            market.held.append(flight)  # a bar that opened before it was sent may still come, and may fill the order
            return 0
        return self.cancel(market, flight)

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
        """A bar is over."""
        market: Market = cython.cast(Market, self.markets[index])
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

    def on_price(self, index: cython.int, price: cython.longlong) -> cython.int:
        """A price that is no bar (a public trade): the last price for bands."""
        market: Market = cython.cast(Market, self.markets[index])
        market.last = price
        market.last_before = price
        return 0

    def on_split(
        self, index: cython.int, ts: cython.longlong, new_shares: cython.longlong, old_shares: cython.longlong
    ) -> cython.int:
        """A split, before its session opens."""
        return restate_orders(self, index, ts, new_shares, old_shares)

"""One instrument at the simulated venue: its resting orders, hours, last price and what a bar lets us take."""

from bisect import bisect_right
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.sim.fees import FeeModel
else:
    from lockstep.sim.fees import FeeModel
from lockstep.model.instrument import Instrument
from lockstep.model.sessions import utc_day_end
from lockstep.model.valuation import Valuation
from lockstep.sim.models import BarFills

_FOREVER = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)
_MOST = cython.declare(cython.double, 9007199254740992.0)  # 2**53, the largest quantity an instrument allows


@cython.final
@cython.no_gc
@cython.freelist(64)
@cython.cclass
class VenueOrder:
    """An order as the venue sees it; its own record, so that the engine's cannot lend it a mistake.

    bars_to_wait: bars to let pass before it may meet one. fresh: has met no bar yet, so at the next open it takes; afterwards it rests. basis_ts: the venue time of what its
    sender knew; it meets no price older than that. crossing: took all there was and wants more, so it takes again at the
    next open (a limit that crosses the market does not rest). charged: has borne the fees that are due once per order.
    """

    order_id: cython.longlong
    venue_order_id: cython.longlong
    qty: cython.longlong
    leaves: cython.longlong
    limit_price: cython.longlong
    stop_price: cython.longlong
    basis_ts: cython.longlong
    arrival: cython.longlong
    expire_ts: cython.longlong
    last_clock: cython.longlong
    instrument: cython.int
    side: cython.int
    order_type: cython.int
    time_in_force: cython.int
    bars_to_wait: cython.int
    fresh: cython.bint
    crossing: cython.bint
    triggered: cython.bint
    charged: cython.bint


@cython.final
@cython.cclass
class Market:
    """One instrument's side of the venue. net: what we have bought less sold here, units.

    matched_to: end of the last bar matched; settled_to: no bar that opened before this is still to come. last: the latest
    close, last_before: the one before the bar that ended at matched_to, which is what was known inside that bar. held:
    cancels that wait for a bar.
    """

    instrument: Instrument
    index: cython.int
    resting: list[VenueOrder]
    held: list[Any]
    matched_to: cython.longlong
    settled_to: cython.longlong
    last: cython.longlong
    last_before: cython.longlong
    net: cython.longlong
    available: cython.longlong
    tick: cython.longlong
    lot: cython.longlong
    band_bps: cython.longlong
    fees: FeeModel
    queue_outside_hours: cython.bint
    always_open: cython.bint
    opens: list[int]
    closes: list[int]
    qty_scale: cython.double
    share: cython.double
    unlimited: cython.bint

    def __init__(
        self,
        index: int,
        valuation: Valuation,
        fills: BarFills,
        hours: list[tuple[int, int]],
        queue_outside_hours: bool,
    ) -> None:
        """hours: the sessions' opens and closes over the run, ns, sorted; empty where it never closes."""
        instrument = valuation.instrument
        self.index = index
        self.instrument = instrument
        self.resting = []
        self.held = []
        self.matched_to = -_FOREVER
        self.settled_to = -_FOREVER
        self.last = 0
        self.last_before = 0
        self.net = 0
        self.available = 0
        self.tick = instrument.tick_size
        self.lot = instrument.lot_size
        self.band_bps = instrument.price_band_bps or 0
        self.fees = FeeModel(instrument.fees, valuation)
        self.queue_outside_hours = queue_outside_hours
        self.always_open = instrument.session.always_open or not hours
        self.opens = [opens for opens, _ in hours]
        self.closes = [closes for _, closes in hours]
        self.qty_scale = 10.0**instrument.qty_decimals
        self.unlimited = fills.participation is None
        self.share = float(fills.participation or 0)

    def is_open(self, ts: cython.longlong) -> cython.bint:
        """Whether orders may arrive at ts."""
        if self.always_open:
            return True
        session = bisect_right(self.opens, ts) - 1
        return session >= 0 and ts < self.closes[session]

    def day_end(self, ts: cython.longlong) -> cython.longlong:
        """When a DAY order that arrives at ts ends: the close of its session, or UTC midnight without a calendar."""
        if self.always_open:
            return utc_day_end(ts)
        session = bisect_right(self.closes, ts)
        return self.closes[session] if session < len(self.closes) else utc_day_end(ts)

    def start_bar(self, volume: cython.double) -> cython.int:
        offered: cython.double = 0.0 if self.unlimited else volume * self.qty_scale * self.share
        if offered > _MOST:
            offered = _MOST  # no order is larger; a cast beyond 64 bits has no meaning in C
        self.available = cython.cast(cython.longlong, offered)
        return 0

    def take(self, leaves: cython.longlong) -> cython.longlong:
        """Consume liquidity once: what of `leaves` the bar still offers, in whole lots."""
        if self.unlimited:
            return leaves
        qty: cython.longlong = leaves if leaves <= self.available else self.available
        qty -= qty % self.lot
        self.available -= qty
        return qty

    def outside_band(self, price: cython.longlong, ts: cython.longlong) -> cython.bint:
        """Whether a price is further from the last trade known at ts than the band allows."""
        last: cython.longlong = self.last if ts >= self.matched_to else self.last_before
        if self.band_bps == 0 or last == 0 or price == 0:
            return False
        distance: cython.py_int = price - last if price > last else last - price
        wide: cython.py_int = self.band_bps  # Python ints: the products may pass 64 bits
        return distance * 10_000 > wide * last

"""One instrument at the simulated venue: its resting orders, hours, last price, standing quote and what may be taken."""

from bisect import bisect_right
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.sim.fees import FeeModel
    from cython.cimports.lockstep.sim.liquidity import Liquidity
    from cython.cimports.lockstep.sim.queue import QueuePlace
else:
    from lockstep.sim.fees import FeeModel
    from lockstep.sim.liquidity import Liquidity
    from lockstep.sim.queue import QueuePlace
from lockstep.model.instrument import Instrument
from lockstep.model.sessions import utc_day_end
from lockstep.model.valuation import Valuation
from lockstep.sim.models import BarFills

_FOREVER = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)
_MOST = cython.declare(cython.double, 9007199254740992.0)  # 2**53, the largest quantity an instrument allows


@cython.final
@cython.no_gc
@cython.cclass
class Stake:
    """What one strategy has bought less sold in one instrument here, units: what its reduce-only orders may close."""

    net: cython.longlong


@cython.final
@cython.no_gc  # its stake holds a number alone: no cycle is possible
@cython.freelist(64)
@cython.cclass
class VenueOrder:
    """An order as the venue sees it; its own record, so that the engine's cannot lend it a mistake.

    bars_to_wait: bars to let pass before it may meet one. fresh: has met no price yet, so at the next one it takes;
    afterwards it rests. basis_ts: the venue time of what its sender knew; it meets no price older than that. crossing:
    took all there was and wants more, so it takes again at the next price (a limit that crosses the market does not
    rest). waiting: a stop that has not triggered. trail, best: of a trailing stop, how far it stays behind the best price
    it has met, and that price, 0 before the first; stop_price follows. met: the last event it acted at, see Market.events.
    charged: has borne the fees that are due once per order. place: in the queue of its price, where it rests on a book. placement: the
    number of its last row among its book's placements, 0 before the first. display: how much of it is shown at a time, units, 0 all,
    HIDDEN nothing; tip: of an iceberg that rests on a book, what is left of the part that is shown; spared, sparing: what others still
    have before and behind that part because ours was filled in their place, which the book does not show.
    """

    order_id: cython.longlong
    venue_order_id: cython.longlong
    qty: cython.longlong
    leaves: cython.longlong
    limit_price: cython.longlong
    stop_price: cython.longlong
    trail: cython.longlong
    best: cython.longlong
    basis_ts: cython.longlong
    arrival: cython.longlong
    expire_ts: cython.longlong
    display: cython.longlong
    tip: cython.longlong
    spared: cython.longlong
    sparing: cython.longlong
    last_clock: cython.longlong
    met: cython.longlong
    instrument: cython.int
    side: cython.int
    order_type: cython.int
    time_in_force: cython.int
    flags: cython.int
    bars_to_wait: cython.int
    fresh: cython.bint
    crossing: cython.bint
    waiting: cython.bint
    charged: cython.bint
    stake: Stake
    place: QueuePlace | None
    placement: cython.Py_ssize_t


@cython.final
@cython.cclass
class Market:
    """One instrument's side of the venue. net: what we have bought less sold here, units.

    bars, quotes, trades: what the run has of it. Orders meet its book (depth) where there is one, else its quotes and trades
    where there are any, else its bars.
    matched_to: end of the last bar matched; settled_to: no bar that opened before this is still to come. last: the latest
    close, last_before: the one before the bar that ended at matched_to, which is what was known inside that bar. held:
    cancels that wait for a bar. stakes: by strategy.

    bid, ask: the standing quote, 0 where a side has none; bid_left, ask_left: what of the size shown is not yet taken by
    us; quote_ts: when it came. crossed: quotes whose bid stood above their ask, which are not believed. events: quotes and
    trades seen. available: what the present bar or trade still lets us take.
    """

    instrument: Instrument
    index: cython.int
    resting: list[VenueOrder]
    held: list[Any]
    stakes: list[Stake]
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
    bars: cython.bint
    quotes: cython.bint
    trades: cython.bint
    depth: Liquidity | None
    bid: cython.longlong
    ask: cython.longlong
    bid_left: cython.longlong
    ask_left: cython.longlong
    quote_ts: cython.longlong
    events: cython.longlong
    crossed: cython.longlong
    shown_bid: cython.longlong
    shown_ask: cython.longlong
    shown_bid_qty: cython.longlong
    shown_ask_qty: cython.longlong
    session_open: cython.longlong
    session_close: cython.longlong
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
        *,
        quotes: bool = False,
        trades: bool = False,
        depth: Liquidity | None = None,
    ) -> None:
        """hours: the sessions' opens and closes over the run, ns, sorted; empty where it never closes.

        quotes, trades: whether the run has them of this instrument; depth: its book, whose quotes are then not asked for.
        Bars where it has none of these.
        """
        instrument = valuation.instrument
        self.index = index
        self.instrument = instrument
        self.resting = []
        self.held = []
        self.stakes = []
        self.depth = depth
        self.bars = not (quotes or trades or depth is not None)
        self.quotes = quotes and depth is None
        self.trades = trades
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
        self.events = 1  # 0 stands for none, see VenueOrder.met
        self.crossed = 0
        self.session_open = 0
        self.session_close = 0
        self.forget_quote()

    def is_open(self, ts: cython.longlong) -> cython.bint:
        """Whether orders may arrive at ts, and be filled by what comes then."""
        if self.always_open or self.session_open <= ts < self.session_close:
            return True
        session = bisect_right(self.opens, ts) - 1
        if session < 0 or ts >= self.closes[session]:
            return False
        self.session_open = self.opens[session]
        self.session_close = self.closes[session]
        return True

    def day_end(self, ts: cython.longlong) -> cython.longlong:
        """When a DAY order that arrives at ts ends: the close of its session, or UTC midnight without a calendar."""
        if self.always_open:
            return utc_day_end(ts)
        session = bisect_right(self.closes, ts)
        return self.closes[session] if session < len(self.closes) else utc_day_end(ts)

    def stake_of(self, strategy: cython.int) -> Stake:
        """A strategy's stake, 0 at first."""
        while len(self.stakes) <= strategy:
            stake: Stake = Stake.__new__(Stake)
            stake.net = 0
            self.stakes.append(stake)
        return cython.cast(Stake, self.stakes[strategy])

    def show(
        self,
        ts: cython.longlong,
        bid: cython.longlong,
        ask: cython.longlong,
        bid_qty: cython.longlong,
        ask_qty: cython.longlong,
    ) -> cython.bint:
        """A new quote stands. What we took of a side stays taken until its price or size changes.

        A side without price or size has nothing to take. A crossed quote is counted and leaves nothing standing: False.
        """
        self.quote_ts = ts
        if bid <= 0 or bid_qty <= 0:
            bid = bid_qty = 0
        if ask <= 0 or ask_qty <= 0:
            ask = ask_qty = 0
        if bid > ask > 0:
            self.crossed += 1
            self.bid = self.ask = 0
            return False
        if bid != self.shown_bid or bid_qty != self.shown_bid_qty:
            self.shown_bid, self.shown_bid_qty, self.bid_left = bid, bid_qty, bid_qty
        if ask != self.shown_ask or ask_qty != self.shown_ask_qty:
            self.shown_ask, self.shown_ask_qty, self.ask_left = ask, ask_qty, ask_qty
        self.bid = bid
        self.ask = ask
        return True

    def forget_quote(self) -> cython.int:
        """Nothing stands: before the first quote, and after a split, which no quote of before outlives."""
        self.quote_ts = -_FOREVER
        self.bid = self.ask = self.bid_left = self.ask_left = 0
        self.shown_bid = self.shown_ask = self.shown_bid_qty = self.shown_ask_qty = 0
        return 0

    def stands(self, ts: cython.longlong) -> cython.bint:
        """Whether the last quote still says something at ts: a quote does not outlive its session."""
        return self.always_open or (self.is_open(ts) and self.quote_ts >= self.session_open)

    def offer(self, volume: cython.double) -> cython.int:
        """A bar or trade of this volume, base units: our part of it is available."""
        if self.unlimited:
            self.available = _FOREVER
            return 0
        offered: cython.double = volume * self.qty_scale * self.share
        if offered > _MOST:
            offered = _MOST  # no order is larger; a cast beyond 64 bits has no meaning in C
        self.available = cython.cast(cython.longlong, offered)
        return 0

    def outside_band(self, price: cython.longlong, ts: cython.longlong) -> cython.bint:
        """Whether a price is further from the last trade known at ts than the band allows."""
        last: cython.longlong = self.last if ts >= self.matched_to else self.last_before
        if self.band_bps == 0 or last == 0 or price == 0:
            return False
        distance: cython.py_int = price - last if price > last else last - price
        wide: cython.py_int = self.band_bps  # Python ints: the products may pass 64 bits
        return distance * 10_000 > wide * last

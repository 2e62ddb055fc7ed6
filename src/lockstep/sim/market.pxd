from lockstep.sim.fees cimport FeeModel
from lockstep.sim.liquidity cimport Liquidity
from lockstep.sim.queue cimport QueuePlace

cdef class Stake:
    cdef readonly long long net

cdef class VenueOrder:
    cdef readonly long long order_id, venue_order_id, qty, leaves, limit_price, stop_price, trail, best
    cdef readonly long long basis_ts, arrival, expire_ts, last_clock, met, display, tip, spared, sparing
    cdef readonly int instrument, side, order_type, time_in_force, flags
    cdef readonly int bars_to_wait
    cdef readonly bint fresh, crossing, waiting, charged
    cdef readonly Stake stake
    cdef readonly QueuePlace place
    cdef readonly Py_ssize_t placement

cdef class Market:
    cdef readonly object instrument
    cdef readonly int index
    cdef readonly list resting
    cdef list held
    cdef readonly list stakes
    cdef readonly long long matched_to, settled_to, last, last_before, net, available, tick, lot, band_bps
    cdef readonly FeeModel fees
    cdef readonly bint queue_outside_hours, always_open
    cdef readonly bint bars, quotes, trades
    cdef readonly Liquidity depth
    cdef readonly long long bid, ask, bid_left, ask_left, quote_ts, events, crossed
    cdef long long shown_bid, shown_ask, shown_bid_qty, shown_ask_qty
    cdef long long session_open, session_close
    cdef list opens, closes
    cdef double qty_scale, share
    cdef bint unlimited
    cpdef bint is_open(self, long long ts)
    cpdef long long day_end(self, long long ts)
    cdef int offer(self, double volume) except -1
    cdef bint show(self, long long ts, long long bid, long long ask, long long bid_qty, long long ask_qty)
    cdef int forget_quote(self) except -1
    cdef bint stands(self, long long ts)
    cdef Stake stake_of(self, int strategy)
    cdef bint outside_band(self, long long price, long long ts)

from lockstep.sim.fees cimport FeeModel

cdef class VenueOrder:
    cdef readonly long long order_id, venue_order_id, qty, leaves, limit_price, stop_price
    cdef readonly long long basis_ts, arrival, expire_ts, last_clock
    cdef readonly int instrument, side, order_type, time_in_force
    cdef readonly int bars_to_wait
    cdef readonly bint fresh, crossing, triggered, charged

cdef class Market:
    cdef readonly object instrument
    cdef readonly int index
    cdef readonly list resting
    cdef list held
    cdef readonly long long matched_to, settled_to, last, last_before, net, available, tick, lot, band_bps
    cdef readonly FeeModel fees
    cdef readonly bint queue_outside_hours, always_open
    cdef list opens, closes
    cdef double qty_scale, share
    cdef bint unlimited
    cpdef bint is_open(self, long long ts)
    cpdef long long day_end(self, long long ts)
    cdef int start_bar(self, double volume) except -1
    cdef long long take(self, long long leaves)
    cdef bint outside_band(self, long long price, long long ts)

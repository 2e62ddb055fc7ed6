from lockstep.model.traffic cimport OrderRequest, VenueReport
from lockstep.sim.market cimport Market, VenueOrder
from lockstep.sim.transit cimport InFlight, Transit

cdef class BarVenue(Transit):
    cdef readonly list markets
    cdef readonly dict by_id
    cdef readonly long long last_venue_id, last_exec_id
    cdef bint optimistic, touch
    cdef object slip_num, slip_den
    cdef double impact
    cdef bint slips

    cpdef int open_bar(self, int index, long long ts_open) except -1
    cpdef int on_bar(self, int index, long long ts_open, long long ts_end, long long o, long long h, long long l, long long c, double volume) except -1
    cpdef int on_price(self, int index, long long price) except -1
    cpdef int on_split(self, int index, long long ts, long long new_shares, long long old_shares) except -1
    cdef int _release_held(self, Market market) except -1
    cdef int _cancel(self, Market market, InFlight flight) except -1
    cdef int _split_in_flight(self, int index, long long ts, long long new_shares, long long old_shares) except -1
    cdef int _arrive_order(self, OrderRequest request, long long arrival) except -1
    cdef int _match(self, Market market, long long ts_open, long long ts_end, long long o, long long h, long long l, long long c, double volume) except -1
    cdef int _at_open(self, Market market, long long ts_open, long long ts_end, long long o, double volume) except -1
    cdef int _open_order(self, Market market, VenueOrder order, long long ts_open, long long o, double volume) except -1
    cdef int _segment(self, Market market, long long ts_open, long long ts_end, long long start, long long end, long long ts, double volume) except -1
    cdef long long _distance(self, VenueOrder order, long long start, long long end, int up) noexcept
    cdef int _act(self, Market market, VenueOrder order, long long price, long long ts, double volume) except -1
    cdef int _fill(self, Market market, VenueOrder order, long long reference, bint maker, long long ts, double volume) except -1
    cdef int _expire(self, Market market, long long until) except -1
    cdef int _forget(self, Market market, VenueOrder order) except -1
    cdef int _end(self, Market market, VenueOrder order, int kind, int reason, long long ts) except -1
    cdef object _slipped(self, Market market, VenueOrder order, long long price, long long qty, double volume)

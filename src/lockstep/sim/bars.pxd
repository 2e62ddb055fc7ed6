from lockstep.model.traffic cimport OrderRequest, VenueReport
from lockstep.sim.chance cimport Chance
from lockstep.sim.market cimport Market, VenueOrder

cdef class InFlight:
    cdef OrderRequest request
    cdef long long arrival

cdef class BarVenue:
    cdef readonly list markets
    cdef readonly dict by_id
    cdef list arrivals, reports
    cdef Py_ssize_t next_arrival, next_report
    cdef readonly long long next_due
    cdef int _look(self) except -1
    cdef readonly long long last_venue_id, last_exec_id
    cdef long long entry_ns, ack_ns, fill_ns, entry_jitter_ns, ack_jitter_ns, fill_jitter_ns, last_arrival
    cdef Chance chance
    cdef bint optimistic, touch
    cdef object slip_num, slip_den
    cdef double impact
    cdef bint slips

    cpdef int send(self, OrderRequest request) except -1
    cpdef VenueReport advance(self, long long until)
    cpdef int open_bar(self, int index, long long ts_open) except -1
    cpdef int settle_arrivals(self, long long ts_end) except -1
    cpdef int on_bar(self, int index, long long ts_open, long long ts_end, long long o, long long h, long long l, long long c, double volume) except -1
    cpdef int on_price(self, int index, long long price) except -1
    cpdef int on_split(self, int index, long long ts, long long new_shares, long long old_shares) except -1
    cdef int _take_arrival(self) except -1
    cdef int _release_held(self, Market market) except -1
    cdef int _cancel(self, Market market, InFlight flight) except -1
    cdef int _split_in_flight(self, int index, long long ts, long long new_shares, long long old_shares) except -1
    cdef int _arrive(self, InFlight flight) except -1
    cdef int _arrive_order(self, OrderRequest request, long long arrival) except -1
    cdef int _match(self, Market market, long long ts_open, long long ts_end, long long o, long long h, long long l, long long c, double volume) except -1
    cdef int _at_open(self, Market market, long long ts_open, long long ts_end, long long o, double volume) except -1
    cdef int _open_order(self, Market market, VenueOrder order, long long ts_open, long long o, double volume) except -1
    cdef int _segment(self, Market market, long long ts_open, long long ts_end, long long start, long long end, long long ts, double volume) except -1
    cdef int _act(self, Market market, VenueOrder order, long long price, long long ts, double volume) except -1
    cdef int _fill(self, Market market, VenueOrder order, long long reference, bint maker, long long ts, double volume) except -1
    cdef int _expire(self, Market market, long long until) except -1
    cdef int _forget(self, Market market, VenueOrder order) except -1
    cdef int _end(self, Market market, VenueOrder order, int kind, int reason, long long ts) except -1
    cdef VenueReport _report(self, VenueOrder order, int kind, int reason, long long ts, long long delay, long long jitter)
    cdef int _queue(self, VenueReport report) except -1
    cdef object _slipped(self, Market market, VenueOrder order, long long price, long long qty, double volume)

from lockstep.model.traffic cimport OrderRequest, VenueReport
from lockstep.sim.chance cimport Chance
from lockstep.sim.delays cimport RecordedDelays
from lockstep.sim.market cimport VenueOrder

cdef class InFlight:
    cdef readonly OrderRequest request
    cdef readonly long long arrival

cdef class Transit:
    cdef list arrivals, reports
    cdef Py_ssize_t next_arrival, next_report
    cdef readonly long long next_due, next_expiry
    cdef long long entry_ns, ack_ns, fill_ns, entry_jitter_ns, ack_jitter_ns, fill_jitter_ns, last_arrival
    cdef double entry_median, ack_median, fill_median, entry_sigma, ack_sigma, fill_sigma
    cdef bint in_order
    cdef long long last_answer, answered_at
    cdef int entry_bars
    cdef Chance chance
    cdef RecordedDelays recorded

    cpdef int send(self, OrderRequest request) except -1
    cpdef VenueReport advance(self, long long until)
    cpdef int settle_arrivals(self, long long ts_end) except -1
    cdef long long answer_ns(self, long long ts) except *
    cdef long long ack_draw(self) except *
    cdef long long fill_draw(self) except *
    cdef long long heard_at(self, long long ts, long long clock) except *
    cdef int arrive(self, InFlight flight) except -1
    cdef int expire_due(self, long long until) except -1
    cdef int _look(self) except -1
    cdef int _take_arrival(self) except -1
    cdef VenueReport report_on(self, VenueOrder order, int kind, int reason, long long ts, long long delay, long long jitter)
    cdef int queue(self, VenueReport report) except -1

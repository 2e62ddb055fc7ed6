from lockstep.model.traffic cimport OrderRequest
from lockstep.sim.market cimport Market, VenueOrder
from lockstep.sim.transit cimport InFlight, Transit

cdef class Desk(Transit):
    cdef readonly list markets
    cdef readonly dict by_id
    cdef readonly long long last_venue_id, last_exec_id
    cdef bint optimistic, touch
    cdef object slip_num, slip_den
    cdef double impact
    cdef bint slips

    cdef int release_held(self, Market market) except -1
    cdef int cancel(self, Market market, InFlight flight) except -1
    cdef int change(self, Market market, InFlight flight) except -1
    cdef VenueOrder replace(self, Market market, InFlight flight)
    cdef int _take_out(self, Market market, VenueOrder order) except -1
    cdef int _requeue(self, Market market, VenueOrder order) except -1
    cdef int refuse_to_take(self, Market market, VenueOrder order, long long ts) except -1
    cdef VenueOrder admit(self, OrderRequest request, long long arrival)
    cdef bint sets_off(self, Market market, VenueOrder order, long long price) except -1
    cdef int follow(self, Market market, VenueOrder order, long long price) except -1
    cdef int trigger(self, VenueOrder order, long long ts) except -1
    cdef long long fill(self, Market market, VenueOrder order, long long reference, bint maker, long long ts, double volume, long long room) except -1
    cdef long long allowed(self, Market market, VenueOrder order, long long ts) except *
    cdef int execute(self, Market market, VenueOrder order, long long reference, bint maker, long long ts, double volume, long long qty) except -1
    cdef object slipped(self, Market market, VenueOrder order, long long price, long long qty, double volume)
    cdef int expire(self, Market market, long long until) except -1
    cdef int forget(self, Market market, VenueOrder order) except -1
    cdef int end(self, Market market, VenueOrder order, int kind, int reason, long long ts) except -1

from lockstep.engine.state cimport State, Subscription
from lockstep.model.traffic cimport VenueReport
from lockstep.orders.order cimport Order

cdef Order open_order(State state, object order_id)
cdef bint lose(State state, Order order, int who) except -1
cdef int take_stranger(State state, VenueReport report) except -1
cdef int take_late_word(State state, Order order, VenueReport report) except -1
cdef int take_amendment(State state, Order order, VenueReport report) except -1
cdef int _log_amendment(State state, Subscription sub, Order order, VenueReport report, VenueReport old, object undone) except -1
cdef int _log_fill(State state, Subscription sub, Order order, VenueReport report, int side, long long qty, long long price, object fee, object profit) except -1

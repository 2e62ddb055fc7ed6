from lockstep.engine.state cimport State
from lockstep.engine.subscription cimport Subscription
from lockstep.model.traffic cimport VenueReport
from lockstep.orders.order cimport Order

cdef bint ask_replace(State state, Subscription sub, Order order, long long qty, long long limit_price, long long stop_price, int who) except -1
cdef int _verdict(State state, Subscription sub, Order order, long long qty, long long limit_price, long long stop_price, double worth) except -1
cdef int take_answer(State state, Subscription sub, Order order, VenueReport report) except -1

from lockstep.engine.state cimport State
from lockstep.engine.subscription cimport Subscription
from lockstep.orders.order cimport Order

cdef class Group:
    cdef readonly long long group_id, take_units, stop_units, released, winner, take_asked, stop_asked
    cdef readonly Order parent
    cdef readonly list legs
    cdef readonly int given_up

cdef int bracket(State state, Order parent, long long take_units, long long stop_units) except -1
cdef bint link(State state, list orders) except -1
cdef int after_fill(State state, Subscription sub, Order order) except -1
cdef int follow(State state, Order order) except -1
cdef int split_groups(State state, int instrument, object new_shares, object old_shares) except -1
cdef int check_leg(State state, Order order, long long qty) except -1
cdef long long children_filled(Group group) except -1
cdef Order _live(Group group, int leg_type)
cdef long long _rest(State state, Group group) except -1
cdef int _one_cancels_others(State state, Group group, Order order) except -1
cdef int _balance(State state, Group group) except -1
cdef int _fit(State state, Group group, int leg_type, long long rest) except -1
cdef int _shrink_or_grow(State state, Group group, Order leg, long long rest) except -1
cdef int _open_leg(State state, Group group, int leg_type, long long rest) except -1
cdef int _reserve_alone(State state, Subscription sub, Order leg) except -1
cdef int _ask_cancel(State state, Order order) except -1
cdef int _log_link(State state, Group group, Subscription sub, long long order_id, int role) except -1

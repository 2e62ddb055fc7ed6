from lockstep.engine.subscription cimport Subscription

cdef long long units_of(Subscription sub, object qty) except -1
cdef long long price_of(Subscription sub, object price) except -1

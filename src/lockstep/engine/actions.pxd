from lockstep.engine.state cimport State

cdef int take_action(State state, list subscriptions, int instrument, int what, long long first, long long second, long long third) except -1
cdef int _take_charge(State state, int instrument, int what, long long rate, long long decimals, long long mark) except -1

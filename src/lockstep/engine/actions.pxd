from lockstep.engine.state cimport State

cdef int take_action(State state, list subscriptions, int instrument, int what, long long first, long long second) except -1

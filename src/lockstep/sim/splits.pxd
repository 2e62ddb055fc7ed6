from lockstep.sim.desk cimport Desk

cdef int restate_orders(Desk desk, int index, long long ts, long long new_shares, long long old_shares) except -1
cdef int _split_in_flight(Desk desk, int index, long long ts, long long new_shares, long long old_shares) except -1

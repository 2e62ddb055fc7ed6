from lockstep.sim.desk cimport Desk

cdef class Venue(Desk):
    cpdef int open_bar(self, int index, long long ts_open) except -1
    cpdef int on_bar(self, int index, long long ts_open, long long ts_end, long long o, long long h, long long l, long long c, double volume) except -1
    cpdef int on_price(self, int index, long long price) except -1
    cpdef int on_split(self, int index, long long ts, long long new_shares, long long old_shares) except -1

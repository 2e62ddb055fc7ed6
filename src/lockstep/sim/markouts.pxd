cdef class MarkOuts:
    cdef readonly long long count, next_due
    cdef long long[::1] execs, times, middles, reached
    cdef int add(self, long long exec_id, long long ts) except -1
    cdef int settle(self, long long ts, long long middle, long long trusted_to) noexcept
    cdef int _grow(self) except -1

cdef class Timings:
    cdef readonly long long count
    cdef readonly long long longest
    cdef long long[::1] _counts
    cpdef int add(self, long long ns) except -1

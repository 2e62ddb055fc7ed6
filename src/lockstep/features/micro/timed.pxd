cdef class TimedSum:
    cdef readonly long long total, span
    cdef long long[::1] _times, _amounts
    cdef long long _head, _size, _mask
    cpdef int clear(self) except -1
    cpdef int push(self, long long clock, long long amount) except -1
    cpdef int drop(self, long long clock) except -1
    cdef int _grow(self) except -1

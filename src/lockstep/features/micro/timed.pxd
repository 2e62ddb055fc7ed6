cdef class TimedSum:
    cdef readonly long long total, due, span
    cdef long long[::1] _times, _amounts
    cdef long long _head, _size, _mask
    cdef int clear(self) noexcept
    cdef int push(self, long long clock, long long amount) except -1
    cdef int drop(self, long long clock) noexcept
    cdef int _grow(self) except -1

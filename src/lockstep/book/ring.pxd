from lockstep.model.arguments cimport finite


cdef class BarRing:
    cdef readonly long long capacity
    cdef readonly long long count
    cdef readonly long long sequence
    cdef tuple _columns
    cdef long long[::1] _ts
    cdef double[::1] _open
    cdef double[::1] _high
    cdef double[::1] _low
    cdef double[::1] _close
    cdef double[::1] _volume
    cdef long long _next
    cdef long long _size

    cpdef int append(
        self, long long ts, double open, double high, double low, double close, double volume
    ) except -1
    cdef long long _slot(self, long long back) noexcept

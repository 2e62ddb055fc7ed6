from lockstep.features.base cimport SeriesIndicator


cdef class SMA(SeriesIndicator):
    cdef double[::1] _ring
    cdef long long _next
    cdef long long _seen
    cdef double _sum
    cdef double _error

    cdef inline int _add(self, double sample) noexcept
    cdef inline double _mean(self) noexcept
    cdef int feed(self, double sample) except -1


cdef class EMA(SeriesIndicator):
    cdef readonly double alpha
    cdef long long _seen
    cdef double _sum

    cdef int feed(self, double sample) except -1

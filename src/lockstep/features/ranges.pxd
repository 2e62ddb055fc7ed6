from lockstep.features.base cimport Indicator, SeriesIndicator


cdef class ATR(Indicator):
    cdef readonly long long period
    cdef double _previous
    cdef double _average
    cdef long long _seen


cdef class Extreme(SeriesIndicator):
    cdef double[::1] _samples
    cdef long long[::1] _bars
    cdef long long _head
    cdef long long _size
    cdef long long _seen
    cdef double _sign

    cdef int feed(self, double sample) except -1


cdef class Highest(Extreme):
    pass


cdef class Lowest(Extreme):
    pass

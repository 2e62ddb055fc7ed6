from lockstep.features.micro.base cimport MarketFeature
from lockstep.features.micro.depth cimport DepthView


cdef class Lagged(MarketFeature):
    cdef readonly MarketFeature of
    cdef readonly long long lag_ms
    cdef long long _lag, _head, _size, _mask
    cdef long long[::1] _times
    cdef double[::1] _values
    cdef int _append(self, long long clock, double known) except -1


cdef class Gap(MarketFeature):
    cdef readonly MarketFeature a, b


cdef class LinearPrediction(MarketFeature):
    cdef readonly tuple features, weights
    cdef readonly double intercept, threshold
    cdef readonly int signal
    cdef double[::1] _weights

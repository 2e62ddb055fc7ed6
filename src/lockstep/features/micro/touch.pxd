from lockstep.features.micro.base cimport MarketFeature
from lockstep.features.micro.depth cimport DepthView


cdef class Spread(MarketFeature):
    pass


cdef class Mid(MarketFeature):
    pass


cdef class WAP(MarketFeature):
    pass


cdef class DepthMid(MarketFeature):
    pass


cdef class Imbalance(MarketFeature):
    pass


cdef class Microprice(MarketFeature):
    cdef readonly long long rows, buckets
    cdef double[::1] _table


cdef double weighted(DepthView view, Py_ssize_t levels) noexcept

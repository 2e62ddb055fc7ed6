from lockstep.features.micro.base cimport MarketFeature
from lockstep.features.micro.depth cimport DepthView


cdef class Sampled(MarketFeature):
    cdef readonly long long interval_ms, intervals, gathered
    cdef long long _interval, _number, _end, _flow, _next
    cdef double _opened, _mid
    cdef double[::1] _moves, _flows
    cdef int _pass(self, DepthView view) except -1
    cdef int _push(self, double move, double flow) noexcept
    cdef double move(self, double opened, double closed) noexcept
    cdef double measure(self) noexcept


cdef class KyleLambda(Sampled):
    pass


cdef class RealisedVolatility(Sampled):
    pass

from lockstep.features.micro.base cimport MarketFeature
from lockstep.features.micro.depth cimport DepthView
from lockstep.features.micro.timed cimport TimedSum


cdef class OFI(MarketFeature):
    cdef readonly long long span_ms
    cdef TimedSum _flow
    cdef int _sum_up(self, DepthView view) except -1


cdef class TFI(MarketFeature):
    cdef readonly long long span_ms
    cdef TimedSum _flow


cdef class SignRun(MarketFeature):
    cdef readonly long long run


cdef class QueueDepletion(MarketFeature):
    cdef readonly int side
    cdef readonly long long span_ms
    cdef TimedSum _gone
    cdef long long _standing
    cdef int _sum_up(self, DepthView view) except -1

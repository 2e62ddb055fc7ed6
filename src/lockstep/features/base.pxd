from lockstep.model.arguments cimport finite


cdef class Indicator:
    cdef readonly double value
    cdef readonly bint ready
    cdef readonly long long count
    cdef readonly long long warmup
    cdef readonly bint uses_range
    cdef readonly bint uses_volume

    cpdef int update_bar(self, double high, double low, double close, double volume) except -1


cdef class SeriesIndicator(Indicator):
    cdef readonly long long period
    cdef readonly Indicator source

    cdef int feed(self, double sample) except -1

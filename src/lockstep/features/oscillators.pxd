from lockstep.features.base cimport SeriesIndicator


cdef class RSI(SeriesIndicator):
    cdef double _previous
    cdef double _gain
    cdef double _loss
    cdef long long _seen

    cdef int feed(self, double sample) except -1

from lockstep.features.base cimport Indicator


cdef class IndicatorSet:
    cdef readonly tuple ordered

    cpdef int update_bar(self, double high, double low, double close, double volume) except -1

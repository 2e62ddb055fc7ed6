from lockstep.features.base cimport Indicator


cdef class CrossOver(Indicator):
    cdef readonly Indicator a
    cdef readonly Indicator b
    cdef readonly bint up
    cdef readonly bint down
    cdef double _a
    cdef double _b
    cdef bint _primed

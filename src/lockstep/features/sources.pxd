from lockstep.features.base cimport Indicator


cdef class Close(Indicator):
    pass


cdef class High(Indicator):
    pass


cdef class Low(Indicator):
    pass


cdef class Volume(Indicator):
    pass


cdef class Level(Indicator):
    cdef readonly double level

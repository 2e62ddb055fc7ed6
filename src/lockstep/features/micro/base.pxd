from lockstep.features.micro.depth cimport DepthView


cdef class MarketFeature:
    cdef readonly double value
    cdef readonly Py_ssize_t levels
    cdef readonly bint on_trades
    cdef int on_book(self, DepthView view) except -1
    cdef int on_trade(self, DepthView view) except -1

from lockstep.portfolio.ledger cimport Ledger
from lockstep.portfolio.position cimport Holding, Position

cdef class Portfolio:
    cdef readonly Ledger ledger
    cdef readonly list holdings, positions, valuations
    cdef readonly double leverage_max
    cdef readonly double marked_equity, marked_gross, marked_net
    cdef dict by_key
    cpdef Position position(self, int strategy_index, int instrument_index)
    cpdef int book_fill(self, Position position, int side, long long price, long long qty, object fee) except -1
    cpdef int undo_fill(self, Position position, int side, long long price, long long qty, object fee) except -1
    cpdef double equity(self)
    cpdef double gross(self)
    cpdef double net(self)
    cpdef double exposure_max(self)
    cdef int mark(self) except -1
    cpdef double buying_power(self)

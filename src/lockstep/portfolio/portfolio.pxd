from lockstep.portfolio.ledger cimport Ledger
from lockstep.portfolio.position cimport Holding, Position, Rate

cdef class Portfolio:
    cdef readonly Ledger ledger
    cdef readonly list ledgers, rates, holdings, positions, valuations
    cdef readonly double leverage_max
    cdef readonly double marked_equity, marked_cash, marked_gross, marked_net, marked_margin, marked_maintenance, peak_equity
    cdef readonly bint margin_call, foreign
    cdef readonly long long marks
    cdef double[::1] recent
    cdef dict by_key
    cpdef Position position(self, int strategy_index, int instrument_index)
    cpdef int book_fill(self, Position position, int side, long long price, long long qty, object fee) except -1
    cpdef double cash(self)
    cpdef int undo_fill(self, Position position, int side, long long price, long long qty, object fee) except -1
    cpdef double equity(self)
    cpdef double gross(self)
    cpdef double net(self)
    cpdef double exposure_max(self)
    cdef int mark(self) except? -1
    cdef double net_reach(self, int side) except? -1.0
    cpdef double buying_power(self)
    cpdef double margin_max(self)

from lockstep.model.valuation cimport Valuation

cdef class Holding:
    cdef readonly object instrument
    cdef readonly Valuation valuation
    cdef readonly int index
    cdef public long long units
    cdef readonly long long last_units, pending_buy, pending_sell
    cdef readonly double last
    cpdef int set_last(self, long long price) except -1
    cpdef int add_units(self, long long change) except -1
    cpdef int add_pending(self, int side, long long qty) except -1
    cdef double exposure(self)

cdef class Position:
    cdef readonly object instrument, strategy, basis, realised, fees
    cdef readonly Holding holding
    cdef readonly int strategy_index
    cdef readonly long long units, fills
    cdef Valuation valuation
    cdef double scale, qty_scale, money_scale, basis_float
    cpdef object apply(self, int side, long long price, long long qty)
    cpdef int add_fee(self, object fee) except -1
    cpdef object split(self, long long new_shares, long long old_shares)
    cdef object _part_of_basis(self, long long change, long long held)
    cdef object _whole(self, object profit)
    cdef double exposure(self)
    cdef double equity_part(self)

from lockstep.model.valuation cimport Valuation

cdef class Holding:
    cdef readonly object instrument
    cdef readonly Valuation valuation
    cdef readonly int index
    cdef readonly long long units, last_units, pending_buy, pending_sell
    cdef public bint suspended
    cdef readonly double pending_buy_worth, pending_sell_worth, last
    cpdef int set_last(self, long long price) except -1
    cpdef int add_units(self, long long change) except -1
    cpdef int add_pending(self, int side, long long qty, double worth) except -1
    cdef double exposure(self)
    cpdef double exposure_max(self, int side, long long qty, double worth)

cdef class Position:
    cdef readonly object instrument, strategy, basis, realised, fees, dividends
    cdef readonly Holding holding
    cdef readonly int strategy_index
    cdef readonly long long units, fills
    cdef Valuation valuation
    cdef double scale, qty_scale, money_scale, basis_float
    cdef object apply(self, int side, long long price, long long qty)
    cdef int add_fee(self, object fee) except -1
    cdef int add_dividend(self, object amount) except -1
    cdef object split(self, long long new_shares, long long old_shares)
    cdef double worth_now(self)
    cdef object _part_of_basis(self, long long change, long long held)
    cdef object _whole(self, object profit)
    cdef double equity_part(self)

from lockstep.model.valuation cimport Valuation

cdef class FeeModel:
    cdef Valuation valuation
    cdef object maker_num, taker_num, rate_den, unit_num, unit_den, flat, minimum
    cdef double narrow
    cdef long long narrow_maker, narrow_taker, narrow_den
    cdef readonly bint free
    cdef object _share(self, long long price, long long qty, bint maker)
    cpdef object fee(self, long long price, long long qty, bint maker, bint first)

cdef class Valuation:
    cdef readonly object instrument, factor
    cdef readonly int ledger_decimals
    cdef readonly bint cash_settled, inverse
    cdef readonly double mark_factor
    cdef readonly double narrow
    cdef long long narrow_factor

    cpdef object worth(self, long long price, long long qty)
    cdef double mark(self, double price, double qty)

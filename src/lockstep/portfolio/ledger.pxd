cdef class Ledger:
    cdef readonly object currency, cash, opening, fees, dividends, realised, in_lieu
    cdef readonly int decimals
    cdef readonly double cash_float
    cdef double scale
    cpdef int post_fill(self, object cash_change, object fee, object profit) except -1
    cpdef int post_dividend(self, object amount) except -1
    cpdef int post_in_lieu(self, object amount, object profit) except -1

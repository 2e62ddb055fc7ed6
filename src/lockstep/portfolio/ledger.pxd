cdef class Ledger:
    cdef readonly object currency, cash, opening, fees, dividends, realised, in_lieu
    cdef readonly object funding, borrow, transfers
    cdef readonly int decimals
    cdef readonly double cash_float
    cdef double scale
    cpdef int post_fill(self, object cash_change, object fee, object profit) except -1
    cpdef int post_dividend(self, object amount) except -1
    cpdef int post_in_lieu(self, object amount, object profit) except -1
    cpdef int post_funding(self, object amount) except -1
    cpdef int post_borrow(self, object amount) except -1
    cpdef int post_transfer(self, object amount) except -1
    cdef int _move(self, object amount) except -1

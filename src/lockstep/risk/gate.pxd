from lockstep.portfolio.portfolio cimport Portfolio
from lockstep.portfolio.position cimport Holding

cdef class Gate:
    cdef readonly double limit, actual
    cdef readonly long long checked, refused
    cdef readonly dict refusals
    cdef long long order_qty_max, position_max
    cdef bint buying_power
    cpdef int check(self, Portfolio portfolio, Holding holding, int side, long long qty, double worth) except -1
    cpdef long long opening_units(self, Holding holding, int side, long long qty) except *

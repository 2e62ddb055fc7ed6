from lockstep.orders.order cimport Order

cdef class Reducers:
    cdef readonly list orders
    cpdef long long left(self, Order beside) except *

cdef class Repeats:
    cdef readonly dict recent
    cdef tuple key
    cpdef long long age(self, Order order, long long qty, long long limit_price, long long stop_price, long long clock) except *
    cpdef int add(self, long long clock, long long window) except -1

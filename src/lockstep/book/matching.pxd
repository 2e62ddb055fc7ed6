from lockstep.book.l3 cimport L3Book
from lockstep.book.ladder cimport Ladder


cdef class Matcher:
    cdef readonly L3Book book
    cdef int self_trade
    cdef dict hidden, owners
    cpdef long long cancel(self, long long order_id) except *
    cpdef bint reduce(self, long long order_id, long long qty) except -1
    cdef bint _reaches(self, int side, long long price) except -1
    cdef long long _first_in_line(self, Ladder ladder) except *
    cdef long long _trade(self, long long maker_id, long long taker_id, long long left, long long price, list matches) except *
    cdef int _show_next(self, long long order_id, int side, long long price) except -1
    cdef long long _within_reach(self, int side, long long price, long long qty, long long owner) except *
    cdef int _forget(self, long long order_id) except -1

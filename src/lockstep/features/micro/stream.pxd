from lockstep.book.l2 cimport L2Book
from lockstep.book.l3 cimport L3Book
from lockstep.book.standing cimport Book
from lockstep.features.micro.depth cimport DepthView
from lockstep.model.rows cimport EventRows


cdef class MarketFeatures:
    cdef readonly object instrument
    cdef readonly tuple features, ordered, on_trades
    cdef readonly DepthView view
    cdef readonly long long updates
    cdef bint complete
    cdef L2Book _levels
    cdef L3Book _orders
    cpdef int take_book(self, EventRows rows, Py_ssize_t i) except -1
    cpdef int hear_book(self, Book book, long long clock) except -1
    cpdef int hear_trade(self, Book book, EventRows rows, Py_ssize_t i) except -1
    cpdef int take_trade(self, EventRows rows, Py_ssize_t i) except -1
    cpdef Py_ssize_t apply(self, EventRows rows, Py_ssize_t start, Py_ssize_t stop) except -1
    cdef int _tell_book(self) except -1
    cdef int _change_book(self, EventRows rows, Py_ssize_t i) except -1


cdef bint updates_at(long long head) noexcept

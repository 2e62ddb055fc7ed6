from lockstep.book.ladder cimport Ladder
from lockstep.book.standing cimport Book


cdef class DepthView:
    cdef readonly Py_ssize_t depth, now, before
    cdef object _memory
    cdef long long[::1] cells
    cdef readonly bint priced, known_before
    cdef readonly long long since, start, clock, trade_qty
    cdef readonly int trade_side
    cdef readonly double bid, ask, mid, price_scale, qty_scale, tick_price
    cpdef int clear(self) except -1
    cdef int read(self, Book book, long long clock) except -1
    cdef int hear(self, long long clock) noexcept
    cdef int lose(self) noexcept
    cdef int hear_trade(self, long long clock, long long qty, int side) noexcept
    cdef int _copy(self, Book book, Ladder ladder, Py_ssize_t at) except -1

from lockstep.book.ids cimport IdTable
from lockstep.book.l3 cimport L3Book

cdef class QueuePlace:
    cdef readonly double ahead
    cdef readonly long long traded
    cdef readonly IdTable ids
    cdef readonly long long told_at, whole, gone, owed, shown
    cdef readonly double front

cdef class QueueModel:
    cdef readonly int kind
    cdef double power, lot, scale
    cdef long long moment
    cdef bint follows_ids(self) noexcept
    cpdef QueuePlace join(self, long long shown)
    cpdef QueuePlace join_line(self, L3Book book, int side, long long tick)
    cpdef int rejoin_line(self, QueuePlace place, L3Book book, int side, long long tick) except -1
    cpdef long long trade(self, QueuePlace place, long long qty, long long left, long long ts) noexcept
    cpdef int told(self, QueuePlace place, long long before, long long after, long long ts) noexcept
    cdef int _reckon(self, QueuePlace place) noexcept
    cpdef int retold(self, QueuePlace place, long long shown) noexcept
    cpdef double share_behind(self, double ahead, double behind) noexcept
    cpdef int passed(self, QueuePlace place) noexcept
    cpdef bint is_ahead(self, QueuePlace place, long long order_id) except -1
    cpdef long long hidden(self, QueuePlace place, long long qty) noexcept
    cpdef int shrink(self, QueuePlace place, long long qty) noexcept
    cpdef int leave(self, QueuePlace place, long long order_id, long long qty) except -1

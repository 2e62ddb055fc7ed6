from lockstep.book.ids cimport IdTable
from lockstep.book.l3 cimport L3Book
from lockstep.book.rebuilt cimport RebuiltBook

cdef class QueuePlace:
    cdef readonly double ahead
    cdef readonly long long traded, told_ts, gone, before, least, since, mark
    cdef readonly bint is_open
    cdef readonly IdTable ids

cdef class QueueModel:
    cdef readonly int kind
    cdef double power, lot, scale
    cdef bint follows_ids(self) noexcept
    cpdef QueuePlace join(self, long long shown, long long since)
    cdef bint follows_line(self) noexcept
    cdef QueuePlace join_rebuilt(self, long long shown, long long since, RebuiltBook line)
    cdef long long reach_rebuilt(self, QueuePlace place, RebuiltBook line, int side, long long tick, long long left, long long ts) except *
    cpdef QueuePlace join_line(self, L3Book book, int side, long long tick)
    cpdef int rejoin_line(self, QueuePlace place, L3Book book, int side, long long tick) except -1
    cpdef long long trade(self, QueuePlace place, long long qty, long long left, long long ts) noexcept
    cpdef int told(self, QueuePlace place, long long before, long long after, long long ts) noexcept
    cpdef int told_whole(self, QueuePlace place, long long shown, long long ts) noexcept
    cdef int _open(self, QueuePlace place, long long shown, long long ts) noexcept
    cpdef int renew(self, QueuePlace place, long long shown, bint has_it, long long ts) noexcept
    cpdef int settle(self, QueuePlace place) noexcept
    cpdef double share_behind(self, double ahead, double behind) noexcept
    cpdef int passed(self, QueuePlace place) noexcept
    cpdef bint is_ahead(self, QueuePlace place, long long order_id) except -1
    cpdef long long hidden(self, QueuePlace place, long long qty) noexcept
    cpdef int shrink(self, QueuePlace place, long long qty) noexcept
    cpdef int leave(self, QueuePlace place, long long order_id, long long qty) except -1

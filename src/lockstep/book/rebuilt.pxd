from lockstep.book.l2 cimport L2Book
from lockstep.book.l3 cimport L3Book
from lockstep.book.ladder cimport Ladder
from lockstep.model.rows cimport EventRows


cdef class RebuiltBook:
    cdef readonly L2Book levels
    cdef readonly L3Book line
    cdef readonly long long next_id, ts
    cdef readonly bint is_lost, oldest
    cdef readonly double added_qty, added_count
    cdef readonly Py_ssize_t open_count, owed_count
    cdef long long[::1] open_key, open_qty, open_id, owed_key, owed_qty, owed_ts
    cpdef Py_ssize_t apply(self, EventRows rows, Py_ssize_t start, Py_ssize_t stop) except -1
    cpdef int update(self, int side, long long price, long long qty, long long ts) except -1
    cdef int take(self, EventRows rows, Py_ssize_t i) except -1
    cdef int _told(self, int side, long long tick, long long before, long long after, long long ts) except -1
    cpdef int trade(self, int side, long long price, long long qty, long long ts) except -1
    cpdef int come_to(self, long long ts) except -1
    cdef int _settle(self) except -1
    cdef int match_levels(self, long long ts) except -1
    cpdef int forget(self) except -1
    cdef int _join(self, int side, long long tick, long long qty, bint is_block) except -1
    cdef long long _eat(self, int side, long long tick, long long qty) except *
    cdef int _lose(self, int side, long long tick, long long qty, long long limit) except -1
    cdef int _victim(self, int level, long long qty, long long limit) noexcept
    cdef int _merge_oldest(self, int level) except -1
    cdef Ladder _side(self, int side)
    cdef int _grow_open(self) except -1
    cdef int _grow_owed(self) except -1
    cpdef long long ahead(self, int side, long long tick, long long mark) except *
    cpdef long long orders_at(self, int side, long long price) except *

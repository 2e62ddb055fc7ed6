from lockstep.book.l2 cimport L2Book
from lockstep.book.l3 cimport L3Book
from lockstep.book.ladder cimport Ladder
from lockstep.book.rebuilt cimport RebuiltBook
from lockstep.book.standing cimport Book
from lockstep.sim.markouts cimport MarkOuts
from lockstep.sim.placements cimport Placements
from lockstep.sim.queue cimport QueueModel, QueuePlace

cdef class Liquidity:
    cdef readonly Book book
    cdef readonly L2Book levels
    cdef readonly L3Book orders
    cdef readonly RebuiltBook line
    cdef readonly QueueModel model
    cdef readonly MarkOuts marks
    cdef readonly Placements placements
    cdef double recovery
    cdef readonly bint in_group
    cdef readonly list shut
    cdef readonly long long ends, after_end, missed_at, told_levels
    cdef readonly Py_ssize_t holes
    cdef long long[::1] keys, taken, since
    cdef readonly dict unprinted
    cdef readonly long long executed_at
    cdef bint is_sound(self, long long ts) except -1
    cdef int missed(self, long long event, long long ts) except -1
    cdef Ladder side_of(self, int side)
    cdef long long shown(self, int side, long long tick) noexcept
    cpdef long long left(self, int side, long long tick, long long ts) noexcept
    cdef long long best(self, int side, long long ts) noexcept
    cpdef long long touch(self, int side, long long ts) noexcept
    cdef long long reach(self, int side, long long limit, long long wanted, long long lot, long long ts) noexcept
    cdef int take(self, int side, long long tick, long long qty, long long ts) except -1
    cdef long long taken_at(self, Py_ssize_t at, long long ts) noexcept
    cdef Py_ssize_t _find(self, long long key) noexcept
    cdef int told(self, int side, long long tick) except -1
    cdef int gone(self, int side, long long tick, long long qty) except -1
    cdef int _fill_up(self, Py_ssize_t at) noexcept
    cdef int cleared(self, int side) except -1
    cdef int recover(self, long long ts) except -1
    cdef int _grow(self) except -1
    cdef int executed(self, int side, long long tick, long long qty, long long ts) except -1
    cdef long long hidden_of(self, int side, long long price, long long qty, long long ts) except *
    cdef bint in_sight(self, int side, long long tick) except -1
    cdef int look(self, QueuePlace place, int side, long long tick, long long ts) except -1
    cdef QueuePlace join(self, int side, long long tick)
    cdef int rejoin(self, QueuePlace place, int side, long long tick, long long ts) except -1
    cdef int forget(self) except -1
    cdef long long middle(self) noexcept
    cdef long long trusted_to(self) noexcept

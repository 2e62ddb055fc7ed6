from lockstep.book.ids cimport IdTable
from lockstep.book.standing cimport Book
from lockstep.model.rows cimport EventRows


cdef class L3Book(Book):
    cdef readonly IdTable ids
    cdef readonly long long unknown
    cdef bint tolerant
    cdef int free, free_level
    cdef long long[::1] id_of, qty_of, level_tick, level_qty
    cdef int[::1] level_of, before, after, level_side, level_count, head, tail
    cpdef int add(self, long long order_id, int side, long long price, long long qty) except -1
    cpdef int modify(self, long long order_id, long long price, long long qty) except -1
    cpdef int cancel(self, long long order_id) except -1
    cpdef int match(self, long long order_id, long long qty) except -1
    cpdef Py_ssize_t apply(self, EventRows rows, Py_ssize_t start, Py_ssize_t stop) except -1
    cpdef int clear(self) except -1
    cdef int _act(self, int action, long long first, long long second) except -1
    cdef int _miss(self) except -1
    cdef int _enter(self, long long order_id, int side, long long tick, long long qty) except -1
    cdef int _line_up(self, int slot, int side, long long tick, long long qty) except -1
    cdef int _step_out(self, int slot) except -1
    cdef int _leave(self, int slot) except -1
    cdef int _change(self, int slot, long long tick, long long qty) except -1
    cdef int _execute(self, int slot, long long qty) except -1
    cdef int _grow(self) except -1
    cdef int _grow_levels(self) except -1
    cdef int _chain(self, int start, int stop) except -1
    cdef int _chain_levels(self, int start, int stop) except -1
    cpdef long long orders_at(self, int side, long long price) except *
    cdef int _level(self, int side, long long price) except -1
    cdef long long qty_in(self, long long cell) noexcept

from lockstep.book.far cimport FarLevels

cdef class Ladder:
    cdef readonly int side
    cdef readonly long long best, base, size, near
    cdef long long mask
    cdef FarLevels far
    cdef object _memory
    cdef long long[::1] cells
    cdef int set(self, long long tick, long long qty) except -1
    cdef long long at(self, long long tick) except *
    cdef bint is_empty(self) noexcept
    cpdef Py_ssize_t count(self) except -1
    cdef int clear(self) except -1
    cdef long long worse_than(self, long long tick) except *
    cdef int moved(self, long long tick, long long qty, long long old) except -1
    cdef int _set_far(self, long long tick, long long qty) except -1
    cdef int _next_best(self) except -1
    cdef int _move_to(self, long long best) except -1

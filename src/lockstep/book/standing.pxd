from lockstep.book.ladder cimport Ladder


cdef class Book:
    cdef readonly Ladder bid_side, ask_side
    cdef readonly object instrument
    cdef readonly long long tick, updates, ts, silence_max
    cdef public long long lag
    cdef readonly int state, reason
    cdef readonly double price_scale, qty_scale
    cdef double inverse
    cdef list faults, first
    cdef readonly bint from_empty
    cpdef bint look(self, long long clock) except -1
    cpdef int set_state(self, int state, int reason) except -1
    cdef int fail(self, int fault) except -1
    cdef int came_whole(self) except -1
    cdef int heard(self, long long ts) except -1
    cdef long long to_tick(self, long long price) noexcept
    cdef int ends_crossed(self, bint crossed) except -1
    cpdef long long qty_units_at(self, int side, long long price) except *
    cpdef bint is_crossed(self) except -1
    cdef long long qty_in(self, long long cell) noexcept

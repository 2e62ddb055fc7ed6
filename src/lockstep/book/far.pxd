cdef class FarLevels:
    cdef readonly long long count
    cdef long long size, mask
    cdef int shift
    cdef long long[::1] ticks, cells
    cdef long long at(self, long long tick) noexcept
    cdef int set(self, long long tick, long long qty) except -1
    cdef int clear(self) except -1
    cdef long long best_below(self, long long tick, int side) noexcept
    cpdef list levels(self)
    cdef int _free(self, long long gap) noexcept
    cdef long long _home(self, long long tick) noexcept
    cdef int _grow(self) except -1

cdef class IdTable:
    cdef readonly long long count
    cdef long long size, mask
    cdef int shift
    cdef long long[::1] keys
    cdef int[::1] slots
    cdef int find(self, long long key) noexcept
    cdef int put(self, long long key, int slot) except -1
    cdef int remove(self, long long key) except -1
    cdef int clear(self) except -1
    cdef long long _home(self, long long key) noexcept
    cdef int _grow(self) except -1

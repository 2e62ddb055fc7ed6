cdef class Chance:
    cdef unsigned long long state
    cpdef long long uniform(self, long long width) noexcept

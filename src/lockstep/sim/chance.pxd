cdef class Chance:
    cdef unsigned long long state
    cpdef long long uniform(self, long long width) noexcept
    cpdef long long lognormal(self, double median, double sigma) noexcept
    cdef unsigned long long _next(self) noexcept

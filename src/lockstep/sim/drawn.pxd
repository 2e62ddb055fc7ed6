cpdef unsigned long long mix(unsigned long long x) noexcept
cpdef double exponential(double x) noexcept
cpdef double logarithm(double x) noexcept
cpdef double normal_quantile(double p) noexcept
cpdef long long lognormal_ns(unsigned long long bits, double median, double sigma) noexcept

cdef class FeedDraws:
    cdef unsigned long long seed, jitter
    cdef double median, sigma
    cpdef long long delay_at(self, long long ts) noexcept

from lockstep.book.ring cimport BarRing


cdef class MarketWindow(BarRing):
    cdef long long _high_n
    cdef long long _high_count
    cdef double _high_value
    cdef long long _low_n
    cdef long long _low_count
    cdef double _low_value

    cdef double _highest(self, long long n) noexcept
    cdef double _lowest(self, long long n) noexcept
    cdef double _total(self, bint volume, long long n) noexcept

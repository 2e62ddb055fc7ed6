from lockstep.book.rebuilt cimport RebuiltBook
from lockstep.sim.queue cimport QueueModel, QueuePlace

cdef class Joins:
    cdef int side
    cdef long long tick, shown, since, full

cdef class Follower:
    cdef const long long[:, ::1] rows
    cdef long long order_id, price, own, owed
    cdef readonly long long left, at
    cpdef int by_levels(self, QueueModel model, QueuePlace place, const long long[::1] visits) except -1
    cpdef int by_rebuilt(self, QueueModel model, RebuiltBook line, Joins joins, const long long[::1] before, const long long[::1] visits) except -1
    cdef int _tell(self, RebuiltBook line, Joins joins, Py_ssize_t i) except -1
    cpdef int by_orders(self, QueueModel model, QueuePlace place, const long long[::1] visits) except -1
    cdef long long _beyond_known(self, Py_ssize_t i) noexcept
    cdef bint _take(self, Py_ssize_t i, long long reach) noexcept

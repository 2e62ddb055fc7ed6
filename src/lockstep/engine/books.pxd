from lockstep.engine.subscription cimport Subscription
from lockstep.model.events cimport BookUpdate
from lockstep.model.rows cimport EventRows
from lockstep.portfolio.position cimport Holding

cdef class KnownBooks:
    cdef readonly list books
    cdef list levels, orders
    cdef bint tell(self, EventRows rows, Py_ssize_t i, Holding holding) except -1
    cpdef Py_ssize_t tell_ahead(self, EventRows rows, Py_ssize_t start, Py_ssize_t stop, object subs) except -1
    cdef long long middle(self, int instrument) noexcept
    cdef int on_action(self, int instrument, int what) except -1

cdef BookUpdate change_of(EventRows rows, Py_ssize_t i, Subscription sub)

from lockstep.model.rows cimport EventRows

cdef class BarBuilder:
    cdef readonly long long timeframe_ns, outside, late, unusable, rows
    cdef readonly int kind
    cdef readonly object session, name
    cdef bint any_kind, with_actions, filled, scaled
    cdef long long head, step, floor, clock, known
    cdef long long start, end, open, high, low, close
    cdef double volume, qty_scale
    cdef long long opened, closed
    cdef long long[::1] opens, closes
    cdef Py_ssize_t at, sessions, made
    cdef object out
    cdef long long[:, ::1] w
    cdef double[:, ::1] f

    cdef int _take(self, EventRows rows, Py_ssize_t n) except -1
    cdef int _market(self, EventRows rows, Py_ssize_t i, int kind) except -1
    cdef int _bar(self, EventRows rows, Py_ssize_t i) except -1
    cdef int _tick(self, long long ts, long long clock, long long price, double qty) except -1
    cdef int _begin(self, long long price) except -1
    cdef bint _seek(self, long long ts) except -1
    cdef int _close(self) except -1
    cdef int _action(self, EventRows rows, Py_ssize_t i) except -1

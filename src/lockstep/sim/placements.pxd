cdef class Placements:
    cdef readonly Py_ssize_t count
    cdef long long[::1] rows
    cpdef Py_ssize_t add(self, long long order_id, long long ts, long long behind, long long ahead, long long qty) except -1
    cpdef int fill(self, Py_ssize_t number, long long qty) except -1

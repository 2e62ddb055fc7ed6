cdef class Hours:
    cdef list opens, closes
    cdef Py_ssize_t next_close
    cpdef bint are_open(self, long long clock) except -1

cdef class RowLog:
    cdef long long[:, ::1] ints
    cdef double[:, ::1] floats
    cdef Py_ssize_t used, capacity
    cdef readonly long long count
    cdef object array
    cdef list sinks
    cdef Py_ssize_t row(self) except -1
    cpdef int flush(self) except -1
    cpdef int restart(self, long long count) except -1

cdef class EventRows:
    cdef const long long[:, ::1] w
    cdef const double[:, ::1] f
    cpdef int hold(self, object records) except -1

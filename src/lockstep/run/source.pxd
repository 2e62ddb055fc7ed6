from lockstep.model.rows cimport EventRows

cdef class Stream(EventRows):
    cdef Py_ssize_t at, size
    cdef object chunks, name
    cdef readonly int instrument
    cdef readonly long long rows
    cdef long long clock, kind, shift
    cdef long long last_clock
    cdef bint to_venue, by_event
    cdef bint load(self) except -1
    cdef bint forward(self) except -1

cdef class MergedSource:
    cdef readonly list streams
    cdef list group
    cdef readonly Stream head
    cdef readonly long long rows
    cdef readonly object on_chunk
    cdef Stream choose(self)
    cdef int gather(self) except -1
    cdef bint pop_group(self) except -1
    cdef bint pop(self) except -1
    cdef int _pass(self, Stream stream) except -1
    cdef bint _next(self) except -1

from lockstep.model.rows cimport EventRows

cdef class Stream(EventRows):
    cdef Py_ssize_t at, size
    cdef object chunks, name
    cdef readonly int instrument
    cdef readonly long long rows
    cdef long long clock, kind, shift
    cdef long long last_clock, heard_until
    cdef bint to_venue, by_event
    cdef object tail, draws
    cpdef int skip(self, long long count) except -1
    cdef object _venue_time(self, object records)
    cdef object _delay(self, object records)
    cdef object _row(self, Py_ssize_t i)
    cdef bint load(self) except -1
    cdef bint forward(self) except -1
    cdef Py_ssize_t group_size(self) noexcept

cdef class MergedSource:
    cdef readonly list streams
    cdef list group
    cdef readonly Stream head
    cdef readonly long long rows
    cdef readonly object on_chunk
    cdef int leaves, members
    cdef int[::1] winners, places
    cdef long long[::1] clocks, kinds
    cdef int gather(self) except -1
    cdef int _collect(self, int knot, long long clock, long long kind) except -1
    cdef bint pop_group(self) except -1
    cdef bint pop(self) except -1
    cdef bint pop_rows(self, Py_ssize_t count) except -1
    cdef int _pass(self, int place) except -1
    cdef int _note(self, int place) except -1
    cdef int _match(self, int knot) noexcept
    cdef int _play(self, int place) noexcept
    cdef int _play_all(self) noexcept
    cdef bint _look(self) except -1

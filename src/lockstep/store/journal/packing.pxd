from lockstep.store.journal.crc32c cimport crc_word

cdef class BlockBuffer:
    cdef readonly object raw
    cdef readonly Py_ssize_t used
    cdef readonly Py_ssize_t soft
    cdef readonly long long count
    cdef readonly long long sequence
    cdef unsigned long long[::1] _words
    cdef unsigned long long _clock

    cpdef Py_ssize_t first_backwards(self, const unsigned long long[:, ::1] rows)
    cpdef Py_ssize_t add_rows(self, int kind, const unsigned long long[:, ::1] rows, Py_ssize_t start)
    cpdef bint add(self, int kind, long long size, const unsigned long long[::1] words)
    cdef int _close_record(self, Py_ssize_t at, int kind, long long size) noexcept

cdef bint _is_known(unsigned long long head) noexcept

cpdef Py_ssize_t check_records(
    const unsigned long long[::1] words,
    long long first_sequence,
    Py_ssize_t count,
    long long[::1] starts,
)

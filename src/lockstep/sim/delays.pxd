cdef class RecordedDelays:
    cdef object times, entries, answers
    cpdef long long entry_at(self, long long ts) except *
    cpdef long long answer_at(self, long long ts) except *
    cdef long long _between(self, object column, long long ts) except *

from lockstep.book.standing cimport Book


cdef class BookView:
    cdef Book book
    cdef object clock

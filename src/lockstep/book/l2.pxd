from lockstep.book.standing cimport Book
from lockstep.model.rows cimport EventRows


cdef class L2Book(Book):
    cpdef int update(self, int side, long long price, long long qty) except -1
    cpdef Py_ssize_t apply(self, EventRows rows, Py_ssize_t start, Py_ssize_t stop) except -1
    cdef Py_ssize_t take_inside(self, EventRows rows, Py_ssize_t start, Py_ssize_t stop) except -1
    cpdef int clear(self, int side=*) except -1
    cdef int _act(self, int action, int side, long long first, long long second) except -1

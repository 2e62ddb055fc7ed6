from lockstep.features.micro.stream cimport MarketFeatures
from lockstep.model.rows cimport EventRows


cdef Py_ssize_t fill(
    MarketFeatures driven,
    EventRows rows,
    long long[::1] clock,
    long long[::1] row,
    double[:, ::1] values,
) except -1

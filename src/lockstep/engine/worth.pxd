from lockstep.portfolio.position cimport Holding

cdef double order_worth(Holding holding, int side, long long qty, long long limit, long long stop) except? -1.0
cdef double _worth_at(Holding holding, long long qty, double price) except? -1.0

from lockstep.orders.order cimport Order
from lockstep.portfolio.portfolio cimport Portfolio
from lockstep.portfolio.position cimport Holding, Position
from lockstep.risk.bounds cimport Bounds
from lockstep.risk.desk cimport Crew, Desk
from lockstep.risk.hours cimport Hours
from lockstep.risk.sequence cimport Reducers, Repeats

cdef class Gate:
    cdef readonly double limit, actual
    cdef double equity, exposure
    cdef readonly long long checked, refused
    cdef readonly dict refusals
    cdef readonly Desk desk
    cdef Crew there, ours
    cdef Position position
    cdef readonly Reducers reducers
    cdef readonly Repeats repeats
    cdef Hours hours
    cdef readonly Bounds bounds
    cdef readonly str strategy
    cdef double near[64]
    cdef bint warned[64]
    cpdef int decide(self, Portfolio portfolio, Holding holding, Order order, double worth, long long clock, long long working) except -1
    cpdef int decide_replace(self, Portfolio portfolio, Holding holding, Order order, long long qty, long long limit_price, long long stop_price, double worth, long long clock, long long working) except -1
    cpdef int check(self, Portfolio portfolio, Holding holding, int side, long long qty, double worth) except -1
    cpdef int sent(self, Order order, long long clock) except -1
    cpdef int enlist(self, Order order) except -1
    cpdef int resent(self, Order order, long long clock) except -1
    cpdef int filled(self, Holding holding, int side) except -1
    cpdef bint may_cancel(self, long long clock) except -1
    cdef int _decide(self, Portfolio portfolio, Holding holding, Order order, long long qty, long long limit_price, long long stop_price, double worth, long long clock, long long working, bint again) except -1
    cdef int _first(self, Portfolio portfolio, Holding holding, int side, long long qty, double worth, bint closes) except -1
    cdef bint _closes(self, Holding holding, Order order, long long qty) except -1
    cdef int _price(self, Holding holding, long long limit_price, long long clock) except -1
    cdef int _size(self, Portfolio portfolio, Holding holding, int side, long long qty, double worth, bint closes) except -1
    cdef double _least(self, Portfolio portfolio, double money, double part) except? -1.0
    cdef int _beside(self, Holding holding, Order order, long long qty, long long limit_price, bint closes) except -1
    cdef bint _meets(self, Holding holding, Order order, long long limit_price, long long resting) except -1
    cdef int _whole(self, Portfolio portfolio, Holding holding, int side, long long qty, double worth) except -1
    cdef int _losses(self, Portfolio portfolio, long long clock) except -1
    cdef int _pace(self, Order order, long long qty, long long limit_price, long long stop_price, long long clock, long long working, bint again) except -1
    cdef bint _within(self, int rule, double limit, double actual) except -1
    cdef int _refuse(self, int rule, double limit, double actual) except -1
    cdef double _equity(self, Portfolio portfolio) except? -1.0
    cdef double _exposure(self, Portfolio portfolio) except? -1.0

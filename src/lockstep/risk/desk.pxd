from lockstep.orders.order cimport Order
from lockstep.risk.timings cimport Timings

cdef class Throttle:
    cdef readonly long long limit
    cdef readonly list times
    cdef long long head, count
    cpdef long long used(self, long long clock) except *
    cpdef int add(self, long long clock) except -1

cdef class Crew:
    cdef readonly list orders
    cdef readonly Throttle throttle
    cpdef long long working(self) except *

cdef class Desk:
    cdef readonly dict instruments, strategies
    cdef readonly Throttle orders, cancels
    cdef readonly list warnings, acts
    cdef readonly bint halted, watched
    cdef readonly int due
    cdef readonly double due_limit, due_actual, daily_loss_max, drawdown_max, equity, day_open, peak
    cdef readonly long long day, refusals, refusals_max
    cdef bint halts_day, halts_drawdown, halts_position
    cdef readonly object changed
    cdef public object stopwatch
    cdef public list heard
    cdef readonly Timings timings
    cpdef int roll(self, long long clock) except -1
    cpdef int mark(self, long long clock, double equity) except -1
    cpdef int refuse(self) except -1
    cpdef int breach(self, int rule, double limit, double actual) except -1
    cdef int _fire(self, int rule, double limit, double actual) except -1

cdef double part_of(double lost, double whole) except? -1.0

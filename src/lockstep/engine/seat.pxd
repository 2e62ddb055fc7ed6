from lockstep.engine.state cimport State
from lockstep.engine.subscription cimport Subscription

cdef class Seat:
    cdef readonly int index
    cdef readonly str name
    cdef readonly object strategy
    cdef readonly State state
    cdef readonly list subscriptions
    cdef readonly object timers
    cdef public bint starting
    cdef object on_bar, on_quote, on_trade, on_book, on_history, on_order, on_fill, on_timer
    cdef Subscription only
    cdef dict by_name
    cdef public list declared
    cdef Subscription pick(self, object instrument)

from lockstep.engine.books cimport KnownBooks
from lockstep.engine.rowlog cimport RowLog
from lockstep.engine.seat cimport Seat
from lockstep.engine.state cimport State
from lockstep.engine.subscription cimport Subscription
from lockstep.model.rows cimport EventRows
from lockstep.model.traffic cimport VenueReport
from lockstep.orders.order cimport Order
from lockstep.portfolio.portfolio cimport Portfolio
from lockstep.portfolio.position cimport Holding

cdef class Engine:
    cdef readonly State state
    cdef readonly Portfolio portfolio
    cdef readonly list seats
    cdef readonly RowLog equity
    cdef readonly long long events, bars, quotes, trades, next_timer
    cdef readonly dict orphans
    cdef readonly KnownBooks books
    cdef list by_instrument, by_series, instruments, timers
    cdef long long timer_seq, market_ts
    cdef Seat active
    cpdef int on_market(self, EventRows rows, Py_ssize_t i) except -1
    cdef int on_history(self, EventRows rows, Py_ssize_t i) except -1
    cdef int _on_event(self, EventRows rows, Py_ssize_t i) except -1
    cdef int _on_bar(self, int instrument, int series, EventRows rows, Py_ssize_t i) except -1
    cdef int _on_quote(self, int instrument, EventRows rows, Py_ssize_t i) except -1
    cdef int _on_trade(self, int instrument, EventRows rows, Py_ssize_t i) except -1
    cdef int _on_book(self, int instrument, EventRows rows, Py_ssize_t i) except -1
    cpdef int on_report(self, VenueReport report) except -1
    cdef int _on_word(self, Order order, VenueReport report) except -1
    cdef int _on_fill(self, Order order, VenueReport report) except -1
    cpdef int fire_timer(self) except -1
    cdef int hand_over(self) except -1
    cpdef int mark(self, long long clock) except -1

from lockstep.engine.rowlog cimport RowLog
from lockstep.engine.subscription cimport Subscription
from lockstep.model.traffic cimport OrderTerms, VenueReport
from lockstep.orders.order cimport OpenOrders, Order
from lockstep.portfolio.portfolio cimport Portfolio
from lockstep.portfolio.position cimport Holding
from lockstep.risk.desk cimport Desk

cdef class State:
    cdef public long long clock, basis_ts
    cdef public bint in_history
    cdef readonly OpenOrders orders
    cdef readonly Portfolio portfolio
    cdef readonly Desk desk
    cdef readonly list outbox, later, subscriptions
    cdef readonly RowLog decisions, fills
    cdef object signal_sink
    cdef public dict groups
    cdef readonly long long last_signal_id, submitted, denied
    cdef Order submit(self, Subscription sub, OrderTerms terms, long long parent_id=*)
    cdef int _own_rules(self, Subscription sub, OrderTerms terms) except -1
    cdef int _deny(self, Subscription sub, Order order, int rule) except -1
    cdef int restate(self, Subscription sub, Order order, VenueReport report) except -1
    cdef bint cancel(self, Order order, int who) except -1
    cdef bint _only_reduces(self, Subscription sub, OrderTerms terms) except -1
    cdef int suspend(self, Holding holding, long long order_id, int who) except -1
    cdef int lift(self, Holding holding, int who) except -1
    cdef int reserve_again(self, Subscription sub, Order order, long long before) except -1
    cdef int log_who(self, int who) except -1
    cpdef int log_risk(self, int kind, int instrument, int strategy, long long ident, int rule, double limit, double actual, int by) except -1
    cdef int log_refusal(self, Subscription sub, Order order, int rule) except -1
    cdef int log_warnings(self, Subscription sub, long long ident) except -1
    cdef int _verdict(self, Subscription sub, Order order, double worth) except -1
    cdef int watch_losses(self, long long clock) except -1
    cdef int watch_position(self, Subscription sub, int side) except -1
    cdef int watch(self) except -1
    cdef int release(self, Subscription sub, Order order, long long qty, long long leaves) except -1
    cdef int log_order(self, int kind, Order order, long long ts_event, long long a, long long b, long long c, long long d) except -1
    cdef int log_fill(self, Order order, VenueReport report, int kind) except -1
    cdef int log_display(self, Order order) except -1
    cpdef int log_plain(self, int kind, int instrument, int strategy, long long ident, long long a, long long b, long long c, long long d) except -1
    cdef int log_money(self, Py_ssize_t i, Holding holding, object fee, object profit) except -1
    cpdef int log_posting(self, int kind, int instrument, int strategy, long long a, long long b, object money) except -1
    cpdef int add_profit(self, object profit) except -1
    cdef int log_margin(self, int kind) except -1
    cdef int notify(self, Order order, int kind, long long ts_event) except -1
    cdef double _slippage(self, Subscription sub, Order order, VenueReport report) except? -1.0
    cdef double _spread_cost(self, Subscription sub, Order order, VenueReport report) except? -1.0
    cdef int _append(self, long long ts_event, long long head, long long ident, long long a, long long b, long long c, long long d) except -1

cdef long long _stop_or_trail(Order order) noexcept
cdef long long low_word(object value) except? -1

from lockstep.book.ring cimport BarRing
from lockstep.engine.rowlog cimport RowLog
from lockstep.features.schedule cimport IndicatorSet
from lockstep.model.traffic cimport OrderTerms, VenueReport
from lockstep.orders.order cimport OpenOrders, Order
from lockstep.portfolio.portfolio cimport Portfolio
from lockstep.portfolio.position cimport Holding, Position
from lockstep.risk.gate cimport Gate

cdef class Subscription:
    cdef readonly int index, seat_index, instrument_index
    cdef readonly object strategy, instrument
    cdef readonly Position position
    cdef readonly Holding holding
    cdef readonly Gate gate
    cdef public IndicatorSet indicators, quote_indicators, trade_indicators
    cdef public BarRing window
    cdef public int series
    cdef public long long history_from, bars, quotes, trades, cooldown_until, cooldown_bars, working_market
    cdef public bint ready, waits
    cdef double scale, qty_scale
    cdef public bint wants_orders
    cdef long long lot, qty_min, qty_max
    cpdef bint look_ready(self) except -1

cdef class State:
    cdef public long long clock, basis_ts
    cdef public bint in_history
    cdef readonly OpenOrders orders
    cdef readonly Portfolio portfolio
    cdef readonly list outbox, later, subscriptions
    cdef readonly RowLog decisions, fills
    cdef object signal_sink
    cdef public dict groups
    cdef readonly long long last_signal_id, submitted, denied
    cdef Order submit(self, Subscription sub, OrderTerms terms)
    cdef int _own_rules(self, Subscription sub, OrderTerms terms) except -1
    cdef double _worth(self, Holding holding, long long qty, long long price) except? -1.0
    cdef int _deny(self, Subscription sub, Order order, int rule) except -1
    cdef int restate(self, Subscription sub, Order order, VenueReport report) except -1
    cdef bint cancel(self, Order order, int who) except -1
    cdef bint _only_reduces(self, Subscription sub, OrderTerms terms) except -1
    cdef int suspend(self, Holding holding, long long order_id, int who) except -1
    cdef int lift(self, Holding holding, int who) except -1
    cdef int reserve_again(self, Subscription sub, Order order, long long before) except -1
    cdef int log_who(self, int who) except -1
    cdef int release(self, Subscription sub, Order order, long long qty, long long leaves) except -1
    cdef int log_order(self, int kind, Order order, long long ts_event, long long a, long long b, long long c, long long d) except -1
    cdef int log_fill(self, Order order, VenueReport report, int kind) except -1
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

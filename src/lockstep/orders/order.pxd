from lockstep.model.traffic cimport OrderTerms

cdef class Order:
    cdef readonly long long venue_order_id, order_id, qty_units, cum_units, limit_units, stop_units, trail_units, expire_ts, signal_id
    cdef readonly long long ts_sent
    cdef readonly int owner_index, strategy_index, instrument_index, side_sign, type_code, tif_code, flag_bits, state_code, reason_code
    cdef readonly object instrument, strategy, notional_units
    cdef int resume_code
    cdef double reserve
    cdef bint is_done(self)

cdef class OpenOrders:
    cdef readonly dict by_id
    cdef readonly long long last_id
    cdef readonly dict anomalies, ignored
    cdef readonly long long done_count
    cpdef Order create(self, str strategy, int owner_index, int strategy_index, object instrument, int instrument_index, OrderTerms terms, long long ts)
    cpdef int apply(self, Order order, int event) except -9
    cpdef int apply_fill(self, Order order, long long qty, long long price) except -9
    cpdef int restate(self, Order order, long long qty, long long limit_price, long long stop_price) except -9

from lockstep.model.traffic cimport OrderTerms, VenueReport

cdef class Order:
    cdef readonly long long venue_order_id, order_id, qty_units, cum_units, limit_units, stop_units, trail_units, expire_ts, signal_id
    cdef readonly long long display_units
    cdef readonly long long ts_sent, replace_units, replace_limit
    cdef readonly int owner_index, strategy_index, instrument_index, side_sign, type_code, tif_code, flag_bits, state_code, reason_code
    cdef readonly int revision, revision_asked
    cdef readonly long long parent_id, group_id
    cdef bint unreserved
    cdef readonly object instrument, strategy, notional_units, refusal
    cdef int resume_code
    cdef double reserve
    cdef VenueReport first_fill
    cdef list more_fills
    cdef dict amendments
    cdef long long exec_id_max
    cdef bint is_done(self)
    cdef long long open_units(self)
    cdef long long limit_reach(self)
    cpdef VenueReport execution(self, long long exec_id)
    cdef bint knows(self, long long exec_id) except -1

cdef class OpenOrders:
    cdef readonly dict by_id
    cdef readonly long long last_id
    cdef readonly dict anomalies, ignored
    cdef readonly long long done_count, overfills
    cdef public long long duplicates
    cdef Order latest
    cdef readonly list done
    cdef Py_ssize_t done_kept
    cpdef Order create(self, str strategy, int owner_index, int strategy_index, object instrument, int instrument_index, OrderTerms terms, long long ts)
    cpdef Order find(self, long long order_id)
    cdef int _finish(self, Order order) except -1
    cdef bint takes(self, Order order, int event) except -1
    cdef int _standing(self, Order order, int state) except -1
    cpdef int apply(self, Order order, int event) except -9
    cpdef int apply_fill(self, Order order, long long qty, long long price) except -9
    cpdef int keep_execution(self, Order order, VenueReport report) except -1
    cpdef int amend(self, Order order, VenueReport report) except -9
    cdef int keep_amendment(self, Order order, long long exec_id, long long ref_exec_id) except -1
    cdef int _put_execution(self, Order order, VenueReport old, VenueReport report, long long qty) except -1
    cdef bint answers(self, Order order, int revision) except -1
    cpdef int replace(self, Order order, long long qty, long long limit_price, long long stop_price) except -9
    cpdef int keep(self, Order order) except -9
    cpdef int restate(self, Order order, long long qty, long long limit_price, long long stop_price) except -9

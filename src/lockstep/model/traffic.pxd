cdef class OrderTerms:
    cdef readonly int side, order_type, time_in_force, flags
    cdef readonly long long qty, limit_price, stop_price, trail, expire_ts, signal_id, display

cdef class OrderRequest:
    cdef readonly int kind, instrument, strategy, revision, replaces
    cdef readonly long long ts, basis_ts, order_id
    cdef readonly OrderTerms terms

cdef class VenueReport:
    cdef readonly int kind, instrument, reason, liquidity, revision
    cdef readonly long long clock, ts_event, seq, order_id, venue_order_id, exec_id, ref_exec_id
    cdef readonly long long qty, price, reference_price, spread, limit_price, stop_price
    cdef readonly object fee

cpdef OrderTerms make_terms(int side, int order_type, int time_in_force, int flags, long long qty, long long limit_price, long long stop_price, long long trail, long long expire_ts, long long signal_id, long long display=*)
cpdef long long split_display(long long display, object new_shares, object old_shares, long long lot) except? -2
cpdef OrderRequest make_request(int kind, int strategy, int instrument, long long ts, long long basis_ts, long long order_id, OrderTerms terms, int revision=*, int replaces=*)
cpdef VenueReport make_report(int kind, int instrument, long long clock, long long ts_event, long long order_id, long long venue_order_id, int reason)
cpdef VenueReport make_fill(int kind, int instrument, long long clock, long long ts_event, long long order_id, long long venue_order_id, long long exec_id, long long qty, long long price, object fee, long long ref_exec_id=*)

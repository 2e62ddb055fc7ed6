cdef class OrderRequest:
    cdef readonly int kind, instrument, strategy, side, order_type, time_in_force
    cdef readonly long long ts, basis_ts, order_id, qty, limit_price, stop_price, expire_ts

cdef class VenueReport:
    cdef readonly int kind, instrument, reason, liquidity
    cdef readonly long long clock, ts_event, seq, order_id, venue_order_id, exec_id
    cdef readonly long long qty, price, reference_price, limit_price, stop_price
    cdef readonly object fee

cpdef OrderRequest make_request(int kind, int strategy, int instrument, long long ts, long long basis_ts, long long order_id, int side, int order_type, int time_in_force, long long qty, long long limit_price, long long stop_price, long long expire_ts)
cpdef VenueReport make_report(int kind, int instrument, long long clock, long long ts_event, long long order_id, long long venue_order_id, int reason)

cdef class Bar:
    cdef readonly object instrument
    cdef readonly long long ts_event, ts_open, ts_recv, seq
    cdef readonly long long open_units, high_units, low_units, close_units
    cdef readonly double volume
    cdef readonly bint is_carried
    cdef double scale

cdef class Quote:
    cdef readonly object instrument
    cdef readonly long long ts_event, ts_recv, seq
    cdef readonly long long bid_units, ask_units, bid_qty_units, ask_qty_units
    cdef double scale, qty_scale

cdef class Trade:
    cdef readonly object instrument
    cdef readonly long long ts_event, ts_recv, seq
    cdef readonly long long price_units, qty_units, trade_id
    cdef readonly int aggressor
    cdef double scale, qty_scale

cdef class BookUpdate:
    cdef readonly object instrument
    cdef readonly long long ts_event, ts_recv, seq
    cdef readonly long long price_units, qty_units, order_id
    cdef readonly int side, action
    cdef double scale, qty_scale

cpdef Bar make_bar(object instrument, double scale, long long ts_recv, long long ts_event, long long seq, long long open_units, long long high_units, long long low_units, long long close_units, double volume, long long ts_open, bint is_carried=*)
cpdef Quote make_quote(object instrument, double scale, double qty_scale, long long ts_recv, long long ts_event, long long seq, long long bid, long long ask, long long bid_qty, long long ask_qty)
cpdef Trade make_trade(object instrument, double scale, double qty_scale, long long ts_recv, long long ts_event, long long seq, long long price, long long qty, long long trade_id, int aggressor)
cpdef BookUpdate make_book_update(object instrument, double scale, double qty_scale, long long ts_recv, long long ts_event, long long seq, long long price, long long qty, long long order_id, int side, int action)

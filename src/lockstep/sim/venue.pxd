from lockstep.model.rows cimport EventRows
from lockstep.sim.desk cimport Desk
from lockstep.sim.market cimport Market, VenueOrder

cdef class Venue(Desk):
    cpdef int open_bar(self, int index, long long ts_open) except -1
    cpdef int on_bar(self, int index, long long ts_open, long long ts_end, long long o, long long h, long long l, long long c, double volume) except -1
    cpdef int on_quote(self, int index, long long ts, long long bid, long long ask, long long bid_qty, long long ask_qty) except -1
    cpdef int on_trade(self, int index, long long ts, long long price, long long qty, int aggressor) except -1
    cpdef int on_book(self, int index, EventRows rows, Py_ssize_t start, Py_ssize_t stop) except -1
    cdef bint takes_groups(self, int index) except -1
    cdef int _meet(self, Market market, VenueOrder order, long long ts) except -1
    cdef int _pass_to(self, long long ts) except -1
    cpdef int on_split(self, int index, long long ts, long long new_shares, long long old_shares) except -1

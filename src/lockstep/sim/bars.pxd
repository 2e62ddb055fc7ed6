from lockstep.sim.desk cimport Desk
from lockstep.sim.market cimport Market, VenueOrder

cdef int match_bar(Desk desk, Market market, long long ts_open, long long ts_end, long long o, long long h, long long l, long long c, double volume) except -1
cdef int _at_open(Desk desk, Market market, long long ts_open, long long ts_end, long long o, double volume) except -1
cdef int _open_order(Desk desk, Market market, VenueOrder order, long long ts_open, long long o, double volume) except -1
cdef int _segment(Desk desk, Market market, long long ts_open, long long ts_end, long long start, long long end, long long ts, double volume) except -1
cdef long long _distance(Desk desk, VenueOrder order, long long start, long long end, int up) noexcept
cdef int _act(Desk desk, Market market, VenueOrder order, long long price, long long ts, double volume) except -1
cdef int _follow_move(Desk desk, Market market, long long ts_open, long long ts_end, long long end) except -1
cdef int _fill(Desk desk, Market market, VenueOrder order, long long reference, bint maker, long long ts, double volume) except -1

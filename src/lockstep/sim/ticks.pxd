from lockstep.sim.desk cimport Desk
from lockstep.sim.market cimport Market, VenueOrder

cdef int meet_on_arrival(Desk desk, Market market, VenueOrder order) except -1
cdef int match_quote(Desk desk, Market market, long long ts) except -1
cdef int match_trade(Desk desk, Market market, long long ts, long long price, long long qty, int aggressor) except -1
cdef long long _touch_price(Market market, int side, long long ts)
cdef long long _quote_rank(Desk desk, Market market, VenueOrder order)
cdef int _meet_quote(Desk desk, Market market, VenueOrder order, long long ts) except -1
cdef int _take_side(Desk desk, Market market, VenueOrder order, long long price, bint maker, long long ts) except -1
cdef int _watch_trade(Desk desk, Market market, long long ts, long long price) except -1
cdef long long _trade_rank(Desk desk, Market market, VenueOrder order, long long price, int aggressor)
cdef int _meet_trade(Desk desk, Market market, VenueOrder order, long long price, long long ts, double volume) except -1
cdef int _settle(Desk desk, Market market, VenueOrder order, long long ts) except -1

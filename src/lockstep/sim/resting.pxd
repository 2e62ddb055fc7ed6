from lockstep.sim.desk cimport Desk
from lockstep.sim.liquidity cimport Liquidity
from lockstep.sim.market cimport Market, VenueOrder

cdef bint is_open(Market market, Liquidity depth, long long ts) except -1
cdef int join(Liquidity depth, VenueOrder order, long long ts) except -1
cdef bint shows_more(VenueOrder order, VenueOrder other) noexcept
cdef bint use_tip(Market market, VenueOrder order, long long filled) except -1
cdef long long past_spared(VenueOrder order, long long reaching, bint beyond, bint shown) except -1
cdef int meet_trade(Desk desk, Market market, Liquidity depth, long long ts, int side, long long price, long long qty, long long order_id) except -1
cdef long long _reaches(Liquidity depth, VenueOrder order, long long ts, long long qty, long long left, long long order_id) except *
cdef int _renew(Liquidity depth, VenueOrder order, long long order_id, long long qty, long long ts) except -1

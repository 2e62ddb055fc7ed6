from lockstep.book.l2 cimport L2Book
from lockstep.book.l3 cimport L3Book
from lockstep.model.rows cimport EventRows
from lockstep.sim.desk cimport Desk
from lockstep.sim.liquidity cimport Liquidity
from lockstep.sim.market cimport Market, VenueOrder

cdef int tell_book(Desk desk, Market market, Liquidity depth, EventRows rows, Py_ssize_t i) except -1
cdef int tell_group(Desk desk, Market market, Liquidity depth, EventRows rows, Py_ssize_t start, Py_ssize_t stop) except -1
cdef Py_ssize_t _first_of_ours(Market market, EventRows rows, Py_ssize_t start, Py_ssize_t stop) except -1
cdef int _tell_level(Market market, Liquidity depth, L2Book book, EventRows rows, Py_ssize_t i) except -1
cdef int _note_execution(Liquidity depth, L3Book book, EventRows rows, Py_ssize_t i) except -1
cdef int _move_queue(Market market, Liquidity depth, int side, long long tick, long long before, long long after, long long ts) except -1
cdef int _tell_order(Desk desk, Market market, Liquidity depth, L3Book book, EventRows rows, Py_ssize_t i) except -1
cdef int _follow(Market market, Liquidity depth, L3Book book, long long order_id, int side, long long tick, long long had) except -1
cdef int _rejoin(Market market, Liquidity depth, long long ts) except -1
cdef int arrive_at_book(Desk desk, Market market, Liquidity depth, VenueOrder order, long long ts) except -1
cdef bint _may_wait(VenueOrder order) noexcept
cdef int _end_hurried(Desk desk, Market market, long long ts) except -1
cdef int match_group(Desk desk, Market market, Liquidity depth, long long ts) except -1
cdef long long _book_rank(Liquidity depth, VenueOrder order, long long ts) noexcept
cdef int _meet_book(Desk desk, Market market, Liquidity depth, VenueOrder order, long long ts) except -1
cdef int _walk(Desk desk, Market market, Liquidity depth, VenueOrder order, long long ts) except -1
cdef int _be_taken(Desk desk, Market market, Liquidity depth, VenueOrder order, long long ts) except -1
cdef int match_print(Desk desk, Market market, Liquidity depth, long long ts, long long price, long long qty, int aggressor) except -1

from lockstep.book.ring cimport BarRing
from lockstep.features.micro.stream cimport MarketFeatures
from lockstep.features.schedule cimport IndicatorSet
from lockstep.portfolio.position cimport Holding, Position
from lockstep.risk.gate cimport Gate

cdef class Subscription:
    cdef readonly int index, seat_index, instrument_index
    cdef readonly object strategy, instrument
    cdef readonly Position position
    cdef readonly Holding holding
    cdef readonly Gate gate
    cdef public IndicatorSet indicators, quote_indicators, trade_indicators
    cdef public MarketFeatures features
    cdef public BarRing window
    cdef public object book
    cdef public int series
    cdef public long long history_from, bars, quotes, trades, cooldown_until, cooldown_bars, working_market
    cdef public bint ready, waits
    cdef double scale, qty_scale
    cdef public bint wants_orders
    cdef public object watch
    cdef long long lot, qty_min, qty_max, tick, price_max
    cpdef bint look_ready(self) except -1

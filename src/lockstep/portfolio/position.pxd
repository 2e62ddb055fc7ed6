from lockstep.model.valuation cimport Valuation
from lockstep.portfolio.ledger cimport Ledger

cdef class Holding

cdef class Rate:
    cdef readonly object currency, stated
    cdef readonly Holding source
    cdef readonly bint inverted
    cdef double fixed, scale
    cpdef double value(self)

cdef class Holding:
    cdef readonly object instrument
    cdef readonly Valuation valuation
    cdef readonly Ledger ledger
    cdef readonly Rate rate
    cdef readonly int index
    cdef readonly long long units, last_units, last_clock, pending_buy, pending_sell
    cdef public bint suspended
    cdef public long long split_ts
    cdef readonly double pending_buy_worth, pending_sell_worth, last
    cdef readonly double margin_initial, margin_maintenance
    cpdef int set_last(self, long long price) except -1
    cpdef int show(self, long long price, long long clock) except -1
    cpdef int add_units(self, long long change) except -1
    cpdef int add_pending(self, int side, long long qty, double worth) except -1
    cdef int reserve_as(self, int side, long long qty, double worth) except -1
    cpdef long long opening_units(self, int side, long long qty) except *
    cpdef double exposure(self)
    cpdef double in_account(self, double amount)
    cpdef double exposure_max(self, int side, long long qty, double worth)

cdef class Position:
    cdef readonly object instrument, strategy, basis, realised, last_profit, fees, dividends, funding, borrow
    cdef readonly Holding holding
    cdef readonly int strategy_index
    cdef readonly long long units, fills
    cdef readonly double slippage, spread_cost
    cdef Valuation valuation
    cdef double scale, qty_scale, money_scale, basis_float
    cdef object apply(self, long long change, long long price, object worth)
    cdef int add_fee(self, object fee) except -1
    cdef int add_dividend(self, object amount) except -1
    cdef int add_costs(self, double slippage, double spread_cost) except -1
    cdef object charge_for(self, object price, object rate)
    cdef object split(self, long long new_shares, long long old_shares)
    cdef double worth_now(self)
    cdef object _part_of_basis(self, long long change, long long held)
    cdef object _whole(self, object profit)
    cdef double equity_part(self)

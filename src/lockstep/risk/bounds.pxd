from lockstep.portfolio.position cimport Holding

cdef class Bounds:
    cdef long long order_qty_max, position_max, own_position_max
    cdef long long price_age_max, duplicate_ns
    cdef double order_notional_max, order_fraction_max, position_notional_max, position_fraction_max
    cdef double price_band, gross_max, net_max, leverage_max, daily_loss_max
    cdef readonly double drawdown_max
    cdef double open_orders_max, own_orders_max, all_orders_max, positions_max
    cdef double qty_scale, price_scale
    cdef object band
    cdef readonly object account_risk_max, volatility_lookback
    cdef bint buying_power, self_trade, session_hours, more, sizes, walks, account, paces
    cdef bint beyond_band(self, Holding holding, long long price) except -1

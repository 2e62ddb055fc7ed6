"""The limits that apply to one strategy in one instrument, resolved into C fields: a check without a limit costs a comparison."""

import math
from decimal import Decimal
from fractions import Fraction

import cython

if cython.compiled:
    from cython.cimports.lockstep.portfolio.position import Holding
else:
    from lockstep.portfolio.position import Holding
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import UNITS_MAX, exact_fraction
from lockstep.risk.limits import RiskLimits

NO_LIMIT = 2**62
"""Of a count or a time: none."""
FREE = math.inf
"""Of money or a fraction: no limit."""


@cython.final
@cython.cclass
class Bounds:
    """Made once from limits, and again where they change; never altered.

    Quantities in units, *_scale: units in one; money in currency, the rest as in RiskLimits. more: whether there is anything
    beyond order quantity, position and buying power to check; sizes, walks, account, paces: whether anything of a group is.
    """

    order_qty_max: cython.longlong
    position_max: cython.longlong
    own_position_max: cython.longlong
    open_orders_max: cython.double
    own_orders_max: cython.double
    all_orders_max: cython.double
    positions_max: cython.double
    price_age_max: cython.longlong
    duplicate_ns: cython.longlong
    order_notional_max: cython.double
    order_fraction_max: cython.double
    position_notional_max: cython.double
    position_fraction_max: cython.double
    price_band: cython.double
    gross_max: cython.double
    net_max: cython.double
    leverage_max: cython.double
    daily_loss_max: cython.double
    drawdown_max: cython.double
    qty_scale: cython.double
    price_scale: cython.double
    band: Fraction
    account_risk_max: float | None
    volatility_lookback: int | None
    buying_power: cython.bint
    self_trade: cython.bint
    session_hours: cython.bint
    more: cython.bint
    sizes: cython.bint
    walks: cython.bint
    account: cython.bint
    paces: cython.bint

    def __init__(self, instrument: Instrument, limits: RiskLimits, strategy: str) -> None:
        """strategy: the name of a seat."""
        there, own = limits.of_symbol(instrument.symbol), limits.of_strategy(strategy)
        self.qty_scale = 10.0**instrument.qty_decimals
        self.price_scale = 10.0**instrument.price_decimals
        self.order_qty_max = min(_units_of(instrument, there.order_qty_max), _units_of(instrument, own.order_qty_max))
        self.position_max = _units_of(instrument, there.position_max)
        self.own_position_max = _units_of(instrument, own.position_max)
        self.order_notional_max = min(_money(there.order_notional_max), _money(own.order_notional_max))
        self.order_fraction_max = _money(there.order_fraction_max)
        self.position_notional_max = _money(there.position_notional_max)
        self.position_fraction_max = _money(there.position_fraction_max)
        self.open_orders_max = _money(there.open_orders_max)
        self.own_orders_max = _money(own.open_orders_max)
        self.all_orders_max = _money(limits.account_open_orders_max)
        self.positions_max = _money(limits.positions_max)
        self.price_age_max = NO_LIMIT if there.price_age_max_ns is None else there.price_age_max_ns
        self.duplicate_ns = 0 if there.duplicate_ns is None else there.duplicate_ns
        self.band = Fraction(1) if there.price_band is None else Fraction(there.price_band)
        self.price_band = _money(there.price_band)
        self.gross_max = _money(limits.gross_max)
        self.net_max = _money(limits.net_max)
        self.leverage_max = _money(limits.leverage_max)
        self.daily_loss_max = _money(limits.daily_loss_max)
        self.drawdown_max = _money(limits.drawdown_max)
        self.account_risk_max = None if limits.account_risk_max is None else float(limits.account_risk_max)
        self.volatility_lookback = limits.volatility_lookback
        self.buying_power = limits.buying_power
        self.self_trade = limits.self_trade
        self.session_hours = limits.session_hours
        self.sizes = (
            min(self.order_notional_max, self.order_fraction_max, self.position_notional_max) < FREE
            or self.position_fraction_max < FREE
        )
        self.walks = self.self_trade or self.open_orders_max < FREE or self.own_position_max < UNITS_MAX
        self.account = min(self.gross_max, self.net_max, self.leverage_max, self.daily_loss_max) < FREE or (
            self.drawdown_max < FREE or self.positions_max < FREE
        )
        self.paces = (
            self.duplicate_ns > 0
            or min(self.own_orders_max, self.all_orders_max) < FREE
            or min(
                _count(there.orders_per_second), _count(own.orders_per_second), _count(limits.account_orders_per_second)
            )
            < NO_LIMIT
        )
        at_market = self.session_hours or self.price_band < FREE or self.price_age_max < NO_LIMIT
        self.more = self.sizes or self.walks or self.account or self.paces or at_market

    def beyond_band(self, holding: Holding, price: cython.longlong) -> cython.bint:
        """Whether a price is farther from the last one than the band allows: exactly, whatever the price."""
        gap: cython.double = abs(price - holding.last)
        edge: cython.double = self.price_band * holding.last
        if abs(gap - edge) > 1e-9 * edge:
            return gap > edge
        exact: cython.py_int = price  # so close to the edge only whole numbers tell
        last: cython.py_int = holding.last_units
        return bool(abs(exact - last) * self.band.denominator > self.band.numerator * last)


def _units_of(instrument: Instrument, limit: Decimal | None) -> int:
    if limit is None:
        return UNITS_MAX
    # Down to a unit: half a share more than three is three where only whole shares trade.
    units: cython.py_int = math.floor(exact_fraction(limit, "risk limit") * 10**instrument.qty_decimals)
    return min(UNITS_MAX, units)


def _money(limit: object) -> float:
    """A limit as a float; none is infinite, so that nothing comes near it."""
    return math.inf if limit is None else float(limit)  # type: ignore[arg-type]  # a Decimal or an int


def _count(limit: int | None) -> int:
    return NO_LIMIT if limit is None else limit

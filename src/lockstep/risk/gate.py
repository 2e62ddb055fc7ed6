"""The risk gate: small rules in sequence, the first that fails refuses. It answers with a rule's number, not an object."""

import math
from decimal import Decimal

import cython

if cython.compiled:
    from cython.cimports.lockstep.portfolio.portfolio import Portfolio
    from cython.cimports.lockstep.portfolio.position import Holding
else:
    from lockstep.portfolio.portfolio import Portfolio
    from lockstep.portfolio.position import Holding
from lockstep.model.enums import Reason
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import UNITS_MAX, exact_fraction
from lockstep.risk.limits import Refused, RiskLimits

_ORDER_QTY = cython.declare(cython.int, int(Reason.ORDER_QTY))
_POSITION = cython.declare(cython.int, int(Reason.POSITION))
_BUYING_POWER = cython.declare(cython.int, int(Reason.BUYING_POWER))
_NO_REFERENCE_PRICE = cython.declare(cython.int, int(Reason.NO_REFERENCE_PRICE))


@cython.final
@cython.overflowcheck(True)  # a sum beyond 64 bits raises instead of wrapping
@cython.cclass
class Gate:
    """The checks of one instrument. After a refusal, limit and actual say by how much (base units, or currency)."""

    limit: cython.double
    actual: cython.double
    checked: cython.longlong
    refused: cython.longlong
    refusals: dict[str, int]
    order_qty_max: cython.longlong
    position_max: cython.longlong
    buying_power: cython.bint

    def __init__(self, instrument: Instrument, limits: RiskLimits) -> None:
        self.order_qty_max = _units_of(instrument, limits.order_qty_max)
        self.position_max = _units_of(instrument, limits.position_max)
        self.buying_power = limits.buying_power
        self.limit = 0.0
        self.actual = 0.0
        self.checked = 0
        self.refused = 0
        self.refusals = {}

    def check(
        self, portfolio: Portfolio, holding: Holding, side: cython.int, qty: cython.longlong, worth: cython.double
    ) -> cython.int:
        """0 when approved, else the Reason's number.

        Args: qty: units. worth: currency worth of the order at the price it would trade at; nan when there is no
            reference price, which refuses: a missing price is never taken for a harmless one.
        """
        self.checked += 1
        if qty > self.order_qty_max:
            return self._refuse(_ORDER_QTY, holding, self.order_qty_max, qty)
        worst: cython.longlong
        if side > 0:
            worst = holding.units + holding.pending_buy + qty
        else:
            worst = -(holding.units - holding.pending_sell - qty)
        if worst > self.position_max:
            return self._refuse(_POSITION, holding, self.position_max, worst)
        if not worth > 0.0:  # nan too
            return self._refuse(_NO_REFERENCE_PRICE, holding, 0, 0)
        if self.buying_power:
            # What the order adds to the worst case of the instrument: 0 while it only closes, so closing is never refused.
            needed: cython.double = holding.exposure_max(side, qty, worth) - holding.exposure_max(0, 0, 0.0)
            if needed > 0.0:
                free: cython.double = portfolio.buying_power()
                if needed > free:
                    self.limit = free
                    self.actual = needed
                    self._count(_BUYING_POWER)
                    return int(_BUYING_POWER)
        return 0

    def opening_units(self, holding: Holding, side: cython.int, qty: cython.longlong) -> cython.longlong:
        """The part of an order that would open exposure beyond what is held, once the working orders have filled."""
        towards: cython.longlong = holding.units if side > 0 else -holding.units
        opening: cython.longlong = qty
        if towards < 0:
            working: cython.longlong = holding.pending_buy if side > 0 else holding.pending_sell
            closing: cython.longlong = -towards - working
            if closing > 0:
                opening = qty - closing if qty > closing else 0
        return opening

    def _refuse(
        self, rule: cython.int, holding: Holding, limit: cython.longlong, actual: cython.longlong
    ) -> cython.int:
        scale: cython.double = 10.0**holding.instrument.qty_decimals
        self.limit = limit / scale
        self.actual = actual / scale
        self._count(rule)
        return rule

    def _count(self, rule: cython.int) -> None:
        self.refused += 1
        name = Reason(rule).name
        self.refusals[name] = self.refusals.get(name, 0) + 1

    def verdict(self, rule: int) -> Refused:
        """The last refusal as a fact."""
        return Refused(rule=Reason(rule).name.lower(), limit=self.limit, actual=self.actual)


def _units_of(instrument: Instrument, limit: Decimal | None) -> int:
    if limit is None:
        return UNITS_MAX
    # Down to a unit: half a share more than three is three where only whole shares trade.
    units: cython.py_int = math.floor(exact_fraction(limit, "risk limit") * 10**instrument.qty_decimals)
    return min(UNITS_MAX, units)

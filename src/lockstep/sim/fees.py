"""What a venue charges for a fill: exact, rounded up to a ledger unit, against us."""

from decimal import Decimal
from fractions import Fraction

import cython

if cython.compiled:
    from cython.cimports.lockstep.model.valuation import Valuation
else:
    from lockstep.model.valuation import Valuation
from lockstep.model.fees import FeeSchedule
from lockstep.model.numbers import Money


@cython.final
@cython.cclass
class FeeModel:
    """A fee schedule in one instrument's ledger units."""

    valuation: Valuation
    maker_num: Money
    taker_num: Money
    rate_den: Money
    unit_num: Money
    unit_den: Money
    flat: Money
    minimum: Money
    free: cython.bint

    def __init__(self, schedule: FeeSchedule, valuation: Valuation) -> None:
        self.valuation = valuation
        maker, taker = Fraction(schedule.maker), Fraction(schedule.taker)
        self.rate_den = maker.denominator * taker.denominator
        self.maker_num = int(maker * self.rate_den)
        self.taker_num = int(taker * self.rate_den)
        decimals: cython.py_int = valuation.ledger_decimals  # a C exponent would make the power a float
        money = 10**decimals
        unit = Fraction(schedule.per_unit) * money / 10**valuation.instrument.qty_decimals
        self.unit_num, self.unit_den = unit.numerator, unit.denominator
        self.flat = _up(schedule.flat, money)
        self.minimum = _up(schedule.minimum, money)
        self.free = schedule == FeeSchedule()

    def fee(self, price: cython.longlong, qty: cython.longlong, maker: cython.bint, first: cython.bint) -> Money:
        """Ledger units for one fill. first: the order's first fill, which bears what is charged per order."""
        if self.free:
            return 0
        total: cython.py_int = 0
        rate = self.maker_num if maker else self.taker_num
        if rate:
            worth = self.valuation.worth(price, qty)
            if self.valuation.inverse:  # a negative Fraction: what it is worth in the base currency, turned round
                total = -(worth * rate // self.rate_den)
            else:
                total = -(-worth * rate // self.rate_den)
        if self.unit_num:
            total = total - ((-self.unit_num * qty) // self.unit_den)
        if first:
            total = total + self.flat
            if self.minimum > 0 and total < self.minimum:  # without a minimum a rebate stays one
                total = self.minimum
        return total


def _up(amount: Decimal, money: int) -> int:
    exact = Fraction(amount) * money
    return -((-exact.numerator) // exact.denominator)

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
from lockstep.model.valuation import NARROW_MAX

_NARROW_MAX = cython.declare(cython.double, NARROW_MAX)


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
    narrow: cython.double
    narrow_maker: cython.longlong
    narrow_taker: cython.longlong
    narrow_den: cython.longlong

    def __init__(self, schedule: FeeSchedule, valuation: Valuation) -> None:
        self.valuation = valuation
        maker, taker = Fraction(schedule.maker), Fraction(schedule.taker)
        self.rate_den = maker.denominator * taker.denominator
        self.maker_num = int(maker * self.rate_den)
        self.taker_num = int(taker * self.rate_den)
        dearest = max(abs(self.maker_num), abs(self.taker_num), 1)
        narrow = dearest < NARROW_MAX and self.rate_den < NARROW_MAX
        self.narrow = valuation.narrow / dearest if narrow else 0.0
        self.narrow_maker = self.maker_num if narrow else 0
        self.narrow_taker = self.taker_num if narrow else 0
        self.narrow_den = self.rate_den if narrow else 1
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
        total = self._share(price, qty, maker)
        if self.unit_num:
            total = total - ((-self.unit_num * qty) // self.unit_den)
        if first:
            total = total + self.flat
            if self.minimum > 0 and total < self.minimum:  # without a minimum a rebate stays one
                total = self.minimum
        return total

    def _share(self, price: cython.longlong, qty: cython.longlong, maker: cython.bint) -> Money:
        """What is charged as a share of what the fill is worth."""
        product: cython.double = cython.cast(cython.double, price) * cython.cast(cython.double, qty)
        share: cython.longlong
        if -self.narrow < product < self.narrow:
            share = price * qty * self.valuation.narrow_factor * (self.narrow_maker if maker else self.narrow_taker)
            return -(-share // self.narrow_den)
        rate = self.maker_num if maker else self.taker_num
        if not rate:
            return 0
        # Of a quantity that the rate divides evenly, such as of whole coins, nothing is rounded: in C, where that has room.
        wide: cython.double = cython.cast(cython.double, qty) * (self.narrow_maker if maker else self.narrow_taker)
        if self.narrow > 0.0 and -_NARROW_MAX < wide < _NARROW_MAX:
            part: cython.longlong = qty * (self.narrow_maker if maker else self.narrow_taker)
            if part % self.narrow_den == 0:
                part = part // self.narrow_den
                product = cython.cast(cython.double, price) * cython.cast(cython.double, part)
                if -self.valuation.narrow < product < self.valuation.narrow:
                    return price * part * self.valuation.narrow_factor
        worth = self.valuation.worth(price, qty)
        if self.valuation.inverse:  # a negative Fraction: what it is worth in the base currency, turned round
            return -(worth * rate // self.rate_den)
        return -(-worth * rate // self.rate_den)


def _up(amount: Decimal, money: int) -> int:
    exact = Fraction(amount) * money
    return -((-exact.numerator) // exact.denominator)

"""What a quantity is worth at a price, in the ledger's units: exact for money, float64 for marking."""

from fractions import Fraction

import cython

from lockstep.model.enums import Settlement
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import Money, fraction_digits

NARROW_MAX = 2.0**62
"""Half of what 64 bits hold: a bound on products that floats can be trusted to compare with."""


@cython.final
@cython.cclass
class Valuation:
    """One instrument's prices and quantities in money units of 10**-ledger_decimals.

    `worth` grows with the price for every settlement (an inverse contract's is the negative of its base value), so the
    profit of a long position is always worth(exit) - worth(entry): an int, or an exact Fraction for INVERSE.
    narrow: where price times quantity stays below it, what they are worth fits 62 bits; 0 where that is not so of any.
    """

    instrument: Instrument
    factor: Money | Fraction
    ledger_decimals: cython.int
    cash_settled: cython.bint
    inverse: cython.bint
    mark_factor: cython.double
    narrow: cython.double
    narrow_factor: cython.longlong

    def __init__(self, instrument: Instrument, ledger_decimals: int) -> None:
        self.instrument = instrument
        self.ledger_decimals = ledger_decimals
        self.cash_settled = instrument.settlement is Settlement.CASH
        self.inverse = instrument.settlement is Settlement.INVERSE
        multiplier = Fraction(instrument.multiplier)
        if instrument.settlement is Settlement.QUANTO:
            multiplier *= Fraction(instrument.quanto_rate)
        shift = ledger_decimals - instrument.qty_decimals
        if self.inverse:
            factor = multiplier * Fraction(10) ** (shift + instrument.price_decimals)
        else:
            factor = multiplier * Fraction(10) ** (shift - instrument.price_decimals)
        self.factor = int(factor) if factor.denominator == 1 else factor
        self.mark_factor = float(factor / 10**ledger_decimals)
        narrow = factor.denominator == 1 and factor < NARROW_MAX and not self.inverse
        self.narrow_factor = int(factor) if narrow else 0
        self.narrow = NARROW_MAX / float(factor) if narrow else 0.0

    def worth(self, price: cython.longlong, qty: cython.longlong) -> Money | Fraction:
        """Ledger units; exact. qty may be negative."""
        product: cython.double = cython.cast(cython.double, price) * cython.cast(cython.double, qty)
        if -self.narrow < product < self.narrow:
            return price * qty * self.narrow_factor  # in C: a third of the time
        wide: cython.py_int = (
            price  # one factor as a Python int first: a product of two C ints wraps before it is stored
        )
        if self.inverse:
            return -Fraction(self.factor * qty, wide)
        if self.narrow_factor == 1:
            return wide * qty
        return wide * qty * self.factor

    def mark(self, price: cython.double, qty: cython.double) -> cython.double:
        """The same in currency, float64, for per-event marking."""
        if self.inverse:
            return -self.mark_factor * qty / price
        return price * qty * self.mark_factor


def ledger_decimals_for(instruments: list[Instrument]) -> int:
    """Decimals at which every fill of these instruments is a whole number of money units, at least 8."""
    needed = [8]
    for instrument in instruments:
        digits = instrument.money_decimals
        if instrument.settlement is Settlement.QUANTO:
            digits += fraction_digits(instrument.quanto_rate)
        needed.append(digits if instrument.settlement is not Settlement.INVERSE else instrument.qty_decimals)
    return max(needed)

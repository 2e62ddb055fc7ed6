"""Our fills as columns, and what is needed to read them: the instruments' units and the splits between fills."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from lockstep.analytics.arrays import F64, I64, Bools, check_same_length
from lockstep.model.enums import Settlement
from lockstep.model.errors import DataError
from lockstep.model.instrument import Instrument


@dataclass(frozen=True, slots=True)
class InstrumentUnits:
    """What one unit of price and quantity is worth in the settlement currency, exactly.

    price_decimals, qty_decimals: a price of 100.25 is 10025 at 2 decimals. multiplier: settlement currency per point
    and contract (a quanto rate included). inverse: a contract is worth multiplier / price of the base currency, so
    profit is quantity x (1 / entry - 1 / exit).
    """

    price_decimals: int
    qty_decimals: int
    multiplier: Fraction = Fraction(1)
    inverse: bool = False

    @classmethod
    def of(cls, instrument: Instrument) -> "InstrumentUnits":
        """The units of an instrument of the model."""
        multiplier = Fraction(instrument.multiplier)
        if instrument.settlement is Settlement.QUANTO:
            multiplier *= Fraction(instrument.quanto_rate)
        inverse = instrument.settlement is Settlement.INVERSE
        return cls(instrument.price_decimals, instrument.qty_decimals, multiplier, inverse)

    @property
    def unit_value(self) -> Fraction:
        """Settlement currency per (`rate` x quantity unit)."""
        price_unit = Fraction(1, 10**self.price_decimals)
        return self.multiplier * Fraction(1, 10**self.qty_decimals) * (1 / price_unit if self.inverse else price_unit)

    def rate(self, price: int) -> int | Fraction:
        """What a quantity is multiplied by for its value: the price in units, or one over it if inverse."""
        return Fraction(1, price) if self.inverse else price

    def price_of(self, value: int | Fraction, qty: int | Fraction) -> float:
        """The average price, quote currency, of a quantity worth `value` (rate x quantity units); NaN for none."""
        if not qty:
            return math.nan
        scale: int = 10**self.price_decimals
        if isinstance(value, int) and isinstance(qty, int):
            return value / (qty * scale)  # one correctly rounded division of ints, many times quicker than a Fraction
        return float(Fraction(qty) / (value * scale) if self.inverse else Fraction(value) / (qty * scale))


@dataclass(frozen=True, slots=True)
class Restatement:
    """A split: from `ts` on (before any fill of the same instant) q units are q * num / den units.

    A 2:1 split has num=2, den=1. A fraction of a unit that the split leaves is dropped, as a broker pays it out: the
    cash in lieu is the ledger's and is in no trade's profit.
    """

    ts: int
    instrument: int
    num: int
    den: int

    def __post_init__(self) -> None:
        if self.num <= 0 or self.den <= 0:
            raise DataError(f"a restatement ratio must be positive: was {self.num}/{self.den} at ts {self.ts}")


@dataclass(frozen=True, slots=True)
class Fills:
    """Fills as columns of length n, in any order; those of equal `ts` in the order they happened.

    ts: ns UTC. instrument, strategy: indices from 0. side: +1 bought, -1 sold. qty: quantity units, > 0.
    price: price units. fee: account currency, negative for a rebate. slippage: account currency lost against the
    expected price (R331), negative for an improvement; already inside `price`, so it is reported, not deducted again.
    """

    ts: I64
    instrument: I64
    strategy: I64
    side: I64
    qty: I64
    price: I64
    fee: F64
    slippage: F64

    def __post_init__(self) -> None:
        columns = {name: getattr(self, name) for name in self.__slots__}
        check_same_length(**columns)
        for name, column in columns.items():
            wanted = np.float64 if name in ("fee", "slippage") else np.int64
            if column.dtype != wanted:
                raise DataError(f"fills.{name} must be {wanted.__name__}: was {column.dtype}")
        _reject("side must be +1 or -1", self.side, np.abs(self.side) != 1)
        _reject("qty must be positive", self.qty, self.qty <= 0)
        _reject("instrument must not be negative", self.instrument, self.instrument < 0)
        _reject("strategy must not be negative", self.strategy, self.strategy < 0)
        _reject("fee must be finite", self.fee, ~np.isfinite(self.fee))
        _reject("slippage must be finite", self.slippage, ~np.isfinite(self.slippage))

    @property
    def count(self) -> int:
        """Number of fills, n."""
        return int(self.ts.size)

    def total_fees(self) -> float:
        """Sum of fees, account currency, summed without rounding drift."""
        return math.fsum(self.fee)

    def total_slippage(self) -> float:
        """Sum of slippage, account currency; positive is a cost."""
        return math.fsum(self.slippage)

    def notional(self, units: Sequence[InstrumentUnits]) -> F64:
        """Value traded by each fill, [n], settlement currency, never negative.

        Args:    units: by instrument index.
        Raises:  DataError: an instrument index without units, an inverse price that is not positive.
        """
        check_instruments(self, len(units), "units")
        check_inverse_prices(self, units)
        value = np.array([float(u.unit_value) for u in units] or [math.nan])
        inverse = np.array([u.inverse for u in units] or [False])[self.instrument]
        price = np.abs(self.price.astype(np.float64))
        rate = np.divide(1.0, price, out=price.copy(), where=inverse)
        notional: F64 = rate * self.qty * value[self.instrument]
        return notional


def check_instruments(fills: Fills, known: int, what: str) -> None:
    """Raise DataError unless every instrument index is below `known`, the length of the list called `what`."""
    if fills.count and int(fills.instrument.max()) >= known:
        raise DataError(f"fills name instrument {int(fills.instrument.max())}, but {what} has only {known}")


def check_inverse_prices(fills: Fills, units: Sequence[InstrumentUnits]) -> None:
    """Raise DataError if an inverse contract traded at or below zero: it would be worth an infinite amount."""
    inverse = np.array([u.inverse for u in units] or [False])[fills.instrument]
    _reject("the price of an inverse contract must be positive", fills.price, inverse & (fills.price <= 0))


def _reject(rule: str, column: I64 | F64, wrong: Bools) -> None:
    rows = np.flatnonzero(wrong)
    if rows.size:
        row = int(rows[0])
        raise DataError(f"fills: {rule}: row {row} of {column.size} is {column[row]}")

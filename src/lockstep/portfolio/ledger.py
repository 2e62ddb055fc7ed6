"""The cash ledger of one currency: exact integers inside, Decimal when read."""

from decimal import Decimal

import cython

from lockstep.model.numbers import Money, decimal_from_fixed, fixed_from_number


@cython.final
@cython.cclass
class Ledger:
    """Cash in units of 10**-decimals of its currency, and where it went. A float never enters it.

    cash = opening + the postings; each posting names what it is. cash_float: the same, for marking.
    """

    currency: str
    decimals: cython.int
    cash: Money
    opening: Money
    fees: Money
    dividends: Money
    realised: Money
    in_lieu: Money
    cash_float: cython.double
    scale: cython.double

    def __init__(self, currency: str, decimals: int, opening: Decimal | int | str) -> None:
        """Raises: ParseError: an opening balance that is no exact amount at `decimals`; floats are refused as text is."""
        self.currency = currency
        self.decimals = decimals
        self.opening = fixed_from_number(opening, decimals, "opening cash")
        self.scale = 10.0**decimals
        self.cash = self.opening
        self.fees = 0
        self.dividends = 0
        self.realised = 0
        self.in_lieu = 0
        self.cash_float = float(self.cash) / self.scale

    def post_fill(self, cash_change: Money, fee: Money, profit: Money) -> cython.int:
        """A fill: cash_change before the fee; profit is what it realised (already within cash_change for CASH settlement)."""
        self.cash = self.cash + cash_change - fee
        self.fees = self.fees + fee
        self.realised = self.realised + profit
        self.cash_float = float(self.cash) / self.scale
        return 0

    def post_dividend(self, amount: Money) -> cython.int:
        """A dividend received (or, short, paid)."""
        self.cash = self.cash + amount
        self.dividends = self.dividends + amount
        self.cash_float = float(self.cash) / self.scale
        return 0

    def post_in_lieu(self, amount: Money) -> cython.int:
        """Cash for the fraction of a share that a split left over."""
        self.cash = self.cash + amount
        self.in_lieu = self.in_lieu + amount
        self.cash_float = float(self.cash) / self.scale
        return 0

    def decimal(self, units: Money) -> Decimal:
        """Ledger units as money."""
        return decimal_from_fixed(units, self.decimals)

    @property
    def balance(self) -> Decimal:
        """Cash, exact."""
        return decimal_from_fixed(self.cash, self.decimals)

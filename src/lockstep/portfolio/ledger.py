"""The cash ledger of one currency: exact integers inside, Decimal when read."""

from decimal import Decimal

import cython

from lockstep.model.errors import InvariantError
from lockstep.model.numbers import Money, Number, decimal_from_fixed, fixed_from_number


@cython.final
@cython.cclass
class Ledger:
    """Cash in units of 10**-decimals of its currency, and where it went. Posted in whole units alone, never in floats.

    cash = opening + the postings; each posting names what it is. realised: profit of closed quantity, before fees and
    dividends. funding, borrow: received less paid, so what was paid is below 0. transfers: paid in less taken out.
    cash_float: the same as cash, for marking.
    """

    currency: str
    decimals: cython.int
    cash: Money
    opening: Money
    fees: Money
    dividends: Money
    realised: Money
    in_lieu: Money
    funding: Money
    borrow: Money
    transfers: Money
    cash_float: cython.double
    scale: cython.double

    def __init__(self, currency: str, decimals: int, opening: Number) -> None:
        """An opening balance given as a float counts as its shortest text: 0.1 is one tenth, exactly.

        Raises: ParseError: an opening balance that is no exact amount at `decimals`.
        """
        self.currency = currency
        self.decimals = decimals
        self.opening = fixed_from_number(opening, decimals, "opening cash")
        self.scale = 10.0**decimals
        self.cash = self.opening
        self.fees = 0
        self.dividends = 0
        self.realised = 0
        self.in_lieu = 0
        self.funding = 0
        self.borrow = 0
        self.transfers = 0
        self.cash_float = float(self.cash) / self.scale

    def post_fill(self, cash_change: Money, fee: Money, profit: Money) -> cython.int:
        """A fill: cash_change before the fee; profit is what it realised (already within cash_change for CASH settlement)."""
        if not (isinstance(cash_change, int) and isinstance(fee, int) and isinstance(profit, int)):
            raise _not_whole((cash_change, fee, profit))
        self.cash = self.cash + cash_change - fee
        self.fees = self.fees + fee
        self.realised = self.realised + profit
        self.cash_float = float(self.cash) / self.scale
        return 0

    def post_dividend(self, amount: Money) -> cython.int:
        """A dividend received (or, short, paid)."""
        if not isinstance(amount, int):
            raise _not_whole((amount,))
        self.cash = self.cash + amount
        self.dividends = self.dividends + amount
        self.cash_float = float(self.cash) / self.scale
        return 0

    def post_in_lieu(self, amount: Money, profit: Money) -> cython.int:
        """Cash for the fraction of a share that a split left over; profit: what that closed, within the amount."""
        if not (isinstance(amount, int) and isinstance(profit, int)):
            raise _not_whole((amount, profit))
        self.cash = self.cash + amount
        self.realised = self.realised + profit
        self.in_lieu = self.in_lieu + amount
        self.cash_float = float(self.cash) / self.scale
        return 0

    def post_funding(self, amount: Money) -> cython.int:
        """Funding of a perpetual contract received (or, below 0, paid)."""
        if not isinstance(amount, int):
            raise _not_whole((amount,))
        self.funding = self.funding + amount
        return self._move(amount)

    def post_borrow(self, amount: Money) -> cython.int:
        """What borrowing the shares of a short position cost, below 0."""
        if not isinstance(amount, int):
            raise _not_whole((amount,))
        self.borrow = self.borrow + amount
        return self._move(amount)

    def post_transfer(self, amount: Money) -> cython.int:
        """Money paid into the account, or, below 0, taken out of it: no profit, no loss."""
        if not isinstance(amount, int):
            raise _not_whole((amount,))
        self.transfers = self.transfers + amount
        return self._move(amount)

    def _move(self, amount: Money) -> cython.int:
        self.cash = self.cash + amount
        self.cash_float = float(self.cash) / self.scale
        return 0

    def decimal(self, units: Money) -> Decimal:
        """Ledger units as money."""
        return decimal_from_fixed(units, self.decimals)

    @property
    def balance(self) -> Decimal:
        """Cash, exact."""
        return decimal_from_fixed(self.cash, self.decimals)


def _not_whole(amounts: tuple[object, ...]) -> InvariantError:
    shown = ", ".join(repr(amount) for amount in amounts)
    return InvariantError(f"money is posted in whole ledger units: was {shown}")

"""Exact numbers, converted in one place.

Prices and quantities are int64 at an instrument's own decimals (100.25 with two decimals is 10025); money is a Python
int at the ledger's decimals and a Decimal when read. Each value stays at or below 2**53 units, so that the float a
strategy reads is the correctly rounded one and gives the int back without loss.
"""

from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
)
from typing import NewType

from lockstep.model.errors import ParseError

Price = NewType("Price", int)
"""10**-price_decimals of the quote currency."""
Qty = NewType("Qty", int)
"""10**-qty_decimals of the base asset."""
Nanos = NewType("Nanos", int)
"""Nanoseconds since 1970-01-01 00:00 UTC."""

Money = int
"""10**-ledger_decimals of a currency, unbounded. (Not spelt `int` where compiled code meets it: there `int` is C's.)"""

UNITS_MAX = 2**53
"""The largest magnitude a price or quantity may have, in its units."""
DECIMALS_MAX = 15
NANOS_PER_SECOND = 1_000_000_000
NANOS_PER_DAY = 86_400 * NANOS_PER_SECOND

MONEY = Context(
    prec=60, rounding=ROUND_HALF_EVEN, traps=[Inexact, FloatOperation, InvalidOperation, DivisionByZero, Overflow]
)
"""The one context for money: rounding anything, or mixing in a float, raises."""


def fixed_from_text(text: str, decimals: int) -> int:
    """An exact count of 10**-decimals: ("100.25", 2) -> 10025.

    Raises: ParseError: not a finite decimal, or finer than `decimals`.
    """
    try:
        value = Decimal(text)
        scaled = MONEY.scaleb(value, decimals)
        units = int(scaled)
    except (ArithmeticError, ValueError) as e:
        raise ParseError(f"not a finite decimal: {text!r}") from e
    if scaled != units:
        raise ParseError(f"finer than {decimals} decimals: {text!r}")
    return units


def decimals_of(text: str) -> int:
    """How many decimals a number's text needs, trailing zeros stripped: "1.500" -> 1, "2e3" -> 0.

    Raises: ParseError: not a finite decimal.
    """
    try:
        exponent = Decimal(text).normalize().as_tuple().exponent
    except ArithmeticError as e:
        raise ParseError(f"not a finite decimal: {text!r}") from e
    if not isinstance(exponent, int):
        raise ParseError(f"not a finite decimal: {text!r}")
    return max(0, -exponent)


def fixed_from_number(value: int | float | Decimal | str, decimals: int, what: str = "value") -> int:
    """An exact count of 10**-decimals from whatever a user writes; a float counts as its shortest text (0.1 is "0.1").

    Raises: ParseError: not a finite number, or finer than `decimals`; the message says by how much.
    """
    plain: object = value.item() if hasattr(value, "item") else value  # numpy scalars
    if isinstance(plain, bool) or not isinstance(plain, (int, float, Decimal, str)):
        raise ParseError(f"{what} is not a number: was {plain!r} ({type(plain).__name__})")
    value = plain
    if isinstance(value, int):
        return int(value * 10**decimals)
    text = repr(value) if isinstance(value, float) else str(value)
    try:
        return fixed_from_text(text, decimals)
    except ParseError as e:
        raise ParseError(f"{what} {e}") from None


def text_from_fixed(units: int, decimals: int) -> str:
    """The exact text of a fixed number: (10025, 2) -> "100.25"."""
    return format(decimal_from_fixed(units, decimals), "f")


def decimal_from_fixed(units: int, decimals: int) -> Decimal:
    """The exact Decimal of a fixed number; it keeps its trailing zeros."""
    return MONEY.scaleb(Decimal(units), -decimals)

"""Exact numbers, converted in one place.

Prices and quantities are int64 at an instrument's own decimals (100.25 with two decimals is 10025); money is a Python
int at the ledger's decimals and a Decimal when read. Each value stays at or below 2**53 units, so that the float a
strategy reads is the correctly rounded one; up to 2**52 it gives the int back without loss (above, two neighbouring
counts may share a float: 9007199254740990 and ...89 at 15 decimals do).
"""

import re
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
from fractions import Fraction
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

DIGITS_MAX = MONEY.prec
"""The longest number, in digits before and after the point together, that is read: a text cannot ask for more work."""

Number = int | float | Decimal | str
"""What a user may write where a number is meant."""

# Decimal() also takes underscores, blanks and the digits of other scripts, which in a data file are damage.
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")


def exact_decimal(text: str) -> Decimal:
    """The value of a number's text, exactly, trailing zeros stripped.

    Raises: ParseError: not a finite decimal, or longer than DIGITS_MAX digits when written out.
    """
    if not _DECIMAL.fullmatch(text):
        raise ParseError(f"not a finite decimal: {_shown(text)}")
    try:
        value = MONEY.normalize(Decimal(text))
    except ArithmeticError:
        raise ParseError(f"longer than {DIGITS_MAX} digits: {_shown(text)}") from None
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -DIGITS_MAX or value.adjusted() >= DIGITS_MAX:
        raise ParseError(f"longer than {DIGITS_MAX} digits: {_shown(text)}")
    return value


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 80 else f"{text[:40]!r}... ({len(text)} characters)"


def fixed_from_text(text: str, decimals: int) -> int:
    """An exact count of 10**-decimals: ("100.25", 2) -> 10025.

    Raises: ParseError: not a finite decimal, finer than `decimals`, or longer than DIGITS_MAX digits.
    """
    scaled = exact_decimal(text).scaleb(decimals, MONEY)
    units = int(scaled)
    if scaled != units:
        raise ParseError(f"finer than {decimals} decimals: {_shown(text)}")
    return units


def decimals_of(text: str) -> int:
    """How many decimals a number's text needs, trailing zeros stripped: "1.500" -> 1, "2e3" -> 0.

    Raises: ParseError: not a finite decimal.
    """
    return fraction_digits(exact_decimal(text))


def fraction_digits(value: Decimal) -> int:
    """How many decimals a finite value needs, trailing zeros stripped."""
    exponent = MONEY.normalize(value).as_tuple().exponent
    return max(0, -int(exponent))


def number_text(value: Number, what: str = "value") -> str:
    """The exact text of whatever a user writes; a float counts as its shortest text (0.1 is "0.1").

    Raises: ParseError: a truth value, an array, or no number at all. (A text is passed on as it is.)
    """
    plain: object = value
    if getattr(getattr(value, "dtype", None), "kind", "") in "iuf" and getattr(value, "shape", None) == ():
        plain = value.item()  # type: ignore[union-attr]  # a numpy scalar, known without importing numpy
    if isinstance(plain, bool) or not isinstance(plain, (int, float, Decimal, str)):
        raise ParseError(f"{what} is not a number: was {_shown(repr(plain))} ({type(plain).__name__})")
    if isinstance(plain, int):
        if plain.bit_length() > 4 * DIGITS_MAX:  # before str(), whose time grows with the square of the length
            raise ParseError(f"{what} longer than {DIGITS_MAX} digits: has {plain.bit_length()} bits")
        return str(int(plain))
    return float.__repr__(plain) if isinstance(plain, float) else str(plain)


def fixed_from_number(value: Number, decimals: int, what: str = "value") -> int:
    """An exact count of 10**-decimals from whatever a user writes.

    Raises: ParseError: not a finite number, or finer than `decimals`; the message says which.
    """
    try:
        return fixed_from_text(number_text(value, what), decimals)
    except ParseError as e:
        raise ParseError(str(e) if str(e).startswith(what) else f"{what} {e}") from None


def exact_fraction(value: Number, what: str = "value") -> Fraction:
    """Whatever a user writes as an exact fraction, to be rounded in a named direction.

    Raises: ParseError: not a finite number.
    """
    try:
        return Fraction(exact_decimal(number_text(value, what)))
    except ParseError as e:
        raise ParseError(str(e) if str(e).startswith(what) else f"{what} {e}") from None


def text_from_fixed(units: int, decimals: int) -> str:
    """The exact text of a fixed number: (10025, 2) -> "100.25"."""
    return format(decimal_from_fixed(units, decimals), "f")


def decimal_from_fixed(units: int, decimals: int) -> Decimal:
    """The exact Decimal of a fixed number; it keeps its trailing zeros."""
    return MONEY.scaleb(Decimal(units), -decimals)

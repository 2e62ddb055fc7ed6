"""Texts of prices and quantities as whole numbers, exactly or not at all."""

from decimal import Decimal
from functools import lru_cache

from lockstep.model.errors import ParseError
from lockstep.model.numbers import fixed_from_text

PRICE_SCALE = 10
"""Decimals that prices written as text are kept at until their instrument is known: enough for every coin, and 9 * 10**8 fits."""
QTY_SCALE = 8
"""The same of quantities: up to 9 * 10**10."""
_MAX = 2**63 - 1
_POWERS = tuple(10**k for k in range(19))


@lru_cache(maxsize=1 << 16)  # the same prices come again and again: it more than halves the time of reading a recording
def units_of(text: str, scale: int) -> int:
    """A decimal text at a number of decimals: ("61800.20", 10) -> 618002000000000.

    Raises: ParseError: not a number, finer than that, or too large for 64 bits.
    """
    whole, _, fraction = text.partition(".")
    digits = whole + fraction
    if len(fraction) > scale or not (digits.isascii() and digits.isdigit()):
        units = fixed_from_text(text, scale)
    else:
        units = int(digits) * _POWERS[scale - len(fraction)]
    if not -_MAX <= units <= _MAX:
        raise ParseError(f"too large for 64 bits at {scale} decimals: {text!r}")
    return units


def units_of_number(value: Decimal | int, scale: int) -> int:
    """The same of a number that JSON wrote without quotes."""
    return units_of(format(value, "f"), scale)

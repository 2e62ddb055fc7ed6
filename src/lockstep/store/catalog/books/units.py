"""Texts of prices and quantities as whole numbers, exactly or not at all."""

from decimal import Decimal
from functools import lru_cache

from lockstep.model.numbers import DECIMALS_MAX, fixed_from_text

PRICE_SCALE = QTY_SCALE = DECIMALS_MAX
"""Decimals that numbers written as text are read at, whatever the instrument: its own are known when all of them are read."""
_POWERS = tuple(10**k for k in range(19))


@lru_cache(maxsize=1 << 16)  # the same prices come again and again: it more than halves the time of reading a recording
def units_of(text: str, scale: int) -> int:
    """A decimal text at a number of decimals: ("61800.20", 4) -> 618002000. Raises: ParseError: not a number, or finer."""
    whole, _, fraction = text.partition(".")
    digits = whole + fraction
    if len(fraction) > scale or not (digits.isascii() and digits.isdigit()):
        units = fixed_from_text(text, scale)
    else:
        units = int(digits) * _POWERS[scale - len(fraction)]
    return units


def units_of_number(value: Decimal | int, scale: int) -> int:
    """The same of a number that JSON wrote without quotes."""
    return units_of(format(value, "f"), scale)

"""Checking numbers where they enter, in Python terms, before typed code takes them.

Compiled code turns 3.9 into 3 and wraps large integers without a word, so every public entry asks here first.
"""

import math
import operator
from typing import SupportsFloat, SupportsIndex

import cython


def finite(name: str, value: SupportsFloat) -> cython.double:
    """Return `value` as a float, or raise.

    Raises: TypeError: not a number (text is not parsed). ValueError: NaN, infinite, or beyond the float range.
    """
    if type(value) is float:  # nearly always
        number: cython.double = value
        if number - number == 0.0:  # false for NaN and both infinities
            return number
    try:
        known = math.isfinite(value)  # refuses text, which float() would parse
    except TypeError as e:
        raise TypeError(f"{name} must be a number, was {value!r} ({type(value).__name__})") from e
    except OverflowError as e:
        raise ValueError(f"{name} is beyond the range of a float: {value!r}") from e
    if not known:
        raise ValueError(f"{name} must be finite, was {value!r}; repair or drop the bar before it gets here")
    return float(value)


def whole(name: str, value: SupportsIndex, low: int, high: int) -> int:
    """Return `value` as an int in low..high, or raise. 3.0 and 3.9 are refused: a length is a whole number.

    Raises: TypeError: not an integer (a bool is not one here). ValueError: out of range.
    """
    if isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, was {value!r} (bool)")
    try:
        number = operator.index(value)
    except TypeError as e:
        raise TypeError(f"{name} must be a whole number, was {value!r} ({type(value).__name__})") from e
    if not low <= number <= high:
        raise ValueError(f"{name} must be from {low} to {high}, was {number}")
    return number


def factor(name: str, value: SupportsFloat) -> float:
    """Return a rescaling factor as a float: finite and above zero."""
    number = finite(name, value)
    if number <= 0.0:
        raise ValueError(f"{name} must be above 0, was {number!r}; a 2:1 split multiplies past prices by 0.5")
    return number

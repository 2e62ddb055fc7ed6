"""The array types of analytics and the checks on them, made once at the entrance.

Two rules hold in the whole room. A *number* that has no value (too few observations, a zero denominator, an overflow)
is `None`, never NaN and never infinite, so that it survives JSON and cannot be averaged by accident. An element of a
*series* that has no value is NaN, so that the series keeps its length.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from lockstep.model.errors import DataError, UsageError

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

ROUNDING = 1e-14
"""Deviations of returns below this are rounding, not risk: a ratio near 1 carries an error of about 2e-16, and the
smallest real move (one cent on a billion) is 1e-11."""


def finite_or_none(value: float | np.floating[Any]) -> float | None:
    """`value` as a plain float, or None where it is NaN or infinite."""
    number = float(value)
    return number if math.isfinite(number) else None


def checked_curve(ts: I64, equity: F64) -> None:
    """Check an equity curve, once, before anything is computed from it.

    Args:    ts: [n], int64 ns UTC, strictly increasing; equity: [n], float64, account currency, finite.
    Raises:  DataError: dtype, shape, order or a value is wrong; the message names the first row at fault.
    """
    _check_column("ts", ts, np.int64)
    _check_column("equity", equity, np.float64)
    check_same_length(ts=ts, equity=equity)
    bad = np.flatnonzero(~np.isfinite(equity))
    if bad.size:
        row = int(bad[0])
        raise DataError(f"equity must be finite: row {row} of {equity.size} is {equity[row]}")
    back = np.flatnonzero(ts[1:] <= ts[:-1])
    if back.size:
        row = int(back[0]) + 1
        raise DataError(
            f"ts must be strictly increasing: row {row} is {ts[row]}, the row before is {ts[row - 1]}",
            hint="keep one equity row (the last) per engine clock",
        )


def checked_level(name: str, value: float) -> float:
    """A fraction strictly between 0 and 1, such as a confidence level.

    Raises:  UsageError: it is not.
    """
    if not 0.0 < value < 1.0:
        raise UsageError(f"{name} must lie between 0 and 1: was {value}", hint="write 0.95 for 95 %")
    return value


def checked_periods(periods_per_year: int) -> int:
    """Observations in a year, such as 252 or 365.

    Raises:  UsageError: not positive.
    """
    if periods_per_year <= 0:
        raise UsageError(
            f"periods_per_year must be positive: was {periods_per_year}", hint="252 for sessions, 365 for 24/7"
        )
    return periods_per_year


def check_same_length(**columns: npt.NDArray[np.generic]) -> None:
    """Raise DataError naming every length unless all columns are one-dimensional and equally long."""
    shapes = {name: column.shape for name, column in columns.items()}
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
        raise DataError("columns must be one-dimensional and equally long: " + str(shapes))


def _check_column(name: str, column: npt.NDArray[np.generic], dtype: type[np.generic]) -> None:
    if column.dtype != dtype:
        raise DataError(f"{name} must be {dtype.__name__}: was {column.dtype}", hint="convert it where it is read")

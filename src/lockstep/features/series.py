"""Plain statistics of a series of numbers, for notebooks and strategies that look at a window now and then.

numpy is imported at the first call that needs it: this module is part of the import of the strategy API.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, SupportsIndex

from lockstep.model.arguments import whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


def average(values: "ArrayLike") -> float:
    """The arithmetic mean, correctly rounded (an exact sum, then one division).

    Raises: ValueError: no values, not finite, not one-dimensional.
    """
    numbers = _numbers(values)
    return math.fsum(numbers) / len(numbers)


def std_dev(values: "ArrayLike", ddof: int = 0) -> float:
    """The standard deviation around the mean; `ddof=0` divides by n (TA-Lib, numpy), `ddof=1` by n - 1 (a sample).

    Raises: ValueError: `ddof` or fewer values, not finite, not one-dimensional.
    """
    numbers = _numbers(values)
    if len(numbers) - whole("ddof", ddof, 0, 1) < 1:
        raise ValueError(f"std_dev with ddof={ddof} needs {ddof + 1} values or more, got {len(numbers)}")
    mean = math.fsum(numbers) / len(numbers)
    return math.sqrt(math.fsum((x - mean) ** 2 for x in numbers) / (len(numbers) - ddof))


def sliding_window(values: "ArrayLike", size: SupportsIndex) -> "NDArray[np.float64]":
    """Every run of `size` consecutive values, as a read-only view without a copy.

    Args:    values: shape [n]. size: 1 to n.
    Returns: [n - size + 1, size]; row i is values[i : i + size].
    Raises:  ValueError: a size outside 1..n, not one-dimensional.
    """
    import numpy as np

    array = np.asarray(values, np.float64)
    if array.ndim != 1:
        raise ValueError(f"values must have one dimension, was of shape {array.shape}")
    return np.lib.stride_tricks.sliding_window_view(array, whole("size", size, 1, len(array)))


def _numbers(values: "ArrayLike") -> Sequence[float]:
    import numpy as np

    array = np.asarray(values, np.float64)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"values must be a non-empty series of one dimension, was of shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"values must be finite, was {float(array[~np.isfinite(array)][0])!r} at one place or more")
    numbers: list[float] = array.tolist()
    return numbers

"""Fewer points for a chart, without losing what the eye looks for: the extremes and both ends."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["POINTS_MAX", "keep_extremes", "keep_spread"]

POINTS_MAX = 2_000


def keep_extremes(values: NDArray[np.float64], points_max: int = POINTS_MAX) -> NDArray[np.int64]:
    """Positions to draw: first, lowest, highest and last of equal buckets, so that no peak or trough is lost.

    Args:    values: shape [n]; NaN is passed over (a bucket of NaN alone keeps its ends).
    Returns: rising positions, at most `points_max` of them; all n when n is not larger.
    Source:  the min/max bucket rule ("M4": Jugel et al. 2014, "M4: A Visualization-Oriented Time Series Data
             Aggregation"), which draws the same pixels as the full line when there is a bucket per pixel column.
    """
    n = len(values)
    if n <= points_max:
        return np.arange(n, dtype=np.int64)
    edges = np.linspace(0, n, max(points_max // 4, 1) + 1).astype(np.int64)
    low = np.where(np.isnan(values), np.inf, values)
    high = np.where(np.isnan(values), -np.inf, values)
    kept: set[int] = set()
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if start < end:
            kept |= {start, start + int(low[start:end].argmin()), start + int(high[start:end].argmax()), end - 1}
    return np.array(sorted(kept), dtype=np.int64)


def keep_spread(n: int, points_max: int = POINTS_MAX) -> NDArray[np.int64]:
    """Positions of at most `points_max` of n marks, evenly spread, both ends kept."""
    if n <= points_max:
        return np.arange(n, dtype=np.int64)
    return np.unique(np.linspace(0, n - 1, points_max).astype(np.int64))

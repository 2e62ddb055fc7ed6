"""Drawdowns: how far and how long an equity curve lay below its highest point so far.

A drawdown is a negative fraction of the peak; below -1 the account owes money. An episode begins at the last row at
the peak, and ends at the first row at or above it. Source: Magdon-Ismail and Atiya (2004), "Maximum drawdown", Risk
17(10); Bacon (2008), ch. 4, for duration and recovery.
"""

import msgspec
import numpy as np

from lockstep.analytics.arrays import F64, I64, Bools, checked_curve
from lockstep.model.errors import UsageError


class Drawdown(msgspec.Struct, frozen=True, kw_only=True):
    """One episode below a peak. Times are int64 ns UTC, lengths ns.

    depth:       trough / peak - 1, negative.
    recovery_ts: None where the curve ends below the peak; then `recovery_ns` is None too and `duration_ns` runs to
                 the last row.
    decline_ns:  peak to trough; recovery_ns: trough to recovery; duration_ns: peak to recovery.
    """

    depth: float
    peak_ts: int
    trough_ts: int
    recovery_ts: int | None
    peak_equity: float
    trough_equity: float
    decline_ns: int
    recovery_ns: int | None
    duration_ns: int


def running_peak(equity: F64, initial_equity: float | None = None) -> F64:
    """[n], the highest equity up to and including each row; `initial_equity` is a peak before the first row."""
    peak = np.maximum.accumulate(equity)
    return peak if initial_equity is None else np.maximum(peak, initial_equity)


def underwater(equity: F64, initial_equity: float | None = None) -> F64:
    """equity / running peak - 1 at each row.

    Args:    equity: [n], account currency; initial_equity: the capital before the first row.
    Returns: [n], 0.0 at a peak and negative below; NaN while no positive peak has been seen.
    """
    peak = running_peak(equity, initial_equity)
    result = np.full(equity.shape, np.nan)
    np.divide(equity, peak, out=result, where=peak > 0.0)
    return result - 1.0


def max_drawdown(equity: F64, initial_equity: float | None = None) -> float | None:
    """The deepest value of `underwater`: 0.0 if equity never fell; None for an empty or never positive curve."""
    depth = underwater(equity, initial_equity)
    depth = depth[~np.isnan(depth)]
    return float(depth.min()) if depth.size else None


def largest_drawdowns(
    ts: I64, equity: F64, count: int = 5, initial_equity: float | None = None
) -> tuple[Drawdown, ...]:
    """The `count` deepest episodes, deepest first; of equal depth the earlier one first.

    Args:    ts: [n], ns UTC, strictly increasing; equity: [n]; count: 0 or more; initial_equity: the capital before
             the first row: a curve that opens below it has its peak at ts[0].
    Raises:  DataError: a bad curve; UsageError: a negative count.
    """
    checked_curve(ts, equity)
    if count < 0:
        raise UsageError(f"count must not be negative: was {count}")
    depth = np.nan_to_num(underwater(equity, initial_equity), nan=0.0)
    starts, ends = _episodes(depth < 0.0)
    if starts.size == 0:
        return ()
    deepest = np.argsort(np.minimum.reduceat(depth, starts), kind="stable")[:count]
    peak = running_peak(equity, initial_equity)
    return tuple(_episode(ts, equity, depth, peak, int(starts[k]), int(ends[k])) for k in deepest)


def longest_drawdown_ns(ts: I64, equity: F64, initial_equity: float | None = None) -> int:
    """The longest time from a peak to its recovery, or to the last row where there was none; 0 without drawdown."""
    checked_curve(ts, equity)
    starts, ends = _episodes(np.nan_to_num(underwater(equity, initial_equity), nan=0.0) < 0.0)
    if starts.size == 0:
        return 0
    until = ts[np.minimum(ends, ts.size - 1)]
    return int(np.max(until - ts[np.maximum(starts - 1, 0)]))


def _episodes(below: Bools) -> tuple[I64, I64]:
    """First row below and first row no longer below (n where the curve ends below), per episode."""
    edges = np.diff(below.astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def _episode(ts: I64, equity: F64, depth: F64, peak: F64, start: int, end: int) -> Drawdown:
    trough = start + int(np.argmin(depth[start:end]))
    peak_ts, trough_ts = int(ts[max(start - 1, 0)]), int(ts[trough])
    recovery_ts = int(ts[end]) if end < ts.size else None
    return Drawdown(
        depth=float(depth[trough]),
        peak_ts=peak_ts,
        trough_ts=trough_ts,
        recovery_ts=recovery_ts,
        peak_equity=float(peak[start]),
        trough_equity=float(equity[trough]),
        decline_ns=trough_ts - peak_ts,
        recovery_ns=None if recovery_ts is None else recovery_ts - trough_ts,
        duration_ns=(int(ts[-1]) if recovery_ts is None else recovery_ts) - peak_ts,
    )

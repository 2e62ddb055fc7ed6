"""From one equity row per engine clock to one per calendar day.

Daily statistics are comparable across strategies of any bar size only when they are taken from the same grid, hence
the resampling: the last value of each local calendar day. A bar is known at its end, so a row stamped exactly at
local midnight closes the day that has just ended: a day is the interval (midnight, next midnight].
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np

from lockstep.analytics.arrays import F64, I64, checked_curve
from lockstep.model.errors import UsageError, did_you_mean
from lockstep.model.numbers import NANOS_PER_DAY, NANOS_PER_SECOND

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class DailyEquity:
    """The equity at the end of each day.

    day:    [d], days since 1970-01-01 in the calendar's zone, strictly increasing.
    equity: [d], account currency, the last value of the day.
    base:   the equity the first day is measured from; None when nothing is known before the first day's only row,
            and then that row is the base and the first day has no return.
    """

    day: I64
    equity: F64
    base: float | None

    @property
    def levels(self) -> F64:
        """Base and daily equity in one series: [r + 1] for r daily returns."""
        return self.equity if self.base is None else np.concatenate(([self.base], self.equity))

    @property
    def return_day(self) -> I64:
        """[r], the day of each daily return."""
        return self.day[1:] if self.base is None else self.day


def daily_equity(
    ts: I64, equity: F64, *, timezone: str, always_open: bool, initial_equity: float | None = None
) -> DailyEquity:
    """Resample an equity curve to the last value of each local calendar day.

    Args:    ts: [n], int64 ns UTC, strictly increasing, the end of the interval each row stands for (pass event time,
             not arrival: milliseconds of modelled feed latency would push a midnight bar into the next day);
             equity: [n], finite; timezone: IANA name; always_open: fill days without rows from the day before;
             initial_equity: the capital before the first row. Without it the first row is the base, and the first
             day has a return only where it has more rows than that one.
    Returns: days and their last equity; empty for an empty curve.
    Raises:  DataError: a bad curve; UsageError: an unknown timezone, initial_equity not positive.
    """
    checked_curve(ts, equity)
    if initial_equity is not None and not initial_equity > 0.0:
        raise UsageError(f"initial_equity must be positive: was {initial_equity}")
    day_of_row = local_days(ts, timezone)
    last = np.flatnonzero(np.diff(day_of_row, append=np.iinfo(np.int64).max))
    day, value = day_of_row[last], equity[last]
    base = initial_equity
    if base is None and last.size and last[0] > 0:
        base = float(equity[0])
    if always_open and day.size:
        every = np.arange(day[0], day[-1] + 1, dtype=np.int64)
        value = value[np.searchsorted(day, every, side="right") - 1]
        day = every
    return DailyEquity(day, value, base)


def local_days(ts: I64, timezone: str) -> I64:
    """The local calendar day, in days since 1970-01-01, that each row closes or lies in.

    Args:    ts: [n], int64 ns UTC, increasing; timezone: IANA name.
    Returns: [n], non-decreasing. Exactly midnight belongs to the day before.
    Raises:  UsageError: unknown timezone.
    """
    if ts.size == 0:
        return np.empty(0, dtype=np.int64)
    starts_ns, offsets_ns = _utc_offsets(int(ts[0]), int(ts[-1]), timezone)
    first_row = np.searchsorted(ts, starts_ns)
    first_row[0] = 0
    rows = np.diff(first_row, append=ts.size)
    days: I64 = (ts + np.repeat(offsets_ns, rows) - 1) // NANOS_PER_DAY
    # Some zones set the clock back just after midnight (Newfoundland at 00:01 until 2011): a day never starts twice.
    return np.maximum.accumulate(days)


def _utc_offsets(first_ns: int, last_ns: int, timezone: str) -> tuple[I64, I64]:
    """Instants (ns UTC) from which an offset (ns) holds, found by bisecting the days on which it changes.

    zoneinfo does not show its transitions, and asking it for every row costs a microsecond each. Two changes that
    cancel within one day would be missed; no zone has had such.
    """
    if timezone == "UTC":
        return np.array([first_ns]), np.array([0])
    zone = _zone(timezone)

    def offset(at_s: int) -> int:
        delta = datetime.fromtimestamp(at_s, tz=UTC).astimezone(zone).utcoffset()
        return 0 if delta is None else delta.days * _DAY_S + delta.seconds

    low, end = first_ns // NANOS_PER_SECOND, last_ns // NANOS_PER_SECOND + 1
    changes = [(low, offset(low))]
    while low < end:
        high = min(low + _DAY_S, end)
        after = offset(high)
        if after != changes[-1][1]:
            before, found = low, high
            while found - before > 1:
                middle = (before + found) // 2
                before, found = (middle, found) if offset(middle) == changes[-1][1] else (before, middle)
            changes.append((found, after))
        low = high
    table = np.array(changes, dtype=np.int64) * NANOS_PER_SECOND
    return table[:, 0], table[:, 1]


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as e:
        raise UsageError(
            f"unknown timezone {timezone!r}", hint=did_you_mean(timezone, available_timezones() | {"UTC"})
        ) from e

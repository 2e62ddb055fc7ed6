"""From the times a file writes to the start and end of each bar, ns UTC."""

from datetime import UTC, date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import DataError
from lockstep.model.numbers import NANOS_PER_DAY, NANOS_PER_SECOND
from lockstep.model.sessions import Session
from lockstep.model.timeframe import timeframe_text

NANOS_PER_HOUR = 3600 * NANOS_PER_SECOND
FEW_STEPS = 5
WEEKEND_DAYS_MAX = 4
"""A handful of dates further apart than a day are still days, if a long weekend explains one of the steps."""
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
Times = NDArray[np.int64]


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How a file's times are meant. daily: calendar days, to be stamped with the session's hours. zone: of the times."""

    bar_ns: int
    daily: bool
    at_end: bool
    zone: str

    def bounds(self, t: Times, session: Session, known_days: dict[int, tuple[int, int]]) -> tuple[Times, Times]:
        """Start and end of each bar; known_days is a cache of the session's days, shared by all windows."""
        if self.daily:
            return _days(t, session, known_days)
        utc = t if self.zone == "UTC" else utc_of(t, ZoneInfo(self.zone))
        if self.at_end:
            return utc - self.bar_ns, utc
        return utc, utc + self.bar_ns


def _days(t: Times, session: Session, known: dict[int, tuple[int, int]]) -> tuple[Times, Times]:
    days, which = np.unique(t // NANOS_PER_DAY, return_inverse=True)
    for day in days.tolist():
        if day not in known:
            known[day] = session.daily_bar_bounds(date.fromordinal(EPOCH_ORDINAL + day))
    bounds = np.array([known[day] for day in days.tolist()], np.int64)
    return bounds[which, 0], bounds[which, 1]


def utc_of(t: Times, zone: ZoneInfo) -> Times:
    """Local times to UTC, hour by hour; of an hour that comes twice, the first."""
    hours, which = np.unique(t // NANOS_PER_HOUR, return_inverse=True)
    shifts = [_offset_ns(hour * 3600, zone) for hour in hours.tolist()]
    shifted: Times = t - np.array(shifts, np.int64)[which]
    return shifted


def _offset_ns(local_seconds: int, zone: ZoneInfo) -> int:
    local = datetime.fromtimestamp(local_seconds, UTC).replace(tzinfo=zone)
    offset = local.utcoffset()
    return int(offset.total_seconds()) * NANOS_PER_SECOND if offset is not None else 0


class Steps(NamedTuple):
    """Forward steps between neighbouring times of one symbol, ns. common: the smaller of two as common; 0: no step; number: of steps."""

    common: int
    smallest: int
    number: int


def steps_of(symbols: NDArray[np.object_], t: Times) -> Steps:
    """The steps in times that lie by symbol."""
    steps = np.diff(t)[symbols[1:] == symbols[:-1]]
    values, counts = np.unique(steps[steps > 0], return_counts=True)
    if not len(values):
        return Steps(0, 0, 0)
    return Steps(int(values[np.argmax(counts)]), int(values[0]), int(counts.sum()))


def timing_of(
    steps: Steps, all_midnight: bool, at_end: bool, zone: str, where: str, length_ns: int | None = None
) -> Timing:
    """What the steps of a file say about its bars.

    Args:   all_midnight: every time is at 00:00 as written. length_ns: of a bar, where the caller says it.
    Raises: DataError: bars longer than a day, or a single intraday bar, whose length cannot be known.
    """
    days = length_ns is None or length_ns == NANOS_PER_DAY
    if all_midnight and days and (steps.number == 0 or steps.common >= NANOS_PER_DAY):
        few = steps.number < FEW_STEPS and steps.smallest <= WEEKEND_DAYS_MAX * NANOS_PER_DAY
        if steps.common > NANOS_PER_DAY and not few:
            raise DataError(
                f"{where}: bars of {steps.common // NANOS_PER_DAY} days: the longest supported bar is one day",
                hint="give daily bars",
            )
        if at_end:
            raise DataError(
                f"{where}: daily bars named by the time they end: that midnight could mean either day",
                hint="name the column date, and write the day the bar is about",
            )
        return Timing(bar_ns=NANOS_PER_DAY, daily=True, at_end=False, zone=zone)
    if length_ns is not None:
        if steps.number and steps.common < length_ns:
            raise DataError(
                f"{where}: bars of {timeframe_text(length_ns)} asked for, but most are {timeframe_text(steps.common)} apart",
                hint="leave --timeframe out, or give the right one",
            )
        return Timing(bar_ns=length_ns, daily=False, at_end=at_end, zone=zone or "UTC")
    if steps.number == 0:
        raise DataError(
            f"{where}: a single bar: its length cannot be known",
            hint="give at least two bars, or say it with --timeframe",
        )
    if steps.common > NANOS_PER_DAY:
        raise DataError(f"{where}: bars {steps.common // NANOS_PER_HOUR} hours apart: the longest supported is one day")
    return Timing(bar_ns=steps.common, daily=False, at_end=at_end, zone=zone or "UTC")

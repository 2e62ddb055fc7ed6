"""From the times a file writes to the start and end of each bar, ns UTC."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import DataError
from lockstep.model.numbers import NANOS_PER_DAY, NANOS_PER_SECOND
from lockstep.model.sessions import Session

NANOS_PER_HOUR = 3600 * NANOS_PER_SECOND
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
        utc = t if self.zone == "UTC" else _to_utc(t, ZoneInfo(self.zone))
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


def _to_utc(t: Times, zone: ZoneInfo) -> Times:
    """Local times to UTC, hour by hour; of an hour that comes twice, the first."""
    hours, which = np.unique(t // NANOS_PER_HOUR, return_inverse=True)
    shifts = [_offset_ns(hour * 3600, zone) for hour in hours.tolist()]
    shifted: Times = t - np.array(shifts, np.int64)[which]
    return shifted


def _offset_ns(local_seconds: int, zone: ZoneInfo) -> int:
    local = datetime.fromtimestamp(local_seconds, UTC).replace(tzinfo=zone)
    offset = local.utcoffset()
    return int(offset.total_seconds()) * NANOS_PER_SECOND if offset is not None else 0


def step_of(symbols: NDArray[np.object_], t: Times) -> int | None:
    """The commonest step between neighbouring times of one symbol, ns; the smaller of two as common. None: no step."""
    steps = np.diff(t)[symbols[1:] == symbols[:-1]]
    values, counts = np.unique(steps[steps > 0], return_counts=True)
    return int(values[np.argmax(counts)]) if len(values) else None


def timing_of(step_ns: int | None, all_midnight: bool, at_end: bool, zone: str, where: str) -> Timing:
    """What the steps of a file say about its bars.

    Args:   all_midnight: every time is at 00:00 as written.
    Raises: DataError: bars longer than a day, or a single intraday bar, whose length cannot be known.
    """
    if all_midnight and (step_ns is None or step_ns >= NANOS_PER_DAY):
        if step_ns is not None and step_ns > NANOS_PER_DAY:
            raise DataError(
                f"{where}: bars of {step_ns // NANOS_PER_DAY} days: the longest supported bar is one day",
                hint="give daily bars",
            )
        if at_end:
            raise DataError(
                f"{where}: daily bars named by the time they end: that midnight could mean either day",
                hint="name the column date, and write the day the bar is about",
            )
        return Timing(bar_ns=NANOS_PER_DAY, daily=True, at_end=False, zone=zone)
    if step_ns is None:
        raise DataError(f"{where}: a single bar: its length cannot be known", hint="give at least two bars")
    if step_ns > NANOS_PER_DAY:
        raise DataError(f"{where}: bars {step_ns // NANOS_PER_HOUR} hours apart: the longest supported is one day")
    return Timing(bar_ns=step_ns, daily=False, at_end=at_end, zone=zone or "UTC")

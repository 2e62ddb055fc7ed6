"""Holes in a history, measured against the session calendar.

The rule: time between two bars is a gap where the session was open in it, and is as long as that open time. A calendar of weekly windows knows no
holidays, so that whole missing sessions count only where the two bars lie more than four calendar days apart (a long
weekend with a holiday is four). An early close counts as a gap: the calendar does not know it.
"""

import numpy as np
from numpy.typing import NDArray

from lockstep.model.numbers import NANOS_PER_DAY
from lockstep.model.sessions import Session

HOLIDAY_DAYS_MAX = 4
Times = NDArray[np.int64]


class SessionHours:
    """Every session of a calendar between two times, as arrays; built once for all instruments of a file."""

    def __init__(self, session: Session, first_ns: int, last_ns: int) -> None:
        self.always_open = session.always_open
        found = [] if self.always_open else session.bounds(first_ns, last_ns)
        bounds = np.array(found or [(first_ns, first_ns)], np.int64)
        self.opens, self.closes = bounds[:, 0].copy(), bounds[:, 1].copy()
        self.open_before = np.concatenate(([0], np.cumsum(self.closes - self.opens)))

    def session_at(self, ts: Times) -> NDArray[np.intp]:
        """The number of the last session that opened at or before each time; 0 before the first."""
        return np.maximum(np.searchsorted(self.opens, ts, side="right") - 1, 0)

    def is_open(self, ts: Times) -> NDArray[np.bool_]:
        """Whether each time lies inside a session; never asked where there is no closing time."""
        session = self.session_at(ts)
        open_now: NDArray[np.bool_] = (ts >= self.opens[session]) & (ts < self.closes[session])
        return open_now


class GapCount:
    """Counts the gaps of one history, window by window. hours: of a range no bar lies outside of."""

    def __init__(self, hours: SessionHours, *, daily: bool) -> None:
        self.gaps = 0
        self.longest_ns = 0
        self.outside = 0
        self._hours = hours
        self._always = hours.always_open
        self._opens, self._closes, self._open_before = hours.opens, hours.closes, hours.open_before
        self._daily = daily
        self._before: int | None = None

    def add(self, ts_open: Times, ts_event: Times) -> None:
        """Take the next bars in; times are strictly rising."""
        ends = ts_event[:-1]
        starts = ts_open[1:]
        if self._before is not None:
            ends = np.concatenate(([self._before], ends))
            starts = ts_open
        self._before = int(ts_event[-1])
        hole = starts > ends
        if not self._always:
            self.outside += int(np.count_nonzero(~self._hours.is_open(ts_open)))
        missing = self._missing(ends[hole], starts[hole])
        if len(missing):
            self.gaps += len(missing)
            self.longest_ns = max(self.longest_ns, int(missing.max()))

    def _elapsed(self, ts: Times) -> tuple[Times, NDArray[np.bool_]]:
        """Nanoseconds the session was open up to ts, and whether ts lies outside or at the edge of a session."""
        session = self._hours.session_at(ts)
        length = self._closes[session] - self._opens[session]
        inside = np.clip(ts - self._opens[session], 0, length)
        return self._open_before[session] + inside, (inside == 0) | (inside == length)

    def _missing(self, ends: Times, starts: Times) -> Times:
        """Session time in each hole that counts as a gap."""
        if self._always:
            return starts - ends
        until, whole_until = self._elapsed(starts)
        since, whole_since = self._elapsed(ends)
        open_time: Times = until - since
        far = starts // NANOS_PER_DAY - ends // NANOS_PER_DAY > HOLIDAY_DAYS_MAX
        return open_time[(open_time > 0) & (far | ~(self._daily | (whole_until & whole_since)))]

"""Splits and cash dividends: what they are in a table, and where they come among the bars."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from lockstep.model.enums import CorporateAction, EventKind
from lockstep.model.numbers import NANOS_PER_SECOND
from lockstep.model.record import MARKET_EVENT, Records
from lockstep.model.sessions import Session


class Action(NamedTuple):
    """ex_day: the first session without the right. p0, p1: new and old shares, or cash per share and its decimals."""

    ex_day: date
    kind: CorporateAction
    p0: int
    p1: int


class ActionMerge:
    """Puts actions before the first bar of their ex-date (or of the next date there is), window by window.

    An action's clock is the open of that bar. Where the bar before ends at that very moment, the clock is one
    nanosecond later: the old bar is still priced in old shares. Actions outside the data are left out.
    """

    def __init__(self, actions: Sequence[Action], session: Session) -> None:
        zone = ZoneInfo(session.timezone)
        self._pending = sorted(actions, key=lambda action: (action.ex_day, action.kind))
        self._from = [
            int(datetime(a.ex_day.year, a.ex_day.month, a.ex_day.day, tzinfo=zone).timestamp()) * NANOS_PER_SECOND
            for a in self._pending
        ]
        self._next = 0
        self._before_ns: int | None = None
        self.seen: Counter[CorporateAction] = Counter()

    def merge(self, bars: Records) -> Records:
        """The same bars with the actions among them; seq is not set yet. Windows must come in order."""
        opens: NDArray[np.int64] = bars["ts_open"]
        if self._before_ns is None:  # before the first bar nobody holds anything
            self._next = bisect_right(self._from, int(opens[0]))
        places, found = [], []
        while self._next < len(self._from) and self._from[self._next] <= opens[-1]:
            place = int(np.searchsorted(opens, self._from[self._next]))
            before = int(bars["clock"][place - 1]) if place else self._before_ns
            found.append(self._record(self._pending[self._next], int(opens[place]), before))
            places.append(place)
            self._next += 1
        self._before_ns = int(bars["clock"][-1])
        if not found:
            return bars
        merged: Records = np.insert(bars, places, np.concatenate(found))
        return merged

    def _record(self, action: Action, open_ns: int, before_ns: int | None) -> Records:
        clock = open_ns if before_ns is None or before_ns < open_ns else before_ns + 1
        record = np.zeros(1, MARKET_EVENT)
        record["clock"] = record["ts_event"] = clock
        record["ts_open"] = open_ns
        record["kind"], record["aux"] = EventKind.CORPORATE_ACTION, action.kind
        record["p0"], record["p1"] = action.p0, action.p1
        self.seen[action.kind] += 1
        return record

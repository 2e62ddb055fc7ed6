"""The hours of a run as a filter on its events: what happens while the market is closed is not seen at all.

The rule: what happens counts if its time is at or after the open and before the close; a bar, if its last moment is (an
hourly bar from 9:00 holds the half hour after the open, one from 15:30 ends when the market is closed). Corporate actions
always pass.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from lockstep.model.enums import EventKind
from lockstep.model.numbers import NANOS_PER_DAY
from lockstep.model.record import Records
from lockstep.model.sessions import Session

AHEAD_NS = 100 * NANOS_PER_DAY  # how far the calendar is worked out at a time
I64 = NDArray[np.int64]


class OpenHours:
    """Drops the events of one instrument that happen outside a session's hours, and counts them.

    Attributes: kept: market events that passed; bars, ticks: those dropped, bars and all others.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.kept = 0
        self.bars = 0
        self.ticks = 0
        self._from = self._until = 0
        self._opens: I64 = np.empty(0, np.int64)
        self._closes = self._opens

    @property
    def left_out(self) -> int:
        """Market events dropped so far."""
        return self.bars + self.ticks

    def within(self, chunks: Iterable[Records]) -> Iterator[Records]:
        """The chunks without what lies outside, as fresh arrays; empty ones are left out."""
        for records in chunks:
            inside = self.keep(records)
            if len(inside):
                yield inside

    def keep(self, records: Records) -> Records:
        """The records that pass; the same array where all do."""
        kind = records["kind"]
        is_action = kind == int(EventKind.CORPORATE_ACTION)
        if not len(records) or self.session.always_open:
            self.kept += int(np.count_nonzero(~is_action))
            return records
        is_bar = kind == int(EventKind.BAR)
        moment: I64 = records["ts_event"] - is_bar  # a bar ends where the next begins
        self._look(int(moment.min()), int(moment.max()))
        session = np.searchsorted(self._opens, moment, side="right") - 1
        open_now = (session >= 0) & (moment < self._closes[session])
        self.kept += int(np.count_nonzero(open_now & ~is_action))
        self.bars += int(np.count_nonzero(is_bar & ~open_now))
        self.ticks += int(np.count_nonzero(~is_bar & ~is_action & ~open_now))
        keep = open_now | is_action
        return records if keep.all() else records[keep]

    def _look(self, first_ns: int, last_ns: int) -> None:
        if self._from <= first_ns and last_ns <= self._until:
            return
        self._from, self._until = first_ns, last_ns + AHEAD_NS
        bounds = np.array(self.session.bounds(self._from, self._until), np.int64).reshape(-1, 2)
        self._opens, self._closes = bounds[:, 0].copy(), bounds[:, 1].copy()

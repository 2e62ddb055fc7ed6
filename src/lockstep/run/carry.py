"""A missing bar, carried: who has no bar at a clock where others of the same length have one gets its last price again.

The rule, where a run asks for it: the bar has one price, the last close, and no volume; indicators, windows and on_bar take
it like any other, and `bar.is_carried` tells. It comes after what did happen at that clock. The venue never sees it, so
nothing is filled by it. Nobody is given one before its first bar, while its market is closed, or for a bar that is only late (made
of ticks that were received late). After its last bar it goes on: nobody knows at the time that it was the last.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import cython
import numpy as np

if cython.compiled:
    from cython.cimports.lockstep.engine.engine import Engine
    from cython.cimports.lockstep.model.rows import EventRows
    from cython.cimports.lockstep.run.source import MergedSource, Stream
    from cython.cimports.lockstep.sim.market import Market
    from cython.cimports.lockstep.sim.venue import Venue
else:
    from lockstep.engine.engine import Engine
    from lockstep.model.rows import EventRows
    from lockstep.run.source import MergedSource, Stream
    from lockstep.sim.market import Market
    from lockstep.sim.venue import Venue
from lockstep.model.enums import EventKind
from lockstep.model.record import CARRIED, MARKET_EVENT

_BAR = cython.declare(cython.int, int(EventKind.BAR))
_FLAG = cython.declare(cython.longlong, CARRIED << 8)
_NEVER = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)


@cython.final
@cython.cclass
class Carrier(EventRows):
    """What each stream's last bar was, and the one row in which a carried bar is shown. carried: how many so far.

    last: of each stream (length ns, close, head word, ts_open), or None before its first bar.
    """

    streams: list[Stream]
    last: list[tuple[int, int, int, int] | None]
    carried: cython.longlong

    def __init__(self, streams: Sequence[Stream]) -> None:
        self.streams = list(streams)
        self.last = [None] * len(self.streams)
        self.carried = 0
        self.row = np.zeros(1, MARKET_EVENT)
        self.hold(self.row)
        self.row = self.row.view(np.int64)

    def save(self) -> dict[str, Any]:
        """What to carry, for a snapshot."""
        return {"last": [entry and list(entry) for entry in self.last], "carried": self.carried}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from `save`, over the same streams."""
        self.last = [entry and tuple(entry) for entry in saved["last"]]
        self.carried = saved["carried"]

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def note(self, source: MergedSource) -> cython.int:
        """Remember the bars of the group, which are about to be passed."""
        stream: Stream
        k: cython.Py_ssize_t
        for k in range(len(source.group)):
            stream = cython.cast(Stream, source.group[k])
            place = source.places[k] if source.leaves > 1 else 0
            opened = stream.w[stream.at, 9]
            self.last[place] = (stream.w[stream.at, 1] - opened, stream.w[stream.at, 7], stream.w[stream.at, 3], opened)
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def complete(self, engine: Engine, venue: Venue, source: MergedSource, clock: cython.longlong) -> cython.int:
        """After the bars of a clock were shown: those that are missing, in the streams' order."""
        stream: Stream
        k: cython.Py_ssize_t
        self.note(source)
        opens = {}
        for entry in source.group:
            stream = cython.cast(Stream, entry)
            opens[stream.w[stream.at, 1] - stream.w[stream.at, 9]] = stream.w[stream.at, 9]
        for k in range(len(self.streams)):
            stream = cython.cast(Stream, self.streams[k])
            last = self.last[k]
            if last is None or last[0] not in opens:
                continue
            length, close, head, before = last
            opened = opens[length]
            late: cython.bint = stream.clock != _NEVER and stream.kind == _BAR and stream.w[stream.at, 9] <= opened
            if before >= opened or late:
                continue
            market: Market = cython.cast(Market, venue.markets[stream.instrument])
            if market.is_open(opened):
                self.last[k] = (length, close, head, opened)
                self.row[:] = (clock, opened + length, 0, head | _FLAG, close, close, close, close, 0, opened)
                self.carried += 1
                engine.on_market(self, 0)
        return 0

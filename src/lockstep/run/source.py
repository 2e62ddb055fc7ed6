"""Market events of any number of instruments, merged in the total order: (clock, kind, instrument, sequence).

Data comes in chunks and is read where it lies; memory does not grow with history. The heads of the streams stand in a
tournament: each knot of a binary tree names the earlier of the two below it, so the next event costs a climb from one leaf
to the root, and bars of one clock, however many, are found and passed in one walk over the tree.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.model.rows import EventRows
else:
    from lockstep.model.rows import EventRows
import numpy as np

from lockstep.model.enums import EventKind
from lockstep.model.errors import DataError, StateError
from lockstep.model.record import BOOK_LAST, Records
from lockstep.sim.drawn import FeedDraws

_ACTION = int(EventKind.CORPORATE_ACTION)
_BOOK = cython.declare(cython.longlong, int(EventKind.BOOK))
_LAST_FLAG = cython.declare(cython.longlong, BOOK_LAST)
_NEVER = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)


@cython.final
@cython.cclass
class Stream(EventRows):
    """One instrument's events: w and f are the present chunk as int64 and float64 words, `at` the next row."""

    at: cython.Py_ssize_t
    size: cython.Py_ssize_t
    chunks: Iterator[Records]
    name: str
    instrument: cython.int
    rows: cython.longlong
    clock: cython.longlong
    kind: cython.longlong
    shift: cython.longlong
    last_clock: cython.longlong
    to_venue: cython.bint
    by_event: cython.bint
    draws: Any
    heard_until: cython.longlong
    tail: Any

    def __init__(
        self,
        name: str,
        instrument: int,
        chunks: Iterable[Records],
        feed_latency_ns: int = 0,
        *,
        to_venue: bool = True,
        by_event: bool = False,
        draws: FeedDraws | None = None,
    ) -> None:
        """feed_latency_ns: added to the clock of all but corporate actions, which are known beforehand. draws: added besides,
        to each of what happened at one moment the same; what is late holds up what comes after it.

        to_venue: whether the venue sees these events besides; what is made of other data, it does not. by_event: the
        clock is the venue's own time, ts_event, whenever we learn of it.
        """
        self.to_venue = to_venue
        self.by_event = by_event
        self.name = name
        self.instrument = instrument
        self.chunks = iter(chunks)
        self.shift = feed_latency_ns
        self.draws = draws
        self.heard_until = -0x7FFFFFFFFFFFFFFF
        self.at = 0
        self.size = 0
        self.rows = 0
        self.last_clock = -0x7FFFFFFFFFFFFFFF
        self.clock = _NEVER
        self.kind = 0
        self.tail = None
        self.load()

    def load(self) -> cython.bint:
        """The next chunk; False at the end. Instrument numbers and clocks are written into it."""
        while self.at >= self.size:
            if self.size > 0:
                self.tail = self._row(self.size - 1)
            chunk = next(self.chunks, None)
            if chunk is None:
                self.clock = _NEVER
                self.size = 0
                self.at = 0
                return False
            records = chunk  # chunks are fresh arrays by contract: ours to number
            records["instrument"] = self.instrument
            if self.by_event:
                self._venue_time(records)
            if self.shift or self.draws is not None:
                self._delay(records)
            self.hold(records)
            self.at = 0
            self.size = len(records)
            self.rows += self.size
        self._look()
        return True

    def _venue_time(self, records: Records) -> None:
        """Order events by when they happened.

        A stamp earlier than that of the event before, or later than we knew of it, is taken to the nearest time that is
        possible.
        """
        happened = np.minimum(records["ts_event"], records["clock"])
        happened[:1] = np.maximum(happened[:1], self.last_clock)
        records["clock"] = records["ts_event"] = np.maximum.accumulate(happened)

    def _delay(self, records: Records) -> None:
        """Add the feed's latency. A corporate action keeps its time, though not before an event that came first."""
        before = self.last_clock
        clock = records["clock"]
        actions = np.flatnonzero(records["kind"] == _ACTION)
        kept = clock[actions]
        clock += self.shift
        if self.draws is not None:
            moments, which = np.unique(records["ts_event"], return_inverse=True)
            clock += np.array([self.draws.delay_at(ts) for ts in moments.tolist()], np.int64)[which]
            clock[:1] = np.maximum(clock[:1], self.heard_until)
            np.maximum.accumulate(clock, out=clock)
            self.heard_until = int(clock[-1])
        for row, time in zip(actions.tolist(), kept.tolist(), strict=True):
            clock[row] = max(time, int(clock[row - 1]) if row else before)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _look(self) -> None:
        self.clock = self.w[self.at, 0]
        self.kind = self.w[self.at, 3] & 0xFF
        if self.clock < self.last_clock:
            raise DataError(f"{self.name}: time goes back: clock {self.clock} after {self.last_clock} (ns UTC)")
        self.last_clock = self.clock

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def forward(self) -> cython.bint:
        """One row on; False at the end."""
        self.at += 1
        if self.at >= self.size:
            return self.load()
        clock: cython.longlong = self.w[self.at, 0]
        if clock < self.last_clock:
            raise DataError(f"{self.name}: time goes back: clock {clock} after {self.last_clock} (ns UTC)")
        self.clock = clock
        self.last_clock = clock
        self.kind = self.w[self.at, 3] & 0xFF
        return True

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def group_size(self) -> cython.Py_ssize_t:
        """At a change of a book: how many rows from here on are of the same moment, up to the last of their group."""
        i: cython.Py_ssize_t = self.at
        while not (self.w[i, 3] >> 8) & _LAST_FLAG and i + 1 < self.size:
            i += 1
            if self.w[i, 0] != self.clock or self.w[i, 1] != self.w[self.at, 1] or self.w[i, 3] & 0xFF != _BOOK:
                return i - self.at
        return i + 1 - self.at

    def consumed(self) -> int:
        """Rows handed out so far."""
        return self.rows - (self.size - self.at)

    def skip(self, count: cython.longlong) -> cython.int:
        """Pass over the next rows, as if they had been handed out. Raises: StateError: there are not so many."""
        left: cython.longlong = count
        while left > 0:
            if self.clock == _NEVER:
                raise StateError(f"{self.name}: the data ends {left} rows before where the snapshot was taken")
            step: cython.longlong = min(left, self.size - self.at)
            left -= step
            self.at += step
            if self.at >= self.size:
                self.load()
            else:
                self._look()
        return 0

    def passed(self) -> list[int | float] | None:
        """The ten words of the row handed out last, word 8 as a float; None before the first."""
        row: list[int | float] | None = self._row(self.at - 1) if self.at > 0 else self.tail
        return row

    def _row(self, i: cython.Py_ssize_t) -> Any:
        return [self.w[i, 0], self.w[i, 1], self.w[i, 2], self.w[i, 3], self.w[i, 4],
                self.w[i, 5], self.w[i, 6], self.w[i, 7], self.f[i, 8], self.w[i, 9]]  # fmt: skip


@cython.final
@cython.cclass
class MergedSource:
    """Several streams as one. rows: events handed out so far. group: who has a bar at the head's clock, see `gather`.

    winners: the tree. Knot k stands above 2k and 2k + 1, the leaves are the last half; what it holds is the place of a
    stream, and where two are equal the left one's, so streams of one clock and kind come in the order given.
    """

    streams: list[Stream]
    group: list[Stream]
    head: Stream | None
    rows: cython.longlong
    on_chunk: Callable[[int], None] | None
    leaves: cython.int
    members: cython.int
    winners: "array[int]"
    places: "array[int]"  # of the streams in `group`
    clocks: "array[int]"  # of each stream's head, and its kind: what the tree is ordered by
    kinds: "array[int]"

    def __init__(self, streams: Sequence[Stream], on_progress: Callable[[int], None] | None = None) -> None:
        """on_progress: called now and then with the events handed out so far."""
        self.streams = list(streams)
        self.group = list(streams)
        self.rows = 0
        self.on_chunk = on_progress
        leaves = 1
        while leaves < len(self.streams):
            leaves *= 2
        self.leaves = leaves
        self.members = 0
        self.winners = array("i", [*[0] * leaves, *range(leaves)])
        self.places = array("i", [0] * leaves)
        self.clocks = array("q", [_NEVER] * leaves)  # beyond the streams: never
        self.kinds = array("q", [0] * leaves)
        for place in range(len(self.streams)):
            self._note(place)
        self._play_all()
        self._look()

    def first_time(self) -> int:
        """When the first event began, ns UTC: the earliest start of a bar among the heads, or clock of another event."""
        times = []
        for entry in self.streams:
            stream: Stream = cython.cast(Stream, entry)
            if stream.clock != _NEVER:
                times.append(min(stream.clock, stream.w[stream.at, 9] or stream.clock))
        return min(times)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def gather(self) -> cython.int:
        """The head is a bar: put every stream whose next event is a bar of the same clock into `group`, in order."""
        if self.leaves == 1:
            return 0
        del self.group[:]
        self.members = 0
        best: cython.int = self.winners[1]
        return self._collect(1, self.clocks[best], self.kinds[best])

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _collect(self, knot: cython.int, clock: cython.longlong, kind: cython.longlong) -> cython.int:
        """Whoever stands below a knot with this clock and kind, from left to right."""
        place: cython.int = self.winners[knot]
        if self.clocks[place] != clock or self.kinds[place] != kind:
            return 0
        if knot < self.leaves:
            self._collect(2 * knot, clock, kind)
            return self._collect(2 * knot + 1, clock, kind)
        self.places[self.members] = place
        self.members += 1
        self.group.append(self.streams[place])
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def pop_group(self) -> cython.bint:
        """Done with every bar of the group: on to the next event. False at the end."""
        if self.leaves == 1:
            return self.pop()
        j: cython.int
        for j in range(self.members):
            self._pass(self.places[j])
        if 4 * self.members > self.leaves:  # every knot once is less than so many climbs
            self._play_all()
        else:
            for j in range(self.members):
                self._play(self.places[j])
        return self._look()

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def pop(self) -> cython.bint:
        """Done with the head: on to the next event. False at the end."""
        place: cython.int = self.winners[1]
        self._pass(place)
        self._play(place)
        return self._look()

    def pop_rows(self, count: cython.Py_ssize_t) -> cython.bint:
        """Done with so many rows of the head's stream, which are all of one moment. False at the end."""
        stream: Stream = cython.cast(Stream, self.head)
        stream.at += count - 1
        self.rows += count - 1
        return self.pop()

    def _pass(self, place: cython.int) -> cython.int:
        cython.cast(Stream, self.streams[place]).forward()
        self._note(place)
        self.rows += 1
        if self.on_chunk is not None and (self.rows & 0x3FFF) == 0:
            self.on_chunk(self.rows)
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _note(self, place: cython.int) -> cython.int:
        stream: Stream = cython.cast(Stream, self.streams[place])
        self.clocks[place] = stream.clock
        self.kinds[place] = stream.kind
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _match(self, knot: cython.int) -> cython.int:
        """Who of the two below a knot comes first."""
        left: cython.int = self.winners[2 * knot]
        right: cython.int = self.winners[2 * knot + 1]
        ahead: cython.bint = self.clocks[right] < self.clocks[left]
        if self.clocks[right] == self.clocks[left]:
            ahead = self.kinds[right] < self.kinds[left]
        self.winners[knot] = right if ahead else left
        return 0

    def _play(self, place: cython.int) -> cython.int:
        """The matches on the way from a leaf to the root."""
        knot: cython.int = (self.leaves + place) >> 1
        while knot >= 1:
            self._match(knot)
            knot >>= 1
        return 0

    def _play_all(self) -> cython.int:
        knot: cython.int
        for knot in range(self.leaves - 1, 0, -1):
            self._match(knot)
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _look(self) -> cython.bint:
        """Set the head; False at the end."""
        if not self.streams or self.clocks[self.winners[1]] == _NEVER:
            self.head = None
            return False
        self.head = self.streams[self.winners[1]]
        return True


def skipped(source: MergedSource, consumed: Sequence[int]) -> MergedSource:
    """The same streams, not begun yet, on from where so many rows of each had been handed out. Raises: StateError."""
    if len(consumed) != len(source.streams):
        raise StateError(
            f"the snapshot was taken over {len(consumed)} streams of events, this run has {len(source.streams)}"
        )
    for stream, count in zip(source.streams, consumed, strict=True):
        stream.skip(count)
    merged: MergedSource = MergedSource(source.streams, source.on_chunk)
    merged.rows = sum(consumed)
    return merged

"""Market events of any number of instruments, merged in the total order: (clock, kind, instrument, sequence).

Data comes in chunks and is read where it lies; memory does not grow with history. A linear scan of the heads is the
fastest merge for a few streams and good enough for hundreds of daily ones.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import cython

if cython.compiled:
    from cython.cimports.lockstep.model.rows import EventRows
else:
    from lockstep.model.rows import EventRows
from lockstep.model.errors import DataError
from lockstep.model.record import Records

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

    def __init__(
        self,
        name: str,
        instrument: int,
        chunks: Iterable[Records],
        feed_latency_ns: int = 0,
        *,
        to_venue: bool = True,
        by_event: bool = False,
    ) -> None:
        """feed_latency_ns: added to every clock; the events themselves are not changed.

        to_venue: whether the venue sees these events besides; what is made of other data, it does not. by_event: the
        clock is the venue's own time, ts_event, whenever we learn of it.
        """
        self.to_venue = to_venue
        self.by_event = by_event
        self.name = name
        self.instrument = instrument
        self.chunks = iter(chunks)
        self.shift = feed_latency_ns
        self.at = 0
        self.size = 0
        self.rows = 0
        self.last_clock = -0x7FFFFFFFFFFFFFFF
        self.clock = _NEVER
        self.kind = 0
        self.load()

    def load(self) -> cython.bint:
        """The next chunk; False at the end. Instrument numbers and clocks are written into it."""
        while self.at >= self.size:
            chunk = next(self.chunks, None)
            if chunk is None:
                self.clock = _NEVER
                self.size = 0
                self.at = 0
                return False
            records = chunk  # chunks are fresh arrays by contract: ours to number
            records["instrument"] = self.instrument
            if self.by_event:
                records["clock"] = records["ts_event"]
            if self.shift:
                records["clock"] += self.shift
            self.hold(records)
            self.at = 0
            self.size = len(records)
            self.rows += self.size
        self._look()
        return True

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


@cython.final
@cython.cclass
class MergedSource:
    """Several streams as one. rows: events handed out so far. group: who has a bar at the head's clock, see `gather`."""

    streams: list[Stream]
    group: list[Stream]
    head: Stream | None
    rows: cython.longlong
    on_chunk: Callable[[int], None] | None

    def __init__(self, streams: Sequence[Stream], on_progress: Callable[[int], None] | None = None) -> None:
        """on_progress: called now and then with the events handed out so far."""
        self.streams = list(streams)
        self.group = list(streams)
        self.rows = 0
        self.on_chunk = on_progress
        self.head = self.choose()

    def first_time(self) -> int:
        """When the first event began, ns UTC: the earliest start of a bar among the heads, or clock of another event."""
        times = []
        for entry in self.streams:
            stream: Stream = cython.cast(Stream, entry)
            if stream.clock != _NEVER:
                times.append(min(stream.clock, stream.w[stream.at, 9] or stream.clock))
        return min(times)

    def choose(self) -> Stream | None:
        """The stream whose event comes next, or None at the end."""
        best: Stream | None = None
        stream: Stream
        clock: cython.longlong = _NEVER
        kind: cython.longlong = 0
        k: cython.Py_ssize_t
        for k in range(len(self.streams)):
            stream = cython.cast(Stream, self.streams[k])
            if stream.clock < clock or (stream.clock == clock and stream.kind < kind and clock != _NEVER):
                best = stream
                clock = stream.clock
                kind = stream.kind
        return best

    def gather(self) -> cython.int:
        """The head is a bar: put every stream whose next event is a bar of the same clock into `group`, in order."""
        if len(self.streams) == 1:
            return 0
        stream: Stream
        head: Stream = cython.cast(Stream, self.head)
        clock: cython.longlong = head.clock
        kind: cython.longlong = head.kind
        k: cython.Py_ssize_t
        del self.group[:]
        for k in range(len(self.streams)):
            stream = cython.cast(Stream, self.streams[k])
            if stream.clock == clock and stream.kind == kind:
                self.group.append(stream)
        return 0

    def pop_group(self) -> cython.bint:
        """Done with every bar of the group: on to the next event. False at the end."""
        k: cython.Py_ssize_t
        for k in range(len(self.group)):
            self._pass(cython.cast(Stream, self.group[k]))
        return self._next()

    def pop(self) -> cython.bint:
        """Done with the head: on to the next event. False at the end."""
        self._pass(cython.cast(Stream, self.head))
        return self._next()

    def _pass(self, stream: Stream) -> cython.int:
        stream.forward()
        self.rows += 1
        if self.on_chunk is not None and (self.rows & 0x3FFF) == 0:
            self.on_chunk(self.rows)
        return 0

    def _next(self) -> cython.bint:
        head: Stream = cython.cast(Stream, self.head)
        if len(self.streams) > 1:
            self.head = self.choose()
        elif head.clock == _NEVER:
            self.head = None
        return self.head is not None

"""The run loop of a backtest: the one place that knows in which order venue, engine and time take their turns.

For each market event: everything due before it began is delivered; the venue sees it first; what the venue reports and
what timers are due up to its clock is delivered in order of time; then the engine sees it. Bars of one clock are one
step: the venue sees all of them, then the engine does. A bar begins at its ts_open: a command sent later than that cannot
touch it, however short the latency. Ticks are a moment each: the venue sees one when it happens, the engine when it
learns of it; in between, commands arrive at a market that the engine does not know yet.
"""

from collections.abc import Mapping
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.engine.engine import Engine
    from cython.cimports.lockstep.model.traffic import OrderRequest, VenueReport
    from cython.cimports.lockstep.run.carry import Carrier
    from cython.cimports.lockstep.run.source import MergedSource, Stream
    from cython.cimports.lockstep.sim.venue import Venue
else:
    from lockstep.engine.engine import Engine
    from lockstep.model.traffic import OrderRequest, VenueReport
    from lockstep.run.carry import Carrier
    from lockstep.run.source import MergedSource, Stream
    from lockstep.sim.venue import Venue
from lockstep.model.enums import CorporateAction, EventKind
from lockstep.model.errors import StateError
from lockstep.run.source import skipped

_ACTION = cython.declare(cython.int, int(EventKind.CORPORATE_ACTION))
_BOOK = cython.declare(cython.int, int(EventKind.BOOK))
_TRADE = cython.declare(cython.int, int(EventKind.TRADE))
_QUOTE = cython.declare(cython.int, int(EventKind.QUOTE))
_BAR = cython.declare(cython.int, int(EventKind.BAR))
_SPLIT = cython.declare(cython.int, int(CorporateAction.SPLIT))
_MARK_EVERY = cython.declare(
    cython.longlong, 60_000_000_000
)  # ns between two rows of equity where ticks make time pass
_NEVER = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)


def post(engine: Engine, venue: Venue) -> cython.int:
    """Send what the engine decided."""
    outbox: list[OrderRequest] = engine.state.outbox
    k: cython.Py_ssize_t
    for k in range(len(outbox)):
        venue.send(cython.cast(OrderRequest, outbox[k]))
    del outbox[:]  # .clear() would be a Python call
    return 0


def drain(engine: Engine, venue: Venue, until: cython.longlong, with_timers_at: cython.bint) -> cython.int:
    """Deliver reports and timers due up to `until`, in order of time; a report goes before a timer of its time.

    with_timers_at: whether a timer at `until` itself is due. A market event goes before a timer of its clock.
    """
    report: VenueReport | None
    while True:
        timer: cython.longlong = engine.next_timer
        due: cython.bint = timer < until or (with_timers_at and timer == until)
        limit: cython.longlong = timer if due else until
        if venue.next_due <= limit:
            report = venue.advance(limit)
            if report is not None:
                engine.on_report(report)
                if len(engine.state.outbox) > 0:
                    post(engine, venue)
                continue
        if not due:
            return 0
        engine.fire_timer()
        if len(engine.state.outbox) > 0:
            post(engine, venue)


@cython.boundscheck(False)
@cython.wraparound(False)
@cython.initializedcheck(False)
def match_bars(engine: Engine, venue: Venue, source: MergedSource) -> cython.int:
    """The venue sees every bar of one clock, those that opened first before the others.

    None is shown to the engine before all are matched: which instrument stands first decides nothing.
    """
    group: list[Stream] = source.group
    stream: Stream
    k: cython.Py_ssize_t
    opened: cython.longlong
    done: cython.longlong = -_NEVER
    if len(group) == 1:
        stream = cython.cast(Stream, group[0])
        if not stream.to_venue:
            return 0
        opened = stream.w[stream.at, 9]
        venue.open_bar(stream.instrument, opened)
        if venue.next_due <= opened or engine.next_timer <= opened:
            drain(engine, venue, opened, True)
        return match_bar(venue, stream)
    while True:
        opened = _NEVER
        for k in range(len(group)):
            stream = cython.cast(Stream, group[k])
            if stream.to_venue and done < stream.w[stream.at, 9] < opened:
                opened = stream.w[stream.at, 9]
        if opened == _NEVER:
            return 0
        for k in range(len(group)):
            stream = cython.cast(Stream, group[k])
            if stream.to_venue and stream.w[stream.at, 9] == opened:
                venue.open_bar(stream.instrument, opened)
        if venue.next_due <= opened or engine.next_timer <= opened:
            drain(engine, venue, opened, True)
        for k in range(len(group)):
            stream = cython.cast(Stream, group[k])
            if stream.to_venue and stream.w[stream.at, 9] == opened:
                match_bar(venue, stream)
        done = opened


@cython.boundscheck(False)
@cython.wraparound(False)
@cython.initializedcheck(False)
def match_bar(venue: Venue, stream: Stream) -> cython.int:
    """Whatever arrives before the end of the bar at a stream's head is there; then the venue sees the bar."""
    i: cython.Py_ssize_t = stream.at
    if venue.next_due < stream.w[i, 1]:
        venue.settle_arrivals(stream.w[i, 1])
    return venue.on_bar(
        stream.instrument,
        stream.w[i, 9],
        stream.w[i, 1],
        stream.w[i, 4],
        stream.w[i, 5],
        stream.w[i, 6],
        stream.w[i, 7],
        stream.f[i, 8],
    )


@cython.final
@cython.cclass
class Loop:
    """A run between its first event and its last: who is fed, and from where.

    source: what the engine learns, in order of its clock. ahead: ticks in order of the venue's own time, where the engine
    learns of them later than they happen; None where the two are one. carrier: gives missing bars; None where a missing bar
    is no event. next_mark: from when on a tick begins another minute; unmarked: when something happened last that no row of
    the equity curve shows yet. A run may be fed in pieces: `run` returns between two steps, and nothing depends on where.
    """

    engine: Engine
    venue: Venue
    source: MergedSource
    ahead: MergedSource | None
    carrier: Carrier | None
    steps: cython.longlong
    next_mark: cython.longlong
    unmarked: cython.longlong

    def __init__(
        self,
        engine: Engine,
        venue: Venue,
        source: MergedSource,
        ahead: MergedSource | None = None,
        carry: bool = False,
    ) -> None:
        self.engine = engine
        self.venue = venue
        self.source = source
        self.ahead = ahead
        self.carrier = Carrier(source.streams) if carry else None
        self.steps = 0
        self.next_mark = -_NEVER
        self.unmarked = -_NEVER

    def show_history(self, history: MergedSource) -> cython.int:
        """Before the first event, after on_start: what the strategies asked to see from before it."""
        stream: Stream
        while history.head is not None:
            stream = history.head
            self.engine.on_history(stream, stream.at)
            history.pop()
        return 0

    def run(self, until: cython.longlong, steps: cython.longlong = _NEVER) -> cython.bint:
        """Feed what has a clock of at most `until`, or so many steps: a tick, a group of changes of a book, or all bars of one clock. False at the end."""
        stream: Stream
        stop: cython.longlong = self.steps + steps if steps < _NEVER - self.steps else _NEVER
        if len(self.engine.state.outbox) > 0:
            post(self.engine, self.venue)
        while self.source.head is not None:
            stream = self.source.head
            if stream.clock > until or self.steps >= stop:
                return True
            if self.ahead is not None:
                if stream.kind != _BAR and stream.clock >= self.next_mark:
                    self._mark_minute(stream.clock)  # before what the venue's ticks may fill
                # A corporate action goes before the ticks of its time: these are in new shares.
                self._lead(stream.clock - (stream.kind == _ACTION))
            if stream.kind == _BAR:
                self._bars(stream.clock)
            elif stream.kind == _BOOK:
                self._book(stream)
            else:
                self._event(stream)
            self.steps += 1
        return False

    def run_all(self) -> cython.int:
        """Feed everything, and what is due after it."""
        self.run(_NEVER)
        return self.finish()

    def finish(self) -> cython.int:
        """After the last event: what is due at its clock itself, timers included; then the last mark of the account."""
        drain(self.engine, self.venue, self.engine.state.clock, True)
        if self.unmarked != -_NEVER:
            self.engine.mark(self.engine.state.clock)
            self.unmarked = -_NEVER
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def settle(self, until: cython.longlong) -> cython.int:
        """Between two steps, after every event known by a time: the venue's words and the timers due by then, too.

        Where a bar is under way, up to its open: what it fills comes before what is due later, and is known at its end only.
        """
        stream: Stream
        k: cython.Py_ssize_t
        if self.source.head is not None and self.source.head.kind == _BAR:
            self.source.gather()
            for k in range(len(self.source.group)):
                stream = cython.cast(Stream, self.source.group[k])
                until = min(until, stream.w[stream.at, 9])
        elif self.ahead is not None:
            self._lead(until)
        return drain(self.engine, self.venue, until, True)

    def save(self) -> dict[str, Any]:
        """Where the run stands: rows handed out of each stream, steps, and the marks of the account. Between two steps."""
        return {
            "source": [stream.consumed() for stream in self.source.streams],
            "ahead": None if self.ahead is None else [stream.consumed() for stream in self.ahead.streams],
            "carrier": None if self.carrier is None else self.carrier.save(),
            "steps": self.steps,
            "next_mark": self.next_mark,
            "unmarked": self.unmarked,
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Go on from `save`: over the same data, before the first event. Raises: StateError: other streams."""
        if (self.ahead is None) != (saved["ahead"] is None):
            raise StateError("the snapshot was taken with ticks ahead of the engine, this run has none, or the reverse")
        self.source = skipped(self.source, saved["source"])
        if self.ahead is not None:
            self.ahead = skipped(self.ahead, saved["ahead"])
        if self.carrier is not None:
            self.carrier.restore(saved["carrier"])
        self.steps = saved["steps"]
        self.next_mark = saved["next_mark"]
        self.unmarked = saved["unmarked"]

    def next_clock(self) -> int:
        """The clock of the next event, ns UTC; the largest int at the end."""
        return _NEVER if self.source.head is None else self.source.head.clock

    def _lead(self, clock: cython.longlong) -> cython.int:
        """Show the venue every tick that happened up to the engine's next clock, each after what was due before it.

        Time has come to each of them: a report that is late, from inside a bar, is answered after it and not before.
        """
        tick: Stream
        count: cython.Py_ssize_t
        ahead: MergedSource = cython.cast(MergedSource, self.ahead)
        while ahead.head is not None:
            tick = ahead.head
            if tick.clock > clock:
                return 0
            if self.venue.next_due <= tick.clock or self.engine.next_timer < tick.clock:
                drain(self.engine, self.venue, tick.clock, False)
            if tick.clock > self.engine.state.clock:
                self.engine.state.clock = tick.clock
            if tick.kind == _BOOK:
                count = tick.group_size() if self.venue.takes_groups(tick.instrument) else 1
                self.venue.on_book(tick.instrument, tick, tick.at, tick.at + count)
                ahead.pop_rows(count)
            else:
                show_tick(self.venue, tick)
                ahead.pop()
        return 0

    def _bars(self, clock: cython.longlong) -> cython.int:
        """Every bar of one clock: the venue sees all, then the engine does."""
        engine: Engine = self.engine
        source: MergedSource = self.source
        stream: Stream
        k: cython.Py_ssize_t
        source.gather()
        match_bars(engine, self.venue, source)
        if self.venue.next_due <= clock or engine.next_timer < clock:
            drain(engine, self.venue, clock, False)
        for k in range(len(source.group)):
            stream = cython.cast(Stream, source.group[k])
            engine.on_market(stream, stream.at)
            if len(engine.state.outbox) > 0:
                post(engine, self.venue)
        if self.carrier is not None:
            self.carrier.complete(engine, self.venue, source, clock)
            if len(engine.state.outbox) > 0:
                post(engine, self.venue)
        source.pop_group()
        if source.head is None:
            self.unmarked = clock  # what is due at this clock may still move the account: `finish` marks it
        elif source.head.clock != clock:
            engine.mark(clock)
            self.unmarked = -_NEVER
            if len(engine.state.outbox) > 0:  # a loss fired the kill switch: its cancels
                post(engine, self.venue)
        return 0

    @cython.cdivision(True)  # clocks are above 0
    def _mark_minute(self, clock: cython.longlong) -> cython.int:
        """A minute with ticks is over: mark the account as it was at the last of them."""
        if self.unmarked != -_NEVER:
            self.engine.mark(self.unmarked)
            self.unmarked = -_NEVER  # an action may begin the next minute, and it is no tick
            if len(self.engine.state.outbox) > 0:  # a loss fired the kill switch: its cancels
                post(self.engine, self.venue)
        self.next_mark = (clock // _MARK_EVERY + 1) * _MARK_EVERY
        return 0

    def _book(self, stream: Stream) -> cython.int:
        """Changes of a book, as many as nobody can act between: the venue sees them, then the engine does."""
        engine: Engine = self.engine
        clock: cython.longlong = stream.clock
        i: cython.Py_ssize_t
        if clock >= self.next_mark:
            self._mark_minute(clock)
        if self.venue.next_due <= clock or engine.next_timer < clock:
            drain(engine, self.venue, clock, False)
        self.unmarked = clock
        count: cython.Py_ssize_t = 1
        if not stream.to_venue or self.venue.takes_groups(stream.instrument):
            count = stream.group_size()
        if stream.to_venue:
            self.venue.on_book(stream.instrument, stream, stream.at, stream.at + count)
        first: cython.Py_ssize_t = stream.at
        if count > 1:
            first = engine.books.tell_ahead(stream, first, first + count - 1, engine.by_instrument[stream.instrument])
            engine.events += first - stream.at
        for i in range(first, stream.at + count):
            engine.on_market(stream, i)
        if len(engine.state.outbox) > 0:
            post(engine, self.venue)
        self.source.pop_rows(count)
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _event(self, stream: Stream) -> cython.int:
        """A tick or a corporate action. Ticks mark the account once a minute."""
        engine: Engine = self.engine
        clock: cython.longlong = stream.clock
        action: cython.bint = stream.kind == _ACTION
        if clock >= self.next_mark:
            self._mark_minute(clock)
        if self.venue.next_due <= clock or engine.next_timer < clock:
            drain(engine, self.venue, clock, False)
        if action:
            if ((stream.w[stream.at, 3] >> 16) & 0xFFFF) == _SPLIT:
                self.venue.on_split(stream.instrument, clock, stream.w[stream.at, 4], stream.w[stream.at, 5])
        else:
            self.unmarked = clock
            if stream.to_venue:
                show_tick(self.venue, stream)
        engine.on_market(stream, stream.at)
        if len(engine.state.outbox) > 0:
            post(engine, self.venue)
        if not self.source.pop() and action:
            self.unmarked = clock  # such as a night's borrowing after the last bar: no event marks it any more
        return 0


@cython.boundscheck(False)
@cython.wraparound(False)
@cython.initializedcheck(False)
def show_tick(venue: Venue, stream: Stream) -> cython.int:
    """The venue sees the trade or quote at a stream's head, at the venue's own time."""
    i: cython.Py_ssize_t = stream.at
    if stream.kind == _QUOTE:
        return venue.on_quote(
            stream.instrument, stream.w[i, 1], stream.w[i, 4], stream.w[i, 5], stream.w[i, 6], stream.w[i, 7]
        )
    if stream.kind == _TRADE:
        aggressor: cython.longlong = (stream.w[i, 3] >> 16) & 0xFFFF  # side + 2, 0 where not known
        return venue.on_trade(
            stream.instrument, stream.w[i, 1], stream.w[i, 4], stream.w[i, 5], aggressor - 2 if aggressor > 0 else 0
        )
    return 0

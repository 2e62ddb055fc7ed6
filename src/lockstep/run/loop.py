"""The run loop of a backtest: the one place that knows in which order venue, engine and time take their turns.

For each market event: everything due before it began is delivered; the venue sees it first; what the venue reports and
what timers are due up to its clock is delivered in order of time; then the engine sees it. Bars of one clock are one
step: the venue sees all of them, then the engine does. A bar begins at its ts_open: a command sent later than that cannot
touch it, however short the latency.
"""

import cython

if cython.compiled:
    from cython.cimports.lockstep.engine.engine import Engine
    from cython.cimports.lockstep.model.traffic import OrderRequest, VenueReport
    from cython.cimports.lockstep.run.source import MergedSource, Stream
    from cython.cimports.lockstep.sim.venue import Venue
else:
    from lockstep.engine.engine import Engine
    from lockstep.model.traffic import OrderRequest, VenueReport
    from lockstep.run.source import MergedSource, Stream
    from lockstep.sim.venue import Venue
from lockstep.model.enums import CorporateAction, EventKind

_ACTION = cython.declare(cython.int, int(EventKind.CORPORATE_ACTION))
_TRADE = cython.declare(cython.int, int(EventKind.TRADE))
_QUOTE = cython.declare(cython.int, int(EventKind.QUOTE))
_BAR = cython.declare(cython.int, int(EventKind.BAR))
_SPLIT = cython.declare(cython.int, int(CorporateAction.SPLIT))
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
        opened = stream.w[stream.at, 9]
        venue.open_bar(stream.instrument, opened)
        if venue.next_due <= opened or engine.next_timer <= opened:
            drain(engine, venue, opened, True)
        return match_bar(venue, stream)
    while True:
        opened = _NEVER
        for k in range(len(group)):
            stream = cython.cast(Stream, group[k])
            if done < stream.w[stream.at, 9] < opened:
                opened = stream.w[stream.at, 9]
        if opened == _NEVER:
            return 0
        for k in range(len(group)):
            stream = cython.cast(Stream, group[k])
            if stream.w[stream.at, 9] == opened:
                venue.open_bar(stream.instrument, opened)
        if venue.next_due <= opened or engine.next_timer <= opened:
            drain(engine, venue, opened, True)
        for k in range(len(group)):
            stream = cython.cast(Stream, group[k])
            if stream.w[stream.at, 9] == opened:
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


@cython.boundscheck(False)
@cython.wraparound(False)
@cython.initializedcheck(False)
def run_bars(engine: Engine, venue: Venue, source: MergedSource) -> cython.int:
    """Feed every event of the source through venue and engine. Returns 0; what a handler raises passes through."""
    stream: Stream
    k: cython.Py_ssize_t
    if len(engine.state.outbox) > 0:
        post(engine, venue)
    while source.head is not None:
        stream = source.head
        clock: cython.longlong = stream.clock
        if stream.kind == _BAR:
            source.gather()
            match_bars(engine, venue, source)
            if venue.next_due <= clock or engine.next_timer < clock:
                drain(engine, venue, clock, False)
            for k in range(len(source.group)):
                stream = cython.cast(Stream, source.group[k])
                engine.on_market(stream, stream.at)
                if len(engine.state.outbox) > 0:
                    post(engine, venue)
            source.pop_group()
            if source.head is None or source.head.clock != clock:
                engine.mark(clock)
            continue
        drain(engine, venue, clock, False)
        if stream.kind == _QUOTE:
            venue.on_quote(
                stream.instrument,
                stream.w[stream.at, 1],
                stream.w[stream.at, 4],
                stream.w[stream.at, 5],
                stream.w[stream.at, 6],
                stream.w[stream.at, 7],
            )
        elif stream.kind == _TRADE:
            aggressor: cython.longlong = (stream.w[stream.at, 3] >> 16) & 0xFFFF  # side + 2, 0 where not known
            venue.on_trade(
                stream.instrument,
                stream.w[stream.at, 1],
                stream.w[stream.at, 4],
                stream.w[stream.at, 5],
                aggressor - 2 if aggressor > 0 else 0,
            )
        elif stream.kind == _ACTION and ((stream.w[stream.at, 3] >> 16) & 0xFFFF) == _SPLIT:
            venue.on_split(stream.instrument, clock, stream.w[stream.at, 4], stream.w[stream.at, 5])
        engine.on_market(stream, stream.at)
        if len(engine.state.outbox) > 0:
            post(engine, venue)
        source.pop()
    return drain(engine, venue, engine.state.clock, True)  # what is due at the last clock itself, timers included

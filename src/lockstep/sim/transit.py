"""What is under way between the engine and a simulated venue: requests that have not arrived, reports not yet delivered.

Two queues in time, which the run loop drains between events. Requests are delayed, never reordered; the reports of one
order keep their order. A venue derives from `Transit` and says what happens when a request arrives.
"""

import cython

if cython.compiled:
    from cython.cimports.lockstep.model.traffic import OrderRequest, VenueReport, make_report
    from cython.cimports.lockstep.sim.chance import Chance
    from cython.cimports.lockstep.sim.delays import RecordedDelays
    from cython.cimports.lockstep.sim.market import VenueOrder
else:
    from lockstep.model.traffic import OrderRequest, VenueReport, make_report
    from lockstep.sim.chance import Chance
    from lockstep.sim.delays import RecordedDelays
    from lockstep.sim.market import VenueOrder
from lockstep.model.errors import InvariantError
from lockstep.sim.models import Latency, LogNormal

_COMPACT = cython.declare(cython.int, 4096)  # what a queue may carry along that is done with
_NEVER = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)


@cython.final
@cython.no_gc
@cython.freelist(64)
@cython.cclass
class InFlight:
    """A request on its way, and when it arrives."""

    request: OrderRequest
    arrival: cython.longlong


@cython.cclass
class Transit:
    """The two queues and the delays. next_due: when something is to happen next, ns; the largest int if nothing is.

    That is the arrival of a request, a report that is due, or next_expiry: the end of an order that only time ends.
    """

    arrivals: list[InFlight]
    reports: list[VenueReport]
    next_arrival: cython.Py_ssize_t
    next_report: cython.Py_ssize_t
    next_due: cython.longlong
    next_expiry: cython.longlong
    entry_ns: cython.longlong
    ack_ns: cython.longlong
    fill_ns: cython.longlong
    entry_jitter_ns: cython.longlong
    ack_jitter_ns: cython.longlong
    fill_jitter_ns: cython.longlong
    entry_median: cython.double
    ack_median: cython.double
    fill_median: cython.double
    entry_sigma: cython.double
    ack_sigma: cython.double
    fill_sigma: cython.double
    in_order: cython.bint
    last_arrival: cython.longlong
    last_answer: cython.longlong
    answered_at: cython.longlong
    entry_bars: cython.int
    chance: Chance
    recorded: RecordedDelays | None

    def start_transit(self, latency: Latency, seed: int) -> None:
        """Nothing is under way. seed: of the jitters."""
        self.arrivals = []
        self.reports = []
        self.next_arrival = 0
        self.next_report = 0
        self.next_due = _NEVER
        self.next_expiry = _NEVER
        self.last_arrival = 0
        self.entry_ns, self.entry_jitter_ns = latency.entry_ns, latency.entry_jitter_ns
        self.ack_ns, self.ack_jitter_ns = latency.ack_ns, latency.ack_jitter_ns
        self.fill_ns, self.fill_jitter_ns = latency.fill_ns, latency.fill_jitter_ns
        self.entry_median, self.entry_sigma = _tail(latency.entry_tail)
        self.ack_median, self.ack_sigma = _tail(latency.ack_tail)
        self.fill_median, self.fill_sigma = _tail(latency.fill_tail)
        self.in_order = latency.ack_tail is not None or latency.fill_tail is not None
        self.last_answer = 0
        self.answered_at = 0
        self.entry_bars = latency.entry_bars
        self.chance = Chance(seed)
        self.recorded = RecordedDelays(latency.recorded) if latency.recorded else None

    def arrive(self, flight: InFlight) -> cython.int:
        """A request is here: the venue's to override."""
        raise InvariantError(f"{type(self).__name__} does not say what happens when a request arrives")

    def expire_due(self, until: cython.longlong) -> cython.int:
        """Orders end by time, see next_expiry: the venue's to override."""
        raise InvariantError(f"{type(self).__name__} does not say which orders end by {until}")

    def answer_ns(self, ts: cython.longlong) -> cython.longlong:
        """What was recorded of an answer's way back at a time, ns; 0 where nothing was."""
        return 0 if self.recorded is None else self.recorded.answer_at(ts)

    def ack_draw(self) -> cython.longlong:
        """The lognormal part of an acknowledgement's delay, ns; 0 where it has none."""
        return self.chance.lognormal(self.ack_median, self.ack_sigma)

    def fill_draw(self) -> cython.longlong:
        """The lognormal part of a fill's delay, ns; 0 where it has none."""
        return self.chance.lognormal(self.fill_median, self.fill_sigma)

    def send(self, request: OrderRequest) -> cython.int:
        """A command leaves for the venue; it arrives after the entry latency, never before an earlier one."""
        arrival: cython.longlong = request.ts + self.entry_ns + self.chance.uniform(self.entry_jitter_ns)
        arrival += self.chance.lognormal(self.entry_median, self.entry_sigma)
        if self.recorded is not None:
            arrival += self.recorded.entry_at(request.ts)
        if arrival < self.last_arrival:
            arrival = self.last_arrival
        self.last_arrival = arrival
        flight: InFlight = InFlight.__new__(InFlight)
        flight.request = request
        flight.arrival = arrival
        self.arrivals.append(flight)
        if arrival < self.next_due:
            self.next_due = arrival
        return 0

    def _look(self) -> cython.int:
        """When the next arrival, report or expiry is due."""
        self.next_due = self.next_expiry
        if self.next_arrival < len(self.arrivals):
            flight: InFlight = cython.cast(InFlight, self.arrivals[self.next_arrival])
            if flight.arrival < self.next_due:
                self.next_due = flight.arrival
        if self.next_report < len(self.reports):
            report: VenueReport = cython.cast(VenueReport, self.reports[self.next_report])
            if report.clock < self.next_due:
                self.next_due = report.clock
        return 0

    def advance(self, until: cython.longlong) -> VenueReport | None:
        """Let time pass to `until`, or to the next report, which is returned. An arrival goes before a report of its time."""
        flight: InFlight
        report: VenueReport
        while True:
            due: cython.longlong = _NEVER
            if self.next_report < len(self.reports):
                report = cython.cast(VenueReport, self.reports[self.next_report])
                due = report.clock
            if self.next_arrival < len(self.arrivals):
                flight = cython.cast(InFlight, self.arrivals[self.next_arrival])
                if flight.arrival <= due and flight.arrival <= until:
                    self._take_arrival()
                    self.arrive(flight)
                    continue
            if self.next_expiry <= due and self.next_expiry <= until and self.next_expiry < _NEVER:
                self.expire_due(self.next_expiry)
                continue
            if due > until:
                self._look()
                return None
            self.next_report += 1
            if self.next_report == len(self.reports):
                self.reports = []  # cheaper than to empty it by a slice
                self.next_report = 0
            elif self.next_report == _COMPACT:
                del self.reports[:_COMPACT]
                self.next_report = 0
            self._look()
            return report

    def _take_arrival(self) -> cython.int:
        self.next_arrival += 1
        if self.next_arrival == len(self.arrivals):
            self.arrivals = []  # cheaper than to empty it by a slice; .clear() would be a Python call
            self.next_arrival = 0
        elif self.next_arrival == _COMPACT:  # with a long latency there is always something in flight
            del self.arrivals[:_COMPACT]
            self.next_arrival = 0
        return 0

    def settle_arrivals(self, ts_end: cython.longlong) -> cython.int:
        """Before a bar is matched: what arrives before its end is here. What may not meet it yet is held or passed over."""
        flight: InFlight
        while self.next_arrival < len(self.arrivals):
            flight = cython.cast(InFlight, self.arrivals[self.next_arrival])
            if flight.arrival >= ts_end:
                break
            self._take_arrival()
            self.arrive(flight)
        self._look()
        return 0

    def heard_at(self, ts: cython.longlong, clock: cython.longlong) -> cython.longlong:
        """When an answer sent at ts is here, that by itself would be at `clock`.

        With a heavy tail the answers are those of one connection: a late one holds up what was sent after it.
        """
        if not self.in_order:
            return clock
        if ts >= self.answered_at and clock < self.last_answer:
            clock = self.last_answer
        if clock > self.last_answer:
            self.last_answer, self.answered_at = clock, ts
        return clock

    def report_on(
        self,
        order: VenueOrder,
        kind: cython.int,
        reason: cython.int,
        ts: cython.longlong,
        delay: cython.longlong,
        jitter: cython.longlong,
    ) -> VenueReport:
        """A report about an order, with its time at the venue and its delay on the way."""
        clock: cython.longlong = self.heard_at(ts, ts + delay + self.chance.uniform(jitter) + self.answer_ns(ts))
        if clock < order.last_clock:  # reports of one order keep their order
            clock = order.last_clock
        order.last_clock = clock
        return make_report(kind, order.instrument, clock, ts, order.order_id, order.venue_order_id, reason)

    def queue(self, report: VenueReport) -> cython.int:
        """Put a report among those under way, after the earlier ones."""
        at: cython.Py_ssize_t = len(self.reports)
        earlier: VenueReport
        while at > self.next_report:
            earlier = cython.cast(VenueReport, self.reports[at - 1])
            if earlier.clock <= report.clock:
                break
            at -= 1
        self.reports.insert(at, report)
        if report.clock < self.next_due:
            self.next_due = report.clock
        return 0


def _tail(tail: LogNormal | None) -> tuple[float, float]:
    """Median and sigma; 0, which draws nothing, where there is none."""
    return (0.0, 0.0) if tail is None else (float(tail.median_ns), float(tail.sigma))

"""Features of equal intervals of time: what the mid did in each of the last so many, and what was traded in it.

Intervals begin at whole multiples of their length since 1970 and are over with the first event at or after their end; until then
the value is that of the intervals before. In one in which nothing happened the mid stood still. When the book is not GOOD, what was
gathered is forgotten: how the mid got from before to after is not known.
"""

from array import array
from collections.abc import Mapping
from math import isnan
from typing import Any, SupportsIndex

import cython

if cython.compiled:
    from cython.cimports.libc.math import log, sqrt
    from cython.cimports.lockstep.features.micro.base import MarketFeature
    from cython.cimports.lockstep.features.micro.depth import DepthView
else:
    from math import log, sqrt

    from lockstep.features.micro.base import MarketFeature
    from lockstep.features.micro.depth import DepthView
from lockstep.features.micro.timed import span_ns
from lockstep.model.arguments import finite, whole
from lockstep.model.fields import field, floats_field, int_field, list_field

INTERVALS_MAX = 10_000
_NAN = cython.declare(cython.double, float("nan"))
_INT_MAX = 2**63 - 1


@cython.cclass
class Sampled(MarketFeature):
    """The base of features of intervals. Use one of its kinds: KyleLambda, RealisedVolatility.

    Attributes (read-only): `interval_ms`, `intervals`: their length and how many there are to be; `gathered`: how many there are.
    """

    interval_ms: cython.longlong
    intervals: cython.longlong
    gathered: cython.longlong
    _interval: cython.longlong  # ns
    _number: cython.longlong  # of the interval that runs, -1 before the first event
    _end: cython.longlong  # of that interval, ns UTC
    _opened: cython.double  # mid at its begin; nan where it is not known
    _mid: cython.double  # the last one; nan while it is not known
    _flow: cython.longlong  # signed units traded in it
    _moves: "array[float]"
    _flows: "array[float]"
    _next: cython.longlong

    def __init__(self, interval_ms: SupportsIndex, intervals: SupportsIndex, least: int) -> None:
        if type(self) is Sampled:
            raise TypeError("Sampled is a common base; construct KyleLambda or RealisedVolatility instead")
        self._interval = span_ns("interval_ms", interval_ms)
        self.interval_ms = self._interval // 1_000_000
        self.intervals = whole("intervals", intervals, least, INTERVALS_MAX)
        self._moves = array("d", bytes(8 * self.intervals))
        self._flows = array("d", bytes(8 * self.intervals))
        MarketFeature.__init__(self, on_trades=True)

    def on_book(self, view: DepthView) -> cython.int:
        """See `MarketFeature.on_book`."""
        self._pass(view)
        if view.priced:
            self._mid = view.mid
            return 0
        self._mid = self._opened = self.value = _NAN
        self.gathered = 0
        return 0

    def on_trade(self, view: DepthView) -> cython.int:
        """See `MarketFeature.on_trade`."""
        self._pass(view)
        self._flow += view.trade_side * view.trade_qty
        return 0

    @cython.cdivision(True)  # clocks are not negative
    def _pass(self, view: DepthView) -> cython.int:
        """Time has passed: intervals that are over by now are closed."""
        if view.clock < self._end:  # a comparison: a division at each event would cost more than all else here
            return 0
        number: cython.longlong = view.clock // self._interval
        over: cython.longlong = number - self._number
        first: cython.bint = self._number < 0
        self._number = number
        self._end = (number + 1) * self._interval
        if first or self._mid != self._mid:
            self._flow = 0
            return 0
        if self._opened == self._opened:
            self._push(self.move(self._opened, self._mid), self._flow / view.qty_scale)
        over -= 1
        if over > self.intervals:
            over = self.intervals
        while over > 0:
            self._push(0.0, 0.0)
            over -= 1
        self._opened = self._mid
        self._flow = 0
        self.value = self.measure() if self.gathered == self.intervals else _NAN
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _push(self, move: cython.double, flow: cython.double) -> cython.int:
        """An interval is over; the oldest makes room."""
        self._moves[self._next] = move
        self._flows[self._next] = flow
        self._next += 1
        if self._next == self.intervals:
            self._next = 0
        if self.gathered < self.intervals:
            self.gathered += 1
        return 0

    def move(self, opened: cython.double, closed: cython.double) -> cython.double:
        """What the mid did in an interval."""
        return closed - opened

    def measure(self) -> cython.double:
        """The value, of as many intervals as there are to be."""
        return 0.0

    def _arguments(self) -> tuple[Any, ...]:
        return (self.interval_ms, self.intervals)

    def _clear(self) -> None:
        MarketFeature._clear(self)
        self.gathered = 0
        self._number = -1
        self._end = 0
        self._opened = self._mid = _NAN
        self._flow = 0
        self._next = 0
        for i in range(self.intervals):
            self._moves[i] = self._flows[i] = 0.0

    def _state(self) -> dict[str, Any]:
        opened, mid = (None if isnan(value) else value for value in (self._opened, self._mid))
        return {
            "gathered": self.gathered, "number": self._number, "flow": self._flow, "next": self._next,
            "opened": opened, "mid": mid, "moves": [None if isnan(move) else move for move in self._moves], "flows": list(self._flows),
        }  # fmt: skip

    def _load(self, state: Mapping[str, Any]) -> None:
        gathered, following = (
            int_field(state, "gathered", 0, self.intervals),
            int_field(state, "next", 0, self.intervals - 1),
        )
        number, flow = (
            int_field(state, "number", -1, _INT_MAX // self._interval - 1),
            int_field(state, "flow", -_INT_MAX, _INT_MAX),
        )
        moves = [
            _NAN if move is None else finite("saved move", move) for move in list_field(state, "moves", self.intervals)
        ]
        flows = floats_field(state, "flows", self.intervals)
        opened, mid = (
            _NAN if field(state, name) is None else finite(f"saved {name!r}", state[name]) for name in ("opened", "mid")
        )
        for i in range(self.intervals):
            self._moves[i], self._flows[i] = moves[i], flows[i]
        self.gathered, self._next, self._number, self._flow = gathered, following, number, flow
        self._end = (number + 1) * self._interval
        self._opened, self._mid = opened, mid


@cython.final
@cython.cclass
class KyleLambda(Sampled):
    """Kyle's lambda: how far the mid moves for each base unit that is bought on balance, quote currency per base unit.

    The slope of the regression, with intercept, of the change of the mid on the signed volume traded over the last intervals. nan
    until there are as many, and where the same was traded on balance in all of them.

    Args:   interval_ms: 1 to 86,400,000 (a day). intervals: 3 to 10,000.
    Raises: TypeError, ValueError: not whole numbers in range.
    Source: Kyle (1985), "Continuous auctions and insider trading"; estimated over intervals as in Hasbrouck (2007), "Empirical Market
        Microstructure", chapter 7.
    """

    def __init__(self, interval_ms: SupportsIndex = 1000, intervals: SupportsIndex = 60) -> None:
        Sampled.__init__(self, interval_ms, intervals, 3)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    @cython.cdivision(True)
    def measure(self) -> cython.double:
        """The slope. Deviations from the means: a sum of squares less a square would lose the digits that count."""
        i: cython.Py_ssize_t
        flow: cython.double = 0.0
        move: cython.double = 0.0
        for i in range(self.intervals):
            flow += self._flows[i]
            move += self._moves[i]
        flow /= self.intervals
        move /= self.intervals
        along: cython.double = 0.0
        square: cython.double = 0.0
        for i in range(self.intervals):
            along += (self._flows[i] - flow) * (self._moves[i] - move)
            square += (self._flows[i] - flow) * (self._flows[i] - flow)
        return along / square if square > 0.0 else _NAN


@cython.final
@cython.cclass
class RealisedVolatility(Sampled):
    """Realised volatility of the mid over the last intervals: the root of the sum of their squared log returns.

    It is for the whole of them, not for a year: 60 intervals of a second give that of a minute.

    Args:   interval_ms: 1 to 86,400,000 (a day). intervals: 1 to 10,000.
    Raises: TypeError, ValueError: not whole numbers in range.
    Source: Andersen, Bollerslev, Diebold, Labys (2003), "Modeling and forecasting realized volatility".
    """

    def __init__(self, interval_ms: SupportsIndex = 1000, intervals: SupportsIndex = 60) -> None:
        Sampled.__init__(self, interval_ms, intervals, 1)

    def move(self, opened: cython.double, closed: cython.double) -> cython.double:
        """The log return; nan for what is no positive price."""
        return log(closed / opened) if opened > 0.0 and closed > 0.0 else _NAN

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def measure(self) -> cython.double:
        """The root of the sum of squares."""
        i: cython.Py_ssize_t
        total: cython.double = 0.0
        for i in range(self.intervals):
            total += self._moves[i] * self._moves[i]
        return sqrt(total)

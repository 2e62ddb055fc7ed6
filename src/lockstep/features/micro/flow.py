"""Features of what happens: order flow, trade flow, runs of trades, and how fast the best queues are eaten.

Sums run over the last span of time and are taken in whole units, so that nothing of what has left the span stays behind in them.
"""

from collections.abc import Mapping
from typing import Any, SupportsIndex

import cython

if cython.compiled:
    from cython.cimports.lockstep.features.micro.base import MarketFeature
    from cython.cimports.lockstep.features.micro.depth import DepthView
    from cython.cimports.lockstep.features.micro.timed import TimedSum
else:
    from lockstep.features.micro.base import MarketFeature
    from lockstep.features.micro.depth import DepthView
    from lockstep.features.micro.timed import TimedSum
from lockstep.features.micro.depth import LEVELS_MAX
from lockstep.features.micro.timed import saved_entries, span_ns
from lockstep.model.arguments import whole
from lockstep.model.fields import int_field

_NAN = cython.declare(cython.double, float("nan"))
_RUN_MAX = 2**62


@cython.final
@cython.cclass
class OFI(MarketFeature):
    """Order flow imbalance of a level over a span, base units: what was added to bids less what was added to asks there.

    At each change of the book, with prices P and quantities q of the level's bid and ask, n the change and n - 1 the one before:

        (P_bid[n] >= P_bid[n-1]) q_bid[n] - (P_bid[n] <= P_bid[n-1]) q_bid[n-1]
      - (P_ask[n] <= P_ask[n-1]) q_ask[n] + (P_ask[n] >= P_ask[n-1]) q_ask[n-1]

    Above 0 is buying pressure. Level 1 is the best. A side without such a level has nothing there.

    Args:   span_ms: 1 to 86,400,000 (a day). level: 1 to 50; `mlofi` has several.
    Raises: TypeError, ValueError: not whole numbers in range.
    Source: Cont, Kukanov, Stoikov (2014), "The price impact of order book events", equation 10, for the best; Xu, Gould, Howison
        (2018), "Multi-level order-flow imbalance in a limit order book", for those behind it.
    """

    span_ms: cython.longlong
    _flow: TimedSum

    def __init__(self, span_ms: SupportsIndex = 1000, level: SupportsIndex = 1) -> None:
        self._flow = TimedSum(span_ns("span_ms", span_ms))
        self.span_ms = self._flow.span // 1_000_000
        MarketFeature.__init__(self, whole("level", level, 1, LEVELS_MAX), on_trades=True)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def on_book(self, view: DepthView) -> cython.int:
        """See `MarketFeature.on_book`."""
        if not view.priced:
            self.value = _NAN
            return self._flow.clear()
        if not view.known_before:
            self._flow.clear()
            return self._sum_up(view)
        flow: cython.longlong = 0
        depth: cython.Py_ssize_t = view.depth
        now: cython.Py_ssize_t = view.now + self.levels - 1
        before: cython.Py_ssize_t = view.before + self.levels - 1
        moved: cython.longlong = view.cells[now] - view.cells[before]
        if moved >= 0:
            flow += view.cells[now + depth]
        if moved <= 0:
            flow -= view.cells[before + depth]
        moved = view.cells[now + 2 * depth] - view.cells[before + 2 * depth]
        if moved <= 0:
            flow -= view.cells[now + 3 * depth]
        if moved >= 0:
            flow += view.cells[before + 3 * depth]
        if flow != 0:
            self._flow.push(view.clock, flow)
        return self._sum_up(view)

    def on_trade(self, view: DepthView) -> cython.int:
        """Time has passed: what is too old leaves the sum."""
        if view.clock < self._flow.due and self.value == self.value:  # known, and nothing is too old
            return 0
        return self._sum_up(view)

    @cython.cdivision(True)
    def _sum_up(self, view: DepthView) -> cython.int:
        if not view.priced or view.clock - view.since < self._flow.span:
            self.value = _NAN
            return 0
        if view.clock >= self._flow.due:
            self._flow.drop(view.clock)
        self.value = self._flow.total / view.qty_scale
        return 0

    def _arguments(self) -> tuple[Any, ...]:
        return (self.span_ms, self.levels)

    def _clear(self) -> None:
        MarketFeature._clear(self)
        self._flow.clear()

    def _state(self) -> dict[str, Any]:
        return {"flow": self._flow.save()}

    def _load(self, state: Mapping[str, Any]) -> None:
        self._flow.restore(saved_entries(state, "flow"))


def mlofi(span_ms: SupportsIndex = 1000, levels: SupportsIndex = 5) -> list[OFI]:
    """Multi-level order flow imbalance: the `OFI` of each of the best levels, the best first.

    Raises: TypeError, ValueError: as of `OFI`.
    Source: Xu, Gould, Howison (2018), "Multi-level order-flow imbalance in a limit order book".
    """
    return [OFI(span_ms, level) for level in range(1, whole("levels", levels, 1, LEVELS_MAX) + 1)]


@cython.final
@cython.cclass
class TFI(MarketFeature):
    """Trade flow imbalance over a span, base units: what buyers took less what sellers took. 0 where nobody did.

    It is of the trades alone, whatever the book is worth. A trade of which the aggressor is unknown counts for neither.

    Args:   span_ms: 1 to 86,400,000 (a day).
    Raises: TypeError, ValueError: no whole number in range.
    Source: Cont, Kukanov, Stoikov (2014), "The price impact of order book events", section 4.2, the trade imbalance; Silantyev (2019),
        "Order flow analysis of cryptocurrency markets".
    """

    span_ms: cython.longlong
    _flow: TimedSum

    def __init__(self, span_ms: SupportsIndex = 1000) -> None:
        self._flow = TimedSum(span_ns("span_ms", span_ms))
        self.span_ms = self._flow.span // 1_000_000
        MarketFeature.__init__(self, on_trades=True)

    def on_trade(self, view: DepthView) -> cython.int:
        """See `MarketFeature.on_trade`."""
        if view.trade_side != 0:
            self._flow.push(view.clock, view.trade_side * view.trade_qty)
        return self.on_book(view)

    @cython.cdivision(True)
    def on_book(self, view: DepthView) -> cython.int:
        """Time has passed: what is too old leaves the sum."""
        if view.clock >= self._flow.due:
            self._flow.drop(view.clock)
        self.value = _NAN if view.clock - view.start < self._flow.span else self._flow.total / view.qty_scale
        return 0

    def _arguments(self) -> tuple[Any, ...]:
        return (self.span_ms,)

    def _clear(self) -> None:
        MarketFeature._clear(self)
        self._flow.clear()

    def _state(self) -> dict[str, Any]:
        return {"flow": self._flow.save()}

    def _load(self, state: Mapping[str, Any]) -> None:
        self._flow.restore(saved_entries(state, "flow"))


@cython.final
@cython.cclass
class SignRun(MarketFeature):
    """Trade-sign run: how many trades in a row had the aggressor of the last one, with its sign: 3.0 after three buys, -1.0 after a sell.

    A trade of which the aggressor is unknown neither lengthens nor ends a run.

    Source: Lillo, Farmer (2004), "The long memory of the efficient market": signs of trades follow their own kind.
    """

    run: cython.longlong

    def __init__(self) -> None:
        MarketFeature.__init__(self, on_trades=True)

    def on_trade(self, view: DepthView) -> cython.int:
        """See `MarketFeature.on_trade`."""
        side: cython.longlong = view.trade_side
        if side == 0:
            return 0
        self.run = self.run + side if self.run * side > 0 else side
        self.value = self.run * 1.0  # uncompiled as well a float
        return 0

    def _clear(self) -> None:
        MarketFeature._clear(self)
        self.run = 0

    def _state(self) -> dict[str, Any]:
        return {"run": self.run}

    def _load(self, state: Mapping[str, Any]) -> None:
        self.run = int_field(state, "run", -_RUN_MAX, _RUN_MAX)


@cython.final
@cython.cclass
class QueueDepletion(MarketFeature):
    """How much of the best queue of a side was eaten over a span: gone / (gone + what stands there now), from 0 to 1.

    Gone is what left the best level, by trades or cancellations: each fall of its quantity while it stays the best, and all of it when
    a worse level becomes the best. A queue that is left behind by a better level is not gone.

    Args:   side: +1 bids, -1 asks. span_ms: 1 to 86,400,000 (a day).
    Raises: TypeError, ValueError: not whole numbers in range, or no side.
    Source: Cont, de Larrard (2013), "Price dynamics in a Markovian limit order market": the price moves when the best queue is depleted.
    """

    side: cython.int
    span_ms: cython.longlong
    _gone: TimedSum
    _standing: cython.longlong

    def __init__(self, side: SupportsIndex, span_ms: SupportsIndex = 1000) -> None:
        if whole("side", side, -1, 1) == 0:
            raise ValueError("side must be 1 (bids) or -1 (asks), was 0")
        self.side = whole("side", side, -1, 1)
        self._gone = TimedSum(span_ns("span_ms", span_ms))
        self.span_ms = self._gone.span // 1_000_000
        MarketFeature.__init__(self, on_trades=True)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def on_book(self, view: DepthView) -> cython.int:
        """See `MarketFeature.on_book`."""
        if not view.priced:
            self.value = _NAN
            return self._gone.clear()
        at: cython.Py_ssize_t = view.now if self.side > 0 else view.now + 2 * view.depth
        was: cython.Py_ssize_t = view.before if self.side > 0 else view.before + 2 * view.depth
        self._standing = view.cells[at + view.depth]
        if not view.known_before:
            self._gone.clear()
            return self._sum_up(view)
        better: cython.longlong = (view.cells[at] - view.cells[was]) * self.side
        gone: cython.longlong = 0
        if better < 0:
            gone = view.cells[was + view.depth]
        elif better == 0:
            gone = view.cells[was + view.depth] - self._standing
        if gone > 0:
            self._gone.push(view.clock, gone)
        return self._sum_up(view)

    def on_trade(self, view: DepthView) -> cython.int:
        """Time has passed: what is too old leaves the sum. What the trade took is seen when the venue says the book."""
        if view.clock < self._gone.due and self.value == self.value:  # known, and nothing is too old
            return 0
        return self._sum_up(view)

    @cython.cdivision(True)  # of a priced view each side has a quantity
    def _sum_up(self, view: DepthView) -> cython.int:
        if not view.priced or view.clock - view.since < self._gone.span:
            self.value = _NAN
            return 0
        if view.clock >= self._gone.due:
            self._gone.drop(view.clock)
        gone: cython.double = self._gone.total
        self.value = gone / (gone + self._standing)
        return 0

    def _arguments(self) -> tuple[Any, ...]:
        return (self.side, self.span_ms)

    def _clear(self) -> None:
        MarketFeature._clear(self)
        self._gone.clear()
        self._standing = 0

    def _state(self) -> dict[str, Any]:
        return {"gone": self._gone.save(), "standing": self._standing}

    def _load(self, state: Mapping[str, Any]) -> None:
        gone, standing = saved_entries(state, "gone"), int_field(state, "standing", 0, 2**63 - 1)
        self._gone.restore(gone)
        self._standing = standing

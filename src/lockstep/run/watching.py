"""Looking over a strategy's shoulder while it runs: in which handler, at which event and in which state an order was made.

The strategy's class is given a child with the same name whose handlers note what they are called with, and its seat a
stand-in that looks at the account just before an order goes in. Neither changes what the strategy sees or does, which
the comparison with the recording proves each time. Nothing is recorded for this: the run is played again up to the order.
"""

import math
from collections.abc import Callable
from typing import Any

from lockstep.model.errors import HaltError, StateError
from lockstep.run.backtest import Backtest, Playing
from lockstep.run.order_checks import checks_of
from lockstep.run.order_log import OrderRecord
from lockstep.run.plan import StrategyPlan
from lockstep.run.recorded import Recorded
from lockstep.run.replay import NEVER, Comparison
from lockstep.run.standing import strategy_facts
from lockstep.run.strategy_file import StrategyFile
from lockstep.store.catalog.times import time_text
from lockstep.strategy.base import HANDLERS, Strategy

_MAKES_NO_ORDER = frozenset(
    {"add_indicator", "add_window", "add_timer", "add_signal", "open_orders", "position_in", "last_price", "owns", "cool_down", "cancel", "size", "pick"}
)  # fmt: skip
_EVENT_FIELDS = (
    "open", "high", "low", "close", "volume", "bid", "ask", "bid_qty", "ask_qty", "price", "qty", "exec_id",
    "client_order_id", "kind", "state", "name",
)  # fmt: skip


def watch_order(recorded: Recorded, backtest: Backtest, order: OrderRecord) -> dict[str, Any] | None:
    """Play the run again up to an order, and tell how it came about; None where no handler of a strategy made it.

    Args:    order: the first record about it. backtest: the recorded run; its plans are replaced by watched ones.
    Returns: handler, event, strategy (its indicators and attributes then), checks; plain data.
    Raises:  StateError: the replay does not decide what was recorded.
    """
    watch = _Watch(order)
    backtest.plans = [_watched(plan, watch) for plan in backtest.plans]
    comparison = Comparison(recorded.decisions())
    playing = backtest.begin(None, [comparison.update])
    try:
        _play_up_to(playing, watch, int(order.row[0]))
    except HaltError:  # the step in which the order was made may be the one in which the strategy failed
        if watch.found is None:
            raise
    playing.engine.flush()
    if comparison.first is not None:
        raise StateError(
            f"{recorded.folder}: the replay does not decide what was recorded",
            hint=f"lockstep replay {recorded.folder} shows where they part",
        )
    return watch.found


def _play_up_to(playing: Playing, watch: "_Watch", clock: int) -> None:
    """Until the order that was made at this clock is there: no step before an event of that clock can have made it."""
    with playing.faults_named():
        more = watch.found is None and playing.loop.run(clock - 1)
        while more and watch.found is None and playing.engine.state.clock <= clock:
            more = playing.loop.run(NEVER, 1)
        if not more and watch.found is None:
            playing.loop.finish()
            playing.engine.stop()


class _Watch:
    """Waits for one order to be made."""

    def __init__(self, order: OrderRecord) -> None:
        self.found: dict[str, Any] | None = None
        self._order = order
        self._handlers: list[tuple[str, Any]] = []
        self._before: dict[str, Any] | None = None

    def enter(self, handler: str, event: Any) -> None:
        """A handler begins."""
        self._handlers.append((handler, event))

    def leave(self) -> None:
        """It has ended."""
        self._handlers.pop()

    def look(self, seat: Any) -> bool:
        """Just before something that may make orders; the gate is listened to from here. True where the one waited for may be among them."""
        orders, row = seat.state.orders, self._order.row
        if self.found is not None or seat.state.clock != row[0] or orders.last_id >= row[3]:
            return False
        handler, event = self._handlers[-1] if self._handlers else ("", None)
        self._before = {
            "handler": handler,
            "event": event_facts(event),
            "strategy": {"name": seat.name, **strategy_facts(seat)},
        }
        seat.state.desk.heard = []
        return True

    def looked(self, seat: Any) -> None:
        """Just after it."""
        heard, seat.state.desk.heard = seat.state.desk.heard, None
        if self._before is not None and seat.state.orders.last_id >= self._order.row[3]:
            self.found = {**self._before, "checks": checks_of(heard, int(self._order.row[3]))}


class _WatchedSeat:
    """A strategy's seat, passing everything on."""

    def __init__(self, seat: Any, watch: _Watch) -> None:
        self._passed_on = seat
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._passed_on, name)
        if name in _MAKES_NO_ORDER or not callable(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            near = self._watch.look(self._passed_on)
            result = value(*args, **kwargs)
            if near:
                self._watch.looked(self._passed_on)
            return result

        return call


def _watched(plan: StrategyPlan, watch: _Watch) -> StrategyPlan:
    """The same plan, with a class that is looked at."""
    cls = plan.strategy.cls
    child: Any = type(cls.__name__, (cls,), {"__module__": cls.__module__, "__qualname__": cls.__qualname__})
    for name in HANDLERS:  # set afterwards: the checks of a user's class are not for these
        if name == "on_start" or getattr(cls, name) is not getattr(Strategy, name):
            setattr(child, name, _handler(name, getattr(cls, name), watch))
    watched = StrategyPlan(StrategyFile(child, plan.strategy.source, plan.strategy.path), plan.params, name=plan.name)
    watched.symbols, watched.timeframe_ns = plan.symbols, plan.timeframe_ns
    return watched


def _handler(name: str, own: Callable[..., Any], watch: _Watch) -> Callable[..., Any]:
    def handle(self: Any, *event: Any) -> Any:
        if name == "on_start":
            self._seat = _WatchedSeat(self._seat, watch)
        watch.enter(name, event[0] if event else None)
        try:
            return own(self, *event)
        finally:
            watch.leave()

    return handle


def event_facts(event: Any) -> dict[str, Any] | None:
    """What a handler was called with, as plain data; None where it takes nothing."""
    if event is None:
        return None
    facts: dict[str, Any] = {"type": type(event).__name__.lower()}
    if hasattr(event, "symbol"):
        facts["symbol"] = event.symbol
    for name in ("ts", "ts_recv", "ts_event", "ts_open"):
        if hasattr(event, name):
            facts[name] = time_text(getattr(event, name))
    for name in _EVENT_FIELDS:
        if hasattr(event, name):
            value = getattr(event, name)
            if isinstance(value, float) and not math.isfinite(value):
                value = None
            facts[name] = value.name.lower() if hasattr(value, "name") else value
    return facts

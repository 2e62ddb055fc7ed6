"""What the gates of one account share: throttles, working orders by instrument and strategy, losses, and the kill switch."""

from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.orders.order import Order
    from cython.cimports.lockstep.risk.timings import Timings
else:
    from lockstep.orders.order import Order
    from lockstep.risk.timings import Timings
from lockstep.model.enums import Reason
from lockstep.model.numbers import NANOS_PER_DAY, NANOS_PER_SECOND
from lockstep.risk.limits import RiskAct, RiskLimits

_SECOND = cython.declare(cython.longlong, NANOS_PER_SECOND)
_DAY = cython.declare(cython.longlong, NANOS_PER_DAY)
_DAILY_LOSS = cython.declare(cython.int, int(Reason.DAILY_LOSS))
_DRAWDOWN = cython.declare(cython.int, int(Reason.DRAWDOWN))
_REFUSALS = cython.declare(cython.int, int(Reason.REFUSALS))
_NO_LIMIT = 2**62


@cython.final
@cython.cclass
class Throttle:
    """So many in any one second, counted exactly: a sliding window over the engine's clock. limit 0: none at all."""

    limit: cython.longlong
    times: list[int]
    head: cython.longlong
    count: cython.longlong

    def __init__(self, limit: int | None) -> None:
        """limit: None for no limit."""
        self.limit = _NO_LIMIT if limit is None else limit
        self.times = [] if limit is None else [0] * limit
        self.head = 0
        self.count = 0

    def tighten(self, limit: int | None) -> None:
        """Of two limits said for one throttle, the tighter counts."""
        if limit is not None and limit < self.limit:
            kept = self.save()
            self.limit = limit
            self.times = [0] * limit
            self.restore(kept)

    def loosen(self) -> None:
        """No limit, until `tighten` says one; the times in the window stay."""
        self.limit = _NO_LIMIT

    def used(self, clock: cython.longlong) -> cython.longlong:
        """How many were sent in the second that ends at `clock`."""
        first: cython.longlong
        while self.count > 0:
            first = self.times[self.head]
            if clock - first < _SECOND:
                return self.count
            self.head = self.head + 1 if self.head + 1 < len(self.times) else 0
            self.count -= 1
        return self.count

    def add(self, clock: cython.longlong) -> cython.int:
        """One was sent; there was room."""
        if self.limit < _NO_LIMIT and self.count < self.limit:
            self.times[(self.head + self.count) % self.limit] = clock
            self.count += 1
        return 0

    def save(self) -> list[int]:
        """The times in the window, oldest first."""
        return [self.times[(self.head + k) % len(self.times)] for k in range(self.count)]

    def restore(self, times: list[int]) -> None:
        """Continue from `save`."""
        newest = times[-len(self.times) :] if self.times else []  # a limit may be lower than it was
        self.head = 0
        self.count = len(newest)
        self.times[: len(newest)] = newest


@cython.final
@cython.cclass
class Crew:
    """The orders of one instrument, or of one strategy, that may still work, and how fast they were sent.

    orders: every one that is not done, and some that are: who walks the list throws those out.
    """

    orders: list[Order]
    throttle: Throttle

    def __init__(self, throttle: Throttle) -> None:
        self.orders = []
        self.throttle = throttle

    def working(self) -> cython.longlong:
        """How many work. The list is rid of what is done."""
        kept: cython.Py_ssize_t = 0
        k: cython.Py_ssize_t
        for k in range(len(self.orders)):
            order: Order = cython.cast(Order, self.orders[k])
            if not order.is_done():
                self.orders[kept] = order
                kept += 1
        del self.orders[kept:]
        return kept


@cython.final
@cython.cclass
class Desk:
    """One account's shared part of risk.

    watched: whether losses or refusals can fire the kill switch. due: the Reason that has fired it and was not acted upon
    yet, with due_limit and due_actual. equity: at the last mark; day_open: at the last mark before the UTC day `day`;
    peak: the highest. acts: every halt, reset and change of limits. changed: the limits since such a change. stopwatch: gives
    ns, to time verdicts by (the core has no clock), or None; timings: how long they took. heard: where a list, the checks of every new order are put into it: its number, then
    (rule, limit, actual, passed) of each check it came to. warnings: (rule, limit, actual) of the order being checked.
    """

    instruments: dict[int, Crew]
    strategies: dict[str, Crew]
    orders: Throttle
    cancels: Throttle
    warnings: list[tuple[int, float, float]]
    acts: list[RiskAct]
    halted: cython.bint
    watched: cython.bint
    due: cython.int
    due_limit: cython.double
    due_actual: cython.double
    daily_loss_max: cython.double
    drawdown_max: cython.double
    equity: cython.double
    day_open: cython.double
    peak: cython.double
    day: cython.longlong
    refusals: cython.longlong
    refusals_max: cython.longlong
    halts_day: cython.bint
    halts_drawdown: cython.bint
    halts_position: cython.bint
    changed: RiskLimits | None
    stopwatch: Any
    heard: list[Any] | None
    timings: Timings

    def __init__(self, equity: float = 0.0) -> None:
        """equity: what the account begins with, currency."""
        self.instruments = {}
        self.strategies = {}
        self.orders = Throttle(None)
        self.cancels = Throttle(None)
        self.warnings = []
        self.acts = []
        self.halted = False
        self.watched = False
        self.due = 0
        self.due_limit = 0.0
        self.due_actual = 0.0
        self.daily_loss_max = 2.0
        self.drawdown_max = 2.0
        self.equity = equity
        self.day_open = equity
        self.peak = equity
        self.day = -1
        self.refusals = 0
        self.refusals_max = _NO_LIMIT
        self.halts_day = False
        self.halts_drawdown = False
        self.halts_position = False
        self.changed = None
        self.stopwatch = None
        self.heard = None
        self.timings = Timings()

    def take(self, limits: RiskLimits) -> None:
        """The account's limits. Said twice, the tighter ones count."""
        self.orders.tighten(limits.account_orders_per_second)
        self.cancels.tighten(limits.cancels_per_second)
        if limits.daily_loss_max is not None:
            self.daily_loss_max = min(self.daily_loss_max, float(limits.daily_loss_max))
            self.halts_day = self.halts_day or "daily_loss" in limits.halt_on
        if limits.drawdown_max is not None:
            self.drawdown_max = min(self.drawdown_max, float(limits.drawdown_max))
            self.halts_drawdown = self.halts_drawdown or "drawdown" in limits.halt_on
        self.halts_position = self.halts_position or "position" in limits.halt_on
        if limits.refusals_max is not None:
            self.refusals_max = min(self.refusals_max, limits.refusals_max)
        self.watched = self.daily_loss_max < 2.0 or self.drawdown_max < 2.0

    def begin_change(self, limits: RiskLimits) -> None:
        """Other limits are about to be taken, by every gate: until then none holds."""
        for crew in [*self.instruments.values(), *self.strategies.values()]:
            crew.throttle.loosen()
        self.orders.loosen()
        self.cancels.loosen()
        self.daily_loss_max = self.drawdown_max = 2.0
        self.halts_day = self.halts_drawdown = self.halts_position = False
        self.refusals_max = _NO_LIMIT
        self.changed = limits

    def breach(self, rule: cython.int, limit: cython.double, actual: cython.double) -> cython.int:
        """A position is beyond its limit."""
        return self._fire(rule, limit, actual) if self.halts_position else 0

    def disband(self) -> None:
        """No working order is listed: who changed the limits lists them anew."""
        for crew in [*self.instruments.values(), *self.strategies.values()]:
            del crew.orders[:]

    def crew_of(self, index: int, limit: int | None) -> Crew:
        """The shared part of an instrument, made on the first call."""
        crew: Crew = self.instruments.setdefault(index, Crew(Throttle(limit)))
        crew.throttle.tighten(limit)
        return crew

    def crew_named(self, name: str, limit: int | None) -> Crew:
        """The shared part of a strategy, made on the first call."""
        crew: Crew = self.strategies.setdefault(name, Crew(Throttle(limit)))
        crew.throttle.tighten(limit)
        return crew

    def roll(self, clock: cython.longlong) -> cython.int:
        """Begin the UTC day of `clock`, if it is another."""
        day: cython.longlong = clock // _DAY
        if day != self.day:
            self.day = day
            self.day_open = self.equity
        return 0

    def mark(self, clock: cython.longlong, equity: cython.double) -> cython.int:
        """The account was marked: losses beyond their limits fire the kill switch."""
        self.roll(clock)
        if equity - equity != 0.0:
            return 0  # a balance in a currency without a rate says nothing of losses; orders are refused meanwhile
        self.equity = equity
        if equity > self.peak:
            self.peak = equity
        if self.halts_day and self.day_open - equity > self.daily_loss_max * self.day_open:
            self._fire(_DAILY_LOSS, self.daily_loss_max, part_of(self.day_open - equity, self.day_open))
        if self.halts_drawdown and self.peak - equity > self.drawdown_max * self.peak:
            self._fire(_DRAWDOWN, self.drawdown_max, part_of(self.peak - equity, self.peak))
        return 0

    def refuse(self) -> cython.int:
        """An order was refused: too many fire the kill switch."""
        self.refusals += 1
        if self.refusals > self.refusals_max:
            self._fire(
                _REFUSALS, cython.cast(cython.double, self.refusals_max), cython.cast(cython.double, self.refusals)
            )
        return 0

    def _fire(self, rule: cython.int, limit: cython.double, actual: cython.double) -> cython.int:
        if not self.halted and self.due == 0:
            self.due = rule
            self.due_limit = limit
            self.due_actual = actual
        return 0

    def act_due(self, clock: int) -> RiskAct:
        """What has fired the kill switch, as it is kept."""
        name = Reason(self.due).name.lower()
        return RiskAct(ts=clock, rule=name, who="risk", why=name, limit=self.due_limit, actual=self.due_actual)

    def halt(self, act: RiskAct) -> None:
        """The kill switch is on from here."""
        self.halted = True
        self.due = 0
        self.acts.append(act)

    def reset(self, act: RiskAct, equity: float) -> None:
        """The kill switch is off. Losses and refusals are counted from here, so that what fired it does not fire again."""
        self.halted = False
        self.due = 0
        self.refusals = 0
        self.equity = equity
        self.day_open = self.equity
        self.peak = self.equity
        self.acts.append(act)


def part_of(lost: cython.double, whole: cython.double) -> cython.double:
    """A loss as a part of what there was; of nothing, or of debts, it is infinite."""
    return lost / whole if whole > 0.0 else float("inf")

"""Why an order was filled otherwise there: one order by plain rules, each difference a switch.

With no switch on the rules are ours, with all on they are hftbacktest's `PartialFillExchange`, read from its source. A difference is
explained where both ends are met: the rules without switches give our outcome, those with all of them its outcome. Its class is the
smallest set of switches that turns one into the other. Shares no code with the simulator.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from benchmarks.fills.schedule import ENTRY_NS, KINDS, Given
from lockstep.model.enums import BookAction, EventKind
from lockstep.model.record import BOOK_ACTION, BOOK_LAST

SWITCHES = {
    "beyond": "a trade beyond our price fills all that is left, however small the trade",
    "crossed": "a book whose other side comes to our price fills all that is left, however little stands there",
    "each_row": "orders are matched after each changed level, not when the venue's message is complete",
    "remainder": "what a limit cannot take within its price is filled at its price all the same",
    "reach": "a market order looks at 100 ticks from the best and no further",
    "twice": "a trade and the change of its level count one after the other, also where they are of one time",
    "below_zero": "the estimate of what is ahead may fall below zero, and a trade then fills more than it has",
}
_FAR = 1 << 60
Outcome = tuple[int, int, int, int]


@dataclass
class Depth:
    """The book, with its best prices as hftbacktest keeps them: a new best of one side moves a best of the other that it crosses."""

    levels: dict[int, dict[int, int]] = field(default_factory=lambda: {1: {}, -1: {}})
    their_best: dict[int, int] = field(default_factory=lambda: {1: -_FAR, -1: _FAR})
    ts: int = 0

    def clear(self) -> None:
        """Nothing is known."""
        self.levels = {1: {}, -1: {}}
        self.their_best = {1: -_FAR, -1: _FAR}

    def best(self, side: int) -> int:
        """The best price of a side; far off where it is empty."""
        levels = self.levels[side]
        if not levels:
            return -_FAR * side
        return max(levels) if side > 0 else min(levels)

    def put(self, side: int, price: int, qty: int) -> tuple[int, bool]:
        """A level is told. Returns: its quantity before, and whether hftbacktest's best of the side became better."""
        levels, best = self.levels[side], self.their_best
        before = levels.pop(price, 0)
        was = best[side]
        if qty > 0:
            levels[price] = qty
            if (price - was) * side > 0:
                best[side] = price
                if (best[1] >= best[-1]) and levels:
                    best[-side] = self._beyond(-side, price)
        elif price == was:
            best[side] = self._beyond(side, price)
        return before, (best[side] - was) * side > 0

    def _beyond(self, side: int, price: int) -> int:
        worse = [level for level in self.levels[side] if (level - price) * side < 0]
        return (max(worse) if side > 0 else min(worse)) if worse else -_FAR * side


@dataclass
class Alone:
    """One order under a set of switches."""

    number: int
    side: int
    price: int
    qty: int
    kind: str
    arrival: int
    end: int
    switches: frozenset[str]
    model: str
    power: float
    lot: int
    scale: float
    left: int = 0
    done: bool = False
    rests: bool = False
    ahead: float = 0.0
    traded: int = 0
    told_ts: int = -1
    unsettled: bool = False
    gone: int = 0
    before: int = 0
    least: int = 0
    since: int = -1
    outcome: Outcome = (0, 0, 0, 0)
    ended_exactly: bool = False
    taken: dict[int, int] = field(default_factory=dict)

    def fill(self, ts: int, price: int, qty: int) -> None:
        """So much of it is filled."""
        filled, first, _, _ = self.outcome
        self.outcome = (filled + qty, first or ts, ts, price)
        self.left -= qty
        self.done = self.left <= 0

    def _there(self, depth: Depth, ticks: int = _FAR) -> list[tuple[int, int]]:
        """(price, quantity) of the other side as far as its limit reaches, best first."""
        other, best = depth.levels[-self.side], depth.best(-self.side)
        found = []
        for price in sorted(other, reverse=self.side < 0):
            within = self.kind == "MARKET" or (self.price - price) * self.side >= 0
            if within and abs(price - best) < ticks:
                found.append((price, other[price] - self.taken.get(price, 0)))
        return [(price, qty) for price, qty in found if qty > 0]

    def arrive(self, depth: Depth) -> None:
        """It meets the book that stands."""
        ticks = 100 if self.kind == "MARKET" and "reach" in self.switches else _FAR
        there = self._there(depth, ticks)
        self.left = self.qty
        if there and self.kind == "POST_ONLY":
            self.done = True
            return
        if self.kind == "FOK" and sum(qty for _, qty in there) < self.qty:
            there = []
        for price, qty in there:
            if self.left:
                part = min(qty, self.left)
                self.taken[price] = self.taken.get(price, 0) + part
                self.fill(self.arrival, price, part)
        if self.kind in ("IOC", "FOK", "MARKET"):
            self.done = True
        elif there and self.left and "remainder" in self.switches:
            self.fill(self.arrival, self.price, self.left)
        if not self.done:
            self.rests = True
            self.ahead = depth.levels[self.side].get(self.price, 0)
            self.since = -1 if "twice" in self.switches else depth.ts

    def see_level(self, depth: Depth, ts: int, side: int, price: int, before: int, after: int, better: bool) -> None:
        """A level was told."""
        if side != self.side:
            self.taken.pop(price, None)
            if better and "each_row" in self.switches and (self.price - depth.their_best[side]) * self.side >= 0:
                self._be_taken(depth, ts)
            return
        if price != self.price:
            return
        twice = "twice" in self.switches
        if twice or ts > self.told_ts:
            self.settle()
            self.told_ts = ts
        self.least = min(self.least, after) if self.unsettled else after
        self.unsettled = True
        if twice:
            self.gone, self.before = before - after - self.traded, before
            self.settle()
        elif after < before:
            by_trades = min(before - after, self.traded)
            self.traded -= by_trades
            self.gone += before - after - by_trades
            self.before = max(self.before, before)

    def settle(self) -> None:
        """What was told of the level is settled: what no trade has explained is a cancel."""
        if not self.unsettled:
            return
        gone, before = self.gone, self.before
        self.unsettled = False
        self.traded = self.gone = self.before = 0
        if "below_zero" in self.switches:
            if gone > 0 or "twice" in self.switches:
                self._see_gone_freely(before, gone)
            self.ahead = min(self.ahead, self.least)
        elif self.ahead > 0:
            if gone > 0 and self.model != "pessimistic":
                share = self._share(self.ahead, max(0.0, before - self.ahead))
                self.ahead -= (1 - share) * gone
            self.ahead = max(0.0, min(self.ahead, self.least))

    def _see_gone_freely(self, before: int, gone: float) -> None:
        """hftbacktest's `ProbQueueModel.depth`: nothing is held at zero."""
        if gone < 0 or self.model == "pessimistic":
            return
        behind = before - self.ahead
        if self.model == "log" and 1 + self.ahead / self.scale <= 0:
            self.ahead = _FAR  # its logarithm is no number, and the smaller one of none and the level is the level
            return
        share = self._share(self.ahead, behind)
        self.ahead += min(behind - share * gone, 0.0) - (1 - share) * gone

    def _share(self, ahead: float, behind: float) -> float:
        back, front = behind / self.scale, ahead / self.scale
        if self.model == "log":
            f_back, f_front = math.log(1 + back), math.log(1 + front)
        else:
            f_back, f_front = back**self.power, front**self.power
        return f_back / (f_back + f_front) if f_back + f_front else 1.0

    def end_group(self, depth: Depth, ts: int) -> None:
        """The venue's message is complete."""
        if "each_row" not in self.switches and (self.price - depth.best(-self.side)) * self.side >= 0:
            self._be_taken(depth, ts)

    def _be_taken(self, depth: Depth, ts: int) -> None:
        there = self._there(depth)
        room = self.left if "crossed" in self.switches else min(self.left, sum(qty for _, qty in there))
        for price, qty in there:
            self.taken[price] = self.taken.get(price, 0) + min(qty, room)
        if room > 0:
            self.fill(ts, self.price, room)

    def see_trade(self, ts: int, price: int, qty: int, aggressor: int) -> None:
        """A trade printed."""
        beyond = (self.price - price) * self.side
        if aggressor == self.side or beyond < 0:
            return
        if beyond > 0:
            self.ahead = 0.0
            self.fill(ts, self.price, self.left if "beyond" in self.switches else min(qty, self.left))
            return
        if ts <= self.since:
            return
        if "twice" not in self.switches and ts > self.told_ts:
            self.settle()
        shown = min(qty, self.gone) if "twice" not in self.switches else 0
        self.gone -= shown
        self.traded += qty - shown
        self.ahead -= qty
        lots = math.floor(0.5 - self.ahead / self.lot)
        if lots < 1:
            return
        self.ahead = 0.0
        reaching = lots * self.lot if "below_zero" in self.switches else min(lots * self.lot, qty)
        self.ended_exactly = reaching == self.left
        self.fill(ts, self.price, min(reaching, self.left))


def outcomes(given: Given, asked: Iterable[tuple[int, frozenset[str]]], model: str, power: float) -> list[Alone]:
    """Each order under its switches, over one pass through the recording."""
    scale = 10.0**given.instrument.qty_decimals
    waiting = []
    for number, switches in asked:
        send, cancel, side, price, qty, kind = given.orders[number].tolist()
        made = Alone(
            number, side, price, qty, KINDS[kind], send + ENTRY_NS, cancel + ENTRY_NS, switches, model, power,
            given.instrument.lot_size, scale,
        )  # fmt: skip
        waiting.append(made)
    everyone = list(waiting)
    waiting.sort(key=lambda order: order.arrival, reverse=True)
    _pass_by(given, waiting)
    return everyone


def _pass_by(given: Given, waiting: list[Alone]) -> None:
    depth = Depth()
    open_orders: list[Alone] = []
    r = given.records
    columns = (r["clock"], r["kind"], r["flags"], r["aux"].astype("i8"), r["p0"], r["p1"])
    for ts, kind, flags, aux, price, qty in zip(*(column.tolist() for column in columns), strict=True):
        while waiting and waiting[-1].arrival <= ts:
            order = waiting.pop()
            order.arrive(depth)
            open_orders.append(order)
        if open_orders:
            open_orders = [order for order in open_orders if not order.done and order.end > ts]
        if kind == EventKind.TRADE:
            for order in open_orders:
                order.see_trade(ts, price, qty, aux - 2)
            continue
        action = flags & BOOK_ACTION
        if action == BookAction.CLEAR:
            depth.clear()
        elif action == BookAction.SET:
            before, better = depth.put(aux - 2, price, qty)
            for order in open_orders:
                if not order.done:
                    order.see_level(depth, ts, aux - 2, price, before, qty, better)
        if flags & BOOK_LAST:
            depth.ts = ts
            for order in open_orders:
                if not order.done:
                    order.end_group(depth, ts)
        if not waiting and not open_orders:
            return


def explained(
    given: Given,
    ours: NDArray[np.void],
    theirs: NDArray[np.void],
    stopped: NDArray[np.bool_],
    model: str,
    power: float,
) -> dict[int, str]:
    """The class of each order whose outcome differs: switches joined by " + ", "stops", or "unexplained".

    stopped: where hftbacktest ended with an error while the order was open, so that what became of it there is not known.
    """
    differing = [k for k in range(len(ours)) if ours[k] != theirs[k]]
    every = frozenset(SWITCHES)
    found: dict[int, str] = {}
    tried = _by_order(outcomes(given, [(k, s) for k in differing for s in (frozenset[str](), every)], model, power))
    left = []
    for k in differing:
        mine, whole = tried[k]
        if mine.outcome != ours[k].tolist():
            found[k] = "unexplained"
        elif stopped[k]:
            found[k] = "stops" if whole.ended_exactly else "unexplained"
        elif whole.outcome != theirs[k].tolist():
            found[k] = "unexplained"
        else:
            left.append(k)
    for size in range(1, len(SWITCHES) + 1):
        sets = [frozenset(chosen) for chosen in combinations(SWITCHES, size)]
        tried = _by_order(outcomes(given, [(k, s) for k in left for s in sets], model, power)) if left else {}
        for k in list(left):
            fitting = [run.switches for run in tried[k] if run.outcome == theirs[k].tolist()]
            if fitting:
                found[k] = " + ".join(name for name in SWITCHES if name in fitting[0])
                left.remove(k)
    return found


def _by_order(runs: Sequence[Alone]) -> dict[int, list[Alone]]:
    by_order: dict[int, list[Alone]] = {}
    for run in runs:
        by_order.setdefault(run.number, []).append(run)
    return by_order

"""The venue's matching on quotes and trades written again, as plainly as possible: lists, sorting and no early exits.

One instrument, whole prices and quantities, a market that never closes, a fixed entry latency. Shares no code with the
package. What happens to an order is told as (kind, time, reason or quantity, price, maker?).
"""

from dataclasses import dataclass, field
from typing import Any

NEVER = 2**62


@dataclass
class TickWish:
    """An order as it is sent. kind: market, limit, stop, stop_limit or trailing. late: sent on a report, a nanosecond later.

    display: how much of it is shown at a time, 0 all, -1 nothing.
    """

    side: int
    qty: int
    kind: str = "market"
    limit: int = 0
    stop: int = 0
    trail: int = 0
    ppm: bool = False
    tif: str = "GTC"
    expire: int = NEVER
    post_only: bool = False
    display: int = 0
    reduce_only: bool = False
    owner: int = 0
    late: bool = False


@dataclass
class TickRules:
    """How the venue behaves. share: of a trade's quantity that is ours, as (numerator, denominator), or None for no limit."""

    quotes: bool = True
    trades: bool = False
    latency: int = 0
    touch: bool = False
    share: tuple[int, int] | None = None
    slip_bps: int = 0


@dataclass
class Resting:
    """An order at the venue. state: stop (waits for its trigger), new (has met nothing), takes (wants more), rests."""

    id: int
    wish: TickWish
    arrival: int
    basis: int
    left: int
    state: str
    best: int = 0
    stop: int = 0
    over: bool = False


@dataclass
class SlowTicks:
    """Runs actions in time: ("quote", ts, bid, ask, bid_qty, ask_qty), ("trade", ts, price, qty, aggressor),
    ("send", ts, id, wish), ("cancel", ts, id)."""

    rules: TickRules
    told: dict[int, list[tuple[Any, ...]]] = field(default_factory=dict)
    fills: list[tuple[Any, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.book: list[Resting] = []
        self.coming: list[tuple[int, str, Any]] = []
        self.shown = {1: (0, 0), -1: (0, 0)}
        self.left = {1: 0, -1: 0}
        self.price = {1: 0, -1: 0}
        self.nets: dict[int, int] = {}
        self.crossed = 0

    def run(self, actions: list[tuple[Any, ...]]) -> None:
        for what, ts, *rest in actions:
            self._come_to(ts)
            if what == "quote":
                self._quote(ts, *rest)
            elif what == "trade":
                self._trade(ts, *rest)
            else:
                self.coming.append((ts + self.rules.latency, what, (ts, *rest)))
        self._come_to(NEVER - 1)

    def _tell(self, ident: int, *what: Any) -> None:
        self.told.setdefault(ident, []).append(what)

    def _come_to(self, ts: int) -> None:
        while self.coming and self.coming[0][0] <= ts:
            when, what, given = self.coming.pop(0)
            self._expire(when)
            if what == "cancel":
                self._cancel(when, given[1])
            else:
                self._arrive(when, *given)
        self._expire(ts)

    def _expire(self, ts: int) -> None:
        for order in self.book:
            if not order.over and order.wish.expire <= ts:
                self._end(order, "EXPIRE", order.wish.expire, "TIME_IN_FORCE")

    def _end(self, order: Resting, kind: str, ts: int, reason: str) -> None:
        order.over = True
        self._tell(order.id, kind, ts, reason)

    def _cancel(self, ts: int, ident: int) -> None:
        for order in self.book:
            if order.id == ident and not order.over:
                self._end(order, "CANCEL", ts, "NONE")
                return
        self._tell(ident, "CANCEL_REJECT", ts, "TOO_LATE")

    def _arrive(self, ts: int, sent: int, ident: int, wish: TickWish) -> None:
        if wish.expire <= ts:
            self._tell(ident, "REJECT", ts, "TIME_IN_FORCE")
            return
        self._tell(ident, "ACCEPT", ts, "NONE")
        stops = wish.kind in ("stop", "stop_limit", "trailing")
        order = Resting(ident, wish, ts, sent + wish.late, wish.qty, "stop" if stops else "new", stop=wish.stop)
        self.book.append(order)
        if self.rules.quotes and order.basis <= ts:
            self._meet(order, ts)

    def _meet(self, order: Resting, ts: int) -> None:
        """An order meets the standing quote for the first time."""
        if order.state == "stop" and not self.rules.trades and self.price[order.wish.side]:
            self._look(order, self.price[order.wish.side], ts)
        if order.state != "stop":
            self._at_quote(order, ts)

    def _look(self, order: Resting, price: int, ts: int) -> None:
        """A stop looks at a price: it triggers, or a trailing one follows."""
        wish = order.wish
        known = wish.kind != "trailing" or order.best > 0
        if known and ((price >= order.stop) if wish.side > 0 else (price <= order.stop)):
            order.state = "new"
            self._tell(order.id, "TRIGGER", ts, "NONE")
        elif wish.kind == "trailing":
            better = price < order.best if wish.side > 0 else price > order.best
            if order.best == 0 or better:
                distance = (price * wish.trail + 999_999) // 1_000_000 if wish.ppm else wish.trail
                order.best, order.stop = price, price + distance * wish.side

    def _ready(self, ts: int) -> list[Resting]:
        return [o for o in self.book if not o.over and o.basis <= ts and o.arrival <= ts]

    @staticmethod
    def _gain(order: Resting, price: int) -> int:
        """How much better than its price an order would let us have it: most of all where it names no price."""
        return NEVER if not order.wish.limit else (order.wish.limit - price) * order.wish.side

    def _quote(self, ts: int, bid: int, ask: int, bid_qty: int, ask_qty: int) -> None:
        sides = {1: (ask, ask_qty), -1: (bid, bid_qty)}
        sides = {side: pair if min(pair) > 0 else (0, 0) for side, pair in sides.items()}
        if sides[1][0] and sides[-1][0] > sides[1][0]:
            self.crossed += 1
            self.price = {1: 0, -1: 0}
            return
        for side, pair in sides.items():
            if pair != self.shown[side]:
                self.shown[side], self.left[side] = pair, pair[1]
            self.price[side] = pair[0]
        ready = self._ready(ts)
        if not self.rules.trades:
            for order in ready:
                if order.state == "stop" and self.price[order.wish.side]:
                    self._look(order, self.price[order.wish.side], ts)
        ready = [o for o in ready if o.state != "stop"]
        ready.sort(key=lambda o: -self._gain(o, self.price[o.wish.side]))
        for order in ready:
            if not order.over:
                self._at_quote(order, ts)

    def _at_quote(self, order: Resting, ts: int) -> None:
        wish = order.wish
        price = self.price[wish.side]
        gain = self._gain(order, price)
        before, order.state = order.state, "rests"
        if price and gain >= 0:
            if wish.post_only and before != "rests":
                self._end(order, "REJECT", ts, "POST_ONLY")
            elif before != "rests" or not wish.limit:
                self.left[wish.side] -= self._fill(order, price, False, ts, self.left[wish.side])
                order.state = "takes"
            elif gain > 0 or self.rules.touch:
                self.left[wish.side] -= self._fill(order, wish.limit, True, ts, self.left[wish.side])
        self._one_shot(order, ts)

    def _one_shot(self, order: Resting, ts: int) -> None:
        if not order.over and order.wish.tif in ("IOC", "FOK"):
            self._end(order, "CANCEL", ts, "TIME_IN_FORCE")

    def _trade(self, ts: int, price: int, qty: int, aggressor: int) -> None:
        ready = self._ready(ts)
        just_triggered = []
        for order in ready:
            if order.state == "stop":
                self._look(order, price, ts)
                if order.state != "stop":
                    just_triggered.append(order)
                    if self.rules.quotes:
                        self._at_quote(order, ts)
            elif order.state == "new" and self.rules.quotes:
                self._at_quote(order, ts)
                just_triggered.append(order)
        if qty <= 0:
            return
        room = NEVER if self.rules.share is None else qty * self.rules.share[0] // self.rules.share[1]
        ready = [o for o in ready if o.state != "stop" and o not in just_triggered]
        ready.sort(key=lambda o: -self._gain(o, price))
        for order in ready:
            if not order.over:
                room -= self._at_trade(order, price, aggressor, ts, room)

    def _at_trade(self, order: Resting, price: int, aggressor: int, ts: int, room: int) -> int:
        wish = order.wish
        gain = self._gain(order, price)
        filled = 0
        if not self.rules.quotes and (order.state != "rests" or not wish.limit):
            order.state = "rests"
            if gain >= 0:
                if wish.post_only:
                    self._end(order, "REJECT", ts, "POST_ONLY")
                    return 0
                order.state = "takes"
                filled = self._fill(order, price, False, ts, room)
            self._one_shot(order, ts)
        elif wish.limit and aggressor != wish.side and (gain > 0 or (gain == 0 and self.rules.touch)):
            order.state = "rests"
            filled = self._fill(order, wish.limit, True, ts, room)
        return filled

    def _fill(self, order: Resting, price: int, maker: bool, ts: int, room: int) -> int:
        wish = order.wish
        wanted = order.left
        net = self.nets.get(wish.owner, 0)
        if wish.reduce_only:
            closable = max(0, -net * wish.side)
            if closable == 0 or (wish.tif == "FOK" and closable < wanted):
                self._end(order, "CANCEL", ts, "REDUCE_ONLY")
                return 0
            wanted = min(wanted, closable)
        qty = min(wanted, room)
        if qty <= 0 or (wish.tif == "FOK" and qty < wanted):
            return 0
        if not maker:
            price += wish.side * (-(-price * self.rules.slip_bps // 10_000))
            if wish.limit:
                price = min(price, wish.limit) if wish.side > 0 else max(price, wish.limit)
            price = max(1, price)
        order.left -= qty
        self.nets[wish.owner] = net + qty * wish.side
        self._tell(order.id, "FILL", ts, qty, price, maker)
        self.fills.append((order.id, ts, qty, price, maker))
        order.over = order.left == 0
        if wish.reduce_only and not order.over and self.nets[wish.owner] == 0:
            self._end(order, "CANCEL", ts, "REDUCE_ONLY")
        return qty

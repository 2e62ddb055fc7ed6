"""The venue's matching on an order book written again, as plainly as possible: dicts, sets, sorting and no early exits.

One instrument, whole prices and quantities, a market that never closes, a fixed entry latency. Shares no code with the
package. What happens to an order is told as (kind, time, reason or quantity, price, maker?).
"""

import math
from dataclasses import dataclass, field
from typing import Any

from slow_rebuilt import SlowRebuilt
from slow_ticks import NEVER, TickWish


@dataclass
class DepthRules:
    """How the venue behaves. orders: the book is told order by order; trades: the run has public trades."""

    orders: bool = False
    trades: bool = True
    latency: int = 0
    queue: str = "pessimistic"
    power: float = 1.0
    recovery: int = 0
    slip_bps: int = 0


@dataclass
class Mine:
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
    seen: bool = False
    met: int = -1
    ahead: float = 0.0
    trades: list[int] = field(default_factory=list)
    told: list[tuple[int, int]] = field(default_factory=list)  # (before, after) of the level, at the moment told_ts
    told_ts: int = -1
    since: int = -1
    mark: int = 0
    before: set[int] | None = None
    tip: int = 0
    spared: int = 0  # what others still have before our shown part, since ours was filled in their place
    sparing: int = 0  # and behind it


@dataclass
class Theirs:
    """An order of the recorded book."""

    side: int
    price: int
    qty: int


@dataclass
class SlowDepth:
    """Runs actions in time: ("book", ts, rows of (what, side, price, quantity, id), full, last), ("trade", ts, price, qty,
    aggressor), ("send", ts, id, wish), ("cancel", ts, id)."""

    rules: DepthRules
    told: dict[int, list[tuple[Any, ...]]] = field(default_factory=dict)
    fills: list[tuple[Any, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.mine: list[Mine] = []
        self.coming: list[tuple[int, str, Any]] = []
        self.levels: dict[tuple[int, int], int] = {}
        self.lines: dict[int, Theirs] = {}  # in the order in which they joined a queue last
        self.state = "EMPTY"
        self.inside = False
        self.taken: dict[tuple[int, int], tuple[int, int]] = {}
        self.nets: dict[int, int] = {}
        self.event = 0
        self.unprinted: dict[tuple[int, int], int] = {}
        self.executed_at = 0
        self.line = SlowRebuilt()
        self.heard = 0  # when the last group ended

    def run(self, actions: list[tuple[Any, ...]]) -> None:
        for what, ts, *rest in actions:
            self._come_to(ts)
            if what == "book":
                self._book(ts, *rest)
            elif what == "trade":
                self._print(ts, *rest)
            else:
                self.coming.append((ts + self.rules.latency, what, (ts, *rest)))
        self._come_to(NEVER - 1)

    def _tell(self, ident: int, *what: Any) -> None:
        self.told.setdefault(ident, []).append(what)

    # ---- orders come and go

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
        for order in self.mine:
            if not order.over and order.wish.expire <= ts:
                self._end(order, "EXPIRE", order.wish.expire, "TIME_IN_FORCE")

    def _end(self, order: Mine, kind: str, ts: int, reason: str) -> None:
        order.over = True
        self._tell(order.id, kind, ts, reason)

    def _cancel(self, ts: int, ident: int) -> None:
        for order in self.mine:
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
        order = Mine(ident, wish, ts, sent + wish.late, wish.qty, "stop" if stops else "new", stop=wish.stop)
        self.mine.append(order)
        if order.basis > ts:
            return
        if stops:
            if self.inside or self.rules.trades or self.state != "GOOD" or not self._touch(wish.side, ts):
                return
            self._look(order, self._touch(wish.side, ts), ts)
        if order.state != "stop":
            self._at_book(order, ts)

    def _look(self, order: Mine, price: int, ts: int) -> None:
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

    # ---- the book, and what of it is left

    def _shown(self, side: int, price: int) -> int:
        if not self.rules.orders:
            return self.levels.get((side, price), 0)
        return sum(o.qty for o in self.lines.values() if (o.side, o.price) == (side, price))

    def _prices(self, side: int) -> list[int]:
        """Of the levels of a side, best first."""
        if self.rules.orders:
            return sorted({o.price for o in self.lines.values() if o.side == side}, reverse=side > 0)
        return sorted({price for (s, price), qty in self.levels.items() if s == side and qty}, reverse=side > 0)

    def _still_taken(self, side: int, price: int, ts: int) -> int:
        qty, since = self.taken.get((side, price), (0, ts))
        if self.rules.recovery and ts > since and qty:
            left: float = qty * 0.5 ** ((ts - since) / self.rules.recovery) - 0.5
            return math.ceil(left)
        return qty

    def _left(self, side: int, ts: int, limit: int = 0) -> list[tuple[int, int]]:
        """(price, what we have not taken) of a side's levels, best first, as far as a limit of ours reaches."""
        found = [(price, self._shown(side, price) - self._still_taken(side, price, ts)) for price in self._prices(side)]
        return [(p, qty) for p, qty in found if qty > 0 and (not limit or (limit - p) * -side >= 0)]

    def _took(self, side: int, price: int, qty: int, ts: int) -> None:
        self.taken[side, price] = (self._still_taken(side, price, ts) + qty, ts)

    def _touch(self, side: int, ts: int) -> int:
        left = self._left(-side, ts)
        return left[0][0] if left else 0

    def _book(self, ts: int, rows: list[tuple[str, int, int, int, int]], full: bool, last: bool) -> None:
        for k, (what, side, price, qty, ident) in enumerate(rows):
            if k:
                self._end_hurried(ts)
            if what == "STATUS":
                self.state = {1: "GOOD", 2: "RESYNCING", 4: "AUCTION"}[price]
            elif what == "CLEAR":
                self._clear(0 if self.rules.orders else side)
            elif self.rules.orders:
                self._order_row(ts, what, side, price, qty, ident, full)
            else:
                self._level_row(ts, side, price, qty, full)
        self.inside = not last
        if not last:
            self._end_hurried(ts)
            return
        self.heard = ts
        if full and self.state != "AUCTION":
            self.state = "GOOD"
        bids, asks = self._prices(1), self._prices(-1)
        if bids and asks and bids[0] >= asks[0] and self.state == "GOOD":
            self.state = "RESYNCING"
        if full:
            self.line.whole({level: qty for level, qty in self.levels.items() if qty}, ts)
            self._find_places(ts)
        self.event += 1
        self._meet_all(ts)

    def _clear(self, side: int) -> None:
        self.lines = {}
        self.levels = {key: qty for key, qty in self.levels.items() if side not in (0, key[0])}
        if not self.rules.recovery:
            self.taken = {key: held for key, held in self.taken.items() if side not in (0, key[0])}

    def _find_places(self, ts: int) -> None:
        for order in self.mine:
            if order.state != "rests" or order.over:
                continue
            shown = self._shown(order.wish.side, order.wish.limit)
            if order.before is None:
                self._level_told(order, ts, shown, shown)
            else:
                here = (order.wish.side, order.wish.limit)
                order.before = {i for i in order.before if i in self.lines and self._at(i) == here}

    def _at(self, ident: int) -> tuple[int, int]:
        return self.lines[ident].side, self.lines[ident].price

    def _fault(self) -> None:
        if self.state != "AUCTION":
            self.state = "RESYNCING"

    def _level_row(self, ts: int, side: int, price: int, qty: int, full: bool) -> None:
        if qty < 0:
            self._fault()
            return
        before = self._shown(side, price)
        self.levels[side, price] = qty
        if not full:
            self.line.told(side, price, qty, ts)
        if not self.rules.recovery:
            self.taken.pop((side, price), None)
        if not full:
            self._level_moved(ts, side, price, before, qty)

    def _level_moved(self, ts: int, side: int, price: int, before: int, after: int) -> None:
        for order in self.mine:
            if order.state == "rests" and (order.wish.side, order.wish.limit) == (side, price):
                self._level_told(order, ts, before, after)

    def _level_told(self, order: Mine, ts: int, before: int, after: int) -> None:
        self._settle(order, ts)
        order.told_ts = ts
        order.told.append((before, after))

    def _settle(self, order: Mine, now: int) -> None:
        """What was told of the level at a moment before now, against all trades up to that moment."""
        if now <= order.told_ts or not order.told:
            return
        falls = [(before, after) for before, after in order.told if after < before]
        gone = sum(before - after for before, after in falls) - sum(order.trades)
        least = min(after for _, after in order.told)
        order.told, order.trades = [], []
        if order.ahead <= 0:
            return
        if gone > 0 and self.rules.queue != "pessimistic":
            behind = max(0.0, max(before for before, _ in falls) - order.ahead)
            order.ahead -= (1 - self._share(order.ahead, behind)) * gone
        order.ahead = max(0.0, min(order.ahead, least))

    def _share(self, ahead: float, behind: float) -> float:
        f = (lambda x: math.log(1 + x)) if self.rules.queue == "log" else (lambda x: x**self.rules.power)
        return f(behind) / (f(ahead) + f(behind)) if f(ahead) + f(behind) else 1.0

    @staticmethod
    def _is_wrong(what: str, there: Theirs | None, qty: int) -> bool:
        if what == "ADD":
            return there is not None or qty <= 0
        if there is None:
            return True
        return {"MODIFY": qty < 0, "DELETE": False, "MATCH": not 0 < qty <= there.qty}[what]

    def _order_row(self, ts: int, what: str, side: int, price: int, qty: int, ident: int, full: bool) -> None:
        there = self.lines.get(ident)
        if what == "MATCH":
            self._forget_executions(ts)
            self.executed_at = ts
            at_level = (side, price) if there is None else (there.side, there.price)
            self.unprinted[at_level] = self.unprinted.get(at_level, 0) + qty
        if self._is_wrong(what, there, qty):
            self._fault()
            return
        side, at = (side, price) if there is None else (there.side, there.price)
        before = self._shown(side, at)
        ahead_of = [o for o in self.mine if o.before is not None and ident in o.before]
        left = {"ADD": qty, "MODIFY": qty, "DELETE": 0, "MATCH": there.qty - qty if there else 0}[what]
        stays = there is not None and 0 < left <= there.qty and (what != "MODIFY" or price == at)
        if there is not None and stays:
            there.qty = left
        else:
            self.lines.pop(ident, None)
            if left:
                self.lines[ident] = Theirs(side, price, left)
        if full:
            return
        if what == "MATCH":
            self.event += 1
            self._hit(ts, side, at, qty, ident)
        if not stays:
            for order in ahead_of:
                order.before.discard(ident)  # type: ignore[union-attr]
        after = self._shown(side, at)
        if after < before and (side, at) in self.taken and not self.rules.recovery:
            held, since = self.taken.pop((side, at))
            if held > before - after and after:
                self.taken[side, at] = (held - before + after, since)
        if self.rules.queue != "exact" and after != before:
            self._level_moved(ts, side, at, before, after)

    # ---- orders meet the book

    def _ready(self, ts: int) -> list[Mine]:
        return [o for o in self.mine if not o.over and o.basis <= ts and o.arrival <= ts]

    def _end_hurried(self, ts: int) -> None:
        """While the book is not GOOD, what may not wait does not live."""
        for order in self._ready(ts):
            if self.state != "GOOD" and order.state != "stop" and order.wish.tif in ("IOC", "FOK"):
                self._end(order, "CANCEL", ts, "TIME_IN_FORCE")

    def _meet_all(self, ts: int) -> None:
        if self.state != "GOOD":
            self._end_hurried(ts)
            return
        if not self.rules.trades:
            for order in self._ready(ts):
                if order.state == "stop" and self._touch(order.wish.side, ts):
                    self._look(order, self._touch(order.wish.side, ts), ts)
        while True:
            wants = [
                (self._gain(o, ts), o.wish.display >= 0, -k, o)
                for k, o in enumerate(self._ready(ts))
                if o.met != self.event
            ]
            wants = [entry for entry in wants if entry[0] >= 0]
            if not wants:
                return
            self._at_book(max(wants, key=lambda entry: entry[:3])[3], ts)

    def _gain(self, order: Mine, ts: int) -> int:
        """How much better than the touch an order's price is; -1 where the book does nothing to it."""
        wish, touch = order.wish, self._touch(order.wish.side, ts)
        if order.state == "stop":
            return -1
        if not wish.limit:
            return NEVER if touch else 0 if wish.tif in ("IOC", "FOK") else -1
        gain = (wish.limit - touch) * wish.side
        if not touch or gain < 0:
            return 0 if order.state == "new" else -1
        return gain

    def _at_book(self, order: Mine, ts: int) -> None:
        wish = order.wish
        if self.inside and (self.state == "GOOD" or wish.tif not in ("IOC", "FOK")):
            return
        touch = 0
        if self.state == "GOOD":
            order.met, order.seen = self.event, True
            touch = self._touch(wish.side, ts)
        elif wish.tif not in ("IOC", "FOK"):
            return
        if touch and (not wish.limit or (wish.limit - touch) * wish.side >= 0):
            if order.state == "rests":
                self._taken_by_book(order, ts)
            elif wish.post_only:
                self._end(order, "REJECT", ts, "POST_ONLY")
            else:
                self._walk(order, ts)
        if order.over:
            return
        if wish.tif in ("IOC", "FOK"):
            self._end(order, "CANCEL", ts, "TIME_IN_FORCE")
        elif not wish.limit:
            order.state = "takes"
        elif order.state != "rests":
            order.state = "rests"
            order.tip, order.spared, order.sparing = min(wish.display, order.left), 0, 0
            self._join(order)

    def _join(self, order: Mine) -> None:
        """At the end of its level."""
        level = order.wish.side, order.wish.limit
        order.ahead = self._shown(*level)
        order.mark = self.line.count
        order.since = -1 if self.rules.orders else self.heard
        if self.rules.queue == "exact":
            order.before = {i for i in self.lines if self._at(i) == level}

    def _show_part(self, order: Mine, filled: int) -> bool:
        """Of an iceberg so much was filled, unit by unit. Returns: whether another part of it is shown now."""
        another = False
        for left in range(order.left + filled - 1, order.left - 1, -1):
            order.tip -= 1
            if order.tip == 0:
                another, order.tip = left > 0, min(order.wish.display, left)
        if another:
            order.spared, order.sparing = order.spared + order.sparing, 0
        if another and not order.over:
            self.mine = [one for one in self.mine if one is not order] + [order]
        return another

    def _past_spared(self, order: Mine, reaching: int, beyond: bool, hidden: bool = False) -> int:
        """Of the units that come to our price's end, which are ours: the queue as it would be, unit by unit."""
        got = 0
        for _ in range(reaching):
            if order.spared:
                order.spared -= 1
                order.sparing += not beyond and not hidden
            elif got < order.tip:
                got += 1
            elif beyond and order.sparing:
                order.sparing -= 1
            elif beyond:
                got += 1
        return got

    def _show_next(self, order: Mine, ts: int) -> None:
        """What was shown is gone by a trade; the next part joins the end."""
        if self.rules.queue in ("exact", "rebuilt"):
            self._join(order)
            return
        order.ahead = self._shown(order.wish.side, order.wish.limit)
        if self.rules.orders:
            known = sum(before - after for before, after in order.told if after < before)
            order.trades = [max(0, sum(order.trades) - known)]  # the book of orders tells this trade next
        elif order.told_ts >= ts:  # the level has this trade in it
            order.trades, order.since = [], order.told_ts
        else:
            order.ahead = max(0, order.ahead - sum(order.trades))
        order.told = []

    def _walk(self, order: Mine, ts: int) -> None:
        wish = order.wish
        wanted = self._allowed(order, ts)
        there = self._left(-wish.side, ts, wish.limit)
        if wish.tif == "FOK" and sum(qty for _, qty in there) < wanted:
            return
        for price, qty in there:
            part = min(qty, wanted)
            if part:
                wanted -= part
                self._took(-wish.side, price, part, ts)
                self._execute(order, part, price, False, ts)

    def _taken_by_book(self, order: Mine, ts: int) -> None:
        there = self._left(-order.wish.side, ts, order.wish.limit)
        room = min(order.left + order.spared + order.sparing, sum(qty for _, qty in there))
        reaching = self._past_spared(order, room, True) if order.wish.display > 0 else room
        filled = self._fill(order, ts, reaching)
        if order.wish.display > 0:
            self._show_part(order, filled)
            filled += room - reaching
        for price, qty in there:
            part = min(qty, filled)
            if part:
                filled -= part
                self._took(-order.wish.side, price, part, ts)

    # ---- trades

    def _print(self, ts: int, price: int, qty: int, aggressor: int) -> None:
        if price <= 0:
            return
        self.event += 1
        for order in self._ready(ts):
            if order.over:
                continue
            if order.state == "stop":
                self._look(order, price, ts)
                if order.state != "stop":
                    order.met, order.seen = self.event, True
                    self._at_book(order, ts)
            elif not order.seen:
                self._at_book(order, ts)
        beyond_known = self._hidden(ts, -aggressor, price, qty) if self.rules.orders else qty
        if beyond_known > 0:
            self._hit(ts, -aggressor, price, beyond_known, None)
        if qty > 0:
            self.line.trade(-aggressor, price, qty, ts)

    def _forget_executions(self, ts: int) -> None:
        if ts - self.executed_at > 1_000_000_000:
            self.unprinted = {}

    def _hidden(self, ts: int, side: int, price: int, qty: int) -> int:
        """What of a trade the executions of orders do not explain."""
        self._forget_executions(ts)
        for level in ((-1, price), (1, price)):
            if side in (0, level[0]):
                known = min(qty, self.unprinted.get(level, 0))
                self.unprinted[level] = self.unprinted.get(level, 0) - known
                qty -= known
        return qty

    def _hit(self, ts: int, side: int, price: int, qty: int, ident: int | None) -> None:
        """A trade took from a side (0: of one not known) at a price."""
        if self.state != "GOOD":
            return
        left = qty
        ours = [o for o in self._ready(ts) if o.state == "rests" and o.met != self.event and side in (0, o.wish.side)]
        ours = [o for o in ours if (o.wish.limit - price) * o.wish.side >= 0]
        for order in sorted(ours, key=lambda o: (-(o.wish.limit - price) * o.wish.side, o.wish.display < 0)):
            if order.over:
                continue
            order.met = self.event
            reaching = left
            if order.wish.limit != price:
                order.ahead = 0.0
                order.mark = 0
            elif order.wish.display < 0:
                reaching = 0
            elif order.before is not None:
                reaching = 0 if ident in order.before else left
                if ident is None:
                    reaching = max(0, left - sum(self.lines[i].qty for i in order.before))
            elif ts <= order.since:
                reaching = 0
            elif self.rules.queue == "rebuilt":
                self.line.come_to(ts)
                there = self.line.line((order.wish.side, price))
                reaching = max(0, left - sum(one.qty for one in there if one.number <= order.mark))
            else:
                self._settle(order, ts)
                order.trades.append(qty)
                order.ahead -= left
                reaching = 0
                if order.ahead <= -0.5:
                    reaching = min(left, math.floor(0.5 - order.ahead))
                    order.ahead = 0.0
            beyond, hidden = order.wish.limit != price, self.rules.orders and ident is None
            if order.wish.display > 0:
                reaching = self._past_spared(order, reaching, beyond, hidden)
            filled = self._fill(order, ts, reaching) if reaching > 0 else 0
            left -= filled
            if order.wish.display > 0 and not beyond and not hidden:
                order.sparing += filled
            if (
                order.wish.display > 0
                and self._show_part(order, filled)
                and order.wish.limit == price
                and not order.over
            ):
                self._show_next(order, ts)

    # ---- fills

    def _allowed(self, order: Mine, ts: int) -> int:
        wish = order.wish
        if not wish.reduce_only:
            return order.left
        closable = max(0, -self.nets.get(wish.owner, 0) * wish.side)
        if closable == 0 or (wish.tif == "FOK" and closable < order.left):
            self._end(order, "CANCEL", ts, "REDUCE_ONLY")
            return 0
        return min(order.left, closable)

    def _fill(self, order: Mine, ts: int, room: int) -> int:
        """A resting order is filled at its price."""
        qty = min(self._allowed(order, ts), room)
        if qty:
            self._execute(order, qty, order.wish.limit, True, ts)
        return qty

    def _execute(self, order: Mine, qty: int, price: int, maker: bool, ts: int) -> None:
        wish = order.wish
        if not maker:
            price += wish.side * (-(-price * self.rules.slip_bps // 10_000))
            if wish.limit:
                price = min(price, wish.limit) if wish.side > 0 else max(price, wish.limit)
            price = max(1, price)
        order.left -= qty
        self.nets[wish.owner] = self.nets.get(wish.owner, 0) + qty * wish.side
        self._tell(order.id, "FILL", ts, qty, price, maker)
        self.fills.append((order.id, ts, qty, price, maker))
        order.over = order.left == 0
        if wish.reduce_only and not order.over and self.nets[wish.owner] == 0:
            self._end(order, "CANCEL", ts, "REDUCE_ONLY")

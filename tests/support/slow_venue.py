"""The bar venue and its ledger written again, as slowly and plainly as possible: prices are walked unit by unit.

One instrument, whole prices and quantities, a fixed entry latency. Shares no code with the package.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

DAY = 86_400 * 10**9


@dataclass
class Wish:
    """An order sent after bar `bar`; cancel_bar: a cancel is sent after that bar, None for never."""

    bar: int
    side: int
    qty: int
    limit: int = 0
    stop: int = 0
    tif: str = "GTC"
    expire: int = 0
    cancel_bar: int | None = None


@dataclass
class Slow:
    """What the venue knows of an order."""

    id: int
    wish: Wish
    basis: int
    arrival: int
    dies: int
    cancel_arrival: int | None
    cancel_basis: int
    left: int
    taker: bool = True
    wants_more: bool = False
    armed: bool = True
    over: bool = False
    charged: bool = False


@dataclass
class Rules:
    """How the venue behaves."""

    latency: int = 0
    touch: bool = False
    optimistic: bool = False
    participation: Fraction | None = None
    slip_bps: int = 0
    maker: Fraction = Fraction(0)
    taker: Fraction = Fraction(0)
    flat: int = 0


@dataclass
class SlowVenue:
    """Runs wishes over bars: fills as (order id, time, signed quantity, price, maker?, fee)."""

    rules: Rules
    decimals: int
    fills: list[tuple[int, int, int, int, bool, Fraction]] = field(default_factory=list)
    net: int = 0
    cash: Fraction = Fraction(0)

    def run(self, bars: list[Any], wishes: list[Wish]) -> None:
        orders: list[Slow] = []
        for bar_index, bar in enumerate(bars):
            self.room = None if self.rules.participation is None else int(bar.volume * float(self.rules.participation))
            for order in orders:
                arrival = order.cancel_arrival
                if (
                    not order.over
                    and arrival is not None
                    and order.cancel_basis <= bar.ts_open
                    and arrival < bar.ts_end
                ):
                    order.over = True
                if order.dies <= bar.ts_open:
                    order.over = True
            here = [o for o in orders if not o.over and o.basis <= bar.ts_open and o.arrival < bar.ts_end]
            self._bar(bar, here)
            for order in here:
                order.taker = order.wants_more
                if order.dies <= bar.ts_end:
                    order.over = True
            for wish in wishes:
                if wish.bar == bar_index:
                    orders.append(self._sent(len(orders) + 1, wish, bar, bars))

    def _sent(self, ident: int, wish: Wish, bar: Any, bars: list[Any]) -> Slow:
        arrival = bar.ts_end + self.rules.latency
        dies = 2**63
        if wish.tif == "DAY":
            dies = (arrival // DAY + 1) * DAY
        elif wish.tif == "GTD":
            dies = wish.expire
        cancel_basis = 0 if wish.cancel_bar is None else bars[wish.cancel_bar].ts_end
        cancel_arrival = None if wish.cancel_bar is None else cancel_basis + self.rules.latency
        return Slow(
            ident, wish, bar.ts_end, arrival, dies, cancel_arrival, cancel_basis, wish.qty,
            armed=wish.stop == 0, over=dies <= arrival,
        )  # fmt: skip

    def _bar(self, bar: Any, here: list[Slow]) -> None:
        for order in here:
            self._open(order, bar)
        if self.net:
            low_first = (self.net > 0) != self.rules.optimistic
        else:
            low_first = bar.open - bar.low <= bar.high - bar.open
        turns = [bar.low, bar.high] if low_first else [bar.high, bar.low]
        at = bar.open
        quarter = (bar.ts_end - bar.ts_open) // 4
        for number, target in enumerate([*turns, bar.close], 1):
            self._walk(here, at, target, bar.ts_open + number * quarter)
            at = target

    def _open(self, order: Slow, bar: Any) -> None:
        ts = max(bar.ts_open, order.arrival)
        wish, price = order.wish, bar.open
        order.wants_more = False
        if not order.armed:
            if (price - wish.stop) * wish.side < 0:
                return
            order.armed = order.taker = True
        if not wish.limit:
            self._take(order, price, ts, bar.volume)
        elif (wish.limit - price) * wish.side >= 0:
            if order.taker:
                self._take(order, price, ts, bar.volume)
            elif wish.limit != price or self.rules.touch:
                self._make(order, price if self.rules.optimistic else wish.limit, ts)
        if wish.tif in ("IOC", "FOK"):
            order.over = True

    def _walk(self, here: list[Slow], start: int, target: int, ts: int) -> None:
        """Every price from start to target, one by one."""
        if start == target:
            return
        up = 1 if target > start else -1
        for price in range(start, target + up, up):
            again = True
            while again:  # a stop that triggers at this price may be looked at once more
                again = False
                for order in here:
                    wish = order.wish
                    if order.over or not order.left or order.dies <= ts:
                        continue
                    when = max(ts, order.arrival)
                    if not order.armed:
                        if wish.side == up and wish.stop == price:
                            order.armed = True
                            if not wish.limit or (wish.limit - price) * wish.side >= 0:
                                self._take(order, price, when, None)
                    elif wish.limit == price and wish.side == -up and (price != target or self.rules.touch):
                        self._make(order, price, when)

    def _amount(self, order: Slow) -> int:
        if order.wish.tif == "FOK" and self.room is not None and self.room < order.left:
            return 0
        qty = order.left if self.room is None else min(order.left, self.room)
        if self.room is not None:
            self.room -= qty
        return qty

    def _take(self, order: Slow, price: int, ts: int, _: Any) -> None:
        qty = self._amount(order)
        order.wants_more = True
        if qty:
            slip = -(-price * self.rules.slip_bps // 10_000)
            worse = price + order.wish.side * slip
            if order.wish.limit and (worse - order.wish.limit) * order.wish.side > 0:
                worse = order.wish.limit
            self._book(order, qty, max(1, worse), ts, maker=False)

    def _make(self, order: Slow, price: int, ts: int) -> None:
        qty = self._amount(order)
        order.wants_more = False
        if qty:
            self._book(order, qty, price, ts, maker=True)

    def _book(self, order: Slow, qty: int, price: int, ts: int, *, maker: bool) -> None:
        order.left -= qty
        order.over = order.over or order.left == 0
        self.net += qty * order.wish.side
        unit = 10**self.decimals
        rate = self.rules.maker if maker else self.rules.taker
        fee = Fraction(-(-price * qty * rate * unit // 1), unit)
        if not order.charged:
            fee += self.rules.flat
        order.charged = True
        self.cash -= price * qty * order.wish.side + fee
        self.fills.append((order.id, ts, qty * order.wish.side, price, maker, fee))

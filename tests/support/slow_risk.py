"""The risk rules once more, slowly: whole numbers and fractions, every fact worked out anew from lists, straight from the guide.

It shares no code with the gate but the limits' own data. Prices and quantities are whole units of instruments without decimals.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from lockstep.risk.limits import RiskLimits

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
Check = tuple[str, bool, Fraction, Fraction]
"""Rule, whether it refuses, its limit and the actual value (both 0 where it has none)."""


@dataclass
class Working:
    """An order that works. price: at which its worth is reckoned."""

    number: int
    strategy: int
    instrument: int
    side: int
    left: int
    limit: int
    price: int
    reduce: bool


@dataclass
class Ask:
    """An order that is asked for. limit, stop: 0 for none."""

    strategy: int
    instrument: int
    side: int
    qty: int
    limit: int
    stop: int
    reduce: bool


@dataclass
class Account:
    """Everything the rules look at."""

    limits: RiskLimits
    cash: int
    leverage: Fraction
    symbols: tuple[str, ...]
    strategies: tuple[str, ...]
    prices: list[int]
    seen: list[int]
    units: dict[tuple[int, int], int] = field(default_factory=dict)
    working: dict[int, Working] = field(default_factory=dict)
    sent: list[tuple[int, int, int]] = field(default_factory=list)
    same: dict[tuple[int, ...], int] = field(default_factory=dict)
    halted: bool = False
    marked: int = 0
    opened: int = 0
    peak: int = 0
    day: int = -1

    def held(self, instrument: int) -> int:
        """Units of an instrument over all strategies."""
        return sum(units for (_, where), units in self.units.items() if where == instrument)

    def equity(self) -> int:
        """Cash and what is held, at the last prices."""
        return self.cash + sum(units * self.prices[where] for (_, where), units in self.units.items())

    def roll(self, clock: int) -> None:
        """A new UTC day opens at the last mark."""
        if clock // DAY != self.day:
            self.day, self.opened = clock // DAY, self.marked

    def mark(self, clock: int) -> None:
        """The account is marked."""
        self.roll(clock)
        self.marked = self.equity()
        self.peak = max(self.peak, self.marked)

    def worst(self, instrument: int, extra: Ask | None = None, price: int = 0) -> Fraction:
        """The largest exposure that held units and the orders of either side can make, each side at its average price."""
        held, last = self.held(instrument), self.prices[instrument]
        most = Fraction(abs(held) * last)
        for side in (1, -1):
            mine = [(o.left, o.price) for o in self.working.values() if o.instrument == instrument and o.side == side]
            if extra is not None and extra.side == side:
                mine.append((extra.qty, price))
            total, worth = sum(q for q, _ in mine), sum(q * p for q, p in mine)
            towards = held * side
            if towards >= 0:
                most = max(most, Fraction(towards * last + worth))
            elif total > -towards:
                most = max(most, Fraction(worth * (total + towards), total))
        return most

    def checks(self, ask: Ask, clock: int) -> Iterator[Check]:  # noqa: C901 - the guide's table, line by line
        """Every check that applies to an order, in the guide's order. The first that refuses decides."""
        limits, none = self.limits, Fraction(0)
        there, own = limits.of_symbol(self.symbols[ask.instrument]), limits.of_strategy(self.strategies[ask.strategy])
        held, last = self.held(ask.instrument), self.prices[ask.instrument]
        price = ask.limit or ask.stop or last
        worth = ask.qty * price
        beside = [o for o in self.working.values() if o.instrument == ask.instrument]
        along = [o for o in beside if o.side == ask.side]
        towards, same_way = held * ask.side, sum(o.left for o in along)
        mine = self.units.get((ask.strategy, ask.instrument), 0) * ask.side
        only_closes = (
            ask.reduce
            and ask.qty <= min(-mine, -towards)
            and all(o.reduce and o.strategy == ask.strategy for o in along)
        )
        can_close = max(0, -towards - same_way) if towards < 0 else 0
        opening = 0 if only_closes else max(0, ask.qty - can_close)
        if self.halted:
            yield "kill_switch", opening > 0, none, none
        for limit in (there.order_qty_max, own.order_qty_max):
            if limit is not None:
                yield "order_qty", ask.qty > limit, Fraction(limit), Fraction(ask.qty)
        if there.position_max is not None and not only_closes:
            reach = towards + same_way + ask.qty
            yield "position", reach > there.position_max, Fraction(there.position_max), Fraction(reach)
        before, after = self.worst(ask.instrument), self.worst(ask.instrument, ask, price)
        total = sum((self.worst(k) for k in range(len(self.symbols))), none)
        equity = self.equity()
        if limits.buying_power and not only_closes and after > before:
            free = equity * self.leverage - total
            yield "buying_power", after - before > free, free, after - before
        if there.price_age_max_ns is not None:
            yield "stale_price", clock - self.seen[ask.instrument] > there.price_age_max_ns, none, none
        if there.price_band is not None and ask.limit:
            yield "price_band", abs(ask.limit - last) > Fraction(there.price_band) * last, none, none
        for money in (there.order_notional_max, own.order_notional_max):
            if money is not None:
                yield "order_notional", worth > money, none, none
        if there.order_fraction_max is not None:
            most = Fraction(there.order_fraction_max) * equity
            yield "order_notional", worth > most, most, Fraction(worth)
        if after > before and not only_closes:
            if there.position_notional_max is not None:
                most = Fraction(there.position_notional_max)
                yield "position_notional", after > most, most, after
            if there.position_fraction_max is not None:
                most = Fraction(there.position_fraction_max) * equity
                yield "position_notional", after > most, most, after
        if there.open_orders_max is not None:
            yield "open_orders", len(beside) + 1 > there.open_orders_max, none, none
        if own.position_max is not None and not only_closes:
            reach = mine + ask.qty + sum(o.left for o in along if o.strategy == ask.strategy)
            yield "strategy_position", reach > own.position_max, none, none
        if limits.self_trade:
            yield "self_trade", self._meets(ask, beside, there.price_band), none, none
        if opening:
            yield from self._whole(ask, clock, worth, before, after, total, equity, bool(held or beside))
        yield from self._paces(ask, clock)

    def _meets(self, ask: Ask, beside: list[Working], band: object) -> bool:
        resting = [o.limit for o in beside if o.side != ask.side and o.limit]
        if not resting or (ask.stop and not ask.limit):
            return False
        if ask.limit:
            return any((ask.limit - price) * ask.side >= 0 for price in resting)
        last = self.prices[ask.instrument]
        return band is None or any((price - last) * ask.side <= Fraction(str(band)) * last for price in resting)

    def _whole(
        self,
        ask: Ask,
        clock: int,
        worth: int,
        before: Fraction,
        after: Fraction,
        total: Fraction,
        equity: int,
        known: bool,
    ) -> Iterator[Check]:
        limits, none = self.limits, Fraction(0)
        if limits.positions_max is not None and not known:
            busy = {o.instrument for o in self.working.values()} | {w for (_, w) in self.units if self.held(w)}
            yield "positions", len(busy) + 1 > limits.positions_max, none, none
        if after > before:
            if limits.gross_max is not None:
                most = Fraction(limits.gross_max)
                yield "gross_exposure", total - before + after > most, most, total - before + after
            if limits.leverage_max is not None:
                most = Fraction(limits.leverage_max) * equity
                yield "leverage", equity <= 0 or total - before + after > most, most, total - before + after
        if limits.net_max is not None:
            net = sum(self.held(k) * self.prices[k] for k in range(len(self.symbols))) * ask.side + worth
            net += sum(o.left * o.price for o in self.working.values() if o.side == ask.side)
            yield "net_exposure", net > limits.net_max, none, none
        if limits.daily_loss_max is not None or limits.drawdown_max is not None:
            self.roll(clock)
        if limits.daily_loss_max is not None:
            most = Fraction(limits.daily_loss_max) * self.opened
            yield "daily_loss", self.opened - equity > most, most, Fraction(self.opened - equity)
        if limits.drawdown_max is not None:
            most = Fraction(limits.drawdown_max) * self.peak
            yield "drawdown", self.peak - equity > most, most, Fraction(self.peak - equity)

    def _paces(self, ask: Ask, clock: int) -> Iterator[Check]:
        limits, none = self.limits, Fraction(0)
        there, own = limits.of_symbol(self.symbols[ask.instrument]), limits.of_strategy(self.strategies[ask.strategy])
        if limits.account_open_orders_max is not None:
            yield "account_open_orders", len(self.working) + 1 > limits.account_open_orders_max, none, none
        if own.open_orders_max is not None:
            count = sum(o.strategy == ask.strategy for o in self.working.values())
            yield "strategy_open_orders", count + 1 > own.open_orders_max, none, none
        if there.duplicate_ns is not None:
            last = self.same.get(self.key(ask))
            yield "duplicate", last is not None and clock - last < there.duplicate_ns, none, none
        recent = [entry for entry in self.sent if clock - entry[0] < SECOND]
        for rule, limit, count in (
            ("throttle", there.orders_per_second, sum(where == ask.instrument for _, _, where in recent)),
            ("strategy_throttle", own.orders_per_second, sum(who == ask.strategy for _, who, _ in recent)),
            ("account_throttle", limits.account_orders_per_second, len(recent)),
        ):
            if limit is not None:
                yield rule, count + 1 > limit, none, none

    @staticmethod
    def key(ask: Ask) -> tuple[int, ...]:
        """What makes two orders the same."""
        return (ask.strategy, ask.instrument, ask.side, ask.qty, ask.limit, ask.stop)

    def send(self, ask: Ask, number: int, clock: int) -> None:
        """An approved order works."""
        price = ask.limit or ask.stop or self.prices[ask.instrument]
        self.working[number] = Working(
            number, ask.strategy, ask.instrument, ask.side, ask.qty, ask.limit, price, ask.reduce
        )
        self.sent = [entry for entry in self.sent if clock - entry[0] < SECOND]
        self.sent.append((clock, ask.strategy, ask.instrument))
        self.same[self.key(ask)] = clock

    def fill(self, number: int, qty: int, price: int) -> None:
        """A working order filled."""
        order = self.working[number]
        key = (order.strategy, order.instrument)
        self.units[key] = self.units.get(key, 0) + order.side * qty
        self.cash -= order.side * qty * price
        order.left -= qty
        if not order.left:
            del self.working[number]

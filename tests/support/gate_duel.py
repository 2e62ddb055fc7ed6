"""The gate against the slow checker: the same orders, fills, prices and times, at random; every verdict is compared."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

from gates import SECOND, STRATEGIES, SYMBOLS, T0, Floor, Sent
from slow_risk import Account, Ask

from lockstep.risk.limits import RiskAct, RiskLimits, StrategyLimits, SymbolLimits

CASH = 100_000
EDGE = Fraction(1, 10**12)
"""The gate's sums of money are float64: so near a limit, as a part of it, either answer is right."""


@dataclass
class Tally:
    """orders: judged; edges: differing within EDGE; wrong: the first disagreements; rules: verdicts by rule."""

    orders: int = 0
    edges: int = 0
    disagreements: int = 0
    wrong: list[str] = field(default_factory=list)
    rules: Counter[str] = field(default_factory=Counter)


def some_limits(random: Random) -> RiskLimits:
    """Limits of which each is there about a third of the time, and tight enough to matter."""

    def maybe(make: Callable[[], Any], share: float = 0.3) -> Any:
        return make() if random.random() < share else None

    def amount(low: int, high: int) -> Callable[[], Decimal]:
        return lambda: Decimal(random.randint(low, high))

    def part(*choices: str) -> Callable[[], Decimal]:
        return lambda: Decimal(random.choice(choices))

    def count(low: int, high: int) -> Callable[[], int]:
        return lambda: random.randint(low, high)

    def of_symbol(share: float) -> dict[str, Any]:
        return {
            "order_qty_max": maybe(amount(20, 60), share), "order_notional_max": maybe(amount(2000, 6000), share),
            "order_fraction_max": maybe(part("0.03", "0.05"), share), "position_max": maybe(amount(40, 200), share),
            "position_notional_max": maybe(amount(5000, 20_000), share),
            "position_fraction_max": maybe(part("0.1", "0.2"), share), "open_orders_max": maybe(count(2, 8), share),
            "orders_per_second": maybe(count(2, 10), share), "price_band": maybe(part("0.05", "0.1"), share),
            "price_age_max_ns": maybe(lambda: SECOND, share / 2), "duplicate_ns": maybe(lambda: SECOND // 2, share / 2),
        }  # fmt: skip

    def of_strategy() -> StrategyLimits:
        return StrategyLimits(
            order_qty_max=maybe(amount(20, 60)), order_notional_max=maybe(amount(2000, 6000)),
            position_max=maybe(amount(30, 150)), open_orders_max=maybe(count(2, 8)), orders_per_second=maybe(count(2, 10)),
        )  # fmt: skip

    return RiskLimits(
        **of_symbol(0.25),
        buying_power=random.random() < 0.7,
        self_trade=random.random() < 0.3,
        positions_max=maybe(count(0, 2), 0.1),
        gross_max=maybe(amount(10_000, 60_000)),
        net_max=maybe(amount(5000, 40_000)),
        leverage_max=maybe(part("0.1", "0.3")),
        account_open_orders_max=maybe(count(4, 12)),
        account_orders_per_second=maybe(count(4, 20)),
        daily_loss_max=maybe(part("0.001", "0.01")),
        drawdown_max=maybe(part("0.002", "0.02")),
        halt_on=(),
        symbols={"AAA": SymbolLimits(**of_symbol(0.2))} if random.random() < 0.3 else {},
        strategies={"two": of_strategy()} if random.random() < 0.4 else {},
    )


class Duel:
    """One account, twice."""

    def __init__(self, random: Random, tally: Tally) -> None:
        self.random = random
        self.tally = tally
        limits = some_limits(random)
        leverage = random.choice([0.0625, 0.125, 0.5, 2.0])
        self.floor = Floor(limits, CASH, leverage)
        self.account = Account(limits, CASH, Fraction(leverage), SYMBOLS, STRATEGIES, [100, 100], [T0, T0])
        self.account.marked = self.account.opened = self.account.peak = CASH
        self.orders: dict[int, Sent] = {}
        self.last: Ask | None = None

    def run(self, orders: int) -> None:
        """So many orders, and what happens between them."""
        done = 0
        while done < orders:
            what = self.random.random()
            if what < 0.5:
                self.ask()
                done += 1
            elif what < 0.75 and self.orders:
                self.end(self.random.choice(list(self.orders)))
            elif what < 0.85:
                self.move()
            elif what < 0.98:
                self.floor.clock += self.random.choice((1, SECOND // 10, SECOND // 3, SECOND - 1, SECOND))
            else:
                self.rarely()

    def ask(self) -> None:
        """One order, judged twice."""
        pick = self.random
        where = pick.randint(0, 1)
        last = self.account.prices[where]
        kind = pick.random()
        near = max(1, last + pick.choice((-11, -10, -6, -5, -4, -1, 0, 1, 4, 5, 6, 10, 11)) * max(1, last // 100))
        ask = Ask(
            pick.randint(0, 1), where, pick.choice((1, -1)), pick.choice((1, 5, 10, 20, 21, 40, 60)),
            near if kind < 0.6 else 0, near if 0.5 < kind < 0.7 else 0, pick.random() < 0.2,
        )  # fmt: skip
        if self.last is not None and pick.random() < 0.08:
            ask = self.last
            where = ask.instrument
        self.last = ask
        floor, clock = self.floor, self.floor.clock
        checks = []
        rule: str | None = None
        for check in self.account.checks(ask, clock):
            checks.append(check)
            if check[1]:
                rule = check[0]
                break
        sent = floor.send(
            ask.side, ask.qty, ask.limit, instrument=where, strategy=ask.strategy, stop=ask.stop, reduce=ask.reduce
        )
        tally = self.tally
        tally.orders += 1
        tally.rules[sent.rule or "approved"] += 1
        if sent.rule != rule and not self.is_edge(checks, ask, rule, sent.rule):
            tally.disagreements += 1
            if len(tally.wrong) < 5:
                tally.wrong.append(
                    f"{ask}: the gate said {sent.rule} ({sent.verdict}), the slow checker {rule}: {checks[-3:]}"
                )
        if sent.rule is None:
            self.account.send(ask, sent.order.id, clock)
            self.orders[sent.order.id] = sent

    def is_edge(self, checks: list[Any], ask: Ask, slow: str | None, fast: str | None) -> bool:
        """Whether the two differ because a value lies on its limit to the last bits of a float."""
        for rule, _, limit, actual in checks:
            if rule in (slow, fast) and limit and abs(actual - limit) <= EDGE * abs(limit):
                self.tally.edges += 1
                return True
        return False

    def end(self, number: int) -> None:
        """A fill, whole or in part, or a cancel."""
        sent = self.orders[number]
        left = sent.order.qty_units - sent.order.cum_units
        if self.random.random() < 0.35:
            self.floor.cancel(sent)
            del self.account.working[number], self.orders[number]
            return
        qty = left if self.random.random() < 0.6 else self.random.randint(1, left)
        order = sent.order
        price = (
            order.limit_units or order.stop_units or self.floor.portfolio.holdings[order.instrument_index].last_units
        )
        self.floor.fill(sent, qty)
        self.account.fill(number, qty, price)
        if qty == left:
            del self.orders[number]

    def move(self) -> None:
        """A new price."""
        where = self.random.randint(0, 1)
        price = max(20, self.account.prices[where] + self.random.randint(-3, 3))
        self.floor.price(where, price)
        self.account.prices[where] = price
        self.account.seen[where] = self.floor.clock

    def rarely(self) -> None:
        """A mark, a new day, the kill switch, or other limits."""
        what = self.random.random()
        floor, account = self.floor, self.account
        if what < 0.5:
            floor.desk.mark(floor.clock, floor.portfolio.equity())
            account.mark(floor.clock)
        elif what < 0.6:
            floor.clock += 86_400 * SECOND
        elif what < (0.9 if account.halted else 0.65):
            act = RiskAct(ts=floor.clock, rule="reset", who="duel", why="duel")
            floor.desk.mark(floor.clock, floor.portfolio.equity())
            account.mark(floor.clock)
            if account.halted:
                floor.desk.reset(act, floor.portfolio.equity())
                account.opened = account.peak = account.marked
            else:
                floor.desk.halt(act)
            account.halted = not account.halted
        else:
            limits = some_limits(self.random)
            # A throttle or a window that had no limit kept no times: let what it did not keep pass.
            floor.change(limits)
            account.limits = limits
            floor.clock += SECOND


def duel(seed: int, orders: int, episode: int = 2000) -> Tally:
    """So many random orders. seed: the same seed, the same orders."""
    tally = Tally()
    number = 0
    while tally.orders < orders:
        Duel(Random(f"{seed}:{number}"), tally).run(min(episode, orders - tally.orders))  # noqa: S311 - nothing here is a secret
        number += 1
    return tally

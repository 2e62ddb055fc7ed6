"""Matching in price-time priority: against a slow twin on random orders, and each kind of order at its edge."""

from random import Random
from typing import Any

import pytest
from book_rows import COIN, TICK

from lockstep.book.l3 import L3Book, Resting
from lockstep.book.matching import Match, Matcher, Outcome, Result, SelfTrade
from lockstep.model.enums import TimeInForce
from lockstep.model.errors import InvariantError

P = 400 * TICK
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK


class Slow:
    """The twin: a list of [id, side, price, shown now, reserve, shown at a time, owner], those in front came first."""

    def __init__(self, self_trade: SelfTrade) -> None:
        self.self_trade = self_trade
        self.orders: list[list[int]] = []

    def line(self, side: int, price: int) -> list[list[int]]:
        """What an order of this side and price meets, in order."""
        there = [o for o in self.orders if o[1] == -side and (price == 0 or (price - o[2]) * side >= 0)]
        return sorted(there, key=lambda o: o[2] * side)

    def submit(self, order_id: int, side: int, qty: int, price: int, tif: TimeInForce, post: bool, shown: int, owner: int) -> Result:  # fmt: skip
        if post and (price == 0 or self.line(side, price)):
            return Result(Outcome.WOULD_TAKE, 0, qty, [], [])
        matches: list[Match] = []
        removed: list[int] = []
        before = [[*order] for order in self.orders]
        left, stopped = qty, False
        while left and not stopped and (line := self.line(side, price)):
            maker = line[0]
            if owner and self.self_trade and maker[6] == owner:
                left, stopped = self.avoid(maker, left, removed)
                continue
            done = min(left, maker[3])
            matches.append(Match(maker[0], order_id, maker[2], done))
            left, maker[3] = left - done, maker[3] - done
            if not maker[3]:
                self.orders.remove(maker)
                if maker[4]:
                    part = min(maker[5], maker[4])
                    self.orders.append([*maker[:3], part, maker[4] - part, *maker[5:]])
        if tif is FOK and (left or (removed and self.self_trade is not SelfTrade.CANCEL_OLDEST)):
            self.orders = before
            return Result(Outcome.NOT_ENOUGH, 0, qty, [], [])
        filled = sum(match.qty for match in matches)
        if stopped:
            return Result(Outcome.SELF_TRADE, filled, left, matches, removed)
        if not left:
            return Result(Outcome.FILLED, filled, 0, matches, removed)
        if not price or tif in (IOC, FOK):
            return Result(Outcome.UNFILLED_REST, filled, left, matches, removed)
        part = min(left, shown) if shown else left
        self.orders.append([order_id, side, price, part, left - part, shown, owner])
        return Result(Outcome.RESTING, filled, left, matches, removed)

    def avoid(self, maker: list[int], left: int, removed: list[int]) -> tuple[int, bool]:
        if self.self_trade is SelfTrade.CANCEL_NEWEST:
            return left, True
        removed.append(maker[0])
        smaller = min(left, maker[3] + maker[4]) if self.self_trade is SelfTrade.DECREMENT else maker[3] + maker[4]
        rest = maker[3] + maker[4] - smaller
        maker[4], maker[3] = max(0, rest - maker[3]), min(rest, maker[3])
        if not rest:
            self.orders.remove(maker)
        if self.self_trade is SelfTrade.DECREMENT:
            return left - smaller, left == smaller
        return left, self.self_trade is SelfTrade.CANCEL_BOTH


@pytest.mark.parametrize("self_trade", SelfTrade)
def test_orders_match_as_a_slow_twin_matches_them(self_trade: SelfTrade) -> None:
    chance = Random(int(self_trade))  # noqa: S311 - a schedule, not a secret
    engine, slow = Matcher(L3Book(COIN, window=64), self_trade), Slow(self_trade)
    for order_id in range(1, 1_200):
        if chance.random() < 0.1 and slow.orders:
            gone = chance.choice(slow.orders)
            slow.orders.remove(gone)
            assert engine.cancel(gone[0]) == gone[3] + gone[4]
        side, qty = chance.choice([1, -1]), chance.randrange(1, 30)
        price = 0 if chance.random() < 0.05 else P + TICK * (chance.randrange(-8, 9) - 2 * side)
        tif = chance.choice([GTC, GTC, GTC, GTC, IOC, FOK if self_trade in (0, 1, 2) else IOC])
        post, shown = chance.random() < 0.1, chance.choice([0, 0, 0, 4])
        owner = chance.choice([0, 1, 2])
        got = engine.submit(
            order_id, side, qty, price, time_in_force=tif, post_only=post, shown=shown, owner=owner
        )  # fmt: skip
        assert got == slow.submit(order_id, side, qty, price, tif, post, shown, owner), order_id
        resting = sorted((o[0], o[1], o[2], o[3]) for o in slow.orders)
        assert sorted(tuple(order) for order in engine.book.orders()) == resting
        for order in slow.orders[:3]:
            assert engine.left_of(order[0]) == order[3] + order[4]
        assert not engine.book.is_crossed()
    for at in {order[2] for order in slow.orders}:
        for side in (1, -1):
            line = [order.order_id for order in engine.book.queue(side, at)]
            assert line == [o[0] for o in slow.orders if (o[1], o[2]) == (side, at)]


def rested(*orders: tuple[int, int, int, int], **more: Any) -> Matcher:
    """(id, side, price, quantity) each, at rest."""
    engine = Matcher(L3Book(COIN))
    for order_id, side, price, qty in orders:
        assert engine.submit(order_id, side, qty, price, **more).outcome is Outcome.RESTING
    return engine


def test_taker_gets_the_resting_orders_prices_best_and_oldest_first() -> None:
    engine = rested((1, -1, P + TICK, 5), (2, -1, P, 5), (3, -1, P, 5))
    got = engine.submit(9, 1, 12, P + TICK)
    assert got == Result(Outcome.FILLED, 12, 0, [Match(2, 9, P, 5), Match(3, 9, P, 5), Match(1, 9, P + TICK, 2)], [])
    assert engine.book.orders() == [Resting(1, -1, P + TICK, 3)]


def test_all_or_nothing_counts_what_icebergs_hide_and_takes_nothing_where_that_is_short() -> None:
    engine = rested((1, -1, P, 10), shown=2)
    assert engine.submit(8, 1, 11, P, time_in_force=FOK) == Result(Outcome.NOT_ENOUGH, 0, 11, [], [])
    got = engine.submit(9, 1, 10, P, time_in_force=FOK)
    assert (got.outcome, [match.qty for match in got.matches]) == (Outcome.FILLED, [2, 2, 2, 2, 2])
    assert len(engine.book) == 0


def test_next_part_of_an_iceberg_goes_behind_who_waits_at_its_price() -> None:
    engine = Matcher(L3Book(COIN))
    engine.submit(1, -1, 10, P, shown=4)
    engine.submit(2, -1, 3, P)
    engine.submit(9, 1, 5, P)
    assert engine.book.queue(-1, P) == [Resting(2, -1, P, 2), Resting(1, -1, P, 4)]
    assert engine.left_of(1) == 6
    assert engine.reduce(1, 5)
    assert (engine.left_of(1), engine.book.queue(-1, P)[1].qty) == (5, 4)
    assert engine.reduce(1, 3)
    assert (engine.left_of(1), engine.book.queue(-1, P)[1].qty) == (3, 3)
    assert not engine.reduce(1, 4)
    assert not engine.reduce(77, 1)
    assert engine.cancel(77) == 0


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ((9, 0, 5, P), "no order"), ((9, 1, 0, P), "no order"), ((1, 1, 5, P - TICK), "one that rests"),
        ((9, 1, 5, P + 1), "not on the tick"),
    ],
)  # fmt: skip
def test_order_that_is_none_changes_nothing(order: tuple[int, int, int, int], words: str) -> None:
    engine = rested((1, -1, P, 5))
    with pytest.raises(InvariantError, match=words):
        engine.submit(*order)
    assert engine.book.orders() == [Resting(1, -1, P, 5)]

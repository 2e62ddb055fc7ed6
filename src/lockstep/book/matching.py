"""A matching engine in price-time priority over an `L3Book`: what a local exchange matches orders with.

An incoming order takes what stands on the other side, best price first, at each price the oldest first, always at the resting
order's price. What is left rests, or ends, as its terms say. Of an iceberg only a part is shown; when that is gone the next part
joins the end of the queue (the rest of the hidden quantity is met only then). Orders of one owner never trade with each
other where self-trade prevention is on.
"""

from enum import IntEnum
from typing import NamedTuple

import cython

if cython.compiled:
    from cython.cimports.lockstep.book.l3 import L3Book
    from cython.cimports.lockstep.book.ladder import Ladder
else:
    from lockstep.book.l3 import L3Book
    from lockstep.book.ladder import Ladder
from lockstep.model.enums import TimeInForce
from lockstep.model.errors import InvariantError

_IOC = cython.declare(cython.int, int(TimeInForce.IOC))
_FOK = cython.declare(cython.int, int(TimeInForce.FOK))


class SelfTrade(IntEnum):
    """What happens where an order would trade with one of its own owner's.

    ALLOW: it trades. CANCEL_NEWEST: the incoming order ends there. CANCEL_OLDEST: the resting one ends, the incoming goes on.
    CANCEL_BOTH. DECREMENT: both lose the smaller quantity of the two, without a trade.
    """

    ALLOW = 0
    CANCEL_NEWEST = 1
    CANCEL_OLDEST = 2
    CANCEL_BOTH = 3
    DECREMENT = 4


class Outcome(IntEnum):
    """What became of an incoming order. The last five end it with something unfilled, and say why."""

    FILLED = 1
    RESTING = 2
    NOT_ENOUGH = 3
    UNFILLED_REST = 4
    WOULD_TAKE = 5
    SELF_TRADE = 6
    REFUSED = 7


class Match(NamedTuple):
    """One execution: price and qty in units, at the resting order's price."""

    maker_id: int
    taker_id: int
    price: int
    qty: int


class Result(NamedTuple):
    """What an incoming order did. filled, left: units; removed: resting orders that self-trade prevention ended or shrank."""

    outcome: Outcome
    filled: int
    left: int
    matches: list[Match]
    removed: list[int]


class Hidden:
    """What of an iceberg is not shown: reserve, and how much is shown at a time, units."""

    __slots__ = ("reserve", "shown")

    def __init__(self, reserve: int, shown: int) -> None:
        self.reserve, self.shown = reserve, shown


@cython.final
@cython.cclass
class Matcher:
    """Matches incoming orders against a book, and keeps the book.

    Args: book: of resting orders; nothing else may change it. self_trade: what happens between orders of one owner.
    """

    book: L3Book
    self_trade: cython.int
    hidden: dict[int, Hidden]
    owners: dict[int, int]

    def __init__(self, book: L3Book, self_trade: SelfTrade = SelfTrade.CANCEL_NEWEST) -> None:
        self.book = book
        self.self_trade = int(self_trade)
        self.hidden = {}
        self.owners = {}

    def submit(
        self,
        order_id: cython.longlong,
        side: cython.int,
        qty: cython.longlong,
        price: cython.longlong = 0,
        *,
        time_in_force: TimeInForce = TimeInForce.GTC,
        post_only: bool = False,
        shown: int = 0,
        owner: int = 0,
    ) -> Result:
        """An order arrives.

        Args:   side: +1 buys, -1 sells. qty, price: units; price 0 is a market order, which never rests. time_in_force: IOC takes what
                it can and ends; FOK takes all at once or nothing; anything else rests. post_only: ends rather than take.
                shown: of an iceberg, how much of it is shown at a time; 0 shows all. owner: whose it is; 0 for nobody, who is
                never kept from trading.
        Raises: InvariantError: a quantity or price that no order has, or an id that is in the book.
        """
        if side not in (1, -1) or qty <= 0 or shown < 0 or self.book.find(order_id) is not None:
            raise InvariantError(
                f"order {order_id}: side {side}, {qty} units, {shown} shown: no order, or one that rests"
            )
        if price != 0 and self.book.to_tick(price) * self.book.tick != price:
            raise InvariantError(f"order {order_id}: price {price} is not on the tick of {self.book.tick}")
        matches: list[Match] = []
        removed: list[int] = []
        tif: cython.int = int(time_in_force)
        if post_only and (price == 0 or self._reaches(side, price)):
            return Result(Outcome.WOULD_TAKE, 0, qty, matches, removed)
        if tif == _FOK and self._within_reach(side, price, qty, owner) < qty:
            return Result(Outcome.NOT_ENOUGH, 0, qty, matches, removed)
        left: cython.longlong = qty
        stopped: cython.bint = False
        ladder: Ladder = self.book.ask_side if side > 0 else self.book.bid_side
        while left > 0 and not ladder.is_empty() and self._reaches(side, price):
            maker_id: cython.longlong = self._first_in_line(ladder)
            if owner != 0 and self.self_trade and self.owners.get(maker_id, 0) == owner:
                left, stopped = self._avoid(maker_id, left, removed)
                if stopped:
                    break
                continue
            left -= self._trade(maker_id, order_id, left, ladder.best * self.book.tick, matches)
        return self._end(order_id, side, qty, left, price, tif, stopped, shown, owner, matches, removed)

    def cancel(self, order_id: cython.longlong) -> cython.longlong:
        """An order leaves the book. Returns: what was left of it, hidden quantity included; 0 where it is not there."""
        resting = self.book.find(order_id)
        if resting is None:
            return 0
        left: cython.longlong = resting.qty + self._reserve(order_id)
        self.book.cancel(order_id)
        self._forget(order_id)
        return left

    def reduce(self, order_id: cython.longlong, qty: cython.longlong) -> cython.bint:
        """So much is left of an order, less than there was: it keeps its place. The hidden part shrinks first. False: no."""
        resting = self.book.find(order_id)
        if resting is None or not 0 < qty <= resting.qty + self._reserve(order_id):
            return False
        kept = self.hidden.get(order_id)
        if kept is not None:
            kept.reserve = max(0, qty - resting.qty)
        if qty < resting.qty:
            self.book.modify(order_id, resting.price, qty)
        return True

    def left_of(self, order_id: cython.longlong) -> int:
        """What is left of a resting order, hidden quantity included; 0 where it is not there."""
        resting = self.book.find(order_id)
        return 0 if resting is None else resting.qty + self._reserve(order_id)

    # ---- what matching is made of

    def _reaches(self, side: cython.int, price: cython.longlong) -> cython.bint:
        """Whether an order at this price meets the best of the other side."""
        ladder: Ladder = self.book.ask_side if side > 0 else self.book.bid_side
        if ladder.is_empty():
            return False
        return price == 0 or (price - ladder.best * self.book.tick) * side >= 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _first_in_line(self, ladder: Ladder) -> cython.longlong:
        """The oldest order at the best price of a side that is not empty."""
        return self.book.id_of[self.book.head[ladder.at(ladder.best)]]

    def _trade(
        self,
        maker_id: cython.longlong,
        taker_id: cython.longlong,
        left: cython.longlong,
        price: cython.longlong,
        matches: list[Match],
    ) -> cython.longlong:
        """An execution against the order that is first in line. Returns: its quantity."""
        resting = self.book.find(maker_id)
        if resting is None:
            raise InvariantError(f"order {maker_id} is first in line and not in the book")
        qty: cython.longlong = min(left, resting.qty)
        self.book.match(maker_id, qty)
        matches.append(Match(maker_id, taker_id, price, qty))
        if qty == resting.qty:
            self._show_next(maker_id, resting.side, price)
        return qty

    def _show_next(self, order_id: cython.longlong, side: cython.int, price: cython.longlong) -> cython.int:
        """What was shown of an order is gone: the next part of an iceberg joins the end of the queue."""
        kept = self.hidden.get(order_id)
        if kept is None or kept.reserve == 0:
            return self._forget(order_id)
        part: cython.longlong = min(kept.shown, kept.reserve)
        kept.reserve -= part
        return self.book.add(order_id, side, price, part)

    def _avoid(
        self, maker_id: cython.longlong, left: cython.longlong, removed: list[int]
    ) -> tuple[cython.longlong, cython.bint]:
        """Two orders of one owner meet. Returns: what is left of the incoming one, and whether it ends there."""
        if self.self_trade == SelfTrade.CANCEL_NEWEST:
            return left, True
        removed.append(maker_id)
        if self.self_trade != SelfTrade.DECREMENT:
            self.cancel(maker_id)
            return left, self.self_trade == SelfTrade.CANCEL_BOTH
        there: cython.longlong = self.left_of(maker_id)
        smaller: cython.longlong = min(left, there)
        if there == smaller:
            self.cancel(maker_id)
        else:
            self.reduce(maker_id, there - smaller)
        return left - smaller, left == smaller

    def _within_reach(
        self, side: cython.int, price: cython.longlong, qty: cython.longlong, owner: cython.longlong
    ) -> cython.longlong:
        """How much an order could take, hidden quantity included; looked at no further than it wants."""
        found: cython.longlong = 0
        ladder: Ladder = self.book.ask_side if side > 0 else self.book.bid_side
        for tick, _ in ladder.depth(ladder.count()):
            at: cython.longlong = tick * self.book.tick
            if found >= qty or (price != 0 and (price - at) * side < 0):
                break
            for resting in self.book.queue(-side, at):
                if owner == 0 or not self.self_trade or self.owners.get(resting.order_id, 0) != owner:
                    found += resting.qty + self._reserve(resting.order_id)
                elif self.self_trade != SelfTrade.CANCEL_OLDEST:
                    return found  # it would come no further
        return found

    def _end(
        self,
        order_id: cython.longlong,
        side: cython.int,
        qty: cython.longlong,
        left: cython.longlong,
        price: cython.longlong,
        tif: cython.int,
        stopped: cython.bint,
        shown: int,
        owner: int,
        matches: list[Match],
        removed: list[int],
    ) -> Result:
        """What becomes of what is left."""
        filled = sum(match.qty for match in matches)
        if stopped:
            return Result(Outcome.SELF_TRADE, filled, left, matches, removed)
        if left == 0:
            return Result(Outcome.FILLED, filled, 0, matches, removed)
        if price == 0 or tif == _IOC or tif == _FOK:
            return Result(Outcome.UNFILLED_REST, filled, left, matches, removed)
        part: cython.longlong = min(left, shown) if shown > 0 else left
        if self.book.add(order_id, side, price, part):
            return Result(Outcome.REFUSED, filled, left, matches, removed)
        if shown > 0:
            self.hidden[order_id] = Hidden(left - part, shown)
        if owner != 0:
            self.owners[order_id] = owner
        return Result(Outcome.RESTING, filled, left, matches, removed)

    def _reserve(self, order_id: cython.longlong) -> int:
        kept = self.hidden.get(order_id)
        return 0 if kept is None else kept.reserve

    def _forget(self, order_id: cython.longlong) -> cython.int:
        self.hidden.pop(order_id, None)
        self.owners.pop(order_id, None)
        return 0

"""What a subscriber of levels and trades sees of a recording that tells every order, with questions whose answers it cannot see.

Some orders, chosen by their ids, are taken out as if they were ours: their messages are in neither the levels nor the trades, and
their places in the queue are what is asked about. What the venue sent as one becomes one group of levels, then its trades, at the
same time, as the merged stream has them.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from lockstep.book.l3 import L3Book, Resting
from lockstep.model.enums import BookAction, BookState, EventKind
from lockstep.model.instrument import Instrument
from lockstep.model.record import BOOK_ACTION, BOOK_FULL, BOOK_LAST, MARKET_EVENT, Records
from lockstep.model.rows import EventRows

_MIXER = 0x9E3779B97F4A7C15
_ALL_BITS = 2**64 - 1

Level = tuple[int, int]
"""Side and price in units."""


class Joined(NamedTuple):
    """An order of ours joined a queue, after the rows before `row`."""

    row: int
    ts: int
    number: int
    level: Level


class Ahead(NamedTuple):
    """How much stood ahead of an order of ours, of how much at its level, units. distance: levels from the best. fate: "rests",
    "executed" or "cancelled" (by what comes next): why it is asked. The truth before the rows from `row` on.
    """

    row: int
    ts: int
    number: int
    ahead: int
    level_qty: int
    distance: int
    fate: str


class Left(NamedTuple):
    """An order of ours left its queue."""

    row: int
    number: int


class Count(NamedTuple):
    """How many orders stood at a level."""

    row: int
    ts: int
    level: Level
    orders: int
    distance: int


Question = Joined | Ahead | Left | Count


class Cancels(NamedTuple):
    """What left levels without a trade. whole: orders; only: of these, the only one of its size at its level; newest: of the others, the
    newest of its size. parts: of orders that stayed with less.
    """

    whole: int = 0
    only: int = 0
    newest: int = 0
    parts: int = 0


class Shown(NamedTuple):
    """records: levels and trades. questions: in the order of their rows. taken_out: how many orders are ours."""

    records: Records
    questions: list[Question]
    taken_out: int
    cancels: Cancels


class _Ours:
    """An order of ours that rests: its stretch of life at one level."""

    __slots__ = ("level", "number", "since")

    def __init__(self, number: int, level: Level, since: int) -> None:
        self.number, self.level, self.since = number, level, since


class Viewer:
    """Walks through the records of a book of orders once.

    Args: every: ask about all that rests before each so many groups. one_in: take out one order of so many. levels: ask
          about so many levels of each side.
    """

    def __init__(self, instrument: Instrument, every: int, one_in: int, levels: int) -> None:
        self.book = L3Book(instrument, unknown_ids="count")
        self.every, self.one_in, self.levels = every, one_in, levels
        self.rows: list[tuple[int, int, int, int, int, int]] = []
        self.questions: list[Question] = []
        self.qty: dict[Level, int] = {}
        self.joined: dict[int, int] = {}  # order -> when it joined its queue last, counted
        self.ours: dict[int, _Ours] = {}
        self.at_work: dict[int, int] = {}  # quantity of our orders
        self.events = self.taken_out = 0
        self.cancels = Cancels()

    def see(self, records: Records) -> Shown:
        """Everything that the records show, and what is asked about it."""
        rows = EventRows()
        rows.hold(records)
        flags, begin = records["flags"].tolist(), 0
        columns = [records[name].tolist() for name in ("aux", "p0", "p1", "p2")]
        ends = (np.flatnonzero(records["flags"] & BOOK_LAST) + 1).tolist()
        for groups, end in enumerate(ends, 1):
            ts = int(records["ts_event"][end - 1])
            if self.book.state != BookState.AUCTION:
                if groups % self.every == 0:
                    self._ask(ts)
                self._ask_before(zip(columns[3][begin:end], flags[begin:end], strict=True), ts)
            changed: set[Level] = set()
            traded: dict[Level, int] = {}
            for i in range(begin, end):
                self._take(rows, i, flags[i], ts, [column[i] for column in columns], changed, traded)
            self._tell(ts, bool(flags[end - 1] & BOOK_FULL), changed, traded)
            begin = end
        return Shown(_records(self.rows), self.questions, self.taken_out, self.cancels)

    # ---- one record

    def _take(
        self,
        rows: EventRows,
        i: int,
        flags: int,
        ts: int,
        words: list[int],
        changed: set[Level],
        traded: dict[Level, int],
    ) -> None:
        action, (aux, price, qty, order_id) = flags & BOOK_ACTION, words
        self.events += 1
        if action == BookAction.ADD and not flags & BOOK_FULL and self._is_ours(order_id):
            self._join(order_id, (aux - 2, price), qty, ts)
            return
        if order_id in self.ours and action in (BookAction.MODIFY, BookAction.DELETE, BookAction.MATCH):
            self._change_ours(order_id, action, price, qty, ts)
            return
        before = self.book.find(order_id) if action not in (BookAction.CLEAR, BookAction.STATUS) else None
        if before and action in (BookAction.DELETE, BookAction.MODIFY):
            self._count_cancel(before, price if action == BookAction.MODIFY else None, qty)
        if self.book.apply(rows, i, i + 1):
            return
        if action == BookAction.CLEAR:
            self.qty, self.joined, self.ours, self.at_work = {}, {}, {}, {}
        after = self.book.find(order_id) if before or action == BookAction.ADD else None
        if before:
            self._add((before.side, before.price), -before.qty, changed)
            if action == BookAction.MATCH:
                level = (before.side, before.price)
                traded[level] = traded.get(level, 0) + qty
        if after:
            self._add((after.side, after.price), after.qty, changed)
            if before is None or after.price != before.price or after.qty > before.qty:
                self.joined[order_id] = self.events
        elif before:
            self.joined.pop(order_id, None)

    def _count_cancel(self, order: Resting, price: int | None, qty: int) -> None:
        """price, qty: what it changes to; None where it goes. A change to nothing is a level that was lost from sight."""
        if price == order.price and qty <= order.qty:
            self.cancels = self.cancels._replace(parts=self.cancels.parts + (0 < qty < order.qty))
            return
        same = [other for other in self.book.queue(order.side, order.price) if other.qty == order.qty]
        whole, only, newest, parts = self.cancels
        newest += len(same) > 1 and same[-1].order_id == order.order_id
        self.cancels = Cancels(whole + 1, only + (len(same) == 1), newest, parts)

    def _add(self, level: Level, qty: int, changed: set[Level]) -> None:
        self.qty[level] = self.qty.get(level, 0) + qty
        changed.add(level)

    def _is_ours(self, order_id: int) -> bool:
        return ((order_id * _MIXER & _ALL_BITS) >> 32) % self.one_in == 0 and self.book.find(order_id) is None

    def _join(self, order_id: int, level: Level, qty: int, ts: int) -> None:
        self.taken_out += 1
        self.ours[order_id] = _Ours(self.taken_out, level, self.events)
        self.at_work[order_id] = qty
        self.questions.append(Joined(len(self.rows), ts, self.taken_out, level))

    def _change_ours(self, order_id: int, action: int, price: int, qty: int, ts: int) -> None:
        """A smaller quantity keeps the place; whatever else ends this stretch, and may begin another."""
        ours = self.ours[order_id]
        side, at = ours.level
        has = self.at_work[order_id]
        left = {BookAction.DELETE: 0, BookAction.MATCH: has - qty}.get(BookAction(action), qty)
        moves = action == BookAction.MODIFY and (price != at or left > has)
        if left > 0 and not moves:
            self.at_work[order_id] = left
            return
        self.questions.append(Left(len(self.rows), ours.number))
        del self.ours[order_id], self.at_work[order_id]
        if moves and left > 0:
            self._join(order_id, (side, price), left, ts)

    # ---- what is shown, and what is asked

    def _tell(self, ts: int, full: bool, changed: set[Level], traded: dict[Level, int]) -> None:
        lines = [(BookAction.SET, *level, self.qty.get(level, 0)) for level in sorted(changed)]
        if full:
            lines = [(BookAction.CLEAR, -2, 0, 0)]
            lines += [(BookAction.SET, *level, qty) for level, qty in sorted(self.qty.items()) if qty]
        for k, (action, side, price, qty) in enumerate(lines):
            flags = action | BOOK_FULL * full | BOOK_LAST * (k == len(lines) - 1)
            self.rows.append((ts, EventKind.BOOK, flags, side + 2, price, qty))
        for (side, price), qty in sorted(traded.items()):
            self.rows.append((ts, EventKind.TRADE, 0, 2 - side, price, qty))

    def _ask(self, ts: int) -> None:
        for side in (1, -1):
            for distance, (price, _) in enumerate(self.book.depth_units(side, self.levels)):
                orders = self.book.orders_at(side, price)
                self.questions.append(Count(len(self.rows), ts, (side, price), orders, distance))
        for ours in self.ours.values():
            self._ask_about(ours, ts, "rests")

    def _ask_before(self, group: Iterable[tuple[int, int]], ts: int) -> None:
        """Ours that a group executes or cancels: where they stood before any of it."""
        for order_id, flags in group:
            action = flags & BOOK_ACTION
            if order_id in self.ours and action in (BookAction.MATCH, BookAction.DELETE):
                self._ask_about(self.ours[order_id], ts, "executed" if action == BookAction.MATCH else "cancelled")

    def _ask_about(self, ours: _Ours, ts: int, fate: str) -> None:
        side, price = ours.level
        prices = [at for at, _ in self.book.depth_units(side, self.levels)]
        if price not in prices:
            return  # far from the best; or nobody else is there, and every model knows it
        ahead = sum(order.qty for order in self.book.queue(side, price) if self.joined[order.order_id] < ours.since)
        self.questions.append(
            Ahead(len(self.rows), ts, ours.number, ahead, self.qty[ours.level], prices.index(price), fate)
        )


def _records(rows: list[tuple[int, int, int, int, int, int]]) -> Records:
    records = np.zeros(len(rows), MARKET_EVENT)
    told = np.array(rows, np.int64).reshape(-1, 6)
    for k, name in enumerate(("ts_event", "kind", "flags", "aux", "p0", "p1")):
        records[name] = told[:, k]
    records["clock"] = records["ts_event"]
    return records

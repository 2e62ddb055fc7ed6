"""A probable queue of single orders behind every level of a book that is told by levels, from its changes and the trades.

What a level says of its orders, and what is made of it:

- it becomes larger by d: an order of size d joins the end of its queue;
- it becomes smaller by d, and a trade says so: the front of the queue is executed;
- it becomes smaller by d without a trade: the newest order of exactly that size is cancelled, for of several it is most often the
  newest that leaves. Where there is none, the smallest of the larger ones loses a part and keeps its place; where all
  are smaller, the largest leaves, and so on with the rest;
- it is seen for the first time, in a full book: one block, of which nobody knows how many orders it is. It loses as an order does.

A trade and the change of its level are two messages, and either may come first. What is told at a moment has every trade up to
that moment in it. So a decrease waits for trades until time has moved on, and is a cancel then; and what trades took before
their level was told, and no decrease shows, was put there anew, at the end. `docs/guides/queue-reconstruction.md` has the scores.

At all times the queue of a level is what the level shows, and what waits, less what trades took and no level has shown.
"""

from array import array
from collections.abc import Sequence
from operator import index
from typing import SupportsIndex

import cython

if cython.compiled:
    from cython.cimports.lockstep.book.l2 import L2Book
    from cython.cimports.lockstep.book.l3 import L3Book
    from cython.cimports.lockstep.book.ladder import Ladder
    from cython.cimports.lockstep.model.rows import EventRows
else:
    from lockstep.book.l2 import L2Book
    from lockstep.book.l3 import L3Book
    from lockstep.book.ladder import Ladder
    from lockstep.model.rows import EventRows
from lockstep.model.enums import BookAction, EventKind
from lockstep.model.instrument import Instrument
from lockstep.model.record import BOOK_ACTION, BOOK_FULL, BOOK_LAST

_SET = cython.declare(cython.int, int(BookAction.SET))
_CLEAR = cython.declare(cython.int, int(BookAction.CLEAR))
_ACTION_BITS = cython.declare(cython.longlong, BOOK_ACTION)
_FULL_FLAG = cython.declare(cython.longlong, BOOK_FULL)
_LAST_FLAG = cython.declare(cython.longlong, BOOK_LAST)
_BOOK = cython.declare(cython.int, int(EventKind.BOOK))
_TRADE = cython.declare(cython.int, int(EventKind.TRADE))
_ANY = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)
_ORDERS_MAX = cython.declare(cython.longlong, 1024)  # of a level: beyond it the two oldest are told as one
_MEMORY = cython.declare(cython.double, 4096.0)  # of increases, after which older ones count half for the usual size


@cython.final
@cython.cclass
class RebuiltBook:
    """Probable orders behind the levels of one instrument.

    levels: the book as told. line: the probable orders, as a book of orders; their ids rise with their time, so that at each level
    the queue is in the order of the ids; odd ids are blocks. ts: the moment of the last change.

    Args: instrument: as of `L2Book`. levels: the book to follow, whose changes then come through here; a new one unless said. oldest: of
          several orders of the size that is cancelled the oldest leaves, not the newest; to compare, since it is less often right.
    """

    levels: L2Book
    line: L3Book
    next_id: cython.longlong
    ts: cython.longlong
    oldest: cython.bint
    is_lost: cython.bint
    added_qty: cython.double
    added_count: cython.double
    open_count: cython.Py_ssize_t
    owed_count: cython.Py_ssize_t
    open_key: (
        "array[int]"  # decreases of the moment ts that no trade has explained: level, by how much, ids there were then
    )
    open_qty: "array[int]"
    open_id: "array[int]"
    owed_key: "array[int]"  # what trades took and no decrease has shown: level, how much, when
    owed_qty: "array[int]"
    owed_ts: "array[int]"

    def __init__(self, instrument: Instrument, levels: L2Book | None = None, *, oldest: bool = False) -> None:
        self.levels = L2Book(instrument) if levels is None else levels
        self.oldest = oldest
        self.line = L3Book(instrument, tick=self.levels.tick, window=self.levels.bid_side.size)
        self.open_key, self.open_qty, self.open_id = (array("q", bytes(8 * 16)) for _ in range(3))
        self.owed_key, self.owed_qty, self.owed_ts = (array("q", bytes(8 * 16)) for _ in range(3))
        self.forget()

    def forget(self) -> cython.int:
        """Nothing is known: no order, nothing that waits. The book of levels stays as it is."""
        self.line.clear()
        self.next_id = 2
        self.ts = -1
        self.is_lost = False
        self.added_qty = 0.0
        self.added_count = 0.0
        self.open_count = 0
        self.owed_count = 0
        return 0

    # ---- what comes in

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def apply(self, rows: EventRows, start: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Take records start to stop - 1 in their order: BOOK and TRADE; others are passed over.

        Returns: how many were faulty. Raises: IndexError: no such rows.
        """
        if start < 0 or stop > rows.w.shape[0] or start > stop:
            raise IndexError(f"rows {start} to {stop} of {rows.w.shape[0]}")
        bad: cython.Py_ssize_t = 0
        kind: cython.int
        aggressor: cython.int
        i: cython.Py_ssize_t
        for i in range(start, stop):
            kind = cython.cast(cython.int, rows.w[i, 3] & 0xFF)
            if kind == _BOOK:
                bad += self.take(rows, i)
            elif kind == _TRADE:
                aggressor = cython.cast(cython.int, (rows.w[i, 3] >> 16) & 0xFFFF)
                self.trade(2 - aggressor if aggressor > 0 else 0, rows.w[i, 4], rows.w[i, 5], rows.w[i, 1])
        return bad

    def load(self, bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]], ts: SupportsIndex) -> int:
        """A full book at ts, as of `L2Book.load`. Returns: how many levels were faulty."""
        bad = self.levels.load(bids, asks, ts)
        self.match_levels(index(ts))
        return bad

    def update(self, side: cython.int, price: cython.longlong, qty: cython.longlong, ts: cython.longlong) -> cython.int:
        """A level has this quantity from ts on, as of `L2Book.update`. Returns: 1 where that was faulty, and changed nothing."""
        tick: cython.longlong = self.levels.to_tick(price)
        before: cython.longlong = (self.levels.bid_side if side > 0 else self.levels.ask_side).at(tick)
        if self.levels.update(side, price, qty):
            return 1
        return self._told(side, tick, before, qty, ts)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def take(self, rows: EventRows, i: cython.Py_ssize_t) -> cython.int:
        """One BOOK record, for the levels and for what is made of them. Returns: 1 where it was faulty."""
        flags: cython.longlong = rows.w[i, 3] >> 8
        side: cython.int = cython.cast(cython.int, (rows.w[i, 3] >> 16) & 0xFFFF) - 2
        action: cython.int = cython.cast(cython.int, flags & _ACTION_BITS)
        tick: cython.longlong = 0
        before: cython.longlong = 0
        if action == _CLEAR or flags & _FULL_FLAG:
            self.is_lost = True
        elif action == _SET:
            tick = self.levels.to_tick(rows.w[i, 4])
            before = (self.levels.bid_side if side > 0 else self.levels.ask_side).at(tick)
        bad: cython.int = cython.cast(cython.int, self.levels.apply(rows, i, i + 1))
        if self.is_lost:
            if flags & _LAST_FLAG:
                self.match_levels(rows.w[i, 1])
        elif action == _SET and not bad:
            self._told(side, tick, before, rows.w[i, 5], rows.w[i, 1])
        return bad

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _told(
        self,
        side: cython.int,
        tick: cython.longlong,
        before: cython.longlong,
        after: cython.longlong,
        ts: cython.longlong,
    ) -> cython.int:
        """A level has another quantity at ts."""
        self.come_to(ts)
        if ts > self.ts:
            self.ts = ts
        if after > before:
            self.added_qty += after - before
            self.added_count += 1.0
            if self.added_count >= _MEMORY:
                self.added_qty *= 0.5
                self.added_count *= 0.5
            return self._join(side, tick, after - before, False)
        gone: cython.longlong = before - after
        key: cython.longlong = 2 * tick + (side > 0)
        part: cython.longlong
        k: cython.Py_ssize_t
        for k in range(self.owed_count):
            if self.owed_key[k] == key and gone > 0:
                part = self.owed_qty[k] if self.owed_qty[k] < gone else gone
                self.owed_qty[k] -= part
                gone -= part
        if gone > 0:
            if self.open_count == len(self.open_key):
                self._grow_open()
            self.open_key[self.open_count] = key
            self.open_qty[self.open_count] = gone
            self.open_id[self.open_count] = self.next_id
            self.open_count += 1
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def trade(self, side: cython.int, price: cython.longlong, qty: cython.longlong, ts: cython.longlong) -> cython.int:
        """A trade executed the front of a level. side: whose orders rested, +1 bids, -1 asks, 0 where it is not known. ts: ns UTC."""
        tick: cython.longlong = self.levels.to_tick(price)
        if tick * self.levels.tick != price or qty <= 0:
            return 0
        self.come_to(ts)
        if side == 0:
            side = 1 if self.line.bid_side.at(tick) else -1
        eaten: cython.longlong = self._eat(side, tick, qty)
        key: cython.longlong = 2 * tick + (side > 0)
        part: cython.longlong
        k: cython.Py_ssize_t
        for k in range(self.open_count):
            if self.open_key[k] == key and eaten > 0:
                part = self.open_qty[k] if self.open_qty[k] < eaten else eaten
                self.open_qty[k] -= part
                eaten -= part
        if eaten > 0:
            if self.owed_count == len(self.owed_key):
                self._grow_owed()
            self.owed_key[self.owed_count] = key
            self.owed_qty[self.owed_count] = eaten
            self.owed_ts[self.owed_count] = ts
            self.owed_count += 1
        return 0

    # ---- time moves on

    def come_to(self, ts: cython.longlong) -> cython.int:
        """It is ts: what was told at a moment before it is settled."""
        if ts > self.ts and (self.open_count > 0 or self.owed_count > 0):
            self._settle()
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _settle(self) -> cython.int:
        """Decreases that waited are cancels; what trades up to the moment took, and no decrease has shown, came anew."""
        key: cython.longlong
        k: cython.Py_ssize_t
        kept: cython.Py_ssize_t = 0
        for k in range(self.open_count):
            if self.open_qty[k] > 0:
                key = self.open_key[k]
                self._lose(1 if key & 1 else -1, key >> 1, self.open_qty[k], self.open_id[k])
        self.open_count = 0
        for k in range(self.owed_count):
            key = self.owed_key[k]
            if self.owed_qty[k] == 0:
                continue
            if self.owed_ts[k] <= self.ts:
                self._join(1 if key & 1 else -1, key >> 1, self.owed_qty[k], False)
                continue
            self.owed_key[kept] = key
            self.owed_qty[kept] = self.owed_qty[k]
            self.owed_ts[kept] = self.owed_ts[k]
            kept += 1
        self.owed_count = kept
        return 0

    def match_levels(self, ts: cython.longlong) -> cython.int:
        """The whole book was told anew at ts: every queue is made as long as its level."""
        self.ts = ts
        self.is_lost = False
        self.open_count = 0
        self.owed_count = 0
        total: cython.longlong
        side: cython.int
        tick: cython.longlong
        qty: cython.longlong
        for side in (1, -1):
            told: Ladder = self.levels.bid_side if side > 0 else self.levels.ask_side
            for entry in self._side(side).depth(self._side(side).count()):
                tick = entry[0]
                if told.at(tick) == 0:
                    self._eat(side, tick, _ANY)
            for entry in told.depth(told.count()):
                tick, qty = entry
                total = self.line.level_qty[self._side(side).at(tick)] if self._side(side).at(tick) else 0
                if qty > total:
                    self._join(side, tick, qty - total, True)
                elif qty < total:
                    self._lose(side, tick, total - qty, _ANY)
        return 0

    # ---- what moves orders

    def _side(self, side: cython.int) -> Ladder:
        return self.line.bid_side if side > 0 else self.line.ask_side

    def _join(self, side: cython.int, tick: cython.longlong, qty: cython.longlong, is_block: cython.bint) -> cython.int:
        """An order, or a block, at the end of a level's queue."""
        self.line.add(self.next_id + is_block, side, tick * self.line.tick, qty)
        self.next_id += 2
        level: cython.int = cython.cast(cython.int, self._side(side).at(tick))
        if self.line.level_count[level] > _ORDERS_MAX:
            self._merge_oldest(level)
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _merge_oldest(self, level: cython.int) -> cython.int:
        """The first order of a queue becomes part of the second, so that memory has a bound."""
        first: cython.int = self.line.head[level]
        second: cython.int = self.line.after[first]
        qty: cython.longlong = self.line.qty_of[first]
        self.line.cancel(self.line.id_of[first])
        self.line.qty_of[second] += qty
        self.line.level_qty[level] += qty
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _eat(self, side: cython.int, tick: cython.longlong, qty: cython.longlong) -> cython.longlong:
        """The front of a queue is executed. Returns: how much of it, no more than there is."""
        ladder: Ladder = self._side(side)
        level: cython.int = cython.cast(cython.int, ladder.at(tick))
        eaten: cython.longlong = 0
        slot: cython.int
        part: cython.longlong
        while level > 0 and eaten < qty:
            slot = self.line.head[level]
            part = self.line.qty_of[slot]
            if part > qty - eaten:
                part = qty - eaten
            self.line.match(self.line.id_of[slot], part)
            eaten += part
            level = cython.cast(cython.int, ladder.at(tick))
        return eaten

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _lose(
        self, side: cython.int, tick: cython.longlong, qty: cython.longlong, limit: cython.longlong
    ) -> cython.int:
        """Orders with ids below the limit leave without a trade, so much in all."""
        ladder: Ladder = self._side(side)
        level: cython.int = cython.cast(cython.int, ladder.at(tick))
        slot: cython.int
        part: cython.longlong
        while level > 0 and qty > 0:
            slot = self._victim(level, qty, limit)
            if slot < 0:
                slot = self._victim(level, qty, _ANY)  # trades took what was older
            part = self.line.qty_of[slot]
            if part > qty:
                part = qty
            self.line.match(self.line.id_of[slot], part)
            qty -= part
            level = cython.cast(cython.int, ladder.at(tick))
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _victim(self, level: cython.int, qty: cython.longlong, limit: cython.longlong) -> cython.int:
        """The slot of the order that most probably lost so much; -1 where none has an id below the limit."""
        larger: cython.int = -1
        largest: cython.int = -1
        same: cython.int = -1
        has: cython.longlong
        slot: cython.int = self.line.tail[level]
        while slot >= 0:
            if self.line.id_of[slot] < limit:
                has = self.line.qty_of[slot]
                if has == qty:
                    same = slot
                    if not self.oldest:
                        return same
                elif has > qty:
                    if larger < 0 or has < self.line.qty_of[larger]:
                        larger = slot
                elif largest < 0 or has > self.line.qty_of[largest]:
                    largest = slot
            slot = self.line.before[slot]
        if same >= 0:
            return same
        return larger if larger >= 0 else largest

    def _grow_open(self) -> cython.int:
        """Room for twice as many decreases."""
        self.open_key = array("q", bytes(self.open_key) * 2)
        self.open_qty = array("q", bytes(self.open_qty) * 2)
        self.open_id = array("q", bytes(self.open_id) * 2)
        return 0

    def _grow_owed(self) -> cython.int:
        """Room for twice as many trades."""
        self.owed_key = array("q", bytes(self.owed_key) * 2)
        self.owed_qty = array("q", bytes(self.owed_qty) * 2)
        self.owed_ts = array("q", bytes(self.owed_ts) * 2)
        return 0

    # ---- what can be read

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def ahead(self, side: cython.int, tick: cython.longlong, mark: cython.longlong) -> cython.longlong:
        """The quantity of a level's orders with ids below a mark: of those that were there when `next_id` was the mark."""
        level: cython.int = cython.cast(cython.int, self._side(side).at(tick))
        slot: cython.int = self.line.head[level] if level else -1
        total: cython.longlong = 0
        while slot >= 0 and self.line.id_of[slot] < mark:
            total += self.line.qty_of[slot]
            slot = self.line.after[slot]
        return total

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def orders_at(self, side: cython.int, price: cython.longlong) -> cython.longlong:
        """How many orders stand at a price in units, probably: a block counts as its quantity by that of the usual increase."""
        level: cython.int = self.line._level(side, price)
        slot: cython.int = self.line.head[level] if level else -1
        usual: cython.double = self.added_qty / self.added_count if self.added_count > 0.0 else 0.0
        in_block: cython.double
        count: cython.longlong = 0
        while slot >= 0:
            count += 1
            if self.line.id_of[slot] & 1 and usual > 0.0:
                in_block = self.line.qty_of[slot] / usual + 0.5
                if in_block >= 2.0:
                    count += cython.cast(cython.longlong, in_block) - 1
            slot = self.line.after[slot]
        return count

    def sizes(self, side: int, price: cython.longlong) -> list[int]:
        """The quantities of the orders at a price in units, first in line first."""
        return [order.qty for order in self.line.queue(side, price)]

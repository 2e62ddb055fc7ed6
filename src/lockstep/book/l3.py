"""A book by single orders, in price-time priority: what an exchange that tells every order shows, and what a matching engine keeps.

Orders live in slots of parallel arrays, linked into one queue a level; the levels of a side are a `Ladder` whose cells
hold the number of a level instead of a quantity. Freed slots and levels are used again. Everything grows by doubling.
"""

from array import array
from typing import Any, NamedTuple

import cython

if cython.compiled:
    from cython.cimports.lockstep.book.ids import IdTable
    from cython.cimports.lockstep.book.ladder import Ladder
    from cython.cimports.lockstep.book.standing import Book
    from cython.cimports.lockstep.model.rows import EventRows
else:
    from lockstep.book.ids import IdTable
    from lockstep.book.ladder import Ladder
    from lockstep.book.standing import Book
    from lockstep.model.rows import EventRows
from lockstep.book.ladder import WINDOW
from lockstep.model.arguments import whole
from lockstep.model.enums import BookAction, BookFault
from lockstep.model.instrument import Instrument
from lockstep.model.record import BOOK_ACTION, BOOK_FULL, BOOK_LAST

_ADD = cython.declare(cython.int, int(BookAction.ADD))
_MODIFY = cython.declare(cython.int, int(BookAction.MODIFY))
_DELETE = cython.declare(cython.int, int(BookAction.DELETE))
_MATCH = cython.declare(cython.int, int(BookAction.MATCH))
_CLEAR = cython.declare(cython.int, int(BookAction.CLEAR))
_STATUS = cython.declare(cython.int, int(BookAction.STATUS))
_NEGATIVE_QTY = cython.declare(cython.int, int(BookFault.NEGATIVE_QTY))
_OFF_TICK = cython.declare(cython.int, int(BookFault.OFF_TICK))
_UNKNOWN_ORDER = cython.declare(cython.int, int(BookFault.UNKNOWN_ORDER))
_KNOWN_ORDER = cython.declare(cython.int, int(BookFault.KNOWN_ORDER))
_OVER_MATCHED = cython.declare(cython.int, int(BookFault.OVER_MATCHED))
_UNKNOWN_ACTION = cython.declare(cython.int, int(BookFault.UNKNOWN_ACTION))
_ACTION_BITS = cython.declare(cython.longlong, BOOK_ACTION)
_FULL_FLAG = cython.declare(cython.longlong, BOOK_FULL)
_LAST_FLAG = cython.declare(cython.longlong, BOOK_LAST)


class Resting(NamedTuple):
    """An order in a book: price and qty in units."""

    order_id: int
    side: int
    price: int
    qty: int


class Place(NamedTuple):
    """Where an order stands in its queue: how many orders are ahead of it at its price, with which quantity, units."""

    orders: int
    qty: int


@cython.final
@cython.cclass
class L3Book(Book):
    """Every order of one instrument.

    Feed it records (`apply`) or single events (`add`, `modify`, `cancel`, `match`). An event that cannot be right (an unknown
    order, one already known, more executed than rests) changes nothing, is counted, and the book is no longer GOOD.

    Args:   tick: price units a level; the instrument's tick size unless said. unknown_ids: how events about unknown orders count:
            as faults, or, where a recording begins in mid-session without a full book, only in `unknown`. room: orders there is
            room for at first. window: as of `L2Book`.
    Raises: ValueError: a window that is no power of two, or a tick below 1.
    """

    ids: IdTable
    unknown: cython.longlong
    tolerant: cython.bint
    free: cython.int
    free_level: cython.int
    id_of: "array[int]"
    qty_of: "array[int]"
    level_of: "array[int]"
    before: "array[int]"
    after: "array[int]"
    level_tick: "array[int]"
    level_qty: "array[int]"
    level_side: "array[int]"
    level_count: "array[int]"
    head: "array[int]"
    tail: "array[int]"

    def __init__(
        self,
        instrument: Instrument,
        *,
        tick: int | None = None,
        silence_max_ns: int = 0,
        unknown_ids: str = "fault",
        room: int = 4096,
        window: int = WINDOW,
    ) -> None:
        if unknown_ids not in ("fault", "count"):
            raise ValueError(f"unknown_ids was {unknown_ids!r}, must be 'fault' or 'count'")
        self.start_book(instrument, tick, silence_max_ns, window)
        self.tolerant = unknown_ids == "count"
        self.unknown = 0
        self.ids = IdTable(room)
        slots = whole("room", room, 1, 2**30)
        self.id_of, self.qty_of = array("q", bytes(8 * slots)), array("q", bytes(8 * slots))
        self.level_of, self.before, self.after = (array("i", bytes(4 * slots)) for _ in range(3))
        self.free = -1
        self._chain(0, slots)
        levels = 256
        self.level_tick, self.level_qty = array("q", bytes(8 * levels)), array("q", bytes(8 * levels))
        self.level_side, self.level_count, self.head, self.tail = (array("i", bytes(4 * levels)) for _ in range(4))
        self.free_level = -1
        self._chain_levels(1, levels)  # 0 in a ladder's cell is no level

    # ---- single events. Returns: 0, or 1 where the event was faulty and changed nothing.

    def add(
        self, order_id: cython.longlong, side: cython.int, price: cython.longlong, qty: cython.longlong
    ) -> cython.int:
        """A new order goes to the end of its level's queue. side: +1 bid, -1 ask. price, qty: units."""
        self.updates += 1
        tick: cython.longlong = self.to_tick(price)
        if qty <= 0:
            return self.fail(_NEGATIVE_QTY)
        if tick * self.tick != price:
            return self.fail(_OFF_TICK)
        if self.ids.find(order_id) >= 0:
            return self.fail(_KNOWN_ORDER)
        return self._enter(order_id, side, tick, qty)

    def modify(self, order_id: cython.longlong, price: cython.longlong, qty: cython.longlong) -> cython.int:
        """An order's price and quantity from now on. It keeps its place unless the price changes or the quantity grows."""
        self.updates += 1
        tick: cython.longlong = self.to_tick(price)
        slot: cython.int = self.ids.find(order_id)
        if slot < 0:
            return self._miss()
        if qty < 0:
            return self.fail(_NEGATIVE_QTY)
        if tick * self.tick != price:
            return self.fail(_OFF_TICK)
        return self._change(slot, tick, qty)

    def cancel(self, order_id: cython.longlong) -> cython.int:
        """An order leaves the book, whole."""
        self.updates += 1
        slot: cython.int = self.ids.find(order_id)
        if slot < 0:
            return self._miss()
        return self._leave(slot)

    def match(self, order_id: cython.longlong, qty: cython.longlong) -> cython.int:
        """So much of an order was executed; it keeps its place, and leaves with its last unit."""
        self.updates += 1
        slot: cython.int = self.ids.find(order_id)
        if slot < 0:
            return self._miss()
        if qty <= 0:
            return self.fail(_NEGATIVE_QTY)
        return self._execute(slot, qty)

    # ---- records

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def apply(self, rows: EventRows, start: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Take BOOK records start to stop - 1. Returns: how many of them were faulty. Raises: IndexError: no such rows."""
        if start < 0 or stop > rows.w.shape[0] or start > stop:
            raise IndexError(f"rows {start} to {stop} of {rows.w.shape[0]}")
        bad: cython.Py_ssize_t = 0
        flags: cython.longlong
        action: cython.int
        side: cython.int
        i: cython.Py_ssize_t
        for i in range(start, stop):
            flags = rows.w[i, 3] >> 8
            action = cython.cast(cython.int, flags & _ACTION_BITS)
            if action == _ADD:
                side = cython.cast(cython.int, (rows.w[i, 3] >> 16) & 0xFFFF) - 2
                bad += self.add(rows.w[i, 6], side, rows.w[i, 4], rows.w[i, 5])
            elif action == _DELETE:
                bad += self.cancel(rows.w[i, 6])
            elif action == _MATCH:
                bad += self.match(rows.w[i, 6], rows.w[i, 5])
            elif action == _MODIFY:
                bad += self.modify(rows.w[i, 6], rows.w[i, 4], rows.w[i, 5])
            else:
                bad += self._act(action, rows.w[i, 4], rows.w[i, 5])
            if flags & _LAST_FLAG:
                self.heard(rows.w[i, 1])
                if flags & _FULL_FLAG:
                    self.came_whole()
                self.ends_crossed(self.is_crossed())
        return bad

    def clear(self) -> cython.int:
        """No order any more."""
        for entry in self.orders():
            self._leave(self.ids.find(entry.order_id))
        return 0

    def _act(self, action: cython.int, first: cython.longlong, second: cython.longlong) -> cython.int:
        """What is rare among the actions."""
        self.updates += 1
        if action == _CLEAR:
            return self.clear()
        if action == _STATUS:
            return self.set_state(cython.cast(cython.int, first), cython.cast(cython.int, second))
        return self.fail(_UNKNOWN_ACTION)

    def _miss(self) -> cython.int:
        """An event about an order that is not there."""
        self.unknown += 1
        return 1 if self.tolerant else self.fail(_UNKNOWN_ORDER)

    # ---- what moves orders

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _enter(
        self, order_id: cython.longlong, side: cython.int, tick: cython.longlong, qty: cython.longlong
    ) -> cython.int:
        """A slot for a new order, at the end of its level's queue."""
        if self.free < 0:
            self._grow()
        slot: cython.int = self.free
        self.free = self.after[slot]
        self.id_of[slot] = order_id
        self.ids.put(order_id, slot)
        return self._line_up(slot, side, tick, qty)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _line_up(self, slot: cython.int, side: cython.int, tick: cython.longlong, qty: cython.longlong) -> cython.int:
        """An order that stands nowhere goes to the end of a level's queue."""
        ladder: Ladder = self.bid_side if side > 0 else self.ask_side
        level: cython.int = cython.cast(cython.int, ladder.at(tick))
        last: cython.int
        if level == 0:
            if self.free_level < 0:
                self._grow_levels()
            level = self.free_level
            self.free_level = self.head[level]
            self.level_tick[level] = tick
            self.level_side[level] = side
            self.level_qty[level] = qty
            self.level_count[level] = 1
            self.head[level] = slot
            self.before[slot] = -1
            ladder.set(tick, level)
        else:
            last = self.tail[level]
            self.level_qty[level] += qty
            self.level_count[level] += 1
            self.after[last] = slot
            self.before[slot] = last
        self.tail[level] = slot
        self.after[slot] = -1
        self.qty_of[slot] = qty
        self.level_of[slot] = level
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _step_out(self, slot: cython.int) -> cython.int:
        """An order leaves its queue; a level without orders is gone."""
        level: cython.int = self.level_of[slot]
        ahead: cython.int = self.before[slot]
        behind: cython.int = self.after[slot]
        self.level_qty[level] -= self.qty_of[slot]
        self.level_count[level] -= 1
        if ahead >= 0:
            self.after[ahead] = behind
        else:
            self.head[level] = behind
        if behind >= 0:
            self.before[behind] = ahead
        else:
            self.tail[level] = ahead
        if self.level_count[level] == 0:
            (self.bid_side if self.level_side[level] > 0 else self.ask_side).set(self.level_tick[level], 0)
            self.head[level] = self.free_level
            self.free_level = level
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _leave(self, slot: cython.int) -> cython.int:
        """An order leaves the book, and its slot is free."""
        self._step_out(slot)
        self.ids.remove(self.id_of[slot])
        self.after[slot] = self.free
        self.free = slot
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _change(self, slot: cython.int, tick: cython.longlong, qty: cython.longlong) -> cython.int:
        """Another price or quantity; 0 is a cancel."""
        level: cython.int = self.level_of[slot]
        if qty == 0:
            return self._leave(slot)
        if tick == self.level_tick[level] and qty <= self.qty_of[slot]:
            self.level_qty[level] -= self.qty_of[slot] - qty
            self.qty_of[slot] = qty
            return 0
        side: cython.int = self.level_side[level]
        self._step_out(slot)
        return self._line_up(slot, side, tick, qty)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _execute(self, slot: cython.int, qty: cython.longlong) -> cython.int:
        """Less is left of an order, or nothing."""
        left: cython.longlong = self.qty_of[slot] - qty
        if left < 0:
            return self.fail(_OVER_MATCHED)
        if left == 0:
            return self._leave(slot)
        self.qty_of[slot] = left
        self.level_qty[self.level_of[slot]] -= qty
        return 0

    # ---- room

    def _grow(self) -> cython.int:
        """Twice as many slots."""
        old = len(self.id_of)
        self.id_of = _twice("q", self.id_of)
        self.qty_of = _twice("q", self.qty_of)
        self.level_of = _twice("i", self.level_of)
        self.before = _twice("i", self.before)
        self.after = _twice("i", self.after)
        self._chain(old, 2 * old)
        return 0

    def _grow_levels(self) -> cython.int:
        """Twice as many levels."""
        old = len(self.head)
        self.level_tick = _twice("q", self.level_tick)
        self.level_qty = _twice("q", self.level_qty)
        self.level_side = _twice("i", self.level_side)
        self.level_count = _twice("i", self.level_count)
        self.head = _twice("i", self.head)
        self.tail = _twice("i", self.tail)
        self._chain_levels(old, 2 * old)
        return 0

    def _chain(self, start: cython.int, stop: cython.int) -> cython.int:
        """Slots that are free, the lowest first."""
        slot: cython.int
        for slot in range(stop - 1, start - 1, -1):
            self.after[slot] = self.free
            self.free = slot
        return 0

    def _chain_levels(self, start: cython.int, stop: cython.int) -> cython.int:
        level: cython.int
        for level in range(stop - 1, start - 1, -1):
            self.head[level] = self.free_level
            self.free_level = level
        return 0

    # ---- what can be read, exact

    def __len__(self) -> int:
        """Orders in the book."""
        return self.ids.count

    def find(self, order_id: cython.longlong) -> Resting | None:
        """An order of the book, or None."""
        slot: cython.int = self.ids.find(order_id)
        return None if slot < 0 else self._resting(slot)

    def place(self, order_id: cython.longlong) -> Place | None:
        """Where an order stands in its queue, or None where it is not in the book."""
        slot: cython.int = self.ids.find(order_id)
        if slot < 0:
            return None
        orders: cython.longlong = 0
        qty: cython.longlong = 0
        slot = self.before[slot]
        while slot >= 0:
            orders += 1
            qty += self.qty_of[slot]
            slot = self.before[slot]
        return Place(orders, qty)

    def queue(self, side: int, price: cython.longlong) -> list[Resting]:
        """The orders at a price in units, first in line first."""
        level: cython.int = self._level(side, price)
        return self._in_line(level) if level else []

    def orders(self) -> list[Resting]:
        """Every order, by side, price and place: bids first, best prices first."""
        return [
            entry
            for ladder in (self.bid_side, self.ask_side)
            for _, level in ladder.depth(ladder.count())
            for entry in self._in_line(level)
        ]

    def orders_at(self, side: cython.int, price: cython.longlong) -> cython.longlong:
        """How many orders stand at a price in units."""
        level: cython.int = self._level(side, price)
        return self.level_count[level] if level else 0

    def _level(self, side: cython.int, price: cython.longlong) -> cython.int:
        """The level of a price; 0 where there is none."""
        tick: cython.longlong = self.to_tick(price)
        if tick * self.tick != price:
            return 0
        return cython.cast(cython.int, (self.bid_side if side > 0 else self.ask_side).at(tick))

    def qty_in(self, cell: cython.longlong) -> cython.longlong:
        """The quantity of a level, units. cell: its number, as the ladders hold it."""
        return self.level_qty[cell]

    def _in_line(self, level: cython.int) -> list[Resting]:
        found = []
        slot: cython.int = self.head[level]
        while slot >= 0:
            found.append(self._resting(slot))
            slot = self.after[slot]
        return found

    def _resting(self, slot: cython.int) -> Resting:
        level: cython.int = self.level_of[slot]
        return Resting(self.id_of[slot], self.level_side[level], self.level_tick[level] * self.tick, self.qty_of[slot])


def _twice(kind: str, column: Any) -> "array[int]":
    return array(kind, bytes(column) * 2)

"""What features see: the best levels of a book as they stand now and as they stood before, and the last trade.

A book is looked at when the venue's change is complete, never in its middle. One that is not GOOD, or lacks a side, shows nothing:
every feature of the book is nan from there on, and what was gathered over a span of time begins anew when the book is good again.
"""

from array import array
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.book.l2 import L2Book
    from cython.cimports.lockstep.book.ladder import Ladder
    from cython.cimports.lockstep.book.standing import Book
else:
    from lockstep.book.l2 import L2Book
    from lockstep.book.ladder import Ladder
    from lockstep.book.standing import Book
from lockstep.model.arguments import whole
from lockstep.model.fields import field, float_field, int_field, list_field

LEVELS_MAX = 50
"""Levels of a side that features may read: what is read is copied at each change of the book."""
NEVER = -1
"""Of `since` and `start`: it has not been so."""
NO_PRICE = 2**62
"""Price units of a level that a side does not have, worse than any: minus this for bids. Its quantity is 0."""
_NO_PRICE = cython.declare(cython.longlong, NO_PRICE)
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1


@cython.final
@cython.cclass
class DepthView:
    """The best levels of both sides, now and before, in one block: prices and quantities of bids, then of asks, in units.

    `cells[now + k]` is the price of the k-th bid, `now + depth + k` its quantity, `now + 2 * depth + k` and `now + 3 * depth + k`
    those of the asks; `before` in place of `now` is how they stood at the change before, where `known_before` says that they did.

    Attributes: `priced`: whether the book is GOOD and has both sides. `since`: the time from which on it was so without a break,
    `start`: of the first event, both ns UTC, -1 for never. `clock`: of the last event. `bid`, `ask`, `mid`: quote currency.
    `trade_qty`: units, `trade_side`: +1, -1, or 0 where the aggressor is unknown: of the last trade.

    Args:   depth: levels of each side, 1 to 50. price_scale, qty_scale: 10.0**decimals.
    Raises: TypeError, ValueError: a depth that is none.
    """

    depth: cython.Py_ssize_t
    cells: "array[int]"
    _memory: "array[int]"
    now: cython.Py_ssize_t
    before: cython.Py_ssize_t
    priced: cython.bint
    known_before: cython.bint
    since: cython.longlong
    start: cython.longlong
    clock: cython.longlong
    bid: cython.double
    ask: cython.double
    mid: cython.double
    price_scale: cython.double
    qty_scale: cython.double
    tick_price: cython.double
    trade_qty: cython.longlong
    trade_side: cython.int

    def __init__(self, depth: int, price_scale: float, qty_scale: float, tick: int) -> None:
        self.depth = whole("depth", depth, 1, LEVELS_MAX)
        self._memory = array("q", bytes(8 * 8 * self.depth))
        self.cells = self._memory
        self.price_scale = price_scale
        self.qty_scale = qty_scale
        self.tick_price = tick / price_scale
        self.clear()

    def clear(self) -> cython.int:
        """Nothing has been seen."""
        i: cython.Py_ssize_t
        for i in range(8 * self.depth):
            self.cells[i] = 0
        self.now = 0
        self.before = 4 * self.depth
        self.priced = False
        self.known_before = False
        self.since = NEVER
        self.start = NEVER
        self.clock = NEVER
        self.bid = self.ask = self.mid = 0.0
        self.trade_qty = 0
        self.trade_side = 0
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    @cython.cdivision(True)  # scales are powers of ten
    def read(self, book: Book, clock: cython.longlong) -> cython.int:
        """The venue's change of the book is complete."""
        self.hear(clock)
        if not book.look(clock) or book.bid_side.is_empty() or book.ask_side.is_empty():
            return self.lose()
        self.known_before = self.priced
        self.now, self.before = self.before, self.now
        self._copy(book, book.bid_side, self.now)
        self._copy(book, book.ask_side, self.now + 2 * self.depth)
        if not self.priced:
            self.priced = True
            self.since = clock
        bid: cython.longlong = self.cells[self.now]
        ask: cython.longlong = self.cells[self.now + 2 * self.depth]
        self.bid = bid / self.price_scale
        self.ask = ask / self.price_scale
        self.mid = cython.cast(cython.double, bid + ask) / (2.0 * self.price_scale)
        return 0

    def hear(self, clock: cython.longlong) -> cython.int:
        """Something came."""
        self.clock = clock
        if self.start == NEVER:
            self.start = clock
        return 0

    def lose(self) -> cython.int:
        """The book cannot be trusted: it shows nothing."""
        self.priced = False
        self.known_before = False
        self.since = NEVER
        return 0

    def hear_trade(self, clock: cython.longlong, qty: cython.longlong, side: cython.int) -> cython.int:
        """A public trade."""
        self.hear(clock)
        self.trade_qty = qty
        self.trade_side = side
        return 0

    @cython.boundscheck(False)  # a tick masked is a cell of the ladder; k stays below the depth
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _copy(self, book: Book, ladder: Ladder, at: cython.Py_ssize_t) -> cython.int:
        """The best levels of a side: those in the ladder's ring, then, where these are too few, what lies far."""
        k: cython.Py_ssize_t = 0
        depth: cython.Py_ssize_t = self.depth
        tick: cython.longlong = ladder.best
        left: cython.longlong = ladder.near
        cell: cython.longlong
        there: cython.bint
        if isinstance(book, L2Book):
            # Of a book of levels a cell is the quantity. An empty one is written over by what comes next: no branch on what it holds.
            while k < depth and left > 0:
                cell = ladder.cells[tick & ladder.mask]
                self.cells[at + k] = tick * book.tick
                self.cells[at + depth + k] = cell
                there = cell > 0
                left -= there
                k += there
                tick -= ladder.side
        while k < depth and left > 0:
            cell = ladder.cells[tick & ladder.mask]
            if cell > 0:
                self.cells[at + k] = tick * book.tick
                self.cells[at + depth + k] = book.qty_in(cell)
                left -= 1
                k += 1
            tick -= ladder.side
        if k < depth and ladder.count() > k:
            for price, qty in book.depth_units(ladder.side, depth)[k:]:
                self.cells[at + k] = price
                self.cells[at + depth + k] = qty
                k += 1
        while k < depth:
            self.cells[at + k] = -_NO_PRICE * ladder.side
            self.cells[at + depth + k] = 0
            k += 1
        return 0

    def save(self) -> dict[str, Any]:
        """The whole state as plain JSON data."""
        return {
            "cells": list(self.cells), "now": self.now, "priced": bool(self.priced), "since": self.since,
            "known_before": bool(self.known_before), "start": self.start, "clock": self.clock, "bid": self.bid,
            "ask": self.ask, "mid": self.mid, "trade_qty": self.trade_qty, "trade_side": self.trade_side,
        }  # fmt: skip

    def restore(self, saved: Any) -> None:
        """Continue from what `save` returned. Raises: ValueError, TypeError: of another depth, or damaged."""
        cells = [whole("saved cell", cell, _INT_MIN, _INT_MAX) for cell in list_field(saved, "cells", 8 * self.depth)]
        now = int_field(saved, "now", 0, 4 * self.depth)
        if now not in (0, 4 * self.depth):
            raise ValueError(f"saved 'now' must be 0 or {4 * self.depth}, was {now}")
        times = [int_field(saved, name, NEVER, _INT_MAX) for name in ("since", "start", "clock")]
        prices = [float_field(saved, name) for name in ("bid", "ask", "mid")]
        flags = [bool(field(saved, name)) for name in ("priced", "known_before")]
        qty, side = int_field(saved, "trade_qty", 0, _INT_MAX), int_field(saved, "trade_side", -1, 1)
        for i, cell in enumerate(cells):
            self.cells[i] = cell
        self.now, self.before = now, 4 * self.depth - now
        self.since, self.start, self.clock = times
        self.bid, self.ask, self.mid = prices
        self.priced, self.known_before = flags
        self.trade_qty, self.trade_side = qty, side

"""What every book knows of itself: of which instrument it is, whether it can be trusted, and what was wrong with its updates."""

from typing import NamedTuple

import cython

if cython.compiled:
    from cython.cimports.lockstep.book.ladder import Ladder
else:
    from lockstep.book.ladder import Ladder
from lockstep.model.arguments import whole
from lockstep.model.enums import BookFault, BookState
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import UNITS_MAX

_EMPTY = cython.declare(cython.int, int(BookState.EMPTY))
_GOOD = cython.declare(cython.int, int(BookState.GOOD))
_AUCTION = cython.declare(cython.int, int(BookState.AUCTION))
_RESYNCING = cython.declare(cython.int, int(BookState.RESYNCING))
_STALE = cython.declare(cython.int, int(BookState.STALE))
_NONE = cython.declare(cython.int, int(BookFault.NONE))
_SILENT = cython.declare(cython.int, int(BookFault.SILENT))
_CROSSED = cython.declare(cython.int, int(BookFault.CROSSED))
_FAULTS = len(BookFault)


class Level(NamedTuple):
    """A price level: price in quote currency, qty in base units."""

    price: float
    qty: float


@cython.cclass
class Book:
    """The standing of a book, and what is read of its two sides. What changes them is the business of `L2Book` and `L3Book`.

    A faulty update changes no level: it is counted, the first of its kind keeps its place, and the book is no longer GOOD
    until a full one comes. Nothing is repaired silently.

    Attributes (read-only): `instrument`; `tick`: price units a level; `state`, `reason`: BookState and BookFault as numbers;
    `updates`: how many came, the faulty ones among them; `ts`: time of the last one, ns UTC, 0 where none told it. `lag`: how much
    later it was known to whoever keeps the book, and looks at it by a clock of his own; it is no silence.
    """

    bid_side: Ladder
    ask_side: Ladder
    instrument: Instrument
    tick: cython.longlong
    inverse: cython.double
    price_scale: cython.double
    qty_scale: cython.double
    state: cython.int
    reason: cython.int
    updates: cython.longlong
    ts: cython.longlong
    silence_max: cython.longlong
    lag: cython.longlong
    faults: list[int]
    first: list[int]
    from_empty: cython.bint

    def start_book(self, instrument: Instrument, tick: int | None, silence_max_ns: int, window: int) -> None:
        """An empty book. Raises: ValueError: a tick below 1, a window that is no power of two."""
        self.instrument = instrument
        self.bid_side = Ladder(1, window)
        self.ask_side = Ladder(-1, window)
        self.tick = instrument.tick_size if tick is None else whole("tick", tick, 1, UNITS_MAX)
        self.inverse = 1.0 / self.tick
        self.price_scale = 10.0**instrument.price_decimals
        self.qty_scale = 10.0**instrument.qty_decimals
        self.silence_max = silence_max_ns
        self.state = int(BookState.EMPTY)
        self.reason = int(BookFault.NO_SNAPSHOT)
        self.updates = 0
        self.ts = 0
        self.lag = 0
        self.faults = [0] * _FAULTS
        self.first = [0] * _FAULTS
        self.from_empty = False

    def trust_empty(self) -> None:
        """Take what is told from nothing on for the whole book, where no full one ever comes. What rested before is then missing."""
        self.from_empty = True
        if self.state == _EMPTY:
            self.set_state(_EMPTY, self.reason)

    @property
    def is_good(self) -> bool:
        """Whether an order would meet the market as it stands here."""
        return bool(self.state == _GOOD)

    @property
    def status(self) -> tuple[BookState, BookFault]:
        """The state, and the reason where it is not GOOD."""
        return BookState(self.state), BookFault(self.reason)

    def fault_counts(self) -> dict[str, int]:
        """How many updates had which fault; those without any are absent."""
        return {BookFault(k).name: self.faults[k] for k in range(_FAULTS) if self.faults[k]}

    def first_faults(self) -> dict[str, int]:
        """Of each fault that occurred, the number of the first update that had it, from 1 on."""
        return {BookFault(k).name: self.first[k] for k in range(_FAULTS) if self.faults[k]}

    def look(self, clock: cython.longlong) -> cython.bint:
        """Whether the book is GOOD at a time: one that has not been told for too long is STALE, and says so from here on."""
        if self.state == _GOOD and self.silence_max > 0 and clock - self.ts - self.lag > self.silence_max:
            self.set_state(_STALE, _SILENT)
        return bool(self.state == _GOOD)

    def set_state(self, state: cython.int, reason: cython.int) -> cython.int:
        """What the book can be trusted for from here on."""
        if self.from_empty and state == _EMPTY:
            state = _GOOD
        self.state = state
        self.reason = _NONE if state == _GOOD else reason
        return 0

    def fail(self, fault: cython.int) -> cython.int:
        """The update that just came was faulty. An auction stays one: nothing is traded in it."""
        self.faults[fault] += 1
        if self.faults[fault] == 1:
            self.first[fault] = self.updates
        if self.state != _AUCTION:
            self.set_state(_RESYNCING, fault)
        return 1

    def came_whole(self) -> cython.int:
        """A full book has come, or one that is told in single orders has begun."""
        if self.state != _AUCTION:
            self.set_state(_GOOD, _NONE)
        return 0

    def heard(self, ts: cython.longlong) -> cython.int:
        """Something came: silence is over."""
        self.ts = ts
        if self.state == _STALE and self.reason == _SILENT:
            self.set_state(_GOOD, _NONE)
        return 0

    def to_tick(self, price: cython.longlong) -> cython.longlong:
        """The level of a price in units; the caller checks that it is on the tick by multiplying back."""
        if self.tick == 1:
            return price
        guess: cython.double = price * self.inverse
        return cython.cast(cython.longlong, guess + 0.5 if guess >= 0.0 else guess - 0.5)

    def ends_crossed(self, crossed: cython.bint) -> cython.int:
        """A group of changes is complete: outside an auction it must not leave the book crossed."""
        if crossed and self.state == _GOOD:
            self.fail(_CROSSED)
        return 0

    # ---- what can be read of both sides

    @property
    def bid_units(self) -> int:
        """The best bid, price units; 0 where there is none."""
        return 0 if self.bid_side.is_empty() else self.bid_side.best * self.tick

    @property
    def ask_units(self) -> int:
        """The best ask, price units; 0 where there is none."""
        return 0 if self.ask_side.is_empty() else self.ask_side.best * self.tick

    @property
    def bid_qty_units(self) -> int:
        """The quantity at the best bid, units; 0 where there is none."""
        return 0 if self.bid_side.is_empty() else self.qty_in(self.bid_side.at(self.bid_side.best))

    @property
    def ask_qty_units(self) -> int:
        """The quantity at the best ask, units; 0 where there is none."""
        return 0 if self.ask_side.is_empty() else self.qty_in(self.ask_side.at(self.ask_side.best))

    def qty_units_at(self, side: cython.int, price: cython.longlong) -> cython.longlong:
        """The quantity at a price, both units; 0 where there is no level."""
        level: cython.longlong = self.to_tick(price)
        if level * self.tick != price:
            return 0
        return self.qty_in(self.bid_side.at(level) if side > 0 else self.ask_side.at(level))

    def depth_units(self, side: int, count: int) -> list[tuple[int, int]]:
        """(price, quantity) of the best levels in units, best first, at most so many."""
        ladder = self.bid_side if side > 0 else self.ask_side
        return [(level * self.tick, self.qty_in(cell)) for level, cell in ladder.depth(count)]

    def qty_in(self, cell: cython.longlong) -> cython.longlong:
        """The quantity that a ladder's cell stands for."""
        return cell

    @property
    def bid(self) -> float:
        """The best bid, quote currency; 0.0 where there is none."""
        return self.bid_units / self.price_scale

    @property
    def ask(self) -> float:
        """The best ask, quote currency; 0.0 where there is none."""
        return self.ask_units / self.price_scale

    @property
    def bid_qty(self) -> float:
        """Quantity at the best bid, base units."""
        return self.bid_qty_units / self.qty_scale

    @property
    def ask_qty(self) -> float:
        """Quantity at the best ask, base units."""
        return self.ask_qty_units / self.qty_scale

    def bids(self, count: int = 10) -> list[Level]:
        """The best bids, best first."""
        return [Level(price / self.price_scale, qty / self.qty_scale) for price, qty in self.depth_units(1, count)]

    def asks(self, count: int = 10) -> list[Level]:
        """The best asks, best first."""
        return [Level(price / self.price_scale, qty / self.qty_scale) for price, qty in self.depth_units(-1, count)]

    def is_crossed(self) -> cython.bint:
        """Whether the best bid is at or above the best ask."""
        return self.bid_side.best >= self.ask_side.best

    def levels(self, side: int) -> int:
        """How many levels a side has."""
        return (self.bid_side if side > 0 else self.ask_side).count()

    def __repr__(self) -> str:
        state, reason = self.status
        why = "" if self.is_good else f", {reason.name}"
        best = f"{self.bid_qty} x {self.bid} | {self.ask} x {self.ask_qty}"
        return f"{type(self).__name__}({self.instrument.symbol}, {best}, {state.name}{why})"

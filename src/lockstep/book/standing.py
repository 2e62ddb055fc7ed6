"""What every book knows of itself: of which instrument it is, whether it can be trusted, and what was wrong with its updates."""

import cython

from lockstep.model.enums import BookFault, BookState
from lockstep.model.instrument import Instrument

_GOOD = cython.declare(cython.int, int(BookState.GOOD))
_AUCTION = cython.declare(cython.int, int(BookState.AUCTION))
_RESYNCING = cython.declare(cython.int, int(BookState.RESYNCING))
_STALE = cython.declare(cython.int, int(BookState.STALE))
_NONE = cython.declare(cython.int, int(BookFault.NONE))
_SILENT = cython.declare(cython.int, int(BookFault.SILENT))
_CROSSED = cython.declare(cython.int, int(BookFault.CROSSED))
_FAULTS = len(BookFault)


@cython.cclass
class Book:
    """The standing of a book. Its levels are the business of `L2Book` and `L3Book`.

    A faulty update changes no level: it is counted, the first of its kind keeps its place, and the book is no longer GOOD
    until a full one comes. Nothing is repaired silently.

    Attributes (read-only): `instrument`; `tick`: price units a level; `state`, `reason`: BookState and BookFault as numbers;
    `updates`: how many came, the faulty ones among them; `ts`: time of the last one, ns UTC, 0 where none told it.
    """

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
    faults: list[int]
    first: list[int]

    def start_book(self, instrument: Instrument, tick: int | None, silence_max_ns: int) -> None:
        """An empty book. tick: price units a level, the instrument's own unless said. silence_max_ns: of `look`; 0 for never."""
        self.instrument = instrument
        self.tick = instrument.tick_size if tick is None else tick
        self.inverse = 1.0 / self.tick
        self.price_scale = 10.0**instrument.price_decimals
        self.qty_scale = 10.0**instrument.qty_decimals
        self.silence_max = silence_max_ns
        self.state = int(BookState.EMPTY)
        self.reason = int(BookFault.NO_SNAPSHOT)
        self.updates = 0
        self.ts = 0
        self.faults = [0] * _FAULTS
        self.first = [0] * _FAULTS

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
        if self.state == _GOOD and self.silence_max > 0 and clock - self.ts > self.silence_max:
            self.set_state(_STALE, _SILENT)
        return bool(self.state == _GOOD)

    def set_state(self, state: cython.int, reason: cython.int) -> cython.int:
        """What the book can be trusted for from here on."""
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

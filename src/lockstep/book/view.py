"""A book to look at: what a strategy sees of the book the engine keeps."""

from collections.abc import Callable
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.book.l3 import L3Book
    from cython.cimports.lockstep.book.standing import Book
else:
    from lockstep.book.l3 import L3Book
    from lockstep.book.standing import Book
from lockstep.book.standing import Level
from lockstep.model.enums import BookFault, BookState
from lockstep.model.instrument import Instrument


@cython.final
@cython.cclass
class BookView:
    """Read-only, and always the present state: it changes as the engine learns. Prices in quote currency, quantities in base units.

    Only where `is_good` would an order meet the market as it stands here; `status` says why not. A side without levels has
    price 0.0 and quantity 0.0.

    Args: book: what is looked at. clock: the time, ns UTC, by which a book that was silent for too long is STALE; None: it never is.
    """

    book: Book
    clock: Callable[[], int] | None

    def __init__(self, book: Book, clock: Callable[[], int] | None = None) -> None:
        self.book = book
        self.clock = clock

    @property
    def instrument(self) -> Instrument:
        """Whose book it is."""
        instrument: Instrument = self.book.instrument
        return instrument

    @property
    def is_good(self) -> bool:
        """Whether an order would meet the market as it stands here."""
        if self.clock is not None:
            self.book.look(self.clock())
        return self.book.is_good

    @property
    def status(self) -> tuple[BookState, BookFault]:
        """The state, and the reason where it is not GOOD."""
        if self.clock is not None:
            self.book.look(self.clock())
        return self.book.status

    @property
    def ts(self) -> int:
        """Venue time of the last change, ns UTC; 0 before the first."""
        return self.book.ts

    @property
    def bid(self) -> float:
        """The best bid."""
        return self.book.bid_units / self.book.price_scale

    @property
    def ask(self) -> float:
        """The best ask."""
        return self.book.ask_units / self.book.price_scale

    @property
    def bid_qty(self) -> float:
        """Quantity at the best bid."""
        return self.book.bid_qty_units / self.book.qty_scale

    @property
    def ask_qty(self) -> float:
        """Quantity at the best ask."""
        return self.book.ask_qty_units / self.book.qty_scale

    @property
    def mid(self) -> float:
        """Halfway between the best bid and ask; nan where a side is empty."""
        bid: cython.longlong = self.book.bid_units
        ask: cython.longlong = self.book.ask_units
        if bid == 0 or ask == 0:
            return float("nan")
        return (bid + ask) / (2.0 * self.book.price_scale)

    @property
    def bid_units(self) -> int:
        """The best bid, price units."""
        return self.book.bid_units

    @property
    def ask_units(self) -> int:
        """The best ask, price units."""
        return self.book.ask_units

    def bids(self, count: int = 10) -> list[Level]:
        """The best bids, best first."""
        return self.book.bids(count)

    def asks(self, count: int = 10) -> list[Level]:
        """The best asks, best first."""
        return self.book.asks(count)

    def depth_units(self, side: int, count: int) -> list[tuple[int, int]]:
        """(price, quantity) of the best levels of a side (+1, -1) in units, best first, at most so many."""
        return self.book.depth_units(side, count)

    def qty_units_at(self, side: int, price: int) -> int:
        """The quantity at a price, both in units; 0 where there is none."""
        return self.book.qty_units_at(side, price)

    def fault_counts(self) -> dict[str, int]:
        """How many changes had which fault."""
        return self.book.fault_counts()

    def orders_at(self, side: int, price: int) -> list[Any]:
        """The orders at a price in units, first in line first; none where the book is told by levels."""
        return self.book.queue(side, price) if isinstance(self.book, L3Book) else []

    def __repr__(self) -> str:
        return repr(self.book)

"""Several features of one instrument, driven together by records of its book and its trades: what the engine and a batch run use."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.book.l2 import L2Book
    from cython.cimports.lockstep.book.l3 import L3Book
    from cython.cimports.lockstep.book.standing import Book
    from cython.cimports.lockstep.features.micro.base import MarketFeature
    from cython.cimports.lockstep.features.micro.depth import DepthView
    from cython.cimports.lockstep.model.rows import EventRows
else:
    from lockstep.book.l2 import L2Book
    from lockstep.book.l3 import L3Book
    from lockstep.book.standing import Book
    from lockstep.features.micro.base import MarketFeature
    from lockstep.features.micro.depth import DepthView
    from lockstep.model.rows import EventRows
from lockstep.book.saved import restore_book, save_book
from lockstep.features.base import SCHEMA
from lockstep.features.micro.combined import feature
from lockstep.model.enums import BookAction, EventKind
from lockstep.model.fields import field, list_field
from lockstep.model.instrument import Instrument
from lockstep.model.record import BOOK_ACTION, BOOK_LAST

_TRADE = cython.declare(cython.int, int(EventKind.TRADE))
_BOOK = cython.declare(cython.int, int(EventKind.BOOK))
_ADD = cython.declare(cython.longlong, int(BookAction.ADD))
_CLEAR = cython.declare(cython.longlong, int(BookAction.CLEAR))
_MATCH = cython.declare(cython.longlong, int(BookAction.MATCH))
_STATUS = cython.declare(cython.longlong, int(BookAction.STATUS))
_ACTION_BITS = cython.declare(cython.longlong, BOOK_ACTION)
_LAST_FLAG = cython.declare(cython.longlong, BOOK_LAST)


def resolve_features(features: Iterable[MarketFeature]) -> list[MarketFeature]:
    """The distinct features reachable from these, inputs before what reads them, else in the order given.

    Distinct means by identity: two separate `Mid()` are two.

    Raises: TypeError: something that is not a feature.
    """
    ordered: list[MarketFeature] = []
    seen: set[MarketFeature] = set()  # features are equal only to themselves; the set is never walked
    pending: list[tuple[Any, bool]] = [(entry, False) for entry in reversed(list(features))]
    while pending:
        entry, inputs_done = pending.pop()
        if feature("a feature", entry) in seen:
            continue
        if inputs_done:
            seen.add(entry)
            ordered.append(entry)
        else:
            pending.append((entry, True))
            pending.extend((source, False) for source in reversed(entry.inputs()))
    return ordered


def updates_at(head: cython.longlong) -> cython.bint:
    """Whether a record with this word 3 brings features up to date: a trade, or one that completes a change of the book."""
    kind: cython.longlong = head & 0xFF
    flags: cython.longlong = head >> 8
    if kind == _TRADE:
        return True
    if kind != _BOOK:
        return False
    return bool(flags & _LAST_FLAG != 0 or flags & _ACTION_BITS == _STATUS)


@cython.final
@cython.cclass
class MarketFeatures:
    """Features of one instrument, its book and its trades.

    Feed it BOOK and TRADE records in order of their clock (`apply`); read `features[k].value`, or `values`. The book is made of the
    records: by level, or by single orders where the first record is about one.

    Attributes (read-only): `features`: as given. `book`. `view`: the best levels. `updates`: how often features were brought up to
    date: once for each change of the book that is complete, and once for each trade.

    Args:   instrument: whose records these are. features: those of interest; their inputs are found and driven too.
    Raises: TypeError: not a feature.
    """

    instrument: Instrument
    features: tuple[MarketFeature, ...]
    ordered: tuple[MarketFeature, ...]
    on_trades: tuple[MarketFeature, ...]
    view: DepthView
    updates: cython.longlong
    complete: cython.bint
    _levels: L2Book
    _orders: L3Book | None

    def __init__(self, instrument: Instrument, features: Iterable[MarketFeature]) -> None:
        self.features = tuple(features)
        self.ordered = tuple(resolve_features(self.features))
        self.on_trades = tuple(entry for entry in self.ordered if entry.on_trades)
        self.instrument = instrument
        self._start()
        depth = max((entry.levels for entry in self.ordered), default=1)
        book = self._levels
        self.view = DepthView(depth, book.price_scale, book.qty_scale, book.tick)

    def _start(self) -> None:
        """Nothing came."""
        self._levels = L2Book(self.instrument)
        self._orders = None
        self.updates = 0
        self.complete = False

    @property
    def book(self) -> L2Book | L3Book:
        """The instrument's book."""
        return self._levels if self._orders is None else self._orders

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def take_book(self, rows: EventRows, i: cython.Py_ssize_t) -> cython.int:
        """A BOOK record, row i, unchecked. Returns: 1 where features were brought up to date by it, else 0."""
        action: cython.longlong = (rows.w[i, 3] >> 8) & _ACTION_BITS
        book: Book
        if self._orders is not None:
            self._orders.apply(rows, i, i + 1)
            book = self._orders
        elif _ADD <= action <= _MATCH and action != _CLEAR and self.view.since < 0 and self._levels.updates <= 2:
            return self._change_book(rows, i)
        else:
            self._levels.apply(rows, i, i + 1)
            book = self._levels
        return self.hear_book(book, rows.w[i, 0]) if updates_at(rows.w[i, 3]) else 0

    def hear_book(self, book: Book, clock: cython.longlong) -> cython.int:
        """A change of a book that somebody else keeps is complete. Returns: 1."""
        self.view.read(book, clock)
        self.updates += 1
        return self._tell_book()

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def take_trade(self, rows: EventRows, i: cython.Py_ssize_t) -> cython.int:
        """A TRADE record, row i, unchecked. Returns: 1."""
        return self.hear_trade(self._levels if self._orders is None else self._orders, rows, i)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def hear_trade(self, book: Book | None, rows: EventRows, i: cython.Py_ssize_t) -> cython.int:
        """A TRADE record, row i, unchecked, beside a book that somebody else keeps. Returns: 1."""
        aux: cython.int = cython.cast(cython.int, (rows.w[i, 3] >> 16) & 0xFFFF)
        k: cython.Py_ssize_t
        self.view.hear_trade(rows.w[i, 0], rows.w[i, 5], aux - 2 if aux > 0 else 0)
        self.updates += 1
        if self.view.priced and book is not None and not book.look(rows.w[i, 0]):
            self.view.lose()
            self._tell_book()
        for k in range(len(self.on_trades)):
            cython.cast(MarketFeature, self.on_trades[k]).on_trade(self.view)
        return 1

    @cython.boundscheck(False)
    @cython.wraparound(False)
    def _tell_book(self) -> cython.int:
        """Every feature, inputs first."""
        k: cython.Py_ssize_t
        for k in range(len(self.ordered)):
            cython.cast(MarketFeature, self.ordered[k]).on_book(self.view)
        return 1

    def _change_book(self, rows: EventRows, i: cython.Py_ssize_t) -> cython.int:
        """The venue tells single orders."""
        self._orders = L3Book(self.instrument)
        self._orders.set_state(self._levels.state, self._levels.reason)  # an auction that was told before
        return self.take_book(rows, i)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def apply(self, rows: EventRows, start: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Take records start to stop - 1; those that are neither BOOK nor TRADE are passed over.

        Returns: how often features were brought up to date. Raises: IndexError: no such rows. ValueError: clocks that go back from one update to the next.
        """
        if start < 0 or stop > rows.w.shape[0] or start > stop:
            raise IndexError(f"rows {start} to {stop} of {rows.w.shape[0]}")
        done: cython.Py_ssize_t = 0
        i: cython.Py_ssize_t = start
        kind: cython.int
        while i < stop:
            if self._orders is None:  # what lies inside a change goes to the book in one go
                i = self._levels.take_inside(rows, i, stop - 1)
            if rows.w[i, 0] < self.view.clock:
                raise ValueError(f"row {i} goes back in time: its clock was {rows.w[i, 0]}, after {self.view.clock}")
            kind = cython.cast(cython.int, rows.w[i, 3] & 0xFF)
            if kind == _BOOK:
                done += self.take_book(rows, i)
            elif kind == _TRADE:
                done += self.take_trade(rows, i)
            i += 1
        return done

    @property
    def values(self) -> list[float]:
        """The values of the features as given; nan where one is not known."""
        return [entry.value for entry in self.features]

    @property
    def names(self) -> list[str]:
        """How each feature is written."""
        return [repr(entry) for entry in self.features]

    @property
    def ready(self) -> bool:
        """Whether every value has been known at one time. One may have become nan since: where the book is not GOOD."""
        if not self.complete:
            self.complete = all(entry.ready for entry in self.ordered)
        return bool(self.complete)

    def reset(self) -> None:
        """Forget everything: nothing of the book is known until a full one comes."""
        self._start()
        self.view.clear()
        for entry in self.ordered:
            entry.reset()

    def save(self) -> dict[str, Any]:
        """The state of the book and of every feature, as plain JSON data."""
        return {
            "kind": "MarketFeatures",
            "schema": SCHEMA,
            "updates": self.updates,
            "complete": bool(self.complete),
            "view": self.view.save(),
            "orders": self._orders is not None,
            "book": save_book(self._levels if self._orders is None else self._orders),
            "features": [entry.save() for entry in self.ordered],
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from what `save` returned. On an error nothing is known: as after `reset`.

        Raises: ValueError, TypeError: other features, another schema version, or damaged data.
        """
        if field(saved, "kind") != "MarketFeatures" or field(saved, "schema") != SCHEMA:
            raise ValueError(
                f"saved state is {saved['kind']!r} of schema version {saved['schema']!r}, expected {SCHEMA}"
            )
        self.reset()
        try:
            states = list_field(saved, "features", len(self.ordered))
            for entry, state in zip(self.ordered, states, strict=True):
                entry.restore(state)
            self.view.restore(field(saved, "view"))
            if field(saved, "orders"):
                self._orders = L3Book(self.instrument)
            restore_book(self._levels if self._orders is None else self._orders, field(saved, "book"))
        except (TypeError, ValueError):
            self.reset()
            raise
        self.updates = field(saved, "updates")
        self.complete = field(saved, "complete")

    def __len__(self) -> int:
        return len(self.features)

    def __iter__(self) -> Iterator[MarketFeature]:
        return iter(self.features)

    def __repr__(self) -> str:
        return f"MarketFeatures({self.instrument.symbol}, [{', '.join(self.names)}])"

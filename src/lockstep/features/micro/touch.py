"""Features of the book as it stands: what one look at its best levels says. nan while the book is not GOOD or lacks a side."""

from array import array
from collections.abc import Sequence
from typing import Any, SupportsIndex

import cython

if cython.compiled:
    from cython.cimports.lockstep.features.micro.base import MarketFeature
    from cython.cimports.lockstep.features.micro.depth import DepthView
else:
    from lockstep.features.micro.base import MarketFeature
    from lockstep.features.micro.depth import DepthView
from lockstep.features.micro.depth import LEVELS_MAX
from lockstep.model.arguments import finite, whole

_NAN = cython.declare(cython.double, float("nan"))


@cython.final
@cython.cclass
class Spread(MarketFeature):
    """Best ask less best bid, quote currency."""

    def __init__(self) -> None:
        MarketFeature.__init__(self)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    @cython.cdivision(True)
    def on_book(self, view: DepthView) -> cython.int:
        """See `MarketFeature.on_book`."""
        if not view.priced:
            self.value = _NAN
            return 0
        width: cython.longlong = view.cells[view.now + 2 * view.depth] - view.cells[view.now]
        self.value = width / view.price_scale
        return 0


@cython.final
@cython.cclass
class Mid(MarketFeature):
    """Halfway between best bid and best ask, quote currency."""

    def __init__(self) -> None:
        MarketFeature.__init__(self)

    def on_book(self, view: DepthView) -> cython.int:
        """See `MarketFeature.on_book`."""
        self.value = view.mid if view.priced else _NAN
        return 0


@cython.final
@cython.cclass
class WAP(MarketFeature):
    """Weighted average price of the touch, quote currency: each best price weighted with the quantity on the other side.

    It lies nearer to the side with less on it, to which the next trades are likelier to move the price. `Lagged(WAP(), 200)` is what
    it was 200 ms ago.

    Source: Gatheral, Oomen (2010), "Zero-intelligence realized variance estimation", who call it the micro-price; the name WAP is of
        Optiver's (2021) competition on realised volatility.
    """

    def __init__(self) -> None:
        MarketFeature.__init__(self)

    def on_book(self, view: DepthView) -> cython.int:
        """See `MarketFeature.on_book`."""
        self.value = weighted(view, 1) if view.priced else _NAN
        return 0


@cython.final
@cython.cclass
class DepthMid(MarketFeature):
    """Depth-weighted mid, quote currency: as `WAP`, of the average bid and ask over the best levels, weighted with their quantities.

    (average bid * quantity of asks + average ask * quantity of bids) / quantity of both.

    Args:   levels: of each side, 1 to 50. A side with fewer counts with those it has.
    Raises: TypeError, ValueError: levels that are no whole number in range.
    Source: Cao, Hansch, Wang (2009), "The information content of an open limit-order book", the weighted price of n steps.
    """

    def __init__(self, levels: SupportsIndex = 5) -> None:
        MarketFeature.__init__(self, whole("levels", levels, 1, LEVELS_MAX))

    def on_book(self, view: DepthView) -> cython.int:
        """See `MarketFeature.on_book`."""
        self.value = weighted(view, self.levels) if view.priced else _NAN
        return 0

    def _arguments(self) -> tuple[Any, ...]:
        return (self.levels,)


@cython.final
@cython.cclass
class Imbalance(MarketFeature):
    """Order book imbalance over the best levels: (bids - asks) / (bids + asks) of their quantities, from -1 to 1.

    Args:   levels: of each side, 1 to 50. A side with fewer counts with those it has.
    Raises: TypeError, ValueError: levels that are no whole number in range.
    Source: Cartea, Jaimungal, Penalva (2015), "Algorithmic and High-Frequency Trading", section 12.3; Gould, Bonart (2016),
        "Queue imbalance as a one-tick-ahead price predictor in a limit order book".
    """

    def __init__(self, levels: SupportsIndex = 1) -> None:
        MarketFeature.__init__(self, whole("levels", levels, 1, LEVELS_MAX))

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    @cython.cdivision(True)  # a level that there is holds a quantity above 0
    def on_book(self, view: DepthView) -> cython.int:
        """See `MarketFeature.on_book`."""
        if not view.priced:
            self.value = _NAN
            return 0
        bids: cython.double = 0.0
        asks: cython.double = 0.0
        k: cython.Py_ssize_t
        for k in range(self.levels):
            bids += view.cells[view.now + view.depth + k]
            asks += view.cells[view.now + 3 * view.depth + k]
        self.value = (bids - asks) / (bids + asks)
        return 0

    def _arguments(self) -> tuple[Any, ...]:
        return (self.levels,)


@cython.final
@cython.cclass
class Microprice(MarketFeature):
    """Stoikov's micro-price, quote currency: the mid, moved by what the mid does next on average after such an imbalance and spread.

    Args:   table: ticks to add to the mid. Row s is for a spread of s + 1 ticks (the last one for wider ones too); its entries split
            the share of the bid in the quantity at the touch, from 0 to 1, into equal parts. `research.microprice.fit_microprice`
            learns it from a recording.
    Raises: TypeError, ValueError: rows of unequal lengths, none at all, or entries that are not finite.
    Source: Stoikov (2018), "The micro-price: a high-frequency estimator of future prices".
    """

    rows: cython.longlong
    buckets: cython.longlong
    _table: "array[float]"

    def __init__(self, table: Sequence[Sequence[float]]) -> None:
        self._table, self.rows, self.buckets = _flat(table)
        MarketFeature.__init__(self)

    @cython.boundscheck(False)  # row and bucket are brought into the table
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    @cython.cdivision(True)
    def on_book(self, view: DepthView) -> cython.int:
        """See `MarketFeature.on_book`."""
        if not view.priced:
            self.value = _NAN
            return 0
        depth: cython.Py_ssize_t = view.depth
        bid_qty: cython.double = view.cells[view.now + depth]
        ask_qty: cython.double = view.cells[view.now + 3 * depth]
        ticks: cython.double = (view.ask - view.bid) / view.tick_price + 0.5
        row: cython.longlong = cython.cast(cython.longlong, ticks) - 1
        bucket: cython.longlong = cython.cast(cython.longlong, bid_qty / (bid_qty + ask_qty) * self.buckets)
        row = min(max(row, 0), self.rows - 1)
        bucket = min(bucket, self.buckets - 1)
        self.value = view.mid + self._table[row * self.buckets + bucket] * view.tick_price
        return 0

    def _arguments(self) -> tuple[Any, ...]:
        cut = [list(self._table[s * self.buckets : (s + 1) * self.buckets]) for s in range(self.rows)]
        return (cut,)


@cython.boundscheck(False)
@cython.wraparound(False)
@cython.initializedcheck(False)
@cython.cdivision(True)  # of a priced view each side has a quantity
def weighted(view: DepthView, levels: cython.Py_ssize_t) -> cython.double:
    """The average prices of both sides, each weighted with the quantity on the other, quote currency."""
    bids: cython.double = 0.0
    asks: cython.double = 0.0
    paid: cython.double = 0.0
    asked: cython.double = 0.0
    bid_qty: cython.double
    ask_qty: cython.double
    k: cython.Py_ssize_t
    for k in range(levels):
        bid_qty = view.cells[view.now + view.depth + k]
        ask_qty = view.cells[view.now + 3 * view.depth + k]
        bids += bid_qty
        asks += ask_qty
        paid += bid_qty * view.cells[view.now + k]
        asked += ask_qty * view.cells[view.now + 2 * view.depth + k]
    return (paid / bids * asks + asked / asks * bids) / (bids + asks) / view.price_scale


def _flat(table: Any) -> tuple[Any, int, int]:
    """The entries in one array, and the numbers of rows and of entries in each."""
    rows = [list(row) for row in table]
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        raise ValueError(
            f"a micro-price table has rows of one length, of 1 entry at least: was {[len(row) for row in rows]}"
        )
    entries = [finite("an entry of the micro-price table", entry) for row in rows for entry in row]
    return array("d", entries), len(rows), len(rows[0])

"""History as columns: what `Catalog.get_bars`, `get_quotes` and `get_trades` return."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lockstep.model.instrument import Instrument
from lockstep.model.record import Records
from lockstep.store.catalog.shapes import BARS, BOOKS, QUOTES, TRADES, Columns
from lockstep.store.catalog.times import time_text

I64: TypeAlias = NDArray[np.int64]
F64: TypeAlias = NDArray[np.float64]


def _floats(units: I64, decimals: int) -> F64:
    """The doubles nearest to the exact values: an int below 2**53 over a power of ten, rounded once."""
    found: F64 = units / 10.0**decimals
    return found


@dataclass(frozen=True, eq=False, repr=False)
class _Columns:
    """columns: int64 arrays [n] in the instrument's units, by name as stored (shapes.py)."""

    instrument: Instrument
    columns: Columns

    def __len__(self) -> int:
        return len(self.columns["ts_event"])

    def __repr__(self) -> str:
        ts = self.columns["ts_event"]
        span = f", {time_text(int(ts[0]))} to {time_text(int(ts[-1]))}" if len(ts) else ""
        return f"{type(self).__name__}({self.instrument.id}, {len(ts):,} rows{span})"

    def units(self, name: str) -> I64:
        """A price or quantity column exactly, int64 [n] at the instrument's decimals."""
        return self.columns[name]

    def _price(self, name: str) -> F64:
        return _floats(self.columns[name], self.instrument.price_decimals)

    def _qty(self, name: str) -> F64:
        return _floats(self.columns[name], self.instrument.qty_decimals)

    @property
    def ts_event(self) -> I64:
        """When it happened, ns UTC, [n]; of a bar its end."""
        return self.columns["ts_event"]


@dataclass(frozen=True, eq=False, repr=False)
class Bars(_Columns):
    """Bars in order of time; every array is [n]. Prices are float64 in the quote currency, `units` has them exactly."""

    timeframe_ns: int = 0

    @property
    def ts_open(self) -> I64:
        """Start of each bar, ns UTC."""
        return self.columns["ts_open"]

    @cached_property
    def open(self) -> F64:
        """First price."""
        return self._price("open")

    @cached_property
    def high(self) -> F64:
        """Highest price."""
        return self._price("high")

    @cached_property
    def low(self) -> F64:
        """Lowest price."""
        return self._price("low")

    @cached_property
    def close(self) -> F64:
        """Last price."""
        return self._price("close")

    @property
    def volume(self) -> F64:
        """Traded quantity."""
        return self.columns["volume"]

    def records(self) -> Records:
        """The same as the engine's records."""
        return BARS.records_of(self.columns)


@dataclass(frozen=True, eq=False, repr=False)
class _Ticks(_Columns):
    @property
    def ts_recv(self) -> I64:
        """When it was known to us, ns UTC, [n]; equals ts_event where that was not recorded. Never goes back."""
        return self.columns["ts_recv"]


@dataclass(frozen=True, eq=False, repr=False)
class Quotes(_Ticks):
    """Best bid and ask in order of ts_recv; every array is [n], float64 in quote currency and base units."""

    @cached_property
    def bid(self) -> F64:
        """Best bid."""
        return self._price("bid")

    @cached_property
    def ask(self) -> F64:
        """Best ask."""
        return self._price("ask")

    @cached_property
    def bid_qty(self) -> F64:
        """Quantity at the best bid."""
        return self._qty("bid_qty")

    @cached_property
    def ask_qty(self) -> F64:
        """Quantity at the best ask."""
        return self._qty("ask_qty")

    def records(self) -> Records:
        """The same as the engine's records."""
        return QUOTES.records_of(self.columns)


@dataclass(frozen=True, eq=False, repr=False)
class Trades(_Ticks):
    """Trades in order of ts_recv; every array is [n], float64 in quote currency and base units."""

    @cached_property
    def price(self) -> F64:
        """Price of the trade."""
        return self._price("price")

    @cached_property
    def qty(self) -> F64:
        """Quantity of the trade."""
        return self._qty("qty")

    @property
    def trade_id(self) -> I64:
        """The venue's number of the trade; 0 where it gives none."""
        return self.columns["trade_id"]

    @property
    def side(self) -> NDArray[np.int8]:
        """Who crossed the spread: 1 a buyer, -1 a seller, 0 unknown; int8."""
        return self.columns["side"]

    def records(self) -> Records:
        """The same as the engine's records."""
        return TRADES.records_of(self.columns)


@dataclass(frozen=True, eq=False, repr=False)
class Books(_Ticks):
    """Changes of a book in the order they came; every array is [n]. What a change means: `model.record`, kind BOOK.

    Where `action` is STATUS, price and qty hold no amounts: `units` of them are a BookState and a BookFault.
    """

    @cached_property
    def price(self) -> F64:
        """Price of the level or order."""
        return self._price("price")

    @cached_property
    def qty(self) -> F64:
        """Quantity of the level or order from then on; of a MATCH what was executed."""
        return self._qty("qty")

    @property
    def order_id(self) -> I64:
        """The venue's number of the order; 0 where levels are told."""
        return self.columns["order_id"]

    @property
    def sequence(self) -> I64:
        """The venue's number of the update; 0 where it gives none."""
        return self.columns["sequence"]

    @property
    def side(self) -> NDArray[np.int8]:
        """1 bid, -1 ask, 0 both; int8."""
        return self.columns["side"]

    @property
    def action(self) -> NDArray[np.uint8]:
        """The flags of the record: a BookAction, BOOK_FULL and BOOK_LAST; uint8."""
        return self.columns["action"]

    def records(self) -> Records:
        """The same as the engine's records, to feed a book with."""
        return BOOKS.records_of(self.columns)

"""What a stored series holds: its columns, what each is in a record, and how long a file is.

| series | columns (int64 but for volume, float64, and side, int8) | one file |
|---|---|---|
| bars | ts_open, ts_event; open, high, low, close in price units; volume | a month of ts_open |
| quotes | ts_event, ts_recv; bid, ask in price units; bid_qty, ask_qty in quantity units | a day of ts_recv |
| trades | ts_event, ts_recv; price, qty in units; trade_id; side of the aggressor: 1, -1, 0 unknown | a day of ts_recv |
| books | ts_event, ts_recv; price, qty in units; order_id; sequence at the venue; side: 1, -1, 0 both; action: the flags of the record, uint8 | a day of ts_recv |

Months and days are UTC. ts_recv is when the tick was known to us, and equals ts_event where that was not recorded: it is
the clock that events are ordered by, so that the files of a series, one after another, are in order. Of books the order of
rows is part of the content: rows of one moment stay as they came. A row whose action is STATUS has a BookState for its price
and a BookFault for its quantity: no amounts, see `Shape.amounts`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.model.enums import BookAction, EventKind
from lockstep.model.errors import UsageError, did_you_mean
from lockstep.model.record import BOOK_ACTION, MARKET_EVENT, Records

Columns = Mapping[str, NDArray[Any]]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of series. words: which field of a record each column is. key: the column that ranges and periods go by.

    prices, quantities: the columns in price and quantity units. unique: no two rows have the same key.
    """

    name: str
    event: EventKind
    words: dict[str, str]
    key: str
    unit: str
    prices: tuple[str, ...]
    quantities: tuple[str, ...]
    unique: bool = False

    @property
    def kind(self) -> str:
        """The word of DataInfo.kind."""
        return self.name.removesuffix("s")

    def dtype(self, column: str) -> np.dtype[Any]:
        """The type of a column in arrays and in the file."""
        return np.dtype({"volume": "<f8", "side": "i1", "action": "u1"}.get(column, "<i8"))

    def amounts(self, columns: Columns) -> NDArray[np.bool_]:
        """Of each row, whether its prices and quantities are amounts at the instrument's decimals."""
        if self.event is EventKind.BOOK:
            found: NDArray[np.bool_] = columns["action"] & BOOK_ACTION != BookAction.STATUS
            return found
        return np.ones(len(columns[self.key]), bool)

    def period_of(self, ts_ns: int) -> str:
        """The month or day of a moment: "2018-01" or "2013-10-07"."""
        return str(np.datetime64(ts_ns, "ns").astype(f"datetime64[{self.unit}]"))

    def empty(self) -> dict[str, NDArray[Any]]:
        """Columns without rows."""
        return {name: np.empty(0, self.dtype(name)) for name in self.words}

    def columns_of(self, records: Records) -> dict[str, NDArray[Any]]:
        """The columns of records that are all of this kind."""
        found = {name: np.ascontiguousarray(records[word]) for name, word in self.words.items()}
        if "side" in found:
            found["side"] = np.where(found["side"] == 0, 0, found["side"].astype(np.int8) - 2).astype(np.int8)
        return found

    def records_of(self, columns: Columns) -> Records:
        """The records of columns; seq and instrument are 0."""
        records = np.zeros(len(columns[self.key]), MARKET_EVENT)
        records["kind"] = self.event
        for name, word in self.words.items():
            records[word] = columns[name] if name != "side" else np.where(columns[name] == 0, 0, columns[name] + 2)
        if self.event is EventKind.BAR:
            records["clock"] = records["ts_event"]
        return records


BARS = Shape(
    name="bars",
    event=EventKind.BAR,
    words={
        "ts_open": "ts_open", "ts_event": "ts_event", "open": "p0", "high": "p1", "low": "p2", "close": "p3",
        "volume": "volume",
    },
    key="ts_open",
    unit="M",
    prices=("open", "high", "low", "close"),
    quantities=(),
    unique=True,
)  # fmt: skip
QUOTES = Shape(
    name="quotes",
    event=EventKind.QUOTE,
    words={"ts_event": "ts_event", "ts_recv": "clock", "bid": "p0", "ask": "p1", "bid_qty": "p2", "ask_qty": "p3"},
    key="ts_recv",
    unit="D",
    prices=("bid", "ask"),
    quantities=("bid_qty", "ask_qty"),
)
TRADES = Shape(
    name="trades",
    event=EventKind.TRADE,
    words={"ts_event": "ts_event", "ts_recv": "clock", "price": "p0", "qty": "p1", "trade_id": "p2", "side": "aux"},
    key="ts_recv",
    unit="D",
    prices=("price",),
    quantities=("qty",),
)
BOOKS = Shape(
    name="books",
    event=EventKind.BOOK,
    words={
        "ts_event": "ts_event", "ts_recv": "clock", "price": "p0", "qty": "p1", "order_id": "p2", "sequence": "p3",
        "side": "aux", "action": "flags",
    },
    key="ts_recv",
    unit="D",
    prices=("price",),
    quantities=("qty",),
)  # fmt: skip
SHAPES = {shape.name: shape for shape in (BARS, QUOTES, TRADES, BOOKS)}
KINDS = {
    "bars": ("bars",),
    "quotes": ("quotes",),
    "trades": ("trades",),
    "ticks": ("quotes", "trades"),
    "books": ("books",),
    "depth": ("books", "quotes", "trades"),
}
"""What `kind` may be, and the series it means."""
OPTIONAL = {"depth": frozenset({"quotes", "trades"})}
"""Of the series a kind means, those that data need not have."""


def kinds_of(kind: str) -> tuple[str, ...]:
    """The series a kind means. Raises: UsageError: no such kind."""
    if kind not in KINDS:
        raise UsageError(f"unknown kind of data {kind!r}", hint=did_you_mean(kind, KINDS))
    return KINDS[kind]


def shape_of_kind(kind: str) -> Shape:
    """The shape of DataInfo.kind."""
    return SHAPES[f"{kind}s"]

"""Records of a book by level and of trades, made by hand: they state a rule, never a market. Times are ms, prices ticks of a cent."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lockstep.model.enums import AssetClass, BookAction, BookFault, BookState, EventKind
from lockstep.model.instrument import Instrument
from lockstep.model.record import BOOK_FULL, BOOK_LAST, MARKET_EVENT, Records
from lockstep.model.rows import EventRows

MS = 1_000_000
COIN = Instrument(
    venue="TEST", symbol="COIN", asset_class=AssetClass.CRYPTO, base_currency="COIN", quote_currency="USD",
    price_decimals=2, qty_decimals=1,
)  # fmt: skip
Levels = dict[int, int]


class Change(NamedTuple):
    """What the venue changed as one: quantities (tenths) by price (cents), 0 removes. full: it is the whole book."""

    ms: int
    bids: Levels
    asks: Levels
    full: bool = False


class Lost(NamedTuple):
    """The venue's changes have a gap: the book cannot be trusted until a full one comes."""

    ms: int


class Took(NamedTuple):
    """A public trade: side of who crossed the spread, 0 where unknown; qty: tenths."""

    ms: int
    side: int
    qty: int


Step = Change | Lost | Took


def records_of(steps: Sequence[Step]) -> Records:
    """The steps as records, in their order."""
    rows: list[tuple[int, int, int, int, int, int]] = []  # ms, kind, flags, aux, p0, p1
    for step in steps:
        if isinstance(step, Took):
            rows.append((step.ms, EventKind.TRADE, 0, step.side + 2, 1, step.qty))
        elif isinstance(step, Lost):
            flags = int(BookAction.STATUS)
            rows.append((step.ms, EventKind.BOOK, flags, 2, BookState.RESYNCING, BookFault.GAP))
        else:
            rows.extend(_change(step))
    records = np.zeros(len(rows), MARKET_EVENT)
    for k, (ms, kind, flags, aux, first, second) in enumerate(rows):
        records[k]["clock"] = records[k]["ts_event"] = ms * MS
        records[k]["kind"], records[k]["flags"], records[k]["aux"] = kind, flags, aux
        records[k]["p0"], records[k]["p1"] = first, second
    return records


def _change(step: Change) -> list[tuple[int, int, int, int, int, int]]:
    full = BOOK_FULL if step.full else 0
    levels = [(side, *level) for side, levels in ((1, step.bids), (-1, step.asks)) for level in levels.items()]
    rows = [(step.ms, EventKind.BOOK, int(BookAction.CLEAR) | full, 2, 0, 0)] if step.full else []
    rows += [(step.ms, EventKind.BOOK, int(BookAction.SET) | full, side + 2, price, qty) for side, price, qty in levels]
    ms, kind, flags, *rest = rows[-1]
    rows[-1] = (ms, kind, flags | BOOK_LAST, rest[0], rest[1], rest[2])
    return [tuple(row) for row in rows]  # type: ignore[misc]


def held(records: Records) -> EventRows:
    """The same as compiled code takes them."""
    rows = EventRows()
    rows.hold(records)
    return rows

"""One fixed-width record for every market event: catalog row, ring slot, multicast payload and journal entry alike.

80 bytes, little-endian. As an array of int64 words a record is one row of ten; the volume word is a float64. Word 3
holds kind, flags, aux and instrument. What the price words mean depends on the kind:

| kind | p0 | p1 | p2 | p3 | volume | ts_open | aux |
|---|---|---|---|---|---|---|---|
| BAR | open | high | low | close | traded quantity | start of the bar | series: 0 the data's own bars, above 0 made from finer data; flags: CARRIED |
| QUOTE | bid | ask | bid quantity | ask quantity | | | |
| TRADE | price | quantity | trade id | | | | aggressor side + 2, 0 unknown |
| BOOK | price | quantity | order id | sequence at the venue | | | side + 2, 0 for both; flags: BookAction, BOOK_FULL, BOOK_LAST |
| BOOK status | BookState | BookFault | | | | | flags: BookAction |
| CORPORATE_ACTION split | new shares | old shares | | | | | CorporateAction |
| CORPORATE_ACTION dividend | cash per share | its decimals | | | | | CorporateAction |
| CORPORATE_ACTION funding | rate | its decimals | mark price, 0 unknown | | | | CorporateAction |
| CORPORATE_ACTION borrow | rate of a day | its decimals | | | | | CorporateAction |

Prices and quantities are the instrument's units; times are ns UTC. `clock` is when the event is known to us (ts_recv
where recorded, else ts_event plus the modelled feed latency) and is what events are ordered by:
(clock, kind, instrument, seq).
"""

import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import DataError

RECORD_SCHEMA_VERSION = 1

MARKET_EVENT = np.dtype(
    [
        ("clock", "<i8"),
        ("ts_event", "<i8"),
        ("seq", "<i8"),
        ("kind", "u1"),
        ("flags", "u1"),
        ("aux", "<u2"),
        ("instrument", "<u4"),
        ("p0", "<i8"),
        ("p1", "<i8"),
        ("p2", "<i8"),
        ("p3", "<i8"),
        ("volume", "<f8"),
        ("ts_open", "<i8"),
    ]
)
WORDS = 10
CLOCK, TS_EVENT, SEQ, HEAD, P0, P1, P2, P3, VOLUME, TS_OPEN = range(WORDS)
"""The columns of a record seen as int64 words."""

BOOK_ACTION = 0x0F
"""The bits of a BOOK record's flags that hold its BookAction."""
BOOK_FULL = 0x10
"""In the flags of a BOOK record: part of a full book, after a CLEAR."""
BOOK_LAST = 0x20
"""In the flags of a BOOK record: the last of the changes that the venue made as one; in between the book may be crossed."""

CARRIED = 1
"""In the flags of a BAR: nothing traded in it; its price is the last one, carried."""

Records = NDArray[np.void]


def words(records: Records) -> NDArray[np.int64]:
    """The same memory as int64 [n, 10]; raises DataError where the array is not contiguous MARKET_EVENT records."""
    _check(records)
    return records.view(np.int64).reshape(len(records), WORDS)


def floats(records: Records) -> NDArray[np.float64]:
    """The same memory as float64 [n, 10]; only column VOLUME has a meaning."""
    _check(records)
    return records.view(np.float64).reshape(len(records), WORDS)


def _check(records: Records) -> None:
    if records.dtype != MARKET_EVENT or not records.flags.c_contiguous:
        raise DataError(f"not contiguous market event records: dtype was {records.dtype}")

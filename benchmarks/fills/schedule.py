"""What both simulators are given: a recording in the venue's own time, and orders made of nothing but it.

Both see every change and trade at the time it happened, so that the feed's latency is 0. No order arrives at the time of an event:
what goes first then is a rule of its own, which `docs/guides/hftbacktest.md` tells.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lockstep.book.l2 import L2Book
from lockstep.features.micro.batch import in_order
from lockstep.model.enums import EventKind
from lockstep.model.instrument import Instrument
from lockstep.model.record import BOOK_LAST, Records
from lockstep.model.rows import EventRows
from lockstep.research.baseline import read_recording

ENTRY_NS = 20_000_000
RESPONSE_NS = 15_000_000
EVERY_NS = 70_000_000  # between two orders
LIVES_NS = (300_000_000, 900_000_000, 2_500_000_000, 8_000_000_000)
QUIET_NS = 10_000_000_000  # no order so late that the recording ends before its life does

SCHEDULE = np.dtype(
    [
        ("send", "<i8"),
        ("cancel", "<i8"),
        ("side", "<i8"),
        ("price", "<i8"),
        ("qty", "<i8"),
        ("kind", "<i8"),
    ]
)
"""An order: when it and its cancel leave, ns UTC; +1 or -1; units (price 0: a market order); one of KINDS."""
KINDS = ("GTC", "POST_ONLY", "IOC", "FOK", "MARKET")
_GTC, _POST_ONLY, _IOC, _FOK, _MARKET = range(5)

# What an order is: its kind, and how many ticks its price lies behind the best of its own side (below 0: towards and beyond the other's).
_WISHES = (
    (_GTC, 0), (_GTC, 0), (_GTC, 1), (_GTC, 3), (_POST_ONLY, 0), (_GTC, 10), (_GTC, 0), (_GTC, 40), (_POST_ONLY, -1),
    (_IOC, -1), (_GTC, 0), (_GTC, 2), (_IOC, -30), (_GTC, 5), (_MARKET, 0), (_GTC, 0), (_FOK, -5), (_GTC, 150), (_POST_ONLY, 1),
    (_GTC, -1), (_GTC, 20), (_IOC, 1), (_GTC, 0),
)  # fmt: skip
_SIZES = (1, 7, 40, 250, 2, 90)  # lots


class Given(NamedTuple):
    """One recording and its orders. records: BOOK and TRADE by the venue's time, at one time the book first; clock is that time."""

    instrument: Instrument
    records: Records
    orders: NDArray[np.void]


def given(path: Path, every_ns: int = EVERY_NS) -> Given:
    """The recording in the venue's time, and an order every `every_ns`."""
    recording = read_recording(path)
    records = recording.records.copy()
    records["clock"] = records["ts_event"]
    ordered = in_order(*(records[records["kind"] == kind] for kind in (EventKind.BOOK, EventKind.TRADE)))
    return Given(recording.instrument, ordered, schedule(recording.instrument, ordered, every_ns))


def schedule(instrument: Instrument, records: Records, every_ns: int) -> NDArray[np.void]:
    """Orders by turns of kind, distance, size and life; each priced by the book at the moment it is sent."""
    changes = np.ascontiguousarray(records[records["kind"] == EventKind.BOOK])
    ends = np.flatnonzero(changes["flags"] & BOOK_LAST) + 1
    book, rows = L2Book(instrument), EventRows()
    rows.hold(changes)
    begin = changes["clock"][0] + 2_000_000_000
    last = records["clock"][-1] - QUIET_NS
    made: list[tuple[int, ...]] = []
    done = at = 0
    for number in range(int((last - begin) // every_ns)):
        send = int(begin + number * every_ns) // 1_000_000 * 1_000_000 + 333_000 + number % 997
        while at < len(ends) and changes["clock"][ends[at] - 1] <= send:
            book.apply(rows, done, ends[at])
            done = int(ends[at])
            at += 1
        if not book.is_good:
            continue
        kind, behind = _WISHES[number % len(_WISHES)]
        side = 1 if (number // len(_WISHES)) % 2 else -1
        best, other = (book.bid_units, book.ask_units) if side > 0 else (book.ask_units, book.bid_units)
        price = best - side * behind if behind >= 0 else other + side * (-behind - 1)
        life = LIVES_NS[(number // 3) % len(LIVES_NS)]
        qty = _SIZES[(number // 2) % len(_SIZES)] * instrument.lot_size
        made.append((send, send + life, side, 0 if kind == _MARKET else price, qty, kind))
    return np.array(made, SCHEDULE)

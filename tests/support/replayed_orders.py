"""One real order through the whole simulator: the recording without its messages, and ours in its place, fed to a `Venue`."""

from decimal import Decimal

import msgspec
import numpy as np
from slow_ticks import TickWish
from tick_machine import request_for

from lockstep.book.l2 import L2Book
from lockstep.book.l3 import L3Book
from lockstep.model.enums import BookAction, BookState, EventKind
from lockstep.model.record import BOOK_ACTION, BOOK_FULL, BOOK_LAST, MARKET_EVENT, Records
from lockstep.model.rows import EventRows
from lockstep.model.sessions import ALWAYS
from lockstep.portfolio.portfolio import Portfolio
from lockstep.research.fidelity.orders import FILLED, RealOrder
from lockstep.research.fidelity.study import ORDERS, Course, Rival
from lockstep.research.fidelity.tape import CHANGE, COLUMNS, Tape
from lockstep.sim.liquidity import Liquidity
from lockstep.sim.market import Market
from lockstep.sim.models import BarFills, Latency, Slippage
from lockstep.sim.venue import Venue

_TS, _WHAT, _SIDE, _PRICE, _AFTER, _ID, _HAS, _QTY, _BID, _ASK, _RECORD = (
    COLUMNS.index(name)
    for name in ("ts", "what", "side", "price", "after", "order_id", "has", "qty", "bid", "ask", "record")
)
_NEVER = 2**62


def venue_of(tape: Tape, rival: Rival) -> Venue:
    """A venue that never closes and costs nothing, with the model in its queues."""
    instrument = msgspec.structs.replace(tape.instrument, session=ALWAYS)
    book = L3Book(instrument, unknown_ids="count") if rival.by == ORDERS else L2Book(instrument)
    assert rival.make is not None
    depth = Liquidity(book, rival.make(instrument))
    valuation = Portfolio([instrument], 10**9, 1.0).valuations[0]
    fills = BarFills()
    market = Market(0, valuation, fills, [], False, trades=True, depth=depth)
    return Venue([market], Latency(), Slippage(bps=Decimal(0)), fills, 0)


def without(tape: Tape, order: RealOrder, rival: Rival) -> tuple[Records, int]:
    """The records that an L3 or L2 user would have had without the order, and the first of them after its arrival."""
    return _by_orders(tape, order) if rival.by == ORDERS else _by_levels(tape, order)


def _by_orders(tape: Tape, order: RealOrder) -> tuple[Records, int]:
    records = tape.records.copy()
    is_book = records["kind"] == EventKind.BOOK
    own = is_book & (records["p2"] == order.order_id) & ((records["flags"] & BOOK_ACTION) != BookAction.STATUS)
    for k in np.flatnonzero(own & (records["flags"] & BOOK_LAST != 0)).tolist():
        if k and is_book[k - 1] and not records["flags"][k - 1] & BOOK_LAST:
            records["flags"][k - 1] |= BOOK_LAST  # the group that it ended ends before it
    begins = is_book & (records["flags"] == BookAction.STATUS) & (records["p0"] == BookState.EMPTY)
    records["p0"][begins] = BookState.GOOD  # a recording that begins in mid-session is taken as it is
    kept = ~own & (records["kind"] != EventKind.QUOTE)
    at = int(tape.rows[order.row, _RECORD])
    return records[kept], int(np.count_nonzero(kept[:at]))


def _by_levels(tape: Tape, order: RealOrder) -> tuple[Records, int]:
    rows = tape.rows
    out = np.zeros(len(rows) + 1, MARKET_EVENT)
    out["kind"][0], out["flags"][0], out["p0"][0] = EventKind.BOOK, BookAction.STATUS, BookState.GOOD
    if tape.full:
        out["flags"][0] = BookAction.CLEAR | BOOK_FULL
    told = out[1:]
    change = rows[:, _WHAT] == CHANGE
    told["clock"] = told["ts_event"] = rows[:, _TS]
    told["kind"] = np.where(change, EventKind.BOOK, EventKind.TRADE)
    told["p0"] = rows[:, _PRICE]
    own = (rows[:, _ID] == order.order_id) & change
    own_left = np.zeros(len(rows), np.int64)
    marks = np.flatnonzero(own)
    for k, until in zip(marks.tolist(), [*marks[1:].tolist(), len(rows)], strict=True):
        own_left[k:until] = rows[k, _HAS]
    here = change & (rows[:, _SIDE] == order.side) & (rows[:, _PRICE] == order.price)
    told["p1"] = np.where(change, rows[:, _AFTER] - np.where(here, own_left, 0), rows[:, _QTY])
    # the side of a trade is that of its aggressor, of a level its own; 0 is not known
    side = np.where(change, rows[:, _SIDE], -rows[:, _SIDE])
    told["aux"] = np.where(side == 0, 0, side + 2)
    ends = np.append((rows[1:, _TS] != rows[:-1, _TS]) | (rows[1:, _WHAT] != rows[:-1, _WHAT]), True)
    ends[:-1] |= np.arange(1, len(rows)) == order.row
    uncrossed = (rows[:, _BID] == 0) | (rows[:, _ASK] == 0) | (rows[:, _BID] < rows[:, _ASK])
    told["flags"] = np.where(change, int(BookAction.SET) | np.where(ends & uncrossed, BOOK_LAST, 0), 0)
    gone = np.flatnonzero(own)
    for k in gone[told["flags"][gone] & BOOK_LAST != 0].tolist():
        if k and change[k - 1] and k - 1 != order.row - 1 and rows[k - 1, _TS] == rows[k, _TS]:
            told["flags"][k - 1] |= BOOK_LAST
    if tape.full:  # what the recording begins with came as one
        told["flags"][: tape.full] = int(BookAction.SET) | BOOK_FULL
        told["flags"][tape.full - 1] |= BOOK_LAST
    kept = np.append(True, ~own)
    return out[kept], int(np.count_nonzero(kept[: order.row + 1]))


def replay(tape: Tape, order: RealOrder, course: Course, rival: Rival) -> tuple[int, int]:
    """What the venue makes of it until the real order's end: what is left of it, and when it was filled in full, 0 for never."""
    records, begin = without(tape, order, rival)
    last_row = int(course.visits[course.strict - 1]) if course.strict and order.fate == FILLED else order.ended - 1
    stop = _records_until(tape, order, rival, last_row)
    venue = venue_of(tape, rival)
    held = EventRows()
    held.hold(records)
    if rival.by == "rebuilds":
        _feed(venue, records, held, 0, begin)
    else:
        start = 0
        for trade in [*np.flatnonzero(records["kind"][:begin] == EventKind.TRADE).tolist(), begin]:
            if trade > start:
                venue.on_book(0, held, start, trade)  # none of ours rests: at once
            _feed(venue, records, held, trade, min(trade + 1, begin))
            start = trade + 1
    ts = int(tape.rows[order.row, _TS])
    venue.send(request_for(1, ts, TickWish(side=order.side, qty=order.qty, kind="limit", limit=order.price)))
    venue.settle_arrivals(ts + 1)
    _feed(venue, records, held, begin, stop)
    left, done = order.qty, 0
    while (report := venue.advance(_NEVER)) is not None:
        if report.qty and report.order_id == 1 and report.exec_id:
            left -= report.qty
            done = report.ts_event if left == 0 else 0
    return left, done


def _records_until(tape: Tape, order: RealOrder, rival: Rival, row: int) -> int:
    """How many of the records without the order come up to a row of the tape."""
    rows = tape.rows
    own = (rows[: row + 1, _ID] == order.order_id) & (rows[: row + 1, _WHAT] == CHANGE)
    if rival.by != ORDERS:
        return 1 + row + 1 - int(own.sum())
    records = tape.records[: int(rows[row, _RECORD]) + 1]
    drop = (records["kind"] == EventKind.QUOTE) | (
        (records["kind"] == EventKind.BOOK)
        & (records["p2"] == order.order_id)
        & ((records["flags"] & BOOK_ACTION) != BookAction.STATUS)
    )
    return len(records) - int(drop.sum())


def _feed(venue: Venue, records: Records, held: EventRows, start: int, stop: int) -> None:
    """Records start to stop - 1, one at a time."""
    part = records[start:stop]
    columns = (part[name].tolist() for name in ("kind", "ts_event", "p0", "p1", "aux"))
    for k, (kind, ts, price, qty, aux) in enumerate(zip(*columns, strict=True), start):
        if kind == EventKind.BOOK:
            venue.on_book(0, held, k, k + 1)
        else:
            venue.on_trade(0, ts, price, qty, aux - 2 if aux else 0)

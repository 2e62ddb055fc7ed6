"""A recording by single orders as a tape: what each record did to which level, which trades printed, and what its orders did.

A row is a change of one level (CHANGE) or a public trade (PRINT). An L2 user sees of a change the level's quantity before and
after, and of a trade price and quantity; an L3 user the order too. From the rows of a level a single order is left out by
subtracting it. A MODIFY to another price is two rows. Where the recording has quotes besides (a LOBSTER file of one level, which does not
tell what rests behind it), a quote that says another quantity than the changes add up to is a row of no order.

A trade is explained by the executions of the same price within PRINT_LAG_NS before it, or at its time; what is left of it (`over`) was
executed against what no record tells: a hidden order.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lockstep.book.l3 import L3Book
from lockstep.features.micro.batch import in_order
from lockstep.model.enums import BookAction, BookState, EventKind
from lockstep.model.instrument import Instrument
from lockstep.model.record import BOOK_ACTION, BOOK_FULL, BOOK_LAST, Records
from lockstep.model.rows import EventRows
from lockstep.research.fidelity.orders import RealOrder
from lockstep.sim.liquidity import PRINT_LAG_NS
from lockstep.sim.queue import QueueModel

CHANGE, PRINT = 1, 2
COLUMNS = (
    "ts",
    "what",
    "side",
    "price",
    "before",
    "after",
    "order_id",
    "had",
    "has",
    "matched",
    "qty",
    "over",
    "bid",
    "ask",
    "told",
    "record",
)
_ADD, _MODIFY, _DELETE, _MATCH = (
    int(action) for action in (BookAction.ADD, BookAction.MODIFY, BookAction.DELETE, BookAction.MATCH)
)
_CLEAR, _STATUS = int(BookAction.CLEAR), int(BookAction.STATUS)
_BOOK, _TRADE, _QUOTE = int(EventKind.BOOK), int(EventKind.TRADE), int(EventKind.QUOTE)


class Tape(NamedTuple):
    """rows: [n, len(COLUMNS)] int64. side: of what rests, 0 unknown; bid, ask: the best after the row, 0 for none.

    by_level: the rows of a price, changes of one side and trades with it, in order, by (side, price). orders: all that came.
    records: BOOK, TRADE and QUOTE as they were read, in the venue's order of time. full: the first row after the full book it begins with. sees_all: every level is told, not only the best.
    """

    instrument: Instrument
    rows: NDArray[np.int64]
    by_level: dict[tuple[int, int], NDArray[np.int64]]
    orders: list[RealOrder]
    records: Records
    full: int
    sees_all: bool


def venue_time(records: Records) -> Records:
    """The same at the venue's own time, as the run shows it to the venue: `run.source` has the rule."""
    out = records.copy()
    out["clock"] = out["ts_event"] = np.maximum.accumulate(np.minimum(out["ts_event"], out["clock"]))
    return out


def tape_of(instrument: Instrument, books: Records, trades: Records, quotes: Records | None = None) -> Tape:
    """Read a recording. quotes: where the changes tell the best levels alone."""
    histories = [venue_time(books), venue_time(trades)] + ([] if quotes is None else [venue_time(quotes)])
    reader = _Reader(instrument, quotes is None)
    records = in_order(*histories)
    reader.read(records)
    rows = np.array(reader.rows, np.int64).reshape(-1, len(COLUMNS))
    if quotes is not None:
        _mark_behind(reader.orders, rows)
    return Tape(instrument, rows, _by_level(rows), reader.orders, records, reader.full, quotes is None)


def _mark_behind(orders: list[RealOrder], rows: NDArray[np.int64]) -> None:
    """Where the best levels alone are told: what stood behind a better one meanwhile was not."""
    for order in orders:
        if order.flaw or order.ended < 0:
            continue
        best = rows[order.row : order.ended, 12 if order.side > 0 else 13]
        if ((best - order.price) * order.side > 0)[best > 0].any():
            order.flaw = "behind"


def _by_level(rows: NDArray[np.int64]) -> dict[tuple[int, int], NDArray[np.int64]]:
    found: dict[tuple[int, int], list[int]] = {}
    for at, (side, price) in enumerate(rows[:, 2:4].tolist()):
        for one in (side,) if side else (1, -1):
            found.setdefault((one, price), []).append(at)
    return {key: np.array(of, np.int64) for key, of in found.items()}


class _Reader:
    """One pass over the records. The levels are kept by addition, the queues by a book."""

    def __init__(self, instrument: Instrument, sees_all: bool) -> None:
        self.rows: list[tuple[int, ...]] = []
        self.full = 0
        self._told = 0
        self._at = 0
        self.orders: list[RealOrder] = []
        self._book = L3Book(instrument, unknown_ids="count")
        self._model = QueueModel("exact", 1.0, instrument.lot_size, 1.0)
        self._tick = instrument.tick_size
        self._sees_all = sees_all
        self._levels: dict[tuple[int, int], int] = {}
        self._live: dict[int, RealOrder] = {}
        self._unprinted: dict[tuple[int, int], int] = {}  # executed, and no trade has told it yet
        self._executed_at = 0
        self._best = {1: 0, -1: 0}
        self._matched: list[tuple[int, int, int, int]] = []  # (side, price, quantity, order id) since the last trade
        self._traded_at: set[tuple[int, int]] = set()  # levels of which this event executed something
        self._shown_out: dict[int, RealOrder] = {}

    def read(self, records: Records) -> None:
        held = EventRows()
        held.hold(records)
        names = ("ts_event", "kind", "flags", "aux", "p0", "p1", "p2", "p3")
        columns = [records[name].tolist() for name in names]
        quote = records["kind"] == _QUOTE  # of several at one time the last alone comes after all that happened then
        again = np.append(quote[1:] & (records["clock"][1:] == records["clock"][:-1]), False)
        old = (quote & again).tolist()
        for i, (ts, kind, flags, aux, p0, p1, p2, p3) in enumerate(zip(*columns, strict=True)):
            self._at = i
            if kind == _BOOK:
                self._change(ts, flags, aux - 2, p0, p1, p2, (held, i))
                if flags & BOOK_LAST:
                    self._traded_at.clear()
                if flags & BOOK_FULL:
                    self.full = len(self.rows)
            elif kind == _TRADE:
                self._print(ts, p0, p1, -(aux - 2) if aux else 0)
            elif kind == _QUOTE and not old[i]:
                self._quote(ts, 1, p0, p2)
                self._quote(ts, -1, p1, p3)

    # ---- the book

    def _change(
        self, ts: int, flags: int, side: int, price: int, qty: int, order_id: int, at: tuple[EventRows, int]
    ) -> None:
        action = flags & BOOK_ACTION
        book = self._book
        known = book.find(order_id) if action in (_MODIFY, _DELETE, _MATCH) else None
        order = self._live.get(order_id)
        if action == _ADD:
            self._arrive(ts, side, price, qty, order_id, bool(flags & BOOK_FULL))
        book.apply(at[0], at[1], at[1] + 1)
        if action == _CLEAR:
            self._clear()
        if action in (_CLEAR, _STATUS, _ADD):
            return
        now = book.find(order_id)
        if known is None:  # it rested before the recording; a quote knew of it, a sum of orders did not
            gone = qty if action in (_DELETE, _MATCH) and not self._sees_all else 0
            self._move(ts, side, price, -gone, order_id, 0, 0, qty if action == _MATCH else 0)
            return
        matched = known.qty - (now.qty if now else 0) if action == _MATCH else 0
        stays = now is not None and now.price == known.price and now.qty <= known.qty
        has = now.qty if now is not None and stays else 0
        self._move(ts, known.side, known.price, has - known.qty, order_id, known.qty, has, matched)
        if now is not None and not stays:
            self._move(ts, now.side, now.price, now.qty, order_id, 0, now.qty, 0)
        if order is not None:
            self._follow(order, action, matched, now is None)
        if matched:
            self._traded_at.add((known.side, known.price))
            self._matched.append((known.side, known.price, matched, order_id))

    def _arrive(self, ts: int, side: int, price: int, qty: int, order_id: int, full: bool) -> None:
        """A new order: what it finds, before it is there itself."""
        order = RealOrder(order_id, side, price, qty, len(self.rows))
        old = self._live.pop(order_id, None)
        earlier = self._shown_out.pop(order_id, None)
        if old is not None or earlier is not None:
            order.flaw = "iceberg"
            if earlier is not None:
                earlier.flaw = earlier.flaw or "iceberg"
        elif full:
            order.flaw = "before"
        elif self._book.state == BookState.AUCTION:
            order.flaw = "auction"
        other = self._best[-side]
        if not order.flaw and other and (price - other) * side >= 0:
            order.flaw = "marketable"
        best = self._best[side]
        order.ticks = (best - price) * side // self._tick if best else 0
        order.shown = max(0, self._levels.get((side, price), 0))
        if not order.flaw:
            order.place = self._model.join_line(self._book, side, price // self._tick)
            if not self._sees_all and order.place.ahead != order.shown:
                order.place = None
        self._move(ts, side, price, qty, order_id, 0, qty, 0)
        self._live[order_id] = order
        self.orders.append(order)

    def _follow(self, order: RealOrder, action: int, matched: int, gone: bool) -> None:
        """The record was about an order that came in the recording."""
        at = len(self.rows) - 1
        order.executed += matched
        order.left -= matched
        if action == _MODIFY and not order.flaw:
            order.flaw = "modified"
        if action == _DELETE and not order.flaw and (order.side, order.price) in self._traded_at:
            order.flaw = "stopped"
        if gone:
            order.ended = at
            del self._live[order.order_id]
            if order.executed == order.qty:
                self._shown_out[order.order_id] = order

    def _clear(self) -> None:
        self._levels.clear()
        self._live.clear()
        self._best = {1: 0, -1: 0}

    # ---- rows

    def _move(self, ts: int, side: int, price: int, by: int, order_id: int, had: int, has: int, matched: int) -> None:
        """A level changes by so much."""
        before = self._levels.get((side, price), 0)
        self._set(side, price, max(0, before + by))
        if matched:
            self._forget_executions(ts)
            self._executed_at = ts
            self._unprinted[side, price] = self._unprinted.get((side, price), 0) + matched
        self._row(ts, CHANGE, side, price, before, max(0, before + by), order_id, had, has, matched, 0, 0)

    def _row(self, *values: int) -> None:
        self.rows.append((*values, self._best[1], self._best[-1], self._told, self._at))
        if values[1] == CHANGE:
            self._told = values[0]

    def _set(self, side: int, price: int, qty: int) -> None:
        best = self._best[side]
        if qty:
            self._levels[side, price] = qty
            if not best or (price - best) * side > 0:
                self._best[side] = price
            return
        self._levels.pop((side, price), None)
        if price == best:
            self._best[side] = self._next_best(side)

    def _next_best(self, side: int) -> int:
        """Of the levels that are left. The book knows it at once where it tells all."""
        ladder = self._book.bid_units if side > 0 else self._book.ask_units
        if self._sees_all and (side, ladder) in self._levels:
            return ladder
        prices = [price for of, price in self._levels if of == side]
        return (max(prices) if side > 0 else min(prices)) if prices else 0

    def _print(self, ts: int, price: int, qty: int, side: int) -> None:
        over = qty
        self._forget_executions(ts)
        for of, at, amount, order_id in self._matched if side else ():
            order = self._live.get(order_id) or self._shown_out.get(order_id)
            if of == -side and amount == qty and order is not None and not order.flaw:
                order.flaw = "marketable"  # it met an order from before the recording
                self._unprinted.pop((of, at), None)
        self._matched.clear()
        for one in (side,) if side else (1, -1):
            waiting = self._unprinted.pop((one, price), 0)
            if waiting > over:
                self._unprinted[one, price] = waiting - over
            over -= min(over, waiting)
        self._row(ts, PRINT, side, price, 0, 0, 0, 0, 0, 0, qty, over)

    def _forget_executions(self, ts: int) -> None:
        if ts - self._executed_at > PRINT_LAG_NS:
            self._unprinted.clear()

    def _quote(self, ts: int, side: int, price: int, qty: int) -> None:
        """The best of a side as it is: levels that are better are not there."""
        while self._best[side] and (self._best[side] - price) * side > 0:
            best = self._best[side]
            before = self._levels[side, best]
            self._set(side, best, 0)
            self._row(ts, CHANGE, side, best, before, 0, 0, 0, 0, 0, 0, 0)
        before = self._levels.get((side, price), 0)
        if before != qty:
            self._set(side, price, qty)
            self._row(ts, CHANGE, side, price, before, qty, 0, 0, 0, 0, 0, 0)

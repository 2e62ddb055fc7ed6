"""Databento DBN files of market by order (mbo): every order event of CME and other venues.

The file itself is read by `dbn`. Source of what a record means: databento.com/docs/schemas-and-data-formats/mbo.

| action | what | records |
|---|---|---|
| A | a new order | ADD |
| C | an order is cancelled, size: how much of it | DELETE, or MODIFY to what is left |
| M | an order has this price and size from now on | MODIFY; of an order that is not known, ADD |
| T | a trade; side: of the aggressor, N in an auction | TRADE |
| F | a resting order was filled; its own change follows as a C or M | MATCH at the place of that C or M, see below |
| R | the book is cleared | CLEAR |

A resting order that was changed so that it takes is filled by F as well: one on the side of the trade's aggressor rested no more, and
its C or M is a DELETE or a MODIFY.

A fill and the change that follows it are one thing and must count once. So an F is held until the C or M of the same order, which
becomes MATCH of what was filled. If the M leaves another price or quantity than the fill explains, a MODIFY follows. If no less was
filled than was shown and yet an M follows, the order had a hidden part: MATCH of all that was shown, and ADD of what shows now, at
the end of the queue. Fills of orders that are not in the book, and fills without a change until the event ends, are counted and
give no record. Records with flag 32 are a snapshot: a full book. Flag 128 ends an event: BOOK_LAST.

The book is in AUCTION from the snapshot on, and whenever the file was silent for HALT_NS, until the next trade: what is collected
before an opening may cross, and DBN has no word for it here. In a recording that begins in mid-session that lasts until its first trade.
"""

import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lockstep.model.enums import AssetClass, BookAction, BookFault, BookState, Settlement
from lockstep.model.errors import DataError
from lockstep.model.numbers import NANOS_PER_SECOND
from lockstep.model.record import BOOK_FULL, BOOK_LAST
from lockstep.store.catalog.books.dbn import Metadata, metadata_of, records_of
from lockstep.store.catalog.books.lines import bytes_of
from lockstep.store.catalog.books.pen import Pen
from lockstep.store.catalog.books.tape import Listing, Tape
from lockstep.store.catalog.lean import CME_INDEX

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PRICE_SCALE = 9
HALT_NS = 1_800 * NANOS_PER_SECOND
"""CME halts an hour a day, of which the last quarter collects orders; in a session its index futures are never silent so long."""
_LAST, _SNAPSHOT = 128, 32
_SIDES = {ord("B"): 1, ord("A"): -1, ord("N"): 0}
_PRODUCTS = {
    "ES": Decimal(50), "MES": Decimal(5), "NQ": Decimal(20), "MNQ": Decimal(2), "RTY": Decimal(50), "YM": Decimal(5),
}  # fmt: skip
"""USD a point of one contract, of the index futures that CME's contract specifications list."""
_CONTRACT = re.compile(r"([A-Z0-9]{1,3})[FGHJKMNQUVXZ]\d{1,2}")


class DatabentoReader:
    """Reads mbo files. Orders known at the end of one are forgotten at the snapshot of the next."""

    row_word = "record"

    def __init__(self) -> None:
        self._markets: dict[str, _Market] = {}

    def read(self, path: Path, pen: Pen, db: "DuckDBPyConnection") -> None:
        """Raises: DataError: not a whole file of mbo records; names the place."""
        with bytes_of(path) as file:
            meta = metadata_of(file, path.name)
            own: dict[int, _Market] = {}
            number = 0
            for records in records_of(file, path.name):
                for row in records.tolist():
                    number += 1
                    pen.place = number
                    market = own.get(row[3])
                    if market is None:
                        market = own[row[3]] = self._market(meta, row[3], pen)
                    market.record(row, pen)
            for market in own.values():
                market.end(pen)

    def _market(self, meta: Metadata, number: int, pen: Pen) -> "_Market":
        symbol = meta.symbols.get(number, str(number))
        tape = pen.tape(_listing(symbol, meta.dataset))
        return self._markets.setdefault(symbol, _Market(tape))


def _listing(symbol: str, dataset: str) -> Listing:
    match = _CONTRACT.fullmatch(symbol)
    note = f"Databento mbo of {dataset}: order by order; in AUCTION from a snapshot or a halt until the next trade"
    if dataset != "GLBX.MDP3":
        return Listing(
            symbol=symbol, venue=dataset.partition(".")[0], asset_class=AssetClass.EQUITY, quote="USD", price_scale=PRICE_SCALE,
            qty_scale=0, notes=(note,),
        )  # fmt: skip
    multiplier = _PRODUCTS.get(match[1]) if match else None
    return Listing(
        symbol=symbol,
        venue="CME",
        asset_class=AssetClass.FUTURE,
        quote="USD",
        multiplier=multiplier or Decimal(1),
        settlement=Settlement.LINEAR,
        session=CME_INDEX if multiplier else None,
        price_scale=PRICE_SCALE,
        qty_scale=0,
        notes=(note, *((f"multiplier {multiplier} USD a point",) if multiplier else ())),
    )


class _Market:
    """One instrument: what rests, and which fills wait for their change. An order is (side, price, size)."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self._resting: dict[int, tuple[int, int, int]] = {}
        self._fills: dict[int, int] = {}
        self._snapshot: list[tuple[Any, ...]] = []
        self._auction = False
        self._in_snapshot = False
        self._begun = False
        self._taker = 0  # the side of this event's aggressor
        self._last_ns = 0

    def record(self, row: tuple[Any, ...], pen: Pen) -> None:
        """One mbo record, as MBO has its fields."""
        _, _, _, _, ts_event, order_id, price, size, flags, _, action, side, ts_recv, _, sequence = row
        times = (ts_recv, ts_event)
        if flags & _SNAPSHOT:
            self._in_full(row, pen)
            return
        self.end(pen)
        if not self._begun:
            self._begun = True
            pen.begin(self.tape, times)
        pen.clock.heard(pen.place, ts_event, ts_recv)
        if self._last_ns and ts_recv - self._last_ns > HALT_NS and not self._auction:
            self._collect(pen, times, sequence)
        self._last_ns = ts_recv
        last = BOOK_LAST if flags & _LAST else 0
        if action == ord("T"):
            if self._auction:
                self._auction = False
                pen.status(self.tape, BookState.GOOD, BookFault.NONE, times, sequence=sequence)
            self._taker = _SIDES.get(side, 0)
            if price > 0 and size > 0:
                pen.trade(self.tape, price, size, _SIDES.get(side, 0), times)
        elif action == ord("F"):
            if order_id in self._resting and self._taker and self._resting[order_id][0] == self._taker:
                pen.count(self.tape, "fills of orders that were changed into ones that take")
            elif order_id in self._resting:
                self._fills[order_id] = self._fills.get(order_id, 0) + size
            else:
                pen.fault(self.tape, "fills of orders that were never seen in the book")
        elif action in _CHANGES:
            self._change(pen, (chr(action), order_id, _SIDES.get(side, 0), price, size), times, sequence, last)
        elif action != ord("N"):
            raise DataError(f"{pen.clock.name}: record {pen.place:,}: unknown action {chr(action)!r}")
        if last and self._fills:
            pen.fault(self.tape, "fills whose order did not change until the event ended", len(self._fills))
            self._fills.clear()
        if last:
            self._taker = 0

    def _in_full(self, row: tuple[Any, ...], pen: Pen) -> None:
        """A record of a snapshot: it waits for the next, since only what follows says that it was the last."""
        _, _, _, _, ts_event, order_id, price, size, _, _, action, side, ts_recv, _, sequence = row
        times = (ts_recv, ts_event)
        if not self._in_snapshot:
            self._in_snapshot = self._begun = True
            self._resting.clear()
            self._fills.clear()
            self._collect(pen, times, sequence)
            pen.change(self.tape, BookAction.CLEAR, 0, 0, 0, times, sequence=sequence, flags=BOOK_FULL)
        if action != ord("A"):
            return  # R, before the first order
        if self._snapshot:
            self._write_full(pen, 0)
        self._snapshot = [(order_id, _SIDES.get(side, 0), price, size, times, sequence)]

    def _write_full(self, pen: Pen, flags: int) -> None:
        for order_id, side, price, size, times, sequence in self._snapshot:
            self._resting[order_id] = (side, price, size)
            pen.change(
                self.tape, BookAction.ADD, side, price, size, times,
                order_id=order_id, sequence=sequence, flags=BOOK_FULL | flags,
            )  # fmt: skip
        self._snapshot = []

    def end(self, pen: Pen) -> None:
        """No more records of the snapshot come."""
        if self._in_snapshot:
            self._in_snapshot = False
            self._write_full(pen, BOOK_LAST)

    def _collect(self, pen: Pen, times: tuple[int, int], sequence: int) -> None:
        self._auction = True
        pen.status(self.tape, BookState.AUCTION, BookFault.VENUE, times, sequence=sequence)

    def _change(
        self, pen: Pen, said: tuple[str, int, int, int, int], times: tuple[int, int], sequence: int, last: int
    ) -> None:
        """A record that changes the book: its steps, the last of them with the flag."""
        action, order_id, side, price, size = said
        if action == "R":
            self._resting.clear()
            steps = [(BookAction.CLEAR, 0, 0, 0)]
        elif order_id in self._fills:
            steps = self._filled(pen, action, order_id, price, size)
        elif action == "A" or (action == "M" and order_id not in self._resting):
            self._resting[order_id] = (side, price, size)
            steps = [(BookAction.ADD, side, price, size)]
        elif action == "M":
            self._resting[order_id] = (side, price, size)
            steps = [(BookAction.MODIFY, side, price, size)]
        else:
            steps = [self._cancelled(order_id, side, price, size)]
        for k, (step, its_side, its_price, qty) in enumerate(steps):
            pen.change(
                self.tape, step, its_side, its_price, qty, times,
                order_id=order_id, sequence=sequence, flags=last if k == len(steps) - 1 else 0,
            )  # fmt: skip

    def _cancelled(self, order_id: int, side: int, price: int, size: int) -> tuple[BookAction, int, int, int]:
        known = self._resting.get(order_id)
        if known is None or size >= known[2]:
            self._resting.pop(order_id, None)
            return BookAction.DELETE, side, price, size
        left = known[2] - size
        self._resting[order_id] = (known[0], known[1], left)
        return BookAction.MODIFY, known[0], known[1], left

    def _filled(
        self, pen: Pen, action: str, order_id: int, price: int, size: int
    ) -> list[tuple[BookAction, int, int, int]]:
        """The change of an order that was filled in this event."""
        side, old_price, shown = self._resting.pop(order_id)
        filled = self._fills.pop(order_id)
        if filled > shown:
            pen.fault(self.tape, "fills of more than was shown of an order: MATCH of what was shown")
        matched = min(filled, shown)
        steps = [(BookAction.MATCH, side, old_price, matched)]
        if action == "C":
            if matched < shown:
                steps.append((BookAction.DELETE, side, old_price, shown - matched))
            return steps
        self._resting[order_id] = (side, price, size)
        if matched == shown:
            pen.fault(
                self.tape, "orders that show anew after all that was shown was filled: ADD at the end of the queue"
            )
            steps.append((BookAction.ADD, side, price, size))
        elif (price, size) != (old_price, shown - matched):
            steps.append((BookAction.MODIFY, side, price, size))
        return steps


_CHANGES = frozenset(map(ord, "ACMR"))

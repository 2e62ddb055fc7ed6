"""Our side: every order alone at the simulated venue, and, to see that nothing is different there, in a whole backtest.

hftbacktest's orders do not see each other. Ours share what a trade brings and what stands in the book, so an order must be alone
to be compared: the schedule is dealt to lanes in which one ends before the next arrives.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.book_data import history
from benchmarks.fills.schedule import ENTRY_NS, KINDS, RESPONSE_NS, Given
from lockstep.book.l2 import L2Book
from lockstep.model.enums import EventKind, OrderEventKind, OrderFlag, OrderState, OrderType, TimeInForce
from lockstep.model.instrument import Instrument
from lockstep.model.messages import Fill, Timer
from lockstep.model.record import BOOK_LAST, Records
from lockstep.model.rows import EventRows
from lockstep.model.traffic import make_request, make_terms
from lockstep.portfolio.portfolio import Portfolio
from lockstep.risk.limits import RiskLimits
from lockstep.run.backtest import Backtest
from lockstep.run.config import BacktestConfig
from lockstep.run.strategy_file import StrategyFile
from lockstep.sim.liquidity import Liquidity
from lockstep.sim.market import Market
from lockstep.sim.models import BarFills, BookFills, Latency, Slippage
from lockstep.sim.queue import QueueModel
from lockstep.sim.venue import Venue
from lockstep.strategy.base import Strategy

OUTCOME = np.dtype([("filled", "<i8"), ("first", "<i8"), ("last", "<i8"), ("price", "<i8")])
"""What became of an order: units filled, when first and last at the venue (0: never), and the last fill's price."""
LATENCY = Latency(entry_ns=ENTRY_NS, ack_ns=RESPONSE_NS, fill_ns=RESPONSE_NS)
_FLAG = (0, int(OrderFlag.POST_ONLY), 0, 0, 0)
_TIF = tuple(int(TimeInForce[name]) for name in ("GTC", "GTC", "IOC", "FOK", "IOC"))
_FILL = int(OrderEventKind.FILL)
_SUBMIT = int(OrderEventKind.SUBMIT)
_CANCEL = int(OrderEventKind.CANCEL_REQUEST)


class Step(NamedTuple):
    """What the venue is shown at once: rows start to stop - 1 of the book, or, where these are equal, a trade."""

    ts: int
    start: int
    stop: int
    price: int
    qty: int
    aggressor: int


def lanes_of(orders: NDArray[np.void]) -> list[list[int]]:
    """Numbers of orders, dealt so that in a lane one has ended at the venue before the next arrives."""
    lanes: list[list[int]] = []
    free: list[int] = []
    for number, order in enumerate(orders):
        end = int(order["cancel"])
        for lane, until in enumerate(free):
            if until < order["send"]:
                lanes[lane].append(number)
                free[lane] = end
                break
        else:
            lanes.append([number])
            free.append(end)
    return lanes


def steps_of(records: Records) -> list[Step]:
    """The recording as the venue is shown it: whole groups of changes, and trades."""
    found = []
    begin = 0
    ends = (records["kind"] == EventKind.TRADE) | (records["flags"] & BOOK_LAST > 0)
    for row in np.flatnonzero(ends).tolist():
        record = records[row]
        if record["kind"] == EventKind.TRADE:
            price, qty, aux = int(record["p0"]), int(record["p1"]), int(record["aux"])
            found.append(Step(int(record["clock"]), 0, 0, price, qty, aux - 2 if aux else 0))
        else:
            found.append(Step(int(record["clock"]), begin, row + 1, 0, 0, 0))
        begin = row + 1
    return found


def venue_of(instrument: Instrument, model: str, power: float) -> Venue:
    """A venue with the instrument's book alone."""
    queue = QueueModel(model, power, instrument.lot_size, 10.0**instrument.qty_decimals)
    valuation = Portfolio([instrument], 10**12, 1.0).valuations[0]
    market = Market(0, valuation, BarFills(), [], False, trades=True, depth=Liquidity(L2Book(instrument), queue))
    return Venue([market], LATENCY, Slippage(), BarFills(), 0)


def our_fills(
    given: Given, model: str, power: float = 3.0, lanes: Sequence[Sequence[int]] | None = None
) -> NDArray[np.void]:
    """What became of each order under a queue model, by default alone at a venue."""
    rows = EventRows()
    rows.hold(given.records)
    steps = steps_of(given.records)
    found = np.zeros(len(given.orders), OUTCOME)
    for lane in lanes or lanes_of(given.orders):
        play(venue_of(given.instrument, model, power), rows, steps, given.orders, lane, found)
    return found


def play(
    venue: Venue,
    rows: EventRows,
    steps: Sequence[Step],
    orders: NDArray[np.void],
    lane: Sequence[int],
    found: NDArray[np.void],
) -> None:
    """The orders of a lane at a venue; `found` gets what was filled."""
    requests = []
    for number in lane:
        send, cancel, side, price, qty, kind = orders[number].tolist()
        how = int(OrderType.LIMIT if price else OrderType.MARKET)
        terms = make_terms(side, how, _TIF[kind], _FLAG[kind], qty, price, 0, 0, 0, 0)
        requests.append(make_request(_SUBMIT, 0, 0, send, send, number + 1, terms))
        requests.append(make_request(_CANCEL, 0, 0, cancel, cancel, number + 1, None))
    for request in sorted(requests, key=lambda request: request.ts):  # a later one never overtakes
        venue.send(request)
    last = int(orders["cancel"][lane[-1]]) + ENTRY_NS
    for ts, start, stop, price, qty, aggressor in steps:
        if ts > last:
            break
        while venue.next_due <= ts and _hear(venue, ts, found):
            pass
        if stop:
            venue.on_book(0, rows, start, stop)
        else:
            venue.on_trade(0, ts, price, qty, aggressor)
    while _hear(venue, last + RESPONSE_NS, found):
        pass


def _hear(venue: Venue, until: int, found: NDArray[np.void]) -> bool:
    report = venue.advance(until)
    if report is None:
        return False
    if report.kind == _FILL:
        note_fill(found[report.order_id - 1], report.qty, report.price, report.ts_event)
    return True


def note_fill(row: Any, qty: int, price: int, ts: int) -> None:
    """One more fill of an order."""
    row["filled"] += qty
    row["first"] = row["first"] or ts
    row["last"], row["price"] = ts, price


# ---- the same in a whole backtest


class Scheduled(Strategy):
    """Sends each order of a schedule at its time, and its cancel."""

    orders: ClassVar[Any] = None
    lane: ClassVar[Any] = None
    scale: ClassVar[tuple[int, int]] = (0, 0)

    def on_start(self) -> None:
        self.sent: dict[int, Any] = {}
        self.outcome = np.zeros(len(self.orders), OUTCOME)
        self.number: dict[int, int] = {}
        self.actions = sorted(
            [(int(self.orders[i]["send"]), i, True) for i in self.lane]
            + [(int(self.orders[i]["cancel"]), i, False) for i in self.lane]
        )
        self.next = 0
        self.set_timer(at=self.actions[0][0])

    def on_book(self, update: Any) -> None:
        """Nothing: the schedule is fixed."""

    def on_timer(self, timer: Timer) -> None:
        while self.next < len(self.actions) and self.actions[self.next][0] <= self.now:
            _, i, is_new = self.actions[self.next]
            self.next += 1
            if is_new:
                self._send(i)
            else:
                self.cancel(self.sent[i])
        if self.next < len(self.actions):
            self.set_timer(at=self.actions[self.next][0])

    def _send(self, i: int) -> None:
        _, _, side, price, qty, kind = self.orders[i].tolist()
        name = KINDS[kind]
        options: dict[str, Any] = {"tif": "IOC" if name == "MARKET" else "GTC" if name == "POST_ONLY" else name}
        if name != "MARKET":
            options["limit"] = Decimal(price).scaleb(-self.scale[0])
            options["post_only"] = name == "POST_ONLY"
        order = (self.buy if side > 0 else self.sell)(Decimal(qty).scaleb(-self.scale[1]), **options)
        assert order.state != OrderState.DENIED, order.reason
        self.sent[i] = order
        self.number[order.order_id] = i

    def on_fill(self, fill: Fill) -> None:
        note_fill(self.outcome[self.number[fill.client_order_id]], fill.qty_units, fill.price_units, fill.ts_event)


def backtest_fills(given: Given, lane: Sequence[int], model: str, power: float = 3.0) -> NDArray[np.void]:
    """What became of the orders of a lane in a backtest."""
    scale = (given.instrument.price_decimals, given.instrument.qty_decimals)
    strategy = type("Scheduled", (Scheduled,), {"orders": given.orders, "lane": lane, "scale": scale})
    config = BacktestConfig(
        cash=Decimal(10) ** 12,
        leverage=Decimal(1000),
        latency=LATENCY,
        slippage=Slippage(),
        books=BookFills(queue=model, power=Decimal(str(power))),
        limits=RiskLimits(buying_power=False),
    )
    kinds = ((EventKind.BOOK, "book"), (EventKind.TRADE, "trade"))
    data = [history(given.instrument, given.records[given.records["kind"] == kind], name) for kind, name in kinds]
    outcome = Backtest(StrategyFile(strategy, "", Path("scheduled.py")), data, config).run()
    (seat,) = outcome.engine.seats
    found: NDArray[np.void] = vars(seat.strategy)["outcome"]
    return found

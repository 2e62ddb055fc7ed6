"""An engine, a bar venue and the run loop around hand-made bars: what the tests of these rooms run.

The bars state a rule of matching or time, never a market. Times are ns UTC, prices and quantities units.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from lockstep.engine.engine import Engine
from lockstep.engine.records import HEAD, RECORD_NAMES
from lockstep.model.enums import AssetClass, CorporateAction, EventKind, Liquidity, Reason
from lockstep.model.fees import FeeSchedule
from lockstep.model.instrument import Instrument
from lockstep.model.messages import Signal
from lockstep.model.record import MARKET_EVENT, Records
from lockstep.model.sessions import ALWAYS, Session
from lockstep.portfolio.portfolio import Portfolio
from lockstep.risk.limits import RiskLimits
from lockstep.run.loop import Loop
from lockstep.run.source import MergedSource, Stream
from lockstep.sim.market import Market
from lockstep.sim.models import LATENCIES, BarFills, Latency, Slippage
from lockstep.sim.venue import Venue
from lockstep.strategy.base import Strategy

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
T0 = 1_600_041_600 * SECOND  # 2020-09-14 00:00 UTC, a Monday
NO_LATENCY = LATENCIES["none"]
MILLI = 1_000_000
FREE = FeeSchedule()
NO_SLIPPAGE = Slippage()
NO_LIMITS = RiskLimits()
UNLIMITED = BarFills(participation=None)
TOUCH = BarFills(participation=None, limit_fill="touch")


class BarRow(NamedTuple):
    """One bar, units."""

    ts_open: int
    ts_end: int
    open: int
    high: int
    low: int
    close: int
    volume: float = 1000.0


class Decision(NamedTuple):
    """A row of the decision log, read."""

    ts: int
    ts_event: int
    kind: str
    id: int
    a: int
    b: int
    c: int
    d: int
    reason: str
    instrument: int
    strategy: int


class FillRow(NamedTuple):
    """A row of the fills log, read. fee, slippage: currency."""

    ts: int
    ts_event: int
    order_id: int
    instrument: int
    strategy: int
    side: int
    qty: int
    price: int
    reference: int
    fee: float
    slippage: float
    liquidity: str


def coin(symbol: str = "AAA", *, fees: FeeSchedule = FREE, session: Session = ALWAYS, **rules: Any) -> Instrument:
    """An instrument with whole prices and quantities."""
    fields: dict[str, Any] = {
        "venue": "X",
        "asset_class": AssetClass.CRYPTO,
        "base_currency": symbol,
        "quote_currency": "USD",
        "price_decimals": 0,
        "qty_decimals": 0,
    } | rules
    return Instrument(symbol=symbol, fees=fees, session=session, **fields)


def bars(
    *prices: tuple[int, int, int, int] | int, start: int = T0, step: int = HOUR, volume: float = 1000.0
) -> list[BarRow]:
    """Bars that follow each other; an int is a bar that stands still at one price."""
    rows = []
    for k, given in enumerate(prices):
        o, h, l, c = (given,) * 4 if isinstance(given, int) else given
        rows.append(BarRow(start + k * step, start + (k + 1) * step, o, h, l, c, volume))
    return rows


def records(rows: Sequence[BarRow], actions: Sequence[tuple[int, CorporateAction, int, int]] = ()) -> Records:
    """Market event records of one instrument. actions: (clock, what, first, second)."""
    found: list[tuple[int, ...]] = [
        (row.ts_end, row.ts_end, EventKind.BAR, 0, row.open, row.high, row.low, row.close, row.ts_open) for row in rows
    ]
    volumes = {(row.ts_end, int(EventKind.BAR)): row.volume for row in rows}
    for clock, what, first, second in actions:
        found.append((clock, clock, EventKind.CORPORATE_ACTION, what, first, second, 0, 0, clock))
    found.sort(key=lambda entry: (entry[0], entry[2]))
    out = np.zeros(len(found), MARKET_EVENT)
    for k, (clock, ts, kind, aux, p0, p1, p2, p3, ts_open) in enumerate(found):
        volume = volumes.get((clock, kind), 0.0)
        out[k] = (clock, ts, k, kind, 0, aux, 0, p0, p1, p2, p3, volume, ts_open)
    return out


class Machine:
    """One run, made of parts. `go` runs it; what it left is read from the properties."""

    def __init__(
        self,
        data: dict[Instrument, Records] | Sequence[tuple[Instrument, Records]],
        *,
        latency: Latency = NO_LATENCY,
        fills: BarFills = UNLIMITED,
        slippage: Slippage = NO_SLIPPAGE,
        cash: int | Decimal = 10_000_000,
        leverage: float = 1.0,
        seed: int = 0,
        queue_outside_hours: bool = False,
        chunk: int = 1_000_000,
        currency: str | None = None,
    ) -> None:
        pairs = list(data.items()) if isinstance(data, dict) else list(data)
        self.instruments = [instrument for instrument, _ in pairs]
        self.data = [rows for _, rows in pairs]
        self.chunk = chunk
        self.decision_rows: list[Any] = []
        self.fill_rows: list[Any] = []
        self.equity_rows: list[Any] = []
        self.signals: list[Signal] = []
        self.portfolio = Portfolio(self.instruments, cash, leverage, currency=currency)
        self.engine = Engine(
            self.portfolio,
            decision_sinks=[lambda block: self.decision_rows.extend(block.tolist())],
            fill_sinks=[
                lambda block: self.fill_rows.extend(zip(block.tolist(), block.view(float).tolist(), strict=True))
            ],
            equity_sinks=[
                lambda block: self.equity_rows.extend(zip(block.tolist(), block.view(float).tolist(), strict=True))
            ],
            signal_sink=self.signals.append,
        )
        self.latency = latency
        markets = []
        for index, valuation in enumerate(self.portfolio.valuations):
            hours: list[tuple[int, int]] = []
            session = self.instruments[index].session
            if not session.always_open:
                rows = self.data[index]
                hours = session.bounds(int(rows["ts_open"][0]), int(rows["ts_event"][-1]) + 7 * DAY)
            kinds = set(self.data[index]["kind"].tolist())
            markets.append(
                Market(
                    index,
                    valuation,
                    fills,
                    hours,
                    queue_outside_hours,
                    quotes=int(EventKind.QUOTE) in kinds,
                    trades=int(EventKind.TRADE) in kinds and int(EventKind.BAR) not in kinds,
                )
            )
        self.venue = Venue(markets, latency, slippage, fills, seed)

    def seat(self, strategy: Strategy, *instruments: int, name: str = "", limits: RiskLimits = NO_LIMITS) -> "Machine":
        """Add a strategy at some instruments, the first by default."""
        self.engine.add_strategy(strategy, name or type(strategy).__name__, list(instruments) or [0], limits)
        return self

    def source(self, data: Sequence[Records] | None = None) -> MergedSource:
        """The events of the run."""
        streams = []
        for index, rows in enumerate(self.data if data is None else data):
            pieces = [rows[at : at + self.chunk].copy() for at in range(0, len(rows), self.chunk)]
            streams.append(Stream(self.instruments[index].id, index, pieces, self.latency.feed_ns))
        return MergedSource(streams)

    def go(self) -> "Machine":
        """Run it to the end."""
        source = self.source()
        self.engine.start(source.first_time())
        Loop(self.engine, self.venue, source).run_all()
        self.engine.stop()
        return self

    @property
    def decisions(self) -> list[Decision]:
        """The decision log."""

        def part(head: int, name: str) -> int:
            shift, bits = HEAD[name]
            return head >> shift & (1 << bits) - 1

        return [
            Decision(
                row[0],
                row[1],
                RECORD_NAMES[part(row[2], "kind")],
                row[3],
                row[4],
                row[5],
                row[6],
                row[7],
                Reason(part(row[2], "reason")).name,
                part(row[2], "instrument"),
                part(row[2], "strategy"),
            )
            for row in self.decision_rows
        ]

    @property
    def fills(self) -> list[FillRow]:
        """The fills."""
        found = []
        for row, floats in self.fill_rows:
            head = row[4]
            found.append(
                FillRow(
                    ts=row[0],
                    ts_event=row[1],
                    order_id=row[3],
                    instrument=head >> 27 & 0xFFFF,
                    strategy=head >> 43 & 0xFFFF,
                    side=(head >> 6 & 3) - 1,
                    qty=row[5],
                    price=row[6],
                    reference=row[7],
                    fee=floats[8],
                    slippage=floats[9],
                    liquidity=Liquidity(head >> 25 & 3).name,
                )
            )
        return found

    @property
    def plan(self) -> Any:
        """The first strategy."""
        return self.engine.seats[0].strategy

    def story(self, order_id: int) -> list[str]:
        """The kinds of an order's records, in order."""
        return [
            row.kind for row in self.decisions if row.id == order_id and row.kind not in ("signal", "split", "dividend")
        ]

    @property
    def trades(self) -> list[tuple[int, int, int]]:
        """(hours since T0 when it happened, side x quantity, price) of every fill."""
        return [((fill.ts_event - T0) // HOUR, fill.side * fill.qty, fill.price) for fill in self.fills]


class Plan(Strategy):
    """Does at each bar what its plan says, and notes all it hears.

    plan: a dict of what to call with the strategy at the k-th bar, or one callable for every bar (strategy, bar). placed:
    what these gave back, lists opened.
    """

    trades = "all"

    def __init__(self, plan: Any, **handlers: Any) -> None:
        super().__init__()
        self._plan = plan
        self._handlers = handlers
        self.seen: list[tuple[Any, ...]] = []
        self.k = -1
        self.placed: list[Any] = []

    def _do(self, what: Any, *given: Any) -> None:
        if what is not None:
            made = what(self, *given)
            self.placed.extend([] if made is None else made if isinstance(made, list) else [made])

    def on_start(self) -> None:
        self._do(self._handlers.get("start"))

    def on_bar(self, bar: Any) -> None:
        self.k += 1
        self.seen.append(("bar", self.now, bar.symbol))
        if isinstance(self._plan, dict):
            self._do(self._plan.get(self.k))
        else:
            self._do(self._plan, bar)

    def on_order(self, event: Any) -> None:
        self.seen.append(("order", self.now, event.kind.name, event.client_order_id))
        self._do(self._handlers.get("order"), event)

    def on_fill(self, fill: Any) -> None:
        self.seen.append(("fill", self.now, fill.client_order_id))
        self._do(self._handlers.get("fill"), fill)

    def on_timer(self, timer: Any) -> None:
        self.seen.append(("timer", self.now, timer.name))
        self._do(self._handlers.get("timer"), timer)


def one(
    rows: Sequence[BarRow], plan: Any, *, instrument: Instrument | None = None, handlers: Any = None, **settings: Any
) -> Machine:
    """One instrument, one Plan; run."""
    machine = Machine([(instrument or coin(), records(rows))], **settings)
    machine.seat(Plan(plan, **(handlers or {})))
    return machine.go()

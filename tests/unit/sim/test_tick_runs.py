"""Strategies on quotes and trades, through the engine and the run loop: costs, latencies, the same file on any data."""

from typing import Any

import numpy as np
from machine import NO_LIMITS, SECOND, T0, TOUCH, Machine, bars, coin, records

from lockstep.model.enums import EventKind
from lockstep.model.record import MARKET_EVENT, Records
from lockstep.run.loop import Loop
from lockstep.run.source import MergedSource, Stream
from lockstep.sim.models import Latency
from lockstep.strategy.base import Strategy


def quotes(*rows: tuple[int, int, int, int, int]) -> Records:
    """(ns after T0, bid, ask, bid quantity, ask quantity)."""
    out = np.zeros(len(rows), MARKET_EVENT)
    for k, (ts, *words) in enumerate(rows):
        out[k] = (T0 + ts, T0 + ts, k, EventKind.QUOTE, 0, 0, 0, *words, 0.0, 0)
    return out


def trades(*rows: tuple[int, int, int, int]) -> Records:
    """(ns after T0, price, quantity, aggressor)."""
    out = np.zeros(len(rows), MARKET_EVENT)
    for k, (ts, price, qty, side) in enumerate(rows):
        out[k] = (T0 + ts, T0 + ts, k, EventKind.TRADE, 0, side + 2 if side else 0, 0, price, qty, k, 0, 0.0, 0)
    return out


class Once(Strategy):
    """Buys at the first thing it sees, and leaves a reduce-only trailing stop once it has."""

    qty: int = 3

    def on_start(self) -> None:
        self.sent = False
        self.heard: list[Any] = []

    def act(self) -> None:
        if not self.sent:
            self.sent = True
            self.buy(self.qty)

    def on_bar(self, bar: Any) -> None:
        self.act()

    def on_quote(self, quote: Any) -> None:
        self.act()

    def on_trade(self, trade: Any) -> None:
        self.act()

    def on_fill(self, fill: Any) -> None:
        self.heard.append((self.now - T0, fill.price, fill.spread_cost))
        if self.position.units == self.qty:
            self.sell(self.qty, trail=2, reduce_only=True)


def run(data: Records, strategy: Strategy | None = None, **settings: Any) -> Machine:
    machine = Machine([(coin(), data)], **settings)
    machine.engine.add_strategy(strategy or Once(), "once", [0], NO_LIMITS)
    return machine.go()


QUOTES = quotes((0, 99, 101, 9, 9), (5, 99, 102, 9, 9), (9, 104, 105, 9, 9), (12, 101, 103, 2, 9), (15, 101, 104, 9, 9))


def test_quote_run_pays_half_the_spread_and_says_so_per_fill() -> None:
    machine = run(QUOTES)
    got = [(f.ts_event - T0, f.side * f.qty, f.price, f.liquidity) for f in machine.fills]
    assert got == [(0, 3, 101, "TAKER"), (12, -2, 101, "TAKER"), (15, -1, 101, "TAKER")]
    assert machine.plan.heard == [(0, 101.0, 3.0), (12, 101.0, 2.0), (15, 101.0, 1.5)]
    assert [floats[10] for _, floats in machine.fill_rows] == [3.0, 2.0, 1.5]
    assert machine.portfolio.equity() == 10_000_000


def test_same_strategy_runs_on_bars_quotes_and_trades() -> None:
    on_bars = run(records(bars(100, 100, 100, (100, 104, 100, 104), (104, 104, 101, 101))))
    on_trades = run(trades((0, 100, 9, 0), (3, 100, 9, 0), (4, 104, 9, 0), (5, 101, 9, 0), (6, 101, 9, 0)))
    for machine in (on_bars, on_trades, run(QUOTES)):
        assert machine.plan.position.units == 0
        assert sum(fill.side * fill.qty for fill in machine.fills) == 0
        assert not machine.engine.open_orders()


def test_two_runs_write_the_same_bytes() -> None:
    first, second = run(QUOTES), run(QUOTES)
    assert first.decision_rows == second.decision_rows
    assert first.fill_rows == second.fill_rows


def test_feed_latency_alone_makes_the_order_meet_the_quote_of_its_arrival() -> None:
    data = quotes((0, 99, 101, 9, 9), (5, 99, 103, 9, 9), (20, 99, 107, 9, 9))
    machine = Machine([(coin(), data)], latency=Latency(feed_ns=7))
    machine.engine.add_strategy(Once(), "once", [0], NO_LIMITS)
    source = MergedSource([Stream("A", 0, [data.copy()], 7, to_venue=False)])
    machine.engine.start(source.first_time())
    Loop(machine.engine, machine.venue, source, MergedSource([Stream("A", 0, [data.copy()])])).run_all()
    machine.engine.stop()
    assert [(f.ts_event - T0, f.price) for f in machine.fills] == [(7, 103)]


def test_response_latency_alone_delays_what_the_strategy_hears() -> None:
    machine = run(QUOTES, latency=Latency(fill_ns=4))
    assert machine.plan.heard[0] == (4, 101.0, 3.0)
    assert machine.fills[0].ts_event == T0


def test_touch_and_trades_reach_the_venue_with_their_aggressor() -> None:
    class Rest(Strategy):
        def on_trade(self, trade: Any) -> None:
            if trade.price == 100:
                self.buy(1, limit=99, post_only=True)

    data = trades((0, 100, 9, 0), (1, 101, 9, 0), (2, 99, 9, 1), (3, 99, 9, -1), (SECOND, 101, 9, 0))
    (fill,) = run(data, Rest(), fills=TOUCH).fills
    assert (fill.ts_event - T0, fill.price, fill.liquidity) == (3, 99, "MAKER")

"""Never an event from the future: strategies that try to cheat fail, and a run on shorter data decides the same."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from machine import HOUR, MINUTE, SECOND, T0, Machine, Plan, bars, coin, one, records

from lockstep import EMA, Strategy
from lockstep.engine.engine import Engine
from lockstep.model.errors import StrategyError
from lockstep.model.record import Records
from lockstep.portfolio.portfolio import Portfolio
from lockstep.sim.models import LATENCIES, Latency
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.readers import read_market_data


def test_window_and_indicators_hold_nothing_newer_than_the_bar() -> None:
    class Peeks(Strategy):
        def on_start(self) -> None:
            self.w = self.window(10)
            self.ema = self.indicator(EMA(1))
            self.found: list[bool] = []

        def on_bar(self, bar: Any) -> None:
            self.found.append(
                self.ema.value == bar.close and self.last_price() == bar.close and self.now == bar.ts_event
            )
            held = len(self.w)
            self.found.append(self.w.close(0) == bar.close if callable(self.w.close) else self.w.close[0] == bar.close)
            for index in (held, -1, 10):
                with pytest.raises((IndexError, ValueError)):
                    self.w.close(index)

    machine = Machine([(coin(), records(bars(*range(100, 120))))])
    peeks = Peeks()
    machine.seat(peeks).go()
    assert len(peeks.found) == 40
    assert all(peeks.found)


def test_other_instruments_prices_are_those_already_shown() -> None:
    seen: list[tuple[str, float, float]] = []
    machine = Machine([(coin("AAA"), records(bars(1, 2, 3))), (coin("BBB"), records(bars(10, 20, 30)))])
    plan = Plan(lambda s, bar: seen.append((bar.symbol, s.last_price("AAA"), s.last_price("BBB"))))
    machine.seat(plan, 0, 1).go()
    assert seen[0][0] == "AAA"
    assert np.isnan(seen[0][2])
    assert seen[1:] == [("BBB", 1, 10), ("AAA", 2, 10), ("BBB", 2, 20), ("AAA", 3, 20), ("BBB", 3, 30)]


@pytest.mark.parametrize(
    "cheat",
    [
        lambda s: s.set_timer("past", at=s.now - 1),
        lambda s: s.set_timer("now", at=s.now),
        lambda s: s.set_timer("float", at=float(s.now + HOUR)),
        lambda s: s.set_timer("far", at=2**63),
        lambda s: s.buy(1, limit=90, tif="GTD", expire=s.now),
        lambda s: s.buy(1, limit=90, tif="GTD", expire=s.now - HOUR),
        lambda s: s.buy(1, limit=90, tif="GTD", expire=2**63),
        lambda s: s.buy(1, limit=90, expire=s.now + HOUR),
        lambda s: s.buy(1, limit=90, signal=1),
        lambda s: s.buy(1, limit=90, signal=-1),
        lambda s: s.buy(1, limit=90, signal=0.5),
        lambda s: s.window(10),
        lambda s: s.indicator(EMA(3)),
        lambda s: s.buy(1, instrument="BBB"),
        lambda s: s.cool_down(-5),
        lambda s: s.cool_down(1.5),
        lambda s: s.target_position(1, signal=7),
        lambda s: s.signal("BUY", "sure"),
        lambda s: s.signal("BUY", 1.01),
        lambda s: s.signal("PERHAPS"),
    ],
)
def test_requests_that_reach_into_the_past_or_future_are_refused(cheat: Callable[[Any], Any]) -> None:
    def do(s: Any) -> None:
        with pytest.raises(StrategyError):
            cheat(s)
        s.seen.append("refused")

    run = one(bars(100, 101, 102), {1: do})
    assert "refused" in run.plan.seen
    assert run.decisions == []


@pytest.mark.compiled
@pytest.mark.parametrize("name", ["close_units", "ts_event", "ts_open", "instrument", "volume", "close", "anything"])
def test_bar_cannot_be_changed(name: str) -> None:
    def do(s: Any, bar: Any) -> None:
        with pytest.raises(AttributeError):
            setattr(bar, name, 1)
        s.seen.append("refused")

    assert "refused" in one(bars(100, 101), do).plan.seen


@pytest.mark.compiled
def test_account_and_orders_cannot_be_changed_through_what_a_strategy_is_given() -> None:
    def do(s: Any, bar: Any) -> None:
        order = s.buy(1, limit=50)
        for thing, name in ((order, "cum_units"), (order, "limit_units"), (s.position, "units"), (s.position, "basis")):
            with pytest.raises(AttributeError):
                setattr(thing, name, 7)
        s.seen.append("refused")

    run = one(bars(100, 101), do)
    assert "refused" in run.plan.seen


def test_kept_bars_do_not_change_later() -> None:
    kept: list[Any] = []
    one(bars(100, 101, 102), lambda _s, bar: kept.append(bar))
    assert [bar.close for bar in kept] == [100, 101, 102]


def test_no_frame_between_handler_and_run_shows_a_compiled_source() -> None:
    """What the call stack shows a handler holds no rows that were not shown yet (the loop is compiled, or is the test's)."""
    if inspect.getsourcefile(Engine) and inspect.isfunction(Engine.start):
        pytest.skip("uncompiled code hides nothing, and is for debugging")
    seen: list[str] = []

    def look(_s: Any) -> None:
        seen.extend(frame.function for frame in inspect.stack())

    one(bars(100, 101), {0: look})
    assert "look" in seen
    assert "run_all" not in seen


def test_orders_and_reports_alternate_without_overtaking() -> None:
    """on_order tells nothing before its time: every event is heard at its clock or, late, at a later one; never earlier."""
    run = one(
        bars(*([(100, 110, 90, 100)] * 30), step=MINUTE),
        lambda s, _bar: [s.buy(1, limit=95), s.sell(1, limit=105)],
        latency=LATENCIES["standard"],
    )
    clock = 0
    for row in run.decisions:
        assert row.ts >= clock
        clock = row.ts
        if row.kind not in ("submit", "cancel_request"):
            assert row.ts_event <= row.ts
    submitted = {row.id: row.ts for row in run.decisions if row.kind == "submit"}
    for row in run.decisions:
        if row.kind == "accept":
            assert 5_000_000 <= row.ts_event - submitted[row.id] < 7_000_000
    for fill in run.fills:
        assert fill.ts_event >= submitted[fill.order_id] + 5_000_000


def test_accept_times_follow_the_preset() -> None:
    """Acknowledgement 5 ms + U(0, 2 ms), fill 1 to 5 ms; the draws fill their range evenly."""
    run = one(
        bars(*([100] * 4000), step=MINUTE),
        lambda s, _bar: s.order(1 if s.k % 2 == 0 else -1),
        latency=LATENCIES["standard"],
    )
    submitted = {row.id: row.ts for row in run.decisions if row.kind == "submit"}
    acks = np.array([row.ts - submitted[row.id] for row in run.decisions if row.kind == "accept"]) / 1e6
    fills = np.array([fill.ts - fill.ts_event for fill in run.fills]) / 1e6
    assert len(acks) > 3900
    for draws, low, high in ((acks, 5.0, 7.0), (fills, 1.0, 5.0)):
        assert low <= draws.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < draws.max() < high
        counts, _ = np.histogram(draws, bins=10, range=(low, high))
        expected = len(draws) / 10
        assert ((counts - expected) ** 2 / expected).sum() < 33.7  # chi-square, 9 degrees of freedom, p = 0.0001


@pytest.mark.parametrize(
    ("name", "low", "high"), [("none", 0, 1), ("colocated", 300_000, 400_000), ("remote", 200_000_000, 200_000_001)]
)
def test_other_presets_delay_the_acknowledgement_as_they_say(name: str, low: int, high: int) -> None:
    run = one(
        bars(*([100] * 50), step=MINUTE), lambda s, _bar: s.order(1 if s.k % 2 == 0 else -1), latency=LATENCIES[name]
    )
    submitted = {row.id: row.ts for row in run.decisions if row.kind == "submit"}
    acks = [row.ts - submitted[row.id] for row in run.decisions if row.kind == "accept"]
    assert all(low <= ack < high for ack in acks)


# ---- the differ: shorter data, the same decisions; other data afterwards, the same decisions


class Busy(Strategy):
    """Uses what there is: indicators, windows, limits, stops, cancels, timers, fills and signals."""

    def on_start(self) -> None:
        self.fast = self.indicator(EMA(5))
        self.slow = self.indicator(EMA(20))
        self.w = self.window(50)
        self.n = 0

    def on_bar(self, bar: Any) -> None:
        self.n += 1
        qty = self.size(0.05)
        if not qty:
            return
        if self.n % 7 == 0:
            self.cancel()
        if self.fast.value > self.slow.value and not self.position:
            ident = self.signal("BUY", 0.7, reasoning="fast above slow")
            self.buy(qty, signal=ident)
        elif self.fast.value < self.slow.value and self.position:
            self.close()
        if self.n % 5 == 0 and len(self.open_orders) < 4:
            self.buy(qty, limit=self.round_price(bar.close * 0.995), tif="DAY")
            self.sell(qty, stop=self.round_price(bar.close * 0.99))
        if self.n % 11 == 0:
            self.set_timer("x", at=self.now + 37 * SECOND)

    def on_timer(self, timer: Any) -> None:
        if self.n % 2:
            self.cancel()
        elif self.size(0.01):
            self.buy(self.size(0.01))

    def on_fill(self, fill: Any) -> None:
        if fill.side > 0 and self.n % 3 == 0:
            self.sell(fill.qty, limit=self.round_price(fill.price * 1.004), tif="GTD", expire=self.now + 4 * HOUR)


def histories(where: Any, limit: int, **given: Any) -> list[tuple[Any, Records]]:
    found = []
    for entry in read_market_data(where, **given):
        rows = np.concatenate(list(entry.chunks()))
        found.append((entry.instrument, rows[:limit]))
    return found


def decided(data: list[tuple[Any, Records]], latency: Latency) -> list[Any]:
    machine = Machine(data, latency=latency, leverage=2.0, cash=1_000_000, queue_outside_hours=True)
    for index in range(len(data)):
        machine.seat(Busy(), index, name=f"busy{index}")
    machine.go()
    return machine.decision_rows


def check_cuts(data: list[tuple[Any, Records]], latency: Latency, cuts: list[float]) -> None:
    whole = decided(data, latency)
    assert len(whole) > 500
    clocks = np.unique(np.concatenate([rows["clock"] for _, rows in data]))
    for part in cuts:
        at = int(clocks[int(len(clocks) * part)])
        cut = decided(
            [(instrument, rows[rows["clock"] <= at]) for instrument, rows in data if rows["clock"][0] <= at], latency
        )
        known = [row for row in whole if row[0] <= at + latency.feed_ns]
        assert cut == whole[: len(cut)], f"cut at {part}"
        assert len(cut) >= len([row for row in known if row[0] < at])
        # Other real prices afterwards: each instrument's own, the other way round.
        swapped = []
        for instrument, rows in data:
            later = rows.copy()
            after = np.flatnonzero((rows["clock"] > at) & (rows["kind"] == 5))
            for name in ("p0", "p1", "p2", "p3", "volume"):
                later[name][after] = rows[name][after[::-1]]
            swapped.append((instrument, later))
        other = decided(swapped, latency)
        assert other[: len(cut)] == cut, f"swapped at {part}"
        assert other != whole


@pytest.mark.slow
@pytest.mark.parametrize("latency", ["none", "standard"])
def test_decisions_on_shipped_stocks_do_not_depend_on_what_comes_after(latency: str) -> None:
    data = [
        (instrument, rows)
        for instrument, rows in histories("us_stocks", 900)
        if instrument.symbol in ("AAPL", "IBM", "MSFT")
    ]
    check_cuts(data, LATENCIES[latency], [0.3, 0.55, 0.8])


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("latency", ["none", "standard"])
def test_decisions_on_minute_bars_do_not_depend_on_what_comes_after(data: Path, latency: str) -> None:
    pairs = []
    for name in ("btc", "eth"):
        pairs += histories(data / f"bars_1m/bitfinex_{name}usd_1m_2018.csv.gz", 1500)
    check_cuts(pairs, LATENCIES[latency], [0.25, 0.5, 0.9])


def test_market_data_is_not_reachable_from_a_seat() -> None:
    """The context a strategy holds leads to the account and its orders, not to the history."""

    class Looks(Strategy):
        def on_bar(self, bar: Any) -> None:
            for name in dir(self._seat):
                assert not isinstance(getattr(self._seat, name, None), (MarketData, np.ndarray))

    machine = Machine([(coin(), records(bars(100, 101)))])
    machine.seat(Looks()).go()
    assert isinstance(machine.portfolio, Portfolio)
    assert machine.engine.state.clock == T0 + 2 * HOUR

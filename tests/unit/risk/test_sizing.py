"""Sizes: the arithmetic, its edges, and what a strategy gets of it."""

import math
from decimal import Decimal
from typing import Any

import pytest
from bench import Bench
from hypothesis import given
from hypothesis import strategies as st
from machine import Machine, bars, coin, records

from lockstep import Strategy
from lockstep.model.errors import StrategyError, UsageError
from lockstep.risk import sizing
from lockstep.risk.limits import RiskLimits
from lockstep.run.loop import Loop

YEAR = sizing.NANOS_PER_YEAR


def test_size_is_risk_over_distance() -> None:
    assert sizing.for_risk(100_000, 0.01, 2.5) == 400.0
    assert sizing.for_equity(100_000, 0.25, 50.0) == 500.0
    assert sizing.for_volatility(100_000, 0.1, 0.2, 50.0) == 1000.0
    assert sizing.for_risk(-5.0, 0.01, 2.5) == 0.0


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_nothing_to_size_by_is_refused(value: float) -> None:
    for size in (sizing.for_risk, sizing.for_equity):
        with pytest.raises(UsageError, match="must be above 0"):
            size(1000.0, 0.1, value)
    with pytest.raises(UsageError, match="volatility was"):
        sizing.for_volatility(1000.0, 0.1, value, 1.0)


def test_volatility_of_a_known_path_is_known() -> None:
    # A year in four steps of e**+-0.1: the sum of squares is 0.04.
    closes = [100.0, 100 * math.exp(0.1), 100.0, 100 * math.exp(0.1), 100.0]
    assert sizing.annual_volatility(closes, 0, round(YEAR)) == pytest.approx(0.2)
    assert sizing.annual_volatility(closes, 0, round(YEAR / 4)) == pytest.approx(0.4)
    assert math.isnan(sizing.annual_volatility([1.0], 0, 1))
    for closes, last in (([1.0, -1.0], 1), ([1.0, 1.0], 0)):
        with pytest.raises(UsageError):
            sizing.annual_volatility(closes, 0, last)


@given(drawdown=st.floats(0.0, 1.0), limit=st.floats(0.01, 1.0), begins=st.floats(0.0, 0.99))
def test_caution_falls_from_one_to_nothing_at_the_limit(drawdown: float, limit: float, begins: float) -> None:
    scale = sizing.caution(drawdown, limit, begins)
    assert 0.0 <= scale <= 1.0
    assert scale == 0.0 if drawdown >= limit else scale > 0.0
    if drawdown <= begins * limit * (1 - 1e-9):
        assert scale == 1.0
    assert sizing.caution(drawdown + 0.1, limit, begins) <= scale


class Asks(Strategy):
    """Asks for sizes at its third bar."""

    def on_start(self) -> None:
        self.bars_seen = 0
        self.seen: dict[str, Any] = {}
        self.past = self.window(100)

    def on_bar(self, bar: Any) -> None:
        self.bars_seen += 1
        if self.bars_seen == 1:
            self.buy(50)
        if self.bars_seen == 4:
            self.seen = {
                "risk": self.size_for_risk(self.last_price() - 10, 0.01),
                "tight": self.size_for_risk(self.last_price() - 0.5, 0.01),
                "volatility": self.size_for_volatility(0.5, self.past),
                "caution": self.caution,
            }
            with pytest.raises(StrategyError, match="no distance"):
                self.size_for_risk(self.last_price(), 0.01)
            self.bare = False
            try:
                self.size_for_risk(90)
            except StrategyError:
                self.bare = True


def asked(limits: RiskLimits, *prices: int) -> Asks:
    machine = Machine([(coin(), records(bars(*prices)))], cash=10_000)
    strategy = Asks()
    machine.engine.add_strategy(strategy, "asks", [0], limits)
    source = machine.source()
    machine.engine.start(source.first_time())
    Loop(machine.engine, machine.venue, source).run_all()
    return strategy


def test_strategy_is_given_sizes_of_its_account() -> None:
    found = asked(RiskLimits(account_risk_max=Decimal("0.02")), 100, 100, 102, 100)
    assert found.seen["risk"] == 10.0  # 100 of 10,000 over a distance of 10
    assert found.seen["tight"] == 200.0
    assert found.seen["caution"] == 1.0
    closes = [100.0, 100.0, 102.0, 100.0]
    volatility = sizing.annual_volatility(closes, 0, 3 * 3600 * 10**9)
    assert found.seen["volatility"] == math.floor(10_000 * 0.5 / (volatility * 100))
    assert not found.bare


def test_account_risk_of_the_limits_caps_what_is_asked_for() -> None:
    assert asked(RiskLimits(account_risk_max=Decimal("0.005")), 100, 100, 100, 100).seen["risk"] == 5.0
    found = asked(RiskLimits(), 100, 100, 100, 100)
    assert found.bare  # neither here nor there: nothing to size by
    assert found.seen["volatility"] == 0.0  # a price that stands still


def test_lookback_of_the_limits_says_how_many_bars() -> None:
    assert asked(RiskLimits(volatility_lookback=2), 100, 130, 100, 100).seen["volatility"] == 0.0


def test_sizes_shrink_near_the_drawdown_limit() -> None:
    # 50 held from 100: at 94 the account is 3 % down, of a limit of 4 %.
    limits = RiskLimits(drawdown_max=Decimal("0.04"))
    machine_prices = (100, 100, 100, 94)
    assert asked(limits, *machine_prices).seen["caution"] == pytest.approx(0.5)


@pytest.mark.parametrize("stop", [0, -5, float("nan"), float("inf"), "soon", None, True])
def test_stop_that_is_no_price_is_refused(stop: Any) -> None:
    bench = Bench()
    bench.bar()
    with pytest.raises(StrategyError, match="size_for_risk takes"):
        bench.plan.size_for_risk(stop, 0.01)
    assert bench.plan.size_for_risk("95", 0.01) == bench.plan.size_for_risk(95.0, 0.01) == 2000.0

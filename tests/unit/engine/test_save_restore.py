"""Strategies saved in the middle of a run and restored go on as if never stopped (R186, R187 of the requirements)."""

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from machine import HOUR, T0, Machine, Plan, bars, coin, one, records

from lockstep import EMA, RSI, SMA, CrossOver, Strategy
from lockstep.engine.engine import Engine
from lockstep.engine.saved import restore_strategies, save_strategies
from lockstep.model.errors import StateError
from lockstep.portfolio.portfolio import Portfolio
from lockstep.run.loop import Loop


class Remembers(Strategy):
    """Its next decision depends on all that can be saved."""

    fast: int = 3
    cooldown_bars = 2

    def on_start(self) -> None:
        self.cross = self.indicator(CrossOver(EMA(self.fast), SMA(7)))
        self.rsi = self.indicator(RSI(5))
        self.w = self.window(16)
        self.levels = [1.0]
        self.notes: dict[str, float] = {"n": 0, "last": 0}
        self._scratch = object()
        if self.now == T0:
            self.set_timer("tick", every=timedelta(minutes=90))

    def on_bar(self, bar: Any) -> None:
        self.notes["n"] += 1
        self.notes["last"] = bar.close
        self.levels = [*self.levels[-3:], self.w.high(5) - self.w.low(5)]
        if self.cross.up or self.cross.down or self.notes["n"] % 4 == 0:
            self.signal("BUY" if self.cross.up else "SELL", round(self.rsi.value / 100, 12), target=sum(self.levels))

    def on_timer(self, timer: Any) -> None:
        self.signal("HOLD", 0.5, reasoning=f"{timer.name} {self.notes['n']}")


def advice(machine: Machine, since: int) -> list[tuple[Any, ...]]:
    return [
        (s.ts, s.action.name, s.confidence, s.target_price, s.reasoning, s.symbol)
        for s in machine.signals
        if s.ts > since
    ]


@pytest.mark.parametrize("cut", [1, 5, 9, 20, 41])
def test_restored_strategies_go_on_as_if_never_stopped(cut: int) -> None:
    rng = np.random.default_rng(7)
    walks = [[int(x) for x in 100 + np.cumsum(rng.integers(-2, 3, 60))] for _ in range(2)]
    rows = [bars(*walk) for walk in walks]
    names = ["AAA", "BBB"]
    whole = Machine([(coin(n), records(r)) for n, r in zip(names, rows, strict=True)])
    first = Machine([(coin(n), records(r[:cut])) for n, r in zip(names, rows, strict=True)])
    rest = Machine([(coin(n), records(r[cut:])) for n, r in zip(names, rows, strict=True)])
    for machine in (whole, first, rest):
        for k in (0, 1):
            machine.seat(Remembers(), k, name=f"r{k}")
    whole.go()
    first.go()
    saved = json.loads(json.dumps(save_strategies(first.engine)))
    source = rest.source()
    rest.engine.start(source.first_time())
    restore_strategies(rest.engine, saved)
    Loop(rest.engine, rest.venue, source).run_all()
    rest.engine.stop()
    since = T0 + cut * HOUR
    assert advice(rest, since) == advice(whole, since)
    assert len(advice(whole, since)) > 5


def test_saved_state_that_does_not_fit_is_refused() -> None:
    machine = Machine([(coin(), records(bars(*range(100, 120))))])
    machine.seat(Remembers(), name="r").go()
    saved = save_strategies(machine.engine)

    def other(strategy: Strategy, name: str = "r") -> Engine:
        engine = Engine(Portfolio([coin()], 1000))
        engine.add_strategy(strategy, name, [0])
        engine.start(T0)
        return engine

    with pytest.raises(StateError, match="schema version 99"):
        restore_strategies(other(Remembers()), {**saved, "schema_version": 99})
    with pytest.raises(StateError, match="saved strategies were"):
        restore_strategies(other(Remembers(), "x"), saved)
    with pytest.raises(StateError, match="other indicators or windows"):
        restore_strategies(other(Plan({})), saved)
    damaged = json.loads(json.dumps(saved))
    damaged["strategies"]["r"]["instruments"]["AAA.X"]["indicators"][0]["indicators"] = []
    with pytest.raises(StateError):
        restore_strategies(other(Remembers()), damaged)
    damaged = json.loads(json.dumps(saved))
    damaged["strategies"]["r"]["instruments"]["AAA.X"]["window"] = "00"
    with pytest.raises(StateError):
        restore_strategies(other(Remembers()), damaged)
    damaged = json.loads(json.dumps(saved))
    del damaged["strategies"]["r"]["instruments"]["AAA.X"]
    with pytest.raises(StateError, match=r"nothing of AAA\.X"):
        restore_strategies(other(Remembers()), damaged)


def test_cooldown_survives_a_restore() -> None:
    def cooled(s: Any) -> None:
        s.cool_down(3)

    first = one(bars(100, 100), {1: cooled})
    saved = save_strategies(first.engine)
    rest = Machine([(coin(), records(bars(*([100] * 5), start=T0 + 2 * HOUR)))])
    plan = Plan(lambda s, _bar: s.buy(1))
    rest.seat(plan)
    source = rest.source()
    rest.engine.start(source.first_time())
    restore_strategies(rest.engine, saved)
    Loop(rest.engine, rest.venue, source).run_all()
    rest.engine.stop()
    assert [row.kind for row in rest.decisions if row.kind in ("deny", "submit")] == [
        "deny",
        "deny",
        "submit",
        "submit",
        "submit",
    ]

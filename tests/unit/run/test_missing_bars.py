"""Several instruments of which one lacks a bar: skipped, or its last price carried."""

from collections.abc import Sequence
from typing import Any

import pytest
from machine import HOUR, MINUTE, T0, BarRow, Machine, bars, coin, records

from lockstep.features.averages import EMA
from lockstep.model.errors import UsageError
from lockstep.model.sessions import XNYS
from lockstep.run.config import BacktestConfig
from lockstep.run.loop import Loop
from lockstep.strategy.base import Strategy


class Watch(Strategy):
    trades = "all"
    wait_for_indicators = False

    def on_start(self) -> None:
        self.seen: list[tuple[Any, ...]] = []
        self.ema = self.indicator(EMA(3), "BBB")
        self.buys: dict[tuple[int, str], float] = {}

    def on_bar(self, bar: Any) -> None:
        self.seen.append(((bar.ts_event - T0) // HOUR, bar.symbol, bar.close, bar.volume, bar.is_carried))
        order = self.buys.get(((bar.ts_event - T0) // HOUR, bar.symbol))
        if order is not None:
            self.buy(order, instrument=bar.symbol)


def watched(
    first: Sequence[BarRow],
    second: Sequence[BarRow],
    *,
    carry: bool,
    buys: dict[tuple[int, str], float] | None = None,
    **rules: Any,
) -> tuple[Watch, Machine]:
    machine = Machine({coin("AAA"): records(first), coin("BBB", **rules): records(second)})
    watch = Watch()
    machine.seat(watch, 0, 1)
    source = machine.source()
    machine.engine.start(source.first_time())
    watch.buys = buys or {}
    Loop(machine.engine, machine.venue, source, None, carry).run_all()
    machine.engine.stop()
    return watch, machine


FULL = bars(100, 101, 102, 103, 104)
HOLED = [row for k, row in enumerate(bars(50, 51, 52, 53, 54)) if k not in (0, 2, 3)]


def test_a_missing_bar_is_no_event_unless_asked_for() -> None:
    watch, _ = watched(FULL, HOLED, carry=False)
    assert [row[:3] for row in watch.seen if row[1] == "BBB"] == [(2, "BBB", 51.0), (5, "BBB", 54.0)]
    assert watch.ema.count == 2


def test_a_carried_bar_repeats_the_last_price_without_volume_and_says_so() -> None:
    watch, machine = watched(FULL, HOLED, carry=True)
    found = [row for row in watch.seen if row[1] == "BBB"]
    assert found == [
        (2, "BBB", 51.0, 1000.0, False),
        (3, "BBB", 51.0, 0.0, True),
        (4, "BBB", 51.0, 0.0, True),
        (5, "BBB", 54.0, 1000.0, False),
    ]
    assert [row[0] for row in watch.seen if row[1] == "AAA"] == [1, 2, 3, 4, 5]
    assert watch.ema.count == 4
    assert machine.engine.bars == 9


def test_the_last_bar_is_carried_on_since_nobody_knows_that_it_was_the_last() -> None:
    watch, _ = watched(FULL, bars(50, 51), carry=True)
    assert [row[0] for row in watch.seen if row[1] == "BBB"] == [1, 2, 3, 4, 5]
    assert [row[4] for row in watch.seen if row[1] == "BBB"] == [False, False, True, True, True]


def test_nothing_is_filled_by_a_carried_bar() -> None:
    watch, machine = watched(FULL, HOLED, carry=True, buys={(2, "BBB"): 1})
    assert [(fill.ts_event - T0) // HOUR for fill in machine.fills] == [4]
    assert machine.fills[0].price == 54
    assert watch.position_in("BBB").qty == 1.0


def test_bars_of_another_length_are_no_reason_to_carry() -> None:
    minutes = bars(*range(60, 360), step=MINUTE)
    watch, _ = watched(minutes, bars(50, 51, 52), carry=True)
    assert [row[4] for row in watch.seen if row[1] == "BBB"] == [False] * 3


def test_a_closed_market_carries_nothing() -> None:
    opening = T0 + 13 * HOUR + 30 * MINUTE  # 9:30 in New York, 14 September 2020
    day = bars(50, 51, start=opening, step=HOUR)
    next_day = bars(52, start=opening + 24 * HOUR, step=HOUR)
    everywhere = bars(*[100] * 30, start=opening, step=HOUR)
    watch, _ = watched(everywhere, [*day, *next_day], carry=True, session=XNYS)
    carried = [row for row in watch.seen if row[4]]
    # 11:30 to 16:00, then none until the next day's bar from 9:30, which is carried from 10:30 on.
    assert [row[0] for row in carried] == [16, 17, 18, 19, 20, 39, 40, 41, 42, 43]


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(UsageError, match="missing bars 'cary'") as caught:
        BacktestConfig(missing_bars="cary")
    assert "carry" in caught.value.hint

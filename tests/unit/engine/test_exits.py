"""Exits at work: bars in, the fills that close the position out. Prices and quantities are whole, entries at 100."""

from datetime import timedelta
from typing import Any

import pytest
from machine import HOUR, T0, Machine, bars, coin, records

from lockstep import Strategy
from lockstep.engine.saved import restore_engine, save_engine
from lockstep.model.enums import CorporateAction
from lockstep.model.errors import StrategyError
from lockstep.risk.limits import RiskLimits
from lockstep.run.loop import Loop
from lockstep.strategy.exits import Exits

CASH = 1000  # ten at 100: the account is spent whole, so no exit may need buying power


class Once(Strategy):
    """Takes ten at the first bar, and leaves the rest to its exits."""

    side = 1
    exits: Any = None

    def on_start(self) -> None:
        self.taken = 0
        self.attach(type(self).exits)

    def on_bar(self, bar: Any) -> None:
        if not self.taken:
            self.taken = 1
            self.order(10 * type(self).side)


def machine_of(exits: Exits, *prices: Any, side: int = 1, cash: int = CASH) -> Machine:
    machine = Machine([(coin(), records(bars(100, *prices)))], cash=cash)
    strategy = type("Once", (Once,), {"side": side, "exits": exits})()
    machine.engine.add_strategy(strategy, "once", [0], RiskLimits())
    return machine


def closing(machine: Machine) -> list[tuple[int, int]]:
    """(quantity, price) of every fill but the first; all of them against the position, which they never turn."""
    source = machine.source()
    machine.engine.start(source.first_time())
    Loop(machine.engine, machine.venue, source).run_all()
    machine.engine.flush()
    first, *rest = machine.fills
    assert all(fill.side == -first.side for fill in rest)
    assert sum(fill.qty for fill in rest) <= first.qty
    return [(fill.qty, fill.price) for fill in rest]


def mirrored(price: Any) -> Any:
    """The same bar for a short: up is down around 100."""
    if isinstance(price, int):
        return 200 - price
    o, h, l, c = price
    return (200 - o, 200 - l, 200 - h, 200 - c)


UP, DIP = (100, 104, 100, 104), (104, 104, 101, 102)


@pytest.mark.parametrize(
    ("exits", "prices", "fills"),
    [
        (Exits(stop=5, unit="price"), [100, (100, 100, 96, 96), (96, 96, 95, 95), 95], [(10, 95)]),
        (Exits(stop=5, unit="price"), [100, (100, 100, 96, 96), 97], []),
        (Exits(stop=0.05), [100, (100, 100, 94, 94), 94], [(10, 95)]),
        (Exits(stop=5, unit="price"), [100, 90], [(10, 90)]),  # a gap: at the open
        (Exits(trail=3, unit="price"), [100, UP, (104, 108, 104, 108), (108, 108, 104, 105), 105], [(10, 105)]),
        (Exits(trail=3, unit="price"), [100, UP, DIP, 102], [(10, 101)]),
        (Exits(trail=3, stop=2, unit="price"), [100, (100, 100, 98, 98), 98], [(10, 98)]),  # the nearer of two
        (Exits(stop=5, breakeven_after=4, unit="price"), [100, UP, (104, 104, 99, 99), 99], [(10, 100)]),
        (Exits(stop=5, breakeven_after=5, unit="price"), [100, UP, (104, 104, 99, 99), 99], []),
        (Exits(take_profit=4, unit="price"), [100, (100, 105, 100, 105), 105], [(10, 104)]),
        (Exits(stop=5, take_profit=4, unit="price"), [100, (100, 105, 100, 105), 90], [(10, 104)]),
        (
            Exits(scale_out=((2, 0.33), (4, 0.5)), take_profit=6, unit="price"),
            [100, (100, 103, 100, 103), (103, 105, 103, 105), (105, 107, 105, 107), 107],
            [(3, 102), (5, 104), (2, 106)],
        ),
        (
            Exits(stop=5, scale_out=((2, 0.5),), unit="price"),
            [100, (100, 103, 100, 103), (103, 103, 94, 94), 94],
            [(5, 102), (5, 95)],
        ),
        (Exits(time_stop=2), [100, 101, 102, 103], [(10, 102)]),
        (Exits(time_stop=timedelta(hours=3)), [100, 101, 102, 103], [(10, 103)]),
    ],
)
@pytest.mark.parametrize("side", [1, -1])
def test_position_is_left_where_its_exits_say(
    exits: Exits, prices: list[Any], fills: list[tuple[int, int]], side: int
) -> None:
    shown = prices if side > 0 else [mirrored(price) for price in prices]
    expected = fills if side > 0 else [(qty, 200 - price) for qty, price in fills]
    machine = machine_of(exits, *shown, side=side)
    assert closing(machine) == expected
    assert sum(qty for qty, _ in fills) < 10 or not machine.engine.open_orders()


def test_trailing_stop_is_moved_without_a_moment_unprotected_on_a_full_account() -> None:
    exits = Exits(stop=5, trail=5, take_profit=50, unit="price")
    machine = machine_of(exits, 100, UP, (104, 110, 104, 110), (110, 120, 110, 120), (120, 120, 100, 100), 100)
    assert closing(machine) == [(10, 115)]


@pytest.mark.parametrize(("new", "old"), [(2, 1), (1, 2)])
@pytest.mark.parametrize(
    ("exits", "left_at"),
    [
        (Exits(stop=0.25), 75),
        (Exits(trail=0.25), 81),
        (Exits(stop=0.25, breakeven_after=0.06), 100),
        (Exits(scale_out=((0.5, 0.5),), stop=0.25), 75),
    ],
)
def test_split_leaves_nothing_of_old_shares_in_the_exits(new: int, old: int, exits: Exits, left_at: int) -> None:
    """108 is the best price seen; after the split the price stands still, in new shares, and then falls through every stop."""
    unit = 100  # so that every price in new shares is whole
    rows = bars(*(price * unit for price in (100, 100, 108)), *(price * unit * old // new for price in (104, 104, 10)))
    split = (rows[2].ts_end + HOUR // 2, CorporateAction.SPLIT, new, old)
    machine = Machine([(coin(), records(rows, [split]))], cash=CASH * unit)
    machine.seat(type("Once", (Once,), {"exits": exits})(), limits=RiskLimits())
    source = machine.source()
    machine.engine.start(source.first_time())
    loop = Loop(machine.engine, machine.venue, source)
    loop.run(rows[4].ts_end + 1)
    (stop,) = [order for order in machine.engine.open_orders() if order.stop_price]
    assert machine.plan.position.qty == stop.leaves == 10 * new / old  # nothing sold for a price of old shares
    assert stop.stop_price == left_at * unit * old / new
    loop.run_all()
    machine.engine.flush()
    assert [fill.side * fill.qty for fill in machine.fills] == [10, -10 * new // old]


def test_exits_go_on_after_a_restore() -> None:
    exits, prices = (
        Exits(trail=3, time_stop=50, unit="price"),
        (100, UP, (104, 108, 104, 108), (108, 108, 104, 105), 105),
    )
    whole = closing(machine_of(exits, *prices))
    first = machine_of(exits, *prices)
    source = first.source()
    first.engine.start(source.first_time())
    Loop(first.engine, first.venue, source).run(T0 + 3 * HOUR)
    kept = first.engine.seats[0].strategy.exit_state
    saved = save_engine(first.engine)
    again = machine_of(exits, *prices)
    again.engine.start(T0)
    restore_engine(again.engine, saved)
    assert again.engine.seats[0].strategy.exit_state == kept != {}
    assert whole == [(10, 105)]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "exits without any"),
        ({"stop": 0.0}, "stop of exits was 0.0"),
        ({"stop": 5.0}, "must be below 1"),
        ({"trail": float("nan")}, "trail of exits was nan"),
        ({"take_profit": 0.02, "scale_out": ((0.03, 0.5),)}, "must rise"),
        ({"scale_out": ((0.03, 0.6), (0.04, 0.6))}, "1 at most"),
        ({"scale_out": ((0.03, -0.6),)}, "above 0"),
        ({"time_stop": 0}, "time_stop"),
        ({"time_stop": True}, "time_stop"),
        ({"time_stop": timedelta()}, "time_stop"),
        ({"time_stop": 5.0}, "time_stop"),
        ({"time_stop": "5"}, "time_stop"),
        ({"stop": "0.02"}, "stop of exits was '0.02'"),
        ({"scale_out": ((0.03,),)}, "pairs of numbers"),
        ({"scale_out": (0.03, 0.5)}, "pairs of numbers"),
        ({"scale_out": ((float("inf"), 0.5),)}, "pairs of numbers"),
        ({"stop": 0.1, "unit": "ticks"}, "unit of exits"),
    ],
)
def test_exits_that_cannot_be_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(StrategyError, match=words):
        Exits(**fields)


@pytest.mark.parametrize(
    ("exits", "side"),
    [
        (Exits(stop=200, unit="price"), 1),
        (Exits(trail=101, unit="price"), 1),
        (Exits(take_profit=1.5), -1),
        (Exits(scale_out=((1.0, 0.5),)), -1),
    ],
)
def test_exit_at_a_price_that_cannot_be_is_no_order(exits: Exits, side: int) -> None:
    assert closing(machine_of(exits, 100, 101, 100, 99, side=side)) == []


def test_exits_are_attached_in_on_start_alone() -> None:
    machine = machine_of(Exits(stop=0.1))
    machine.engine.start(T0)
    with pytest.raises(StrategyError, match="on_start alone"):
        machine.engine.seats[0].strategy.attach(Exits(stop=0.1))

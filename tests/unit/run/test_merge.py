"""The merge of many streams: the total order, however many there are and however their times lie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from machine import MINUTE, T0, BarRow, Machine, Plan, coin, records

from lockstep.model.enums import CorporateAction
from lockstep.model.events import Bar

TIMES = st.lists(st.integers(1, 12), unique=True, min_size=1, max_size=6).map(sorted)


def seen_in(machine: Machine, instruments: int) -> list[tuple[int, str]]:
    plan = Plan({})
    machine.seat(plan, *range(instruments)).go()
    return [(at, symbol) for what, at, symbol in plan.seen if what == "bar"]


@given(st.lists(TIMES, min_size=1, max_size=40), st.sampled_from([1, 3, 100]))
def test_bars_of_many_streams_come_by_clock_and_then_in_the_order_given(times: list[list[int]], chunk: int) -> None:
    names = [f"S{k:02}" for k in range(len(times))]
    data = []
    for name, minutes in zip(names, times, strict=True):
        rows = [BarRow(T0 + (m - 1) * MINUTE, T0 + m * MINUTE, 100, 100, 100, 100) for m in minutes]
        data.append((coin(name), records(rows)))
    expected = sorted((T0 + m * MINUTE, name) for name, minutes in zip(names, times, strict=True) for m in minutes)
    machine = Machine(data, chunk=chunk)
    assert seen_in(machine, len(names)) == expected
    marks = [ints[0] for ints, _ in machine.equity_rows]
    assert marks == sorted({at for at, _ in expected})  # one for each clock, however many bars it has


@pytest.mark.parametrize("n", [2, 3, 16, 17, 33])
def test_action_of_the_last_stream_comes_before_the_bars_of_its_clock_of_all(n: int) -> None:
    rows = [BarRow(T0 + k * MINUTE, T0 + (k + 1) * MINUTE, 100, 100, 100, 100) for k in range(3)]
    data = [(coin(f"S{k:02}"), records(rows)) for k in range(n - 1)]
    split = (T0 + 2 * MINUTE, CorporateAction.SPLIT, 2, 1)
    data.append((coin("Z"), records(rows, [split])))
    held: list[float] = []

    def plan(strategy: Plan, bar: Bar) -> None:
        if bar.symbol == "S00":
            held.append(strategy.position_in("Z").qty)
        elif bar.symbol == "Z" and len(held) == 1:
            strategy.buy(10, instrument="Z")

    Machine(data).seat(Plan(plan), *range(n)).go()
    assert held == [0, 20, 20]  # bought at the open of the second minute, split at its end, before its bars

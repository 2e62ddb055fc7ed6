"""Trailing stops, post-only and reduce-only on bars, from what a strategy types to the records of the run."""

from typing import Any

import pytest
from machine import HOUR, T0, TOUCH, Machine, Plan, bars, coin, one, records

from lockstep.engine.records import HEAD
from lockstep.model.enums import CorporateAction, OrderFlag, OrderType
from lockstep.model.errors import InstrumentError, StrategyError
from lockstep.sim.models import BarFills, Latency


def got(run: Machine) -> list[tuple[int, int, int]]:
    return [(fill.order_id, fill.side * fill.qty, fill.price) for fill in run.fills]


def reasons(run: Machine, ident: int) -> list[tuple[str, str]]:
    return [(row.kind, row.reason) for row in run.decisions if row.id == ident]


LONG = {0: lambda s: s.buy(1), 1: lambda s: s.sell(1, trail=5)}


def test_trailing_stop_starts_at_the_first_open_it_meets_not_at_an_older_price() -> None:
    rows = bars(100, 100, (90, 90, 86, 88), (88, 88, 84, 85))
    assert got(one(rows, LONG)) == [(1, 1, 100), (2, -1, 85)]


def test_trailing_stop_of_a_bar_is_the_one_of_its_open_where_the_adverse_extreme_comes_first() -> None:
    rows = bars(100, 100, (100, 110, 96, 108), (108, 108, 106, 107))
    assert got(one(rows, LONG)) == [(1, 1, 100)]  # low first: 96 is above 95; then 110 lifts the stop to 105


def test_trailing_stop_follows_the_path_in_order_where_the_favourable_extreme_comes_first() -> None:
    rows = bars(100, 100, (100, 110, 96, 108))
    run = one(rows, LONG, fills=BarFills(participation=None, path="optimistic"))
    assert got(run) == [(1, 1, 100), (2, -1, 105)]


def test_trailing_stop_gapped_over_fills_at_the_open() -> None:
    rows = bars(100, 100, (100, 110, 99, 110), (98, 99, 97, 98))
    assert got(one(rows, LONG)) == [(1, 1, 100), (2, -1, 98)]
    assert one(rows, LONG).story(2) == ["submit", "accept", "trigger", "fill"]


def test_trailing_stop_of_a_short_follows_down() -> None:
    plan = {0: lambda s: s.sell(1), 1: lambda s: s.buy(1, trail_bps=500)}
    rows = bars(100, 100, (100, 101, 80, 82), (82, 90, 82, 88))
    assert got(one(rows, plan)) == [(1, -1, 100), (2, 1, 84)]  # 80 + 5 %


def test_post_only_is_rejected_at_the_first_open_it_would_take_at() -> None:
    plan = {0: lambda s: s.buy(1, limit=95, post_only=True)}
    run = one(bars(100, 95, 94), plan)
    assert got(run) == []
    assert reasons(run, 1)[-1] == ("reject", "POST_ONLY")
    assert not run.engine.open_orders()
    rests = one(bars(100, 100, (96, 97, 94, 95)), plan)
    assert [(fill.price, fill.liquidity) for fill in rests.fills] == [(95, "MAKER")]


def test_reduce_only_without_a_position_is_denied() -> None:
    plan = {0: lambda s: s.sell(1, reduce_only=True), 1: lambda s: s.buy(2), 3: lambda s: s.buy(1, reduce_only=True)}
    run = one(bars(100, 100, 100, 100, 100), plan)
    assert [reasons(run, ident)[-1] for ident in (1, 3)] == [("deny", "REDUCE_ONLY")] * 2
    assert got(run) == [(2, 2, 100)]


def test_reduce_only_is_cut_where_another_order_closed_first() -> None:
    plan = {0: lambda s: s.buy(3), 1: lambda s: [s.sell(2), s.sell(3, stop=90, reduce_only=True)]}
    run = one(bars(100, 100, 100, (100, 100, 85, 86)), plan)
    assert got(run) == [(1, 3, 100), (2, -2, 100), (3, -1, 90)]
    assert reasons(run, 3)[-1] == ("cancel", "REDUCE_ONLY")
    assert run.plan.position.units == 0
    assert run.portfolio.holdings[0].pending_sell == 0


def test_reduce_only_is_allowed_during_a_cooldown() -> None:
    def wait_and_close(s: Any) -> list[Any]:
        s.cool_down(5)
        return [s.sell(2, reduce_only=True)]

    run = one(bars(100, 100, 100), {0: lambda s: s.buy(1), 1: wait_and_close})
    assert got(run) == [(1, 1, 100), (2, -1, 100)]


def test_reduce_only_of_one_strategy_knows_nothing_of_anothers_position() -> None:
    machine = Machine([(coin(), records(bars(100, 100, 100, (100, 100, 85, 86))))])
    machine.seat(Plan({0: lambda s: s.buy(3)}), name="a")
    machine.seat(
        Plan({0: lambda s: s.buy(1), 1: lambda s: [s.sell(1), s.sell(1, stop=90, reduce_only=True)]}), name="b"
    )
    machine.go()
    assert [(fill.strategy, fill.side * fill.qty) for fill in machine.fills] == [(0, 3), (1, 1), (1, -1)]
    assert machine.portfolio.holdings[0].units == 3


@pytest.mark.parametrize("latency", [0, HOUR // 2])
def test_split_restates_the_trail_of_a_resting_order_and_of_one_on_its_way(latency: int) -> None:
    sent = 1 if latency == 0 else 2  # resting for a bar, or not there yet, when the split comes
    rows = bars(100, 100, 100, (50, 52, 49, 52), (50, 50, 49, 49))
    actions = [(T0 + 3 * HOUR + 1, CorporateAction.SPLIT, 2, 1)]
    machine = Machine([(coin(), records(rows, actions))], latency=Latency(entry_ns=latency))
    machine.seat(Plan({0: lambda s: s.buy(1), sent: lambda s: s.sell(1, trail=6)}))
    machine.go()
    assert got(machine) == [(1, 1, 100), (2, -2, 49)]  # 52 less 3
    assert [row.c for row in machine.decisions if row.id == 2 and row.kind == "restate"] == [3]


def test_flags_and_trail_stand_in_the_record_and_on_the_order() -> None:
    run = one(
        bars(100, 100),
        {0: lambda s: [s.buy(1, limit=90, post_only=True), s.buy(1, trail=2.0), s.buy(1, trail_bps=12.5)]},
    )
    heads = {row[3]: (row[2], row[6]) for row in run.decision_rows if row[2] & 63 == 0}
    shift, bits = HEAD["flags"]
    assert shift + bits <= 63
    read = {ident: (head >> shift & (1 << bits) - 1, head >> 8 & 7, c) for ident, (head, c) in heads.items()}
    assert read == {
        1: (OrderFlag.POST_ONLY, OrderType.LIMIT, 0),
        2: (0, OrderType.TRAILING_STOP, 2),
        3: (OrderFlag.TRAIL_PPM, OrderType.TRAILING_STOP, 1250),
    }
    first, second, third = run.plan.placed
    assert (first.post_only, first.reduce_only, first.trail, first.trail_bps) == (True, False, None, None)
    assert (second.trail, second.trail_bps, third.trail, third.trail_bps) == (2.0, None, None, 12.5)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda s: s.buy(1, post_only=True), "post_only is for limit orders"),
        (lambda s: s.buy(1, limit=90, stop=95, post_only=True), "post_only is for limit orders"),
        (lambda s: s.buy(1, limit=90, post_only=True, tif="IOC"), "post_only cannot be IOC"),
        (lambda s: s.buy(1, limit=90, post_only=1), "True or False"),
        (lambda s: s.buy(1, reduce_only="yes"), "True or False"),
        (lambda s: s.sell(1, trail=0), "above 0"),
        (lambda s: s.sell(1, trail=-2), "above 0"),
        (lambda s: s.sell(1, trail=float("nan")), "nan"),
        (lambda s: s.sell(1, trail=1, trail_bps=1), "given both"),
        (lambda s: s.sell(1, trail=1, limit=90), "neither limit= nor stop="),
        (lambda s: s.sell(1, trail_bps=50, stop=90), "neither limit= nor stop="),
        (lambda s: s.sell(1, trail_bps=0), "limit above 0"),
        (lambda s: s.sell(1, trail_bps=10_000), "limit above 0"),
        (lambda s: s.sell(1, trail_bps="0.001"), "steps of 0.01"),
        (lambda s: s.sell(1, trail_bps="wide"), "trail_bps"),
        (lambda s: s.sell(1, trail=1, tif="FOK"), "cannot be FOK"),
    ],
)
def test_impossible_order_is_refused_in_words(ask: Any, words: str) -> None:
    with pytest.raises((StrategyError, InstrumentError), match=words):
        one(bars(100, 100), {0: ask}, fills=TOUCH)

"""Hidden and iceberg orders: what of ours is shown, at the venue's book, from what a strategy types to what is recorded."""

from typing import Any

import pytest
from depth_machine import act, depth_venue
from depth_words import LEVELS, ORDERS, b, fills, full, send, t
from machine import HOUR, T0, Machine, Plan, bars, coin, one, records
from slow_depth import DepthRules

from lockstep.engine.records import DISPLAY
from lockstep.model.enums import CorporateAction
from lockstep.model.errors import InstrumentError, StrategyError
from lockstep.sim.models import Latency

SHARE = DepthRules(orders=True, queue="power")
SHARE_OF_LEVELS = DepthRules(queue="power")
REBUILT = DepthRules(queue="rebuilt")
LINE = [("ADD", 1, 99, 4, 1), ("ADD", 1, 99, 6, 2), ("ADD", -1, 101, 9, 3)]


def line(ts: int) -> tuple[Any, ...]:
    return ("book", T0 + ts, [("CLEAR", 0, 0, 0, 0), *LINE], True, True)


# ---- hidden


def test_no_trade_at_its_own_price_reaches_a_hidden_order() -> None:
    seen = [full(0), send(0, 1, limit=99, display=-1), t(1, 99, 500), b(2, ("SET", 1, 99, 0)), t(3, 99, 500)]
    assert fills(LEVELS, *seen) == []
    assert fills(LEVELS, *seen, t(4, 98, 3)) == [(1, 4, 3, 99, "maker")]


def test_hidden_order_is_filled_when_the_other_side_comes_to_it() -> None:
    seen = [full(0), send(0, 1, limit=99, display=-1)]
    come = b(1, ("SET", 1, 99, 0), ("SET", 1, 98, 0), ("SET", -1, 99, 3))
    assert fills(LEVELS, *seen, come) == [(1, 1, 3, 99, "maker")]


def test_what_shows_goes_before_an_older_order_that_does_not() -> None:
    seen = [full(0), send(0, 1, limit=99, display=-1), send(0, 2, limit=99), t(1, 98, 7)]
    assert fills(LEVELS, *seen) == [(2, 1, 5, 99, "maker"), (1, 1, 2, 99, "maker")]
    come = b(1, ("SET", 1, 99, 0), ("SET", 1, 98, 0), ("SET", -1, 99, 7))
    assert fills(LEVELS, *seen[:-1], come) == [(2, 1, 5, 99, "maker"), (1, 1, 2, 99, "maker")]


def test_execution_of_an_order_without_a_name_does_not_reach_a_hidden_one() -> None:
    seen = [line(0), send(0, 1, limit=99, display=-1), b(1, ("MATCH", 1, 99, 4, 1)), t(1, 99, 40)]
    assert fills(ORDERS, *seen) == []


# ---- icebergs


def test_next_part_of_an_iceberg_stands_behind_all_that_is_shown_and_whom_it_spared() -> None:
    joined = [full(0), send(0, 1, limit=99, display=2), b(1, ("SET", 1, 99, 16))]  # 10 ahead, 6 behind
    part = (1, 2, 2, 99, "maker")
    for told in ([t(2, 99, 12), b(2, ("SET", 1, 99, 4))], [b(2, ("SET", 1, 99, 4)), t(2, 99, 12)]):
        seen = [*joined, *told]  # of the 6, 2 were executed that ours came before: 4 are shown, 6 stand there
        assert fills(LEVELS, *seen, t(3, 99, 6)) == [part]
        assert fills(LEVELS, *seen, t(3, 99, 7)) == [part, (1, 3, 1, 99, "maker")]
        last = [b(3, ("SET", 1, 99, 0)), t(4, 99, 4)]
        assert fills(LEVELS, *seen, t(3, 99, 9), *last) == [part, (1, 3, 2, 99, "maker")]
        assert fills(LEVELS, *seen, t(3, 99, 9), *last, t(5, 99, 1))[2:] == [(1, 5, 1, 99, "maker")]
    assert fills(LEVELS, *joined, t(2, 99, 19)) == [part]  # without a display it would be all 5


@pytest.mark.parametrize("rules", [LEVELS, SHARE_OF_LEVELS, REBUILT, ORDERS], ids=lambda rules: rules.queue)
def test_next_part_of_an_iceberg_stands_behind_a_younger_order_of_ours_that_shows(rules: DepthRules) -> None:
    start = line(0) if rules.orders else full(0)
    seen = [start, send(0, 1, limit=100, qty=6, display=2), send(0, 2, limit=100, qty=3)]
    made = fills(rules, *seen, *(t(k, 100, 2) for k in range(1, 6)))
    told = [(1, 2), (2, 2), (2, 1), (1, 1), (1, 1), (1, 2)]
    spared = [(1, 2), (2, 2), (2, 1), (1, 1), (1, 1)]  # of levels nobody says that the trades met hidden orders
    assert [(ident, qty) for ident, _, qty, _, _ in made] == (told if rules.orders else spared)


def test_part_that_the_other_side_uses_up_is_followed_by_one_behind_ours_too() -> None:
    seen = [full(0), send(0, 1, limit=99, qty=6, display=2), send(0, 2, limit=99, qty=3)]
    for what in ([b(1, ("SET", 1, 99, 0), ("SET", 1, 98, 0), ("SET", -1, 99, 2))], [t(1, 98, 2)]):
        made = fills(LEVELS, *seen, *what, t(2, 98, 4))
        assert [(ident, qty) for ident, _, qty, _, _ in made] == [(1, 2), (2, 3), (1, 1)]


def test_trade_beyond_its_price_fills_all_of_an_iceberg() -> None:
    assert fills(LEVELS, full(0), send(0, 1, limit=99, display=2), t(1, 98, 30)) == [(1, 1, 5, 99, "maker")]
    seen = [full(0), send(0, 1, limit=99, display=2), t(1, 98, 3), t(2, 99, 5)]
    assert fills(LEVELS, *seen) == [(1, 1, 3, 99, "maker"), (1, 2, 1, 99, "maker")]  # a part of 2 was half filled


def test_trades_of_the_moment_the_level_was_told_are_in_what_the_next_part_stands_behind() -> None:
    seen = [full(0), send(0, 1, limit=99, display=2), b(1, ("SET", 1, 99, 4)), t(1, 99, 12), t(1, 99, 5)]
    assert fills(LEVELS, *seen) == [(1, 1, 2, 99, "maker")]
    assert fills(LEVELS, *seen, t(2, 99, 6)) == [(1, 1, 2, 99, "maker")]
    assert fills(LEVELS, *seen, t(2, 99, 7)) == [(1, 1, 2, 99, "maker"), (1, 2, 1, 99, "maker")]


def test_execution_that_used_a_part_up_is_no_cancel_ahead_of_the_next() -> None:
    seen = [line(0), send(0, 1, limit=99, display=2), b(1, ("MATCH", 1, 99, 4, 1)), b(2, ("MATCH", 1, 99, 6, 2))]
    more = [b(3, ("ADD", 1, 99, 8, 5)), b(4, ("MATCH", 1, 99, 8, 5)), b(5, ("ADD", 1, 99, 6, 6))]
    assert fills(SHARE, *seen, *more)[:1] == [(1, 4, 2, 99, "maker")]
    late = [*seen, b(3, ("ADD", 1, 99, 8, 5), ("ADD", 1, 99, 6, 6)), b(4, ("MATCH", 1, 99, 8, 5))]
    assert fills(SHARE, *late) == [(1, 4, 2, 99, "maker")]
    more = [b(5, ("MATCH", 1, 99, 6, 6)), b(6, ("ADD", 1, 99, 3, 7))]
    assert fills(SHARE, *late, *more, b(7, ("MATCH", 1, 99, 3, 7)))[1:] == [(1, 7, 1, 99, "maker")]


def test_order_that_was_executed_in_part_stands_before_the_next_part_with_what_it_has_left() -> None:
    behind = b(0, ("ADD", 1, 99, 7, 5))
    seen = [line(0), send(0, 1, limit=99, display=2), behind, b(1, ("MATCH", 1, 99, 3, 5))]
    assert fills(ORDERS, *seen) == [(1, 1, 2, 99, "maker")]
    hidden = [*seen, t(1, 99, 3)]  # the print of that execution
    ahead = 4 + 6 + 4 + 2  # of order 5 ours spared 2
    assert fills(ORDERS, *hidden, t(2, 99, ahead)) == [(1, 1, 2, 99, "maker")]
    assert fills(ORDERS, *hidden, t(2, 99, ahead + 1))[1:] == [(1, 2, 1, 99, "maker")]


def test_after_a_split_nobody_is_known_to_have_been_spared() -> None:
    venue = depth_venue(LEVELS)
    for action in (full(0), send(0, 1, limit=99, qty=12, display=2), t(1, 99, 12), t(2, 99, 12)):
        act(venue, *action)
    (order,) = venue.markets[0].resting
    assert order.spared > 0
    venue.on_split(0, T0 + 3, 2, 1)
    left = order.leaves
    act(venue, *full(4, ("SET", 1, 48, 5), ("SET", -1, 49, 3)))  # in new shares the offers have come to its price
    assert order.leaves == left - 3


# ---- what a strategy types


def story(plan: dict[int, Any]) -> Machine:
    return one(bars(100, 100, 100, 100), plan)


def test_display_qty_is_kept_with_the_order_and_recorded_before_it() -> None:
    plan = {0: lambda s: [s.buy(5, limit=90, display_qty=2), s.buy(4, limit=90, display_qty=0), s.buy(3, limit=90)]}
    run = story(plan)
    assert [order.display_qty for order in run.engine.open_orders()] == [2.0, 0.0, None]
    kinds = [(row.kind, row.id, row.a) for row in run.decisions if row.kind in ("display", "submit")]
    assert kinds == [("display", 1, 2), ("submit", 1, 5), ("display", 2, 0), ("submit", 2, 4), ("submit", 3, 3)]
    assert DISPLAY == 52


def test_leg_of_a_bracket_shows_all_and_its_parent_what_was_asked() -> None:
    run = story({0: lambda s: s.buy(5, limit=100, display_qty=2, take_profit=120)})
    assert [row.id for row in run.decisions if row.kind == "display"] == [1]


def test_display_qty_stays_through_a_replacement() -> None:
    plan = {0: lambda s: s.buy(5, limit=90, display_qty=2), 1: lambda s: s.replace(s.placed[0], qty=9) or None}
    run = story(plan)
    (order,) = run.engine.open_orders()
    assert (order.qty, order.display_qty) == (9.0, 2.0)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"display_qty": 1}, "display_qty= is for limits that rest, this one is MARKET GTC"),
        ({"limit": 99, "tif": "IOC", "display_qty": 1}, "this one is LIMIT IOC"),
        ({"limit": 99, "display_qty": 6}, "display_qty was 6, limit the order's quantity, 5"),
        ({"limit": 99, "display_qty": "some"}, "display_qty takes a number"),
        ({"limit": 99, "display_qty": float("nan")}, "display_qty takes a number"),
    ],
)
def test_what_cannot_be_shown_is_refused(typed: dict[str, Any], says: str) -> None:
    with pytest.raises(StrategyError, match=says):
        story({0: lambda s: s.buy(5, **typed)})


@pytest.mark.parametrize("shown", [0.5, -1])
def test_display_qty_is_a_quantity_of_the_instrument(shown: float) -> None:
    with pytest.raises(InstrumentError, match=r"^display_qty of .*; 0 shows nothing$"):
        story({0: lambda s: s.buy(5, limit=99, display_qty=shown)})


def test_split_scales_what_is_shown_at_the_venue_on_the_way_and_in_the_order() -> None:
    rows = bars(100, 100, 100, 50, 50)
    data = records(rows, [(T0 + 3 * HOUR + 1, CorporateAction.SPLIT, 2, 1)])
    plan = {
        0: lambda s: [s.buy(6, limit=80, display_qty=3), s.buy(6, limit=80, display_qty=0)],
        2: lambda s: s.buy(6, limit=80, display_qty=1),
    }
    machine = Machine([(coin(), data)], latency=Latency(entry_ns=HOUR // 2))
    machine.seat(Plan(plan)).go()
    orders = [(order.qty, order.display_qty) for order in machine.engine.open_orders()]
    assert orders == [(12.0, 6.0), (12.0, 0.0), (12.0, 2.0)]
    assert [order.display for order in machine.venue.markets[0].resting] == [6, -1, 2]

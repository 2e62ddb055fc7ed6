"""The minimal cases of the page on hftbacktest: what our venue makes of each, and that each is the rule it is counted under."""

import numpy as np
import pytest
from benchmarks.fills.cases import CASES, MS, T0, Case, given_of, in_ms
from benchmarks.fills.ours import lanes_of, our_fills
from benchmarks.fills.rules import SWITCHES, explained, outcomes
from benchmarks.fills.schedule import SCHEDULE
from benchmarks.fills.theirs import events_of

RULES = [case for case in CASES if case.name in SWITCHES]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_venue_fills_each_minimal_case_as_stated(case: Case) -> None:
    given = given_of(case)
    found = our_fills(given, case.model, 3.0, [range(len(given.orders))])
    assert tuple(in_ms(row) for row in found) == case.ours
    assert case.ours != case.theirs


@pytest.mark.parametrize("case", RULES, ids=[case.name for case in RULES])
def test_one_switch_of_the_plain_rules_turns_ours_into_theirs(case: Case) -> None:
    given = given_of(case)
    every = frozenset(SWITCHES)
    asked = [frozenset[str](), frozenset({case.name}), every, every - {case.name}]
    ours, one, both, without = (
        run.outcome for run in outcomes(given, [(0, switches) for switches in asked], case.model, 3.0)
    )
    stated_ours, stated_theirs = (_units(side) for side in (case.ours, case.theirs))
    assert (ours, one, both) == (stated_ours, stated_theirs, stated_theirs)
    assert without == stated_ours  # no other switch does it


def test_every_rule_has_a_minimal_case() -> None:
    assert {case.name for case in RULES} == set(SWITCHES)


def _units(side: tuple[tuple[int, int, int, int], ...] | None) -> tuple[int, int, int, int]:
    assert side is not None
    filled, first, last, price = side[0]
    return filled, T0 + first * MS if first else 0, T0 + last * MS if last else 0, price


def test_explained_says_unexplained_where_the_rules_do_not_give_our_outcome() -> None:
    case = RULES[0]
    given = given_of(case)
    ours = our_fills(given, case.model, 3.0)
    theirs = ours.copy()
    theirs["filled"] = 7  # neither side's rules fill so much
    never = np.zeros(1, bool)
    assert explained(given, ours, theirs, never, case.model, 3.0) == {0: "unexplained"}
    assert explained(given, theirs, ours, never, case.model, 3.0) == {0: "unexplained"}
    assert explained(given, ours, ours, never, case.model, 3.0) == {}


def test_an_error_there_explains_only_an_order_that_was_filled_to_its_last_lot() -> None:
    stops, beyond = (next(case for case in CASES if case.name == name) for name in ("stops", "beyond"))
    for case, said in ((stops, "stops"), (beyond, "unexplained")):
        given = given_of(case)
        ours = our_fills(given, case.model, 3.0)
        theirs = np.zeros_like(ours)
        assert explained(given, ours, theirs, np.ones(1, bool), case.model, 3.0) == {0: said}


def test_lanes_hold_orders_that_end_before_the_next_arrives() -> None:
    spans = [(0, 10), (5, 6), (7, 30), (11, 12), (31, 40)]
    orders = np.array([(send, cancel, 1, 1, 1, 0) for send, cancel in spans], SCHEDULE)
    assert lanes_of(orders) == [[0, 3, 4], [1, 2]]


def test_events_for_hftbacktest_keep_order_sides_and_decimals() -> None:
    case = next(case for case in CASES if case.name == "below_zero")
    events = events_of(given_of(case))
    buy, sell, seen = 1 << 29, 1 << 28, 1 << 31 | 1 << 30
    assert [int(ev) & ~seen for ev in events["ev"][:3]] == [3, 4 | buy, 4 | sell]
    trade = events[events["ev"] & 0xFF == 2]
    assert (int(trade["ev"][0]) & ~seen, float(trade["px"][0]), float(trade["qty"][0])) == (2 | sell, 99.5, 1.0)
    assert (np.diff(events["exch_ts"]) >= 0).all()

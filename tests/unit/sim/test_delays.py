"""Delays that were recorded: interpolated by time, apart for orders and answers, and refused where they cannot be."""

import pytest
from depth_machine import depth_venue, play_book
from depth_rules import DepthRules
from hypothesis import given
from hypothesis import strategies as st
from machine import T0
from slow_ticks import TickWish

from lockstep.model.errors import UsageError
from lockstep.run.config import BacktestConfig
from lockstep.sim.delays import RecordedDelays
from lockstep.sim.models import Latency

MEASURED = ((T0 + 100, 10, 1), (T0 + 200, 30, 3), (T0 + 300, 20, 3))


def test_delay_is_interpolated_and_ends_are_kept() -> None:
    delays = RecordedDelays(MEASURED)
    assert [delays.entry_at(T0 + at) for at in (0, 100, 150, 200, 250, 299, 300, 999)] == [
        10,
        10,
        20,
        30,
        25,
        20,
        20,
        20,
    ]
    assert [delays.answer_at(T0 + at) for at in (100, 150, 250)] == [1, 2, 3]


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=8), st.integers(0, 2**62))
def test_delay_lies_between_its_neighbours(delays: list[int], ts: int) -> None:
    rows = [(k * 2**59, delay, delay) for k, delay in enumerate(delays)]
    assert min(delays) <= RecordedDelays(rows).entry_at(ts) <= max(delays)


def test_recorded_delays_move_arrivals_and_answers() -> None:
    venue = depth_venue(DepthRules(), latency=Latency(recorded=MEASURED))
    full = ("book", T0, [("CLEAR", 0, 0, 0, 0), ("SET", -1, 101, 9, 0)], True, True)
    told, fills, _ = play_book(DepthRules(), [full, ("send", T0 + 150, 1, TickWish(side=1, qty=2))], venue)
    assert fills == [(1, T0 + 170, 2, 101, False)]
    assert told[1][0][:2] == ("ACCEPT", T0 + 170)


@pytest.mark.parametrize(
    "rows", [((5, 1, 1), (5, 1, 1)), ((-1, 1, 1),), ((5, -1, 1),), ((5, 1, 2**62),), ((2**63, 1, 1),)]
)
def test_recording_that_cannot_be_is_refused(rows: tuple[tuple[int, int, int], ...]) -> None:
    with pytest.raises(UsageError, match="recorded latency"):
        Latency(recorded=rows)


def test_recording_is_in_the_run_hash_by_its_content_and_absent_without() -> None:
    facts = [BacktestConfig(latency=Latency(recorded=rows)).facts() for rows in (MEASURED, MEASURED[:2])]
    assert facts[0]["latency"]["recorded"]["rows"] == 3
    assert facts[0] != facts[1]
    assert "recorded" not in BacktestConfig().facts()["latency"]

"""Latency as it is written: a preset, one delay, or each way by itself."""

import pytest

from lockstep.model.errors import UsageError
from lockstep.sim.models import LATENCIES, latency_from_text

MILLI = 1_000_000


def delays(text: str) -> tuple[int, int, int, int]:
    latency = latency_from_text(text)
    return latency.feed_ns, latency.entry_ns, latency.ack_ns, latency.fill_ns


def test_a_preset_is_itself() -> None:
    assert latency_from_text("remote") is LATENCIES["remote"]


def test_one_delay_is_that_of_the_order() -> None:
    assert delays("1.5ms") == (0, 1_500_000, 0, 0)


def test_each_way_is_apart_and_what_is_not_named_is_none() -> None:
    assert delays("feed=50ms,entry=200ms,ack=20ms,fill=10ms") == (50 * MILLI, 200 * MILLI, 20 * MILLI, 10 * MILLI)
    assert delays("feed=1s, fill=250us") == (1000 * MILLI, 0, 0, 250_000)


@pytest.mark.parametrize("text", ["soon", "feed=", "feed=50", "feid=50ms", "feed=1ms,feed=2ms", "entry=-1ms", "="])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="latency not understood") as caught:
        latency_from_text(text)
    assert caught.value.hint

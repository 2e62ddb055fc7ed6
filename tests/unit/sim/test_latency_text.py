"""Latency as it is written: a preset, one delay, or each way by itself."""

from decimal import Decimal

import msgspec
import pytest

from lockstep.model.errors import UsageError
from lockstep.sim.models import LATENCIES, LogNormal, latency_from_text

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


def test_a_way_is_a_sum_of_what_is_fixed_and_what_is_drawn() -> None:
    latency = latency_from_text("entry=20ms+lognormal:180ms:0.4, ack=uniform:2ms, feed=lognormal:5ms:1+1ms+uniform:3us")
    assert latency.entry_tail == LogNormal(180 * MILLI, Decimal("0.4"))
    assert (latency.entry_ns, latency.ack_ns, latency.ack_jitter_ns) == (20 * MILLI, 0, 2 * MILLI)
    assert (latency.feed_ns, latency.feed_jitter_ns, latency.feed_tail) == (
        MILLI,
        3_000,
        LogNormal(5 * MILLI, Decimal(1)),
    )
    assert latency.text == (
        "feed 1ms + uniform 3us + lognormal 5ms sigma 1, entry 20ms + lognormal 180ms sigma 0.4, ack uniform 2ms"
    )


def test_what_is_settled_later_is_named_as_it_was_written() -> None:
    assert latency_from_text("recorded").name == "recorded"
    assert latency_from_text("recorded:a/b=c.csv").name == "recorded:a/b=c.csv"
    assert latency_from_text("auto") is LATENCIES["auto"]


def test_auto_by_itself_is_standard_by_another_name() -> None:
    assert msgspec.structs.replace(LATENCIES["auto"], name="standard") == LATENCIES["standard"]


@pytest.mark.parametrize(
    "text",
    [
        "entry=lognormal:1ms",
        "entry=lognormal:1ms:x",
        "entry=lognormal:x:1",
        "entry=uniform:1",
        "entry=1ms+2ms",
        "entry=uniform:1ms+uniform:1ms",
        "entry=normal:1ms:1",
        "entry=",
    ],
)
def test_distribution_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="latency not understood"):
        latency_from_text(text)


@pytest.mark.parametrize("text", ["soon", "feed=", "feed=50", "feid=50ms", "feed=1ms,feed=2ms", "entry=-1ms", "="])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="latency not understood") as caught:
        latency_from_text(text)
    assert caught.value.hint

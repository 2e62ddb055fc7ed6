"""Lengths of bars: text to ns and back."""

import pytest

from lockstep.model.errors import UsageError
from lockstep.model.numbers import NANOS_PER_SECOND
from lockstep.model.timeframe import timeframe_ns, timeframe_text

SECONDS = {"1s": 1, "30s": 30, "1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14_400, "1d": 86_400}


@pytest.mark.parametrize(("text", "seconds"), SECONDS.items())
def test_a_timeframe_is_read_and_written_back(text: str, seconds: int) -> None:
    assert timeframe_ns(text) == seconds * NANOS_PER_SECOND
    assert timeframe_text(seconds * NANOS_PER_SECOND) == text


def test_a_timeframe_may_be_written_in_smaller_units_or_capitals() -> None:
    assert timeframe_ns("60m") == timeframe_ns("1H") == timeframe_ns(" 60min ")


@pytest.mark.parametrize("text", ["", "m", "0m", "1.5h", "7m", "2d", "1w", "-1m", "1 m", "999999s"])
def test_a_timeframe_that_does_not_divide_a_day_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        timeframe_ns(text)


def test_a_length_in_no_whole_unit_is_written_in_ns() -> None:
    assert timeframe_text(1_500_000_000) == "1500000000ns"

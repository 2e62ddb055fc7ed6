"""What is typed after an option: exact, or refused with the way to write it."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.app.cli.values import decimal_of, params_of
from lockstep.model.errors import UsageError
from lockstep.run.settings.moment import moment_ns

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-02", 86_400),
        ("2018-01-31", 1_517_356_800),
        ("2018-01-31T15:30", 1_517_412_600),
        ("2018-01-31 15:30:00Z", 1_517_412_600),
        ("2018-01-31t15:30:00z", None),
        ("2018-01-31T16:30+01:00", 1_517_412_600),
        ("2018-01-31T10:30-0500", 1_517_412_600),
        ("1969-12-31", -86_400),
    ],
)
def test_moment_is_utc_unless_a_zone_is_given(text: str, expected: int | None) -> None:
    if expected is None:
        with pytest.raises(UsageError):
            moment_ns(text, "--start")
    else:
        assert moment_ns(text, "--start") == expected * 10**9


@given(st.datetimes(timezones=ZONES))
def test_moment_of_any_iso_text_is_exact(moment: datetime) -> None:
    assert moment_ns(moment.isoformat(), "--end") == (moment - EPOCH) // timedelta(microseconds=1) * 1000


@given(st.text(max_size=30))
def test_moment_of_any_text_is_a_number_or_a_usage_error(text: str) -> None:
    with suppress(UsageError):
        assert isinstance(moment_ns(text, "--end"), int)


@pytest.mark.parametrize("text", ["2018", "20180131", "2018-W05-3", "2018-13-01", "2018-02-30", "31.1.2018", "now", ""])
def test_moment_that_is_none_or_not_plain_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--start"):
        moment_ns(text, "--start")


@pytest.mark.parametrize("text", ["", "ten", "nan", "inf", "-Infinity", "1,000", "1.2.3", "0x10"])
def test_number_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--cash must be a number"):
        decimal_of(text, "--cash")


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_number_is_read_exactly(value: Decimal) -> None:
    assert decimal_of(str(value), "--cash") == value


def test_params_keep_what_follows_the_first_equals_sign() -> None:
    assert params_of(["fast=12", " rule = a=b "]) == {"fast": "12", "rule": "a=b"}


@pytest.mark.parametrize("pairs", [["fast"], ["=1"], ["fast=1", "fast=2"]])
def test_params_without_a_name_or_given_twice_are_refused(pairs: list[str]) -> None:
    with pytest.raises(UsageError, match="--param"):
        params_of(pairs)

"""Fee schedules as text: what is written is what is charged."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.model.errors import ParseError
from lockstep.model.fees import FeeSchedule, fee_schedule_from_text


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("0.1%", FeeSchedule(maker=Decimal("0.001"), taker=Decimal("0.001"))),
        ("-0.01%/0.05%", FeeSchedule(maker=Decimal("-0.0001"), taker=Decimal("0.0005"))),
        ("0.005/share + 1/minimum", FeeSchedule(per_unit=Decimal("0.005"), minimum=Decimal(1))),
        ("0.005/unit+1/order", FeeSchedule(per_unit=Decimal("0.005"), flat=Decimal(1))),
        ("0", FeeSchedule()),
        ("none", FeeSchedule()),
    ],
)
def test_fee_text_is_understood(text: str, schedule: FeeSchedule) -> None:
    assert fee_schedule_from_text(text) == schedule


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "0.1", "0.1%/5", "1/trade", "x%", "nan%", "1/", "+", "0.1% +", "0.1% + 0.2%", "1/order + 2/order",
        "1/share + 2/unit", "-1/order", "-1/share", "-1/minimum", "inf/order", "1e999999999/order", "1_0/order", "%",
    ],
)  # fmt: skip
def test_fee_text_that_says_nothing_clear_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        fee_schedule_from_text(text)


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), 0.1, None])
def test_fee_part_that_is_no_finite_decimal_is_refused(value: Decimal) -> None:
    with pytest.raises(ParseError, match="maker"):
        FeeSchedule(maker=value)


AMOUNTS = st.decimals(min_value=0, max_value=1000, places=7)


@given(maker=st.decimals(-1, 1, places=9), taker=AMOUNTS, unit=AMOUNTS, flat=AMOUNTS, minimum=AMOUNTS)
def test_fee_schedule_round_trips_through_its_text(
    maker: Decimal, taker: Decimal, unit: Decimal, flat: Decimal, minimum: Decimal
) -> None:
    schedule = FeeSchedule(maker=maker, taker=taker, per_unit=unit, flat=flat, minimum=minimum)
    assert fee_schedule_from_text(schedule.text()) == schedule


@given(rate=AMOUNTS, times=st.fractions(0, 10, max_denominator=32))
def test_scaled_schedule_is_exact_or_refused(rate: Decimal, times: Fraction) -> None:
    exact = Fraction(rate) * times
    try:
        scaled = FeeSchedule(taker=rate).scaled(times)
    except ParseError:
        assert 10**60 % exact.denominator != 0  # a factor other than 2 and 5: no finite decimal
        return
    assert Fraction(scaled.taker) == exact

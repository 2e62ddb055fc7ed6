"""Exact or refused: every way a number gets in."""

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.model.errors import ParseError
from lockstep.model.numbers import (
    MONEY,
    UNITS_MAX,
    decimal_from_fixed,
    decimals_of,
    exact_fraction,
    fixed_from_number,
    fixed_from_text,
    text_from_fixed,
)


@pytest.mark.parametrize(
    ("text", "decimals", "units"),
    [
        ("0.29", 2, 29),
        ("100.25", 2, 10025),
        ("-0", 2, 0),
        ("-0.01", 2, -1),
        ("+7", 0, 7),
        (".5", 1, 5),
        ("5.", 1, 50),
        ("1e3", 0, 1000),
        ("1.50000000", 1, 15),
        ("9007199254740993", 0, 2**53 + 1),
    ],
)
def test_text_of_a_number_is_read_exactly(text: str, decimals: int, units: int) -> None:
    assert fixed_from_text(text, decimals) == units


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "abc",
        "NaN",
        "sNaN",
        "Infinity",
        "-inf",
        "1_000",
        " 1",
        "1 ",
        "١٢",
        "0x10",
        "1/3",
        "--1",
        "1e",
        ".",
        "1,5",
        "True",
    ],
)
def test_text_that_is_no_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(ParseError, match="not a finite decimal"):
        fixed_from_text(text, 2)
    with pytest.raises(ParseError):
        decimals_of(text)


@pytest.mark.parametrize(
    "text", ["1e400", "1e999999999", "-1e60", "1e-400", "1e-999999999", "9" * 100_000, "0." + "1" * 100_000]
)
def test_text_longer_than_the_limit_is_refused_without_the_work(text: str) -> None:
    with pytest.raises(ParseError, match="longer than 60 digits") as caught:
        fixed_from_text(text, 2)
    assert len(str(caught.value)) < 200


def test_text_finer_than_the_decimals_is_refused_with_both() -> None:
    with pytest.raises(ParseError, match=r"finer than 2 decimals: '0\.295'"):
        fixed_from_text("0.295", 2)


@pytest.mark.parametrize(
    ("value", "units"),
    [
        (0.1, 10),
        (1, 100),
        ("1.23", 123),
        (Decimal("1.20"), 120),
        (np.float64(0.29), 29),
        (np.int64(3), 300),
        (np.uint8(3), 300),
        (-0.0, 0),
    ],
)
def test_number_of_any_kind_counts_as_its_shortest_text(value: Any, units: int) -> None:
    assert fixed_from_number(value, 2) == units
    assert exact_fraction(value) == Fraction(units, 100)


@pytest.mark.parametrize(
    "value",
    [
        True, np.True_, None, [1], np.array([1.0]), np.array(["1"]), np.datetime64("2020-01-01", "ns"), object(), b"1",
        float("nan"), float("inf"), np.float64("nan"), Decimal("NaN"), 10**400, 1e-300, 3 + 0j,
    ],
)  # fmt: skip
def test_number_that_is_none_is_refused_by_name(value: Any) -> None:
    for read in (lambda: fixed_from_number(value, 2, "price"), lambda: exact_fraction(value, "price")):
        with pytest.raises(ParseError, match=r"^price "):
            read()


def test_reading_does_not_depend_on_the_context_of_the_thread() -> None:
    digits = "0.1234567890123456789012345678901234"
    with localcontext() as context:
        context.prec = 5
        assert decimals_of(digits) == 34
        assert fixed_from_text("123456.789", 3) == 123456789
        assert fixed_from_number(Decimal("123456.789"), 3) == 123456789


@pytest.mark.parametrize(("text", "decimals"), [("1.500", 1), ("2e3", 0), ("100", 0), ("0.00", 0), ("1e-3", 3)])
def test_decimals_of_strips_trailing_zeros(text: str, decimals: int) -> None:
    assert decimals_of(text) == decimals


@given(units=st.integers(-(10**40), 10**40), decimals=st.integers(0, 15))
def test_fixed_text_and_decimal_round_trip(units: int, decimals: int) -> None:
    assert fixed_from_text(text_from_fixed(units, decimals), decimals) == units
    assert fixed_from_number(decimal_from_fixed(units, decimals), decimals) == units


@given(units=st.integers(-UNITS_MAX, UNITS_MAX), decimals=st.integers(0, 15))
def test_float_of_units_is_correctly_rounded_and_gives_them_back_up_to_two_to_the_52(units: int, decimals: int) -> None:
    value = units / 10.0**decimals
    assert value == float(Fraction(units, 10**decimals))
    if abs(units) <= 2**52:
        assert round(Fraction(value) * 10**decimals) == units


def test_float_of_units_near_the_maximum_may_be_shared_by_two_counts() -> None:
    assert 9007199254740990 / 10.0**15 == 9007199254740989 / 10.0**15


@given(
    value=st.floats(allow_nan=False, allow_infinity=False, min_value=-1e20, max_value=1e20).filter(
        lambda x: x == 0 or abs(x) > 1e-20
    )
)
def test_float_is_read_as_its_shortest_text(value: float) -> None:
    assert float(exact_fraction(value)) == value


def test_money_context_traps_rounding_and_floats() -> None:
    with pytest.raises(ArithmeticError):
        MONEY.divide(Decimal(1), Decimal(3))
    with pytest.raises(ArithmeticError):
        MONEY.create_decimal(0.1)

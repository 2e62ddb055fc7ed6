"""Typed parameters: declared once, checked wherever they come from."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.model.errors import StrategyError
from lockstep.strategy.base import Strategy
from lockstep.strategy.params import param


class Typed(Strategy):
    fast: int = param(10, ge=1, le=500, doc="fast period")
    weight: float = 0.5
    both: bool = False
    mode: str = param("calm", choices=("calm", "bold"))
    fee: Decimal = Decimal("0.1")
    names: list[str] = []  # noqa: RUF012 - an ordinary attribute: what a user may write
    limit: int | None = None

    def on_bar(self, bar: Any) -> None:
        """Nothing."""


def test_parameters_are_the_annotated_attributes_of_known_kinds() -> None:
    assert [(entry.name, entry.type_name, entry.default) for entry in Typed.parameters.values()] == [
        ("fast", "int", 10), ("weight", "float", 0.5), ("both", "bool", False), ("mode", "str", "calm"),
        ("fee", "Decimal", Decimal("0.1")),
    ]  # fmt: skip
    assert Typed.parameters["fast"].doc == "fast period"
    made: Any = Typed()
    assert (made.fast, made.weight, made.both, made.mode, made.fee, made.names) == (
        10,
        0.5,
        False,
        "calm",
        Decimal("0.1"),
        [],
    )


@pytest.mark.parametrize(
    ("name", "given_", "value"),
    [
        ("fast", "20", 20), ("fast", 20, 20), ("fast", np.int64(20), 20), ("weight", "0.25", 0.25), ("weight", 1, 1.0),
        ("weight", "1e-3", 0.001), ("weight", np.float64(0.5), 0.5), ("weight", Decimal("0.5"), 0.5), ("both", "Yes", True),
        ("both", "off", False), ("both", "1", True), ("both", True, True), ("mode", "bold", "bold"), ("fee", "0.10", Decimal("0.1")),
        ("fee", 0.1, Decimal("0.1")), ("fee", 3, Decimal(3)),
    ],
)  # fmt: skip
def test_value_or_text_becomes_the_parameters_type(name: str, given_: Any, value: Any) -> None:
    found = getattr(Typed(**{name: given_}), name)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "given_"),
    [
        ("fast", "ten"), ("fast", "10.0"), ("fast", 10.0), ("fast", 10.9), ("fast", True), ("fast", None), ("fast", "9" * 5000),
        ("fast", Decimal(10)), ("weight", "nan"), ("weight", "inf"), ("weight", float("nan")), ("weight", "1e400"), ("weight", ""),
        ("weight", True), ("weight", [1]), ("both", "maybe"), ("both", 1), ("mode", 1), ("fee", "NaN"), ("fee", "x"),
        ("fee", Decimal("NaN")), ("fee", Decimal("Infinity")), ("fee", False),
    ],
)  # fmt: skip
def test_value_that_does_not_fit_is_refused_by_name(name: str, given_: Any) -> None:
    with pytest.raises(StrategyError, match=f"parameter {name} "):
        Typed(**{name: given_})


@pytest.mark.parametrize(("value", "fits"), [(0, False), (1, True), (500, True), (501, False)])
def test_limits_are_inclusive(value: int, fits: bool) -> None:
    if fits:
        assert getattr(Typed(fast=value), "fast") == value  # noqa: B009 - set by the constructor
    else:
        with pytest.raises(StrategyError, match="minimum 1" if value < 1 else "maximum 500"):
            Typed(fast=value)


def test_misspelt_name_or_choice_is_answered_with_the_nearest() -> None:
    with pytest.raises(StrategyError, match="Typed has no parameter 'fats'") as caught:
        Typed(fats=3)
    assert caught.value.hint == "did you mean 'fast'?"
    with pytest.raises(StrategyError) as caught:
        Typed(mode="bald")
    assert caught.value.hint == "did you mean 'bold'?"

    class Bare(Strategy):
        """Takes nothing."""

    with pytest.raises(StrategyError) as caught:
        Bare(fast=1)
    assert caught.value.hint == "it takes no parameters"


def test_subclass_keeps_limits_and_changes_defaults_with_or_without_annotation() -> None:
    class Child(Typed):
        fast = 20
        weight: float = 0.75
        slow: int = 30

    made: Any = Child()
    assert (made.fast, made.weight, made.slow) == (20, 0.75, 30)
    assert list(Child.parameters) == ["fast", "weight", "both", "mode", "fee", "slow"]
    with pytest.raises(StrategyError, match="maximum 500"):
        Child(fast=501)
    assert Typed.parameters["fast"].default == 10
    with pytest.raises(StrategyError, match="Worse: default of parameter fast"):
        type("Worse", (Typed,), {"fast": 1000})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"__annotations__": {"fast": int}, "fast": "ten"}, "default of parameter fast must be int"),
        ({"__annotations__": {"fast": int}, "fast": True}, "default of parameter fast must be int"),
        ({"__annotations__": {"fast": int}, "fast": param(10, ge=11)}, "minimum 11"),
        ({"fast": param(10)}, "parameter fast needs the annotation"),
        ({"__annotations__": {"fast": "int | None"}, "fast": param(10)}, "parameter fast needs the annotation"),
        ({"__annotations__": {"mode": str}, "mode": param("a", ge=1)}, "ge= and le= are for numbers"),
        ({"__annotations__": {"size": float}, "size": 0.5}, "parameter size would hide Strategy.size"),
        ({"__annotations__": {"cash": float}, "cash": 0.5}, "parameter cash would hide Strategy.cash"),
        ({"trades": "some"}, "trades was 'some'"),
        ({"cooldown_bars": -1}, "cooldown_bars was -1"),
        ({"cooldown_bars": True}, "cooldown_bars was True"),
        ({"cooldown_bars": 1.5}, "cooldown_bars was 1.5"),
        ({"wait_for_indicators": "no"}, "wait_for_indicators was 'no'"),
    ],
)
def test_declaration_that_cannot_hold_is_refused_when_the_class_is_made(body: dict[str, Any], words: str) -> None:
    with pytest.raises(StrategyError, match=words.replace("|", r"\|")):
        type("Odd", (Strategy,), body)


def test_limits_that_no_value_meets_are_refused() -> None:
    with pytest.raises(StrategyError, match="at least 5 and at most 4"):
        param(1, ge=5, le=4)


def test_annotation_that_does_not_resolve_leaves_the_others_alone() -> None:
    cls: Any = type(
        "Loose", (Strategy,), {"__annotations__": {"fast": "int", "book": "NoSuchType"}, "fast": 5, "book": None}
    )
    assert list(cls.parameters) == ["fast"]
    assert cls().fast == 5


@given(value=st.integers(1, 500))
def test_int_round_trips_through_the_command_line(value: int) -> None:
    assert getattr(Typed(fast=str(value)), "fast") == value  # noqa: B009


@given(value=st.floats(-1e50, 1e50, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-40))
def test_float_round_trips_through_the_command_line(value: float) -> None:
    assert getattr(Typed(weight=repr(value)), "weight") == value  # noqa: B009

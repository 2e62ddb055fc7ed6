"""What an error advises."""

from typing import Any

import pytest

from lockstep.model.errors import StrategyError, hint_for
from lockstep.strategy.base import Strategy


class Few:
    bid = 1.0
    ask = 2.0
    _inner = 3.0


def raised(obj: Any, name: str) -> AttributeError:
    with pytest.raises(AttributeError) as seen:
        getattr(obj, name)
    return seen.value


def test_misspelt_attribute_is_told_the_name_it_is_near_to() -> None:
    assert hint_for(raised(Few(), "bids")) == "did you mean 'bid'?"
    assert hint_for(raised(Strategy, "sel")) == "did you mean 'sell'?"


def test_attribute_near_to_none_is_told_the_few_there_are_and_of_many_where_to_look() -> None:
    assert hint_for(raised(Few(), "quantity")) == "known: ask, bid"
    assert hint_for(raised(Strategy, "qqqqqq")) == "--traceback shows where"


def test_own_hint_comes_first_and_other_errors_say_where_to_look() -> None:
    assert hint_for(StrategyError("no", hint="do this")) == "do this"
    assert hint_for(ZeroDivisionError("x")) == "--traceback shows where"
    assert hint_for(AttributeError("raised by hand")) == "--traceback shows where"

"""How orders on books fared, from their tables."""

from typing import Any

import numpy as np
import pytest

from lockstep.analytics.execution import fill_rates, mark_outs, messages_a_fill

NAN = float("nan")


def placements(*rows: tuple[float, float, float, float]) -> dict[str, Any]:
    """(ticks behind, ahead, quantity, filled)."""
    columns = zip(*rows, strict=True) if rows else ((), (), (), ())
    return {
        name: np.array(column) for name, column in zip(("ticks_behind", "ahead", "qty", "filled"), columns, strict=True)
    }


def test_placements_are_counted_at_their_distance() -> None:
    behind = (-7, -1, 0, 1, 2, 3, 4, 5, 6, 1000, NAN)
    rates = {rate.distance: rate.placements for rate in fill_rates(placements(*((at, 1, 1, 0) for at in behind)))}
    assert rates == {"improving": 2, "at best": 1, "1 tick": 1, "2 ticks": 1, "3-5 ticks": 3, ">5 ticks": 2}


def test_fill_rate_is_of_placements_and_of_quantity() -> None:
    rate = fill_rates(placements((0, 10, 4, 4), (0, 20, 4, 1), (0, 60, 8, 0), (1, 5, 1, 0)))[1]
    assert (rate.placements, rate.touched, rate.share) == (3, 2, 5 / 16)
    assert (rate.ahead_filled, rate.ahead_unfilled) == (15.0, 60.0)


def test_distance_without_placements_has_no_rate() -> None:
    assert {(rate.placements, rate.share, rate.ahead_filled) for rate in fill_rates(placements())} == {(0, None, None)}


def marks(*rows: tuple[str, str, float, float, float, float]) -> dict[str, Any]:
    """(symbol, liquidity, quantity, after 1 s, 5 s, 15 s)."""
    names = ("symbol", "liquidity", "qty", "after_1s", "after_5s", "after_15s")
    columns: Any = zip(*rows, strict=True) if rows else [()] * len(names)
    return {
        name: np.array(list(column), None if k > 1 else object)
        for k, (name, column) in enumerate(zip(names, columns, strict=True))
    }


def test_mark_outs_are_weighed_by_quantity_and_leave_out_what_is_unknown() -> None:
    table = marks(("A", "maker", 1, -2.0, 0.5, NAN), ("A", "maker", 3, 2.0, NAN, NAN), ("A", "taker", 1, 1.0, 1.0, 1.0))
    found = {(one.liquidity, one.horizon_s): one for one in mark_outs(table, {"A": 0.5}, {"A": 10.0})}
    assert [(key, one.fills, one.price) for key, one in found.items()] == [
        (("maker", 1), 2, 1.0), (("maker", 5), 1, 0.5), (("maker", 15), 0, None),
        (("taker", 1), 1, 1.0), (("taker", 5), 1, 1.0), (("taker", 15), 1, 1.0),
    ]  # fmt: skip
    assert (found["maker", 1].ticks, found["maker", 1].money) == (2.0, 40.0)
    assert (found["maker", 15].ticks, found["maker", 15].money) == (None, None)


def test_mark_outs_are_apart_by_symbol_and_have_no_money_where_contracts_are_not_worth_their_price() -> None:
    table = marks(("B", "maker", 1, 1.0, 1.0, 1.0), ("A", "maker", 2, 4.0, 4.0, 4.0))
    found = mark_outs(table, {"A": 1.0, "B": 0.1}, {"A": None, "B": 1.0})
    assert [(one.symbol, one.ticks, one.money) for one in found if one.horizon_s == 1] == [
        ("A", 4.0, None),
        ("B", pytest.approx(10), 1.0),
    ]


def test_no_fills_have_no_mark_outs_and_no_ratio() -> None:
    assert mark_outs(marks(), {}, {}) == []
    assert messages_a_fill(7, 0) is None
    assert messages_a_fill(7, 2) == 3.5

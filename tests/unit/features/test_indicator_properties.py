"""Invariants of every indicator, over generated bars (no market is meant by them)."""

import copy
import json
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockstep.features import (
    ATR,
    EMA,
    RSI,
    SMA,
    Close,
    CrossOver,
    Highest,
    Indicator,
    IndicatorSet,
    Lowest,
    Volume,
)
from lockstep.features.batch import column

Bar = tuple[float, float, float, float]  # high, low, close, volume

MAKERS: dict[str, Callable[[int], Indicator]] = {
    "sma": SMA,
    "ema": EMA,
    "rsi": RSI,
    "atr": ATR,
    "highest": Highest,
    "lowest": Lowest,
    "close": lambda _: Close(),
    "volume_sma": lambda n: SMA(n, of=Volume()),
    "ema_of_rsi": lambda n: EMA(n, of=RSI(n)),
    "highest_of_sma": lambda n: Highest(n, of=SMA(n)),
    "cross_price_sma": lambda n: CrossOver(Close(), SMA(n)),
    "cross_two_emas": lambda n: CrossOver(EMA(n), EMA(2 * n)),
    "cross_rsi_level": lambda n: CrossOver(RSI(n), 50),
    "cross_volume": lambda n: CrossOver(Volume(), EMA(n, of=Volume())),
}
every_kind = pytest.mark.parametrize("kind", MAKERS)


@st.composite
def bars(draw: st.DrawFn, least: int = 0, most: int = 60) -> list[Bar]:
    price = st.floats(0.01, 1e6).map(lambda x: round(x, 2))
    # Real volumes: nothing below a billionth of a unit. Far smaller ones would drown in the last bit of larger ones.
    volume = st.just(0.0) | st.floats(1e-9, 1e9)
    spread = st.sampled_from([0.0, 0.01, 0.25, 3.0])
    one = st.tuples(price | st.sampled_from([10.0, 11.0, 12.0]), spread, spread, volume)
    rows = draw(st.lists(one, min_size=least, max_size=most))
    return [(close + up, close - down, close, volume) for close, up, down, volume in rows]


def push_all(driven: IndicatorSet, rows: list[Bar]) -> None:
    for high, low, close, volume in rows:
        driven.push(close, high, low, volume)


def same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


@every_kind
@settings(max_examples=25, deadline=None)
@given(period=st.integers(1, 9), rows=bars())
def test_indicator_is_ready_exactly_at_its_warmup_bar(kind: str, period: int, rows: list[Bar]) -> None:
    indicator = MAKERS[kind](period)
    driven = IndicatorSet([indicator])
    for i, row in enumerate(rows, 1):
        push_all(driven, [row])
        assert indicator.count == i
        assert indicator.ready == (i >= indicator.warmup)
        assert math.isnan(indicator.value) == (not indicator.ready)


@every_kind
@settings(max_examples=25, deadline=None)
@given(period=st.integers(1, 9), rows=bars())
def test_batch_has_the_bits_of_streaming(kind: str, period: int, rows: list[Bar]) -> None:
    indicator = MAKERS[kind](period)
    driven = IndicatorSet([indicator])
    streamed = []
    for row in rows:
        push_all(driven, [row])
        streamed.append(indicator.value)
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    table.flags.writeable = False
    high, low, close, volume = (table[:, i] for i in range(4))
    batched = column(MAKERS[kind](period), close, high, low, volume)
    assert batched.tobytes() == np.array(streamed, dtype=np.float64).tobytes()


@every_kind
@settings(max_examples=25, deadline=None)
@given(period=st.integers(1, 9), rows=bars(), data=st.data())
def test_saved_state_continues_bit_for_bit(kind: str, period: int, rows: list[Bar], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(rows)))
    whole, first, second = (IndicatorSet([MAKERS[kind](period)]) for _ in range(3))
    push_all(whole, rows)
    push_all(first, rows[:cut])
    push_all(second, rows[cut:])  # a state of its own, to be replaced
    second.restore(json.loads(json.dumps(first.save(), allow_nan=False)))
    third = IndicatorSet([copy.deepcopy(first.ordered[-1])])
    for resumed in (second, third):
        push_all(resumed, rows[cut:])
        assert same(resumed.ordered[-1].value, whole.ordered[-1].value)
        assert resumed.save() == whole.save()


def rescaled_and_adjusted(
    kind: str, period: int, rows: list[Bar], cut: int, factor: float
) -> list[tuple[float, float]]:
    """Values at `cut` and after: of an indicator rescaled there, and of one whose past was adjusted beforehand."""
    raw, adjusted = IndicatorSet([MAKERS[kind](period)]), IndicatorSet([MAKERS[kind](period)])
    push_all(raw, rows[:cut])
    raw.rescale(factor, 1 / factor)
    push_all(adjusted, [(h * factor, lo * factor, c * factor, v / factor) for h, lo, c, v in rows[:cut]])
    pairs = [(raw.ordered[-1].value, adjusted.ordered[-1].value)]
    for row in rows[cut:]:
        push_all(raw, [row])
        push_all(adjusted, [row])
        pairs.append((raw.ordered[-1].value, adjusted.ordered[-1].value))
    return pairs


@every_kind
@settings(max_examples=30, deadline=None)
@given(period=st.integers(1, 9), rows=bars(), halve=st.booleans(), data=st.data())
def test_split_rescaled_indicator_has_the_bits_of_one_fed_the_adjusted_past(
    kind: str, period: int, rows: list[Bar], halve: bool, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(rows)))
    for got, expected in rescaled_and_adjusted(kind, period, rows, cut, 0.5 if halve else 2.0):
        assert same(got, expected)


@pytest.mark.parametrize("kind", [kind for kind in MAKERS if not kind.startswith("cross")])
@settings(max_examples=30, deadline=None)
@given(period=st.integers(1, 9), rows=bars(), factor=st.sampled_from([0.99, 1 / 3, 1 / 7, 28.1]), data=st.data())
def test_dividend_rescaled_indicator_is_near_one_fed_the_adjusted_past(
    kind: str, period: int, rows: list[Bar], factor: float, data: st.DataObject
) -> None:
    # An adjusted price is rounded, and a change between two of them is off by as much: against a change of a cent at a
    # price of 1e6 that shows. Averages and extremes have no differences in them.
    slack = 1e-6 if "rsi" in kind else 1e-6 * 1e-2 if kind == "atr" else 0.0
    # An average that comes down from a high price to a cent still carries the rounding of the high one.
    slack += 1e-14 * max((high for high, *_ in rows), default=0.0) * max(1.0, factor)
    cut = data.draw(st.integers(0, len(rows)))
    for got, expected in rescaled_and_adjusted(kind, period, rows, cut, factor):
        assert same(got, expected) or math.isclose(got, expected, rel_tol=1e-12, abs_tol=slack)


@settings(max_examples=60, deadline=None)
@given(period=st.integers(1, 9), rows=bars(least=1))
def test_indicator_values_stay_within_their_bounds(period: int, rows: list[Bar]) -> None:
    sma, ema, rsi, atr, highest, lowest = (
        SMA(period),
        EMA(period),
        RSI(period),
        ATR(period),
        Highest(period),
        Lowest(period),
    )
    driven = IndicatorSet([sma, ema, rsi, atr, highest, lowest])
    for i, row in enumerate(rows):
        push_all(driven, [row])
        recent = rows[max(0, i - period + 1) : i + 1]
        closes = [close for _, _, close, _ in recent]
        if sma.ready:
            assert min(closes) <= sma.value <= max(closes)
            assert highest.value == max(high for high, _, _, _ in recent)
            assert lowest.value == min(low for _, low, _, _ in recent)
            past = [close for _, _, close, _ in rows[: i + 1]]
            slack = 1e-12 * max(past)  # what a step is rounded by is a part of the largest number in it
            assert min(past) - slack <= ema.value <= max(past) + slack
        if rsi.ready:
            assert 0.0 <= rsi.value <= 100.0
            assert atr.value >= 0.0


@settings(max_examples=60, deadline=None)
@given(period=st.integers(1, 30), closes=st.lists(st.floats(-1e12, 1e12), min_size=30, max_size=90))
def test_sma_is_the_exactly_rounded_mean(period: int, closes: list[float]) -> None:
    values = SMA.batch(np.array(closes), period)
    for i in range(period - 1, len(closes)):
        exact = math.fsum(closes[i - period + 1 : i + 1]) / period
        assert abs(values[i] - exact) <= math.ulp(exact) + 1e-19


@every_kind
@settings(max_examples=10, deadline=None)
@given(rows=bars(least=1))
def test_reset_indicator_equals_a_fresh_one(kind: str, rows: list[Bar]) -> None:
    used, fresh = IndicatorSet([MAKERS[kind](3)]), IndicatorSet([MAKERS[kind](3)])
    push_all(used, rows)
    used.reset()
    assert used.save() == fresh.save()
    push_all(used, rows)
    push_all(fresh, rows)
    assert used.save() == fresh.save()


def test_copied_indicator_shares_no_state_with_the_original() -> None:
    cross = CrossOver(Close(), SMA(2))
    twin = copy.deepcopy(cross)
    IndicatorSet([twin]).push(1.0)
    assert (cross.count, twin.count, twin.a.count) == (0, 1, 1)


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("rsi", "RSI(5)"),
        ("close", "Close()"),
        ("volume_sma", "SMA(5, Volume())"),
        ("cross_rsi_level", "CrossOver(RSI(5), Level(50.0))"),
    ],
)
def test_indicator_repr_is_the_call_that_makes_it(kind: str, shown: str) -> None:
    assert repr(MAKERS[kind](5)) == shown

"""What indicators refuse, and that a refusal changes nothing."""

import json
import math
import subprocess
import sys
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

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
    Level,
    Lowest,
    Volume,
    resolve,
)
from lockstep.features.base import SeriesIndicator
from lockstep.features.batch import column

PERIODIC = [SMA, EMA, RSI, ATR, Highest, Lowest]


@pytest.mark.parametrize("kind", PERIODIC)
@pytest.mark.parametrize("period", [3.9, 3.0, "3", None, True, Decimal(3), [3]])
def test_period_that_is_not_a_whole_number_is_refused(kind: Any, period: Any) -> None:
    with pytest.raises(TypeError, match="period must be a whole number, was"):
        kind(period)


@pytest.mark.parametrize("kind", PERIODIC)
@pytest.mark.parametrize("period", [0, -1, 10_001, 2**70])
def test_period_out_of_range_is_refused_with_the_range(kind: Any, period: int) -> None:
    with pytest.raises(ValueError, match=f"period must be from 1 to 10000, was {period}"):
        kind(period)


@pytest.mark.parametrize("kind", PERIODIC)
def test_period_as_numpy_integer_and_at_its_limits_is_accepted(kind: Any) -> None:
    assert kind(np.int64(20)).period == 20
    assert kind(1).warmup in (1, 2)
    assert kind(10_000).warmup in (10_000, 10_001)


@pytest.mark.parametrize("of", [5, "close", SMA])
def test_of_that_is_not_an_indicator_is_refused(of: Any) -> None:
    with pytest.raises(TypeError, match="of"):
        SMA(20, of=of)


@pytest.mark.parametrize("base", [Indicator, SeriesIndicator])
def test_base_class_itself_is_refused_with_what_to_use(base: Any) -> None:
    with pytest.raises(TypeError, match="construct SMA"):
        base(5)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 10**400])
def test_push_of_a_close_that_is_not_finite_is_refused_and_changes_nothing(bad: Any) -> None:
    sma = SMA(2)
    sma.push(1.0)
    before = sma.save()
    with pytest.raises(ValueError, match="close"):
        sma.push(bad)
    assert sma.save() == before


@pytest.mark.parametrize("bad", ["1.0", b"1", None, [1.0], 1j])
def test_push_of_a_close_that_is_not_a_number_is_refused(bad: Any) -> None:
    with pytest.raises(TypeError, match="close must be a number, was"):
        SMA(2).push(bad)


def test_push_takes_ints_numpy_scalars_and_decimals_as_floats() -> None:
    assert [SMA(1).push(x) for x in (3, np.float32(3), np.int8(3), Decimal(3))] == [3.0] * 4


def test_push_of_a_contradictory_or_incomplete_bar_is_refused() -> None:
    atr = ATR(2)
    for arguments, message in [
        ((1.0,), r"ATR\(2\) needs high and low"),
        ((1.0, 2.0), "needs high and low"),
        ((3.0, 2.0, 1.0), "low <= close <= high"),
        ((1.5, 1.0, 2.0), "low <= close <= high"),
        ((1.5, 2.0, 1.0, -1.0), "volume must not be negative, was -1.0"),
        ((1.5, 2.0, 1.0, math.nan), "volume must be finite"),
        ((1.5, math.inf, 1.0), "high must be finite"),
    ]:
        with pytest.raises(ValueError, match=message):
            atr.push(*arguments)
    with pytest.raises(ValueError, match=r"Volume\(\) needs the volume"):
        Volume().push(1.0)
    with pytest.raises(ValueError, match=r"Highest\(3\) needs high and low"):
        Highest(3).push(1.0)
    assert atr.count == 0


def test_push_before_the_inputs_or_twice_is_refused() -> None:
    close, sma = Close(), SMA(2)
    cross = CrossOver(close, sma)
    with pytest.raises(ValueError, match=r"at bar 1 but its input Close\(\) has seen 0"):
        cross.push(1.0)
    close.push(1.0)
    sma.push(1.0)
    cross.push(1.0)
    sma.push(1.0)
    close.push(1.0)
    close.push(1.0)
    with pytest.raises(ValueError, match=r"at bar 2 but its input Close\(\) has seen 3"):
        cross.push(1.0)


@pytest.mark.parametrize("factor", [0.0, -1.0, math.nan, math.inf])
def test_rescale_by_a_factor_not_above_zero_is_refused(factor: float) -> None:
    for driven in (SMA(2), IndicatorSet([SMA(2)])):
        with pytest.raises(ValueError, match="price_factor"):
            driven.rescale(factor)
        with pytest.raises(ValueError, match="volume_factor"):
            driven.rescale(1.0, factor)
    with pytest.raises(TypeError, match="price_factor must be a number"):
        SMA(2).rescale("half")  # type: ignore[arg-type]


def test_crossover_of_nothing_sensible_is_refused() -> None:
    with pytest.raises(TypeError, match="level must be a number"):
        CrossOver(SMA(2), "50")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="level must be finite"):
        CrossOver(SMA(2), math.nan)
    sma = SMA(2)
    with pytest.raises(ValueError, match="itself"):
        CrossOver(sma, sma)


def filled(indicator: Indicator, bars: int = 7) -> Indicator:
    driven = IndicatorSet([indicator])
    for i in range(bars):
        driven.push(10.0 + i % 3, 20.0, 5.0 - i, 100.0)
    return indicator


def test_restore_into_another_kind_or_period_is_refused() -> None:
    saved = filled(SMA(3)).save()
    for other in (SMA(4), EMA(3), SMA(3, of=Volume())):
        with pytest.raises(ValueError, match=r"saved state is of SMA\(3\), cannot restore it into"):
            other.restore(saved)


def test_restore_of_another_schema_version_is_refused() -> None:
    with pytest.raises(ValueError, match="schema version 2, this build reads 1"):
        SMA(3).restore({**SMA(3).save(), "schema": 2})
    with pytest.raises(ValueError, match=r"schema version 9, this build reads 'IndicatorSet' of 1"):
        IndicatorSet([]).restore({**IndicatorSet([]).save(), "schema": 9})


@pytest.mark.parametrize(
    "make",
    [
        lambda: SMA(3),
        lambda: EMA(3),
        lambda: RSI(3),
        lambda: ATR(3),
        lambda: Highest(3),
        lambda: Lowest(3),
        lambda: CrossOver(SMA(2), Level(11)),
        Close,
    ],
)
def test_restore_of_damaged_state_is_refused_and_changes_nothing(make: Any) -> None:
    good = filled(make()).save()
    victim = filled(make(), 5)
    before = victim.save()
    damages: list[Any] = [None, [], {}, {**good, "state": 3}, {**good, "count": 2.5}, {**good, "count": -1}]
    damages += [{**good, "value": None}, {**good, "value": math.inf}, {**good, "value": "1"}]
    damages += [{k: v for k, v in good.items() if k != "state"}]
    for key, value in good["state"].items():
        damages.append({**good, "state": {k: v for k, v in good["state"].items() if k != key}})
        for wrong in ("x", None, math.nan, [math.nan] * 3, ["x"]):
            damages.append({**good, "state": {**good["state"], key: wrong}})
        if isinstance(value, list):
            damages.append({**good, "state": {**good["state"], key: [*value, value[-1]]}})
    for damaged in damages:
        with pytest.raises((ValueError, TypeError)):
            victim.restore(damaged)
        assert victim.save() == before
    victim.restore(good)
    assert victim.save() == good


def test_restore_of_a_queue_out_of_order_is_refused() -> None:
    saved = filled(Highest(5, of=Close())).save()
    highest = Highest(5, of=Close())
    for key in ("bars", "samples"):
        state = {**saved["state"], key: saved["state"][key][::-1]}
        with pytest.raises(ValueError, match="must rise and 'samples' must fall"):
            highest.restore({**saved, "state": state})


def test_set_restore_with_one_damaged_part_changes_no_part() -> None:
    driven, source = IndicatorSet([SMA(2), EMA(2)]), IndicatorSet([SMA(2), EMA(2)])
    source.push(5.0)
    before = driven.save()
    damaged = source.save()
    damaged["indicators"][1] = {**damaged["indicators"][1], "count": 3}
    with pytest.raises(ValueError, match="saved"):
        driven.restore(damaged)
    mixed = source.save()
    mixed["indicators"][1] = before["indicators"][1]
    with pytest.raises(ValueError, match="different numbers of bars"):
        driven.restore(mixed)
    for wrong in ({**source.save(), "indicators": []}, {**source.save(), "kind": "SMA"}):
        with pytest.raises(ValueError, match="saved"):
            driven.restore(wrong)
    with pytest.raises(TypeError, match="saved state must be a dict"):
        driven.restore([])  # type: ignore[arg-type]
    assert driven.save() == before


def test_resolve_puts_inputs_first_and_shared_ones_once() -> None:
    slow, fast, volume = SMA(50), EMA(10), Volume()
    cross, other = CrossOver(fast, slow), CrossOver(fast, 100)
    average = SMA(5, of=volume)
    ordered = resolve([cross, slow, average, other, cross])
    assert [repr(x) for x in ordered] == [
        "EMA(10)",
        "SMA(50)",
        "CrossOver(EMA(10), SMA(50))",
        "Volume()",
        "SMA(5, Volume())",
        "Level(100.0)",
        "CrossOver(EMA(10), Level(100.0))",
    ]
    assert len({id(x) for x in ordered}) == len(ordered)
    assert resolve([]) == []


def test_resolve_of_a_very_long_chain_does_not_overflow_the_stack() -> None:
    chain: Indicator = Close()
    for _ in range(5_000):
        chain = SMA(1, of=chain)
    ordered = resolve([chain])
    assert len(ordered) == 5_001
    assert ordered[-1] is chain


@pytest.mark.parametrize("wrong", [SMA, 5, "SMA(20)", None])
def test_resolve_of_something_else_names_it(wrong: Any) -> None:
    with pytest.raises(TypeError, match="expected an indicator such as"):
        resolve([SMA(2), wrong])


def test_set_of_shared_indicators_updates_each_once_a_bar() -> None:
    slow = SMA(2)
    driven = IndicatorSet([CrossOver(Close(), slow), CrossOver(EMA(2), slow), slow])
    assert (len(driven), driven.warmup, driven.ready) == (5, 3, False)
    for close in (1.0, 2.0, 3.0):
        driven.push(close)
    assert {indicator.count for indicator in driven} == {3}
    assert driven.ready
    assert slow.value == 2.5
    assert "CrossOver(Close(), SMA(2))" in repr(driven)
    assert IndicatorSet([]).warmup == 0


def test_set_of_indicators_at_different_bars_is_refused() -> None:
    used = SMA(2)
    used.push(1.0)
    with pytest.raises(ValueError, match=r"EMA\(3\) has seen 0 bars, SMA\(2\) 1"):
        IndicatorSet([used, EMA(3)])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"close": [1.0, 2.0]}, TypeError, "close must be a float64 array, was list"),
        ({"close": np.array([1, 2, 3])}, TypeError, "was an array of int64"),
        ({"close": np.ones((3, 1))}, ValueError, "one dimension"),
        (
            {"close": np.array([1.0, math.nan, math.inf])},
            ValueError,
            "close must be finite: broken at bar 1, in 2 of 3",
        ),
        ({"volume": np.ones(2)}, ValueError, "volume has 2 bars, close has 3"),
        ({"volume": -np.ones(3)}, ValueError, "volume must not be negative: broken at bar 0"),
        ({"low": np.array([1.0, 1.0, 1.1])}, ValueError, "broken at bar 2, in 1 of 3"),
        ({"high": None}, ValueError, "both high and low"),
        ({"high": None, "low": None}, ValueError, r"needs high and low"),
        ({"volume": None}, ValueError, r"needs the volume"),
    ],
)
def test_batch_of_bad_columns_is_refused(change: dict[str, Any], error: type[Exception], message: str) -> None:
    columns = {"close": np.ones(3), "high": np.ones(3), "low": np.ones(3), "volume": np.ones(3), **change}
    indicator = Highest(2) if "needs high" in message else SMA(2, of=Volume())
    with pytest.raises(error, match=message):
        column(indicator, **columns)
    assert indicator.count == 0


def test_batch_of_a_used_indicator_is_refused() -> None:
    sma = SMA(2)
    column(sma, np.ones(3))
    with pytest.raises(ValueError, match="already seen 3 bars"):
        column(sma, np.ones(3))


def test_batch_over_strided_empty_and_short_columns_works() -> None:
    strided = np.arange(20.0)[::2]
    assert SMA.batch(strided, 2).tolist()[1:] == [float(x) for x in range(1, 18, 2)]
    assert len(SMA.batch(np.empty(0), 2)) == 0
    assert np.isnan(RSI.batch(np.ones(3), 14)).all()


def test_saved_state_never_holds_numpy_scalars_or_nan() -> None:
    sma = SMA(3)
    column(sma, np.array([1.0, 2.0]))
    text = json.dumps(sma.save(), allow_nan=False)
    assert json.loads(text)["state"]["samples"] == [1.0, 2.0]


def test_importing_features_and_book_imports_no_numpy() -> None:
    code = "import sys, lockstep, lockstep.features, lockstep.book; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

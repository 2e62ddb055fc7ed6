"""What the indicators say: hand-computed answers, the functional twin, and TA-Lib on real bars."""

import math
from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from lockstep.features import ATR, EMA, RSI, SMA, Close, CrossOver, High, Highest, Level, Low, Lowest, Volume
from lockstep.features.batch import column

# The functional twins: a second implementation from the definitions, without state or tricks. Whole lists in, lists
# out, with None before the warm-up.
Series = Sequence[float]
Answer = list[float | None]


def twin_sma(values: Series, n: int) -> Answer:
    return [math.fsum(values[i - n + 1 : i + 1]) / n if i >= n - 1 else None for i in range(len(values))]


def twin_ema(values: Series, n: int) -> Answer:
    alpha = 2 / (n + 1)

    def at(i: int) -> float | None:
        if i < n - 1:
            return None
        seed = math.fsum(values[:n]) / n
        return reduce(lambda average, x: alpha * x + (1 - alpha) * average, values[n : i + 1], seed)

    return [at(i) for i in range(len(values))]


def wilder(values: Series, n: int) -> list[float]:
    """Wilder's average of `values` at each index from n - 1 on."""
    if len(values) < n:
        return []
    averages = [math.fsum(values[:n]) / n]
    for x in values[n:]:
        averages.append(averages[-1] + (x - averages[-1]) / n)
    return averages


def twin_rsi(values: Series, n: int) -> Answer:
    changes = [b - a for a, b in pairwise(values)]
    gains = wilder([max(c, 0.0) for c in changes], n)
    losses = wilder([max(-c, 0.0) for c in changes], n)
    strength = [
        50.0 if g + f == 0 else 100.0 if f == 0 else 100 - 100 / (1 + g / f) for g, f in zip(gains, losses, strict=True)
    ]
    return [*[None] * min(n, len(values)), *strength]


def twin_atr(highs: Series, lows: Series, closes: Series, n: int) -> Answer:
    ranges = [max(h, c) - min(lo, c) for h, lo, c in zip(highs[1:], lows[1:], closes[:-1], strict=True)]
    return [*[None] * min(n, len(closes)), *wilder(ranges, n)]


def twin_highest(values: Series, n: int) -> Answer:
    return [max(values[i - n + 1 : i + 1]) if i >= n - 1 else None for i in range(len(values))]


def twin_lowest(values: Series, n: int) -> Answer:
    return [min(values[i - n + 1 : i + 1]) if i >= n - 1 else None for i in range(len(values))]


def twin_crossings(a: Answer, b: Answer) -> Answer:
    def at(i: int) -> float | None:
        if i == 0 or None in (a[i - 1], b[i - 1], a[i], b[i]):
            return None
        before, now = a[i - 1] - b[i - 1], a[i] - b[i]  # type: ignore[operator]
        return 1.0 if before < 0 < now else -1.0 if now < 0 < before else 0.0

    return [at(i) for i in range(len(a))]


KINDS: dict[str, tuple[Any, Any]] = {
    "sma": (lambda: SMA(50), lambda d: twin_sma(d["close"], 50)),
    "ema": (lambda: EMA(20), lambda d: twin_ema(d["close"][:600], 20)),
    "rsi": (lambda: RSI(14), lambda d: twin_rsi(d["close"], 14)),
    "atr": (lambda: ATR(14), lambda d: twin_atr(d["high"], d["low"], d["close"], 14)),
    "highest": (lambda: Highest(20), lambda d: twin_highest(d["high"], 20)),
    "lowest": (lambda: Lowest(20), lambda d: twin_lowest(d["low"], 20)),
    "sma_volume": (lambda: SMA(20, of=Volume()), lambda d: twin_sma(d["volume"], 20)),
    "crossover": (
        lambda: CrossOver(Close(), SMA(50)),
        lambda d: twin_crossings(list(d["close"]), twin_sma(d["close"], 50)),
    ),
}


def values_of(indicator: Any, closes: list[float]) -> list[float]:
    return [indicator.push(close) for close in closes]


def after_warmup(indicator: Any, closes: list[float]) -> list[float]:
    values = values_of(indicator, closes)
    assert all(math.isnan(value) for value in values[: indicator.warmup - 1])
    return values[indicator.warmup - 1 :]


def test_sma_of_known_closes_is_their_mean() -> None:
    assert after_warmup(SMA(3), [2.0, 4.0, 6.0, 8.0, 1.0]) == [4.0, 6.0, 5.0]


def test_ema_of_known_closes_starts_from_their_mean() -> None:
    # seed (1 + 2 + 3) / 3 = 2, alpha 1/2: 2 + (5 - 2) / 2 = 3.5, 3.5 + (2.5 - 3.5) / 2 = 3
    assert after_warmup(EMA(3), [1.0, 2.0, 3.0, 5.0, 2.5]) == [2.0, 3.5, 3.0]


def test_rsi_of_known_closes_is_the_share_of_gains() -> None:
    # changes +1 -1: 1/2, 1/2 -> 50; then +2: (1/2 + 2) / 2 = 1.25, (1/2 + 0) / 2 = 0.25 -> 100 * 1.25 / 1.5
    assert after_warmup(RSI(2), [10.0, 11.0, 10.0, 12.0]) == [50.0, pytest.approx(250 / 3, rel=1e-15)]


def test_rsi_of_wilders_example_is_as_published() -> None:
    # StockCharts' worksheet for Wilder's RSI, 14 periods: real closes of QQQQ, from 2009-12-14 on.
    closes = [44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931]
    closes += [46.0328, 45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116]
    assert [round(value, 2) for value in after_warmup(RSI(14), closes)] == [70.53, 66.32, 66.55, 69.41]


@pytest.mark.parametrize(("step", "expected"), [(1.0, 100.0), (-1.0, 0.0), (0.0, 50.0)])
def test_rsi_of_a_one_way_series_is_the_end_of_its_scale_and_50_when_flat(step: float, expected: float) -> None:
    assert set(after_warmup(RSI(5), [100.0 + step * i for i in range(20)])) == {expected}


def test_atr_of_known_bars_counts_the_gap_from_the_previous_close() -> None:
    atr = ATR(2)
    for high, low, close in [(11.0, 9.0, 10.0), (13.0, 12.0, 12.5), (12.0, 8.0, 9.0)]:
        atr.push(close, high, low)  # true ranges: none, 13 - 10 = 3, 12.5 - 8 = 4.5
    assert atr.value == 3.75
    assert atr.push(10.0, 10.5, 9.5) == (3.75 + 1.5) / 2


def test_highest_and_lowest_read_highs_and_lows_unless_told_otherwise() -> None:
    highest, lowest, close = Highest(2), Lowest(2), Close()
    of_close = Highest(2, of=close)
    for high, low, c in [(5.0, 1.0, 3.0), (4.0, 2.0, 3.5), (3.0, 2.5, 2.75)]:
        highest.push(c, high, low)
        lowest.push(c, high, low)
        close.push(c)
        of_close.push(c)
    assert (highest.value, lowest.value, of_close.value) == (4.0, 2.0, 3.5)


def test_sources_show_their_column_of_the_bar() -> None:
    for source, expected in [(Close(), 2.0), (High(), 3.0), (Low(), 1.0), (Volume(), 9.0), (Level(30), 30.0)]:
        assert not source.ready
        assert source.push(2.0, 3.0, 1.0, 9.0) == expected
        assert source.ready


def test_sma_of_a_flat_series_is_exactly_its_value() -> None:
    for period in (3, 7, 49, 50, 999):
        assert set(after_warmup(SMA(period), [0.7] * (period + 200))) == {0.7}


def test_sma_after_a_huge_outlier_has_left_is_not_poisoned() -> None:
    assert values_of(SMA(3), [1e15, 0.1, 0.2, 0.3, 0.4])[-1] == pytest.approx(0.3, rel=1e-15)


def test_sma_over_a_million_samples_does_not_drift() -> None:
    closes = np.tile(np.array([0.1, 1e9, 0.3, 7e-3, 12345.678]), 40_000)
    values = SMA.batch(closes, 5)[4:]
    exact = math.fsum(closes[:5]) / 5
    assert set(values.tolist()) == {exact}


@pytest.mark.parametrize("kind", KINDS)
def test_indicator_on_real_bars_matches_its_functional_twin(kind: str, goog: dict[str, Any]) -> None:
    make, functional = KINDS[kind]
    expected = np.array(functional(goog), dtype=np.float64)
    size = len(expected)
    got = column(make(), *(goog[name][:size] for name in ("close", "high", "low", "volume")))
    assert np.array_equal(np.isnan(got), np.isnan(expected))
    ready = ~np.isnan(expected)
    difference = float(np.max(np.abs(got[ready] - expected[ready]) / np.maximum(1.0, np.abs(expected[ready]))))
    print(f"{kind}: largest relative difference from the twin {difference:.3g}")  # noqa: T201 - the figure is part of the requirement
    assert difference < 1e-9


@pytest.mark.parametrize("period", [2, 14, 200])
def test_indicators_on_real_bars_match_talib(period: int, goog: dict[str, Any]) -> None:
    talib = pytest.importorskip("talib", reason="the test dependency TA-Lib is absent")
    close, high, low = goog["close"], goog["high"], goog["low"]
    pairs = [
        (SMA.batch(close, period), talib.SMA(close, period)),
        (EMA.batch(close, period), talib.EMA(close, period)),
        (RSI.batch(close, period), talib.RSI(close, period)),
        (ATR.batch(high, low, close, period), talib.ATR(high, low, close, period)),
        (Highest.batch(high, period), talib.MAX(high, period)),
        (Lowest.batch(low, period), talib.MIN(low, period)),
    ]
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-11, equal_nan=True)


def test_crossover_on_real_bars_has_the_signals_of_backtesting(goog: dict[str, Any]) -> None:
    crossover: Any = pytest.importorskip("backtesting.lib").crossover
    fast, slow = EMA.batch(goog["close"], 10), EMA.batch(goog["close"], 20)
    signals = column(CrossOver(EMA(10), EMA(20)), goog["close"])
    for i in range(1, len(fast)):
        up, down = crossover(fast[: i + 1], slow[: i + 1]), crossover(slow[: i + 1], fast[: i + 1])
        assert (up, down) == (signals[i] == 1.0, signals[i] == -1.0)
    assert np.nansum(np.abs(signals)) > 50


def test_crossover_that_rests_on_equality_is_not_reported() -> None:
    close = Close()
    cross = CrossOver(close, 10)
    seen = []
    for price in [9.0, 10.0, 11.0, 9.0, 11.0, 10.0, 9.0]:
        close.push(price)
        cross.inputs()[1].push(price)
        cross.push(price)
        seen.append((cross.up, cross.down))
    up, down, none = (True, False), (False, True), (False, False)
    assert seen == [none, none, none, down, up, none, none]


def test_ready_indicator_of_an_indicator_waits_for_both_warmups() -> None:
    closes = [float(x) for x in range(1, 12)]
    inner = RSI(3)
    outer = SMA(2, of=inner)
    assert outer.warmup == 5
    ready = []
    for close in closes:
        inner.push(close)
        outer.push(close)
        ready.append(outer.ready)
    assert ready.index(True) == outer.warmup - 1
    assert outer.value == 100.0

"""The market window against a plain deque and numpy."""

import copy
import math
import subprocess
import sys
import tracemalloc
from collections import deque
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockstep.book import MarketWindow, WindowBar
from lockstep.book.window_bytes import pack_window
from lockstep.model.errors import StateError

prices = st.integers(1, 12).map(float)
rows = st.lists(st.tuples(prices, prices, prices, prices, st.integers(0, 9).map(float)), max_size=40)


def bars_of(table: list[tuple[float, ...]]) -> list[WindowBar]:
    """Generated numbers put in order, so that they make bars; no market is meant by them."""
    made = []
    for i, (a, b, c, d, volume) in enumerate(table):
        low, open_, close, high = sorted((a, b, c, d))
        made.append(WindowBar(1_000 + i, open_, high, low, close, volume))
    return made


def filled(bars: int, capacity: int = 5) -> MarketWindow:
    window = MarketWindow(capacity)
    for i in range(bars):
        window.push(i, 10.0 + i, 12.0 + i, 9.0 + i, 11.0 + i, 100.0 * i)
    return window


def check_against_model(window: MarketWindow, held: list[WindowBar]) -> None:
    assert len(window) == len(held)
    for back, bar in enumerate(reversed(held)):
        assert window.bar(back) == bar
        assert (window.ts(back), window.open(back), window.close(back), window.volume(back)) == (
            bar.ts,
            bar.open,
            bar.close,
            bar.volume,
        )
    for n in range(1, len(held) + 1):
        run = held[-n:]
        assert window.high(n) == max(bar.high for bar in run)
        assert window.low(n) == min(bar.low for bar in run)
        assert window.range(n) == window.high(n) - window.low(n)
        assert window.avg_volume(n) == pytest.approx(np.mean([bar.volume for bar in run]), rel=1e-12)
        assert window.avg_close(n) == pytest.approx(np.mean([bar.close for bar in run]), rel=1e-12)
        columns = [window.times(n), window.opens(n), window.highs(n), window.lows(n), window.closes(n)]
        columns.append(window.volumes(n))
        assert [WindowBar(*row) for row in zip(*(column.tolist() for column in columns), strict=True)] == run
        if n > 1:
            closes = np.array([bar.close for bar in run])
            assert window.returns(n - 1).tolist() == (closes[1:] / closes[:-1] - 1.0).tolist()


@settings(max_examples=60, deadline=None)
@given(capacity=st.integers(1, 12), table=rows)
def test_window_answers_as_a_plain_deque_does(capacity: int, table: list[tuple[float, ...]]) -> None:
    window = MarketWindow(capacity)
    model: deque[WindowBar] = deque(maxlen=capacity)
    for bar in bars_of(table):
        window.push(*bar)
        model.append(bar)
    check_against_model(window, list(model))
    assert (window.capacity, window.count) == (capacity, len(table))


@settings(max_examples=60, deadline=None)
@given(capacity=st.integers(1, 8), table=rows, n=st.integers(1, 8), skip=st.sets(st.integers(0, 40)))
def test_repeated_high_and_low_stay_right_as_bars_arrive(
    capacity: int, table: list[tuple[float, ...]], n: int, skip: set[int]
) -> None:
    window = MarketWindow(capacity)
    model: deque[WindowBar] = deque(maxlen=capacity)
    for i, bar in enumerate(bars_of(table)):
        window.append(*bar)
        model.append(bar)
        if i not in skip and n <= len(model):
            run = list(model)[-n:]
            assert (window.high(n), window.low(n)) == (max(b.high for b in run), min(b.low for b in run))


@settings(max_examples=40, deadline=None)
@given(capacity=st.integers(1, 12), table=rows, factor=st.sampled_from([0.5, 1 / 3, 4.0]))
def test_rescaled_window_equals_one_fed_the_adjusted_past(
    capacity: int, table: list[tuple[float, ...]], factor: float
) -> None:
    window, adjusted = MarketWindow(capacity), MarketWindow(capacity)
    for bar in bars_of(table):
        window.push(*bar)
        open_, high, low, close = (x * factor for x in bar[1:5])
        adjusted.push(bar.ts, open_, high, low, close, bar.volume * (1 / factor))
    if len(window):
        window.high(1)
        window.low(1)
    window.rescale(factor, 1 / factor)
    assert window == adjusted
    if len(window):
        assert (window.high(1), window.low(1)) == (adjusted.high(1), adjusted.low(1))


@settings(max_examples=40, deadline=None)
@given(capacity=st.integers(1, 12), table=rows)
def test_snapshot_read_back_equals_the_window_and_goes_on_alike(capacity: int, table: list[tuple[float, ...]]) -> None:
    window = MarketWindow(capacity)
    for bar in bars_of(table):
        window.push(*bar)
    restored = MarketWindow(capacity)
    restored.append(5, 1.0, 1.0, 1.0, 1.0, 1.0)
    restored.restore(window.snapshot())
    twins = (MarketWindow.from_snapshot(window.snapshot()), copy.deepcopy(window), restored)
    for twin in twins:
        assert twin == window
        assert (twin.count, twin.capacity, len(twin)) == (window.count, window.capacity, len(window))
    for each in (window, *twins):
        each.push(9_999, 1.0, 2.0, 1.0, 2.0, 3.0)
    for twin in twins:
        assert twin.snapshot() == window.snapshot()
        check_against_model(twin, [window.bar(back) for back in reversed(range(len(window)))])


def test_restore_of_a_snapshot_of_another_capacity_or_damaged_changes_nothing() -> None:
    window = filled(3)
    before = window.snapshot()
    with pytest.raises(StateError, match="of a window of 6 bars, this one has 5"):
        window.restore(filled(3, capacity=6).snapshot())
    with pytest.raises(StateError, match="damaged"):
        window.restore(filled(4).snapshot()[:-4] + b"oops")
    assert window.snapshot() == before


def test_snapshot_is_read_back_equal_in_a_second_process() -> None:
    window = filled(7)
    code = (
        "import sys; from lockstep.book import MarketWindow; data = sys.stdin.buffer.read();"
        "window = MarketWindow.from_snapshot(data); window.push(99, 1, 2, 1, 2, 3);"
        "sys.stdout.buffer.write(window.snapshot())"
    )
    answer = subprocess.run([sys.executable, "-c", code], input=window.snapshot(), capture_output=True, check=True)
    window.push(99, 1.0, 2.0, 1.0, 2.0, 3.0)
    assert MarketWindow.from_snapshot(answer.stdout) == window


def test_snapshot_bytes_are_fixed_by_the_format() -> None:
    window = MarketWindow(2)
    window.push(1, 1.0, 1.0, 1.0, 1.0, 0.0)
    one = b"\x00" * 6 + b"\xf0\x3f"
    assert window.snapshot() == (
        b"LKWINDOW\x01\x00"
        + b"\x00" * 6
        + b"\x02"
        + b"\x00" * 7
        + (b"\x01" + b"\x00" * 7) * 3
        + one * 4
        + b"\x00" * 8
        + window.snapshot()[-4:]
    )


def test_damaged_snapshot_is_refused_whatever_byte_is_hit() -> None:
    data = filled(3).snapshot()
    for at in range(len(data)):
        with pytest.raises(StateError, match="snapshot"):
            MarketWindow.from_snapshot(data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :])
        with pytest.raises(StateError, match="snapshot"):
            MarketWindow.from_snapshot(data[:at])
    with pytest.raises(StateError, match="schema version 2, this build reads 1"):
        MarketWindow.from_snapshot(data[:8] + b"\x02" + data[9:])
    with pytest.raises(StateError, match="not a window snapshot"):
        MarketWindow.from_snapshot(b"")
    with pytest.raises(TypeError, match=r"bytes.* str"):
        MarketWindow.from_snapshot("x")  # type: ignore[arg-type]


@pytest.mark.parametrize(("capacity", "count"), [(0, 3), (10_000_001, 3), (5, 9), (5, 2)])
def test_snapshot_that_contradicts_itself_is_refused(capacity: int, count: int) -> None:
    columns = [filled(3)._slice(which, 3) for which in range(6)]
    with pytest.raises(StateError, match=f"contradicts itself: capacity {capacity}, count {count}, 3 bars held"):
        MarketWindow.from_snapshot(pack_window(capacity, count, columns))


def test_window_is_ten_thousand_bars_deep_by_default_and_its_memory_does_not_grow() -> None:
    window = MarketWindow()
    assert window.capacity == 10_000
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for i in range(25_000):
            window.append(i, 1.0, 2.0, 0.5, 1.5, 3.0)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert (len(window), window.count, window.ts(9_999), window.ts(0)) == (10_000, 25_000, 15_000, 24_999)
    assert grown < 4_096


@pytest.mark.parametrize("question", ["high", "low", "range", "avg_volume", "avg_close", "closes", "times"])
def test_run_longer_than_held_or_than_capacity_is_refused_with_both_numbers(question: str) -> None:
    ask = getattr(filled(3), question)
    with pytest.raises(ValueError, match=rf"{question}\(4\) needs 4 bars, the window holds 3 so far"):
        ask(4)
    with pytest.raises(ValueError, match=rf"{question}\(6\) needs 6 bars, the window's capacity is 5"):
        ask(6)
    for n in (0, -1):
        with pytest.raises(ValueError, match=rf"{question}\({n}\): n must be 1 or more"):
            ask(n)
    for wrong in (2.0, "2", None, True):
        with pytest.raises(TypeError, match="n must be a whole number"):
            ask(wrong)
    assert ask(np.int64(3)) is not None


def test_returns_need_one_bar_more_than_they_give() -> None:
    window = filled(3)
    assert window.returns(2).tolist() == [12.0 / 11.0 - 1.0, 13.0 / 12.0 - 1.0]
    with pytest.raises(ValueError, match=r"returns\(3\) needs 4 bars, the window holds 3"):
        window.returns(3)
    with pytest.raises(ValueError, match=r"returns\(5\) needs 6 bars, the window's capacity is 5"):
        window.returns(5)


def test_position_that_holds_no_bar_is_refused() -> None:
    with pytest.raises(IndexError, match="holds no bar yet"):
        MarketWindow(3).close()
    window = filled(3)
    for back in (3, -1, np.int32(7)):
        with pytest.raises(IndexError, match="holds 3 bars, 0 is the newest"):
            window.bar(back)
    with pytest.raises(TypeError, match="bars back must be a whole number"):
        window.close(1.0)  # type: ignore[arg-type]
    assert window.close(np.int32(2)) == 11.0


GOOD: dict[str, Any] = {"ts": 10, "open": 2.0, "high": 3.0, "low": 1.0, "close": 2.0, "volume": 5.0}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"ts": 1.5}, TypeError, "ts must be a whole number, was 1.5"),
        ({"ts": 2**63}, ValueError, "ts must be from"),
        ({"ts": 1}, ValueError, "bar at 1 is before the newest one held, at 2"),
        ({"open": math.nan}, ValueError, "open must be finite"),
        ({"high": "3"}, TypeError, "high must be a number"),
        ({"low": -math.inf}, ValueError, "low must be finite"),
        ({"close": None}, TypeError, "close must be a number"),
        ({"high": 1.5}, ValueError, "out of order: 2.0, 1.5, 1.0, 2.0"),
        ({"low": 2.5}, ValueError, "out of order"),
        ({"close": 3.5}, ValueError, "out of order"),
        ({"open": 0.5}, ValueError, "out of order"),
        ({"volume": -1.0}, ValueError, "volume must not be negative, was -1.0"),
        ({"volume": math.inf}, ValueError, "volume must be finite"),
    ],
)
def test_push_of_a_bad_bar_is_refused_and_changes_nothing(
    change: dict[str, Any], error: type[Exception], message: str
) -> None:
    window = filled(3)
    before = window.snapshot()
    with pytest.raises(error, match=message):
        window.push(**{**GOOD, **change})
    assert window.snapshot() == before
    window.push(**GOOD)
    window.push(**GOOD)  # the same time again is not before it
    assert len(window) == 5


@pytest.mark.parametrize("capacity", [0, -5, 10_000_001])
def test_capacity_out_of_range_is_refused(capacity: int) -> None:
    with pytest.raises(ValueError, match=f"capacity must be from 1 to 10000000, was {capacity}"):
        MarketWindow(capacity)


@pytest.mark.parametrize("capacity", [2.0, 2.5, "2", None, False])
def test_capacity_that_is_not_a_whole_number_is_refused(capacity: Any) -> None:
    with pytest.raises(TypeError, match="capacity must be a whole number"):
        MarketWindow(capacity)


@pytest.mark.parametrize("factor", [0.0, -2.0, math.nan])
def test_rescale_by_a_factor_not_above_zero_is_refused_and_changes_nothing(factor: float) -> None:
    window = filled(3)
    before = window.snapshot()
    for factors in ((factor,), (1.0, factor)):
        with pytest.raises(ValueError, match="factor"):
            window.rescale(*factors)
    assert window.snapshot() == before


def test_columns_are_copies_the_caller_may_write_to() -> None:
    window = filled(7)
    closes = window.closes(5)
    closes[:] = 0.0
    assert window.closes(5).tolist() == [13.0, 14.0, 15.0, 16.0, 17.0]


def test_cleared_window_equals_a_fresh_one() -> None:
    window = filled(7)
    window.high(3)
    window.clear()
    assert window == MarketWindow(5)
    assert window != MarketWindow(6)
    assert window != "window"
    assert repr(window) == "MarketWindow(capacity=5): 0 bars held of 0 pushed"
    with pytest.raises(TypeError, match="unhashable"):
        hash(window)

"""Plain statistics against numpy."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.features import average, sliding_window, std_dev

series = st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=50)


@given(values=series)
def test_average_and_std_dev_match_numpy(values: list[float]) -> None:
    assert average(values) == pytest.approx(np.mean(values), rel=1e-9, abs=1e-6)
    for ddof in (0, 1):
        assert std_dev(np.array(values), ddof) == pytest.approx(np.std(values, ddof=ddof), rel=1e-6, abs=1e-6)


def test_std_dev_of_known_values_is_exact() -> None:
    assert std_dev([2, 4, 4, 4, 5, 5, 7, 9]) == 2.0


@given(values=series, data=st.data())
def test_sliding_window_rows_are_slices(values: list[float], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(values)))
    rows = sliding_window(values, size)
    assert rows.shape == (len(values) - size + 1, size)
    assert all(rows[i].tolist() == values[i : i + size] for i in range(len(rows)))
    assert not rows.flags.writeable


@pytest.mark.parametrize("bad", [[], [[1.0, 2.0]], [1.0, math.nan]])
def test_statistics_of_unusable_values_are_refused(bad: Any) -> None:
    for statistic in (average, std_dev):
        with pytest.raises(ValueError, match="values must be"):
            statistic(bad)


def test_statistics_with_bad_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="needs 2 values or more, got 1"):
        std_dev([1.0], ddof=1)
    with pytest.raises(ValueError, match="size must be from 1 to 2, was 3"):
        sliding_window([1.0, 2.0], 3)
    with pytest.raises(TypeError, match="size must be a whole number"):
        sliding_window([1.0, 2.0], 1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="one dimension"):
        sliding_window([[1.0]], 1)

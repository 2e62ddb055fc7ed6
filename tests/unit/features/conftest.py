"""Real bars for the indicator tests: GOOG, daily, 2004 to 2013, as the package `backtesting` carries them."""

from typing import Any

import pytest


@pytest.fixture(scope="session")
def goog() -> dict[str, Any]:
    frame = pytest.importorskip("backtesting.test", reason="the test dependency `backtesting` is absent").GOOG
    return {name.lower(): frame[name].to_numpy(dtype="float64", copy=True) for name in frame.columns}

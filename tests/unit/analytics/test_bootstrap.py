import math

import numpy as np
import pytest

from lockstep.analytics.arrays import F64, I64
from lockstep.analytics.bootstrap import Interval, sharpe_interval, stationary_indices
from lockstep.analytics.metrics import sharpe_ratio
from lockstep.analytics.returns import simple_returns
from lockstep.model.errors import UsageError


def seeded(seed: int = 7) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def interval(returns: F64, seed: int = 7, **options: float) -> Interval:
    found = sharpe_interval(returns, 252, seeded(seed), **options)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_blocks_run_on_and_wrap_with_the_given_mean_length() -> None:
    rows = stationary_indices(500, 200, 10.0, seeded())
    assert rows.shape == (200, 500)
    assert rows.min() == 0
    assert rows.max() == 499
    follows = np.diff(rows, axis=1) % 500 == 1
    # A block goes on with probability 9/10; a new one follows by chance in one of 500.
    assert follows.mean() == pytest.approx(0.9 + 0.1 / 500, abs=0.005)


def test_blocks_of_one_are_the_ordinary_bootstrap() -> None:
    rows = stationary_indices(1000, 50, 1.0, seeded())
    assert (np.diff(rows, axis=1) % 1000 == 1).mean() < 0.01
    assert np.bincount(rows.ravel(), minlength=1000).std() == pytest.approx(math.sqrt(50), rel=0.1)


def test_interval_is_the_same_for_the_same_seed_and_differs_for_another(
    closes: dict[str, tuple[I64, F64]],
) -> None:
    returns = simple_returns(closes["AAPL"][1])
    assert interval(returns) == interval(returns)
    assert interval(returns) != interval(returns, seed=8)


def test_interval_of_recorded_returns_has_the_width_of_lo(closes: dict[str, tuple[I64, F64]]) -> None:
    # Lo (2002), "The Statistics of Sharpe Ratios": for independent returns the error is sqrt((1 + S^2 / 2) / n).
    returns = simple_returns(closes["BAC"][1])
    found = interval(returns, mean_block=1.0, resamples=4000)
    sharpe = sharpe_ratio(returns, 252)
    assert sharpe is not None
    daily = sharpe / math.sqrt(252)
    wanted = 2 * 1.96 * math.sqrt((1 + daily**2 / 2) / returns.size) * math.sqrt(252)
    assert found.high - found.low == pytest.approx(wanted, rel=0.08)
    assert found.low < sharpe < found.high


def test_interval_widens_with_the_level(closes: dict[str, tuple[I64, F64]]) -> None:
    returns = simple_returns(closes["CVX"][1])
    narrow, wide = interval(returns, level=0.5), interval(returns, level=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_default_block_grows_with_the_cube_root_of_the_sample() -> None:
    returns = np.sin(np.arange(1000.0)) / 100
    assert interval(returns, resamples=20).mean_block == pytest.approx(10.0)


def test_interval_in_batches_names_every_resample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lockstep.analytics.bootstrap._BLOCK_ELEMENTS", 350)
    assert interval(np.sin(np.arange(100.0)) / 100, resamples=10).resamples == 10


@pytest.mark.parametrize("returns", [np.empty(0), np.array([0.01]), np.zeros(100)])
def test_interval_of_an_undefined_ratio_is_undefined(returns: F64) -> None:
    assert sharpe_interval(returns, 252, seeded()) is None


def test_interval_of_few_returns_is_undefined() -> None:
    returns = np.sin(np.arange(20.0)) / 100
    assert sharpe_interval(returns, 252, seeded()) is not None
    assert sharpe_interval(returns[:19], 252, seeded()) is None


def test_interval_leaves_out_resamples_without_deviation() -> None:
    returns = np.zeros(100)
    returns[50] = 0.01
    assert interval(returns, mean_block=1.0).resamples == pytest.approx(1000 * (1 - 0.99**100), rel=0.1)


def test_interval_without_one_usable_resample_is_undefined() -> None:
    returns = np.zeros(100)
    returns[50] = 0.01  # a single resample misses the only move with probability 0.37
    found = [sharpe_interval(returns, 252, seeded(s), resamples=1, mean_block=1.0) for s in range(30)]
    assert None in found
    assert any(f is not None and f.low == f.high for f in found)


def test_bad_arguments_are_refused() -> None:
    returns = np.array([0.01, -0.01, 0.02])
    with pytest.raises(UsageError, match="level must lie between 0 and 1: was 95"):
        sharpe_interval(returns, 252, seeded(), level=95)
    with pytest.raises(UsageError, match="resamples must be at least 1: was 0"):
        sharpe_interval(returns, 252, seeded(), resamples=0)
    with pytest.raises(UsageError, match=r"mean_block >= 1: were 3 and 0\.5"):
        stationary_indices(3, 10, 0.5, seeded())

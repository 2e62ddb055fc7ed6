import empyrical
import numpy as np
import pytest

from lockstep.analytics.arrays import F64, I64
from lockstep.analytics.drawdown import Drawdown, largest_drawdowns, longest_drawdown_ns, max_drawdown, underwater
from lockstep.analytics.returns import simple_returns
from lockstep.model.errors import UsageError

#                    0      1     2     3      4      5     6      7
CURVE = np.array([100.0, 120.0, 90.0, 96.0, 120.0, 150.0, 135.0, 140.0])
TS = np.arange(8, dtype=np.int64) * 10


def test_underwater_measures_from_the_highest_point_so_far() -> None:
    assert underwater(CURVE) == pytest.approx([0, 0, -0.25, -0.2, 0, 0, -0.1, -1 / 15])


def test_largest_drawdowns_name_peak_trough_and_recovery() -> None:
    first, second = largest_drawdowns(TS, CURVE)
    assert first == Drawdown(
        depth=-0.25,
        peak_ts=10,
        trough_ts=20,
        recovery_ts=40,
        peak_equity=120.0,
        trough_equity=90.0,
        decline_ns=10,
        recovery_ns=20,
        duration_ns=30,
    )
    assert (second.depth, second.peak_ts, second.trough_ts) == (pytest.approx(-0.1), 50, 60)
    assert second.recovery_ts is None
    assert second.recovery_ns is None
    assert second.duration_ns == 20


def test_longest_drawdown_is_the_longest_and_not_the_deepest() -> None:
    equity = np.array([100.0, 50.0, 100.0, 99.0, 99.0, 99.0, 100.0])
    assert longest_drawdown_ns(np.arange(7, dtype=np.int64), equity) == 4
    assert longest_drawdown_ns(np.arange(4, dtype=np.int64), np.array([100.0, 90.0, 90.0, 90.0])) == 3


def test_drawdown_from_initial_equity_begins_at_the_first_row() -> None:
    ts, equity = np.array([5, 6, 7]), np.array([90.0, 95.0, 101.0])
    assert max_drawdown(equity) == 0.0
    assert max_drawdown(equity, 100.0) == pytest.approx(-0.1)
    (only,) = largest_drawdowns(ts, equity, initial_equity=100.0)
    assert (only.peak_ts, only.trough_ts, only.recovery_ts, only.peak_equity) == (5, 5, 7, 100.0)


def test_count_limits_the_episodes_and_ties_keep_their_order() -> None:
    equity = np.array([100.0, 90.0, 100.0, 90.0, 100.0, 80.0])
    found = largest_drawdowns(np.arange(6, dtype=np.int64), equity, 2)
    assert [d.trough_ts for d in found] == [5, 1]
    assert largest_drawdowns(np.arange(6, dtype=np.int64), equity, 0) == ()
    with pytest.raises(UsageError, match="count must not be negative: was -1"):
        largest_drawdowns(TS, CURVE, -1)


def test_curve_without_a_fall_has_no_drawdown() -> None:
    assert max_drawdown(np.array([1.0, 1.0, 2.0])) == 0.0
    assert largest_drawdowns(np.array([1, 2, 3]), np.array([1.0, 1.0, 2.0])) == ()
    assert longest_drawdown_ns(np.array([1, 2, 3]), np.array([1.0, 1.0, 2.0])) == 0


def test_empty_or_never_positive_curve_has_an_undefined_drawdown() -> None:
    assert max_drawdown(np.empty(0)) is None
    assert max_drawdown(np.array([-1.0, -2.0])) is None
    assert largest_drawdowns(np.empty(0, np.int64), np.empty(0)) == ()


def test_account_that_owes_money_is_down_more_than_everything() -> None:
    assert max_drawdown(np.array([100.0, -20.0, 10.0])) == pytest.approx(-1.2)


@pytest.mark.parametrize("symbol", ["AAPL", "BAC", "CVX", "GE", "AMZN"])
def test_drawdown_of_recorded_closes_equals_empyrical(closes: dict[str, tuple[I64, F64]], symbol: str) -> None:
    _, close = closes[symbol]
    returns = simple_returns(close)
    assert max_drawdown(close) == pytest.approx(empyrical.max_drawdown(returns), rel=1e-12)
    assert np.allclose(underwater(close)[1:], empyrical.stats.drawdown_series(returns), atol=1e-12)


def test_episodes_of_recorded_minutes_agree_with_a_plain_loop(btc_minutes: tuple[I64, F64]) -> None:
    ts, close = btc_minutes[0][:50_000], btc_minutes[1][:50_000]
    episodes, peak, start, trough = [], 0, None, 0
    for i in range(1, close.size):
        if close[i] >= close[peak]:
            if start is not None:
                episodes.append((close[trough] / close[peak] - 1, ts[peak], ts[trough], ts[i]))
            peak, start = i, None
        elif start is None or close[i] < close[trough]:
            start, trough = i, i
    if start is not None:
        episodes.append((close[trough] / close[peak] - 1, ts[peak], ts[trough], None))
    wanted = sorted(episodes, key=lambda episode: episode[0])[:10]
    found = largest_drawdowns(ts, close, 10)
    assert [(d.depth, d.peak_ts, d.trough_ts, d.recovery_ts) for d in found] == wanted

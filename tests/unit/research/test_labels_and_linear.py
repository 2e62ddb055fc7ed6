"""Labels know the future and say from when on; the baseline is fitted before and scored after, with a horizon between."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from market_rows import COIN, Change, Step, Took, records_of

from lockstep.features.micro import Gap, Imbalance, Mid, Spread
from lockstep.features.micro.batch import table
from lockstep.features.micro.stream import MarketFeatures
from lockstep.model.errors import UsageError
from lockstep.research.baseline import Recording, baseline, embargoed
from lockstep.research.labels import forward_returns
from lockstep.research.linear import LinearModel, fit_linear, score

NAN = math.nan


def test_forward_return_is_to_the_last_mid_at_or_before_the_horizon() -> None:
    clock = np.array([0, 4, 10, 10, 11, 19, 20], np.int64)
    mid = np.array([100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0])
    labels = forward_returns(clock, mid, 10)
    expected = [103 / 100, 104 / 101, 106 / 102, 106 / 103]
    assert np.exp(labels.values[:4]).tolist() == pytest.approx(expected)
    assert np.isnan(labels.values[4:]).all()  # the recording ends before 21
    assert labels.known_at.tolist() == [10, 14, 20, 20, 21, 29, 30]


def test_no_label_reaches_over_a_broken_book() -> None:
    clock = np.arange(7, dtype=np.int64)
    labels = forward_returns(clock, np.array([1.0, 2.0, NAN, 4.0, 5.0, 6.0, 7.0]), 2)
    assert [not math.isnan(value) for value in labels.values] == [False, False, False, True, True, False, False]


@given(st.lists(st.integers(0, 5), min_size=2, max_size=40), st.integers(1, 12), st.integers(0, 39))
def test_label_depends_on_nothing_after_it_is_known(gaps: list[int], horizon: int, cut: int) -> None:
    clock = np.cumsum(np.array(gaps, np.int64))
    mid = 100.0 + np.sin(np.arange(len(gaps)) * 7.0)
    cut = min(cut, len(gaps) - 1)
    changed = np.where(clock > clock[cut], mid * 3.0, mid)
    one, two = forward_returns(clock, mid, horizon), forward_returns(clock, changed, horizon)
    known = one.known_at <= clock[cut]
    assert one.values[known].tobytes() == two.values[known].tobytes()


@pytest.mark.parametrize(
    ("clock", "mid", "horizon", "words"),
    [([1, 2], [1.0], 1, "as many mids"), ([2, 1], [1.0, 1.0], 1, "never go back"), ([1], [1.0], 0, "at least 1 ns")],
)
def test_labels_of_bad_columns_are_refused(clock: list[int], mid: list[float], horizon: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        forward_returns(np.array(clock, np.int64), np.array(mid), horizon)


def test_least_squares_finds_the_plane_it_was_given_whatever_the_scale_of_its_columns() -> None:
    turn = np.arange(50.0)
    values = np.column_stack([1e6 + turn, np.sin(turn) * 1e-9, np.full(50, 7.0)])
    labels = 0.25 * turn - 3e6 * values[:, 1] + 2.0
    values[3, 0] = labels[4] = NAN
    model = fit_linear(["a", "b", "c"], values, labels)
    assert model.weights == pytest.approx([0.25, -3e6, 0.0])
    rows = np.isfinite(values[:, 0])
    rows[4] = False
    assert np.allclose(model.predict(values[rows]), labels[rows])


def test_score_compares_with_the_mean_of_the_training_time() -> None:
    model = LinearModel(["a"], [1.0], 0.0)
    values, labels = np.array([[1.0], [-1.0], [2.0], [0.0], [NAN]]), np.array([2.0, 1.0, 2.0, 5.0, 1.0])
    found = score(model, values, labels, np.array([0, 10, 20, 30, 40]), train=(9, 1.0), horizon_ns=10)
    assert found.r2 == pytest.approx(1 - (1 + 4 + 0 + 25) / (1 + 0 + 1 + 16))
    assert found.hit_rate == pytest.approx(2 / 3)  # a prediction of 0 is none
    assert (found.train, found.test, found.independent) == (9, 4, 3)


def test_too_few_rows_to_fit_or_to_score_are_refused() -> None:
    with pytest.raises(UsageError, match="2 features need 4 at least"):
        fit_linear(["a", "b"], np.ones((3, 2)), np.ones(3))
    model = LinearModel(["a"], [1.0], 0.0)
    with pytest.raises(UsageError, match="no row to test on"):
        score(model, np.full((2, 1), NAN), np.ones(2), np.arange(2), train=(1, 0.0), horizon_ns=1)


def test_embargo_keeps_rows_whose_label_is_known_too_late_out_of_both() -> None:
    clock = np.arange(0, 100, 10)
    before, after = embargoed(clock, clock + 25, 60)
    assert clock[before].tolist() == [0, 10, 20, 30]
    assert clock[after].tolist() == [60, 70, 80, 90]


def market(turns: int) -> list[Step]:
    """A wave: the quantity at the bid says where the price goes next. It states a rule, never a market."""
    steps: list[Step] = []
    for k in range(turns):
        centre = 1_000 + round(5 * math.sin(k / 9))
        bid = 20 + round(15 * math.cos(k / 9))
        full = Change(1_000 + 10 * k, {centre: bid}, {centre + 2: 20}, full=True)
        steps += [full, Took(1_003 + 10 * k, 1, 1)]
    return steps


def test_baseline_learns_before_and_is_scored_after_and_its_feature_says_the_same_in_streaming() -> None:
    recording = Recording(COIN, records_of(market(400)))

    def make() -> list[Gap | Imbalance | Spread]:
        return [Imbalance(1), Spread()]

    found = baseline(recording, make, horizon_ns=100_000_000)
    assert found.score.r2 > 0.5
    assert found.score.hit_rate > 0.8
    assert found.score.train == 240 - 10  # the label of the last ten would be known in the time of the test
    features = make()
    driven = MarketFeatures(COIN, [found.model.feature(features, threshold=1e-3)])
    streamed = table(driven, recording.records).values[:, 0]
    values = table(MarketFeatures(COIN, make()), recording.records).values
    assert np.allclose(streamed, found.model.predict(values), rtol=1e-12, atol=1e-18)
    with pytest.raises(UsageError, match="was fitted to"):
        found.model.feature(features[::-1])


def test_what_is_tested_on_changes_no_weight() -> None:
    steps = market(400)
    cut = 1_000 + 10 * 240
    moved = [step._replace(bids={900: 5}) if isinstance(step, Change) and step.ms >= cut else step for step in steps]
    one, two = (
        baseline(Recording(COIN, records_of(some)), lambda: [Imbalance(1), Gap(Mid(), Mid())], horizon_ns=100_000_000)
        for some in (steps, moved)
    )
    assert one.model == two.model
    assert one.score != two.score

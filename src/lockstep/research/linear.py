"""The plain baseline: ordinary least squares of a label on features, scored on time that it has not seen."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.features.micro import LinearPrediction, MarketFeature
from lockstep.model.errors import UsageError


class LinearModel(msgspec.Struct, frozen=True):
    """label = intercept + the sum of weight * feature. names: how each feature is written."""

    names: list[str]
    weights: list[float]
    intercept: float

    def predict(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """[n] of [n, k]; nan where a feature is."""
        predicted: NDArray[np.float64] = values @ np.array(self.weights) + self.intercept
        return predicted

    def feature(self, features: Sequence[MarketFeature], threshold: float = 0.0) -> LinearPrediction:
        """The model as a feature that a strategy declares; its `signal` is 1 or -1 beyond the threshold.

        Raises: UsageError: other features than it was fitted to.
        """
        names = [repr(entry) for entry in features]
        if names != self.names:
            raise UsageError(
                f"the model was fitted to {self.names}, was given {names}", hint="give them in the same order"
            )
        return LinearPrediction(features, self.weights, self.intercept, threshold)


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How a model did on time it has not seen.

    r2: 1 - its squared errors / those of always saying the mean of the training time; below 0 it is worse than that. hit_rate: how
    often the sign was right, of the rows where neither the label nor the prediction is 0; nan where there are none. train, test: rows.
    independent: how many horizons fit into the tested time: labels overlap, and this is nearer to how much was really seen.
    """

    r2: float
    hit_rate: float
    train: int
    test: int
    independent: int


def fit_linear(names: Sequence[str], values: NDArray[np.float64], labels: NDArray[np.float64]) -> LinearModel:
    """Ordinary least squares with an intercept, on columns brought to mean 0 and deviation 1; rows with a nan are left out.

    A column that does not vary gets the weight 0; columns that say the same share theirs (the least-squares solution of least norm).

    Args:   values: [n, k]. labels: [n].
    Raises: UsageError: shapes that do not fit, or fewer whole rows than columns + 2.
    """
    if values.ndim != 2 or values.shape != (len(labels), len(names)):
        raise UsageError(
            f"{len(names)} features and {len(labels)} labels need values of that shape: was {values.shape}"
        )
    rows = whole_rows(values, labels)
    if np.count_nonzero(rows) < len(names) + 2:
        raise UsageError(
            f"{np.count_nonzero(rows)} rows have every feature and a label, {len(names)} features need {len(names) + 2} at least",
            hint="a longer recording, or shorter spans",
        )
    columns, target = values[rows], labels[rows]
    centre, scale = columns.mean(axis=0), columns.std(axis=0)
    scale[scale <= 1e-12 * np.abs(centre)] = np.inf
    solution = np.linalg.lstsq((columns - centre) / scale, target - target.mean(), rcond=None)[0]
    weights = solution / scale
    return LinearModel(list(names), weights.tolist(), float(target.mean() - centre @ weights))


def score(
    model: LinearModel,
    values: NDArray[np.float64],
    labels: NDArray[np.float64],
    clock: NDArray[np.int64],
    *,
    train: tuple[int, float],
    horizon_ns: int,
) -> Score:
    """The model against the labels of rows it was not fitted to. train: how many rows it was fitted to, and the mean of their labels.

    Raises: UsageError: no row has every feature and a label.
    """
    rows = whole_rows(values, labels)
    if not rows.any():
        raise UsageError(
            "no row to test on has every feature and a label", hint="a longer recording, or a smaller share to train on"
        )
    target, predicted = labels[rows], model.predict(values[rows])
    count, mean = train
    square = float(np.sum((target - mean) ** 2))
    told = (target != 0.0) & (predicted != 0.0)
    hits = float(np.mean(np.sign(target[told]) == np.sign(predicted[told]))) if told.any() else float("nan")
    return Score(
        r2=1.0 - float(np.sum((target - predicted) ** 2)) / square if square > 0.0 else float("nan"),
        hit_rate=hits,
        train=count,
        test=int(np.count_nonzero(rows)),
        independent=int(clock[rows][-1] - clock[rows][0]) // horizon_ns,
    )


def whole_rows(values: NDArray[np.float64], labels: NDArray[np.float64]) -> NDArray[np.bool_]:
    """[n]: whether a row has every feature and a label."""
    rows: NDArray[np.bool_] = np.isfinite(values).all(axis=1) & np.isfinite(labels)
    return rows

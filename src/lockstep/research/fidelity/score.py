"""What is counted of a model: how often it was right about real orders, and how far off its times were."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.research.fidelity.orders import CANCELLED, FILLED, PARTIAL, RealOrder
from lockstep.research.fidelity.study import Outcome

SECOND = 1_000_000_000
EDGES = (0.0, 0.25, 0.5, 0.75, 1.0)


class Facts(NamedTuple):
    """What became of the orders, [n]: fate and distance by their names, the time of the end in ns, and the quantity."""

    fate: NDArray[np.str_]
    distance: NDArray[np.str_]
    ended: NDArray[np.int64]
    qty: NDArray[np.int64]

    def of(self, chosen: NDArray[np.bool_]) -> "Facts":
        """Some of them."""
        return Facts(self.fate[chosen], self.distance[chosen], self.ended[chosen], self.qty[chosen])


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One model on some orders. Positive: executed in full before its end. nan where there is nothing to divide by.

    orders, filled, partial, cancelled: by what really became of them. right: how often the model says the same of "in full".
    precision: of the fills it says, those that happened; recall: of those that happened, the ones it says; specificity: of the
    others, the ones it denies; balanced: the mean of the two. error_median, error_p90: of the time of the fill, seconds, absolute, where
    both filled. late: of the fills that it misses, the part that it says within a second after. partial_seen: of the orders that were
    partly executed, the part of which the model fills a part, too.
    """

    orders: int
    filled: int
    partial: int
    cancelled: int
    right: int
    precision: float
    recall: float
    specificity: float
    balanced: float
    error_median: float
    error_p90: float
    late: float
    partial_seen: float


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """Orders of which a share of the models within (low, high] say that they fill, and how many of them did. low < 0: none says so."""

    low: float
    high: float
    orders: int
    said: float
    filled: float


class Remains(msgspec.Struct, frozen=True, kw_only=True):
    """What a model was wrong about. said: fills in full that did not happen; missed: fills that it does not say in time; soon: of
    these, said within a second after. exact_right, exact_wrong: of both, what the model that knows every order ahead is right and
    wrong about: where it is right, all that was missing is which orders left the level; untold: what it is not asked about.
    """

    said: int
    missed: int
    soon: int
    exact_right: int
    exact_wrong: int
    untold: int


def remains(facts: Facts, outcome: Outcome, exact: Outcome, chosen: NDArray[np.bool_]) -> Remains:
    """Count what is wrong among the chosen."""
    chosen = chosen & outcome.asked
    real, said = facts.fate == FILLED, outcome.filled > 0
    wrong = chosen & (real != said)
    soon = (outcome.late > 0) & (outcome.late <= SECOND)
    right = (exact.filled > 0) == real
    return Remains(
        said=int((wrong & said).sum()),
        missed=int((wrong & real).sum()),
        soon=int((wrong & real & soon).sum()),
        exact_right=int((wrong & exact.asked & right).sum()),
        exact_wrong=int((wrong & exact.asked & ~right).sum()),
        untold=int((wrong & ~exact.asked).sum()),
    )


def facts_of(orders: Sequence[RealOrder], ended: Sequence[int]) -> Facts:
    """The facts of orders as columns."""
    return Facts(
        np.array([order.fate for order in orders], np.str_),
        np.array([order.distance for order in orders], np.str_),
        np.array(ended, np.int64),
        np.array([order.qty for order in orders], np.int64),
    )


def score(facts: Facts, outcome: Outcome, chosen: NDArray[np.bool_]) -> Score:
    """Score a model on the chosen ones of those it was asked about."""
    chosen = chosen & outcome.asked
    facts, outcome = facts.of(chosen), outcome.of(chosen)
    real, said = facts.fate == FILLED, outcome.filled > 0
    both, missed = real & said, real & ~said
    part = facts.fate == PARTIAL
    error = np.abs(outcome.filled[both] - facts.ended[both]) / SECOND
    soon = (outcome.late > 0) & (outcome.late <= SECOND)
    recall, specificity = _part(said, real), _part(~said, ~real)
    return Score(
        orders=len(real),
        filled=int(real.sum()),
        partial=int(part.sum()),
        cancelled=int((facts.fate == CANCELLED).sum()),
        right=int((real == said).sum()),
        precision=_part(real, said),
        recall=recall,
        specificity=specificity,
        balanced=(recall + specificity) / 2,
        error_median=float(np.median(error)) if len(error) else float("nan"),
        error_p90=float(np.quantile(error, 0.9)) if len(error) else float("nan"),
        late=_part(soon, missed),
        partial_seen=_part((outcome.left > 0) & (outcome.left < facts.qty), part),
    )


def _part(what: NDArray[np.bool_], of: NDArray[np.bool_]) -> float:
    return float(what[of].mean()) if of.any() else float("nan")


def calibration(facts: Facts, outcomes: Sequence[Outcome], chosen: NDArray[np.bool_]) -> list[Bin]:
    """The share of models that say an order fills, taken as its probability, against how often such orders did fill."""
    said = np.mean([outcome.filled[chosen] > 0 for outcome in outcomes], axis=0)
    real = facts.fate[chosen] == FILLED
    found = []
    below_one = float(np.nextafter(1.0, 0.0))
    for low, high in zip((-1.0, *EDGES[:-1], below_one), (*EDGES[:-1], below_one, 1.0), strict=True):
        inside = (said > low) & (said <= high)
        n = int(inside.sum())
        if n:
            share, rate = float(said[inside].mean()), float(real[inside].mean())
            found.append(Bin(low=low, high=high, orders=n, said=share, filled=rate))
    return found


def calibration_error(bins: Sequence[Bin]) -> float:
    """The mean distance between what was said and what happened, over the orders."""
    total = sum(one.orders for one in bins)
    return sum(one.orders * abs(one.said - one.filled) for one in bins) / total if total else float("nan")

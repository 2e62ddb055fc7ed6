"""Stoikov's micro-price, learnt from a recording: the table that the feature `Microprice` adds to the mid."""

import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import UsageError

TERMS_MAX = 1_000
_SMALL = 1e-12


def fit_microprice(
    mid: NDArray[np.float64],
    spread: NDArray[np.float64],
    imbalance: NDArray[np.float64],
    tick: float,
    *,
    buckets: int = 10,
    spreads: int = 2,
) -> list[list[float]]:
    """How many ticks the mid moves in the end, on average, after each imbalance and spread: what `Microprice` takes.

    The state of the book is the bid's share of the quantity at the touch, in `buckets` equal parts, and the spread in ticks, 1 to
    `spreads` (wider ones count as the last). From one change of the book to the next it goes to another state, and the mid moves or
    not. With Q the probabilities of going where without a move of the mid, T those with one, and r the mean move:
    G1 = (I - Q)^-1 r is the mean of the first move, B = (I - Q)^-1 T the state after it, and the table is G1 + B G1 + B^2 G1 + ...
    Every observation counts with its mirror image (bids and asks exchanged), without which the sum need not end.

    Args:   mid, spread: [n], quote currency, imbalance: [n], -1 to 1: `Mid()`, `Spread()`, `Imbalance(1)` at each change of the book,
            nan where the book is not GOOD. tick: quote currency. buckets: 2 or more; spreads: 1 or more.
    Returns: `spreads` rows of `buckets` entries, ticks. A state that was never seen has 0.
    Raises: UsageError: lengths that differ, counts out of range, no two changes after each other.
    Source: Stoikov (2018), "The micro-price: a high-frequency estimator of future prices", theorem 3.1 and section 4.
    """
    if not len(mid) == len(spread) == len(imbalance):
        raise UsageError(f"columns of one length: was {len(mid)}, {len(spread)} and {len(imbalance)}")
    if buckets < 2 or spreads < 1 or not tick > 0.0:
        raise UsageError(f"2 buckets, 1 spread and a tick above 0 at least: was {buckets}, {spreads} and {tick}")
    known = np.isfinite(mid) & np.isfinite(spread) & np.isfinite(imbalance)
    steps = known[:-1] & known[1:]
    if not steps.any():
        raise UsageError("no two changes of a good book after each other", hint="a recording with a full book in it")
    bucket = np.minimum(((np.where(known, imbalance, 0.0) + 1.0) / 2.0 * buckets).astype(np.int64), buckets - 1)
    row = np.clip(np.rint(np.where(known, spread, tick) / tick).astype(np.int64) - 1, 0, spreads - 1)
    moves = np.rint(2.0 * np.diff(np.where(known, mid, 0.0)) / tick)[steps] / 2.0  # mids lie on half ticks
    sides = [row * buckets + bucket, row * buckets + (buckets - 1 - bucket)]
    before = np.concatenate([side[:-1][steps] for side in sides])
    after = np.concatenate([side[1:][steps] for side in sides])
    table = _limit(before, after, np.concatenate([moves, -moves]), buckets * spreads).reshape(spreads, buckets)
    return [[float(entry) for entry in entries] for entries in table]


def _limit(
    before: NDArray[np.int64], after: NDArray[np.int64], moves: NDArray[np.float64], states: int
) -> NDArray[np.float64]:
    """[states]: the sum of the moves to come, for each state."""
    still = moves == 0.0
    stay, go = np.zeros((states, states)), np.zeros((states, states))
    np.add.at(stay, (before[still], after[still]), 1.0)
    np.add.at(go, (before[~still], after[~still]), 1.0)
    seen = np.maximum(np.bincount(before, minlength=states), 1)
    mean = np.bincount(before, weights=moves, minlength=states) / seen
    # Least squares: a state that the recording never leaves by a move of the mid makes the matrix singular.
    solve = np.linalg.pinv(np.eye(states) - stay / seen[:, None])
    term = solve @ mean
    chain = solve @ (go / seen[:, None])
    total = term.copy()
    for _ in range(TERMS_MAX):
        term = chain @ term
        total += term
        if np.abs(term).max() < _SMALL:
            break
    return total

"""Labels: what came after a moment. They are made from a whole recording, for training alone.

They are columns beside the recording and no features: `self.indicator` refuses them, and no label is known before `known_at`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import UsageError

HORIZON_NS = 15_000_000_000


class Labels(NamedTuple):
    """Forward returns. values: [n], log returns, nan where there is none. known_at: [n], ns UTC: no earlier may anyone know it."""

    values: NDArray[np.float64]
    known_at: NDArray[np.int64]


def forward_returns(clock: NDArray[np.int64], mid: NDArray[np.float64], horizon_ns: int = HORIZON_NS) -> Labels:
    """The log return of the mid from each moment to `horizon_ns` later.

    The later mid is the last one at or before that time. nan where the recording ends before it, where one of the two is not known,
    and where the book broke in between: nobody knows what it was while it was broken.

    Args:   clock: [n], ns UTC, never going back. mid: [n], quote currency, nan while the book is not GOOD.
    Raises: UsageError: lengths differ, clocks that go back, a horizon below 1.
    """
    if len(clock) != len(mid):
        raise UsageError(f"as many mids as clocks: was {len(mid)} for {len(clock)}")
    if horizon_ns < 1:
        raise UsageError(f"a horizon must be at least 1 ns, was {horizon_ns}")
    if np.any(np.diff(clock) < 0):
        raise UsageError("clocks of labels must never go back", hint="put the records in order first")
    known_at = clock + horizon_ns
    values = np.full(len(clock), np.nan)
    if len(clock) == 0:
        return Labels(values, known_at)
    later = np.searchsorted(clock, known_at, side="right") - 1
    broken = np.concatenate([[0], np.cumsum(~(mid > 0.0))])
    whole = (known_at <= clock[-1]) & (broken[later + 1] == broken[:-1])
    values[whole] = np.log(mid[later[whole]] / mid[whole])
    return Labels(values, known_at)

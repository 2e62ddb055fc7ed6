"""A second, purely functional implementation of each indicator, written from the definitions: no state, no tricks.

Each takes whole lists and returns a list with None before the warm-up.
"""

import math
from collections.abc import Sequence
from functools import reduce
from itertools import pairwise

Series = Sequence[float]
Answer = list[float | None]


def sma(values: Series, n: int) -> Answer:
    return [math.fsum(values[i - n + 1 : i + 1]) / n if i >= n - 1 else None for i in range(len(values))]


def ema(values: Series, n: int) -> Answer:
    alpha = 2 / (n + 1)

    def at(i: int) -> float | None:
        if i < n - 1:
            return None
        seed = math.fsum(values[:n]) / n
        return reduce(lambda average, x: alpha * x + (1 - alpha) * average, values[n : i + 1], seed)

    return [at(i) for i in range(len(values))]


def wilder(values: Series, n: int) -> list[float]:
    """Wilder's average of `values` at each index from n - 1 on."""
    if len(values) < n:
        return []
    averages = [math.fsum(values[:n]) / n]
    for x in values[n:]:
        averages.append(averages[-1] + (x - averages[-1]) / n)
    return averages


def rsi(values: Series, n: int) -> Answer:
    changes = [b - a for a, b in pairwise(values)]
    gains = wilder([max(c, 0.0) for c in changes], n)
    losses = wilder([max(-c, 0.0) for c in changes], n)
    strength = [
        50.0 if g + f == 0 else 100.0 if f == 0 else 100 - 100 / (1 + g / f) for g, f in zip(gains, losses, strict=True)
    ]
    return [*[None] * min(n, len(values)), *strength]


def atr(highs: Series, lows: Series, closes: Series, n: int) -> Answer:
    ranges = [max(h, c) - min(lo, c) for h, lo, c in zip(highs[1:], lows[1:], closes[:-1], strict=True)]
    return [*[None] * min(n, len(closes)), *wilder(ranges, n)]


def highest(values: Series, n: int) -> Answer:
    return [max(values[i - n + 1 : i + 1]) if i >= n - 1 else None for i in range(len(values))]


def lowest(values: Series, n: int) -> Answer:
    return [min(values[i - n + 1 : i + 1]) if i >= n - 1 else None for i in range(len(values))]


def crossings(a: Answer, b: Answer) -> Answer:
    def at(i: int) -> float | None:
        if i == 0 or None in (a[i - 1], b[i - 1], a[i], b[i]):
            return None
        before, now = a[i - 1] - b[i - 1], a[i] - b[i]  # type: ignore[operator]
        return 1.0 if before < 0 < now else -1.0 if now < 0 < before else 0.0

    return [at(i) for i in range(len(a))]

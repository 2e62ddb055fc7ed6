"""Which indicators are updated at a bar, and in what order: inputs first, each exactly once."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, SupportsFloat

import cython

from lockstep.features.base import SCHEMA, Indicator, checked_bar
from lockstep.model.fields import field, list_field


def resolve(indicators: Iterable[Indicator]) -> list[Indicator]:
    """The distinct indicators reachable from these, inputs before what reads them, else in the order declared.

    Distinct means by identity: an SMA shared by two crossings appears once; two separate `SMA(50)` are two.

    Raises: TypeError: something that is not an indicator.
    """
    ordered: list[Indicator] = []
    seen: set[Indicator] = set()  # indicators are equal only to themselves; the set is never walked
    # Depth first with a stack of our own: an `of` chain may be longer than Python's recursion limit.
    pending: list[tuple[Any, bool]] = [(indicator, False) for indicator in reversed(list(indicators))]
    while pending:
        indicator, inputs_done = pending.pop()
        if not isinstance(indicator, Indicator):
            raise TypeError(f"expected an indicator such as SMA(20), got {indicator!r} ({type(indicator).__name__})")
        if indicator in seen:
            continue
        if inputs_done:
            seen.add(indicator)
            ordered.append(indicator)
        else:
            pending.append((indicator, True))
            pending.extend((source, False) for source in reversed(indicator.inputs()))
    return ordered


@cython.final
@cython.cclass
class IndicatorSet:
    """Several indicators of one instrument, driven together: what the engine, a batch run and a notebook use.

    Args:   indicators: those of interest; their inputs are found and driven too.
    Raises: TypeError: not an indicator. ValueError: some have seen more bars than others.
    """

    ordered: tuple[Indicator, ...]

    def __init__(self, indicators: Iterable[Indicator]) -> None:
        self.ordered = tuple(resolve(indicators))
        for indicator in self.ordered:
            if indicator.count != self.ordered[0].count:
                raise ValueError(
                    f"{indicator!r} has seen {indicator.count} bars, {self.ordered[0]!r} {self.ordered[0].count}: "
                    "indicators driven together start together; reset() them"
                )

    @cython.boundscheck(False)
    @cython.wraparound(False)
    def update_bar(
        self, high: cython.double, low: cython.double, close: cython.double, volume: cython.double
    ) -> cython.int:
        """Take one bar, unchecked; see `Indicator.update_bar`."""
        i: cython.Py_ssize_t
        for i in range(len(self.ordered)):
            indicator: Indicator = cython.cast(Indicator, self.ordered[i])  # checked by resolve, once
            indicator.update_bar(high, low, close, volume)
        return 0

    def push(
        self,
        close: SupportsFloat,
        high: SupportsFloat | None = None,
        low: SupportsFloat | None = None,
        volume: SupportsFloat | None = None,
    ) -> None:
        """Take one bar, checked, and update every indicator once. Raises as `Indicator.push`."""
        uses_range = any(indicator.uses_range for indicator in self.ordered)
        uses_volume = any(indicator.uses_volume for indicator in self.ordered)
        bar = checked_bar(self, uses_range, uses_volume, close, high, low, volume)
        self.update_bar(bar[0], bar[1], bar[2], bar[3])

    @property
    def warmup(self) -> int:
        """Bars until every indicator is ready; 0 for an empty set."""
        return max((indicator.warmup for indicator in self.ordered), default=0)

    @property
    def count(self) -> int:
        """Bars seen since the start or the last reset; 0 for an empty set."""
        return self.ordered[0].count if self.ordered else 0

    @property
    def ready(self) -> bool:
        """Whether every indicator is ready."""
        return all(indicator.ready for indicator in self.ordered)

    def rescale(self, price_factor: SupportsFloat, volume_factor: SupportsFloat = 1.0) -> None:
        """Express the past of every indicator in new units; see `Indicator.rescale`."""
        for indicator in self.ordered:
            indicator.rescale(price_factor, volume_factor)

    def reset(self) -> None:
        """Forget every bar."""
        for indicator in self.ordered:
            indicator.reset()

    def save(self) -> dict[str, Any]:
        """The state of every indicator, in update order, as plain JSON data."""
        return {
            "kind": "IndicatorSet",
            "schema": SCHEMA,
            "indicators": [indicator.save() for indicator in self.ordered],
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from what `save` returned. On an error every indicator is as it was.

        Raises: ValueError, TypeError: another set, schema version, or damaged data.
        """
        if not isinstance(saved, Mapping):
            raise TypeError(f"saved state must be a dict from save(), was {type(saved).__name__}")
        if field(saved, "kind") != "IndicatorSet" or field(saved, "schema") != SCHEMA:
            raise ValueError(
                f"saved state is {saved['kind']!r} of schema version {field(saved, 'schema')!r}, "
                f"this build reads 'IndicatorSet' of {SCHEMA}"
            )
        states = list_field(saved, "indicators", len(self.ordered))
        before = self.save()["indicators"]
        try:
            for indicator, state in zip(self.ordered, states, strict=True):
                indicator.restore(state)
            if len({indicator.count for indicator in self.ordered}) > 1:
                raise ValueError("saved indicators have seen different numbers of bars")
        except (TypeError, ValueError):
            for indicator, state in zip(self.ordered, before, strict=True):
                indicator.restore(state)
            raise

    def __len__(self) -> int:
        return len(self.ordered)

    def __iter__(self) -> Iterator[Indicator]:
        return iter(self.ordered)

    def __repr__(self) -> str:
        return f"IndicatorSet([{', '.join(repr(indicator) for indicator in self.ordered)}])"

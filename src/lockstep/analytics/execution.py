"""How orders on a book fared: how often they were filled by where they stood, what followed their fills, messages a fill."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Table = Mapping[str, Any]

DISTANCES = ("improving", "at best", "1 tick", "2 ticks", "3-5 ticks", ">5 ticks")
_LAST_TICKS = (-1, 0, 1, 2, 5)
"""Ticks behind the best price of its own side up to which a placement belongs to the distance of the same place."""
HORIZONS_S = (1, 5, 15)


class FillRate(msgspec.Struct, frozen=True, kw_only=True):
    """Placements at one distance from the best: how many, how many were filled at all, and the part of their quantity that was.

    ahead_filled, ahead_unfilled: the mean quantity that stood at the price on arrival, base units, of those that were filled at all
    and of those that were not; None where there are none.
    """

    distance: str
    placements: int
    touched: int
    share: float | None
    ahead_filled: float | None
    ahead_unfilled: float | None


class MarkOut(msgspec.Struct, frozen=True, kw_only=True):
    """Fills of one kind, and where the middle stood after them, in our favour above 0; by quantity.

    fills: those with a known middle; unknown: the others, whose book was not to be trusted then, or whose data had ended. price: mean, quote currency for one unit. ticks: the same in ticks. money: what all of them
    gained by then, in the currency of the price; None where contracts are not worth their price (inverse, quanto).
    """

    symbol: str
    liquidity: str
    horizon_s: int
    fills: int
    price: float | None
    ticks: float | None
    money: float | None
    unknown: int = 0


def fill_rates(placements: Table) -> list[FillRate]:
    """One row for each distance; placements on a side that was empty are in none."""
    behind = np.asarray(placements["ticks_behind"], np.float64)
    qty, filled, ahead = (np.asarray(placements[name], np.float64) for name in ("qty", "filled", "ahead"))
    place = np.searchsorted(_LAST_TICKS, behind)  # NaN comes after all, and is no distance
    found = []
    for k, name in enumerate(DISTANCES):
        rows = (place == k) & ~np.isnan(behind)
        touched = rows & (filled > 0.0)
        found.append(
            FillRate(
                distance=name,
                placements=int(rows.sum()),
                touched=int(touched.sum()),
                share=float(filled[rows].sum() / qty[rows].sum()) if rows.any() else None,
                ahead_filled=_mean(ahead[touched]),
                ahead_unfilled=_mean(ahead[rows & ~touched]),
            )
        )
    return found


def mark_outs(marks: Table, ticks: Mapping[str, float], worth: Mapping[str, float | None]) -> list[MarkOut]:
    """For each symbol, maker and taker, at each horizon.

    Args: marks: the mark-outs table. ticks: the tick of each symbol, quote currency. worth: of one unit in money, for each of price;
          None where there is no such number.
    """
    return list(_mark_outs(marks, ticks, worth))


def _mark_outs(marks: Table, ticks: Mapping[str, float], worth: Mapping[str, float | None]) -> Iterator[MarkOut]:
    symbols, kinds = np.asarray(marks["symbol"], object), np.asarray(marks["liquidity"], object)
    qty = np.asarray(marks["qty"], np.float64)
    for symbol in sorted(set(symbols.tolist())):
        for kind in sorted(set(kinds[symbols == symbol].tolist())):
            rows = (symbols == symbol) & (kinds == kind)
            for seconds in HORIZONS_S:
                moved = np.asarray(marks[f"after_{seconds}s"], np.float64)
                known = rows & ~np.isnan(moved)
                gained = float((moved[known] * qty[known]).sum())
                mean = gained / float(qty[known].sum()) if known.any() else None
                of_one = worth[symbol]
                yield MarkOut(
                    symbol=symbol,
                    liquidity=kind,
                    horizon_s=seconds,
                    fills=int(known.sum()),
                    unknown=int(rows.sum()) - int(known.sum()),
                    price=mean,
                    ticks=None if mean is None else mean / ticks[symbol],
                    money=None if mean is None or of_one is None else gained * of_one,
                )


def messages_a_fill(messages: int, fills: int) -> float | None:
    """The order-to-trade ratio: orders, replacements and cancels sent, for each execution; None without any."""
    return messages / fills if fills else None


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]  # what stood behind the levels that are told, nobody knows
    return float(known.mean()) if known.size else None

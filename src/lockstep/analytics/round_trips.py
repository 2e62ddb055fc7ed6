"""Round trips from flat to flat: the default way to count trades.

A trade begins when a strategy's position in an instrument leaves zero and ends when it is back at zero. A fill that
turns a long into a short is split into the part that closes and the part that opens, its fee in proportion. Adding to
a position or closing part of it does not end a trade, so one EMA cross is one trade however many fills it took.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from lockstep.analytics.arrays import F64, I64, Bools
from lockstep.analytics.fills import Fills, InstrumentUnits, Restatement, check_instruments, check_inverse_prices
from lockstep.analytics.trades import Trades, UnitTrade, trades_from_units
from lockstep.model.errors import DataError


def flat_to_flat(
    fills: Fills,
    units: Sequence[InstrumentUnits],
    *,
    marks: Sequence[int],
    mark_ts: int,
    restatements: Sequence[Restatement] = (),
) -> Trades:
    """Round trips per strategy and instrument, from flat to flat.

    Args:    fills: any order, equal times in sequence; units, marks: by instrument index, a mark being the last price
             in price units, at which an open trade is valued; mark_ts: ns UTC, when; restatements: splits.
    Returns: trades by entry time.
    Raises:  DataError: an instrument without units or mark; a fill after mark_ts.
    """
    check_marks(fills, units, marks, mark_ts)
    return trades_from_units(
        (
            trip
            for instrument, strategy, rows in position_groups(fills)
            for trip in _group_trips(
                _Position(instrument, strategy, units[instrument], marks[instrument], mark_ts),
                *_flow(fills, rows, splits_until(restatements, instrument, mark_ts)),
            )
        ),
        units,
    )


def check_marks(fills: Fills, units: Sequence[InstrumentUnits], marks: Sequence[int], mark_ts: int) -> None:
    """Raise DataError unless every instrument has units and a mark, and no fill is later than the mark."""
    check_instruments(fills, len(units), "units")
    check_instruments(fills, len(marks), "marks")
    check_inverse_prices(fills, units)
    if fills.count and int(fills.ts.max()) > mark_ts:
        raise DataError(f"mark_ts must not precede a fill: was {mark_ts}, the last fill is at {int(fills.ts.max())}")


def position_groups(fills: Fills) -> Iterator[tuple[int, int, I64]]:
    """(instrument, strategy, rows in time order) for each position there was."""
    order = np.lexsort((fills.ts, fills.instrument, fills.strategy))  # stable: equal times keep their sequence
    instrument, strategy = fills.instrument[order], fills.strategy[order]
    change = (np.diff(instrument) != 0) | (np.diff(strategy) != 0)
    starts = np.flatnonzero(np.concatenate(([True], change))) if order.size else np.empty(0, dtype=np.int64)
    for start, rows in zip(starts, np.split(order, starts[1:]), strict=False):
        yield int(instrument[start]), int(strategy[start]), rows


def splits_until(restatements: Sequence[Restatement], instrument: int, last_ts: int) -> list[Restatement]:
    """The restatements of one instrument up to and including `last_ts`, by time."""
    return sorted((r for r in restatements if r.instrument == instrument and r.ts <= last_ts), key=lambda r: r.ts)


def restated(qty: int, split: Restatement) -> int:
    """qty * num / den in whole units, the fraction dropped (towards zero)."""
    whole = abs(qty) * split.num // split.den
    return whole if qty >= 0 else -whole


@dataclass(frozen=True, slots=True)
class _Position:
    instrument: int
    strategy: int
    units: InstrumentUnits
    mark: int
    mark_ts: int


@dataclass(frozen=True, slots=True)
class _Flow:
    """Everything that moved one position, in order: [k] rows, the signed quantity of each and what it cost."""

    ts: I64
    delta: I64
    price: I64
    fee: F64
    slippage: F64


def _flow(fills: Fills, rows: I64, splits: list[Restatement]) -> tuple[_Flow, dict[int, Fraction]]:
    """The rows of one position with flips split in two, and splits as rows of their own (row -> ratio)."""
    flow = _Flow(
        fills.ts[rows], (fills.side * fills.qty)[rows], fills.price[rows], fills.fee[rows], fills.slippage[rows]
    )
    at, deltas, ratios = _split_rows(flow, splits)
    if at:
        flow = _Flow(
            np.insert(flow.ts, at, [r.ts for r in ratios]),
            np.insert(flow.delta, at, deltas),
            np.insert(flow.price, at, 0),
            np.insert(flow.fee, at, 0.0),
            np.insert(flow.slippage, at, 0.0),
        )
    split_rows = np.array(at, dtype=np.int64) + np.arange(len(at))
    after = np.cumsum(flow.delta)
    before = after - flow.delta
    flips = np.sign(before) * np.sign(after) < 0
    copies = 1 + flips
    first = np.cumsum(copies) - copies
    closing = first[flips]
    delta = np.repeat(flow.delta, copies)
    delta[closing], delta[closing + 1] = -before[flips], after[flips]
    share = np.abs(delta) / np.maximum(np.abs(np.repeat(flow.delta, copies)), 1)
    share[closing + 1] = 1.0 - share[closing]
    fee, slippage = np.repeat(flow.fee, copies) * share, np.repeat(flow.slippage, copies) * share
    out = _Flow(np.repeat(flow.ts, copies), delta, np.repeat(flow.price, copies), fee, slippage)
    return out, {int(first[row]): Fraction(r.num, r.den) for row, r in zip(split_rows, ratios, strict=True)}


def _split_rows(flow: _Flow, splits: list[Restatement]) -> tuple[list[int], list[int], list[Restatement]]:
    """Where splits go (before fills of the same instant) and by how much each changes the position then held."""
    position = np.concatenate(([0], np.cumsum(flow.delta)))
    at: list[int] = []
    deltas: list[int] = []
    held_splits: list[Restatement] = []
    for split in splits:
        row = int(np.searchsorted(flow.ts, split.ts, side="left"))
        held = int(position[row]) + sum(deltas)
        if held:
            at.append(row)
            deltas.append(restated(held, split) - held)
            held_splits.append(split)
    return at, deltas, held_splits


def _group_trips(position: _Position, flow: _Flow, split_rows: dict[int, Fraction]) -> Iterator[UnitTrade]:
    after = np.cumsum(flow.delta)
    starts = np.flatnonzero((after == flow.delta) & (flow.delta != 0))
    if starts.size == 0:
        return
    ends = np.append(starts[1:], flow.ts.size)
    trip = np.repeat(np.arange(starts.size), ends - starts)
    side = np.sign(flow.delta[starts])
    is_fill = np.ones(flow.ts.size, dtype=np.bool_)
    is_fill[list(split_rows)] = False
    entering = is_fill & (np.sign(flow.delta) == side[trip])
    leaving = is_fill & ~entering
    entry_qty, entry_value = _sums(flow, entering, starts, position.units)
    exit_qty, exit_value = _sums(flow, leaving, starts, position.units)
    last = ends - 1
    exit_ts = flow.ts[last].tolist()
    for k in {int(trip[row]) for row in split_rows}:
        rows = range(int(starts[k]), int(ends[k]))
        entry_qty[k] = _restated_sum(flow, entering, rows, split_rows)
        exit_qty[k] = _restated_sum(flow, leaving, rows, split_rows)
    rest = abs(int(after[-1]))
    if rest:  # only the last trip can still be open
        exit_ts[-1] = position.mark_ts
        exit_qty[-1] += rest
        exit_value[-1] += rest * position.units.rate(position.mark)
    columns = (
        flow.ts[starts].tolist(),
        exit_ts,
        repeat(position.instrument),
        repeat(position.strategy),
        side.tolist(),
        entry_qty,
        entry_value,
        exit_qty,
        exit_value,
        np.add.reduceat(flow.fee, starts).tolist(),
        np.add.reduceat(flow.slippage, starts).tolist(),
        (after[last] != 0).tolist(),
    )
    yield from map(UnitTrade._make, zip(*columns, strict=False))  # the two constants repeat without end


def _sums(
    flow: _Flow, which: Bools, starts: I64, units: InstrumentUnits
) -> tuple[list[int | Fraction], list[int | Fraction]]:
    """Quantity and value of the chosen rows of each trip, exact."""
    qty = np.where(which, np.abs(flow.delta), 0)
    value: npt.NDArray[Any] = qty * flow.price
    bound = int(qty.max()) * max(int(np.abs(flow.price).max()), 1) * qty.size
    if units.inverse or bound >= 2**63:
        # int64 wraps without a word, and holds no fractions: the same sum over Python numbers.
        pairs = zip(qty.tolist(), flow.price.tolist(), strict=True)
        value = np.array([q * units.rate(p) if q else 0 for q, p in pairs], dtype=object)
    return np.add.reduceat(qty, starts).tolist(), np.add.reduceat(value, starts).tolist()


def _restated_sum(flow: _Flow, which: Bools, rows: range, split_rows: dict[int, Fraction]) -> Fraction:
    """Quantity of the chosen rows in units as at the last row: each multiplied by the splits that came after it."""
    total, factor = Fraction(0), Fraction(1)
    for row in reversed(rows):
        if row in split_rows:
            factor *= split_rows[row]
        elif which[row]:
            total += abs(int(flow.delta[row])) * factor
    return total

"""Round trips lot by lot, first in first out: each opening fill is a lot, each closing one ends the oldest lots.

One trade per (lot, closing fill) pair: the view of a tax report, and of backtesting.py, which counts every entry as a
trade of its own. With one entry and one exit it is the same as `round_trips.flat_to_flat`.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from lockstep.analytics.arrays import I64
from lockstep.analytics.fills import Fills, InstrumentUnits, Restatement
from lockstep.analytics.round_trips import check_marks, position_groups, restated, splits_until
from lockstep.analytics.trades import Trades, UnitTrade, trades_from_units


@dataclass(slots=True)
class _Lot:
    """What is left of an opening fill. The rate is an int unless a split or an inverse contract makes it a ratio."""

    ts: int
    side: int
    qty: int
    rate: int | Fraction
    fee_per_unit: Fraction
    slippage_per_unit: Fraction


@dataclass(frozen=True, slots=True)
class _Fill:
    ts: int
    side: int
    qty: int
    rate: int | Fraction
    fee: float
    slippage: float


def fifo(
    fills: Fills,
    units: Sequence[InstrumentUnits],
    *,
    marks: Sequence[int],
    mark_ts: int,
    restatements: Sequence[Restatement] = (),
) -> Trades:
    """Round trips per strategy and instrument, oldest lot first; arguments and errors as of `flat_to_flat`.

    Fees are shared out by quantity, exactly, and rounded once. A split restates every lot so that the whole position
    is the whole-unit restatement of the position before; each lot keeps its cost.
    """
    check_marks(fills, units, marks, mark_ts)
    return trades_from_units(
        (
            trip
            for instrument, strategy, rows in position_groups(fills)
            for trip in _position_trips(
                _fills_of(fills, rows, units[instrument]),
                splits_until(restatements, instrument, mark_ts),
                (instrument, strategy),
                _Fill(mark_ts, 0, 0, units[instrument].rate(marks[instrument]), 0.0, 0.0),
            )
        ),
        units,
    )


def _fills_of(fills: Fills, rows: I64, units: InstrumentUnits) -> Iterator[_Fill]:
    names = ("ts", "side", "qty", "price", "fee", "slippage")
    for ts, side, qty, price, fee, slippage in zip(*(getattr(fills, n)[rows].tolist() for n in names), strict=True):
        yield _Fill(ts, side, qty, units.rate(price), fee, slippage)


def _position_trips(
    fills: Iterator[_Fill], splits: list[Restatement], position: tuple[int, int], mark: _Fill
) -> Iterator[UnitTrade]:
    lots: deque[_Lot] = deque()
    pending = deque(splits)
    for fill in fills:
        while pending and pending[0].ts <= fill.ts:
            lots = _restate(lots, pending.popleft())
        left = fill.qty
        while left and lots and lots[0].side != fill.side:
            lot = lots[0]
            taken = min(left, lot.qty)
            yield _trip(lot, fill, taken, position, is_open=False)
            lot.qty -= taken
            left -= taken
            if not lot.qty:
                lots.popleft()
        if left:
            fee, slippage = Fraction(fill.fee) / fill.qty, Fraction(fill.slippage) / fill.qty
            lots.append(_Lot(fill.ts, fill.side, left, fill.rate, fee, slippage))
    for split in pending:
        lots = _restate(lots, split)
    for lot in lots:
        yield _trip(lot, mark, lot.qty, position, is_open=True)


def _restate(lots: deque[_Lot], split: Restatement) -> deque[_Lot]:
    """Each lot's share of the restated position; a lot too small for a unit leaves its cost to its neighbour."""
    out: deque[_Lot] = deque()
    before = after = 0
    carried = carried_fee = carried_slippage = Fraction(0)
    for lot in lots:
        before += lot.qty
        qty = restated(before, split) - after
        cost = lot.qty * Fraction(lot.rate) + carried
        fee, slippage = lot.qty * lot.fee_per_unit + carried_fee, lot.qty * lot.slippage_per_unit + carried_slippage
        if qty:
            out.append(_Lot(lot.ts, lot.side, qty, cost / qty, fee / qty, slippage / qty))
            carried = carried_fee = carried_slippage = Fraction(0)
        else:
            carried, carried_fee, carried_slippage = cost, fee, slippage
        after += qty
    if carried and out:
        last = out[-1]
        last.rate += carried / last.qty
        last.fee_per_unit += carried_fee / last.qty
        last.slippage_per_unit += carried_slippage / last.qty
    return out


def _trip(lot: _Lot, exit_fill: _Fill, qty: int, position: tuple[int, int], *, is_open: bool) -> UnitTrade:
    share = Fraction(qty, exit_fill.qty) if exit_fill.qty else Fraction(0)
    return UnitTrade(
        entry_ts=lot.ts,
        exit_ts=exit_fill.ts,
        instrument=position[0],
        strategy=position[1],
        side=lot.side,
        entry_qty=qty,
        entry_value=qty * lot.rate,
        exit_qty=qty,
        exit_value=qty * exit_fill.rate,
        fees=float(lot.fee_per_unit * qty + share * Fraction(exit_fill.fee)),
        slippage=float(lot.slippage_per_unit * qty + share * Fraction(exit_fill.slippage)),
        is_open=is_open,
    )

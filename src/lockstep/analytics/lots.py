"""Round trips lot by lot, first in first out: each opening fill is a lot, each closing one ends the oldest lots.

One trade per (lot, closing fill) pair: the view of a tax report, and of backtesting.py, which counts every entry as a
trade of its own. With one entry and one exit it is the same as `round_trips.flat_to_flat`.
"""

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from lockstep.analytics.arrays import I64
from lockstep.analytics.fills import Fills, InstrumentUnits, Restatement
from lockstep.analytics.round_trips import check_marks, position_groups, restated, splits_until
from lockstep.analytics.trades import Trades, UnitTrade, trades_from_units


@dataclass(slots=True)
class _Parcel:
    """What is left of a fill: of an opening one a lot, of a closing one the part not yet matched.

    The rate is an int unless a split or an inverse contract makes it a ratio.
    """

    ts: int
    side: int
    qty: int
    rate: int | Fraction
    fee: float
    slippage: float

    def take(self, qty: int) -> "_Parcel":
        """Split off `qty` units with their share of the fee; the last share is what is left, so nothing is lost."""
        whole = qty == self.qty
        fee = self.fee if whole else self.fee * qty / self.qty
        slippage = self.slippage if whole else self.slippage * qty / self.qty
        self.qty -= qty
        self.fee -= fee
        self.slippage -= slippage
        return _Parcel(self.ts, self.side, qty, self.rate, fee, slippage)


def fifo(
    fills: Fills,
    units: Sequence[InstrumentUnits],
    *,
    marks: Sequence[int],
    mark_ts: int,
    restatements: Sequence[Restatement] = (),
) -> Trades:
    """Round trips per strategy and instrument, oldest lot first; arguments and errors as of `flat_to_flat`.

    Fees are shared out by quantity. A split restates every lot so that the whole position
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
                _Parcel(mark_ts, 0, 0, units[instrument].rate(marks[instrument]), 0.0, 0.0),
            )
        ),
        units,
    )


def _fills_of(fills: Fills, rows: I64, units: InstrumentUnits) -> Iterator[_Parcel]:
    names = ("ts", "side", "qty", "price", "fee", "slippage")
    for ts, side, qty, price, fee, slippage in zip(*(getattr(fills, n)[rows].tolist() for n in names), strict=True):
        yield _Parcel(ts, side, qty, units.rate(price), fee, slippage)


def _position_trips(
    fills: Iterator[_Parcel], splits: list[Restatement], position: tuple[int, int], mark: _Parcel
) -> Iterator[UnitTrade]:
    lots: deque[_Parcel] = deque()
    pending = deque(splits)
    for fill in fills:
        while pending and pending[0].ts <= fill.ts:
            lots = yield from _restated_lots(lots, pending.popleft(), position)
        while fill.qty and lots and lots[0].side != fill.side:
            taken = min(fill.qty, lots[0].qty)
            yield _trip(lots[0].take(taken), fill.take(taken), position, is_open=False)
            if not lots[0].qty:
                lots.popleft()
        if fill.qty:
            lots.append(fill)
    for split in pending:
        lots = yield from _restated_lots(lots, split, position)
    for lot in lots:
        yield _trip(lot, mark, position, is_open=True)


def _restated_lots(
    lots: deque[_Parcel], split: Restatement, position: tuple[int, int]
) -> Generator[UnitTrade, None, deque[_Parcel]]:
    """The lots after a split. Where it leaves no whole unit, every lot ends there, with no exit quantity or price."""
    after = _restate(lots, split)
    if not after:
        nothing = _Parcel(split.ts, 0, 0, 0, 0.0, 0.0)
        for lot in lots:
            yield _trip(lot, nothing, position, is_open=False)._replace(exit_qty=0)
    return after


def _restate(lots: deque[_Parcel], split: Restatement) -> deque[_Parcel]:
    """Each lot's share of the restated position; a lot too small for a unit leaves its cost to its neighbour."""
    out: deque[_Parcel] = deque()
    before = after = 0
    cost, fee, slippage = Fraction(0), 0.0, 0.0
    for lot in lots:
        before += lot.qty
        qty = restated(before, split) - after
        cost, fee, slippage = cost + lot.qty * Fraction(lot.rate), fee + lot.fee, slippage + lot.slippage
        if qty:
            out.append(_Parcel(lot.ts, lot.side, qty, cost / qty, fee, slippage))
            cost, fee, slippage = Fraction(0), 0.0, 0.0
        after += qty
    if out:
        out[-1].rate += cost / out[-1].qty
        out[-1].fee += fee
        out[-1].slippage += slippage
    return out


def _trip(entry: _Parcel, leave: _Parcel, position: tuple[int, int], *, is_open: bool) -> UnitTrade:
    return UnitTrade(
        entry_ts=entry.ts,
        exit_ts=leave.ts,
        instrument=position[0],
        strategy=position[1],
        side=entry.side,
        entry_qty=entry.qty,
        entry_value=entry.qty * entry.rate,
        exit_qty=entry.qty,
        exit_value=entry.qty * leave.rate,
        fees=entry.fee + leave.fee,
        slippage=entry.slippage + leave.slippage,
        is_open=is_open,
    )

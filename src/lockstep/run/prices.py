"""A second look at the data of a run: chart bars, buy and hold, and the corporate actions in range."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lockstep.model.enums import CorporateAction, EventKind
from lockstep.model.instrument import Instrument
from lockstep.model.record import Records
from lockstep.model.valuation import Valuation, ledger_decimals_for
from lockstep.run.feeds import BarView
from lockstep.sim.fees import FeeModel

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

CHART_BARS_MAX = 4000
HOLD_POINTS_MAX = 50_000
_MINUTE = 60_000_000_000
_BUCKETS = [_MINUTE * minutes for minutes in (1, 5, 15, 30, 60, 240, 1440, 10_080, 43_200)]


class Action(NamedTuple):
    """A split (num new shares for den old) or a dividend (amount per share), in force from ts, ns UTC."""

    ts: int
    symbol: str
    kind: str
    num: int
    den: int
    amount: float


class ChartBars(NamedTuple):
    """Bars of one instrument in buckets of time: ts is the end of the last bar in each, prices are raw floats."""

    symbol: str
    ts: I64
    open: F64
    high: F64
    low: F64
    close: F64
    volume: F64


class Holding(NamedTuple):
    """What one instrument's share of a buy-and-hold account was worth, at ts; starting is its money at the start."""

    ts: I64
    equity: F64
    starting: float


def bucket_for(span_ns: int, bar_ns: int, rows: int, rows_max: int) -> int:
    """The shortest bucket, ns, that keeps `rows` bars over a span within rows_max; 1, each bar by itself, where it can.

    Not bar_ns: midnights of a zone with summer time are 23 hours apart once a year, and would share a bucket.
    """
    if rows <= rows_max:
        return 1
    wide = [bucket for bucket in _BUCKETS if bucket > bar_ns]
    return next((bucket for bucket in wide if span_ns // bucket <= rows_max), wide[-1] if wide else bar_ns)


def chart_bars(data: BarView, start_ns: int | None, end_ns: int | None) -> tuple[ChartBars, list[Action]]:
    """Aggregate an instrument's bars for a chart, and list its corporate actions, chunk by chunk."""
    info = data.info
    first_ns = info.first_ns if start_ns is None else max(info.first_ns, start_ns)
    last_ns = info.last_ns if end_ns is None else min(info.last_ns, end_ns)
    bucket = bucket_for(last_ns - first_ns, info.bar_ns, data.count(start_ns, end_ns), CHART_BARS_MAX)
    parts: list[NDArray[np.float64]] = []
    times: list[I64] = []
    actions: list[Action] = []
    for records in data.chunks(start_ns, end_ns):
        actions.extend(_actions_in(records, info.symbol))
        bars = records[records["kind"] == int(EventKind.BAR)]
        if len(bars):
            _aggregate(bars, bucket, times, parts)
    scale = 10.0**data.instrument.price_decimals
    whole = np.concatenate(parts) if parts else np.empty((0, 6))
    ts = np.concatenate(times) if times else np.empty(0, np.int64)
    keep, first = _merge_edges(whole)
    return ChartBars(
        info.symbol,
        ts[keep],
        first / scale,
        np.maximum.reduceat(whole[:, 2], _starts(whole)) / scale if len(whole) else np.empty(0),
        np.minimum.reduceat(whole[:, 3], _starts(whole)) / scale if len(whole) else np.empty(0),
        whole[keep, 4] / scale,
        np.add.reduceat(whole[:, 5], _starts(whole)) if len(whole) else np.empty(0),
    ), actions


def _actions_in(records: Records, symbol: str) -> Iterator[Action]:
    for record in records[records["kind"] == int(EventKind.CORPORATE_ACTION)]:
        first, second = int(record["p0"]), int(record["p1"])
        if record["aux"] == int(CorporateAction.SPLIT):
            yield Action(int(record["clock"]), symbol, "split", first, second, 0.0)
        else:
            yield Action(int(record["clock"]), symbol, "dividend", 1, 1, first / 10.0**second)


def _aggregate(bars: Records, bucket: int, times: list[I64], parts: list[F64]) -> None:
    number = bars["ts_open"] // bucket
    starts = np.flatnonzero(np.concatenate(([True], number[1:] != number[:-1])))
    ends = np.concatenate((starts[1:], [len(bars)])) - 1
    times.append(bars["ts_event"][ends].astype(np.int64))
    parts.append(
        np.column_stack(
            [
                number[starts].astype(np.float64),
                bars["p0"][starts].astype(np.float64),
                np.maximum.reduceat(bars["p1"], starts).astype(np.float64),
                np.minimum.reduceat(bars["p2"], starts).astype(np.float64),
                bars["p3"][ends].astype(np.float64),
                np.add.reduceat(bars["volume"], starts),
            ]
        )
    )


def _starts(rows: F64) -> I64:
    """Where each bucket begins: a bucket cut by a chunk's edge is two rows."""
    starts: I64 = np.flatnonzero(np.concatenate(([True], rows[1:, 0] != rows[:-1, 0])))
    return starts


def _merge_edges(rows: F64) -> tuple[I64, F64]:
    """(last row of each bucket, its first price)."""
    if not len(rows):
        return np.empty(0, np.int64), np.empty(0)
    starts = _starts(rows)
    last = np.concatenate((starts[1:], [len(rows)])) - 1
    return last, rows[starts, 1]


def hold(data: BarView, money: float, start_ns: int | None, end_ns: int | None) -> Holding:
    """Buy at the first open with `money`, pay the entry fee, hold; splits restate, dividends stay as cash.

    Fractions of a lot are bought: this is a yardstick, not an order.
    """
    instrument = data.instrument
    valuation = Valuation(instrument, ledger_decimals_for([instrument]))
    every = max(1, data.count(start_ns, end_ns) // HOLD_POINTS_MAX)
    times: list[I64] = []
    values: list[F64] = []
    qty = cash = 0.0
    bought = False
    for records in data.chunks(start_ns, end_ns):
        for piece in _between_actions(records):
            head = piece[0]
            if head["kind"] == int(EventKind.CORPORATE_ACTION):
                first, second = int(head["p0"]), int(head["p1"])
                if head["aux"] == int(CorporateAction.SPLIT):
                    qty *= first / second
                else:
                    cash += qty * first / 10.0**second
                continue
            if not bought:
                qty, cash = _entry(valuation, instrument, int(head["p0"]), money)
                bought = True
            chosen = piece[::-1][::every][::-1]
            times.append(chosen["clock"].astype(np.int64))
            values.append(cash + chosen["p3"] * (qty * 10.0**instrument.qty_decimals * valuation.mark_factor))
    return Holding(
        np.concatenate(times) if times else np.empty(0, np.int64),
        np.concatenate(values) if values else np.empty(0),
        money,
    )


def _entry(valuation: Valuation, instrument: Instrument, price: int, money: float) -> tuple[float, float]:
    """(quantity, cash left) of putting all money into an instrument at a price."""
    one = price * 10.0**instrument.qty_decimals * valuation.mark_factor
    units = int(money / one * 10**instrument.qty_decimals)
    fee = FeeModel(instrument.fees, valuation).fee(price, units, False, True) / 10.0**valuation.ledger_decimals
    qty = (money - fee) / one
    return qty, money - fee - qty * one


def _between_actions(records: Records) -> Iterator[Records]:
    """Runs of bars, and each corporate action alone, in order."""
    is_action = records["kind"] == int(EventKind.CORPORATE_ACTION)
    cuts = np.flatnonzero(is_action)
    at = 0
    for cut in cuts.tolist():
        if cut > at:
            yield records[at:cut]
        yield records[cut : cut + 1]
        at = cut + 1
    if at < len(records):
        yield records[at:]


def hold_all(holdings: Sequence[Holding]) -> tuple[I64, F64]:
    """Several holdings as one account, at every time of any of them; before its first price one is still money."""
    times = np.unique(np.concatenate([holding.ts for holding in holdings]))
    total = np.zeros(len(times))
    for holding in holdings:
        if not len(holding.ts):  # it never had a price
            total += holding.starting
            continue
        known = np.searchsorted(holding.ts, times, side="right") - 1
        total += np.where(known >= 0, holding.equity[np.maximum(known, 0)], holding.starting)
    return times, total

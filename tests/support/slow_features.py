"""Twins of the market features: plain Python that looks at the whole past anew each time, straight from the definitions."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from market_rows import MS, Change, Levels, Lost, Step, Took

NAN = math.nan
Side = list[tuple[int, int]]


class Seen(NamedTuple):
    """The book after a change: (price, quantity) best first; None where it could not be trusted."""

    clock: int
    bids: Side
    asks: Side


class Past:
    """All that was seen up to some step."""

    def __init__(self, steps: Sequence[Step]) -> None:
        """Replay the steps with dictionaries."""
        bids: Levels = {}
        asks: Levels = {}
        good = False
        self.books: list[Seen | None] = []
        self.clocks: list[tuple[int, bool]] = []  # of every step; whether it was of the book
        self.trades: list[tuple[int, int, int]] = []  # clock, side, quantity
        self.mids: list[tuple[int, float]] = []  # of every step of the book, nan where there is none
        for step in steps:
            self.clocks.append((step.ms * MS, not isinstance(step, Took)))
            if isinstance(step, Took):
                self.trades.append((step.ms * MS, step.side, step.qty))
                continue
            if isinstance(step, Lost):
                good = False
            else:
                good = self._change(step, bids, asks, good)
            whole = good and bids and asks
            seen = Seen(step.ms * MS, sorted(bids.items(), reverse=True), sorted(asks.items())) if whole else None
            self.books.append(seen)
            self.mids.append((step.ms * MS, NAN if seen is None else (seen.bids[0][0] + seen.asks[0][0]) / 200))
        self.now = self.clocks[-1][0]

    @staticmethod
    def _change(step: Change, bids: Levels, asks: Levels, good: bool) -> bool:
        if step.full:
            bids.clear()
            asks.clear()
            good = True
        for levels, changes in ((bids, step.bids), (asks, step.asks)):
            for price, qty in changes.items():
                levels.pop(price, None)
                if qty:
                    levels[price] = qty
        return good and not (bids and asks and max(bids) >= min(asks))

    @property
    def book(self) -> Seen | None:
        """The last one."""
        return self.books[-1] if self.books else None

    def stretch(self) -> list[Seen]:
        """The books since the last that could not be trusted."""
        found: list[Seen] = []
        for seen in reversed(self.books):
            if seen is None:
                break
            found.append(seen)
        return found[::-1]


def mid(past: Past) -> float:
    return past.mids[-1][1] if past.mids else NAN


def spread(past: Past) -> float:
    return NAN if past.book is None else (past.book.asks[0][0] - past.book.bids[0][0]) / 100


def depth_mid(past: Past, levels: int) -> float:
    if past.book is None:
        return NAN
    bids, asks = past.book.bids[:levels], past.book.asks[:levels]
    bid_qty, ask_qty = sum(q for _, q in bids), sum(q for _, q in asks)
    bid, ask = Fraction(sum(p * q for p, q in bids), bid_qty), Fraction(sum(p * q for p, q in asks), ask_qty)
    return float((bid * ask_qty + ask * bid_qty) / (bid_qty + ask_qty) / 100)


def imbalance(past: Past, levels: int) -> float:
    if past.book is None:
        return NAN
    bid_qty, ask_qty = (sum(q for _, q in side[:levels]) for side in (past.book.bids, past.book.asks))
    return (bid_qty - ask_qty) / (bid_qty + ask_qty)


def _level(side: Side, level: int, none: float) -> tuple[float, int]:
    return side[level - 1] if len(side) >= level else (none, 0)


def ofi(past: Past, span_ms: int, level: int = 1) -> float:
    books = past.stretch()
    if not books or past.now - books[0].clock < span_ms * MS:
        return NAN
    flow = 0
    for old, new in zip(books, books[1:], strict=False):
        if new.clock <= past.now - span_ms * MS:
            continue
        (p0, q0), (p1, q1) = _level(old.bids, level, -math.inf), _level(new.bids, level, -math.inf)
        flow += (p1 >= p0) * q1 - (p1 <= p0) * q0
        (p0, q0), (p1, q1) = _level(old.asks, level, math.inf), _level(new.asks, level, math.inf)
        flow += (p1 >= p0) * q0 - (p1 <= p0) * q1
    return flow / 10


def tfi(past: Past, span_ms: int) -> float:
    if past.now - past.clocks[0][0] < span_ms * MS:
        return NAN
    return sum(side * qty for clock, side, qty in past.trades if clock > past.now - span_ms * MS) / 10


def sign_run(past: Past) -> float:
    sides = [side for _, side, _ in past.trades if side]
    if not sides:
        return NAN
    length = next((k for k, side in enumerate(reversed(sides)) if side != sides[-1]), len(sides))
    return float(sides[-1] * length)


def depletion(past: Past, side: int, span_ms: int) -> float:
    books = past.stretch()
    if not books or past.now - books[0].clock < span_ms * MS:
        return NAN
    gone = 0
    for old, new in zip(books, books[1:], strict=False):
        if new.clock <= past.now - span_ms * MS:
            continue
        (p0, q0), (p1, q1) = (seen.bids[0] if side > 0 else seen.asks[0] for seen in (old, new))
        if p1 == p0:
            gone += max(0, q0 - q1)
        elif (p1 - p0) * side < 0:
            gone += q0
    last = books[-1]
    return gone / (gone + (last.bids if side > 0 else last.asks)[0][1])


def intervals(past: Past, interval_ms: int, count: int) -> list[tuple[float, float, float]]:
    """(mid at the begin, mid at the end, signed quantity) of the last intervals that are over; empty if they are not all known."""
    length = interval_ms * MS
    over = past.now // length
    found = []
    for number in range(over - count, over):
        begin, end = number * length, (number + 1) * length
        known = [value for clock, value in past.mids if begin <= clock < end]
        before = [value for clock, value in past.mids if clock < begin]
        if not before or math.isnan(before[-1]) or any(math.isnan(value) for value in known):
            return []
        flow = sum(side * qty for clock, side, qty in past.trades if begin <= clock < end) / 10
        found.append((before[-1], known[-1] if known else before[-1], flow))
    return [] if any(math.isnan(value) for clock, value in past.mids if clock >= over * length) else found


def kyle(past: Past, interval_ms: int, count: int) -> float:
    rows = intervals(past, interval_ms, count)
    flows = [Fraction(flow) for _, _, flow in rows]
    if len(set(flows)) < 2:
        return NAN
    moves = [Fraction(end) - Fraction(begin) for begin, end, _ in rows]
    flow, move = sum(flows) / count, sum(moves) / count
    square = sum((x - flow) ** 2 for x in flows)
    return float(sum((x - flow) * (y - move) for x, y in zip(flows, moves, strict=True)) / square)


def volatility(past: Past, interval_ms: int, count: int) -> float:
    rows = intervals(past, interval_ms, count)
    return math.sqrt(math.fsum(math.log(end / begin) ** 2 for begin, end, _ in rows)) if rows else NAN


def lagged_mid(past: Past, lag_ms: int) -> float:
    """The last mid at or before now - lag, with none unknown since."""
    then = past.now - lag_ms * MS
    unknown = [k for k, (_, value) in enumerate(past.mids) if math.isnan(value)]
    known = past.mids[unknown[-1] + 1 if unknown else 0 :]
    old = [value for clock, value in known if clock <= then]
    return old[-1] if old else NAN

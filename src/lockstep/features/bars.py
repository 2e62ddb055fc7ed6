"""The one bar aggregator: bars of a longer length from shorter bars, trades or quotes.

The rules:

- **Buckets** are counted from each session's open and cut at its close; a bar of a day is one trading day, from its first
  open to its last close. Where there is no closing time, a session is a UTC day.
- **What a bucket holds.** A trade or quote belongs to the bucket its time lies in; one at the very end belongs to the
  next. A bar belongs to the bucket it lies in wholly; one that lies across an edge is refused, as it cannot be divided.
  A bucket in which nothing happened gives no bar. What happens outside every session forms none either and is counted.
- **No future.** A bar is given when an event at or after its end has been seen, or a source bar that ends there. The
  bucket that the data breaks off in is not given, unless the caller says that time has passed (`advance`).
- **Stamps.** ts_open and ts_event are the start and end of the bucket. The clock is its end too, or, where the data was
  received later than it happened, when the last part of it was.
- **Price of a quote**: the middle of bid and ask, rounded down to a unit, as the engine's last price. A quote that is
  crossed (bid above ask) or lacks a side (a price not above 0) is left out and counted. Volume is in base units.
- **Corporate actions** pass through in their place. A split inside a bucket that has begun is refused.

This module imports numpy.
"""

from collections.abc import Iterable, Iterator
from typing import SupportsIndex

import cython
import numpy as np
from numpy.typing import NDArray

if cython.compiled:
    from cython.cimports.lockstep.model.rows import EventRows
else:
    from lockstep.model.rows import EventRows
from lockstep.model.arguments import whole
from lockstep.model.enums import CorporateAction, EventKind
from lockstep.model.errors import DataError, UsageError
from lockstep.model.numbers import DECIMALS_MAX, NANOS_PER_DAY
from lockstep.model.record import MARKET_EVENT, Records, floats, words
from lockstep.model.sessions import Session
from lockstep.model.timeframe import timeframe_text

_ACTION = cython.declare(cython.int, int(EventKind.CORPORATE_ACTION))
_TRADE = cython.declare(cython.int, int(EventKind.TRADE))
_QUOTE = cython.declare(cython.int, int(EventKind.QUOTE))
_BAR = cython.declare(cython.int, int(EventKind.BAR))
_SPLIT = cython.declare(cython.int, int(CorporateAction.SPLIT))
_PAST = cython.declare(cython.longlong, -0x7FFFFFFFFFFFFFFF)

SERIES_MAX = 0xFFFF
KINDS = (EventKind.BAR, EventKind.TRADE, EventKind.QUOTE)
SESSIONS_AHEAD_NS = 100 * NANOS_PER_DAY  # how far the calendar is worked out at a time
WEEK_NS = 7 * NANOS_PER_DAY  # no session is longer


@cython.final
@cython.cclass
class BarBuilder:
    """Builds the bars of one instrument. Feed it with `add`, in order of clock; the rules stand above.

    Args:
        timeframe_ns: length of the bars; it divides a day.
        session:      whose opens the buckets are counted from.
        series:       written into `aux` of the bars, 0 to 65,535 (see model/record.py).
        qty_decimals: the instrument's; needed for trades, whose quantities become volume.
        kind:         BAR, TRADE or QUOTE: what to build from, all else being passed over. None: what comes first, and
                      another kind beside it is refused.
        actions:      whether corporate actions pass through; False where the finer data itself goes the same way.
        name:         the instrument's, for messages.

    Attributes (read-only): `kind`; `rows`, records given; left out and counted: `outside` every session, `late` (a trade
    or quote of a bar already given), `unusable` (crossed or one-sided quotes).

    Raises: UsageError: a length that does not divide a day, or a kind that has no price.
    """

    timeframe_ns: cython.longlong
    session: Session
    name: str
    outside: cython.longlong
    late: cython.longlong
    unusable: cython.longlong
    rows: cython.longlong
    kind: cython.int
    any_kind: cython.bint
    with_actions: cython.bint
    filled: cython.bint  # whether the bucket has begun
    scaled: cython.bint  # whether the quantity's decimals are known
    head: cython.longlong  # word HEAD of the bars given
    step: cython.longlong
    floor: cython.longlong  # nothing before this time is taken: the start of the bucket, or the end of the last bar
    clock: cython.longlong  # of the last record
    known: cython.longlong  # clock of the last part of the bucket
    start: cython.longlong
    end: cython.longlong
    open: cython.longlong
    high: cython.longlong
    low: cython.longlong
    close: cython.longlong
    volume: cython.double  # of trades in units until the bar is given: exact up to 2**53
    qty_scale: cython.double
    opened: cython.longlong  # the session sought last, or the next one where time lies outside
    closed: cython.longlong
    opens: NDArray[np.int64]
    closes: NDArray[np.int64]
    at: cython.Py_ssize_t
    sessions: cython.Py_ssize_t
    made: cython.Py_ssize_t  # rows written to `out`, of which w and f are views
    out: Records
    w: NDArray[np.int64]
    f: NDArray[np.float64]

    def __init__(
        self,
        timeframe_ns: SupportsIndex,
        session: Session,
        *,
        series: SupportsIndex = 1,
        qty_decimals: SupportsIndex | None = None,
        kind: EventKind | None = None,
        actions: bool = True,
        name: str = "",
    ) -> None:
        length = whole("timeframe_ns", timeframe_ns, 1, NANOS_PER_DAY)
        if NANOS_PER_DAY % length:
            raise UsageError(f"bars of {timeframe_text(length)} do not divide a day", hint="for example 5m, 1h or 1d")
        if kind is not None and kind not in KINDS:
            raise UsageError(f"no bars are made of {kind!r}", hint="give EventKind.BAR, TRADE or QUOTE")
        self.timeframe_ns = length
        self.session = session
        self.name = name or "bars"
        self.kind = -1 if kind is None else int(kind)
        self.any_kind = kind is None
        self.with_actions = actions
        self.head = _BAR | whole("series", series, 0, SERIES_MAX) << 16
        self.scaled = qty_decimals is not None
        self.qty_scale = 1.0 if qty_decimals is None else 10.0 ** whole("qty_decimals", qty_decimals, 0, DECIMALS_MAX)
        self.step = WEEK_NS if length == NANOS_PER_DAY else length
        self.outside = self.late = self.unusable = self.rows = 0
        self.filled = False
        self.floor = self.clock = self.known = _PAST
        self.start = self.end = self.open = self.high = self.low = self.close = 0
        self.volume = 0.0
        self.opened = self.closed = 0
        self.at = self.sessions = self.made = 0
        self.opens = self.closes = np.zeros(0, np.int64)
        self.out = np.zeros(0, MARKET_EVENT)
        self._room(1)

    def add(self, records: Records) -> Records:
        """Take the next records, ordered by clock, and give the bars (and actions) they complete, as a fresh array.

        Raises: DataError: time goes back, a bar lies across an edge, a split inside a bucket, two kinds of events, or
                trades without qty_decimals. The builder is of no use afterwards.
        """
        rows: EventRows = EventRows()
        rows.hold(records)
        self._room(2 * len(records))  # at most: a bucket is closed, and a source bar completes the next one
        self._take(rows, len(records))
        return self._given()

    def advance(self, now_ns: SupportsIndex) -> Records:
        """Time has come to now_ns, ns UTC, and nothing more happened before: gives the bar that has ended, if any."""
        now = whole("now_ns", now_ns, -(2**63), 2**63 - 1)
        self._room(1)
        if self.filled and self.end <= now:
            self._close()
        return self._given()

    def _room(self, rows: cython.Py_ssize_t) -> None:
        if len(self.out) < rows:
            self.out = np.zeros(rows, MARKET_EVENT)
            ints: object = memoryview(words(self.out))  # type: ignore[arg-type]
            reals: object = memoryview(floats(self.out))  # type: ignore[arg-type]
            self.w = ints  # type: ignore[assignment]
            self.f = reals  # type: ignore[assignment]

    def _given(self) -> Records:
        given: Records = self.out[: self.made].copy()
        self.made = 0
        return given

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _take(self, rows: EventRows, n: cython.Py_ssize_t) -> cython.int:
        i: cython.Py_ssize_t
        for i in range(n):
            clock: cython.longlong = rows.w[i, 0]
            if clock < self.clock:
                raise DataError(f"{self.name}: time goes back: clock {clock} after {self.clock} (ns UTC)")
            self.clock = clock
            kind: cython.int = rows.w[i, 3] & 0xFF
            if kind == self.kind:
                self._market(rows, i, kind)
            elif kind == _ACTION:
                self._action(rows, i)
            elif self.any_kind and (kind == _BAR or kind == _TRADE or kind == _QUOTE):
                if self.kind != -1:
                    had, got = EventKind(self.kind).name, EventKind(kind).name
                    raise DataError(
                        f"{self.name}: bars are made of one kind of event, was {had} and now {got}",
                        hint=f"say which: kind=EventKind.{had}",
                    )
                self.kind = kind
                self._market(rows, i, kind)
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _market(self, rows: EventRows, i: cython.Py_ssize_t, kind: cython.int) -> cython.int:
        """An event of the kind bars are made of."""
        self.head = (rows.w[i, 3] >> 32) << 32 | (self.head & 0xFFFFFFFF)  # the source's instrument
        if kind == _BAR:
            return self._bar(rows, i)
        if kind == _TRADE:
            if not self.scaled:
                raise DataError(f"{self.name}: trades have quantities of unknown size", hint="give qty_decimals")
            return self._tick(rows.w[i, 1], rows.w[i, 0], rows.w[i, 4], cython.cast(cython.double, rows.w[i, 5]))
        bid: cython.longlong = rows.w[i, 4]
        ask: cython.longlong = rows.w[i, 5]
        if 0 < bid <= ask:
            return self._tick(rows.w[i, 1], rows.w[i, 0], (bid + ask) // 2, 0.0)
        self.unusable += 1
        if self.filled and rows.w[i, 1] >= self.end:  # it tells the time all the same
            self._close()
        return 0

    def _tick(
        self, ts: cython.longlong, clock: cython.longlong, price: cython.longlong, qty: cython.double
    ) -> cython.int:
        if self.filled and ts >= self.end:
            self._close()
        if ts < self.floor:
            self.late += 1
            return 0
        if not self.filled:
            if not self._seek(ts):
                self.outside += 1
                return 0
            self._begin(price)
        if price > self.high:
            self.high = price
        if price < self.low:
            self.low = price
        self.close = price
        self.volume += qty
        self.known = clock
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _bar(self, rows: EventRows, i: cython.Py_ssize_t) -> cython.int:
        opens_at: cython.longlong = rows.w[i, 9]
        ends_at: cython.longlong = rows.w[i, 1]
        if self.filled and opens_at >= self.end:
            self._close()
        if opens_at < self.floor:
            raise DataError(
                f"{self.name}: a bar from {opens_at} to {ends_at} reaches back before {self.floor} (ns UTC), where bars "
                "are complete",
                hint="sort the bars by time",
            )
        if not self.filled:
            if not self._seek(opens_at):
                if ends_at > self.opened:
                    raise self._across(opens_at, ends_at)
                self.outside += 1
                return 0
            self._begin(rows.w[i, 4])
        if ends_at > self.end:
            raise self._across(opens_at, ends_at)
        if rows.w[i, 5] > self.high:
            self.high = rows.w[i, 5]
        if rows.w[i, 6] < self.low:
            self.low = rows.w[i, 6]
        self.close = rows.w[i, 7]
        self.volume += rows.f[i, 8]
        self.known = rows.w[i, 0]
        if ends_at == self.end:
            self._close()
        return 0

    def _across(self, opens_at: object, ends_at: object) -> DataError:
        """The refusal of a bar that cannot be divided."""
        return DataError(
            f"{self.name}: a bar from {opens_at} to {ends_at} lies across an edge of the {timeframe_text(self.timeframe_ns)} "
            f"bars, which session {self.session.name} opens at {self.opened} and closes at {self.closed} (ns UTC)",
            hint="give finer bars, a longer timeframe, or a session whose hours hold the whole bar",
        )

    def _begin(self, price: cython.longlong) -> cython.int:
        """Begin the bucket that was sought."""
        self.open = price
        self.high = price
        self.low = price
        self.volume = 0.0
        self.filled = True
        self.floor = self.start
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _seek(self, ts: cython.longlong) -> cython.bint:
        """Find the bucket of a time: start and end. False: it lies outside every session; `opened` is the next one's."""
        while True:
            while self.at < self.sessions and self.closes[self.at] <= ts:
                self.at += 1
            if self.at < self.sessions:
                break
            self._look_ahead(ts)
        self.opened = self.opens[self.at]
        self.closed = self.closes[self.at]
        if ts < self.opened:
            return False
        self.start = self.opened + (ts - self.opened) // self.step * self.step
        self.end = self.start + self.step
        if self.end > self.closed:
            self.end = self.closed
        return True

    def _look_ahead(self, ts: cython.longlong) -> None:
        """The calendar from ts on: at least one session that ends after it."""
        whole_days = self.timeframe_ns == NANOS_PER_DAY
        find = self.session.trading_days if whole_days else self.session.bounds
        found = [(o, c) for o, c in find(ts, ts + SESSIONS_AHEAD_NS) if c > ts]
        columns = np.array(found, np.int64).T.copy()
        opens: object = memoryview(columns[0])
        closes: object = memoryview(columns[1])
        self.opens = opens  # type: ignore[assignment]
        self.closes = closes  # type: ignore[assignment]
        self.sessions = len(found)
        self.at = 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _close(self) -> cython.int:
        """Write the bar."""
        j: cython.Py_ssize_t = self.made
        self.w[j, 0] = self.known if self.known > self.end else self.end
        self.w[j, 1] = self.end
        self.w[j, 2] = self.rows
        self.w[j, 3] = self.head
        self.w[j, 4] = self.open
        self.w[j, 5] = self.high
        self.w[j, 6] = self.low
        self.w[j, 7] = self.close
        self.f[j, 8] = self.volume / self.qty_scale if self.kind == _TRADE else self.volume
        self.w[j, 9] = self.start
        self.made = j + 1
        self.rows += 1
        self.filled = False
        self.floor = self.end
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _action(self, rows: EventRows, i: cython.Py_ssize_t) -> cython.int:
        """A corporate action: it goes before a bar of the same clock."""
        clock: cython.longlong = rows.w[i, 0]
        if self.filled and clock > self.end:
            self._close()
        if self.filled and clock < self.end and ((rows.w[i, 3] >> 16) & 0xFFFF) == _SPLIT:
            raise DataError(
                f"{self.name}: a split at {clock} falls into a bar from {self.start} to {self.end} (ns UTC): it would "
                "hold old shares and new",
                hint="choose the session calendar whose opening the split stands at",
            )
        if self.with_actions:
            j: cython.Py_ssize_t = self.made
            k: cython.Py_ssize_t
            for k in range(10):
                self.w[j, k] = rows.w[i, k]
            self.w[j, 2] = self.rows
            self.made = j + 1
            self.rows += 1
        return 0


def resampled(
    chunks: Iterable[Records],
    timeframe_ns: SupportsIndex,
    session: Session,
    *,
    series: SupportsIndex = 1,
    qty_decimals: SupportsIndex | None = None,
    kind: EventKind | None = None,
    actions: bool = True,
    name: str = "",
    until_ns: SupportsIndex | None = None,
) -> Iterator[Records]:
    """Bars of timeframe_ns from shorter bars, trades or quotes, lazily: one chunk of bars for a chunk that completes any.

    Args:   as `BarBuilder`; until_ns: the data is whole up to this time, ns UTC: at its end, the bar that has ended by
            then is given although nothing was seen after it (the last trades before a close).
    Returns: fresh arrays ordered by clock, `aux` = series, `seq` counted from 0.
    Raises: UsageError: at the call. DataError: as `BarBuilder.add`, while reading.
    """
    builder = BarBuilder(
        timeframe_ns,
        session,
        series=series,
        qty_decimals=qty_decimals,
        kind=kind,
        actions=actions,
        name=name,
    )
    return _bars_of(builder, chunks, until_ns)


def _bars_of(builder: BarBuilder, chunks: Iterable[Records], until_ns: SupportsIndex | None) -> Iterator[Records]:
    for records in chunks:
        bars = builder.add(records)
        if len(bars):
            yield bars
    if until_ns is not None:
        bars = builder.advance(until_ns)
        if len(bars):
            yield bars


__all__ = ["BarBuilder", "resampled"]

"""Bars into records, window by window: checked, stamped, merged with corporate actions, hashed and spooled."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.model.enums import CorporateAction, EventKind
from lockstep.model.errors import DataError
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import NANOS_PER_DAY, UNITS_MAX, text_from_fixed
from lockstep.model.record import MARKET_EVENT, RECORD_SCHEMA_VERSION, TS_OPEN, Records
from lockstep.store.catalog.actions import Action, ActionMerge
from lockstep.store.catalog.columns import PRICES
from lockstep.store.catalog.gaps import GapCount, SessionHours
from lockstep.store.catalog.market_data import NOTHING_KEPT, Backing, DataInfo, MarketData, Spool, SpooledRows
from lockstep.store.catalog.times import time_text

BROKEN_SHOWN = 3
Ints = NDArray[np.int64]


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Some bars of one instrument in file order.

    start: number of the first row, for messages; ts_*: ns UTC; prices: [n, 4] open, high, low, close, in units.
    """

    start: int
    ts_open: Ints
    ts_event: Ints
    prices: Ints
    volume: NDArray[np.float64]


class Sink(Protocol):
    """Where encoded records go. rows: so far."""

    rows: int

    def append(self, records: Records) -> None:
        """Add records at the end."""
        ...

    def flush(self) -> None:
        """Make what was appended readable."""
        ...


class Surveyed:
    """A sink that keeps nothing but the corporate actions: for histories that are stored elsewhere."""

    def __init__(self) -> None:
        self.rows = 0
        self.actions: list[Records] = []

    def append(self, records: Records) -> None:
        """Count the records."""
        self.rows += len(records)
        self.actions.append(records[records["kind"] == EventKind.CORPORATE_ACTION])

    def flush(self) -> None:
        """Nothing is waiting."""


class RecordLog:
    """The records of one history in order: numbered, hashed and handed to a sink."""

    def __init__(self, instrument: Instrument, sink: Sink) -> None:
        self.sink = sink
        self.start = sink.rows
        self._hash = hashlib.sha256(_hash_head(instrument))

    def add(self, records: Records) -> None:
        """The next records; their seq is written."""
        seq = self.sink.rows - self.start
        records["seq"] = np.arange(seq, seq + len(records))
        self._hash.update(records.data.cast("B"))
        self.sink.append(records)

    @property
    def content_hash(self) -> str:
        """SHA-256 of the decimals and every record so far."""
        return self._hash.hexdigest()

    def rows(self, by: int) -> Backing:
        """What the sink kept, to be read back; `by` as in SpooledRows. Only a spool can."""
        self.sink.flush()
        if isinstance(self.sink, Spool):
            return SpooledRows(self.sink, self.start, self.sink.rows, by)
        return NOTHING_KEPT


class BarEncoder:
    """Takes the windows of one instrument in order and gives its MarketData.

    Args:   hours: the sessions of a range no bar lies outside of. row_name: names a row of the file in messages, from its number. actions: None where the data has none to
            tell ("not modelled"), which is not the same as an empty list.
    """

    def __init__(
        self,
        instrument: Instrument,
        sink: Sink,
        hours: SessionHours,
        bar_ns: int,
        actions: Sequence[Action] | None,
        row_name: Callable[[int], str],
    ) -> None:
        self.instrument = instrument
        self._bar_ns = bar_ns
        self._gaps = GapCount(hours, daily=bar_ns >= NANOS_PER_DAY)
        self._listed = None if actions is None else tuple(actions)
        self._actions = None if actions is None else ActionMerge(actions, instrument.session)
        self._row_name = row_name
        self._log = RecordLog(instrument, sink)
        self._first: int | None = None
        self._last = (-(2**62), -(2**62))
        self._bars = 0
        self._uneven = 0
        self._broken = 0
        self._broken_shown: list[str] = []

    def add(self, window: Window) -> None:
        """Check and store the next bars. Raises: DataError: a bar breaks a rule; names the row, fact and value."""
        if not len(window.ts_open):
            return
        self._check_times(window)
        self._check_values(window)
        self._check_ranges(window)
        if self._first is None:
            self._first = int(window.ts_open[0])
        self._gaps.add(window.ts_open, window.ts_event)
        self._last = int(window.ts_open[-1]), int(window.ts_event[-1])
        self._bars += len(window.ts_open)
        self._store(_records(window))

    def _store(self, records: Records) -> None:
        if self._actions is not None:
            records = self._actions.merge(records)
        self._log.add(records)

    def finish(self, source: str, notes: Sequence[str]) -> MarketData:
        """The instrument's data, after its last window. Raises: DataError: rows with impossible ranges were met."""
        symbol = self.instrument.symbol
        if self._broken:
            raise DataError(
                f"{source}: {symbol}: {self._broken} row{'s' if self._broken > 1 else ''} with high below low, or open "
                f"or close outside them: {'; '.join(self._broken_shown)}",
                hint="correct or delete these rows, or choose other symbols: a fill could not be trusted there",
            )
        if self._first is None:
            raise DataError(f"{source}: {symbol}: no bars")
        seen = self._actions.seen if self._actions is not None else {}
        info = DataInfo(
            symbol=symbol,
            source=source,
            rows=self._bars,
            first_ns=self._first,
            last_ns=self._last[1],
            bar_ns=self._bar_ns,
            gaps=self._gaps.gaps,
            longest_gap_ns=self._gaps.longest_ns,
            content_hash=self._log.content_hash,
            splits=seen.get(CorporateAction.SPLIT, 0),
            dividends=seen.get(CorporateAction.DIVIDEND, 0),
            adjustments="not modelled" if self._actions is None else "applied",
            notes=(*notes, *self._own_notes()),
        )
        return MarketData(self.instrument, info, self._log.rows(TS_OPEN), self._listed)

    def _own_notes(self) -> list[str]:
        notes = []
        if self._uneven:
            notes.append(f"mixed spacing: {self._uneven} bars start before the one before them ends")
        if self._gaps.outside:
            notes.append(f"{self._gaps.outside} bars start outside the hours of session {self.instrument.session.name}")
        return notes

    def _check_times(self, window: Window) -> None:
        opens = np.concatenate(([self._last[0]], window.ts_open))
        steps = np.diff(opens)
        if (steps <= 0).any():
            i = int(np.argmax(steps <= 0))
            now, before = time_text(int(opens[i + 1])), time_text(int(opens[i]))
            fact = f"time {now} appears twice" if steps[i] == 0 else f"time {now} comes after {before}: not sorted"
            raise DataError(f"{self._at(window, i)}: {fact}", hint="sort the file by time and keep one row per bar")
        ends = np.concatenate(([self._last[1]], window.ts_event))
        if (np.diff(ends) <= 0).any():
            i = int(np.argmax(np.diff(ends) <= 0))
            raise DataError(f"{self._at(window, i)}: the bar ends before the one before it does")
        self._uneven += int(np.count_nonzero(window.ts_open < ends[:-1]))

    def _check_values(self, window: Window) -> None:
        for column, name in enumerate(PRICES):
            values = window.prices[:, column]
            for bad, fact in ((values <= 0, "not above 0"), (values > UNITS_MAX, "above 2**53 units")):
                if bad.any():
                    i = int(np.argmax(bad))
                    value = text_from_fixed(int(values[i]), self.instrument.price_decimals)
                    raise DataError(
                        f"{self._at(window, i)}: {name} is {fact}: was {value}",
                        hint="" if values[i] <= 0 else "give fewer decimals, or prices in a bigger unit",
                    )
        bad = ~np.isfinite(window.volume) | (window.volume < 0)
        if bad.any():
            i = int(np.argmax(bad))
            fact = "is negative" if window.volume[i] < 0 else "is not a finite number"
            raise DataError(f"{self._at(window, i)}: volume {fact}: was {window.volume[i]:g}")

    def _check_ranges(self, window: Window) -> None:
        opened, high, low, close = window.prices.T
        broken = np.flatnonzero((high < low) | (np.minimum(opened, close) < low) | (np.maximum(opened, close) > high))
        self._broken += len(broken)
        for i in broken[: BROKEN_SHOWN - len(self._broken_shown)].tolist():
            self._broken_shown.append(f"{self._row_name(window.start + i)} ({self._bar_text(window, i)})")

    def _bar_text(self, window: Window, i: int) -> str:
        prices = (self.instrument.price_text(int(units)) for units in window.prices[i])
        shown = ", ".join(f"{name} {price}" for name, price in zip(PRICES, prices, strict=True))
        return f"{time_text(int(window.ts_open[i]))}: {shown}"

    def _at(self, window: Window, i: int) -> str:
        return f"{self._row_name(window.start + i)} ({self.instrument.symbol})"


def _hash_head(instrument: Instrument) -> bytes:
    facts: Mapping[str, Any] = {
        "record_schema": RECORD_SCHEMA_VERSION,
        "price_decimals": instrument.price_decimals,
        "qty_decimals": instrument.qty_decimals,
    }
    return json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()


def _records(window: Window) -> Records:
    records = np.zeros(len(window.ts_open), MARKET_EVENT)
    records["clock"] = records["ts_event"] = window.ts_event
    records["ts_open"] = window.ts_open
    records["kind"] = EventKind.BAR
    for column, word in enumerate(("p0", "p1", "p2", "p3")):
        records[word] = window.prices[:, column]
    records["volume"] = window.volume + 0.0  # -0.0 would be another byte for the same quantity
    return records

"""Quotes and trades into records, window by window: checked, counted, hashed and handed to a sink.

Quotes that are crossed (bid above ask) or locked (bid at ask) are kept: in a consolidated tape they are real, and lasting
as long as the venues need to see each other. How many there are stands in the notes.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import DataError
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import UNITS_MAX, text_from_fixed
from lockstep.model.record import CLOCK, Records
from lockstep.store.catalog.encode import RecordLog, Sink
from lockstep.store.catalog.gaps import SessionHours
from lockstep.store.catalog.market_data import DataInfo, MarketData
from lockstep.store.catalog.shapes import Shape
from lockstep.store.catalog.times import time_text

CROSSED_SHARE_MAX = 0.05
"""More crossed quotes than this are no tape but a mistake, such as bid and ask swapped or two venues mixed."""
Arrays = dict[str, NDArray[Any]]


class TickEncoder:
    """Takes the windows of one instrument's quotes or trades in order and gives its MarketData.

    Args:   hours: the sessions of a range no tick lies outside of; None counts none. row_name: names a row of the file
            in messages, from its number.
    """

    def __init__(
        self,
        shape: Shape,
        instrument: Instrument,
        sink: Sink,
        hours: SessionHours | None,
        row_name: Callable[[int], str],
    ) -> None:
        self.instrument = instrument
        self._shape = shape
        self._hours = None if hours is None or hours.always_open else hours
        self._row_name = row_name
        self._log = RecordLog(instrument, sink)
        self._rows = 0
        self._first = 0
        self._last = -(2**62)
        self._crossed = self._locked = self._outside = 0
        self._crossed_at: str = ""
        self._clocks_differ = False

    def add(self, start: int, columns: Arrays) -> None:
        """Check and store the next ticks; `start` is the number of the first, for messages.

        Raises: DataError: a tick breaks a rule; names the row, fact and value.
        """
        clock = columns["ts_recv"]
        if not len(clock):
            return
        self._check_times(start, clock)
        self._check_values(start, columns)
        if self._shape.name == "quotes":
            self._count_crossed(start, columns["bid"], columns["ask"])
        if not self._rows:
            self._first = int(clock[0])
        self._last = int(clock[-1])
        self._rows += len(clock)
        self._clocks_differ = self._clocks_differ or not np.array_equal(clock, columns["ts_event"])
        records = self._shape.records_of(columns)
        self._passing(start, records)
        self._log.add(records)

    def finish(self, source: str, notes: Sequence[str], levels: int = 0) -> MarketData:
        """The instrument's ticks, after the last window. levels: as of a DataInfo.

        Raises: DataError: none, or far too many are crossed.
        """
        symbol = self.instrument.symbol
        if not self._rows:
            raise DataError(f"{source}: {symbol}: no {self._shape.name}")
        if self._crossed > CROSSED_SHARE_MAX * self._rows:
            raise DataError(
                f"{source}: {symbol}: {self._crossed:,} of {self._rows:,} quotes have a bid above their ask, the first at "
                f"{self._crossed_at}; limit {CROSSED_SHARE_MAX:.0%}",
                hint="are bid and ask swapped, or several venues mixed?",
            )
        info = DataInfo(
            symbol=symbol,
            source=source,
            rows=self._rows,
            first_ns=self._first,
            last_ns=self._last,
            bar_ns=0,
            gaps=self._gaps(),
            longest_gap_ns=0,
            content_hash=self._log.content_hash,
            splits=0,
            dividends=0,
            adjustments="not modelled",
            notes=(*notes, *self._own_notes()),
            kind=self._shape.kind,
            clocks_differ=self._clocks_differ,
            levels=levels,
        )
        return MarketData(self.instrument, info, self._log.rows(CLOCK))

    def _passing(self, start: int, records: Records) -> None:
        """What else a kind of tick has to have looked at; `start` as in `add`."""

    def _gaps(self) -> int:
        """How often the venue's numbers say that something is missing."""
        return 0

    def _own_notes(self) -> list[str]:
        notes = []
        if self._crossed or self._locked:
            notes.append(
                f"{self._crossed:,} of {self._rows:,} quotes crossed (bid above ask), {self._locked:,} locked: kept"
            )
        if self._outside:
            name = self.instrument.session.name
            notes.append(f"{self._outside:,} {self._shape.name} lie outside the hours of session {name}")
        return notes

    def _check_times(self, start: int, clock: NDArray[np.int64]) -> None:
        steps = np.diff(np.concatenate(([self._last], clock)))
        if (steps < 0).any():
            i = int(np.argmax(steps < 0))
            before = self._last if i == 0 else int(clock[i - 1])
            raise DataError(
                f"{self._at(start, i)}: the clock goes back: {time_text(int(clock[i]))} after {time_text(before)}",
                hint="sort the file by time, keeping the order of rows with the same time",
            )
        if self._hours is not None:
            self._outside += int(np.count_nonzero(~self._hours.is_open(clock)))

    def _check_values(self, start: int, columns: Arrays) -> None:
        for names, decimals, floor in (
            (self._shape.prices, self.instrument.price_decimals, 1),
            (self._shape.quantities, self.instrument.qty_decimals, 1 if self._shape.name == "trades" else 0),
        ):
            for name in names:
                values = columns[name]
                bad = (values < floor) | (values > UNITS_MAX)
                if bad.any():
                    i = int(np.argmax(bad))
                    fact = ("not above 0" if floor else "negative") if values[i] < floor else "above 2**53 units"
                    raise DataError(
                        f"{self._at(start, i)}: {name} is {fact}: was {text_from_fixed(int(values[i]), decimals)}"
                    )

    def _count_crossed(self, start: int, bid: NDArray[np.int64], ask: NDArray[np.int64]) -> None:
        crossed = bid > ask
        if not self._crossed and crossed.any():
            self._crossed_at = self._row_name(start + int(np.argmax(crossed)))
        self._crossed += int(np.count_nonzero(crossed))
        self._locked += int(np.count_nonzero(bid == ask))

    def _at(self, start: int, i: int) -> str:
        return f"{self._row_name(start + i)} ({self.instrument.symbol})"

"""Every history of one instrument in a run, and the bars that are made of them where a strategy or a chart asks for bars."""

from collections.abc import Iterator, Sequence
from functools import cached_property

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.features.bars import resampled
from lockstep.model.enums import BookAction
from lockstep.model.errors import StrategyError, UsageError
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import NANOS_PER_SECOND
from lockstep.model.record import BOOK_ACTION, Records
from lockstep.model.timeframe import timeframe_text
from lockstep.run.hours import OpenHours
from lockstep.run.opening import opened
from lockstep.store.catalog.market_data import DataInfo, MarketData

_OF_ORDERS = [int(action) for action in (BookAction.ADD, BookAction.MODIFY, BookAction.DELETE, BookAction.MATCH)]
VIEW_NS = 60 * NANOS_PER_SECOND
"""The bars in which charts and buy-and-hold show an instrument that has ticks alone."""
KINDS = ("bar", "trade", "quote", "book")
"""Of histories, the one that best tells a price first."""


class InstrumentFeeds:
    """One instrument's histories, at most one of each kind; what happens outside its hours is left out.

    Args:   histories: of the same instrument. instrument: as the run trades it: its fees, its hours.
    Attributes: hours: what a run has left out so far, as outside them.
    Raises: UsageError: two histories of one kind; changes of a book alone; single orders of a book of which one level is told.
    """

    def __init__(self, instrument: Instrument, histories: Sequence[MarketData]) -> None:
        self.instrument = instrument
        self.histories = {entry.info.kind: entry for entry in sorted(histories, key=_rank)}
        if len(self.histories) < len(histories):
            raise UsageError(f"the data holds {instrument.id} more than once", hint="give each instrument once")
        self.has_ticks = any(kind in self.histories for kind in ("trade", "quote", "book"))
        if list(self.histories) == ["book"]:
            raise UsageError(
                f"the data of {instrument.symbol} are changes of its book alone",
                hint="nothing tells its prices: give trades or quotes of it besides, or leave it out: --symbol",
            )
        if "book" in self.histories and self.histories["book"].info.levels == 1 and self.tells_orders:
            # Orders behind the best come and go untold: those that stood there once would stand in a book for ever, and cross it.
            raise UsageError(
                f"the orders of {instrument.symbol} are told at the best price alone: what becomes of one that is no longer there is "
                "not, so that no book can be made of them",
                hint="trade its best bid and ask, and its trades: --kind ticks",
            )
        self.hours = OpenHours(instrument.session)

    @property
    def main(self) -> MarketData:
        """The history that tells prices: of bars, else of trades, else of quotes."""
        return next(iter(self.histories.values()))

    @property
    def first_ns(self) -> int:
        """When the first of its histories begins, ns UTC."""
        return min(entry.info.first_ns for entry in self.histories.values())

    @property
    def last_ns(self) -> int:
        """When the last of its histories ends, ns UTC."""
        return max(entry.info.last_ns for entry in self.histories.values())

    @property
    def ticks_end_ns(self) -> int:
        """When the last of its quotes, trades and changes of the book was received, ns UTC."""
        return max(entry.info.last_ns for kind, entry in self.histories.items() if kind != "bar")

    @property
    def learns_late(self) -> bool:
        """Whether a tick of its was received at another time than it happened."""
        return any(entry.info.clocks_differ for entry in self.histories.values())

    @property
    def kinds_text(self) -> str:
        """What there is of it, in words: "bars and quotes"."""
        return " and ".join(f"{kind}s" for kind in self.histories)

    @property
    def bar_ns(self) -> int:
        """The length of its own bars; 0 where it has ticks alone."""
        return self.histories["bar"].info.bar_ns if "bar" in self.histories else 0

    def series_for(self, timeframe_ns: int | None) -> int:
        """The length of the bars a strategy gets: its timeframe, or the data's own bars; 0 where there are none.

        Raises: UsageError: shorter bars than the data's, or not a multiple of them.
        """
        if timeframe_ns is None or timeframe_ns == self.bar_ns:
            return self.bar_ns
        if not self.has_ticks and (timeframe_ns < self.bar_ns or timeframe_ns % self.bar_ns):
            raise UsageError(
                f"{self.instrument.symbol}: bars of {timeframe_text(timeframe_ns)} cannot be made of bars of "
                f"{timeframe_text(self.bar_ns)}",
                hint="ask for a multiple, or give finer data",
            )
        return timeframe_ns

    def chunks(
        self, kind: str, start_ns: int | None, end_ns: int | None, hours: OpenHours | None = None
    ) -> Iterator[Records]:
        """One history's records within the hours; nothing where it has none in that range. hours: counts what is left out.

        Of a book everything: what is told outside the hours stands there within them, and what was told before start_ns at it.
        """
        if kind == "book":
            yield from opened(self.histories[kind], self.tells_orders, start_ns, end_ns)
        elif self.histories[kind].count(start_ns, end_ns):
            hours = hours or OpenHours(self.instrument.session)
            yield from hours.within(self.histories[kind].chunks(start_ns, end_ns))

    def bars(self, length_ns: int, start_ns: int | None, end_ns: int | None, series: int = 0) -> Iterator[Records]:
        """Bars of a length: its own, or made of trades where there are any, else of quotes, else of its shorter bars.

        A bar that begins before start_ns is left out, since what it is made of is. Corporate actions are among series 0.
        """
        if length_ns == self.bar_ns:
            return self.chunks("bar", start_ns, end_ns)
        finest = next(kind for kind in ("trade", "quote", "bar") if kind in self.histories)
        made = resampled(
            self.chunks(finest, start_ns, end_ns),
            length_ns,
            self.instrument.session,
            series=series,
            qty_decimals=self.instrument.qty_decimals,
            actions=series == 0,
            name=self.instrument.symbol,
            until_ns=end_ns,
        )
        return made if start_ns is None else _from(made, start_ns)

    @cached_property
    def tells_orders(self) -> bool:
        """Whether its book is told order by order, by the first change that says so."""
        for records in self.histories["book"].chunks(None, None):
            actions = records["flags"] & BOOK_ACTION
            if np.isin(actions, _OF_ORDERS).any():
                return True
            if (actions == BookAction.SET).any():
                return False
        return False

    def count(self, start_ns: int | None, end_ns: int | None) -> int:
        """Records of all its histories in a range."""
        return sum(entry.count(start_ns, end_ns) for entry in self.histories.values())

    def view(self) -> "BarView":
        """Its prices as bars."""
        return BarView(self)


class BarView:
    """An instrument's prices as bars: its own, or such of one minute made of its ticks. Reads like a MarketData."""

    def __init__(self, feeds: InstrumentFeeds) -> None:
        self.instrument = feeds.instrument
        self._feeds = feeds
        info = feeds.main.info
        self.info: DataInfo = info if feeds.bar_ns else msgspec.structs.replace(info, bar_ns=VIEW_NS)

    def count(self, start_ns: int | None = None, end_ns: int | None = None) -> int:
        """About how many bars there are in a range: never too few."""
        rows = self._feeds.main.count(start_ns, end_ns)
        if self._feeds.bar_ns:
            return rows
        first = self.info.first_ns if start_ns is None else max(start_ns, self.info.first_ns)
        last = self.info.last_ns if end_ns is None else min(end_ns, self.info.last_ns)
        return min(rows, max(0, last - first) // VIEW_NS + 1)

    def chunks(self, start_ns: int | None = None, end_ns: int | None = None) -> Iterator[NDArray[np.void]]:
        """The bars of a range, corporate actions among them."""
        return self._feeds.bars(self.info.bar_ns, start_ns, end_ns)


def _from(made: Iterator[Records], start_ns: int) -> Iterator[Records]:
    for records in made:
        if len(records) and records["ts_open"][0] < start_ns:
            records = records[records["ts_open"] >= start_ns]  # noqa: PLW2901 - only at the start
        yield records


def hears(feeds: InstrumentFeeds, bars_ns: int, handlers: set[str]) -> bool:
    """Whether an instrument's data, or time, ever call one of a strategy's market handlers."""
    given = {f"on_{kind}": kind in feeds.histories for kind in ("trade", "quote", "book")} | {"on_bar": bars_ns > 0}
    return not handlers or any(given.get(handler, False) for handler in handlers) or "on_timer" in handlers


def refuse_unheard(name: str, feeds: InstrumentFeeds, handlers: set[str]) -> None:
    """Refuse a strategy whose market handlers its data would never call. Raises: StrategyError."""
    symbol, kinds = feeds.instrument.symbol, feeds.kinds_text
    if "on_bar" in handlers:
        raise StrategyError(
            f"{name} has on_bar, and the data of {symbol} are {kinds}",
            hint='say the length of its bars: timeframe "1m"',
        )
    hint = "give data with changes of its book: --kind depth" if handlers == {"on_book"} else ""
    raise StrategyError(f"{name} has {' and '.join(sorted(handlers))}, and the data of {symbol} are {kinds}", hint=hint)


def _rank(data: MarketData) -> int:
    return KINDS.index(data.info.kind)

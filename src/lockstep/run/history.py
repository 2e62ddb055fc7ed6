"""What a strategy is shown from before the start of a run: how far back it reaches, by instrument."""

from typing import NamedTuple

from lockstep.model.enums import EventKind
from lockstep.model.errors import StrategyError
from lockstep.model.numbers import NANOS_PER_DAY
from lockstep.model.record import Records
from lockstep.model.timeframe import timeframe_text
from lockstep.run.feeds import InstrumentFeeds
from lockstep.store.catalog.times import time_text

_BAR = int(EventKind.BAR)
NO_HISTORY = 2**63 - 1
"""The start of a history that nobody asked for."""


class Reach(NamedTuple):
    """Where a history starts, ns UTC, and what is missing of what was asked, in words; "" if nothing."""

    start_ns: int
    missing: str


def reach(name: str, asked: tuple[int, int], feeds: InstrumentFeeds, bars_ns: int, start_ns: int) -> Reach:
    """How far back a strategy's history of one instrument reaches.

    Args:   asked: (bars, ns), one of them 0, as `strategy.base.history_of` gives. bars_ns: the length of the bars it
            gets, 0 for none. start_ns: of the run.
    Raises: StrategyError: it counts bars and gets none.
    """
    bars, span_ns = asked
    symbol, first_ns = feeds.instrument.symbol, feeds.first_ns
    if span_ns:
        wanted = start_ns - span_ns
        if wanted >= first_ns:
            return Reach(wanted, "")
        return Reach(min(first_ns, start_ns), f"{name}: the data of {symbol} starts at {time_text(first_ns)}, its history asks for {time_text(wanted)}")  # fmt: skip
    if not bars:
        return Reach(NO_HISTORY, "")
    if not bars_ns:
        raise StrategyError(
            f"{name}.history counts {bars} bars, and {symbol} gives it none",
            hint='write a time, such as history = "2h"',
        )
    span = bars * bars_ns + NANOS_PER_DAY
    while True:
        opens = _opens(feeds, bars_ns, max(start_ns - span, first_ns), start_ns)
        if len(opens) >= bars:
            return Reach(opens[-bars], "")
        if start_ns - span <= first_ns:
            short = f"{name}: {symbol} has {len(opens)} of the {bars} bars of {timeframe_text(bars_ns)} before the start that its history asks for"  # fmt: skip
            return Reach(opens[0] if opens else NO_HISTORY, short)
        span *= 2


def _opens(feeds: InstrumentFeeds, bars_ns: int, start_ns: int, end_ns: int) -> list[int]:
    """When the bars of a range open that are over by its end, ns UTC."""
    if start_ns >= end_ns or not feeds.count(start_ns, end_ns):
        return []
    opens: list[int] = []
    for records in feeds.bars(bars_ns, start_ns, end_ns):
        inside = known_by(records, end_ns)
        opens.extend(inside["ts_open"][inside["kind"] == _BAR].tolist())
    return opens


def known_by(records: Records, ts_ns: int) -> Records:
    """The records without those that are known after ts_ns only: a bar that has begun before it and ends later."""
    known = records["clock"] <= ts_ns
    return records if known.all() else records[known]

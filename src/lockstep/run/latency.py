"""Which latency a run has: what was asked for, or what its data call for where that was left to them; and why, in words.

`auto`, which is what a run has that says nothing, is 200 ms to the venue where the data are order books of crypto: such a venue is
far away from most who trade there. It is `standard` elsewhere. `recorded` gives orders the way the data themselves took: at each
second what its first message took to be received, for an order going there and for an answer coming back. `recorded:FILE` takes
delays that were measured.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from lockstep.model.enums import AssetClass
from lockstep.model.errors import DataError, UsageError
from lockstep.model.numbers import NANOS_PER_SECOND
from lockstep.run.feeds import InstrumentFeeds
from lockstep.sim.models import AUTO, DELAY_WAYS, LATENCIES, RECORDED, Latency
from lockstep.store.catalog.delays import Rows, read_delays


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """The latency of a run. why: in words. feed: how late data are known, by symbol."""

    latency: Latency
    why: str
    feed: dict[str, str]

    def facts(self) -> dict[str, Any]:
        """For the manifest."""
        return {"name": self.latency.name, "text": self.latency.text, "why": self.why, "feed": self.feed}


def settle(latency: Latency, feeds: Sequence[InstrumentFeeds]) -> Settled:
    """What the data make of the latency that was asked for.

    Raises: UsageError: "recorded", and no data say when they were received. DataError: they were received before they happened.
    """
    feed = {entry.instrument.symbol: _feed_words(latency, entry) for entry in feeds}
    if latency.name == AUTO:
        books = [entry.instrument.symbol for entry in feeds if _is_crypto_book(entry)]
        name = "remote" if books else "standard"
        why = "nothing was said" + (
            f", and the data of {', '.join(books)} are an order book of crypto" if books else ""
        )
        return Settled(latency=LATENCIES[name], why=why, feed=feed)
    if latency.name == RECORDED and not latency.recorded:
        source = next((entry for entry in feeds if entry.learns_late), None)
        if source is None:
            raise UsageError(
                "latency recorded: the data do not say when they were received",
                hint="give a delay such as 200ms, or a file of measured ones: recorded:FILE",
            )
        rows = _taken_of(source)
        middle = sorted(entry for _, entry, _ in rows)[len(rows) // 2]
        why = (
            f"asked for; orders and answers take what receiving {source.instrument.symbol} took, read once a second: "
            f"median {middle / 1e6:,.1f} ms of {len(rows):,}"
        )
        return Settled(latency=msgspec.structs.replace(latency, recorded=rows), why=why, feed=feed)
    return Settled(latency=latency, why="asked for", feed=feed)


def _is_crypto_book(feeds: InstrumentFeeds) -> bool:
    return "book" in feeds.histories and feeds.instrument.asset_class is AssetClass.CRYPTO


def _feed_words(latency: Latency, feeds: InstrumentFeeds) -> str:
    """How late an instrument's data are known, in words."""
    modelled = Latency(**{name: getattr(latency, name) for name in ("feed_ns", "feed_jitter_ns", "feed_tail")}).text
    modelled = modelled.removeprefix(f"{DELAY_WAYS[0]} ")
    if not feeds.learns_late:
        return (
            modelled if latency.feed_ns or latency.draws_feed else "none: the data do not say when they were received"
        )
    if latency.feed_ns or latency.draws_feed:
        return f"as recorded; the feed latency given ({modelled}) is not used"
    return "as recorded"


def _taken_of(feeds: InstrumentFeeds) -> Rows:
    """(when it was received, what that took, the same) of the first message of each second."""
    history = next(entry for entry in feeds.histories.values() if entry.info.clocks_differ)
    found: list[tuple[int, int, int]] = []
    last = -1
    for records in history.chunks(None, None):
        clock, event = records["clock"], records["ts_event"]
        seconds, first = np.unique(clock // NANOS_PER_SECOND, return_index=True)
        for second, row in zip(seconds.tolist(), first.tolist(), strict=True):
            if second == last:
                continue
            last, took = second, int(clock[row] - event[row])
            if took < 0:
                raise DataError(
                    f"latency recorded: {feeds.instrument.symbol} was received {-took} ns before it happened, at {int(clock[row])} ns UTC",
                    hint="the recorder's clock was behind; give a delay such as 200ms",
                )
            found.append((int(clock[row]), took, took))
    return tuple(found)


def with_file(latency: Latency, resolve: Callable[[str], Path] = Path) -> Latency:
    """The delays of "recorded:FILE" read; another latency as it is. resolve: a file's name to its path.

    Raises: UsageError, DataError: as `read_delays`.
    """
    name, colon, file = latency.name.partition(":")
    if name != RECORDED or not colon or latency.recorded:
        return latency
    return msgspec.structs.replace(latency, name=RECORDED, recorded=read_delays(resolve(file)))

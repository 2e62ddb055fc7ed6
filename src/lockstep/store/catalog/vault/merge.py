"""Any number of histories as one stream in the total order: (clock, kind, instrument, sequence)."""

from collections.abc import Iterator, Sequence

import numpy as np

from lockstep.model.record import Records
from lockstep.store.catalog.market_data import MarketData

_NEVER = 2**63 - 1


def merged(
    histories: Sequence[MarketData], start_ns: int | None = None, end_ns: int | None = None
) -> Iterator[Records]:
    """Records of all histories in order, lazily: one chunk of each is held.

    The instrument of a record is the place of its instrument's first history in the sequence: quotes and trades of one
    instrument share a number. A history without data in the range is left out.
    """
    ids = list(dict.fromkeys(one.instrument.id for one in histories))
    streams = [
        _Head(one.chunks(start_ns, end_ns), ids.index(one.instrument.id))
        for one in histories
        if one.count(start_ns, end_ns)
    ]
    while streams:
        # Whatever is before the earliest end of a held chunk cannot be overtaken by what is not read yet.
        safe = min(stream.bound for stream in streams)
        taken = [stream.before(safe) for stream in streams]
        rows = np.concatenate(taken)
        if len(rows):
            yield rows[np.lexsort((rows["seq"], rows["instrument"], rows["kind"], rows["clock"]))]
        streams = [stream for stream in streams if stream.more(safe)]


class _Head:
    """One history's chunks, held until their clock is safe."""

    def __init__(self, chunks: Iterator[Records], instrument: int) -> None:
        self._chunks = chunks
        self._instrument = instrument
        self._ended = False
        self._held = next(chunks)
        self._held["instrument"] = instrument

    @property
    def bound(self) -> int:
        """The earliest clock that rows not read yet can have."""
        return _NEVER if self._ended else int(self._held["clock"][-1])

    def before(self, safe: int) -> Records:
        """Take what is earlier than `safe`; what has that very clock waits for others that may have it too."""
        cut = int(np.searchsorted(self._held["clock"], safe, side="left"))
        taken, self._held = self._held[:cut], self._held[cut:]
        return taken

    def more(self, safe: int) -> bool:
        """Read on where the held rows end at `safe`. False where nothing is left."""
        while not self._ended and self.bound <= safe:
            chunk = next(self._chunks, None)
            if chunk is None:
                self._ended = True
            else:
                chunk["instrument"] = self._instrument
                self._held = np.concatenate([self._held, chunk])
        return len(self._held) > 0

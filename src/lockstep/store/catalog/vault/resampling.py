"""Bars of a length that is not stored, made of the longest stored ones that divide it."""

from collections.abc import Iterator

import numpy as np

from lockstep.features.bars import resampled
from lockstep.model.errors import DataError
from lockstep.model.timeframe import timeframe_text
from lockstep.store.catalog.shapes import BARS, Columns
from lockstep.store.catalog.vault.ledger import Entry, Series
from lockstep.store.catalog.vault.vault import Vault


def source_of(entry: Entry, timeframe_ns: int) -> Series:
    """The stored bars to read for a length: those of that very length, else the longest that divide it.

    Raises: DataError: there are none.
    """
    stored = [one for one in entry.series.values() if one.kind == "bars" and not timeframe_ns % one.bar_ns]
    if not stored:
        held = ", ".join(sorted(entry.series)) or "nothing"
        raise DataError(
            f"the catalog holds no bars of {entry.instrument.id} that bars of {timeframe_text(timeframe_ns)} could be "
            "made of",
            hint=f"it holds {held}",
        )
    return max(stored, key=lambda one: one.bar_ns)


def resampled_bars(
    vault: Vault, entry: Entry, series: Series, timeframe_ns: int, start_ns: int | None, end_ns: int | None
) -> Iterator[Columns]:
    """Bars that start in [start_ns, end_ns), lazily, by the rules of features/bars.py: none is given whose end the stored
    data does not reach, and what lies outside the instrument's session forms none.
    """
    # A bar that starts before the end may take its last part from after it; a bar that starts before the start is cut off.
    until_ns = None if end_ns is None else end_ns + timeframe_ns
    whole_to = series.parts[-1].end_ns if until_ns is None else min(until_ns, series.parts[-1].end_ns)
    finer = (BARS.records_of(columns) for columns in vault.chunks(entry, series, start_ns, until_ns))
    session, name = entry.instrument.session, entry.instrument.id
    for records in resampled(finer, timeframe_ns, session, name=name, until_ns=whole_to):
        opens = records["ts_open"]
        wanted = np.ones(len(records), bool)
        if start_ns is not None:
            wanted &= opens >= start_ns
        if end_ns is not None:
            wanted &= opens < end_ns
        if wanted.any():
            yield BARS.columns_of(records[wanted])

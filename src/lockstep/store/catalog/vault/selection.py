"""Which series of a catalog a backtest reads."""

from collections.abc import Sequence

from lockstep.model.errors import DataError
from lockstep.model.timeframe import timeframe_ns, timeframe_text
from lockstep.store.catalog.instruments import NO_WISHES, Wishes
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.shapes import OPTIONAL, kinds_of
from lockstep.store.catalog.vault.ledger import Entry, Series
from lockstep.store.catalog.vault.vault import Vault


def histories(
    vault: Vault,
    symbols: Sequence[str] | None = None,
    kind: str | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
    *,
    timeframe: str | None = None,
    wishes: Wishes = NO_WISHES,
    source: str = "catalog",
) -> list[MarketData]:
    """Histories streamed from the files of a catalog, sorted by symbol.

    Args:   symbols: None for every instrument that has the kind. kind: None: bars, refused where a named instrument has
            none.
    Raises: DataError: the catalog does not hold what is asked for, or a file is damaged.
    """
    entries = vault.entries() if symbols is None else [vault.find(symbol) for symbol in symbols]
    if not entries:
        raise DataError(f"{vault.home}: the catalog is empty", hint="fill it with lockstep data import FILE")
    found = []
    by_id = {entry.instrument.id: entry for entry in entries}
    for _, own in sorted(by_id.items()):
        instrument = wishes.applied_to(own.instrument)
        for name in _of_entry(own, kind):
            try:
                series = bars_of(own, timeframe) if name == "bars" else ticks_of(own, name)
            except DataError:
                if symbols is not None and name not in OPTIONAL.get(kind or "", ()):
                    raise
                continue
            found.append(
                vault.history(own, series, instrument=instrument, start_ns=start_ns, end_ns=end_ns, source=source)
            )
    if not found:
        held = sorted({one.kind for entry in entries for one in entry.series.values()})
        raise DataError(
            f"{vault.home}: no instrument of the catalog has {kind or 'bars'}",
            hint="it holds " + ", ".join(held) + "; --kind chooses",
        )
    return found


def _of_entry(entry: Entry, kind: str | None) -> tuple[str, ...]:
    """The series a kind means; only the first is asked for where an instrument lacks what makes the kind."""
    names = kinds_of(kind or "bars")
    needed = [name for name in names if name not in OPTIONAL.get(kind or "", ())]
    return names if all(name in entry.series for name in needed) else tuple(needed)


def bars_of(entry: Entry, timeframe: str | None) -> Series:
    """The bars of that length; None: the shortest there are. Raises: DataError: there are none."""
    stored = sorted((one for one in entry.series.values() if one.kind == "bars"), key=lambda one: one.bar_ns)
    if timeframe is not None:
        wanted = timeframe_ns(timeframe)
        stored = [one for one in stored if one.bar_ns == wanted]
        if not stored:
            raise _not_held(entry, f"bars of {timeframe_text(wanted)}")
    if not stored:
        raise _not_held(entry, "bars")
    return stored[0]


def ticks_of(entry: Entry, name: str) -> Series:
    """The quotes, trades or books. Raises: DataError: there are none."""
    if name not in entry.series:
        raise _not_held(entry, name)
    return entry.series[name]


def _not_held(entry: Entry, what: str) -> DataError:
    held = ", ".join(sorted(entry.series)) or "nothing"
    return DataError(f"the catalog holds no {what} of {entry.instrument.id}", hint=f"it holds {held}; --kind chooses")

"""What a report shows of a stored series - gaps, hash, crossed quotes - and where its corporate actions come.

Finding out takes one pass over the series, with the same checks that a file read directly goes through. It is made
when a series is first used and remembered beside it until the series changes.
"""

import hashlib
import os
from pathlib import Path

import msgspec
import numpy as np

from lockstep.model.enums import EventKind
from lockstep.model.errors import DataError
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import NANOS_PER_DAY
from lockstep.model.record import MARKET_EVENT, Records
from lockstep.store.catalog.books.encode import BookEncoder
from lockstep.store.catalog.encode import BarEncoder, Surveyed, Window
from lockstep.store.catalog.gaps import SessionHours
from lockstep.store.catalog.market_data import DataInfo, MarketData
from lockstep.store.catalog.shapes import BOOKS
from lockstep.store.catalog.ticks import TickEncoder
from lockstep.store.catalog.vault import ledger
from lockstep.store.catalog.vault.series import SeriesFiles, StoredRows

SURVEY_VERSION = 2
_WORDS = ("clock", "ts_event", "ts_open", "aux", "p0", "p1")


class Survey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The pass's result. actions: the words of each corporate action; places: the bar each comes before."""

    info: DataInfo
    actions: tuple[tuple[int, ...], ...]
    places: tuple[int, ...]


def history(files: SeriesFiles, home: Path, instrument: Instrument, source: str) -> MarketData:
    """The rows of a series as a MarketData of `instrument`, which has the entry's decimals.

    Raises: DataError: nothing in the range, or the rows break a rule (a damaged or foreign file).
    """
    if files.start >= files.stop:
        raise DataError(f"{instrument.id}: the catalog has no {files.series.name} in that range")
    found = _remembered(files, home, instrument)
    if found is None:
        found = _made(files, instrument, source)
        _remember(files, home, instrument, found)
    records = np.zeros(len(found.actions), MARKET_EVENT)
    records["kind"] = EventKind.CORPORATE_ACTION
    for k, word in enumerate(_WORDS):
        records[word] = [action[k] for action in found.actions]
    info = msgspec.structs.replace(found.info, source=source)
    return MarketData(instrument, info, StoredRows(files, records, found.places), files.entry.actions)


def _made(files: SeriesFiles, instrument: Instrument, source: str) -> Survey:
    name = f"{instrument.id} {files.series.name}"
    sink = Surveyed()
    parts = files.series.parts
    hours = SessionHours(
        instrument.session, parts[0].first_ns - 2 * NANOS_PER_DAY, parts[-1].end_ns + 2 * NANOS_PER_DAY
    )

    def row_name(row: int) -> str:
        return f"{name}: row {row}"

    if files.series.kind == "bars":
        bars = BarEncoder(instrument, sink, hours, files.series.bar_ns, files.entry.actions, row_name)
        for row, columns in files.groups(files.start, files.stop):
            prices = np.column_stack([columns[price] for price in files.series.shape.prices])
            bars.add(
                Window(
                    start=row,
                    ts_open=columns["ts_open"],
                    ts_event=columns["ts_event"],
                    prices=prices,
                    volume=columns["volume"],
                )
            )
        data = bars.finish(source, files.series.notes)
    else:
        shape = files.series.shape
        ticks = (
            BookEncoder(instrument, sink, hours, row_name, follow=False)
            if shape is BOOKS
            else TickEncoder(shape, instrument, sink, hours, row_name)
        )
        for row, columns in files.groups(files.start, files.stop):
            ticks.add(row, dict(columns))
        data = ticks.finish(source, files.series.notes, files.series.levels)
    actions = np.concatenate(sink.actions) if sink.actions else np.zeros(0, MARKET_EVENT)
    return Survey(
        info=data.info,
        actions=tuple(tuple(int(record[word]) for word in _WORDS) for record in actions),
        places=_places(actions, files.start),
    )


def _places(actions: Records, start: int) -> tuple[int, ...]:
    """An action's number in the sequence less the actions before it is the number of its bar."""
    return tuple(start + int(record["seq"]) - k for k, record in enumerate(actions))


def _path(files: SeriesFiles, home: Path, instrument: Instrument) -> Path | None:
    """Where the pass over a whole series is remembered; that over a part of one is not."""
    if files.start or files.stop != files.series.rows:
        return None
    facts = msgspec.json.encode((SURVEY_VERSION, files.series, files.entry.actions, instrument), order="deterministic")
    return home / files.entry.folder / f"survey-{hashlib.sha256(facts).hexdigest()[: ledger.HASH_DIGITS]}.json"


def _remembered(files: SeriesFiles, home: Path, instrument: Instrument) -> Survey | None:
    path = _path(files, home, instrument)
    if path is None:
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Survey)
    except (OSError, msgspec.MsgspecError):  # not there, or not whole: it is made again
        return None


def _remember(files: SeriesFiles, home: Path, instrument: Instrument, survey: Survey) -> None:
    path = _path(files, home, instrument)
    if path is None:
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(msgspec.json.encode(survey))
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)  # a catalog on a read-only disk is surveyed at every use

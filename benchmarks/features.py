"""Row of the microstructure features: what the whole set costs, streaming, on the recorded book and trades of Binance USD-M BTCUSDT.

An event is what brings features up to date: a change of the book that is complete (some seventy levels), or a trade. `features_all` is the
time for all features beyond what the book alone takes for the same records; `features_all_record` is everything, the book's own
work among it, for each record. Rounds take turns and begin with a fresh book.
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks.race import Setting
from benchmarks.report import Entry
from lockstep.book.l2 import L2Book
from lockstep.features.micro import (
    TFI,
    WAP,
    DepthMid,
    Imbalance,
    KyleLambda,
    Lagged,
    MarketFeature,
    MarketFeatures,
    Microprice,
    Mid,
    QueueDepletion,
    RealisedVolatility,
    SignRun,
    Spread,
    mlofi,
)
from lockstep.model.enums import EventKind
from lockstep.model.errors import LockstepError
from lockstep.model.rows import EventRows
from lockstep.research.baseline import Recording, read_recording

FILE = "crypto_l2/binance_usdm_btcusdt_20240808.raw.zst"
ROUNDS = 25  # of some 20 ms each: short enough that one falls between what else the machine does
_QUICK_RECORDS = 60_000


def whole_set() -> list[MarketFeature]:
    """Every kind of feature, order flow of five levels, imbalance of one, five and ten."""
    wap = WAP()
    return [
        Spread(), Mid(), Microprice([[-0.4, -0.2, 0.0, 0.2, 0.4]]), DepthMid(5), wap, Lagged(wap, 200), Imbalance(1), Imbalance(5),
        Imbalance(10), *mlofi(1_000, 5), TFI(1_000), SignRun(), KyleLambda(), RealisedVolatility(), QueueDepletion(1),
        QueueDepletion(-1),
    ]  # fmt: skip


def features_all(setting: Setting) -> list[Entry]:
    """Nanoseconds an event for the whole set, beyond the book's own work; and a record, with it."""
    setting.say("features_all")
    event = record = None
    try:
        event, record, note = nanoseconds(read_recording(setting.data_folder / FILE), quick=setting.quick)
    except (LockstepError, OSError) as e:
        note = str(e)
    return [
        Entry("features_all", event, "ns/event", higher_is_better=False, limit=200, note=note),
        Entry("features_all_record", record, "ns/record", higher_is_better=False, note=note),
    ]


def nanoseconds(recording: Recording, *, quick: bool = False) -> tuple[float, float, str]:
    """An event without the book, a record with it, and what was measured."""
    records = recording.records[:_QUICK_RECORDS] if quick else recording.records
    rows, books = EventRows(), EventRows()
    rows.hold(records)
    of_book = np.ascontiguousarray(records[records["kind"] == EventKind.BOOK])
    books.hold(of_book)
    whole = alone = float("inf")
    events = features = 0
    for _ in range(ROUNDS):
        driven, book = MarketFeatures(recording.instrument, whole_set()), L2Book(recording.instrument)
        begin = time.perf_counter()
        events = driven.apply(rows, 0, len(records))
        whole = min(whole, time.perf_counter() - begin)
        begin = time.perf_counter()
        book.apply(books, 0, len(of_book))
        alone = min(alone, time.perf_counter() - begin)
        features = len(driven)
    note = f"{features} features, {events:,} events in {len(records):,} records, fresh book"
    return (whole - alone) / events * 1e9, whole / len(records) * 1e9, note

"""The baseline on a recording of a book: features at each change of the book, the return of the next 15 s, a split in time."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lockstep.features.micro import (
    TFI,
    WAP,
    DepthMid,
    Gap,
    Imbalance,
    Lagged,
    MarketFeature,
    MarketFeatures,
    Mid,
    QueueDepletion,
    SignRun,
    mlofi,
)
from lockstep.features.micro.batch import in_order, table
from lockstep.model.enums import EventKind
from lockstep.model.errors import DataError, UsageError
from lockstep.model.instrument import Instrument
from lockstep.model.record import Records
from lockstep.research.labels import HORIZON_NS, forward_returns
from lockstep.research.linear import LinearModel, Score, fit_linear, score, whole_rows
from lockstep.store.catalog.readers import read_market_data

TRAIN = 0.6


class Recording(NamedTuple):
    """One instrument's records of its book and its trades, in order."""

    instrument: Instrument
    records: Records


class Baseline(NamedTuple):
    """A model and how it did out of sample."""

    model: LinearModel
    score: Score


def baseline_features() -> list[MarketFeature]:
    """What the baseline is fitted to: nothing in it grows with the price, so that one stretch of time speaks for the next."""
    mid, wap = Mid(), WAP()
    return [
        Gap(wap, mid),
        Gap(DepthMid(10), mid),
        Gap(wap, Lagged(wap, 200)),
        Gap(mid, Lagged(mid, 5_000)),
        Imbalance(1),
        Imbalance(5),
        Imbalance(20),
        *mlofi(1_000, 5),
        TFI(1_000),
        TFI(10_000),
        SignRun(),
        QueueDepletion(1, 1_000),
        QueueDepletion(-1, 1_000),
    ]


def read_recording(where: Path | str, symbol: str | None = None) -> Recording:
    """The book and the trades of a recording. Raises: DataError: no book, or several instruments and none chosen."""
    found = read_market_data(where, kind="depth", symbols=[symbol] if symbol else None)
    of = {data.instrument.id for data in found}
    if len(of) > 1:
        raise DataError(f"{where}: it holds {', '.join(sorted(of))}", hint="choose one of them")
    parts = [np.concatenate(list(data.chunks())) for data in found if data.info.kind in ("book", "trade")]
    return Recording(found[0].instrument, in_order(*parts))


def baseline(
    recording: Recording,
    make: Callable[[], Sequence[MarketFeature]] = baseline_features,
    *,
    horizon_ns: int = HORIZON_NS,
    train: float = TRAIN,
    split_ns: int | None = None,
) -> Baseline:
    """Fit on the first part of a recording and score on the rest, at each change of the book.

    Between the two lies the horizon: rows whose label is not known by the time the test begins are trained on by nobody.

    Args:   make: features, made anew. train: the share of the time to train on. split_ns: when the test begins, in place of it.
    Raises: UsageError: too little of the recording has every feature and a label.
    """
    mid, features = Mid(), list(make())
    found = table(MarketFeatures(recording.instrument, [mid, *features]), recording.records)
    at = recording.records["kind"][found.row] == EventKind.BOOK
    clock, values = found.clock[at], found.values[at]
    labels = forward_returns(clock, values[:, 0], horizon_ns)
    if len(clock) == 0:
        raise UsageError(f"{recording.instrument.id}: nothing of a book was recorded")
    begin = int(clock[0]) + int(train * int(clock[-1] - clock[0])) if split_ns is None else split_ns
    before, after = embargoed(clock, labels.known_at, begin)
    model = fit_linear(found.names[1:], values[before, 1:], labels.values[before])
    fitted = _fitted(values[before, 1:], labels.values[before])
    result = score(model, values[after, 1:], labels.values[after], clock[after], train=fitted, horizon_ns=horizon_ns)
    return Baseline(model, result)


def embargoed(
    clock: NDArray[np.int64], known_at: NDArray[np.int64], begin: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Rows to train on, whose labels are known before the test begins, and rows to test on."""
    return known_at < begin, clock >= begin


def _fitted(values: NDArray[np.float64], labels: NDArray[np.float64]) -> tuple[int, float]:
    rows = whole_rows(values, labels)
    return int(np.count_nonzero(rows)), float(labels[rows].mean())

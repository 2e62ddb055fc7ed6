"""Features over whole recordings: the streaming update in a compiled loop, so the bits are the same by construction."""

from typing import TYPE_CHECKING, Any, NamedTuple

import cython
import numpy as np

if cython.compiled:
    from cython.cimports.lockstep.features.micro.base import MarketFeature
    from cython.cimports.lockstep.features.micro.stream import MarketFeatures, updates_at
    from cython.cimports.lockstep.model.rows import EventRows
else:
    from lockstep.features.micro.base import MarketFeature
    from lockstep.features.micro.stream import MarketFeatures, updates_at
    from lockstep.model.rows import EventRows
from lockstep.model.enums import BookAction, EventKind
from lockstep.model.record import BOOK_ACTION, BOOK_LAST, MARKET_EVENT, Records

if TYPE_CHECKING:
    from numpy.typing import NDArray


class FeatureTable(NamedTuple):
    """Features at each update: once for each change of the book that is complete, and once for each trade.

    names: how each feature is written. clock: [n], ns UTC, never going back. row: [n], the record that brought the update.
    values: [n, k], nan where a feature is not known.
    """

    names: list[str]
    clock: "NDArray[np.int64]"
    row: "NDArray[np.int64]"
    values: "NDArray[np.float64]"


def in_order(*histories: Records) -> Records:
    """The records of a book and of trades in one array, in the order in which they became known: at one time the book first.

    Each is in order itself; where clocks are equal, records of one kind keep their order.
    """
    records = np.concatenate([np.empty(0, MARKET_EVENT), *histories])
    ordered: Records = records[np.lexsort((records["kind"], records["clock"]))]
    return ordered


def table(driven: MarketFeatures, records: Records) -> FeatureTable:
    """What the features are after each record that brings them up to date. They are left as the last record left them.

    Args:   driven: usually fresh; one that has been fed goes on. records: BOOK and TRADE, in order of their clock; see `in_order`.
    Raises: ValueError: clocks that go back. DataError: not market event records.
    """
    rows = EventRows()
    rows.hold(records)
    count = _updates_in(records)
    clock, row = np.empty(count, np.int64), np.empty(count, np.int64)
    values: NDArray[np.float64] = np.empty((count, len(driven)))
    if cython.compiled:
        filled = fill(driven, rows, clock, row, values)
    else:  # a memoryview takes Python's numbers and gives them
        columns: list[Any] = [clock, row, values]
        views: list[Any] = [memoryview(column) for column in columns]
        filled = fill(driven, rows, *views)
    return FeatureTable(driven.names, clock[:filled], row[:filled], values[:filled])


def _updates_in(records: Records) -> int:
    """How many of them can bring an update."""
    last = (records["flags"] & BOOK_LAST > 0) | (records["flags"] & BOOK_ACTION == BookAction.STATUS)
    book = (records["kind"] == EventKind.BOOK) & last
    return int(np.count_nonzero(book | (records["kind"] == EventKind.TRADE)))


@cython.boundscheck(False)  # the columns have room for every update
@cython.wraparound(False)
@cython.initializedcheck(False)
def fill(
    driven: MarketFeatures,
    rows: EventRows,
    clock: "NDArray[np.int64]",
    row: "NDArray[np.int64]",
    values: "NDArray[np.float64]",
) -> cython.Py_ssize_t:
    filled: cython.Py_ssize_t = 0
    begin: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    for i in range(rows.w.shape[0]):
        if not updates_at(rows.w[i, 3]):
            continue
        if driven.apply(rows, begin, i + 1) > 0:
            clock[filled] = rows.w[i, 0]
            row[filled] = i
            for k in range(len(driven.features)):
                values[filled, k] = cython.cast(MarketFeature, driven.features[k]).value
            filled += 1
        begin = i + 1
    driven.apply(rows, begin, rows.w.shape[0])
    return filled

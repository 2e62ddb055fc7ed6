"""ESH4 by order, 2023-12-25: from the opening trade on the book is never crossed, and nothing is counted twice."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from recorded_books import event_ends, held, histories, records_of

from lockstep.book.l3 import L3Book
from lockstep.model.enums import BookAction, BookFault, BookState
from lockstep.model.record import Records
from lockstep.store.catalog.books.dbn import MBO
from lockstep.store.catalog.books.lines import bytes_of
from lockstep.store.catalog.market_data import MarketData

pytestmark = pytest.mark.data
FILE = "l3/esh4-glbx-mdp3-20231225.mbo.dbn.zst"
OPENING = int(np.datetime64("2023-12-25T23:00:00", "ns").astype(np.int64))
CHECKED_EVERY = 2_000


@pytest.fixture(scope="module")
def found(data: Path) -> dict[str, MarketData]:
    pytest.importorskip("zstandard", reason="DBN files are compressed with zstd: pip install 'lockstep-trading[books]'")
    return histories(data / FILE)


def raw_records(data: Path) -> Records:
    """The file as it lies, read past its metadata."""
    with bytes_of(data / FILE) as file:
        head = file.read(8)
        file.read(int.from_bytes(head[4:], "little"))
        return np.frombuffer(file.read(), MBO)


def test_book_is_an_auction_until_the_opening_trade_and_never_crossed_after_it(found: dict[str, MarketData]) -> None:
    records = records_of(found["book"])
    book = L3Book(found["book"].instrument)
    rows = held(records)
    begin = crossed_before = ends_before = ends_after = 0
    for end in event_ends(records).tolist():
        book.apply(rows, begin, end)
        begin = end
        if records["ts_event"][end - 1] < OPENING:
            assert book.status == (BookState.AUCTION, BookFault.VENUE)
            ends_before += 1
            crossed_before += book.is_crossed()
        else:
            assert book.status == (BookState.GOOD, BookFault.NONE), f"row {end}"
            assert not book.is_crossed(), f"row {end}"
            ends_after += 1
    assert (ends_before, crossed_before, ends_after) == (926, 891, 46_097)
    assert begin == len(records)
    assert (book.fault_counts(), book.unknown) == ({}, 0)


def test_book_holds_what_adds_cancels_and_modifications_alone_leave(found: dict[str, MarketData], data: Path) -> None:
    raw = raw_records(data)
    records = records_of(found["book"])
    book, rows, taken = L3Book(found["book"].instrument), held(records), 0
    checked = 0
    for index, orders in orders_after(raw):
        stop = int(np.searchsorted(records["clock"], raw["ts_recv"][index], side="right"))
        if stop < len(records) and records["clock"][stop - 1] == records["clock"][stop]:
            continue
        book.apply(rows, taken, stop)
        taken = stop
        assert {entry.order_id: (entry.price, entry.qty) for entry in book.orders()} == orders, f"record {index}"
        checked += 1
    assert checked > 20


def orders_after(raw: Records) -> Iterator[tuple[int, dict[int, tuple[int, int]]]]:
    """Every so many events: the record that ended one, and what rests by the actions A, C and M alone, fills looked away from."""
    orders: dict[int, tuple[int, int]] = {}
    since = 0
    times = raw["ts_recv"]
    for index, row in enumerate(raw.tolist()):
        _, _, _, _, _, order_id, price, size, flags, _, action, *_ = row
        if action in (ord("A"), ord("M")):
            orders[order_id] = (price // 10**7, size)
        elif action == ord("C"):
            left = orders[order_id][1] - size
            if left:
                orders[order_id] = (orders[order_id][0], left)
            else:
                del orders[order_id]
        since += 1
        alone = index + 1 == len(raw) or times[index] != times[index + 1]
        if flags & 128 and alone and since >= CHECKED_EVERY:
            since = 0
            yield index, orders


def test_fills_are_matched_once_and_those_of_unseen_orders_are_counted(
    found: dict[str, MarketData], data: Path
) -> None:
    raw = raw_records(data)
    books, trades = records_of(found["book"]), records_of(found["trade"])
    filled = raw[raw["action"] == ord("F")]
    traded = raw[raw["action"] == ord("T")]
    assert (len(filled), len(traded), len(trades)) == (6_371, 2_973, 2_973)
    assert np.array_equal(trades["p1"], traded["size"])
    matched = books[books["flags"] & 15 == BookAction.MATCH]
    notes = " ".join(found["book"].info.notes)
    assert "7 x fills of orders that were never seen in the book" in notes
    assert "27 x fills of more than was shown" in notes
    assert "107 fills of orders that were changed into ones that take" in notes
    assert "83 x orders that show anew" in notes
    seen = set(books["p2"][books["flags"] & 15 == BookAction.ADD].tolist())
    unseen = [int(row["size"]) for row in filled if int(row["order_id"]) not in seen]
    assert len(unseen) == 7
    # What was filled is matched, but for the unseen, for the hidden parts of icebergs, which no order in the book can lose, and for
    # orders that rested until they were changed so that they take: they are filled on the side of the trade's aggressor.
    taken = filled_takers(raw)
    hidden = int(filled["size"].sum()) - sum(unseen) - taken - int(matched["p1"].sum())
    assert (int(filled["size"].sum()), sum(unseen), taken, hidden) == (10_201, 14, 265, 194)
    assert hidden == hidden_fills(raw)


def filled_takers(raw: Records) -> int:
    """Contracts filled on the side of the aggressor, by the actions T and F alone."""
    taken = side = 0
    for row in raw.tolist():
        action = chr(row[10])
        if action == "T":
            side = row[11]
        elif action == "F" and row[11] == side != ord("N"):
            taken += row[7]
        if row[8] & 128:
            side = 0
    return taken


def hidden_fills(raw: Records) -> int:
    """Contracts that were filled beyond what a resting order showed, by the actions A, C, M, T and F alone."""
    shown: dict[int, int] = {}
    fills: dict[int, int] = {}
    hidden = side = 0
    for row in raw.tolist():
        order_id, size, action = row[5], row[7], chr(row[10])
        side = row[11] if action == "T" else side
        if action == "F" and order_id in shown and row[11] != side:
            fills[order_id] = fills.get(order_id, 0) + size
        elif action in "ACM":
            hidden += max(0, fills.pop(order_id, 0) - shown.get(order_id, 0))
            shown[order_id] = size
            if action == "C":
                del shown[order_id]
    return hidden


def test_a_snapshot_alone_is_a_full_book_in_auction(data: Path) -> None:
    pytest.importorskip("zstandard", reason="DBN files are compressed with zstd: pip install 'lockstep-trading[books]'")
    found = histories(data / "l3/esh4-glbx-mdp3-20231224.mbo.dbn.zst")
    records = records_of(found["book"])
    book = L3Book(found["book"].instrument)
    book.apply(held(records), 0, len(records))
    assert (len(book), book.status, list(found)) == (8_725, (BookState.AUCTION, BookFault.VENUE), ["book"])
    assert (book.bid_units, book.ask_units) == (479_900, 479_950)

"""Books in the catalog: by day, in the order they came, at finer decimals without loss, and checked."""

from pathlib import Path

import numpy as np
import pytest
from book_files import changes, depth, recording, snapshot

from lockstep.book.l2 import L2Book
from lockstep.model.enums import BookAction
from lockstep.model.errors import DataError, UsageError
from lockstep.model.record import BOOK_ACTION
from lockstep.model.rows import EventRows
from lockstep.store.catalog.catalog import Catalog
from lockstep.store.catalog.readers import read_market_data

BID, ASK = ("61837.63", "2"), ("61837.64", "1")
TRADE = (
    '1723161255500000000 {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255490,"T":1723161255490,"s":"BTCUSDT","t":7,'
    '"p":"61837.63","q":"0.5","m":true,"M":true}}'
)
LINES = (depth(8, 9, [BID], []), snapshot(10, [BID], [ASK]), depth(13, 14, [BID], []), TRADE)


def test_books_come_back_as_they_went_in_with_the_same_hash(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "home")
    read = read_market_data(recording(tmp_path, *LINES), kind="depth")
    catalog.vault.put(read)
    stored = catalog.histories(["BTCUSDT"], "depth")
    assert [one.info.kind for one in stored] == ["book", "trade"]
    for before, after in zip(read, stored, strict=True):
        assert after.info.content_hash == before.info.content_hash
        assert set(before.info.notes) <= set(after.info.notes)
        assert len(after.info.notes) == len(set(after.info.notes))
    assert changes(stored[0]) == changes(read[0])
    assert "STATUS RESYNCING GAP" in changes(stored[0])
    assert catalog.vault.check() == (2, [])
    assert [held.series for held in catalog.holdings()] == ["books", "trades"]
    assert catalog.vault.put(read).stored[0].same == read[0].info.rows


def test_books_are_read_as_columns_whose_records_feed_a_book(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "home")
    catalog.vault.put(read_market_data(recording(tmp_path, *LINES[:2])))
    found = catalog.get_books("BTCUSDT")
    book, rows = L2Book(found.instrument), EventRows()
    rows.hold(found.records())
    assert book.apply(rows, 0, len(found)) == 0
    assert (book.bid, book.ask, book.is_good) == (61837.63, 61837.64, True)
    assert found.price[-1] == 61837.64
    assert (found.qty[-1], found.side[-1], found.sequence[-1], found.order_id[-1]) == (1.0, -1, 10, 0)
    assert found.action.dtype == np.uint8
    assert sum(len(part) for part in catalog.iter_books("BTCUSDT")) == len(found)


def test_books_at_finer_decimals_keep_their_states(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "home")
    catalog.vault.put(read_market_data(recording(tmp_path, *LINES)))
    finer = recording(tmp_path, depth(20, 21, [("61837.635", "2")], [], at=60_000), name="b.raw")
    with pytest.raises(DataError, match="price_decimals 2 stored, 3 needed"):
        catalog.vault.put(read_market_data(finer))
    catalog.vault.put(read_market_data(finer), replace=True)
    (found,) = catalog.histories(["BTCUSDT"], "books")
    assert found.instrument.price_decimals == 3
    words = changes(found)
    assert "STATUS RESYNCING GAP" in words
    assert "SET ask 61837640 100000000 full last" in words
    assert words[-3:] == ["CLEAR both 0 0", "STATUS EMPTY NO_SNAPSHOT", "SET bid 61837635 200000000 last"]


def test_rows_of_one_moment_keep_their_order(tmp_path: Path) -> None:
    levels = [(f"61837.{cents:02d}", "1") for cents in (5, 3, 9, 1, 7)]
    catalog = Catalog(tmp_path / "home")
    catalog.vault.put(read_market_data(recording(tmp_path, depth(8, 9, levels, []))))
    found = catalog.get_books("BTCUSDT")
    sets = found.action & BOOK_ACTION == BookAction.SET
    assert (found.units("price")[sets] % 100).tolist() == [5, 3, 9, 1, 7]


def test_kinds_of_a_recording_are_chosen_by_name(tmp_path: Path) -> None:
    path = recording(tmp_path, *LINES)
    assert [one.info.kind for one in read_market_data(path)] == ["book", "trade"]
    assert [one.info.kind for one in read_market_data(path, kind="ticks")] == ["trade"]
    with pytest.raises(DataError, match="no quotes there"):
        read_market_data(path, kind="quotes")
    with pytest.raises(DataError, match="no rows of XRPUSDT there"):
        read_market_data(path, symbols=["XRPUSDT"])
    catalog = Catalog(tmp_path / "home")
    catalog.vault.put(read_market_data(path, kind="trades"))
    with pytest.raises(DataError, match=r"the catalog holds no books of BTCUSDT\.BINANCE"):
        catalog.histories(["BTCUSDT"], "depth")
    with pytest.raises(DataError, match="no instrument of the catalog has depth"):
        catalog.histories(None, "depth")


def test_recordings_and_tables_in_one_folder_need_a_choice(tmp_path: Path) -> None:
    recording(tmp_path, *LINES)
    (tmp_path / "trades.csv").write_text("timestamp,price,qty\n1723161255500,1.5,2\n1723161256500,1.5,2\n")
    with pytest.raises(
        UsageError, match=r"recordings of books \(binance_spot_btcusdt\.raw\) and tables \(trades\.csv\)"
    ):
        read_market_data(tmp_path)
    assert [one.info.kind for one in read_market_data(tmp_path, kind="depth")] == ["book", "trade"]


def test_a_damaged_file_of_books_is_found(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "home")
    catalog.vault.put(read_market_data(recording(tmp_path, *LINES), kind="books"))
    (file,) = (tmp_path / "home").rglob("books/*.parquet")
    file.write_bytes(file.read_bytes()[:-100])
    files, wrong = catalog.vault.check()
    assert (files, len(wrong)) == (1, 1)
    assert file.name in wrong[0]

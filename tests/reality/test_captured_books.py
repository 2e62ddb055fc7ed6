"""Websocket captures of eight venues: every checksum reproduces, no sequence has a gap, no book is crossed."""

from collections import defaultdict
from itertools import zip_longest
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec
import numpy as np
import pytest
from recorded_books import event_ends, held, raw_lines, records_of

from lockstep.book.l2 import L2Book
from lockstep.model.enums import BookState
from lockstep.model.numbers import fixed_from_text
from lockstep.store.catalog.readers import read_market_data

pytestmark = pytest.mark.data
Texts = dict[tuple[int, int], tuple[str, str]]
GOOD = (
    "binance_spot_20210404", "binance_spot_20211012", "binance_usdm_20210417", "binance_usdm_20210722", "bybit_v2_legacy_20210417",
    "bybit_v5_20260809", "coinbase_advanced_20260809_part1", "coinbase_exchange_legacy_20210417", "deribit_20210405", "deribit_20210722",
    "okx_v5_20220227", "okx_v5_20220513", "upbit_20210405",
)  # fmt: skip


@pytest.mark.parametrize("stem", GOOD)
def test_books_of_a_capture_are_good_without_a_gap_or_a_crossing(data: Path, stem: str) -> None:
    for found in read_market_data(data / f"crypto_ws/{stem}.jsonl.zst", kind="books"):
        assert not [note for note in found.info.notes if " x " in note or "faulty" in note], found
        records = records_of(found)
        book = L2Book(found.instrument)
        assert book.apply(held(records), 0, len(records)) == 0
        assert book.status[0] is BookState.GOOD
        assert (np.diff(records["clock"]) >= 0).all()


@pytest.mark.parametrize(
    ("stem", "levels"), [("bybit_v5_20260809", 200), ("bybit_v2_legacy_20210417", 25), ("okx_v5_20220513", 400), ("upbit_20210405", 15)]
)  # fmt: skip
def test_no_book_has_more_levels_than_are_said_to_be_told(data: Path, stem: str, levels: int) -> None:
    most = 0
    for found in read_market_data(data / f"crypto_ws/{stem}.jsonl.zst", kind="books"):
        assert found.info.levels == levels
        records = records_of(found)
        book, rows, begin = L2Book(found.instrument), held(records), 0
        for end in event_ends(records).tolist():
            book.apply(rows, begin, end)
            begin = end
            counts = [len(book.depth_units(side, 1_000)) for side in (1, -1)]
            most = max(most, *counts)
            assert max(counts) <= levels
    assert most == levels


def test_a_bybit_archive_of_500_levels_has_them_after_every_message(data: Path) -> None:
    (found,) = read_market_data(data / "l2_other/bybit_xrpusdt_ob500_20241201.zip", kind="books")
    records = records_of(found)
    book = L2Book(found.instrument)
    rows, begin = held(records), 0
    ends = event_ends(records).tolist()
    assert len(ends) == 50
    assert found.info.levels == 500
    for end in ends:
        assert book.apply(rows, begin, end) == 0
        begin = end
        assert book.is_good
        assert [len(book.depth_units(side, 1_000)) for side in (1, -1)] == [500, 500]


def test_books_without_a_snapshot_are_never_good(data: Path) -> None:
    for found in read_market_data(data / "crypto_ws/bithumb_20210601.jsonl.zst", kind="books"):
        assert "no full book came: the book is never GOOD" in found.info.notes
        records = records_of(found)
        book = L2Book(found.instrument)
        rows, begin = held(records), 0
        for end in event_ends(records).tolist():
            book.apply(rows, begin, end)
            begin = end
            assert not book.is_good


def pushes(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The book messages of OKX in the order they came, by instrument."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in raw_lines(path):
        outer = msgspec.json.decode(line)
        said = msgspec.json.decode(outer["data"]) if outer["t"] == "recv" else {}
        if said.get("arg", {}).get("channel", "").startswith("books") and "action" in said:
            found[said["arg"]["instId"]].append(said["data"][0])
    return found


@pytest.mark.parametrize(("stem", "checksums"), [("okx_v5_20220513", 290), ("okx_v5_20220227", 3_679)])
def test_okx_checksums_reproduce_from_the_book_of_the_records(data: Path, stem: str, checksums: int) -> None:
    path = data / f"crypto_ws/{stem}.jsonl.zst"
    messages = pushes(path)
    right = 0
    for found in read_market_data(path, kind="books"):
        instrument = found.instrument
        book, records, texts = L2Book(instrument), records_of(found), Texts()
        rows, begin = held(records), 0
        ends = iter(event_ends(records).tolist())
        for said in messages[instrument.symbol]:
            if said["bids"] or said["asks"]:  # one update of an option says nothing but the checksum
                end = next(ends)
                book.apply(rows, begin, end)
                begin = end
            for side, name in ((1, "bids"), (-1, "asks")):
                for price, size, *_ in said[name]:
                    texts[side, fixed_from_text(price, instrument.price_decimals)] = (price, size)
            assert signed_crc(book, texts) == said["checksum"]
            right += 1
        assert next(ends, None) is None
    assert right == checksums


def signed_crc(book: L2Book, texts: Texts) -> int:
    """Of the best 25 levels of a book, as the venue writes their numbers; the book says which levels, and how much they hold."""
    sides = []
    for side in (1, -1):
        levels = book.depth_units(side, 25)
        for price, qty in levels:
            assert fixed_from_text(texts[side, price][1], book.instrument.qty_decimals) == qty
        sides.append([":".join(texts[side, price]) for price, _ in levels])
    joined = ":".join(text for pair in zip_longest(*sides) for text in pair if text is not None)
    return int(np.uint32(crc32(joined.encode())).view(np.int32))


def test_a_reader_says_how_many_checksums_were_right(data: Path) -> None:
    found = read_market_data(data / "crypto_ws/okx_v5_20220513.jsonl.zst", symbols=["BTC-USDT"], kind="books")
    assert [note for one in found for note in one.info.notes if "checksums" in note] == [
        "98 checksums of the best 25 levels are right"
    ]
    assert len(found) == 1

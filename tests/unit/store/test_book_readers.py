"""Recordings of books that are broken: each fault is told with its place and count, and what is not known is not made up."""

import json
import sys
from pathlib import Path

import pytest
from book_files import book, capture, changes, depth, mbo, recording, snapshot

from lockstep.model.errors import DataError, UsageError
from lockstep.store.catalog.books.captures import frames_of
from lockstep.store.catalog.books.coinbase import time_ns
from lockstep.store.catalog.books.lines import prove_whole
from lockstep.store.catalog.books.units import units_of
from lockstep.store.catalog.catalog import Catalog
from lockstep.store.catalog.database import connected
from lockstep.store.catalog.instruments import Wishes
from lockstep.store.catalog.readers import read_files, read_market_data

BID, ASK = ("61837.63", "2"), ("61837.64", "1")
FULL = (10, [BID], [ASK])
AFTER = "SET bid 6183762 100000000 last"
SNAPSHOT = (("A", "B", 1, 4800.0, 5, 40), ("A", "A", 2, 4800.5, 3, 40))


def notes(path: Path) -> str:
    return "\n".join(book(path).info.notes)


# ---- Binance: snapshots joined to changes


@pytest.mark.parametrize("missing", ["u", "U"])
def test_a_change_without_its_numbers_is_a_gap_and_not_passed_over_as_an_old_one(tmp_path: Path, missing: str) -> None:
    unplaced = depth(13, 14, [BID], []).replace(f'"{missing}":', '"x":')
    lines = [snapshot(*FULL), depth(11, 12, [BID], []), unplaced, unplaced, depth(15, 16, [BID], [])]
    path = recording(tmp_path, *lines)
    assert changes(book(path))[-2:] == ["STATUS RESYNCING GAP", "SET bid 6183763 200000000 last"]
    assert "2 x depth changes without their numbers (U, u), which say where they belong: left out" in notes(path)
    assert "the first at binance_spot_btcusdt.raw: line 3" in notes(path)
    assert "came twice or late" not in notes(path)
    assert book(path).info.gaps > 0
    path = recording(tmp_path, *lines, snapshot(16, [BID], [ASK], at=1))
    assert "at the end the book is" not in notes(path)  # a full book heals it


def test_a_change_without_its_numbers_as_the_first_of_all_leaves_the_book_not_good(tmp_path: Path) -> None:
    path = recording(tmp_path, depth(13, 14, [BID], []).replace('"u":', '"x":'), depth(15, 16, [BID], []))
    assert "STATUS RESYNCING GAP" in changes(book(path))
    assert " x gaps between" not in notes(path)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (depth(11, 12, [BID], []).replace('"61837.63"', "61837.63"), "line 2 is a message, but none of Binance's"),
        (depth(11, 12, [BID], []).replace('"BTCUSDT"', '""'), "line 2: a message without a symbol"),
        ('1723161255500000000 {"lastUpdateId":14}', "line 2: no levels"),
    ],
)
def test_a_message_of_another_form_is_refused_with_its_line(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(DataError, match=says) as raised:
        book(recording(tmp_path, snapshot(*FULL), line, depth(13, 14, [BID], [])))
    assert "cut short" not in (raised.value.hint or "")


def test_changes_before_the_snapshot_that_it_lacks_are_told_again_after_it(tmp_path: Path) -> None:
    path = recording(
        tmp_path,
        depth(8, 9, [("61837.62", "3")], []),
        depth(10, 12, [("61837.62", "1")], [], at=1),
        snapshot(*FULL, at=2),
    )
    assert changes(book(path)) == [
        "SET bid 6183762 300000000 last", AFTER, "CLEAR both 0 0 full", "SET bid 6183763 200000000 full",
        "SET ask 6183764 100000000 full last", AFTER,
    ]  # fmt: skip
    assert "faulty" not in notes(path)


def test_a_change_that_has_the_snapshot_inside_is_the_next_one(tmp_path: Path) -> None:
    path = recording(
        tmp_path, depth(1, 2, [BID], []), snapshot(*FULL), depth(4, 9, [], []), depth(10, 12, [("61837.62", "1")], [])
    )
    assert changes(book(path))[-1] == AFTER
    assert " x " not in notes(path)


def test_a_gap_makes_the_book_resync_until_a_snapshot_and_says_where(tmp_path: Path) -> None:
    lines = [depth(8, 9, [BID], []), snapshot(*FULL), depth(11, 12, [BID], []), depth(14, 15, [BID], [])]
    path = recording(tmp_path, *lines)
    assert changes(book(path))[-2:] == ["STATUS RESYNCING GAP", "SET bid 6183763 200000000 last"]
    assert "1 x gaps between changes of the book, the first at binance_spot_btcusdt.raw: line 4" in notes(path)
    assert "at the end the book is RESYNCING (GAP)" in notes(path)
    path = recording(tmp_path, *lines, snapshot(14, [BID], [ASK], at=1))
    assert changes(book(path))[-1] == "SET bid 6183763 200000000 last"
    assert "at the end" not in notes(path)


def test_a_snapshot_older_than_the_changes_at_hand_is_not_used(tmp_path: Path) -> None:
    path = recording(tmp_path, depth(20, 21, [BID], []), snapshot(*FULL))
    assert changes(book(path)) == ["SET bid 6183763 200000000 last"]
    assert "1 x snapshots that are older than the changes at hand: left out" in notes(path)
    assert "no full book came: the book is never GOOD" in notes(path)


def test_changes_that_come_twice_are_left_out_and_counted(tmp_path: Path) -> None:
    again = depth(11, 12, [("61837.62", "1")], [])
    path = recording(tmp_path, depth(8, 9, [BID], []), snapshot(*FULL), again, again, again)
    assert changes(book(path)).count(AFTER) == 1
    assert (
        "2 x changes of the book that came twice or late: left out, the first at binance_spot_btcusdt.raw: line 4"
        in notes(path)
    )


def test_a_crossed_snapshot_and_a_negative_size_are_kept_and_told_with_their_place(tmp_path: Path) -> None:
    path = recording(tmp_path, depth(8, 9, [BID], []), snapshot(10, [("61837.65", "1")], [ASK]))
    assert "1 change of the book is faulty (CROSSED), the first at binance_spot_btcusdt.raw: line 2" in notes(path)
    path = recording(tmp_path, depth(8, 9, [BID], []), snapshot(*FULL), depth(11, 11, [("61837.60", "-1")], []))
    assert changes(book(path))[-1] == "SET bid 6183760 -100000000 last"
    assert "1 change of the book is faulty (NEGATIVE_QTY), the first at binance_spot_btcusdt.raw: line 3" in notes(path)
    assert "at the end the book is RESYNCING (NEGATIVE_QTY)" in notes(path)


def test_a_price_with_decimals_that_hardly_any_other_has_is_off_the_tick_and_told_with_its_place(
    tmp_path: Path,
) -> None:
    levels = [(f"{60_000 + k}.{k % 9 + 1}", "1") for k in range(1_200)]
    full = snapshot(10, levels[:600], [("70000.1", "1"), *levels[600:]])
    path = recording(tmp_path, full, depth(11, 12, [("59000.123", "1")], []))
    assert "tick 0.100, as all prices of the book show but 1 of 1,202 with more decimals" in notes(path)
    assert "1 change of the book is faulty (OFF_TICK), the first at binance_spot_btcusdt.raw: line 2" in notes(path)
    assert "at the end the book is RESYNCING (OFF_TICK)" in notes(path)
    path = recording(tmp_path, full, *(depth(k, k, [("59000.123", "1")], []) for k in (11, 12)))
    assert "tick 0.001, as the prices show" in notes(path)  # more than one in a thousand: the venue's own


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (depth(11, 12, [("61837.6x", "1")], []), r"line 3: not a finite decimal"),
        (depth(11, 12, [("0.0000000000000001", "1")], []), r"line 3: finer than 15 decimals"),
        (depth(11, 12, [("-5", "1")], []), r"line 3 .*price is not above 0: was -5.00"),
        (depth(11, 12, [BID], [])[:90], r"line 3 is no time and message"),
        (
            depth(11, 12, [BID], []).replace("BTCUSDT", "ETHUSDT"),
            r"line 3: it is of ETHUSDT, the lines before of BTCUSDT",
        ),
        (depth(11, 12, [BID], [], at=-9000), r"line 3 .*the clock goes back"),
        (
            depth(11, 12, [("61837.60", "9" * 20)], []),
            r"line 3: a time, price, quantity or id does not fit into 64 bits",
        ),
    ],
)
def test_a_line_that_cannot_be_read_is_refused_with_its_place(tmp_path: Path, line: str, message: str) -> None:
    path = recording(tmp_path, depth(8, 9, [BID], []), snapshot(*FULL), line)
    with pytest.raises(DataError, match=message):
        book(path)


def test_a_clock_that_is_behind_is_moved_and_one_that_is_right_is_not(tmp_path: Path) -> None:
    late = [depth(8, 9, [BID], [], late_ms=-1270), depth(10, 11, [BID], [], at=50, late_ms=-1268)]
    found = book(recording(tmp_path, *late))
    (chunk,) = found.chunks()
    assert (chunk["clock"] - chunk["ts_event"]).tolist() == [1_000_000] * 3 + [3_000_000]
    assert "2 of 2 messages were received before they were sent, by up to 1,270.000 ms (line 1)" in "\n".join(
        found.info.notes
    )
    found = book(recording(tmp_path, depth(8, 9, [BID], []), depth(10, 11, [BID], [], at=50)))
    assert "clock" not in "\n".join(found.info.notes)


def test_markets_of_binance_are_told_apart_by_their_messages(tmp_path: Path) -> None:
    future = depth(8, 9, [BID], []).replace('"U"', '"pu": 7, "U"')
    assert book(recording(tmp_path, depth(8, 9, [BID], []))).instrument.id == "BTCUSDT.BINANCE"
    assert book(recording(tmp_path, future)).instrument.id == "BTCUSDT.BINANCE-USDM"
    coin = future.replace('"s": "BTCUSDT"', '"s": "BTCUSD_PERP", "ps": "BTCUSD"')
    instrument = book(recording(tmp_path, coin)).instrument
    assert (instrument.id, instrument.currency, int(instrument.multiplier)) == ("BTCUSD_PERP.BINANCE-COINM", "BTC", 100)


# ---- files


def test_zstd_files_that_end_inside_a_frame_are_refused(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard", reason="writes the file that is cut")
    text = (
        "\n".join([depth(8, 9, [BID], []), snapshot(*FULL)] + [depth(k, k, [BID], []) for k in range(11, 3000)]) + "\n"
    )
    whole = tmp_path / "binance.raw.zst"
    whole.write_bytes(zstandard.ZstdCompressor(write_checksum=True).compress(text.encode()))
    prove_whole(whole)
    assert book(whole).info.rows > 2_990
    packed = whole.read_bytes()
    for size in (len(packed) - 1, len(packed) // 2, 7, 5):
        whole.write_bytes(packed[:size])
        with pytest.raises(
            DataError, match=rf"cut short: its {size:,} bytes end inside the zstd frame that begins at byte 0"
        ):
            prove_whole(whole)
    with pytest.raises(DataError, match="cut short"):
        book(whole)
    recording(tmp_path, depth(8, 9, [BID], []))
    with pytest.raises(DataError, match="cut short"):  # in a folder too: what is damaged is not passed over
        book(tmp_path)


@pytest.mark.parametrize("name", ["what.raw", "what.jsonl", "what.log", "README.md"])
def test_a_file_of_no_known_format_is_refused_with_those_there_are(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=f"{name}: neither a table nor a recording of a known format") as raised:
        book(recording(tmp_path, "hello", name=name))
    for known in ("LOBSTER", "CSV", "Parquet", "Lean", "Bybit archive"):
        assert known in raised.value.hint
    recording(tmp_path, depth(8, 9, [BID], []), name="a.raw")
    assert book(tmp_path).info.rows == 3  # beside a recording it is passed over, as any other file is


def test_dbn_in_zstd_names_the_extra_where_nothing_can_unpack_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zstandard = pytest.importorskip("zstandard", reason="writes the file")
    path = tmp_path / "es.dbn.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(mbo(tmp_path, *SNAPSHOT).read_bytes()))
    assert book(path).info.rows == 4
    for name in ("zstandard", "compression"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match="which this Python cannot unpack") as raised:
        book(path)
    assert raised.value.hint == "pip install 'lockstep-trading[books]'"


def test_one_name_for_several_instruments_is_refused(tmp_path: Path) -> None:
    recording(tmp_path, depth(8, 9, [BID], []), name="a.raw")
    recording(tmp_path, depth(8, 9, [BID], []).replace("BTCUSDT", "ETHUSDT"), name="b.raw")
    with pytest.raises(UsageError, match="symbol X, but it is about several: BTCUSDT, ETHUSDT"):
        read_files(tmp_path, wishes=Wishes(symbol="X"))


# ---- LOBSTER

AMZN = "AMZN_2012-06-21_34200000_57600000_message_1.csv"
ADD = "34200.18961,1,11885113,21,2238100,1"


def test_lobster_types_become_their_records(tmp_path: Path) -> None:
    lines = [
        ADD, "34200.2,2,11885113,1,2238100,1", "34200.3,4,11885113,10,2238100,1", "34200.4,5,0,7,2238150,-1",
        "34200.5,7,0,0,-1,-1", "34200.6,7,0,0,1,-1", "34200.7,3,11885113,10,2238100,1",
    ]  # fmt: skip
    found, trades = read_market_data(recording(tmp_path, *lines, name=AMZN), kind="depth")
    assert changes(found) == [
        "ADD bid 223810 21 #11885113 last", "MODIFY bid 223810 20 #11885113 last", "MATCH bid 223810 10 #11885113 last",
        "STATUS AUCTION VENUE", "STATUS EMPTY NO_SNAPSHOT", "DELETE bid 223810 10 #11885113 last",
    ]  # fmt: skip
    (records,) = trades.chunks()
    assert [(int(row["p0"]), int(row["p1"]), int(row["aux"]) - 2) for row in records] == [
        (223810, 10, -1),
        (223815, 7, 1),
    ]
    assert int(records["ts_event"][0]) == 1_340_285_400_300_000_000  # 09:30:00.3 in New York
    assert "1 x messages that trading is halted or only quoted" in "\n".join(found.info.notes)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("34200.2,9,1,1,2238100,1", "type 9: limits 1 to 7"),
        ("34200.2,1,1,0,2238100,1", "direction 1, size 0"),
        ("34200.2,1,1,5,2238100,2", "direction 2, size 5"),
        ("34200.2,1,1", "3 values, 6 needed"),
        ("34200.2,1,x,1,2238100,1", "is no message"),
    ],
)
def test_lobster_lines_that_are_no_messages_are_refused(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DataError, match=f"line 2 is no message.*{message}|{message}"):
        book(recording(tmp_path, ADD, line, name=AMZN))


def test_lobster_orders_of_which_more_goes_than_is_left_are_counted(tmp_path: Path) -> None:
    path = recording(tmp_path, ADD, "34200.2,2,11885113,22,2238100,1", "34200.3,2,5,1,2238100,1", name=AMZN)
    assert "1 x orders of which more went than was left" in notes(path)
    assert "1 x partial cancels of orders whose size is not known: written as MODIFY to 0" in notes(path)


def test_lobster_levels_need_as_many_rows_as_messages_and_are_no_recording_alone(tmp_path: Path) -> None:
    path = recording(tmp_path, ADD, ADD.replace("11885113", "2"), name=AMZN)
    levels = recording(tmp_path, "2239500,100,2238100,21", name=AMZN.replace("message", "orderbook"))
    with pytest.raises(DataError, match="has more rows than the file beside it"):
        book(path)
    with pytest.raises(DataError, match="neither a table nor a recording"):
        book(levels)


@pytest.mark.parametrize("levels", [1, 10])
def test_how_many_levels_lobster_tells_is_known_from_the_file_and_from_the_catalog(tmp_path: Path, levels: int) -> None:
    path = recording(tmp_path, ADD, "34200.2,4,11885113,2,2238100,1", name=AMZN.replace("_1.csv", f"_{levels}.csv"))
    read = read_market_data(path)
    catalog = Catalog(tmp_path / "home")
    catalog.vault.put(read)
    for found in (read, catalog.histories(["AMZN"], "depth")):
        assert {one.info.kind: one.info.levels for one in found} == {"book": levels, "trade": 0}


def test_a_second_lobster_day_begins_with_an_empty_book(tmp_path: Path) -> None:
    recording(tmp_path, ADD, name=AMZN)
    recording(tmp_path, ADD, name=AMZN.replace("06-21", "06-22"))
    assert changes(book(tmp_path)) == [
        "ADD bid 22381 21 #11885113 last", "CLEAR both 0 0", "STATUS EMPTY NO_SNAPSHOT", "ADD bid 22381 21 #11885113 last",
    ]  # fmt: skip


# ---- Databento

BEGUN = [
    "STATUS AUCTION VENUE", "CLEAR both 0 0 full", "ADD bid 480000 5 #1 full", "ADD ask 480050 3 #2 full last", "STATUS GOOD NONE",
]  # fmt: skip


@pytest.mark.parametrize(
    ("after", "records"),
    [
        ([("F", "B", 1, 4800.0, 5, 0), ("C", "B", 1, 4800.0, 5, 130)], ["MATCH bid 480000 5 #1 last"]),
        ([("F", "B", 1, 4800.0, 2, 0), ("M", "B", 1, 4800.0, 3, 130)], ["MATCH bid 480000 2 #1 last"]),
        ([("F", "B", 1, 4800.0, 2, 0), ("F", "B", 1, 4800.0, 1, 0), ("M", "B", 1, 4800.0, 2, 130)], ["MATCH bid 480000 3 #1 last"]),
        ([("F", "B", 1, 4800.0, 2, 0), ("M", "B", 1, 4799.5, 3, 130)], ["MATCH bid 480000 2 #1", "MODIFY bid 479950 3 #1 last"]),
        ([("F", "B", 1, 4800.0, 2, 0), ("C", "B", 1, 4800.0, 3, 130)], ["MATCH bid 480000 2 #1", "DELETE bid 480000 3 #1 last"]),
        ([("F", "B", 1, 4800.0, 5, 0), ("M", "B", 1, 4800.0, 5, 130)], ["MATCH bid 480000 5 #1", "ADD bid 480000 5 #1 last"]),
        ([("F", "B", 1, 4800.0, 8, 0), ("C", "B", 1, 4800.0, 5, 130)], ["MATCH bid 480000 5 #1 last"]),
        ([("C", "B", 1, 4800.0, 2, 130)], ["MODIFY bid 480000 3 #1 last"]),
        ([("M", "B", 1, 4799.5, 7, 130)], ["MODIFY bid 479950 7 #1 last"]),
        ([("M", "B", 9, 4799.5, 7, 130)], ["ADD bid 479950 7 #9 last"]),
        ([("F", "B", 9, 4800.0, 1, 128)], []),
        ([("R", "N", 0, 0.0, 0, 128)], ["CLEAR both 0 0 last"]),
    ],
)  # fmt: skip
def test_fills_and_the_changes_they_explain_are_one_record(
    tmp_path: Path, after: list[tuple[object, ...]], records: list[str]
) -> None:
    path = mbo(tmp_path, *SNAPSHOT, ("T", "A", 0, 4800.0, 1, 0), *after, ("A", "B", 77, 4799.75, 1, 130))
    found = changes(book(path))
    assert found[:5] == BEGUN
    assert found[5:] == [*records, "ADD bid 479975 1 #77 last"]


def test_fill_of_an_order_that_was_changed_so_that_it_takes_executes_nothing_that_rests(tmp_path: Path) -> None:
    taking = [("T", "B", 0, 4801.0, 2, 0), ("F", "B", 1, 4801.0, 2, 0), ("F", "A", 2, 4801.0, 2, 0)]
    after = [("M", "B", 1, 4801.0, 3, 0), ("M", "A", 2, 4801.0, 1, 130)]
    path = mbo(tmp_path, *SNAPSHOT, ("T", "A", 0, 4800.0, 1, 128), *taking, *after)
    assert not [one for one in changes(book(path)) if one.startswith("MATCH bid")]
    assert "1 fills of orders that were changed into ones that take" in notes(path)


def test_fills_that_nothing_follows_and_fills_of_the_unseen_are_counted(tmp_path: Path) -> None:
    path = mbo(
        tmp_path, *SNAPSHOT, ("F", "B", 9, 4800.0, 1, 0), ("F", "B", 1, 4800.0, 1, 128), ("C", "B", 1, 4800.0, 5, 130)
    )
    assert changes(book(path))[-1] == "DELETE bid 48000 5 #1 last"
    assert "1 x fills of orders that were never seen in the book, the first at es.dbn: record 3" in notes(path)
    assert "1 x fills whose order did not change until the event ended" in notes(path)


def test_an_order_unknown_to_a_full_book_is_a_fault_with_its_place(tmp_path: Path) -> None:
    path = mbo(tmp_path, *SNAPSHOT, ("T", "A", 0, 4800.0, 1, 128), ("C", "B", 9, 4800.0, 2, 130))
    assert "1 change of the book is faulty (UNKNOWN_ORDER), the first at es.dbn: record 4" in notes(path)


def test_a_crossed_book_after_the_opening_is_a_fault_and_before_it_an_auction(tmp_path: Path) -> None:
    crossing = ("A", "B", 3, 4801.0, 1, 130)
    assert "CROSSED" not in notes(mbo(tmp_path, *SNAPSHOT, crossing))
    path = mbo(tmp_path, *SNAPSHOT, ("T", "N", 0, 4800.0, 1, 128), crossing)
    assert "faulty (CROSSED), the first at es.dbn: record 4" in notes(path)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cut": 10}, r"cut short: 46 bytes after record 1"),
        ({"cut": 2 * 56 + 10}, r"cut short inside its metadata"),
        ({"schema": 1}, r"its schema is number 1: only mbo \(0\) is read"),
    ],
)
def test_dbn_files_that_are_not_whole_or_not_of_orders_are_refused(
    tmp_path: Path, given: dict[str, int], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        book(mbo(tmp_path, *SNAPSHOT, **given))  # type: ignore[arg-type]


def test_bytes_that_are_no_dbn_and_records_of_another_kind_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.dbn"
    path.write_bytes(b"hello world")
    with pytest.raises(DataError, match="not a DBN file of version 1 to 3"):
        book(path)
    whole = mbo(tmp_path, *SNAPSHOT)
    data = bytearray(whole.read_bytes())
    data[-55] = 0x01
    whole.write_bytes(data)
    with pytest.raises(DataError, match="record 2 is of type 1 and 56 bytes long: only mbo"):
        book(whole)


# ---- Bitstamp


def event(at: int, name: str, **said: object) -> str:
    return f"{1_430_438_404_000 + at} {name} {json.dumps(said)}"


def order(at: int, name: str, number: int, price: str, amount: str, side: int) -> str:
    return event(at, name, price=price, amount=amount, id=number, order_type=side, datetime="1430438404")


def test_executions_of_a_crossing_order_are_one_event_and_the_trade_knows_its_aggressor(tmp_path: Path) -> None:
    path = recording(
        tmp_path,
        order(0, "order_created", 1, "236.47", "2.00000000", 1),
        order(10, "order_created", 2, "236.50", "0.50000000", 0),
        order(12, "order_changed", 1, "236.47", "1.50000000", 1),
        order(13, "order_deleted", 2, "236.50", "0.00000000", 0),
        event(14, "trade", price=236.47, amount=0.50000000000000001, id=7),
        order(15, "order_deleted", 99, "236.00", "0.00000000", 0),
        name="bitstamp_btcusd_x.log",
    )
    found, trades = read_market_data(path, kind="depth")
    assert changes(found) == [
        "ADD ask 23647 200000000 #1 last", "ADD bid 23650 50000000 #2", "MATCH ask 23647 50000000 #1",
        "DELETE bid 23650 0 #2 last", "DELETE bid 23600 0 #99 last",
    ]  # fmt: skip
    (trade,) = next(trades.chunks())
    assert (int(trade["p1"]), int(trade["aux"]) - 2) == (50_000_000, 1)
    assert "1 change is about orders that were there before the recording began" in "\n".join(found.info.notes)


def test_a_book_that_stays_crossed_is_an_event_of_its_own_after_a_second(tmp_path: Path) -> None:
    path = recording(
        tmp_path,
        order(0, "order_created", 1, "236.47", "2.0", 1),
        order(10, "order_created", 2, "236.50", "0.5", 0),
        order(500, "order_created", 3, "230.00", "0.5", 0),
        order(1_500, "order_created", 4, "230.00", "0.5", 0),
        name="x.log",
    )
    assert [text.endswith("last") for text in changes(book(path))] == [True, False, False, True]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (order(0, "order_created", 1, "236.47", "2.0", 3), "order_type 3"),
        (event(0, "order_renamed", id=1, price="1", amount="1", order_type=0), "unknown event 'order_renamed'"),
        (event(0, "trade", price=236.4700001, amount=1.0, id=1), "finer than 5 decimals"),
        ("1430438404000 trade {", "line 2 is no event"),
        ('1430438404000 order_book {"bids": [["235.01", "28.4', "line 2 is no event.*the book is not complete"),
    ],
)
def test_bitstamp_lines_that_are_no_events_are_refused(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        book(recording(tmp_path, order(0, "order_created", 5, "236.47", "2.0", 1), line, name="x.log"))


# ---- captures


def okx(action: str, bids: list[list[str]], asks: list[list[str]], checksum: int) -> dict[str, object]:
    data = {"asks": asks, "bids": bids, "ts": "1652459225000", "checksum": checksum}
    return {"arg": {"channel": "books", "instId": "BTC-USDT"}, "action": action, "data": [data]}


def test_a_wrong_checksum_makes_the_book_resync_until_the_next_snapshot(tmp_path: Path) -> None:
    first = okx("snapshot", [["30243.5", "1", "0", "1"]], [["30243.6", "2", "0", "1"]], 122_709_626)
    wrong = okx("update", [["30243.4", "1", "0", "1"]], [], 1)
    path = capture(tmp_path, "OKX", first, wrong, first)
    assert changes(book(path)) == [
        "CLEAR both 0 0 full", "SET bid 302435 100000000 full", "SET ask 302436 200000000 full last",
        "SET bid 302434 100000000 last", "STATUS RESYNCING CHECKSUM",
        "CLEAR both 0 0 full", "SET bid 302435 100000000 full", "SET ask 302436 200000000 full last",
    ]  # fmt: skip
    assert "1 x checksums of the best 25 levels are wrong, the first at venue.jsonl: line 3" in notes(path)
    assert "2 checksums of the best 25 levels are right" in notes(path)


def bybit(kind: str, number: int) -> dict[str, object]:
    data = {"s": "BTCUSDT", "b": [["65114.20", "6"]], "a": [], "u": number, "seq": 1}
    return {"topic": "orderbook.200.BTCUSDT", "type": kind, "ts": 1_652_459_225_000, "data": data}


def test_a_missing_number_is_a_gap_and_a_repeated_one_is_left_out(tmp_path: Path) -> None:
    path = capture(tmp_path, "BYBIT", bybit("snapshot", 5), bybit("delta", 6), bybit("delta", 6), bybit("delta", 8))
    assert changes(book(path))[-2:] == ["STATUS RESYNCING GAP", "SET bid 651142 6 last"]
    assert "1 x gaps between changes of the book, the first at venue.jsonl: line 5" in notes(path)
    assert "1 x changes of the book that came twice or late: left out, the first at venue.jsonl: line 4" in notes(path)


def test_changes_before_any_snapshot_leave_the_book_unknown(tmp_path: Path) -> None:
    path = capture(tmp_path, "BYBIT", bybit("delta", 6), bybit("delta", 7))
    assert "no full book came: the book is never GOOD" in notes(path)


def test_rest_answers_come_where_their_time_says(tmp_path: Path) -> None:
    lines = [
        {"t": "header", "exchange": "OKX"},
        {"t": "http", "conn": "a", "ts": 3.5, "url": "u", "data": "late"},
        {"t": "recv", "conn": "1", "ts": 1.000000001, "data": "first"},
        {"t": "recv", "conn": "1", "ts": 4.25, "data": "last"},
    ]
    path = recording(tmp_path, *map(json.dumps, lines), name="x.jsonl")
    found = list(frames_of(path, connected()))
    assert [(frame.text, frame.ts) for frame in found[1:]] == [
        ("first", 1_000_000_001), ("late", 3_500_000_000), ("last", 4_250_000_000),
    ]  # fmt: skip


def test_captures_of_unknown_venues_and_broken_lines_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a capture of 'OKEX', which is not read"):
        book(capture(tmp_path, "OKEX", bybit("delta", 1)))
    path = capture(tmp_path, "BYBIT", bybit("snapshot", 5))
    path.write_text(path.read_text()[:-30])
    with pytest.raises(DataError, match="line 2 is none of a capture"):
        book(path)


# ---- numbers and times


@pytest.mark.parametrize("text", ["1_0", "", ".", "1e5x", "٣", "0x10", "1.2.3", " 1"])
def test_texts_that_are_no_numbers_are_refused(text: str) -> None:
    with pytest.raises(Exception, match="decimal"):
        units_of(text, 8)


def test_texts_become_units_exactly() -> None:
    assert [units_of(text, 4) for text in ("0.29", "-0.5", "61800", "1e-3", "5.")] == [
        2900,
        -5000,
        618_000_000,
        10,
        50_000,
    ]
    assert time_ns("2026-08-09T21:05:48.228568804Z") % 10**9 == 228_568_804
    assert time_ns("2026-08-09T21:05:48Z") == time_ns("2026-08-09T21:05:48.000Z")

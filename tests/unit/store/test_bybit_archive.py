"""Archives of Bybit's orderbook.N: read as books, refused where their market or a line is not plain; and other zips that hold no table."""

import json
import zipfile
from pathlib import Path

import pytest
from book_files import book, changes

from lockstep.model.errors import DataError
from lockstep.store.catalog.readers import read_market_data

SENT_MS = 1_733_011_200_691


def line(kind: str, number: int, *, depth: int = 500, symbol: str = "XRPUSDT", price: str = "1.9531") -> str:
    data = {"s": symbol, "b": [[price, "6203"]], "a": [["1.9532", "7"]], "u": number, "seq": 1}
    sent = SENT_MS + number
    return json.dumps(
        {"topic": f"orderbook.{depth}.{symbol}", "type": kind, "ts": sent, "data": data, "cts": sent - 100}
    )


def archive(folder: Path, *lines: str, name: str = "2024-12-01_XRPUSDT_ob500.data") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, "\n".join(lines) + "\n")
    return path


def test_an_archive_is_a_book_at_the_time_its_messages_were_sent(tmp_path: Path) -> None:
    found = book(archive(tmp_path, line("snapshot", 5), line("delta", 6, price="1.9530")))
    assert found.instrument.id == "XRPUSDT.BYBIT-LINEAR"
    assert changes(found)[-2:] == ["SET bid 19530 6203", "SET ask 19532 7 last"]
    (chunk,) = found.chunks()
    assert set(chunk["clock"].tolist()) == {(SENT_MS + 5) * 10**6, (SENT_MS + 6) * 10**6}
    assert (chunk["clock"] == chunk["ts_event"]).all()  # the venue's cts is before anybody could know
    assert any("not when anybody received it" in note for note in found.info.notes)


def test_a_lost_message_of_an_archive_is_a_gap_with_its_line(tmp_path: Path) -> None:
    found = book(archive(tmp_path, line("snapshot", 5), line("delta", 7)))
    assert "STATUS RESYNCING GAP" in changes(found)
    assert any("1 x gaps between changes of the book" in note and "line 2" in note for note in found.info.notes)


@pytest.mark.parametrize(
    ("folder", "symbol", "venue"),
    [
        ("spot", "XRPUSDT", "BYBIT"),
        ("linear", "XRPUSDT", "BYBIT-LINEAR"),
        ("a", "BTCUSD", "BYBIT-INVERSE"),
        ("a", "BTCUSDH25", "BYBIT-INVERSE"),
        ("a", "BTCPERP", "BYBIT-LINEAR"),
    ],
)
def test_the_market_of_an_archive_is_its_folders_or_what_500_levels_mean(
    tmp_path: Path, folder: str, symbol: str, venue: str
) -> None:
    assert book(archive(tmp_path / folder, line("snapshot", 5, symbol=symbol))).instrument.venue == venue


def test_an_archive_that_could_be_of_two_markets_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"orderbook\.200 of XRPUSDT: spot and contracts have it") as raised:
        book(archive(tmp_path, line("snapshot", 5, depth=200)))
    assert "spot, linear or inverse" in raised.value.hint


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (line("delta", 6)[:-40], "line 2 is no message"),
        ('{"topic":"publicTrade.XRPUSDT","type":"snapshot","ts":5}', "line 2 is no message of orderbook.N"),
        (line("delta", 6, price="x"), "line 2: .*'x'"),
        (line("delta", 6).replace('"u": 6', '"v": 6'), "line 2: .*`u`"),
        (line("delta", 6).replace(f'"ts": {SENT_MS + 6}', '"ts": 0'), "line 2 is no message of orderbook.N"),
    ],
)
def test_a_line_of_an_archive_that_is_no_message_is_refused_with_its_number(
    tmp_path: Path, bad: str, says: str
) -> None:
    with pytest.raises(DataError, match=says):
        book(archive(tmp_path, line("snapshot", 5), bad))


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, *(line("snapshot", k) for k in range(500)))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="not a whole zip file"):
        book(path)
    middle = len(whole) // 3
    path.write_bytes(whole[:middle] + bytes(64) + whole[middle + 64 :])
    with pytest.raises(DataError, match=r"cut short or damaged|is no message"):
        book(path)


@pytest.mark.parametrize("kind", [None, "depth"])
def test_a_zip_without_a_table_is_not_said_to_hold_bars(tmp_path: Path, kind: str | None) -> None:
    path = tmp_path / "what.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a.json", "{}")
        packed.writestr("b.json", "{}")
    with pytest.raises(
        DataError, match=r"neither a CSV file nor a recording of a known format inside: it holds 2 files"
    ):
        read_market_data(path, kind=kind)

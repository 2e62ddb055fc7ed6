"""Quotes and trades from Lean's zips and from tables: the rule of the tape, what is counted, what is refused."""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lockstep.model.enums import EventKind
from lockstep.model.errors import DataError, UsageError
from lockstep.model.record import Records
from lockstep.store.catalog.instruments import Wishes
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.readers import read_files, read_market_data

Write = Callable[..., Path]
DAY = "20131007"  # New York was four hours behind UTC
MIDNIGHT = 1_381_118_400 * 10**9
MS = 1_000_000
QUOTES = "timestamp_ms,bid,bid_size,ask,ask_size"
TRADES = "timestamp_ms,price,amount,side,id"


def lean(folder: Path, kind: str, *lines: str, member: str = "") -> Path:
    folder = folder / "equity" / "usa" / "tick" / "ibm"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{DAY}_{kind.lower()}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member or f"{DAY}_ibm_{kind}_Tick.csv", "".join(f"{line}\n" for line in lines))
    return path


def only(path: Path, **wishes: str) -> MarketData:
    (data,) = read_market_data(path, **wishes)  # type: ignore[arg-type]
    return data


def records(data: MarketData) -> Records:
    return np.concatenate(list(data.chunks()))


def quotes_of(data: MarketData) -> list[tuple[int, ...]]:
    """Milliseconds since midnight, bid, ask and their sizes."""
    return [
        ((int(r["ts_event"]) - MIDNIGHT) // MS, *(int(r[p]) for p in ("p0", "p1", "p2", "p3"))) for r in records(data)
    ]


def test_a_bid_line_and_its_ask_line_of_one_millisecond_are_one_quote(tmp_path: Path) -> None:
    path = lean(
        tmp_path, "Quote",
        "100,0,0,1818000,3000,Q,1,0",  # no bid yet: left out
        "200,1812400,200,0,0,P,1,0", "200,0,0,1818000,3000,P,1,0",
        "300,1819000,100,0,0,K,1,0", "300,0,0,1819500,500,N,1,0",  # alone, its bid would cross the ask before it
        "400,1819100,700,0,0,K,1,0",  # a bid alone keeps the ask
        "500,1819200,800,1819600,900,N,1,0",  # both sides on one line
        "600,1,1,0,0,N,1,1",  # suspicious
    )  # fmt: skip
    data = only(path)
    assert quotes_of(data) == [
        (200, 18124, 18180, 200, 3000),
        (300, 18190, 18195, 100, 500),
        (400, 18191, 18195, 700, 500),
        (500, 18192, 18196, 800, 900),
    ]
    assert (data.info.kind, data.instrument.id, data.instrument.price_decimals) == ("quote", "IBM.US", 2)
    notes = " ".join(data.info.notes)
    assert "one quote of the consolidated tape" in notes
    assert "1 lines before both sides were known left out" in notes
    assert "1 lines marked suspicious left out" in notes
    assert "crossed" not in notes
    assert "4 quotes lie outside the hours" in notes


def test_lean_trades_keep_file_order_size_and_time(tmp_path: Path) -> None:
    path = lean(tmp_path, "Trade", "57600000,1815200,283,P,1,0", "57600000,1815201,1,D,1,0", "57600001,1,1,D,1,1")
    data = only(path)
    found = records(data)
    assert found["p0"].tolist() == [1_815_200, 1_815_201]
    assert found["p1"].tolist() == [283, 1]
    assert found["clock"].tolist() == found["ts_event"].tolist() == [MIDNIGHT + 16 * 3600 * 10**9] * 2
    assert found["seq"].tolist() == [0, 1]
    assert set(found["kind"].tolist()) == {EventKind.TRADE}
    assert data.instrument.price_decimals == 4


def test_quotes_and_trades_of_a_folder_share_one_instrument(tmp_path: Path) -> None:
    lean(tmp_path, "Quote", "200,1812400,200,1818000,100,P,1,0")
    folder = lean(tmp_path, "Trade", "300,1815250,283,P,1,0").parent
    quotes, trades = read_market_data(folder, kind="ticks")
    assert quotes.instrument == trades.instrument
    assert quotes.instrument.price_decimals == 3
    assert (quotes.info.kind, trades.info.kind) == ("quote", "trade")
    with pytest.raises(UsageError, match="quotes and trades, no bars") as e:
        read_market_data(folder)
    assert "--kind ticks" in e.value.hint
    with pytest.raises(DataError, match="no bars there"):
        read_market_data(folder, kind="bars")


@pytest.mark.parametrize(
    ("kind", "lines", "message"),
    [
        ("Trade", ["100,1815200,283,P,1,0", "99,1815200,283,P,1,0"], r"line 2 \(IBM\): the clock goes back"),
        ("Trade", ["100,0,283,P,1,0"], r"line 1 \(IBM\): price is not above 0"),
        ("Trade", ["100,1815200,0,P,1,0"], r"line 1 \(IBM\): qty is not above 0"),
        ("Trade", ["100,x,283,P,1,0"], "(line|Line:) 1.*x"),
        ("Trade", ["100,-5,283,P,1,0"], "line 1: price is negative: was -5"),
        ("Trade", ["100,1815200,283,P,1,0", "100,1815200"], "20131007_ibm_Trade_Tick.csv: "),
        ("Trade", ["100,1815200,283,P,1,1"], "no trades"),
        ("Quote", ["100,1815200,1,0,0,P,1,0"], "no quotes"),
        ("Quote", ["100,1815200,1,1815100,1,P,1,0"], "1 of 1 quotes have a bid above their ask"),
    ],
)
def test_broken_lean_ticks_are_named_by_line(kind: str, lines: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        only(lean(tmp_path, kind, *lines))


def test_few_crossed_quotes_are_kept_and_counted(write: Write) -> None:
    rows = [f"{1_514_764_800_000 + k},100,1,{99 if k == 7 else 100 if k == 9 else 101},1" for k in range(100)]
    data = only(write(*rows, name="bitfinex_btcusd.csv", header=QUOTES))
    assert data.info.rows == 100
    assert "1 of 100 quotes crossed (bid above ask), 1 locked: kept" in data.info.notes


def test_a_table_of_trades_is_read_exactly(write: Write) -> None:
    header = "timestamp_ms,local_timestamp_us,price,amount,side,id"
    rows = [
        "1514764800000,1514764800000123,97000.10,0.00000001,buy,5",
        "1514764800000,1514764800000124,97000.2,12.5,Sell,6",
    ]
    data = only(write(*rows, name="bitfinex_btcusd.csv.gz", header=header))
    found = records(data)
    assert (data.instrument.price_decimals, data.instrument.qty_decimals) == (1, 8)
    assert found["p0"].tolist() == [970_001, 970_002]
    assert found["p1"].tolist() == [1, 1_250_000_000]
    assert found["p2"].tolist() == [5, 6]
    assert found["aux"].tolist() == [3, 1]
    assert found["ts_event"].tolist() == [1_514_764_800 * 10**9] * 2
    assert found["clock"].tolist() == [1_514_764_800_000_123_000, 1_514_764_800_000_124_000]


def test_a_seller_crossed_where_the_buyer_had_rested(write: Write) -> None:
    header = "trade_id,price,qty,time,is_buyer_maker"
    data = only(
        write("1,5,1,1514764800000,True", "2,5,1,1514764800000,false", name="binance_btcusdt.csv", header=header)
    )
    assert records(data)["aux"].tolist() == [1, 3]


def test_quotes_without_a_side_are_left_out_and_counted(write: Write) -> None:
    rows = ["1514764800000,,0,101,1", "1514764800001,100,1,101,1", "1514764800002,100,1,0,0"]
    data = only(write(*rows, name="bitfinex_btcusd.csv", header=QUOTES))
    assert data.info.rows == 1
    assert "2 quotes without a bid or an ask left out" in data.info.notes


def test_a_table_of_several_symbols_becomes_one_history_each(write: Write) -> None:
    header = "symbol,timestamp_ms,price,size"
    path = write("b,1514764800000,5,1", "a,1514764800000,6.5,1", "b,1514764800001,7,2", name="x.csv", header=header)
    a, b = read_market_data(path)
    assert [(one.instrument.symbol, one.info.rows, one.instrument.price_decimals) for one in (a, b)] == [
        ("A", 1, 1), ("B", 2, 0),
    ]  # fmt: skip
    assert only(path, symbols=["b"]).info.rows == 2  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no symbol 'c'"):
        only(path, symbols=["c"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["1514764800000,5,1,buy,1", "1514764799999,5,1,buy,2"], r"line 3 \(BTCUSD\): the clock goes back"),
        (["1514764800000,five,1,buy,1"], "line 2: price is not readable like those above it: 'five'"),
        (["1514764800000,,1,buy,1"], "line 2: price is empty"),
        (["1514764800000,5,1,buy,1", "1514764800000,5,1,maybe,2"], "line 3: side is not readable .* 'maybe'"),
        (["1514764800000,5,1,buy,1", "noon,5,1,buy,2"], "line 3: ts_event is not readable .* 'noon'"),
        (["1514764800000,-5,1,buy,1"], r"line 2 \(BTCUSD\): price is not above 0: was -5"),
        (["1514764800000,5,0,buy,1"], r"line 2 \(BTCUSD\): qty is not above 0: was 0"),
        (["1514764800000,0.1234567890123456,1,buy,1"], "line 2: a value has 16 decimals, limit 15"),
        (["1514764800000,5,1,buy,1", "1514764800000,5"], "bitfinex_btcusd.csv: "),
        (["2018-01-01,5,1,buy,1"], "is a day: ticks need the time of day"),
    ],
)
def test_broken_rows_of_a_table_are_named_by_line_and_value(rows: list[str], message: str, write: Write) -> None:
    with pytest.raises(DataError, match=message):
        only(write(*rows, name="bitfinex_btcusd.csv", header=TRADES))


def test_columns_of_two_kinds_are_refused_where_nothing_may_be_assumed(write: Write) -> None:
    header = "timestamp_ms,bid,bid_size,ask,ask_size,price,size"
    path = write("1514764800000,5,1,6,1,5.5,2", name="bitfinex_btcusd.csv", header=header)
    with pytest.raises(UsageError, match="ambiguous: its columns are those of quotes and of trades") as e:
        read_files(path, wishes=Wishes(strict=True))
    assert e.value.hint == "say which with --kind quotes or --kind trades"
    assert [one.info.kind for one in read_files(path, wishes=Wishes(strict=True), kind="ticks")] == ["quote", "trade"]


def test_times_without_a_zone_are_read_in_the_zone_that_is_said(write: Write) -> None:
    path = write("2018-01-02 09:30:00.123456,5,1,,1", name="x.csv", header="time,price,qty,side,id")
    with pytest.raises(UsageError, match="times have no zone"):
        read_files(path, wishes=Wishes(strict=True))
    (data,) = read_files(path, wishes=Wishes(strict=True, zone="America/New_York", symbol="AAPL", venue="XNAS"))
    assert data.instrument.id == "AAPL.XNAS"
    assert records(data)["clock"].tolist() == [1_514_903_400_123_456_000]
    epoch = write("1514764800,5,1,,1", name="y.csv", header="time,price,qty,side,id")
    with pytest.raises(UsageError, match="say their zone themselves"):
        read_files(epoch, wishes=Wishes(zone="UTC"))
    (data,) = read_files(epoch, wishes=Wishes(time_unit="ms"))
    assert records(data)["clock"].tolist() == [1_514_764_800_000_000]


def test_a_cut_file_of_ticks_is_refused(tmp_path: Path, write: Write) -> None:
    path = lean(tmp_path, "Trade", *(f"{k},1815200,{k + 1},P,1,0" for k in range(5000)))
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DataError, match="not a whole zip file"):
        only(path)
    packed = write("1514764800000,5,1,buy,1", name="t.csv.gz", header=TRADES)
    packed.write_bytes(gzip.compress(b"timestamp_ms,price,amount\n1514764800000,5,1\n" * 500)[:-20])
    with pytest.raises(DataError, match="cut short"):
        only(packed)


def test_crypto_ticks_of_lean_are_refused_rather_than_misread(tmp_path: Path) -> None:
    folder = tmp_path / "crypto" / "coinbase" / "tick" / "btcusd"
    folder.mkdir(parents=True)
    path = folder / f"{DAY}_trade.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{DAY}_btcusd_Trade_Tick.csv", "100,5,1\n")
    with pytest.raises(DataError, match="only those of US equities"):
        only(path)

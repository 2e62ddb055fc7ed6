import gzip
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pytest

from lockstep.model.enums import AssetClass, EventKind
from lockstep.model.errors import DataError, UsageError
from lockstep.model.fees import FeeSchedule
from lockstep.model.record import MARKET_EVENT, Records
from lockstep.store.catalog.market_data import CHUNK_ROWS, MarketData
from lockstep.store.catalog.readers import read_market_data

Write = Callable[..., Path]
HEADER = "timestamp_ms,open,high,low,close,volume"
ROWS = [
    "1514764800000,13763.0,13788.0,13752.18233851,13753.0,5.13326771",
    "1514764860000,13763.0,13773.0,13741.0,13772.0,15.53608162",
    "1514764920000,13772.0,13773.0,13760.0,13771.0,4.0",
    "1514764980000,13770.0,13772.0,13760.0,13768.0,2.5",
    "1514765040000,13768.0,13772.0,13761.0,13763.0,1.25",
]

MINUTE = 60_000_000_000


def everything(data: MarketData) -> Records:
    return np.concatenate(list(data.chunks()))


def only(path: Path, **wishes: object) -> MarketData:
    (data,) = read_market_data(path, **wishes)  # type: ignore[arg-type]
    return data


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def test_csv_bars_are_known_at_their_end_and_exact(write: Write) -> None:
    data = only(write(*ROWS))
    records = everything(data)
    assert records.dtype == MARKET_EVENT
    assert records["ts_open"].tolist() == [1514764800000000000 + i * MINUTE for i in range(5)]
    assert (records["ts_event"] == records["ts_open"] + MINUTE).all()
    assert (records["clock"] == records["ts_event"]).all()
    assert records["seq"].tolist() == list(range(5))
    assert set(records["kind"].tolist()) == {EventKind.BAR}
    assert data.instrument.price_decimals == 8
    assert records["p2"][0] == 1375218233851
    assert records["volume"].tolist() == [5.13326771, 15.53608162, 4.0, 2.5, 1.25]


def test_instrument_is_named_after_the_file_and_says_what_was_assumed(write: Write) -> None:
    data = only(write(*ROWS))
    instrument = data.instrument
    assert (instrument.id, instrument.asset_class) == ("BTCUSD.BITFINEX", AssetClass.CRYPTO)
    assert (instrument.base_currency, instrument.quote_currency) == ("BTC", "USD")
    assert (instrument.session.name, instrument.qty_decimals) == ("24/7", 8)
    assert instrument.fees.taker == Decimal("0.001")
    assert any("crypto venue" in note for note in data.info.notes)
    assert any("epoch ms" in note for note in data.info.notes)


def test_given_facts_win_over_inferred_ones(write: Write) -> None:
    fees = FeeSchedule(flat=Decimal(1))
    data = only(write(*ROWS), asset_class="fx", session="weekdays", fees=fees, currency="eur")
    assert data.instrument.asset_class is AssetClass.FX
    assert data.instrument.session.name == "weekdays"
    assert data.instrument.fees == fees
    assert data.instrument.quote_currency == "EUR"


@pytest.mark.parametrize(("asset_class", "session", "word"), [("equty", None, "equity"), (None, "XNYSE", "XNYS")])
def test_unknown_asset_class_or_session_is_refused_with_the_closest(
    write: Write, asset_class: str | None, session: str | None, word: str
) -> None:
    with pytest.raises(UsageError) as e:
        read_market_data(write(*ROWS), asset_class=asset_class, session=session)
    assert word in e.value.hint


@pytest.mark.parametrize(
    ("header", "times"),
    [
        ("time", ["1514764800", "1514764860"]),
        ("timestamp", ["1514764800000", "1514764860000"]),
        ("TIMESTAMP_US", ["1514764800000000", "1514764860000000"]),
        ("timestamp_ns", ["1514764800000000000", "1514764860000000000"]),
        ("Date", ["2018-01-01T00:00:00Z", "2018-01-01T00:01:00Z"]),
        ("datetime", ["2018-01-01 01:00:00+01:00", "2018-01-01 01:01:00+01:00"]),
        ("timestamp", ["2018-01-01 00:00:00.000000", "2018-01-01 00:01:00.000000"]),
        ("close_time", ["2018-01-01T00:01:00Z", "2018-01-01T00:02:00Z"]),
        ("", ["2018-01-01 00:00", "2018-01-01 00:01"]),
    ],
)
def test_every_form_of_time_gives_the_same_records(write: Write, header: str, times: list[str]) -> None:
    rows = [f"{time},1.5,2,1,1.25,10" for time in times]
    data = only(write(*rows, header=f"{header},Open,High,Low,Close,Volume"))
    assert everything(data)["ts_open"].tolist() == [1514764800000000000, 1514764860000000000]
    assert everything(data)["p0"].tolist() == [150, 150]


def test_mixed_zones_are_converted_row_by_row(write: Write) -> None:
    rows = ["2018-01-01T00:00:00Z,1,1,1,1,1", "2018-01-01T02:01:00+02:00,1,1,1,1,1"]
    assert np.diff(everything(only(write(*rows, header="time,open,high,low,close,volume")))["clock"]).tolist() == [
        MINUTE
    ]


def test_time_without_zone_among_zoned_ones_is_refused(write: Write) -> None:
    rows = ["2018-01-01T00:00:00Z,1,1,1,1,1", "2018-01-01T00:01:00,1,1,1,1,1"]
    with pytest.raises(DataError, match="line 3: time is not a time like those above it: '2018-01-01T00:01:00'"):
        read_market_data(write(*rows, header="time,open,high,low,close,volume"))


def test_zoned_time_among_naive_ones_is_refused(write: Write) -> None:
    rows = ["2018-01-01 00:00:00,1,1,1,1,1", "2018-01-01 00:01:00+05:00,1,1,1,1,1"]
    with pytest.raises(DataError, match="line 3: time is not a time"):
        read_market_data(write(*rows, header="time,open,high,low,close,volume"))


def test_daily_dates_are_stamped_with_the_session(write: Write) -> None:
    rows = ["2013-03-07,1,1,1,1,1", "2013-03-08,1,1,1,1,1", "2013-03-11,1,1,1,1,1"]  # the clocks change on the 10th
    path = write(*rows, name="ibm.csv", header="Date,Open,High,Low,Close,Volume")
    records = everything(only(path, asset_class="equity"))
    assert records["ts_open"].tolist() == [ns("2013-03-07T14:30"), ns("2013-03-08T14:30"), ns("2013-03-11T13:30")]
    assert records["clock"].tolist() == [ns("2013-03-07T21:00"), ns("2013-03-08T21:00"), ns("2013-03-11T20:00")]
    always = everything(only(path, session="24/7"))
    assert always["clock"].tolist() == [ns("2013-03-08T00:00"), ns("2013-03-09T00:00"), ns("2013-03-12T00:00")]


def test_saturday_bars_make_it_crypto_and_weekdays_an_equity(write: Write) -> None:
    header = "date,open,high,low,close,volume"
    friday, saturday, monday = (f"{day},1,1,1,1,1" for day in ("2013-03-08", "2013-03-09", "2013-03-11"))
    assert only(write(friday, saturday, name="x.csv", header=header)).instrument.session.name == "24/7"
    weekdays = only(write(friday, monday, name="x.csv", header=header))
    assert (weekdays.instrument.session.name, weekdays.info.gaps) == ("weekdays", 0)
    assert weekdays.instrument.asset_class is AssetClass.EQUITY


def test_two_fiat_currencies_make_a_currency_pair(write: Write) -> None:
    rows = [
        "2017-04-19 09:00:00,1.0716,1.0722,1.07083,1.07219,1413",
        "2017-04-19 10:00:00,1.07214,1.07296,1.07214,1.0726,1400",
    ]
    data = only(write(*rows, name="EURUSD.csv", header=",Open,High,Low,Close,Volume"))
    assert data.instrument.asset_class is AssetClass.FX
    assert (data.instrument.base_currency, data.instrument.quote_currency) == ("EUR", "USD")
    assert data.info.bar_ns == 60 * MINUTE
    assert "times have no zone: read as UTC" in data.info.notes


def test_symbols_of_one_file_are_told_apart_and_sorted(write: Write) -> None:
    rows = [
        "2013-02-08,MSFT,27.35,27.71,27.31,27.55,33318306",
        "2013-02-08,A,45.07,45.35,45.0,45.08,1824755",
        "2013-02-11,MSFT,27.65,27.92,27.5,27.86,32247549",
        "2013-02-11,A,45.17,45.18,44.45,44.6,2915405",
    ]
    path = write(*rows, name="two.csv", header="date,symbol,open,high,low,close,volume")
    first, second = read_market_data(path)
    assert [first.instrument.symbol, second.instrument.symbol] == ["A", "MSFT"]
    assert everything(second)["p3"].tolist() == [2755, 2786]
    assert [one.instrument.symbol for one in read_market_data(path, symbols=["msft"])] == ["MSFT"]
    with pytest.raises(DataError, match="no symbol 'MSFF'") as e:
        read_market_data(path, symbols=["MSFF"])
    assert "MSFT" in e.value.hint


def test_symbols_with_different_decimals_keep_their_own(write: Write) -> None:
    rows = ["2013-02-08,A,45,46,44,45.125,1", "2013-02-08,B,1.5,1.5,1.5,1.50,1"]
    a, b = read_market_data(write(*rows, name="x.csv", header="date,symbol,open,high,low,close,volume"))
    assert (a.instrument.price_decimals, b.instrument.price_decimals) == (3, 1)
    assert (everything(a)["p3"][0], everything(b)["p3"][0]) == (45125, 15)


def bad(line: int, text: str) -> list[str]:
    return [*ROWS[: line - 2], text, *ROWS[line - 2 :]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([ROWS[0], ROWS[2], ROWS[1]], r"line 4 \(BTCUSD\): time 2018-01-01T00:01:00Z comes after 2018-01-01T00:02:00Z"),
        ([ROWS[0], ROWS[1], ROWS[1]], r"line 4 \(BTCUSD\): time 2018-01-01T00:01:00Z appears twice"),
        (bad(3, "1514764830000,,1,1,1,1"), r"line 3: open is empty at 2018-01-01T00:00:30Z"),
        (bad(3, "1514764830000,1,NaN,1,1,1"), r"line 3: high is not a number .*'NaN'"),
        (bad(3, "1514764830000,1,1,inf,1,1"), r"line 3: low is not a number .*'inf'"),
        (bad(3, "1514764830000,1,1,1,abc,1"), r"line 3: close is not a number .*'abc'"),
        (bad(3, "1514764830000,1,1,1,1,nan"), r"line 3 \(BTCUSD\): volume is not a finite number: was nan"),
        (bad(3, "1514764830000,1,1,1,1,-5"), r"line 3 \(BTCUSD\): volume is negative: was -5"),
        (bad(3, "1514764830000,1,1,1,1,"), r"line 3: volume is empty"),
        (bad(3, "1514764830000,-1,1,-1,1,1"), r"line 3 \(BTCUSD\): open is not above 0: was -1\.00000000"),
        (bad(3, "1514764830000,0,1,0,1,1"), r"line 3 \(BTCUSD\): open is not above 0"),
        (bad(3, "noon,1,1,1,1,1"), r"line 3: time is not a time like those above it: 'noon'"),
        (bad(3, ",1,1,1,1,1"), r"line 3: time is empty"),
        (bad(3, "1514764830000,5,4,6,5,1"), r"1 row with high below low.*line 3 \(2018-01-01T00:00:30Z: open 5\."),
        (bad(3, "1514764830000,9,6,4,5,1"), r"1 row with high below low, or open or close outside them"),
        (bad(3, "1514764830000,1,1,1,1.0000000000000001,1"), r"line 3: a price is finer than 15 decimals"),
        (bad(3, "1514764830000,123456789.5,123456789.5,1,1,1"), r"line 3 .*open is above 2\*\*53 units"),
        (bad(3, "1514764830000,1234567890123,1,1,1,1"), r"line 3: open is not a number that can be kept exactly"),
        (bad(3, "1514764830000,1,1,1"), r"[Ee]xpected"),
        (bad(3, "1514764830000,1,1,1,1,1,1"), r"[Ee]xpected"),
        ([], "no rows"),
    ],
)
def test_broken_rows_are_refused_by_line_fact_and_value(write: Write, rows: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_market_data(write(*rows))


def test_several_impossible_ranges_are_counted_and_the_first_shown(write: Write) -> None:
    rows = [f"{1514764800000 + i * 60000},9,6,4,5,1" for i in range(5)]
    with pytest.raises(DataError, match="5 rows with") as e:
        read_market_data(write(*rows))
    assert str(e.value).count("line ") == 3
    assert "delete" in e.value.hint


@pytest.mark.parametrize(
    ("header", "message", "hint"),
    [
        (
            "timestamp,open,high,low,clsoe,volume",
            "no column 'close'; the columns are timestamp, open",
            "did you mean 'clsoe'?",
        ),
        ("open,high,low,close,volume,x", "no time column", "timestamp, time, date"),
        ("timestamp,date,open,high,low,close,volume", "ambiguous time: columns 'timestamp' and 'date'", "keep"),
        ("timestamp,open,high,low,close,close,volume", "column 'close' appears twice", "keep"),
        ("1514764800000,1,1,1,1,5", "the first line holds no column names", "timestamp,open"),
        ("timestamp,open,high,low,Adj Close,volume", "no column 'close'", "adj close"),
    ],
)
def test_wrong_columns_are_refused_with_advice(write: Write, header: str, message: str, hint: str) -> None:
    count = header.count(",")
    with pytest.raises(DataError, match=message) as e:
        read_market_data(write("1514764800000" + ",1" * count, header=header))
    assert hint in e.value.hint


def test_day_first_dates_are_refused_as_ambiguous(write: Write) -> None:
    with pytest.raises(DataError, match="ambiguous date '03/04/2013'"):
        read_market_data(write("03/04/2013,1,1,1,1,1", header="date,open,high,low,close,volume"))


def test_bars_longer_than_a_day_are_refused(write: Write) -> None:
    rows = [f"2013-03-{day:02d},1,1,1,1,1" for day in (1, 8, 15)]
    with pytest.raises(DataError, match="bars of 7 days"):
        read_market_data(write(*rows, header="date,open,high,low,close,volume"))


def test_single_intraday_bar_is_refused_as_its_length_is_unknown(write: Write) -> None:
    with pytest.raises(DataError, match="a single bar"):
        read_market_data(write("1514764830000,1,1,1,1,1"))


@pytest.mark.parametrize("name", ["bars.csv.gz", "bars.parquet", "bars.zip"])
def test_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("hello,world\n")
    with pytest.raises(DataError, match="not a "):
        read_market_data(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="the file is empty"):
        read_market_data(path)


@pytest.mark.parametrize("kind", ["csv.gz", "parquet", "zip"])
def test_truncated_file_is_refused(tmp_path: Path, write: Write, kind: str) -> None:
    whole = write(*ROWS, name="btcusd.csv")
    path = tmp_path / f"x.{kind}"
    if kind == "csv.gz":
        path.write_bytes(gzip.compress(whole.read_bytes()))
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(whole, "btcusd.csv")
    else:
        duckdb.execute(f"COPY (FROM read_csv('{whole}')) TO '{path}' (FORMAT parquet)")
    assert len(read_market_data(path)) == 1
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"cut short|not a whole"):
        read_market_data(path)


def test_missing_file_and_unknown_name_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_HOME", str(tmp_path))
    with pytest.raises(DataError, match="no such file"):
        read_market_data("nowhere/bars.csv")
    with pytest.raises(DataError, match="no such file"):
        read_market_data(tmp_path / "bars.csv")
    with pytest.raises(UsageError, match="unknown data set 'us_stoks'") as e:
        read_market_data("us_stoks")
    assert "us_stocks" in e.value.hint


def test_range_is_by_the_start_of_the_bar_and_an_empty_one_names_the_data(write: Write) -> None:
    data = only(write(*ROWS))
    start = data.info.first_ns + MINUTE
    chosen = np.concatenate(list(data.chunks(start, start + 2 * MINUTE)))
    assert chosen["ts_open"].tolist() == [start, start + MINUTE]
    assert data.count(start, start + 2 * MINUTE) == 2
    with pytest.raises(DataError, match="no data from 2018-02-01T00:00:00Z to the end") as e:
        data.chunks(ns("2018-02-01T00:00"))
    assert e.value.hint == "the data runs from 2018-01-01T00:00:00Z to 2018-01-01T00:05:00Z"


def test_hash_is_of_the_content_not_of_the_format(write: Write, tmp_path: Path) -> None:
    plain = write(*ROWS)
    parquet, doubles = tmp_path / "p.parquet", tmp_path / "d.parquet"
    duckdb.execute(f"COPY (FROM read_csv('{plain}', all_varchar=true)) TO '{parquet}' (FORMAT parquet)")
    typed = "timestamp_ms, open::DOUBLE AS open, high::DOUBLE high, low::DOUBLE low, close::DOUBLE AS close, volume"
    duckdb.execute(f"COPY (SELECT {typed} FROM read_csv('{plain}')) TO '{doubles}' (FORMAT parquet)")  # noqa: S608 - our own columns
    hashes = {only(path).info.content_hash for path in (plain, write(*ROWS, name="bitfinex_btcusd.csv.gz"))}
    hashes |= {only(path, asset_class="crypto").info.content_hash for path in (parquet, doubles)}
    assert len(hashes) == 1
    changed = write(*ROWS[:-1], ROWS[-1].replace("13761.0", "13761.00000001"), name="bitfinex_btcusd_2.csv")
    assert only(changed).info.content_hash not in hashes


def test_gaps_are_holes_in_session_time(write: Write) -> None:
    data = only(write(ROWS[0], ROWS[1], ROWS[4], f"{1514765040000 + 600000},1,1,1,1,1"))
    assert (data.info.gaps, data.info.longest_gap_ns) == (2, 9 * MINUTE)


def test_missing_weekdays_count_as_a_gap_only_beyond_four_days(write: Write) -> None:
    header = "date,open,high,low,close,volume"

    def gaps(*days: str) -> tuple[int, int]:
        path = write(*(f"{day},1,1,1,1,1" for day in days), name="x.csv", header=header)
        info = only(path, asset_class="equity").info
        return info.gaps, info.longest_gap_ns // (60 * MINUTE)

    assert gaps("2001-09-06", "2001-09-07", "2001-09-10", "2001-09-11") == (0, 0)
    assert gaps("2012-08-30", "2012-08-31", "2012-09-04", "2012-09-05") == (0, 0)  # Labor Day
    assert gaps("2001-09-07", "2001-09-10", "2001-09-17", "2001-09-18") == (1, 26)  # four sessions of 6.5 hours


def test_folder_of_files_joins_parts_of_one_symbol(write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    whole = only(write(*ROWS)).info.content_hash
    for name, rows in (("bitfinex_btcusd_1.csv", ROWS[:2]), ("bitfinex_btcusd_2.csv", ROWS[2:])):
        (folder / name).write_text("\n".join([HEADER, *rows]))
    assert only(folder).info.content_hash == whole
    (folder / "bitfinex_btcusd_3.csv").write_text("\n".join([HEADER, ROWS[0]]))
    with pytest.raises(DataError, match=r"bitfinex_btcusd_3\.csv: line 2 .*not sorted"):
        read_market_data(folder)


def test_chunks_are_bounded_fresh_and_repeatable(write: Write) -> None:
    rows = [f"{1514764800000 + i * 60000},1,1,1,1,{i}" for i in range(CHUNK_ROWS * 2 + 5)]
    data = only(write(*rows))
    chunks = list(data.chunks())
    assert [len(chunk) for chunk in chunks] == [CHUNK_ROWS, CHUNK_ROWS, 5]
    chunks[0]["volume"] = -1.0
    again = np.concatenate(list(data.chunks()))
    assert again["volume"].tolist() == [float(i) for i in range(len(rows))]
    assert again["seq"].tolist() == list(range(len(rows)))


def test_symbol_column_with_an_empty_cell_is_refused(write: Write) -> None:
    rows = ["2013-02-08,A,1,1,1,1,1", "2013-02-11,,1,1,1,1,1"]
    with pytest.raises(DataError, match="line 3: symbol is empty"):
        read_market_data(write(*rows, header="date,symbol,open,high,low,close,volume"))

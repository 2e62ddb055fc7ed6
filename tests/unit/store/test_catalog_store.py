"""What goes into the catalog comes out of it, unit for unit; what does not fit is refused, and nothing has changed."""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockstep.model.enums import AssetClass, EventKind
from lockstep.model.errors import DataError, UsageError
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import UNITS_MAX
from lockstep.model.record import Records
from lockstep.store.catalog.catalog import Catalog
from lockstep.store.catalog.encode import BarEncoder, Window
from lockstep.store.catalog.gaps import SessionHours
from lockstep.store.catalog.market_data import MarketData, Spool
from lockstep.store.catalog.readers import read_market_data
from lockstep.store.catalog.shapes import BARS, QUOTES, TRADES, Shape
from lockstep.store.catalog.ticks import TickEncoder
from lockstep.store.catalog.vault.merge import merged
from lockstep.store.catalog.vault.names import folder_of, id_of
from lockstep.store.catalog.vault.parts import metadata_of, read_part

Write = Callable[..., Path]
MINUTE = 60 * 10**9
DAY = 1440 * MINUTE
T0 = 1_514_764_800 * 10**9  # 2018-01-01
COIN = Instrument(
    venue="TEST", symbol="BTCUSD", asset_class=AssetClass.CRYPTO, base_currency="BTC", quote_currency="USD",
    price_decimals=2, qty_decimals=3,
)  # fmt: skip


def everything(data: MarketData) -> Records:
    return np.concatenate(list(data.chunks()))


def bars(opens: list[int], prices: list[int], instrument: Instrument = COIN) -> MarketData:
    """One-minute bars that open at these times, flat at these prices."""
    hours = SessionHours(instrument.session, T0, T0 + DAY)
    encoder = BarEncoder(instrument, Spool(), hours, MINUTE, None, lambda row: f"row {row}")
    ts, price = np.array(opens, np.int64), np.array(prices, np.int64)
    flat = np.column_stack([price] * 4)
    encoder.add(Window(start=0, ts_open=ts, ts_event=ts + MINUTE, prices=flat, volume=np.ones(len(ts))))
    return encoder.finish("made", ["a note"])


def ticks(shape: Shape, clock: list[int], rows: dict[str, list[int]], instrument: Instrument = COIN) -> MarketData:
    encoder = TickEncoder(shape, instrument, Spool(), None, lambda row: f"row {row}")
    columns = {name: np.array(values, shape.dtype(name)) for name, values in rows.items()}
    ts = np.array(clock, np.int64)
    encoder.add(0, {"ts_event": ts - 5, "ts_recv": ts, **columns})
    return encoder.finish("made", [])


def quotes(clock: list[int], bid: int = 100, instrument: Instrument = COIN) -> MarketData:
    n = len(clock)
    rows = {"bid": [bid] * n, "ask": [bid + 1] * n, "bid_qty": [7] * n, "ask_qty": list(range(n))}
    return ticks(QUOTES, clock, rows, instrument)


def trades(clock: list[int], instrument: Instrument = COIN) -> MarketData:
    n = len(clock)
    rows = {
        "price": [100] * n,
        "qty": [3] * n,
        "trade_id": list(range(n)),
        "side": [(-1, 0, 1)[i % 3] for i in range(n)],
    }
    return ticks(TRADES, clock, rows, instrument)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(tmp_path / "home")


UNITS = st.integers(1, UNITS_MAX)
STEPS = st.lists(st.integers(0, 20 * 86_400 * 10**9), min_size=1, max_size=40)


@settings(max_examples=25)
@given(st.data(), STEPS)
def test_trades_and_quotes_come_back_unit_for_unit_and_in_file_order(data: st.DataObject, steps: list[int]) -> None:
    clock = (T0 + np.cumsum(steps)).tolist()
    n = len(clock)

    def column(values: st.SearchStrategy[int]) -> list[int]:
        return data.draw(st.lists(values, min_size=n, max_size=n))

    bid = column(st.integers(1, UNITS_MAX - 1))
    stored = [
        ticks(
            QUOTES, clock, {"bid": bid, "ask": [b + 1 for b in bid], "bid_qty": column(UNITS), "ask_qty": column(UNITS)}
        ),
        ticks(
            TRADES,
            clock,
            {
                "price": column(UNITS),
                "qty": column(UNITS),
                "trade_id": column(UNITS),
                "side": column(st.integers(-1, 1)),
            },
        ),
    ]
    with tempfile.TemporaryDirectory() as folder:
        catalog = Catalog(Path(folder))
        catalog.vault.put(stored)
        found = catalog.histories(["BTCUSD"], "ticks")
        for before, after in zip(stored, found, strict=True):
            assert np.array_equal(everything(before), everything(after))
            assert before.info.content_hash == after.info.content_hash
        assert len(catalog.get_quotes("BTCUSD.TEST")) == n
        assert sum(len(part) for part in catalog.iter_trades("btcusd")) == n
        middle = clock[n // 2]
        early = catalog.get_trades("BTCUSD", None, middle)
        late = catalog.get_trades("BTCUSD", middle)
        assert len(early) + len(late) == n
        assert (early.ts_recv < middle).all()
        assert (late.ts_recv >= middle).all()


@settings(max_examples=25)
@given(st.lists(st.integers(1, 60_000), min_size=1, max_size=30), st.data())
def test_any_range_of_bars_counts_and_gives_what_the_spool_does(steps: list[int], data: st.DataObject) -> None:
    opens = (T0 + np.cumsum(steps) * MINUTE).tolist()
    made = bars(opens, data.draw(st.lists(UNITS, min_size=len(opens), max_size=len(opens))))
    edges = [None, *opens, *(t + 1 for t in opens)]
    start, end = data.draw(st.sampled_from(edges)), data.draw(st.sampled_from(edges))
    with tempfile.TemporaryDirectory() as folder:
        catalog = Catalog(Path(folder))
        catalog.vault.put([made])
        (found,) = catalog.histories(["BTCUSD"])
        assert found.count(start, end) == made.count(start, end)
        if made.count(start, end):
            expected = np.concatenate(list(made.chunks(start, end)))
            assert np.array_equal(np.concatenate(list(found.chunks(start, end))), expected)


@given(st.text(min_size=1, max_size=20))
def test_any_id_has_a_folder_of_its_own_inside_the_catalog(instrument_id: str) -> None:
    try:
        folder = folder_of(instrument_id)
    except (DataError, UnicodeEncodeError):
        return
    assert id_of(folder) == instrument_id
    assert "/" not in folder
    assert "\\" not in folder
    assert not folder.startswith(".")
    assert "\0" not in folder
    assert folder.upper() != folder_of(instrument_id.lower()).upper() or instrument_id.lower() == instrument_id


@pytest.mark.parametrize("folder", ["%2E", "%zz", "a", "..", "", "%ff"])
def test_a_folder_that_no_id_gives_is_refused(folder: str) -> None:
    with pytest.raises(DataError, match="not the folder"):
        id_of(folder)


def test_an_instrument_with_slashes_in_its_name_stays_inside_the_catalog(catalog: Catalog) -> None:
    odd = Instrument(
        venue="TEST", symbol="../../EUR/USD", asset_class=AssetClass.FX, base_currency="EUR", quote_currency="USD",
        price_decimals=2, qty_decimals=3,
    )  # fmt: skip
    catalog.vault.put([bars([T0], [5], odd)])
    assert [path.name for path in sorted(catalog.home.iterdir())] == ["catalog"]
    assert len(catalog.get_bars("../../EUR/USD")) == 1


def test_bars_lie_by_month_ticks_by_day_and_say_what_they_are(catalog: Catalog) -> None:
    catalog.vault.put([bars([T0, T0 + 31 * DAY], [5, 6]), trades([T0, T0 + DAY - 1, T0 + DAY])])
    entry = catalog.vault.find("BTCUSD")
    assert [part.period for part in entry.series["bars-1m"].parts] == ["2018-01", "2018-02"]
    assert [(part.period, part.rows) for part in entry.series["trades"].parts] == [("2018-01-01", 2), ("2018-01-02", 1)]
    series = entry.series["trades"]
    meta = metadata_of(catalog.vault.db, entry.path_of(catalog.vault.home, series, series.parts[0]))
    assert (meta["rows"], meta["price_decimals"], meta["qty_decimals"], meta["schema_version"]) == (2, 2, 3, 1)
    assert meta["content_hash"] == series.parts[0].content_hash
    assert catalog.vault.check() == (4, [])


def test_the_same_rows_again_change_nothing(catalog: Catalog) -> None:
    data = [bars([T0, T0 + MINUTE], [5, 6]), quotes([T0, T0, T0 + 1])]
    catalog.vault.put(data)
    before = catalog.vault.root()
    again = catalog.vault.put(data)
    assert [(one.added, one.same, one.files) for one in again.stored] == [(0, 2, 0), (0, 3, 0)]
    assert catalog.vault.root() == before


def test_rows_before_and_after_what_is_stored_are_added(catalog: Catalog) -> None:
    opens = [T0 + k * MINUTE for k in range(6)]
    catalog.vault.put([bars(opens[2:4], [12, 13])])
    (one,) = catalog.vault.put([bars(opens, [10, 11, 12, 13, 14, 15])]).stored
    assert (one.added, one.same, one.rows) == (4, 2, 6)
    assert catalog.get_bars("BTCUSD").units("close").tolist() == [10, 11, 12, 13, 14, 15]


@pytest.mark.parametrize(
    ("opens", "prices"),
    [
        ([T0, T0 + MINUTE, T0 + 2 * MINUTE], [10, 99, 12]),  # another price
        ([T0, T0 + 2 * MINUTE], [10, 12]),  # one that is stored is missing
        ([T0, T0 + MINUTE, T0 + 90 * 10**9], [10, 11, 12]),  # one more in between
    ],
)
def test_other_rows_for_a_stored_period_are_refused_unless_replaced(
    catalog: Catalog, opens: list[int], prices: list[int]
) -> None:
    stored = [T0 + k * MINUTE for k in range(4)]
    catalog.vault.put([bars(stored, [10, 11, 12, 13])])
    with pytest.raises(DataError, match=r"BTCUSD\.TEST bars-1m 2018-01: what is stored .* differs: stored .*, new "):
        catalog.vault.put([bars(opens, prices)])
    assert catalog.get_bars("BTCUSD").units("close").tolist() == [10, 11, 12, 13]
    (one,) = catalog.vault.put([bars(opens, prices)], replace=True).stored
    found = catalog.get_bars("BTCUSD")
    assert found.ts_open.tolist() == [*opens, *(t for t in stored if t > opens[-1])]
    assert found.units("close").tolist()[: len(prices)] == prices
    assert one.replaced >= 2


def test_finer_decimals_are_refused_with_both_numbers_and_rewritten_with_replace(catalog: Catalog) -> None:
    fine = Instrument(
        venue="TEST", symbol="BTCUSD", asset_class=AssetClass.CRYPTO, base_currency="BTC", quote_currency="USD",
        price_decimals=4, qty_decimals=3,
    )  # fmt: skip
    catalog.vault.put([bars([T0], [1050]), quotes([T0])])
    with pytest.raises(DataError, match="price_decimals 2 stored, 4 needed"):
        catalog.vault.put([bars([T0 + MINUTE], [105_001], fine)])
    assert catalog.vault.find("BTCUSD").instrument.price_decimals == 2
    catalog.vault.put([bars([T0 + MINUTE], [105_001], fine)], replace=True)
    assert catalog.get_bars("BTCUSD").close.tolist() == [10.5, 10.5001]
    assert catalog.get_bars("BTCUSD").units("close").tolist() == [105_000, 105_001]
    assert catalog.get_quotes("BTCUSD").bid.tolist() == [1.0]
    assert catalog.vault.check() == (2, [])


def test_coarser_decimals_are_scaled_to_those_stored(catalog: Catalog) -> None:
    coarse = Instrument(
        venue="TEST", symbol="BTCUSD", asset_class=AssetClass.CRYPTO, base_currency="BTC", quote_currency="USD",
        price_decimals=0, qty_decimals=0,
    )  # fmt: skip
    catalog.vault.put([quotes([T0])])
    catalog.vault.put([bars([T0], [7], coarse), trades([T0], coarse)])
    assert catalog.get_bars("BTCUSD").units("close").tolist() == [700]
    assert catalog.get_trades("BTCUSD").units("qty").tolist() == [3000]
    with pytest.raises(DataError, match=r"above 2\*\*53"):
        catalog.vault.put([bars([T0 + MINUTE], [UNITS_MAX // 10], coarse)])


def test_splits_and_dividends_come_among_the_stored_bars_as_they_did(catalog: Catalog) -> None:
    data = read_market_data("us_stocks", symbols=["AAPL", "IBM"])
    catalog.vault.put(data)
    for before, after in zip(data, catalog.histories(), strict=True):
        assert (after.info.splits, after.info.dividends) == (before.info.splits, before.info.dividends)
        assert np.array_equal(everything(before), everything(after))
        assert after.info.content_hash == before.info.content_hash
        cut = int(everything(before)["ts_open"][1500])
        for start, end in ((cut, None), (None, cut)):
            expected = np.concatenate(list(before.chunks(start, end)))
            assert np.array_equal(np.concatenate(list(after.chunks(start, end))), expected)
            assert after.count(start, end) == len(expected)


def test_read_market_data_reads_the_catalog_by_name_and_by_path(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCKSTEP_HOME", str(catalog.home))
    catalog.vault.put([bars([T0], [5]), quotes([T0]), trades([T0])])
    assert [one.info.kind for one in read_market_data("catalog")] == ["bar"]
    assert [one.info.kind for one in read_market_data("catalog", kind="ticks", symbols=["btcusd"])] == [
        "quote",
        "trade",
    ]
    (again,) = read_market_data(catalog.vault.home, kind="trades", session="FX")
    assert (again.instrument.session.name, again.info.rows) == ("FX", 1)
    with pytest.raises(DataError, match="holds no 'ETHUSD'"):
        read_market_data("catalog", symbols=["ETHUSD"])
    with pytest.raises(UsageError, match="unknown kind of data 'quote'"):
        read_market_data("catalog", kind="quote")


def test_an_empty_catalog_and_a_missing_kind_say_what_there_is(catalog: Catalog) -> None:
    with pytest.raises(DataError, match="catalog is empty"):
        catalog.histories()
    catalog.vault.put([quotes([T0])])
    with pytest.raises(DataError, match="no bars of BTCUSD") as e:
        catalog.get_bars("BTCUSD")
    assert "quotes" in e.value.hint
    with pytest.raises(DataError, match="no instrument of the catalog has bars"):
        catalog.histories()
    with pytest.raises(UsageError, match="is no moment"):
        catalog.get_quotes("BTCUSD", "03/04/2018")
    with pytest.raises(UsageError, match="range is empty"):
        catalog.get_quotes("BTCUSD", "2018-01-02", "2018-01-01")
    assert len(catalog.get_quotes("BTCUSD", "2019-01-01")) == 0


def test_a_symbol_of_two_venues_must_be_named_whole(catalog: Catalog) -> None:
    other = Instrument(
        venue="OTHER", symbol="BTCUSD", asset_class=AssetClass.CRYPTO, base_currency="BTC", quote_currency="USD",
        price_decimals=2, qty_decimals=3,
    )  # fmt: skip
    catalog.vault.put([bars([T0], [5]), bars([T0], [6], other)])
    with pytest.raises(UsageError, match="several instruments"):
        catalog.get_bars("BTCUSD")
    assert catalog.get_bars("btcusd.other").units("open").tolist() == [6]


@pytest.mark.parametrize("timeframe", ["5m", "1h", "1d"])
def test_longer_bars_are_made_of_the_stored_ones_wherever_the_range_begins(catalog: Catalog, timeframe: str) -> None:
    opens = [T0 + k * MINUTE for k in range(0, 4000, 3)]
    catalog.vault.put([bars(opens, [100 + k % 17 for k in range(len(opens))])])
    whole = catalog.get_bars("BTCUSD", timeframe=timeframe)
    length = whole.timeframe_ns
    closes = catalog.get_bars("BTCUSD")
    for k in range(len(whole)):
        inside = (closes.ts_open >= whole.ts_open[k]) & (closes.ts_open < whole.ts_open[k] + length)
        assert whole.units("close")[k] == closes.units("close")[inside][-1]
        assert whole.units("high")[k] == closes.units("high")[inside].max()
    # The last bar ends after the data does: it is not known yet.
    assert whole.ts_event[-1] <= opens[-1] + MINUTE
    start, end = T0 + 7 * MINUTE, T0 + 2 * DAY
    part = catalog.get_bars("BTCUSD", start, end, timeframe)
    wanted = (whole.ts_open >= start) & (whole.ts_open < end)
    assert np.array_equal(part.units("high"), whole.units("high")[wanted])
    assert sum(len(one) for one in catalog.iter_bars("BTCUSD", start, end, timeframe)) == len(part)


def _cut(whole: Records, rows: int, _start: int | None, _end: int | None) -> Iterator[Records]:
    return (whole[i : i + rows].copy() for i in range(0, len(whole), rows))


@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=60), min_size=1, max_size=5), st.integers(1, 7))
def test_merge_is_the_total_order_whatever_the_chunks(steps: list[list[int]], rows: int) -> None:
    histories = []
    for k, own in enumerate(steps):
        instrument = Instrument(
            venue="TEST", symbol=f"S{k // 2}", asset_class=AssetClass.CRYPTO, base_currency="A", quote_currency="USD",
            price_decimals=2, qty_decimals=3,
        )  # fmt: skip
        clock = (T0 + np.cumsum(own)).tolist()
        histories.append((quotes if k % 2 else trades)(clock, instrument=instrument))
    for one in histories:
        one.chunks = partial(_cut, everything(one), rows)  # type: ignore[method-assign]
    found = np.concatenate(list(merged(histories)))
    assert len(found) == sum(len(own) for own in steps)
    order = np.lexsort((found["seq"], found["instrument"], found["kind"], found["clock"]))
    assert np.array_equal(order, np.arange(len(found)))
    assert set(found["instrument"].tolist()) == set(range((len(steps) + 1) // 2))


def test_stored_columns_hold_what_the_record_holds() -> None:
    assert [shape.event for shape in (BARS, QUOTES, TRADES)] == [EventKind.BAR, EventKind.QUOTE, EventKind.TRADE]
    for shape, made in ((BARS, bars([T0], [5])), (QUOTES, quotes([T0])), (TRADES, trades([T0, T0, T0]))):
        records = everything(made)
        again = shape.records_of(shape.columns_of(records))
        again["seq"] = records["seq"]
        assert np.array_equal(records, again)


def test_read_part_refuses_a_file_with_other_rows_than_the_catalog_knows(catalog: Catalog) -> None:
    catalog.vault.put([trades([T0, T0 + 1])])
    entry = catalog.vault.find("BTCUSD")
    series = entry.series["trades"]
    path = entry.path_of(catalog.vault.home, series, series.parts[0])
    db = catalog.vault.db.cursor()
    columns = ", ".join(TRADES.words)
    query = f"COPY (SELECT {columns} FROM read_parquet('{path}') LIMIT 1) TO '{path}.x' (FORMAT parquet)"  # noqa: S608
    db.execute(query).fetchall()
    Path(f"{path}.x").replace(path)
    with pytest.raises(DataError, match="1 rows, the catalog says 2"):
        read_part(catalog.vault.db, path, series.parts[0], TRADES)
    with pytest.raises(DataError, match="1 rows, the catalog says 2"):
        catalog.get_trades("BTCUSD")


def test_what_was_found_out_about_a_series_is_remembered_until_it_changes(catalog: Catalog) -> None:
    other = Instrument(
        venue="TEST", symbol="ETHUSD", asset_class=AssetClass.CRYPTO, base_currency="ETH", quote_currency="USD",
        price_decimals=2, qty_decimals=3,
    )  # fmt: skip
    catalog.vault.put([bars([T0], [5]), bars([T0], [5], other)])
    before = {one.info.symbol: one.info for one in catalog.histories()}
    folders = {symbol: catalog.vault.home / f"{symbol}.TEST" for symbol in before}
    assert all(len(list(folder.glob("survey-*.json"))) == 1 for folder in folders.values())
    for survey in folders["BTCUSD"].glob("survey-*.json"):
        survey.write_bytes(b"cut sho")  # not whole: made again
    assert {one.info.symbol: one.info for one in catalog.histories()} == before
    catalog.vault.put([bars([T0 + MINUTE], [6])])
    assert not list(folders["BTCUSD"].glob("survey-*.json"))
    assert len(list(folders["ETHUSD"].glob("survey-*.json"))) == 1
    (changed,) = catalog.histories(["BTCUSD"])
    assert changed.info.rows == 2
    assert changed.info.content_hash != before["BTCUSD"].content_hash


def test_columns_introduce_themselves_in_one_line(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    catalog.vault.put(read_market_data("us_stocks", symbols=["IBM"]))
    text = repr(catalog.get_bars("IBM", "2005-01-03", "2005-01-08"))
    assert text == "Bars(IBM.US, 5 rows, 2005-01-03T21:00:00Z to 2005-01-07T21:00:00Z)"

"""The readers on recorded files: counts and facts their README states."""

from pathlib import Path

import numpy as np
import pytest

from lockstep.model.enums import AssetClass, CorporateAction, EventKind
from lockstep.model.errors import DataError
from lockstep.model.record import Records
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.readers import read_market_data

pytestmark = pytest.mark.data
MINUTE = 60 * 10**9


def only(path: Path) -> MarketData:
    (data,) = read_market_data(path)
    return data


def everything(data: MarketData) -> Records:
    return np.concatenate(list(data.chunks()))


def test_bitfinex_year_of_minutes_is_read_exactly(data: Path) -> None:
    bars = only(data / "bars_1m" / "bitfinex_btcusd_1m_2018.csv.gz")
    info = bars.info
    assert (info.rows, info.bar_ns, info.gaps) == (520_499, MINUTE, 3_992)
    assert info.longest_gap_ns == 67 * MINUTE  # 68 minutes from one bar's start to the next one's
    records = everything(bars)
    assert (records["p0"][0], records["p2"][0], bars.instrument.price_decimals) == (1376300000000, 1375218233851, 8)
    assert np.all(np.diff(records["clock"]) > 0)


def test_ftx_text_times_are_read_as_utc(data: Path) -> None:
    bars = only(data / "bars_1m" / "ftx_btc-perp_1m_20211231_20220201.csv.gz")
    assert (bars.instrument.id, bars.info.rows, bars.info.gaps) == ("BTC-PERP.FTX", 45_031, 0)
    assert "times have no zone: read as UTC" in bars.info.notes


def test_sp500_with_its_broken_rows_is_refused_but_one_symbol_is_read(data: Path) -> None:
    path = data / "equities_daily" / "sp500_5yr_daily_2013_2018.csv.gz"
    with pytest.raises(DataError, match="AOS: 1 row with high below low, or open or close outside them"):
        read_market_data(path)
    first, second = read_market_data(path, symbols=["AAPL", "A"], asset_class="equity")
    assert (first.info.rows, second.info.rows, second.instrument.symbol) == (1_259, 1_259, "AAPL")
    assert first.info.gaps == 0


@pytest.mark.slow
def test_us_equities_have_every_symbol_and_row(data: Path) -> None:
    read = read_market_data(data / "equities_daily" / "us_equities_daily_2015_2017.csv.gz", asset_class="equity")
    assert len(read) == 706
    assert sum(one.info.rows for one in read) == 338_340


def test_lean_daily_equity_has_the_splits_of_its_factor_file(data: Path) -> None:
    bars = only(data / "lean" / "equity" / "usa" / "daily" / "aapl.zip")
    assert (bars.instrument.id, bars.instrument.session.name) == ("AAPL.US", "XNYS")
    assert (bars.info.splits, bars.info.adjustments) == (4, "applied")
    records = everything(bars)
    assert records["p0"][records["kind"] == EventKind.BAR][0] == 13_6300
    splits = records[records["aux"] == CorporateAction.SPLIT]
    ratios = list(zip(splits["p0"].tolist(), splits["p1"].tolist(), strict=True))
    assert ratios == [(2, 1), (2, 1), (7, 1), (4, 1)]


def test_lean_daily_and_shipped_data_agree_on_apples_splits_and_dividends(data: Path) -> None:
    (shipped,) = read_market_data("us_stocks", symbols=["AAPL"])
    end = shipped.info.last_ns
    lean = only(data / "lean" / "equity" / "usa" / "daily" / "aapl.zip")
    facts = []
    for source in (shipped, lean):
        records = np.concatenate(list(source.chunks(shipped.info.first_ns, end)))
        found = records[records["kind"] == EventKind.CORPORATE_ACTION]
        facts.append([(r["clock"], r["aux"], r["p0"] * 1000 // 10 ** r["p1"] // 10) for r in found])
    assert facts[0] == facts[1]
    assert len(facts[0]) == 5


def test_lean_minute_folder_joins_its_days_and_splits_between_them(data: Path) -> None:
    bars = only(data / "lean" / "equity" / "usa" / "minute" / "aapl")
    records = everything(bars)
    assert (bars.info.rows, bars.info.bar_ns, bars.info.splits) == (2_303, MINUTE, 1)
    i = int(np.argmax(records["kind"] == EventKind.CORPORATE_ACTION))
    assert records["p3"][i - 1] > 6 * records["p3"][i + 1]  # its open is a print at the old price, as recorded
    assert any("outside the hours" in note for note in bars.info.notes)


def test_lean_crypto_is_in_utc_and_never_closes(data: Path) -> None:
    bars = only(data / "lean" / "crypto" / "coinbase" / "daily" / "btcusd_trade.zip")
    assert (bars.instrument.id, bars.instrument.asset_class) == ("BTCUSD.COINBASE", AssetClass.CRYPTO)
    assert (bars.info.rows, bars.instrument.session.name, bars.info.adjustments) == (1_318, "24/7", "not modelled")


def test_lean_futures_are_told_apart_by_contract(data: Path) -> None:
    contracts = read_market_data(data / "lean" / "future" / "cme" / "hour" / "es_trade.zip")
    assert [one.instrument.symbol for one in contracts][:2] == ["ES-201312", "ES-201403"]
    assert all(one.instrument.asset_class is AssetClass.FUTURE for one in contracts)


@pytest.mark.parametrize(
    "name", ["crypto/coinbase/daily/btcusd_quote.zip", "equity/usa/minute/aapl/20140605_quote.zip"]
)
def test_lean_quote_bars_are_refused(data: Path, name: str) -> None:
    with pytest.raises(DataError, match="not bars of trades") as e:
        read_market_data(data / "lean" / name)
    assert "_trade.zip" in e.value.hint

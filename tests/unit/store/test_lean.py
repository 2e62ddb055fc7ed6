"""Lean's layout on a few rows of its own files, so that the rules hold where the recorded data is absent."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from lockstep.model.enums import AssetClass, CorporateAction, EventKind
from lockstep.model.errors import DataError
from lockstep.model.numbers import NANOS_PER_DAY
from lockstep.store.catalog.readers import read_market_data

DAILY = "20140605 00:00,6460500,6470000,6424500,6473500,9000000\n".replace("6470000", "6480000")
DAILY += (
    "20140606 00:00,6499000,6512600,6444700,6455700,12497800\n20140609 00:00,927000,938800,917500,937000,75415000\n"
)
FACTORS = "20140507,0.8961764,0.03571430,592.33\n20140606,0.9011818,0.03571430,645.57\n20140806,0.9011818,0.25,94.97\n"


def zipped(path: Path, members: Mapping[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def test_equity_prices_are_unscaled_and_the_factor_file_gives_the_split(tmp_path: Path) -> None:
    path = zipped(tmp_path / "equity" / "usa" / "daily" / "aapl.zip", {"aapl.csv": DAILY})
    factors = tmp_path / "equity" / "usa" / "factor_files" / "aapl.csv"
    factors.parent.mkdir()
    factors.write_text(FACTORS)
    (data,) = read_market_data(path)
    records = np.concatenate(list(data.chunks()))
    assert (data.instrument.id, data.instrument.price_decimals) == ("AAPL.US", 2)
    assert records["kind"].tolist() == [EventKind.BAR, EventKind.BAR, EventKind.CORPORATE_ACTION, EventKind.BAR]
    assert (records["aux"][2], records["p0"][2], records["p1"][2]) == (CorporateAction.SPLIT, 7, 1)
    assert records["clock"][2] == records["ts_open"][3]
    assert (records["p3"][1], records["p3"][3]) == (64557, 9370)
    assert (data.info.splits, data.info.dividends, data.info.adjustments) == (1, 0, "applied")


def test_action_where_the_day_never_closes_comes_after_the_bar_before(tmp_path: Path) -> None:
    path = zipped(tmp_path / "equity" / "usa" / "daily" / "aapl.zip", {"aapl.csv": DAILY})
    (tmp_path / "equity" / "usa" / "factor_files").mkdir()
    (tmp_path / "equity" / "usa" / "factor_files" / "aapl.csv").write_text(FACTORS.replace("20140606", "20140605"))
    (data,) = read_market_data(path, session="24/7")
    records = np.concatenate(list(data.chunks()))
    assert records["clock"][0] + 1 == records["clock"][1]
    assert records["ts_open"][1] == records["clock"][0]
    order = np.lexsort((records["seq"], records["kind"], records["clock"]))
    assert order.tolist() == [0, 1, 2, 3]


def test_damaged_factor_file_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "equity" / "usa" / "daily" / "aapl.zip", {"aapl.csv": DAILY})
    (tmp_path / "equity" / "usa" / "factor_files").mkdir()
    (tmp_path / "equity" / "usa" / "factor_files" / "aapl.csv").write_text("20140606,x,1,1\n")
    with pytest.raises(DataError, match=r"aapl\.csv: line 1 is no factor row"):
        read_market_data(path)


def test_minute_files_count_from_midnight_of_their_day(tmp_path: Path) -> None:
    folder = tmp_path / "crypto" / "coinbase" / "minute" / "btcusd"
    rows = "0,611.78,611.91,611.78,611.9,1.13872\r\n60000,611.87,611.88,611.87,611.88,0.56799\r\n"
    for day in ("20161007", "20161008"):
        zipped(folder / f"{day}_trade.zip", {f"{day}_btcusd_minute_trade.csv": rows})
        zipped(folder / f"{day}_quote.zip", {f"{day}_btcusd_minute_quote.csv": rows})
    (data,) = read_market_data(folder)
    records = np.concatenate(list(data.chunks()))
    assert (data.instrument.id, data.instrument.asset_class) == ("BTCUSD.COINBASE", AssetClass.CRYPTO)
    assert (np.diff(records["ts_open"]) // 60_000_000_000).tolist() == [1, 1439, 1]
    assert records["ts_open"][0] % NANOS_PER_DAY == 0
    assert (data.info.rows, data.info.gaps, data.info.adjustments) == (4, 1, "not modelled")


def test_contracts_of_one_future_are_instruments_of_their_own(tmp_path: Path) -> None:
    rows = "20200102 14:00,3246.5,3251,3245,3249.5,199356\n20200102 15:00,3249.5,3249.75,3236.5,3243,262072\n"
    members = {"es_trade_202003.csv": rows, "es_trade_202006.csv": rows}
    first, second = read_market_data(zipped(tmp_path / "future" / "cme" / "hour" / "es_trade.zip", members))
    assert (first.instrument.id, second.instrument.id) == ("ES-202003.CME", "ES-202006.CME")
    assert first.instrument.session.name == "CME-index"


def test_bars_outside_lean_folders_need_an_asset_class(tmp_path: Path) -> None:
    path = zipped(tmp_path / "aapl.zip", {"aapl.csv": DAILY})
    with pytest.raises(DataError, match="cannot tell whether its prices are multiplied by 10,000"):
        read_market_data(path)
    (data,) = read_market_data(path, asset_class="equity")
    assert (data.instrument.id, data.instrument.price_decimals) == ("AAPL.LOCAL", 2)


@pytest.mark.parametrize(
    ("member", "text", "message"),
    [
        ("20140605_aapl_minute_quote.csv", "14400000,1,1,1,1,1,1,1,1,1,1\n", "not bars of trades"),
        ("aapl.csv", "20140605 00:00,1,1,1,1,1,1,1,1,1,1\n", "not bars of trades: 11 columns"),
        ("aapl.csv", "", "the file is empty"),
        ("aapl.txt", "x", "neither a table nor a recording"),
    ],
)
def test_zip_without_bars_of_trades_is_refused(tmp_path: Path, member: str, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_market_data(zipped(tmp_path / "equity" / "usa" / "daily" / "x.zip", {member: text}))


def test_zip_member_with_a_path_for_a_name_stays_inside_the_temporary_folder(tmp_path: Path) -> None:
    text = "timestamp,open,high,low,close,volume\n1514764800000,1,1,1,1,1\n1514764860000,1,1,1,1,1\n"
    (data,) = read_market_data(zipped(tmp_path / "x.zip", {"../../evil.csv": text}))
    assert data.info.rows == 2
    assert not list(tmp_path.parent.glob("evil.csv"))

"""The catalog on recorded data: a year of four pairs, and a week of IBM's quotes and trades."""

from pathlib import Path

import numpy as np
import pytest

from lockstep.store.catalog.catalog import Catalog
from lockstep.store.catalog.readers import read_market_data
from lockstep.store.catalog.vault.merge import merged

pytestmark = pytest.mark.data
PAIRS = ("btcusd", "ethusd", "ltcusd", "xrpusd")


@pytest.mark.slow
def test_a_year_of_four_pairs_comes_back_bar_for_bar_and_merges_in_order(data: Path, tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    read = []
    for pair in PAIRS:
        read += read_market_data(data / "bars_1m" / f"bitfinex_{pair}_1m_2018.csv.gz")
    catalog.vault.put(read)
    stored = catalog.histories()
    assert sum(one.info.rows for one in stored) == 1_944_625
    for before, after in zip(read, stored, strict=True):
        assert (after.info.content_hash, after.info.gaps) == (before.info.content_hash, before.info.gaps)
        assert after.info.longest_gap_ns == before.info.longest_gap_ns
    march = catalog.get_bars("BTCUSD", "2018-03-07", "2018-03-08")
    assert len(march) == 1440
    last, rows = 0, 0
    for chunk in merged(stored):
        assert int(chunk["clock"][0]) >= last
        assert (np.diff(chunk["clock"]) >= 0).all()
        last = int(chunk["clock"][-1])
        rows += len(chunk)
    assert rows == 1_944_625
    hours = catalog.get_bars("XRPUSD", "2018-04-25", "2018-04-26", "1h")
    assert hours.low.min() == catalog.get_bars("XRPUSD", "2018-04-25", "2018-04-26").low.min()


def test_a_week_of_ibm_ticks_comes_back_tick_for_tick(data: Path, tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    folder = data / "lean" / "equity" / "usa" / "tick" / "ibm"
    read = read_market_data(folder, kind="ticks")
    catalog.vault.put(read)
    quotes, trades = catalog.histories(["IBM"], "ticks")
    assert [one.info.content_hash for one in (quotes, trades)] == [one.info.content_hash for one in read]
    assert [one.info.rows for one in (quotes, trades)] == [287_794, 126_395]
    assert "204 of 287,794 quotes crossed (bid above ask), 1,547 locked: kept" in quotes.info.notes
    day = catalog.get_trades("IBM", "2013-10-08", "2013-10-09")
    (file,) = read_market_data(folder / "20131008_trade.zip")
    assert len(day) == file.info.rows
    # A trade of the day lies within a tenth of the quotes around it: scales and zones are the same.
    book = catalog.get_quotes("IBM", "2013-10-08T13:30", "2013-10-08T20:00")
    inside = catalog.get_trades("IBM", "2013-10-08T13:30", "2013-10-08T20:00")
    at = np.searchsorted(book.ts_recv, inside.ts_recv, side="right") - 1
    near = np.abs(inside.price / (0.5 * (book.bid[at] + book.ask[at])) - 1)
    assert np.median(near) < 0.0005
    assert np.quantile(near, 0.99) < 0.01


def test_lean_minute_bars_and_ticks_of_one_day_agree(data: Path, tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    usa = data / "lean" / "equity" / "usa"
    catalog.vault.put(read_market_data(usa / "tick" / "ibm", kind="trades"))
    catalog.vault.put(read_market_data(usa / "minute" / "ibm" / "20131008_trade.zip"))
    minutes = catalog.get_bars("IBM", "2013-10-08T13:30", "2013-10-08T20:00")
    trades = catalog.get_trades("IBM", "2013-10-08T13:30", "2013-10-08T20:00")
    assert len(minutes) > 380
    high = [trades.price[(trades.ts_event >= a) & (trades.ts_event < b)].max(initial=0) for a, b in zip(minutes.ts_open, minutes.ts_event, strict=True)]  # fmt: skip
    # Lean's bars leave out trades of some conditions, the ticks hold all: a bar's high is never above the ticks'.
    assert np.mean(minutes.high <= np.array(high) + 1e-9) > 0.98

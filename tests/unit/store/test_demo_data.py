"""The shipped data set: counts, corporate actions, and that it still is what PROVENANCE.md says."""

from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest

from lockstep.model.enums import CorporateAction, EventKind
from lockstep.model.record import Records
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.readers import read_market_data

ROWS = {"AAPL": 3270, "FB": 196, "GOOG": 2148, "IBM": 3270, "MSFT": 3270}
SPLITS = {"AAPL": ["2000-06-21", "2005-02-28"], "FB": [], "GOOG": [], "IBM": [], "MSFT": ["2003-02-18"]}
DIVIDENDS = {"AAPL": 3, "FB": 0, "GOOG": 0, "IBM": 52, "MSFT": 37}
ADJUSTED = {
    "AAPL": (4.186662803811, 56.137353095488),
    "IBM": (73.667718762847, 175.27118333217),
    "MSFT": (30.225709797294, 24.684342419163),
}
"""The source's adjusted close of the first and the last day."""


@cache
def stocks() -> dict[str, MarketData]:
    return {data.instrument.symbol: data for data in read_market_data("us_stocks")}


def records(symbol: str) -> Records:
    return np.concatenate(list(stocks()[symbol].chunks()))


def day_of(ts_ns: int) -> str:
    return datetime.fromtimestamp(ts_ns // 10**9, UTC).strftime("%Y-%m-%d")


def actions(symbol: str, kind: CorporateAction) -> Records:
    every = records(symbol)
    chosen: Records = every[(every["kind"] == EventKind.CORPORATE_ACTION) & (every["aux"] == kind)]
    return chosen


@pytest.mark.parametrize("symbol", ROWS)
def test_demo_has_every_row_split_and_dividend(symbol: str) -> None:
    info = stocks()[symbol].info
    assert info.rows == ROWS[symbol]
    assert (info.splits, info.dividends) == (len(SPLITS[symbol]), DIVIDENDS[symbol])
    assert info.adjustments == "applied"
    assert [day_of(ts) for ts in actions(symbol, CorporateAction.SPLIT)["clock"].tolist()] == SPLITS[symbol]
    assert len(actions(symbol, CorporateAction.DIVIDEND)) == DIVIDENDS[symbol]
    assert day_of(info.last_ns) == "2013-03-01"


def test_splits_are_two_for_one() -> None:
    for symbol in ("AAPL", "MSFT"):
        splits = actions(symbol, CorporateAction.SPLIT)
        assert set(zip(splits["p0"].tolist(), splits["p1"].tolist(), strict=True)) == {(2, 1)}


def test_microsofts_special_dividend_is_three_dollars_eight() -> None:
    dividends = actions("MSFT", CorporateAction.DIVIDEND)
    largest = dividends[int(np.argmax(dividends["p0"]))]
    assert (day_of(int(largest["clock"])), largest["p0"], largest["p1"]) == ("2004-11-15", 308, 2)


def test_ibm_paid_a_sum_of_cash_that_is_known() -> None:
    dividends = actions("IBM", CorporateAction.DIVIDEND)
    assert set(dividends["p1"].tolist()) == {2}
    assert (dividends["p0"][0], dividends["p0"][-1]) == (13, 85)


@pytest.mark.parametrize("symbol", ROWS)
def test_actions_come_at_the_open_before_their_bar(symbol: str) -> None:
    every = records(symbol)
    assert every["seq"].tolist() == list(range(len(every)))
    order = np.lexsort((every["seq"], every["kind"], every["clock"]))
    assert order.tolist() == list(range(len(every)))
    for i in np.flatnonzero(every["kind"] == EventKind.CORPORATE_ACTION).tolist():
        bar = every[i + 1]
        assert bar["kind"] == EventKind.BAR
        assert every["clock"][i] == bar["ts_open"] > every["clock"][i - 1]


@pytest.mark.parametrize("symbol", ADJUSTED)
def test_adjusted_closes_of_the_source_are_reproduced_by_the_actions(symbol: str) -> None:
    scale = 10.0 ** stocks()[symbol].instrument.price_decimals
    first, last = ADJUSTED[symbol]
    every = records(symbol)
    factor = last / (every["p3"][-1] / scale)
    close = adjusted = 0.0
    for record in every[::-1]:
        if record["kind"] == EventKind.BAR:
            close = record["p3"] / scale
            adjusted = close * factor
        elif record["aux"] == CorporateAction.SPLIT:
            factor *= record["p1"] / record["p0"]
        else:
            factor /= 1 + record["p0"] / 10.0 ** record["p1"] / close
    assert adjusted == pytest.approx(first, rel=1e-11)


def test_instruments_are_us_equities_in_new_york_hours() -> None:
    for data in stocks().values():
        instrument = data.instrument
        assert (instrument.venue, instrument.session.name, instrument.qty_decimals) == ("US", "XNYS", 0)
        assert instrument.fees.text() == "0.005/share"

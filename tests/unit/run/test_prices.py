"""Chart bars against a naive aggregation, buy and hold against a naive loop, on the shipped daily stocks."""

import csv
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lockstep.model.enums import CorporateAction, EventKind
from lockstep.model.fees import FeeSchedule
from lockstep.run import prices
from lockstep.run.feeds import BarView, InstrumentFeeds
from lockstep.run.prices import Holding, bucket_for, chart_bars, hold, hold_all
from lockstep.store.catalog import market_data
from lockstep.store.catalog.readers import read_market_data

DAY = 86_400 * 10**9
MINUTE = 60 * 10**9


def view(data: Any) -> BarView:
    return InstrumentFeeds(data.instrument, [data]).view()


def records(data: Any, start: int | None = None, end: int | None = None) -> Any:
    return np.concatenate(list(data.chunks(start, end)))


def naive_bars(data: Any, bucket: int, start: int | None, end: int | None) -> list[tuple[float, ...]]:
    found: dict[int, list[Any]] = {}
    for row in records(data, start, end):
        if row["kind"] != EventKind.BAR:
            continue
        o, h, l, c = (int(row[name]) / 10**data.instrument.price_decimals for name in ("p0", "p1", "p2", "p3"))
        bar = found.setdefault(int(row["ts_open"]) // bucket, [0, o, h, l, c, 0.0])
        bar[0], bar[2], bar[3], bar[4] = int(row["ts_event"]), max(bar[2], h), min(bar[3], l), c
        bar[5] += float(row["volume"])
    return [tuple(bar) for bar in found.values()]


def as_rows(chart: prices.ChartBars) -> list[tuple[float, ...]]:
    return list(zip(*(column.tolist() for column in chart[1:]), strict=True))


def test_bars_that_are_few_enough_are_shown_as_they_are(stocks: list[Any]) -> None:
    chart, _ = chart_bars(view(stocks[0]), None, None)
    assert as_rows(chart) == naive_bars(stocks[0], 1, None, None)
    assert len(chart.ts) == stocks[0].info.rows


@pytest.mark.parametrize("rows_max", [700, 160])
@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_chart_bars_equal_naive_aggregation_however_chunks_cut_the_buckets(
    stocks: list[Any], monkeypatch: pytest.MonkeyPatch, rows_max: int, chunk: int
) -> None:
    monkeypatch.setattr(prices, "CHART_BARS_MAX", rows_max)
    whole = [chart_bars(view(data), None, None) for data in stocks]
    monkeypatch.setattr(market_data, "CHUNK_ROWS", chunk)
    bucket = 30 * DAY if rows_max == 160 else 7 * DAY
    for data, (chart, actions) in zip(stocks[: 1 if chunk == 1 else 3], whole, strict=False):
        found, its_actions = chart_bars(view(data), None, None)
        assert as_rows(found) == as_rows(chart) == naive_bars(data, bucket, None, None)
        assert its_actions == actions
        assert len(actions) == data.info.splits + data.info.dividends


def test_bucket_follows_the_range_that_is_shown(stocks: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A year out of thirteen is not drawn in the months that all thirteen would need."""
    monkeypatch.setattr(prices, "CHART_BARS_MAX", 100)
    start, end = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 10**9 for year in (2006, 2007))
    chart, actions = chart_bars(view(stocks[1]), start, end)
    assert as_rows(chart) == naive_bars(stocks[1], 7 * DAY, start, end)
    assert 50 < len(chart.ts) <= 54
    assert [action.kind for action in actions] == ["dividend"] * 4
    assert all(start <= action.ts < end for action in actions)


def test_short_bars_that_share_a_bucket_of_the_usual_length_stay_apart(tmp_path: Path, stocks: list[Any]) -> None:
    """Nights of London: the bar from midnight UTC and the next from 23:00 lie in one UTC day, on 29 March 2015."""
    rows = records(stocks[1])
    rows = rows[rows["kind"] == EventKind.BAR][:6]
    opens = [datetime(2015, 3, day, 0, tzinfo=UTC) for day in (27, 28, 29)]
    opens += [datetime(2015, 3, day, 23, tzinfo=UTC) for day in (29, 30, 31)]
    path = tmp_path / "ibm.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["timestamp", "open", "high", "low", "close", "volume"])
        for when, row in zip(opens, rows, strict=True):
            cells = [f"{int(row[name]) / 10_000:.4f}" for name in ("p0", "p1", "p2", "p3")]
            writer.writerow([when.isoformat(), *cells, int(row["volume"])])
    (data,) = read_market_data(path, asset_class="crypto")
    chart, _ = chart_bars(view(data), None, None)
    assert chart.close.tolist() == (rows["p3"] / 10_000).tolist()


def test_bucket_is_the_shortest_that_keeps_within_the_limit() -> None:
    year = 365 * DAY
    assert bucket_for(year, MINUTE, 525_600, 4000) == 240 * MINUTE
    assert bucket_for(10 * year, MINUTE, 5_256_000, 4000) == DAY
    assert bucket_for(2000 * year, DAY, 730_000, 4000) == 43_200 * MINUTE  # more bars than asked for: none is longer
    assert bucket_for(2000 * year, 60 * DAY, 12_000, 4000) == 60 * DAY


def naive_hold(data: Any, instrument: Any, money: float) -> tuple[list[int], list[float]]:
    """fees: FeeSchedule of a share of the value, nothing else."""
    qty = cash = 0.0
    ts, equity, bought = [], [], False
    for row in records(data):
        if row["kind"] == EventKind.CORPORATE_ACTION:
            if row["aux"] == CorporateAction.SPLIT:
                qty = qty * int(row["p0"]) / int(row["p1"])
            else:
                cash += qty * int(row["p0"]) / 10 ** int(row["p1"])
            continue
        if not bought:
            opened = int(row["p0"]) / 10_000
            qty, bought = (money - int(money / opened) * opened * 0.001) / opened, True
        ts.append(int(row["clock"]))
        equity.append(cash + qty * int(row["p3"]) / 10_000)
    return ts, equity


@pytest.mark.parametrize("chunk", [11, 16_384])
def test_buy_and_hold_equals_a_naive_loop_over_splits_and_dividends(
    stocks: list[Any], monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(market_data, "CHUNK_ROWS", chunk)
    for data in stocks:
        instrument = data.instrument.with_fees(FeeSchedule(taker=Decimal("0.001")))
        found = hold(InstrumentFeeds(instrument, [data]).view(), 100_000.0, None, None)
        ts, equity = naive_hold(data, instrument, 100_000.0)
        assert found.ts.tolist() == ts
        np.testing.assert_allclose(found.equity, equity, rtol=1e-10)
        # AAPL without its splits would be a quarter of it.
        assert found.equity[-1] > 100_000.0 or data.info.symbol != "AAPL"


def test_thinned_buy_and_hold_ends_where_the_whole_one_does(stocks: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = hold(InstrumentFeeds(stocks[2].instrument, [stocks[2]]).view(), 50_000.0, None, None)
    monkeypatch.setattr(prices, "HOLD_POINTS_MAX", 100)
    thin = hold(InstrumentFeeds(stocks[2].instrument, [stocks[2]]).view(), 50_000.0, None, None)
    assert len(thin.ts) < 200
    assert (thin.ts[-1], thin.equity[-1]) == (whole.ts[-1], whole.equity[-1])
    assert np.array_equal(thin.equity, whole.equity[np.searchsorted(whole.ts, thin.ts)])


def test_holdings_that_start_later_are_money_until_then() -> None:
    one = Holding(np.array([10, 20, 30]), np.array([1.0, 2.0, 3.0]), 1.5)
    other = Holding(np.array([20, 40]), np.array([100.0, 200.0]), 50.0)
    ts, equity = hold_all([one, other])
    assert ts.tolist() == [10, 20, 30, 40]
    assert equity.tolist() == [51.0, 102.0, 103.0, 203.0]

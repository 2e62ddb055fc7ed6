"""Bars from finer data: the compiled builder against a plain twin, and against real files aggregated by hand."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.features import bars as module
from lockstep.features.bars import BarBuilder, resampled
from lockstep.model.enums import CorporateAction, EventKind
from lockstep.model.errors import DataError, UsageError
from lockstep.model.record import MARKET_EVENT, Records
from lockstep.model.sessions import ALWAYS, FX, XNYS, XNYS_EXTENDED, Session, Window
from lockstep.model.timeframe import timeframe_ns
from lockstep.store.catalog.readers import read_market_data

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
MONDAY = 1_600_041_600 * SECOND  # 2020-09-14 00:00 UTC
BREAK = Session(  # a day in two parts, as in Tokyo; UTC keeps the test's arithmetic plain
    name="break",
    timezone="UTC",
    windows=tuple(w for day in range(5) for w in (Window(day, 540, 690), Window(day, 750, 905))),
    periods_per_year=245,
)
Row = tuple[Any, ...]


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


def event(kind: EventKind, clock: int, ts: int, prices: Sequence[int], volume: float = 0.0, opens: int = 0) -> Row:
    return (clock, ts, 0, int(kind), 0, 0, 7, *prices, *[0] * (4 - len(prices)), volume, opens)


def bar(opens: int, ends: int, *prices: int, volume: float = 1.0) -> Row:
    full = prices if len(prices) == 4 else (prices[0],) * 4
    return event(EventKind.BAR, ends, ends, full, volume, opens)


def trade(ts: int, price: int, qty: int = 1, late_by: int = 0) -> Row:
    return event(EventKind.TRADE, ts + late_by, ts, (price, qty))


def quote(ts: int, bid: int, ask: int) -> Row:
    return event(EventKind.QUOTE, ts, ts, (bid, ask, 1, 1))


def action(ts: int, what: CorporateAction = CorporateAction.SPLIT) -> Row:
    return (ts, ts, 0, 0, 0, int(what), 7, 2, 1, 0, 0, 0.0, ts)


def records(rows: Sequence[Row]) -> Records:
    out = np.zeros(len(rows), MARKET_EVENT)
    for i, row in enumerate(rows):
        out[i] = row
    return out


def build(rows: Sequence[Row], length: int, session: Session = ALWAYS, *cuts: int, **settings: Any) -> list[Any]:
    """The bars of some records, fed in the pieces the cuts make."""
    whole = records(rows)
    edges = [0, *sorted(cuts), len(whole)]
    chunks = [whole[a:b].copy() for a, b in pairwise(edges)]
    found = list(resampled(chunks, length, session, **settings))
    return [tuple(record) for chunk in found for record in chunk.tolist()]


def short(found: list[Any]) -> list[tuple[Any, ...]]:
    """(start, end) in minutes since MONDAY, open, high, low, close, volume."""
    return [((r[12] - MONDAY) // MINUTE, (r[1] - MONDAY) // MINUTE, *r[7:11], r[11]) for r in found if r[3] == 5]


def twin(rows: Sequence[Row], length: int, session: Session, scale: float = 1.0) -> list[tuple[Any, ...]]:
    """The same rules in plain Python: group the events by bucket, then drop the last group unless its end was reached."""
    groups: dict[tuple[int, int], list[Row]] = {}
    latest = 0
    for row in rows:
        is_bar = row[3] == EventKind.BAR
        at = row[12] if is_bar else row[1]
        latest = max(latest, row[1])
        days = session.trading_days(at, at) if length == DAY else session.bounds(at, at)
        for opens, closes in days:
            if opens <= at < closes:
                start = opens if length == DAY else opens + (at - opens) // length * length
                end = closes if length == DAY else min(start + length, closes)
                groups.setdefault((start, end), []).append(row)
    found = []
    for (start, end), members in sorted(groups.items()):
        if end > latest:
            continue
        if members[0][3] == EventKind.BAR:
            prices = [[m[k] for m in members] for k in (7, 8, 9, 10)]
            volume = float(sum(m[11] for m in members))
        else:
            middle = [m[7] if m[3] == EventKind.TRADE else (m[7] + m[8]) // 2 for m in members]
            prices = [middle] * 4
            volume = sum(m[8] for m in members) / scale if members[0][3] == EventKind.TRADE else 0.0
        found.append((start, end, prices[0][0], max(prices[1]), min(prices[2]), prices[3][-1], volume))
    return found


def long(found: list[Any]) -> list[tuple[Any, ...]]:
    return [(r[12], r[1], *r[7:11], r[11]) for r in found]


LENGTHS = st.sampled_from(["5m", "15m", "1h", "4h", "1d"]).map(timeframe_ns)
SESSIONS = st.sampled_from([ALWAYS, XNYS, XNYS_EXTENDED, FX, BREAK])
PRICE = st.integers(1, 2**53)


@st.composite
def minute_bars(draw: st.DrawFn) -> list[Row]:
    """One-minute bars over some days, most minutes missing."""
    minutes = sorted(draw(st.sets(st.integers(0, 4 * 1440), max_size=60)))
    rows = []
    for minute in minutes:
        low, high = sorted(draw(st.tuples(PRICE, PRICE)))
        inside = st.integers(low, high)
        start = MONDAY + minute * MINUTE
        volume = float(draw(st.integers(0, 1000)))
        rows.append(bar(start, start + MINUTE, draw(inside), high, low, draw(inside), volume=volume))
    return rows


@st.composite
def ticks(draw: st.DrawFn) -> list[Row]:
    times = sorted(draw(st.lists(st.integers(0, 3 * DAY // SECOND), max_size=60)))
    if draw(st.booleans()):
        return [trade(MONDAY + t * SECOND, draw(PRICE), draw(st.integers(1, 10**6))) for t in times]
    rows = []
    for t in times:
        bid, ask = sorted(draw(st.tuples(PRICE, PRICE)))
        rows.append(quote(MONDAY + t * SECOND, bid, ask))
    return rows


@given(st.one_of(minute_bars(), ticks()), LENGTHS, SESSIONS, st.data())
def test_bars_are_those_of_the_plain_twin_wherever_chunks_are_cut(
    rows: list[Row], length: int, session: Session, pick: st.DataObject
) -> None:
    cuts = pick.draw(st.lists(st.integers(0, len(rows)), max_size=5))
    found = build(rows, length, session, *cuts, qty_decimals=2)
    assert long(found) == twin(rows, length, session, 100.0)
    assert [r[0] for r in found] == [r[1] for r in found]
    assert [r[2] for r in found] == list(range(len(found)))
    assert all(r[3:7] == (5, 0, 1, 7) for r in found)


@given(st.one_of(minute_bars(), ticks()), LENGTHS, SESSIONS, st.data())
def test_data_cut_at_any_time_gives_exactly_the_bars_that_had_ended(
    rows: list[Row], length: int, session: Session, pick: st.DataObject
) -> None:
    n = pick.draw(st.integers(0, len(rows)))
    whole = build(rows, length, session, qty_decimals=0)
    known = rows[n - 1][1] if n else 0
    # Ticks of one time may still follow, but a bar that has ended holds none of them.
    assert build(rows[:n], length, session, qty_decimals=0) == [r for r in whole if r[1] <= known]


def test_bar_at_the_end_of_the_data_is_given_only_when_its_end_was_reached() -> None:
    rows = [bar(MONDAY + k * MINUTE, MONDAY + (k + 1) * MINUTE, 10 + k) for k in range(14)]
    assert [r[:2] for r in short(build(rows, 5 * MINUTE))] == [(0, 5), (5, 10)]
    assert [r[:2] for r in short(build(rows, 5 * MINUTE, until_ns=MONDAY + 15 * MINUTE - 1))] == [(0, 5), (5, 10)]
    assert short(build(rows, 5 * MINUTE, until_ns=MONDAY + 15 * MINUTE))[-1] == (10, 15, 20, 23, 20, 23, 4.0)


def test_trade_at_the_very_end_belongs_to_the_next_bar() -> None:
    rows = [
        trade(MONDAY, 10),
        trade(MONDAY + MINUTE - 1, 11),
        trade(MONDAY + MINUTE, 12),
        trade(MONDAY + 2 * MINUTE, 9),
    ]
    assert short(build(rows, MINUTE, qty_decimals=0)) == [(0, 1, 10, 11, 10, 11, 2.0), (1, 2, 12, 12, 12, 12, 1.0)]


def test_minutes_without_an_event_give_no_bar() -> None:
    rows = [trade(MONDAY, 10), trade(MONDAY + 7 * MINUTE, 11), trade(MONDAY + 9 * MINUTE, 12)]
    assert [r[:2] for r in short(build(rows, MINUTE, qty_decimals=0))] == [(0, 1), (7, 8)]


def test_buckets_of_new_york_are_counted_from_the_open_and_cut_at_the_close() -> None:
    opens, closes = ns("2020-09-14T13:30+00:00"), ns("2020-09-14T20:00+00:00")
    rows = [trade(opens + k * 10 * MINUTE, 100 + k) for k in range(40)]
    found = build(rows, HOUR, XNYS, qty_decimals=0)
    assert [(r[12], r[1]) for r in found] == [(opens + k * HOUR, min(opens + (k + 1) * HOUR, closes)) for k in range(7)]
    assert found[-1][1] - found[-1][12] == 30 * MINUTE


def test_day_with_a_break_is_one_daily_bar_and_two_runs_of_hours() -> None:
    rows = [trade(MONDAY + k * 15 * MINUTE, 100 + k) for k in range(96)]
    assert short(build(rows, DAY, BREAK, qty_decimals=0)) == [(540, 905, 136, 160, 136, 160, 25.0)]
    assert [r[:2] for r in short(build(rows, HOUR, BREAK, qty_decimals=0))] == [
        (540, 600), (600, 660), (660, 690), (750, 810), (810, 870), (870, 905),
    ]  # fmt: skip


def test_daily_bar_of_foreign_exchange_runs_from_17_to_17_in_new_york() -> None:
    rows = [trade(ns("2020-10-30T12:00+00:00") + k * HOUR, 100) for k in range(120)]  # Friday to Wednesday
    found = build(rows, DAY, FX, qty_decimals=0)
    assert [r[12] for r in found] == [
        ns(f"{day}:00+00:00") for day in ("2020-10-29T21", "2020-11-01T22", "2020-11-02T22")
    ]
    assert {r[1] - r[12] for r in found} == {DAY}


def test_daily_bar_has_25_hours_when_the_clocks_are_set_back() -> None:
    new_york = Session(
        name="New York", timezone="America/New_York", windows=ALWAYS.windows, periods_per_year=365, turn_minute=1440
    )
    rows = [trade(ns("2020-10-31T04:00+00:00") + k * HOUR, 100) for k in range(74)]
    assert [(r[1] - r[12]) // HOUR for r in build(rows, DAY, new_york, qty_decimals=0)] == [24, 25, 24]
    assert [(r[1] - r[12]) // HOUR for r in build(rows, 12 * HOUR, new_york, qty_decimals=0)] == [
        12,
        12,
        12,
        12,
        1,
        12,
        12,
    ]


def test_events_outside_every_session_form_no_bar_and_are_counted() -> None:
    builder = BarBuilder(MINUTE, XNYS, qty_decimals=0)
    opens = ns("2020-09-14T13:30+00:00")
    given = builder.add(records([trade(opens - 1, 1), trade(opens, 2), trade(opens + 7 * HOUR, 3)]))
    assert [tuple(r)[7:11] for r in given.tolist()] == [(2, 2, 2, 2)]
    assert builder.outside == 2
    bars_outside = BarBuilder(HOUR, XNYS)
    assert not len(bars_outside.add(records([bar(opens - 2 * MINUTE, opens, 5)])))
    assert bars_outside.outside == 1


def test_bar_across_an_edge_is_refused_with_both_named() -> None:
    opens = ns("2020-09-14T13:30+00:00")
    for row in (bar(opens - 30 * MINUTE, opens + 30 * MINUTE, 5), bar(opens + HOUR, opens + 3 * HOUR, 5)):
        with pytest.raises(
            DataError, match=f"IBM: a bar from {row[12]} to {row[1]} lies across an edge of the 1h bars"
        ):
            build([row], HOUR, XNYS, name="IBM")


def test_bar_that_reaches_back_into_a_complete_one_is_refused() -> None:
    rows = [bar(MONDAY, MONDAY + 5 * MINUTE, 5), bar(MONDAY + 4 * MINUTE, MONDAY + 6 * MINUTE, 5)]
    with pytest.raises(DataError, match="reaches back before"):
        build(rows, 5 * MINUTE)


def test_clock_that_goes_back_is_refused() -> None:
    with pytest.raises(DataError, match="time goes back: clock"):
        build([trade(MONDAY + 1, 5), trade(MONDAY, 5)], MINUTE, qty_decimals=0)


def test_trade_received_late_delays_the_bar_and_one_of_a_given_bar_is_counted() -> None:
    builder = BarBuilder(MINUTE, ALWAYS, qty_decimals=0)
    rows = [trade(MONDAY + MINUTE - 1, 10, late_by=SECOND), trade(MONDAY + MINUTE, 12, late_by=SECOND)]
    given = builder.add(records([*rows, trade(MONDAY + MINUTE - 1, 9, late_by=3 * SECOND)]))
    assert [tuple(r) for r in given[["clock", "ts_event", "p2"]].tolist()] == [
        (MONDAY + MINUTE + SECOND - 1, MONDAY + MINUTE, 10)
    ]
    assert builder.late == 1


def test_crossed_and_one_sided_quotes_are_left_out_and_counted_but_tell_the_time() -> None:
    builder = BarBuilder(MINUTE, ALWAYS)
    bad = [quote(MONDAY + 1, 12, 11), quote(MONDAY + 2, 0, 50), quote(MONDAY + 3, 50, 0)]
    assert not len(builder.add(records([quote(MONDAY, 10, 13), *bad])))
    assert builder.unusable == 3
    given = builder.add(records([quote(MONDAY + MINUTE, 9, 3)]))
    assert [tuple(r)[7:12] for r in given.tolist()] == [(11, 11, 11, 11, 0.0)]  # 11.5 rounded down


def test_volume_of_trades_is_in_base_units_and_needs_their_decimals() -> None:
    rows = [trade(MONDAY, 5, qty) for qty in (1, 2, 4)] + [trade(MONDAY + MINUTE, 5)]
    assert short(build(rows, MINUTE, qty_decimals=3))[0][-1] == 0.007
    with pytest.raises(DataError, match="unknown size") as caught:
        build(rows, MINUTE)
    assert caught.value.hint == "give qty_decimals"


def test_corporate_actions_pass_in_place_and_close_what_ended_before_them() -> None:
    opens = [MONDAY, MONDAY + DAY]
    rows = [trade(opens[0], 100), action(opens[1]), trade(opens[1], 50), trade(opens[1] + DAY, 51)]
    found = build(rows, DAY, qty_decimals=0)
    assert [(r[0], r[3]) for r in found] == [(opens[1], 0), (opens[1], 5), (opens[1] + DAY, 5)]
    assert [r[2] for r in found] == [0, 1, 2]
    assert [r[3] for r in build(rows, DAY, qty_decimals=0, actions=False)] == [5, 5]


def test_split_inside_a_bucket_is_refused_and_a_dividend_is_not() -> None:
    def rows(what: CorporateAction) -> list[Row]:
        return [trade(MONDAY, 100), action(MONDAY + HOUR, what), trade(MONDAY + DAY, 50)]

    with pytest.raises(DataError, match="would hold old shares and new"):
        build(rows(CorporateAction.SPLIT), DAY, qty_decimals=0)
    assert [r[3] for r in build(rows(CorporateAction.DIVIDEND), DAY, qty_decimals=0)] == [0, 5]


def test_two_kinds_of_events_are_refused_unless_one_is_named() -> None:
    rows = [trade(MONDAY, 100), quote(MONDAY + 1, 10, 12), trade(MONDAY + MINUTE, 101), quote(MONDAY + MINUTE, 8, 8)]
    with pytest.raises(DataError, match="was TRADE and now QUOTE"):
        build(rows, MINUTE, qty_decimals=0)
    assert short(build(rows, MINUTE, kind=EventKind.TRADE, qty_decimals=0))[0][2] == 100
    assert short(build(rows, MINUTE, kind=EventKind.QUOTE))[0][2] == 11


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"timeframe_ns": 7 * HOUR}, UsageError),
        ({"timeframe_ns": 0}, ValueError),
        ({"timeframe_ns": 2 * DAY}, ValueError),
        ({"timeframe_ns": 60.0}, TypeError),
        ({"series": 65_536}, ValueError),
        ({"qty_decimals": 16}, ValueError),
        ({"kind": EventKind.BOOK}, UsageError),
    ],
)
def test_setting_that_cannot_be_is_refused_at_the_call(settings: dict[str, Any], error: type[Exception]) -> None:
    given = {"timeframe_ns": HOUR} | settings
    with pytest.raises(error):
        resampled([], given.pop("timeframe_ns"), ALWAYS, **given)


def test_reading_is_lazy_and_the_chunks_are_not_the_builders_own_memory() -> None:
    def chunks() -> Iterator[Records]:
        for k in range(3):
            yield records([trade(MONDAY + k * MINUTE, 10 + k)])
        pytest.fail("read further than asked")

    found = resampled(chunks(), MINUTE, ALWAYS, qty_decimals=0)
    first, second = next(found), next(found)
    assert (first["p0"][0], second["p0"][0]) == (10, 11)
    first["p0"] = 0  # a run numbers what it is handed
    assert second["p0"][0] == 11


# Real files


def bitfinex(data: Path) -> Any:
    return read_market_data(data / "bars_1m" / "bitfinex_btcusd_1m_2018.csv.gz")[0]


@pytest.mark.slow
@pytest.mark.data
def test_bitcoin_minutes_of_2018_give_the_bars_that_grouping_by_utc_time_gives(data: Path) -> None:
    history = bitfinex(data)
    source = np.concatenate(list(history.chunks()))
    for text in ("5m", "15m", "1h", "1d"):
        length = timeframe_ns(text)
        found = np.concatenate(list(resampled(history.chunks(), length, ALWAYS)))
        number = source["ts_open"] // length
        starts = np.flatnonzero(np.diff(number, prepend=-1))
        ends = np.append(starts[1:], len(source)) - 1
        assert int(source["ts_event"][-1]) % DAY == 0  # the file runs to the end of the year: its last bar has ended
        assert np.array_equal(found["ts_open"], number[starts] * length)
        assert np.array_equal(found["ts_event"], found["ts_open"] + length)
        assert np.array_equal(found["clock"], found["ts_event"])
        assert np.array_equal(found["p0"], source["p0"][starts])
        assert np.array_equal(found["p1"], np.maximum.reduceat(source["p1"], starts))
        assert np.array_equal(found["p2"], np.minimum.reduceat(source["p2"], starts))
        assert np.array_equal(found["p3"], source["p3"][ends])
        assert np.allclose(found["volume"], np.add.reduceat(source["volume"], starts), rtol=1e-12, atol=0)


@pytest.mark.data
def test_minutes_of_new_york_give_the_daily_bars_that_lean_has_itself(data: Path) -> None:
    """Of BAC. The daily files of SPY (one low, by a cent) and IBM (by up to six cents) were not made of their minutes."""
    folder = data / "lean" / "equity" / "usa"
    minutes = read_market_data(folder / "minute" / "bac")[0]
    daily = read_market_data(folder / "daily" / "bac.zip")[0]
    until = ns("2013-10-12T00:00+00:00")
    chunks = minutes.chunks(None, until)
    found = [r for chunk in resampled(chunks, DAY, XNYS, actions=False, until_ns=until) for r in chunk.tolist()]
    known = {r[12]: r for chunk in daily.chunks() for r in chunk.tolist() if r[3] == EventKind.BAR}
    assert len(found) == 6
    finer = 10 ** (daily.instrument.price_decimals - minutes.instrument.price_decimals)
    for r in found:
        assert tuple(p * finer for p in r[7:11]) == known[r[12]][7:11]
        assert (r[1], r[11]) == (known[r[12]][1], known[r[12]][11])


DIGEST = """
import hashlib, sys
from pathlib import Path
from lockstep.features.bars import resampled
from lockstep.model.sessions import ALWAYS
from lockstep.store.catalog.readers import read_market_data
history = read_market_data(Path(sys.argv[1]))[0]
seen = hashlib.sha256()
for minutes in (5, 60, 1440):
    for chunk in resampled(history.chunks(), minutes * 60_000_000_000, ALWAYS):
        seen.update(chunk.tobytes())
print(seen.hexdigest())
"""


@pytest.mark.data
@pytest.mark.compiled
def test_resampled_bars_have_the_same_bytes_compiled_and_pure(data: Path) -> None:
    if module.__file__.endswith(".py"):
        pytest.skip("the package runs uncompiled here, so there is nothing to compare with")
    path = str(data / "bars_1m" / "ftx_btc-perp_1m_20211231_20220201.csv.gz")

    def digest(pure: str) -> str:
        environment = {**os.environ, "LOCKSTEP_PURE": pure}
        command = [sys.executable, "-c", DIGEST, path]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert digest("0") == digest("1") != ""

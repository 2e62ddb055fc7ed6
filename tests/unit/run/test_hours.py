"""Pre-market, regular and after-hours as a switch: which events a run sees."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from machine import DAY, MINUTE, SECOND

from lockstep.model.enums import CorporateAction, EventKind
from lockstep.model.record import MARKET_EVENT, Records
from lockstep.model.sessions import ALWAYS, XNYS, Session, session_with
from lockstep.run.hours import OpenHours
from lockstep.store.catalog.readers import read_market_data

NEW_YORK = ZoneInfo("America/New_York")
WINTER, SUMMER = "2020-01-15", "2020-07-15"
TIMES = ["03:59", "04:00", "09:29", "09:30", "15:59", "16:00", "16:01", "19:59", "20:00"]
PARTS = {
    ("pre",): ["04:00", "09:29"],
    ("regular",): ["09:30", "15:59"],
    ("after",): ["16:00", "16:01", "19:59"],
    ("pre", "regular"): ["04:00", "09:29", "09:30", "15:59"],
    ("regular", "after"): ["09:30", "15:59", "16:00", "16:01", "19:59"],
    ("pre", "after"): ["04:00", "09:29", "16:00", "16:01", "19:59"],
    ("pre", "regular", "after"): ["04:00", "09:29", "09:30", "15:59", "16:00", "16:01", "19:59"],
}


def at(day: str, text: str) -> int:
    return int(datetime.fromisoformat(f"{day}T{text}").replace(tzinfo=NEW_YORK).timestamp()) * SECOND


def events(kind: EventKind, times: Sequence[int], length: int = 0) -> Records:
    out = np.zeros(len(times), MARKET_EVENT)
    out["kind"] = int(kind)
    out["ts_event"] = out["clock"] = np.array(times, np.int64) + length
    if kind is EventKind.BAR:
        out["ts_open"] = times
    return out


def seen(session: Session, day: str, kind: EventKind, length: int = 0) -> list[str]:
    kept = OpenHours(session).keep(events(kind, [at(day, text) for text in TIMES], length))
    times = (kept["ts_event"] - length).tolist()
    return [text for text in TIMES if at(day, text) in times]


@pytest.mark.parametrize("day", [WINTER, SUMMER])
@pytest.mark.parametrize("parts", list(PARTS))
def test_trades_quotes_and_minute_bars_are_seen_in_the_chosen_parts_of_the_day(
    parts: tuple[str, ...], day: str
) -> None:
    session = session_with(XNYS, parts)
    for kind, length in ((EventKind.TRADE, 0), (EventKind.QUOTE, 0), (EventKind.BAR, MINUTE)):
        assert seen(session, day, kind, length) == PARTS[parts]


def test_bar_counts_where_it_ends() -> None:
    times = [at(WINTER, text) for text in ("08:30", "09:00", "10:00", "15:00", "15:30")]
    hours = OpenHours(XNYS)
    assert hours.keep(events(EventKind.BAR, times, 60 * MINUTE))["ts_open"].tolist() == times[1:4]
    assert (hours.kept, hours.bars, hours.ticks) == (3, 2, 0)


def test_tick_of_the_last_nanosecond_is_seen_and_one_at_the_close_is_not() -> None:
    close = at(WINTER, "16:00")
    assert OpenHours(XNYS).keep(events(EventKind.TRADE, [close - 1, close]))["ts_event"].tolist() == [close - 1]


def test_corporate_actions_pass_at_any_time() -> None:
    night = events(EventKind.CORPORATE_ACTION, [at(WINTER, "02:00")])
    night["aux"] = int(CorporateAction.SPLIT)
    hours = OpenHours(XNYS)
    assert len(hours.keep(night)) == 1
    assert (hours.kept, hours.bars, hours.ticks) == (0, 0, 0)


def test_weekend_is_closed_and_a_market_without_closing_time_never() -> None:
    saturday = events(EventKind.TRADE, [at("2020-01-18", "12:00")])
    assert len(OpenHours(session_with(XNYS, ["pre", "regular", "after"])).keep(saturday)) == 0
    assert OpenHours(ALWAYS).keep(saturday) is saturday


def test_what_is_left_out_is_counted() -> None:
    hours = OpenHours(session_with(XNYS, ["pre"]))
    assert list(hours.within([events(EventKind.BAR, [at(WINTER, "12:00")], MINUTE)])) == []
    assert (hours.kept, hours.bars, hours.ticks, hours.left_out) == (0, 1, 0, 1)
    assert list(OpenHours(XNYS).within([])) == []


def test_what_passes_does_not_depend_on_how_the_data_is_cut() -> None:
    rows = events(EventKind.TRADE, [at(WINTER, "00:00") + k * 17 * MINUTE for k in range(3000)])  # 35 days
    whole = np.concatenate(list(OpenHours(XNYS).within([rows])))
    pieces = OpenHours(XNYS)
    assert np.array_equal(np.concatenate(list(pieces.within(rows[k : k + 7] for k in range(0, 3000, 7)))), whole)
    assert pieces.kept + pieces.ticks == 3000
    assert (
        pieces.kept
        == len(whole)
        == sum(
            t.weekday() < 5 and (9, 30) <= (t.hour, t.minute) < (16, 0)
            for t in (datetime.fromtimestamp(ts // SECOND, NEW_YORK) for ts in rows["ts_event"].tolist())
        )
    )


@pytest.mark.data
def test_recorded_minutes_of_ibm_divide_into_the_three_parts_of_the_day(data: Path) -> None:
    history = read_market_data(data / "lean" / "equity" / "usa" / "minute" / "ibm")[0]
    counts = {}
    for part, (first, last) in {"pre": (240, 570), "regular": (570, 960), "after": (960, 1200)}.items():
        hours = OpenHours(session_with(XNYS, [part]))
        kept = np.concatenate(list(hours.within(history.chunks())))
        kept = kept[kept["kind"] == int(EventKind.BAR)]
        local = [datetime.fromtimestamp(ts // SECOND, NEW_YORK) for ts in kept["ts_open"].tolist()]
        assert all(first <= t.hour * 60 + t.minute < last for t in local)
        counts[part] = hours.kept
    assert counts["regular"] == 6 * 390 - 2  # two minutes without a trade
    assert sum(counts.values()) == history.info.rows


@pytest.mark.data
def test_daily_bars_pass_in_regular_hours(data: Path) -> None:
    history = read_market_data(data / "lean" / "equity" / "usa" / "daily" / "ibm.zip")[0]
    hours = OpenHours(XNYS)
    assert sum(map(len, hours.within(history.chunks()))) == history.count()
    assert (hours.kept, hours.bars) == (history.info.rows, 0)
    assert history.info.last_ns - history.info.first_ns > 20 * 365 * DAY

"""When a venue is open: time zones, daylight saving, and where one trading day ends."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.model.errors import UsageError
from lockstep.model.numbers import NANOS_PER_DAY, NANOS_PER_SECOND
from lockstep.model.sessions import (
    ALWAYS,
    FX,
    SESSIONS,
    WEEKDAYS,
    XNYS,
    XNYS_EXTENDED,
    Session,
    Window,
    session_named,
    session_with,
    utc_day_end,
)

HOUR = 3600 * NANOS_PER_SECOND


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NANOS_PER_SECOND


def spans(session: Session, start: str, end: str) -> list[tuple[str, str]]:
    def text(at: int) -> str:
        return datetime.fromtimestamp(at // NANOS_PER_SECOND, UTC).strftime("%m-%d %H:%M")

    return [(text(a), text(b)) for a, b in session.bounds(ns(start), ns(end))]


def test_new_york_hours_move_in_utc_when_the_clocks_change() -> None:
    # 2024-03-10: clocks go forward. Friday before, Monday after.
    assert spans(XNYS, "2024-03-08", "2024-03-11T22:00") == [
        ("03-08 14:30", "03-08 21:00"),
        ("03-11 13:30", "03-11 20:00"),
    ]
    # 2024-11-03: back again.
    assert spans(XNYS, "2024-11-01", "2024-11-04T22:00") == [
        ("11-01 13:30", "11-01 20:00"),
        ("11-04 14:30", "11-04 21:00"),
    ]


def test_fx_week_opens_on_sunday_and_turns_each_day_at_17_in_new_york() -> None:
    assert spans(FX, "2024-01-07", "2024-01-13T12:00") == [
        ("01-07 22:00", "01-08 22:00"),
        ("01-08 22:00", "01-09 22:00"),
        ("01-09 22:00", "01-10 22:00"),
        ("01-10 22:00", "01-11 22:00"),
        ("01-11 22:00", "01-12 22:00"),
    ]


def test_fx_day_of_the_clock_change_has_23_hours() -> None:
    (opens, closes), *_ = FX.bounds(ns("2024-03-10T12:00"), ns("2024-03-11T12:00"))
    assert (opens, closes) == (
        ns("2024-03-10T21:00"),
        ns("2024-03-11T21:00"),
    )  # the change itself falls in the closed hours
    assert ns("2024-03-08T22:00") in {close for _, close in FX.bounds(ns("2024-03-08"), ns("2024-03-09"))}


def test_weekday_sessions_end_at_midnight_and_the_week_at_friday() -> None:
    assert spans(WEEKDAYS, "2024-01-04T01:00", "2024-01-08T01:00") == [
        ("01-04 00:00", "01-05 00:00"), ("01-05 00:00", "01-06 00:00"), ("01-08 00:00", "01-09 00:00")
    ]  # fmt: skip


@given(
    name=st.sampled_from(sorted(SESSIONS)),
    at=st.integers(ns("1990-01-01"), ns("2040-01-01")),
    before=st.integers(0, 9 * NANOS_PER_DAY),
    after=st.integers(0, 9 * NANOS_PER_DAY),
)
def test_session_looks_the_same_whatever_range_asks_for_it(name: str, at: int, before: int, after: int) -> None:
    session = session_named(name)
    wide = session.bounds(at - before, at + after)
    assert all(a < b for a, b in wide)
    assert all(b <= c for (_, b), (c, _) in zip(wide, wide[1:], strict=False))  # half-open: none overlaps the next
    assert set(session.bounds(at, at)) <= set(wide)
    assert all(b - a <= 25 * HOUR for a, b in wide)


def test_daily_bar_is_bounded_by_the_session_or_by_the_local_day() -> None:
    assert XNYS.daily_bar_bounds(date(2024, 7, 1)) == (ns("2024-07-01T13:30"), ns("2024-07-01T20:00"))
    assert XNYS.daily_bar_bounds(date(2024, 7, 6)) == (ns("2024-07-06T04:00"), ns("2024-07-07T04:00"))  # a Saturday
    assert ALWAYS.daily_bar_bounds(date(2024, 7, 6)) == (ns("2024-07-06"), ns("2024-07-07"))
    assert FX.daily_bar_bounds(date(2024, 7, 5)) == (ns("2024-07-05T04:00"), ns("2024-07-05T21:00"))  # a Friday
    days = [FX.daily_bar_bounds(date(2024, 7, day)) for day in range(1, 6)]
    assert all(b <= c for (_, b), (c, _) in zip(days, days[1:], strict=False))


def test_only_a_session_without_closing_time_is_always_open() -> None:
    assert [name for name, session in sorted(SESSIONS.items()) if session.always_open] == ["24/7"]


@pytest.mark.parametrize("window", [(7, 0, 60), (-1, 0, 60), (0, 60, 60), (0, 600, 60), (0, 0, 1441), (0, -1, 60)])
def test_window_that_is_no_part_of_a_week_is_refused(window: tuple[int, int, int]) -> None:
    with pytest.raises(UsageError, match="no window of a week"):
        Window(*window)


@pytest.mark.parametrize("windows", [(), (Window(0, 0, 60), Window(0, 30, 90)), (Window(0, 90, 120), Window(0, 0, 60))])
def test_session_with_no_overlapping_or_unordered_windows_is_refused(windows: tuple[Window, ...]) -> None:
    with pytest.raises(UsageError, match="session odd"):
        Session(name="odd", timezone="UTC", windows=windows, periods_per_year=252)


def test_misspelt_session_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UsageError) as caught:
        session_named("XNYSE")
    assert caught.value.hint == "did you mean 'XNYS'?"


def test_utc_day_ends_at_the_midnight_after() -> None:
    assert utc_day_end(0) == NANOS_PER_DAY
    assert utc_day_end(NANOS_PER_DAY - 1) == NANOS_PER_DAY
    assert utc_day_end(NANOS_PER_DAY) == 2 * NANOS_PER_DAY


def test_trading_day_runs_from_its_first_opening_to_its_last_closing() -> None:
    halves = tuple(Window(day, *minutes) for day in range(5) for minutes in ((540, 690), (750, 905)))
    tokyo = Session(name="XTKS", timezone="Asia/Tokyo", windows=halves, periods_per_year=245)
    monday, tuesday = ns("2024-01-15T00:00"), ns("2024-01-16T05:00")
    assert [(b - a) // 60_000_000_000 for a, b in tokyo.trading_days(monday, tuesday)] == [365, 365]
    assert len(tokyo.bounds(monday, tuesday)) == 4


@pytest.mark.parametrize("name", sorted(SESSIONS))
def test_trading_days_without_a_break_are_the_sessions(name: str) -> None:
    session = session_named(name)
    start, end = ns("2024-02-27T13:00"), ns("2024-04-02T13:00")
    if name != "XNYS-pre+after":
        assert session.trading_days(start, end) == session.bounds(start, end)
    assert set(session.trading_days(start, start)) <= set(session.trading_days(start, end))


def test_parts_of_the_day_that_touch_are_one_session_at_whose_end_it_closes() -> None:
    day = ("2024-01-16T00:00", "2024-01-16T23:59")
    assert spans(session_with(XNYS, ["after", "pre", "regular"]), *day)[-1:] == spans(XNYS_EXTENDED, *day)[-1:]
    assert len(spans(session_with(XNYS, ["pre", "regular"]), *day)) == 1
    assert len(spans(session_with(XNYS, ["pre", "after"]), *day)) == 3  # the evening before reaches into the UTC day
    assert session_with(XNYS_EXTENDED, "regular") is XNYS


@pytest.mark.parametrize("base", [ALWAYS, FX, WEEKDAYS])
def test_calendar_without_parts_of_the_day_refuses_the_switch(base: Session) -> None:
    with pytest.raises(UsageError, match=r"has no parts of the day"):
        session_with(base, ["regular"])


@pytest.mark.parametrize(("parts", "words"), [([], "no part of the day"), (["premarket"], "unknown part of the day")])
def test_part_of_the_day_that_is_missing_or_misspelt_is_refused(parts: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        session_with(XNYS, parts)

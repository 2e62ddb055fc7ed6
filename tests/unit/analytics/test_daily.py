import numpy as np
import pandas as pd
import pytest

from lockstep.analytics.arrays import F64, I64
from lockstep.analytics.daily import daily_equity, local_days
from lockstep.analytics.returns import daily_returns
from lockstep.model.errors import DataError, UsageError


def ns(*times: str) -> I64:
    return np.array(times, dtype="datetime64[ns]").astype(np.int64)


def days(column: I64) -> list[str]:
    return [str(day) for day in column.astype("datetime64[D]")]


def test_daily_equity_takes_the_last_row_of_each_day() -> None:
    ts = ns("2018-01-01T10:00", "2018-01-01T23:59", "2018-01-02T00:01", "2018-01-02T12:00")
    daily = daily_equity(ts, np.array([100.0, 101.0, 102.0, 103.0]), timezone="UTC", always_open=True)
    assert days(daily.day) == ["2018-01-01", "2018-01-02"]
    assert daily.equity.tolist() == [101.0, 103.0]
    assert daily.base == 100.0


def test_row_at_midnight_closes_the_day_that_ended() -> None:
    assert days(local_days(ns("2018-01-02T00:00", "2018-01-02T00:00:00.000000001"), "UTC")) == [
        "2018-01-01",
        "2018-01-02",
    ]


def test_day_follows_the_zone_through_daylight_saving() -> None:
    # New York left EST for EDT on 2018-03-11: midnight moved from 05:00 to 04:00 UTC.
    ts = ns("2018-03-11T05:00", "2018-03-11T05:01", "2018-03-12T04:00", "2018-03-12T04:01")
    assert days(local_days(ts, "America/New_York")) == ["2018-03-10", "2018-03-11", "2018-03-11", "2018-03-12"]


def test_clock_set_back_after_midnight_does_not_start_a_day_twice() -> None:
    # St John's went from 00:01 back to 23:01 on 2006-10-29 (02:31 UTC).
    ts = ns("2006-10-29T02:29", "2006-10-29T02:31", "2006-10-29T02:45", "2006-10-29T04:00")
    found = local_days(ts, "America/St_Johns")
    assert np.all(np.diff(found) >= 0)
    assert days(found)[-1] == "2006-10-29"


def test_days_without_rows_are_absent_for_sessions_and_filled_around_the_clock() -> None:
    ts, equity = ns("2018-01-05T21:00", "2018-01-08T21:00"), np.array([100.0, 110.0])
    sessions = daily_equity(ts, equity, timezone="UTC", always_open=False)
    filled = daily_equity(ts, equity, timezone="UTC", always_open=True)
    assert sessions.equity.tolist() == [100.0, 110.0]
    assert filled.equity.tolist() == [100.0, 100.0, 100.0, 110.0]
    assert daily_returns(filled) == pytest.approx([0.0, 0.0, 0.1])


def test_initial_equity_gives_the_first_day_a_return() -> None:
    ts, equity = ns("2018-01-05T21:00", "2018-01-08T21:00"), np.array([99.0, 110.0])
    assert daily_returns(daily_equity(ts, equity, timezone="UTC", always_open=False)).size == 1
    daily = daily_equity(ts, equity, timezone="UTC", always_open=False, initial_equity=100.0)
    assert daily_returns(daily) == pytest.approx([-0.01, 1 / 9])
    assert daily.return_day.size == 2


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Seoul", "Australia/Lord_Howe"])
def test_daily_equity_of_recorded_minutes_equals_pandas(btc_minutes: tuple[I64, F64], zone: str) -> None:
    ts, close = btc_minutes
    daily = daily_equity(ts, close, timezone=zone, always_open=True)
    local = pd.to_datetime(ts - 1, utc=True).tz_convert(zone).tz_localize(None).normalize()
    wanted = pd.Series(close).groupby(np.asarray(local)).last().resample("D").last().ffill()
    assert np.array_equal(daily.equity, wanted.to_numpy())
    assert days(daily.day) == [str(day.date()) for day in wanted.index]


def test_empty_curve_has_no_days() -> None:
    daily = daily_equity(np.empty(0, np.int64), np.empty(0), timezone="Asia/Tokyo", always_open=True)
    assert daily.day.size == 0
    assert daily_returns(daily).size == 0


def test_unknown_timezone_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="America/New_Yorc") as refused:
        local_days(ns("2018-01-01"), "America/New_Yorc")
    assert "America/New_York" in refused.value.hint


@pytest.mark.parametrize(
    ("ts", "equity", "message"),
    [
        ([2, 1], [1.0, 1.0], "strictly increasing: row 1 is 1, the row before is 2"),
        ([1, 1], [1.0, 1.0], "strictly increasing"),
        ([1, 2], [1.0, float("nan")], "finite: row 1 of 2 is nan"),
        ([1, 2], [1.0, float("inf")], "finite"),
        ([1, 2], [1.0], "equally long"),
    ],
)
def test_bad_curve_is_refused_with_the_row_at_fault(ts: list[int], equity: list[float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        daily_equity(np.array(ts), np.array(equity), timezone="UTC", always_open=True)


def test_curve_of_the_wrong_dtype_is_refused() -> None:
    with pytest.raises(DataError, match="equity must be float64: was int64"):
        daily_equity(np.array([1, 2]), np.array([1, 2]), timezone="UTC", always_open=True)
    with pytest.raises(DataError, match="ts must be int64"):
        daily_equity(np.array([1.0]), np.array([1.0]), timezone="UTC", always_open=True)


def test_initial_equity_not_positive_is_refused() -> None:
    with pytest.raises(UsageError, match="initial_equity must be positive: was 0"):
        daily_equity(np.array([1]), np.array([1.0]), timezone="UTC", always_open=True, initial_equity=0.0)

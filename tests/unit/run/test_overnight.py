"""Over the night between two sessions: IBM's recorded minutes of October 2013, regular hours.

It closed at 181.34 on the 9th and opened at 183.17 on the 10th, after a day whose high was 181.66.
"""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from machine import FREE, MINUTE, SECOND, Machine, Plan

from lockstep.model.sessions import XNYS
from lockstep.run.hours import OpenHours
from lockstep.store.catalog.readers import read_market_data

pytestmark = pytest.mark.data
STOP = 182.0


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York")).timestamp()) * SECOND


@pytest.fixture(scope="module")
def run(data: Path) -> Machine:
    """Holds 100 from the first bar on; an hour before the close of the 9th it sends two buy stops above the day's high."""
    history = read_market_data(data / "lean" / "equity" / "usa" / "minute" / "ibm")[0]
    hours = OpenHours(XNYS)
    rows = np.concatenate(list(hours.within(history.chunks(ns("2013-10-08T09:30")))))

    def plan(strategy: Plan, bar: object) -> None:
        if strategy.k == 0:
            strategy.buy(100)
        if strategy.now == ns("2013-10-09T15:00"):
            strategy.buy(10, stop=STOP, tif="DAY")
            strategy.buy(10, stop=STOP, tif="GTC")

    machine = Machine([(history.instrument.with_fees(FREE), rows)])
    return machine.seat(Plan(plan)).go()


def test_stop_that_the_night_gapped_over_fills_at_the_open_beyond_it(run: Machine) -> None:
    fill = run.fills[-1]
    assert len(run.fills) == 2
    assert (fill.order_id, fill.ts_event, fill.qty) == (3, ns("2013-10-10T09:30"), 10)
    first_bar = next(row for row in run.data[0].tolist() if row[12] == fill.ts_event)
    assert fill.price == first_bar[7] == 18_317
    assert fill.price > STOP * 100
    assert run.story(3) == ["submit", "accept", "trigger", "fill"]


def test_day_order_ends_at_the_close_and_gtc_rests_over_the_night(run: Machine) -> None:
    (expire,) = [row for row in run.decisions if row.kind == "expire"]
    assert (expire.id, expire.ts_event, expire.reason) == (2, ns("2013-10-09T16:00"), "TIME_IN_FORCE")
    assert run.story(2) == ["submit", "accept", "expire"]


def test_equity_moves_over_the_night_by_what_is_held_times_the_price(run: Machine) -> None:
    rows = [(ints[0], floats[1]) for ints, floats in run.equity_rows]
    closes = dict(run.data[0][["clock", "p3"]].tolist())
    held = 100
    for (before, was), (after, now) in zip(rows[1:], rows[2:], strict=False):
        if after == ns("2013-10-10T09:31"):
            held += 10
            paid = closes[after] - 18_317  # what was bought at the open gained this much by the end of its minute
            assert now - was == pytest.approx((100 * (closes[after] - closes[before]) + 10 * paid) / 100, abs=1e-6)
            assert after - before == (17 * 60 + 31) * MINUTE
        else:
            assert now - was == pytest.approx(held * (closes[after] - closes[before]) / 100, abs=1e-6)
    assert held == 110

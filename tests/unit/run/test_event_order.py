"""In which order a strategy meets the world, and which bar an order of its may meet."""

from datetime import timedelta

import pytest
from machine import DAY, HOUR, MILLI, MINUTE, NO_LATENCY, SECOND, T0, Machine, Plan, bars, coin, one, records

from lockstep.model.enums import CorporateAction
from lockstep.model.errors import DataError
from lockstep.risk.limits import RiskLimits
from lockstep.sim.models import LATENCIES, Latency


def test_market_order_meets_the_next_open_and_fills_are_heard_before_that_bar() -> None:
    run = one(bars(100, (101, 109, 95, 105), 106), {0: lambda s: s.buy(1)})
    plan = run.plan
    assert plan.seen == [
        ("bar", T0 + HOUR, "AAA"),
        ("order", T0 + HOUR, "ACCEPT", 1),
        ("order", T0 + HOUR, "FILL", 1),
        ("fill", T0 + HOUR, 1),
        ("bar", T0 + 2 * HOUR, "AAA"),
        ("bar", T0 + 3 * HOUR, "AAA"),
    ]
    (fill,) = run.fills
    assert (fill.ts_event, fill.price, fill.liquidity) == (T0 + HOUR, 101, "TAKER")


def test_limit_fill_is_stamped_inside_the_bar_and_heard_before_its_end() -> None:
    run = one(bars(100, (101, 109, 95, 105), 106), {0: lambda s: s.buy(1, limit=97)})
    (fill,) = run.fills
    assert T0 + HOUR < fill.ts_event < T0 + 2 * HOUR
    assert fill.ts == fill.ts_event
    assert (fill.price, fill.liquidity) == (97, "MAKER")


@pytest.mark.parametrize(
    ("latency_ns", "hours"), [(0, 1), (5 * MILLI, 1), (HOUR - 1, 1), (HOUR, 2), (HOUR + 1, 2), (2 * HOUR, 3)]
)
def test_order_meets_the_next_open_iff_its_latency_is_shorter_than_a_bar(latency_ns: int, hours: int) -> None:
    run = one(bars(100, 101, 102, 103, 104), {0: lambda s: s.buy(1)}, latency=Latency(entry_ns=latency_ns))
    (fill,) = run.fills
    assert fill.price == 100 + hours
    assert fill.ts_event == max(T0 + hours * HOUR, T0 + HOUR + latency_ns)


@pytest.mark.parametrize("feed_ns", [0, 200 * MILLI, 30 * MINUTE])
def test_feed_latency_delays_what_is_known_but_not_which_open_is_met(feed_ns: int) -> None:
    run = one(bars(100, 101, 102, 103), {0: lambda s: s.buy(1)}, latency=Latency(feed_ns=feed_ns))
    (fill,) = run.fills
    assert (fill.price, fill.ts_event) == (101, T0 + HOUR + feed_ns)


def test_feed_latency_of_a_whole_bar_misses_the_next_open() -> None:
    run = one(bars(100, 101, 102, 103), {0: lambda s: s.buy(1)}, latency=Latency(feed_ns=HOUR))
    assert [fill.price for fill in run.fills] == [102]


def test_timers_come_between_events_and_at_a_bars_clock_after_the_bar() -> None:
    def start(s: Plan) -> None:
        s.set_timer("at", at=T0 + HOUR)
        s.set_timer("after", after=timedelta(minutes=90))
        s.set_timer("every", every=timedelta(minutes=40))

    run = one(bars(100, 101, 102), {}, handlers={"start": start})
    minutes = [(what[0], (what[1] - T0) // MINUTE, what[2]) for what in run.plan.seen]
    assert minutes == [
        ("timer", 40, "every"),
        ("bar", 60, "AAA"),
        ("timer", 60, "at"),
        ("timer", 80, "every"),
        ("timer", 90, "after"),
        ("bar", 120, "AAA"),
        ("timer", 120, "every"),
        ("timer", 160, "every"),
        ("bar", 180, "AAA"),
    ]


def test_timer_at_the_last_clock_fires_after_the_last_bar() -> None:
    run = one(bars(100, 101), {}, handlers={"start": lambda s: s.set_timer("end", at=T0 + 2 * HOUR)})
    assert run.plan.seen[-1] == ("timer", T0 + 2 * HOUR, "end")


@pytest.mark.parametrize("latency", [NO_LATENCY, LATENCIES["standard"]])
def test_orders_sent_inside_a_bar_never_meet_that_bar(latency: Latency) -> None:
    """From on_fill at the open and from a timer in the middle; both instruments, either order."""
    for first, second in ((0, 1), (1, 0)):
        rows = [(coin("AAA"), records(bars(100, 101, 102, 103))), (coin("BBB"), records(bars(200, 201, 202, 203)))]
        machine = Machine(rows, latency=latency)
        names = ["AAA", "BBB"]

        def on_fill(s: Plan, fill: object, *, other: str = names[second]) -> object:
            return s.buy(1, instrument=other) if fill.symbol != other else None  # type: ignore[attr-defined]

        def on_timer(s: Plan, timer: object, *, other: str = names[second]) -> object:
            return s.buy(2, instrument=other)

        plan = Plan(
            {first: lambda s, name=names[first]: s.buy(5, instrument=name)},
            fill=on_fill,
            timer=on_timer,
            start=lambda s: s.set_timer("x", at=T0 + HOUR + 30 * MINUTE),
        )
        machine.seat(plan, 0, 1).go()
        got = [((fill.ts_event - T0) // HOUR, fill.instrument, fill.qty) for fill in machine.fills]
        assert sorted(got) == sorted([(1, first, 5), (2, second, 1), (2, second, 2)])


@pytest.mark.parametrize("feed_ns", [0, 200 * MILLI])
def test_order_from_a_timer_at_a_bars_end_meets_the_next_open_unless_the_feed_is_late(feed_ns: int) -> None:
    run = one(
        bars(100, 101, 102, 103),
        {},
        handlers={"start": lambda s: s.set_timer("x", at=T0 + 2 * HOUR), "timer": lambda s, _: s.buy(1, limit=500)},
        latency=Latency(feed_ns=feed_ns),
    )
    assert [fill.price for fill in run.fills] == [102]


def test_a_late_report_never_makes_an_order_older_than_what_its_sender_knew() -> None:
    """A fill stamped 0:30 is learnt at 1:30, with a bar of the LONG one half over: its open at 1:00 is history."""
    rows = [
        (coin("MID"), records(bars((100, 111, 90, 100), 100, 100, step=2 * HOUR))),
        (coin("HALF"), records(bars(*([50] * 12), step=30 * MINUTE))),
        (coin("LONG"), records(bars(300, 500, start=T0 + HOUR, step=2 * HOUR))),
    ]
    machine = Machine(rows)
    plan = Plan(
        {},
        start=lambda s: s.buy(1, limit=95, instrument="MID"),
        fill=lambda s, fill: s.buy(1, limit=1000, instrument="LONG") if fill.symbol == "MID" else None,
    )
    # The account has no equity yet to check buying power by: MID was bought before its first bar is known.
    machine.seat(plan, 0, 1, 2, limits=RiskLimits(buying_power=False)).go()
    first, second = machine.fills
    assert (first.ts_event, first.ts) == (T0 + 30 * MINUTE, T0 + 90 * MINUTE)
    assert (second.ts_event, second.price) == (T0 + 3 * HOUR, 500)


def test_reports_of_all_instruments_come_before_the_bars_of_their_clock() -> None:
    rows = [(coin(name), records(bars(100, (101, 109, 95, 105), 106))) for name in ("AAA", "BBB", "CCC")]
    machine = Machine(rows)
    plan = Plan(
        lambda s, bar: s.buy(1, limit=97, instrument=bar.symbol) if bar.ts_event == T0 + HOUR else None,
    )
    machine.seat(plan, 0, 1, 2).go()
    kinds = [what[0] for what in plan.seen if what[1] > T0 + HOUR]
    assert kinds == ["order", "fill"] * 3 + ["bar"] * 6
    times = [what[1] for what in plan.seen]
    assert times == sorted(times)


def test_instruments_of_one_clock_are_shown_in_their_order_and_marked_once() -> None:
    rows = [(coin(name), records(bars(100, 101, 102))) for name in ("CCC", "AAA", "BBB")]
    machine = Machine(rows)
    plan = Plan({})
    machine.seat(plan, 0, 1, 2).go()
    assert [what[2] for what in plan.seen] == ["CCC", "AAA", "BBB"] * 3
    assert [row[0] for row, _ in machine.equity_rows] == [T0 + HOUR, T0 + 2 * HOUR, T0 + 3 * HOUR]


def test_bars_of_different_lengths_are_shown_by_their_ends() -> None:
    rows = [
        (coin("HOUR"), records(bars(100, 101, step=HOUR))),
        (coin("HALF"), records(bars(*range(200, 204), step=HOUR // 2))),
    ]
    machine = Machine(rows)
    plan = Plan({})
    machine.seat(plan, 0, 1).go()
    assert [((what[1] - T0) // MINUTE, what[2]) for what in plan.seen] == [
        (30, "HALF"), (60, "HOUR"), (60, "HALF"), (90, "HALF"), (120, "HOUR"), (120, "HALF"),
    ]  # fmt: skip


@pytest.mark.parametrize("beside", [False, True])
def test_cancel_inside_a_bar_takes_effect_at_its_end_whoever_else_trades(beside: bool) -> None:
    """The limit is met at 45 minutes, the cancel sent at 20: the bar is one moment, with or without a faster neighbour."""
    rows = [(coin("AAA"), records(bars(100, (100, 101, 90, 100), (100, 101, 80, 100), 100)))]
    if beside:
        rows.append((coin("BBB"), records(bars(*([50] * 24), step=10 * MINUTE))))

    def timer(s: Plan, _: object) -> None:
        s.cancel()

    plan = Plan(
        lambda s, bar: (
            [s.buy(1, limit=95, instrument="AAA"), s.buy(1, limit=85, instrument="AAA")]
            if bar.symbol == "AAA" and bar.ts_event == T0 + HOUR
            else None
        ),
        start=lambda s: s.set_timer("x", at=T0 + 80 * MINUTE),
        timer=timer,
    )
    machine = Machine(rows)
    machine.seat(plan, *range(len(rows))).go()
    assert [(fill.price, fill.order_id) for fill in machine.fills] == [(95, 1)]
    assert machine.story(1)[-1] == "fill"
    assert machine.story(2) == ["submit", "accept", "cancel_request", "cancel"]
    (cancel,) = [row for row in machine.decisions if row.kind == "cancel"]
    assert cancel.ts_event == T0 + 2 * HOUR


def test_cancel_rejected_for_a_fill_in_the_same_bar_is_not_heard_before_the_fill() -> None:
    run = one(
        bars(100, (100, 101, 90, 100), 100),
        {0: lambda s: s.buy(1, limit=95)},
        handlers={
            "start": lambda s: s.set_timer("x", at=T0 + HOUR + MINUTE),
            "timer": lambda s, _: [s.cancel()],
        },
    )
    kinds = [what[2] for what in run.plan.seen if what[0] == "order"]
    assert kinds == ["ACCEPT", "FILL"]
    assert run.engine.orphans == {}
    assert run.engine.state.orders.ignored == {("FILLED", "CANCEL_REJECT"): 1}


def test_band_of_an_order_sent_inside_a_bar_is_measured_from_the_price_known_then() -> None:
    run = one(
        bars(1000, (1000, 2000, 1000, 2000), 2000),
        {},
        instrument=coin(price_band_bps=500),
        handlers={
            "start": lambda s: s.set_timer("x", at=T0 + HOUR + MINUTE),
            "timer": lambda s, _: [s.buy(1, limit=1050), s.buy(1, limit=1990)],
        },
    )
    assert run.story(1) == ["submit", "accept"]
    assert run.story(2) == ["submit", "reject"]


def test_daily_orders_wait_over_night_for_the_next_open() -> None:
    days = [row._replace(ts_open=row.ts_end - 7 * HOUR) for row in bars(100, 101, 102, step=DAY)]
    run = one(days, {0: lambda s: s.buy(1)}, latency=LATENCIES["standard"], queue_outside_hours=True)
    (fill,) = run.fills
    assert (fill.price, fill.ts_event) == (101, days[1].ts_open)
    (accept,) = [row for row in run.decisions if row.kind == "accept"]
    assert days[0].ts_end + 5 * MILLI <= accept.ts < days[0].ts_end + 7 * MILLI


def test_events_that_go_back_in_time_are_refused() -> None:
    rows = records(bars(100, 101, 102))
    rows["clock"][2] = T0
    with pytest.raises(DataError, match="time goes back"):
        Machine([(coin(), rows)]).seat(Plan({})).go()


def test_corporate_action_comes_before_the_bar_of_its_clock() -> None:
    rows = bars(100, 100, 50, 50)
    machine = Machine([(coin(), records(rows, [(T0 + 2 * HOUR + 1, CorporateAction.SPLIT, 2, 1)]))])
    plan = Plan(lambda s, _bar: s.seen.append(("last", s.last_price())))
    machine.seat(plan).go()
    assert [what[1] for what in plan.seen if what[0] == "last"] == [100, 100, 50, 50]


def test_chunks_make_no_difference() -> None:
    stories = []
    for chunk in (1, 2, 3, 100):
        machine = Machine([(coin(name), records(bars(*range(100, 120)))) for name in ("A", "B")], chunk=chunk)
        plan = Plan({k: (lambda s, k=k: s.buy(k + 1, instrument="AB"[k % 2])) for k in range(0, 30, 3)})
        machine.seat(plan, 0, 1).go()
        stories.append(machine.decision_rows)
    assert all(story == stories[0] for story in stories)
    assert len(stories[0]) > 20


@pytest.mark.slow
def test_long_latency_keeps_memory_bounded() -> None:
    """With something always in flight the queues are compacted, and nothing is lost or reordered."""
    rows = bars(*([100] * 10_000), step=SECOND)
    machine = Machine([(coin(), records(rows))], latency=Latency(entry_ns=100 * SECOND, fill_ns=50 * SECOND))
    plan = Plan(lambda s, _bar: s.order(1 if s.k % 2 == 0 else -1) and None)
    machine.seat(plan).go()
    filled = [fill.order_id for fill in machine.fills]
    assert filled == list(range(1, len(filled) + 1))
    assert len(filled) > 9_800

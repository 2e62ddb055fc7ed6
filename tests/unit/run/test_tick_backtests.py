"""Whole backtests on quotes, trades and bars made by hand: what is known when, what the account says, what is refused."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from histories import bar_history, history, quotes, strategy, trades
from machine import HOUR, MINUTE, SECOND, T0, bars, coin

from lockstep.model.enums import CorporateAction
from lockstep.model.errors import DataError, StrategyError
from lockstep.model.sessions import XNYS
from lockstep.run.backtest import Backtest, Outcome
from lockstep.run.config import BacktestConfig
from lockstep.run.plan import StrategyPlan
from lockstep.run.prices import hold, hold_all
from lockstep.run.tables import equity_columns
from lockstep.sim.models import LATENCIES, BarFills, Latency, Slippage

FREE: dict[str, Any] = {
    "latency": LATENCIES["none"],
    "slippage": Slippage(),
    "fills": BarFills(participation=None),
    "cash": Decimal(10_000_000),
}
BUY_ONCE = """
    def on_start(self):
        self.sent = False

    def act(self, event):
        if not self.sent:
            self.sent = True
            self.buy(1)

    on_bar = on_quote = on_trade = act
"""


def run(plans: Any, data: Any, **config: Any) -> Outcome:
    return Backtest(plans, data, BacktestConfig(**(FREE | config))).run()


def fills(outcome: Outcome) -> list[tuple[int, int]]:
    """(venue time after T0, price) of each."""
    return list(zip((outcome.fill_rows.column(1) - T0).tolist(), outcome.fill_rows.column(6).tolist(), strict=True))


# ---- what is known when


def test_recorded_receive_times_make_an_order_meet_the_market_of_its_arrival(tmp_path: Path) -> None:
    # Received 10 after it happened: whoever buys on the first quote at 10 meets the one that stood since 5.
    data = history(quotes((0, 99, 101, 9, 9, 10), (5, 99, 105, 9, 9, 15), (40, 99, 107, 9, 9, 50)))
    assert fills(run(strategy(tmp_path, BUY_ONCE), [data])) == [(10, 105)]


def test_a_feed_latency_is_not_added_to_what_was_recorded(tmp_path: Path) -> None:
    data = history(quotes((0, 99, 101, 9, 9, 10), (5, 99, 105, 9, 9, 15), (40, 99, 107, 9, 9, 50)))
    late = {"latency": Latency(feed_ns=30)}
    assert fills(run(strategy(tmp_path, BUY_ONCE), [data], **late)) == [(10, 105)]
    unrecorded = history(quotes((0, 99, 101, 9, 9), (5, 99, 105, 9, 9), (40, 99, 107, 9, 9)))
    assert fills(run(strategy(tmp_path, BUY_ONCE), [unrecorded], **late)) == [(30, 105)]


def test_receive_times_in_another_order_than_the_events_are_taken_as_they_came(tmp_path: Path) -> None:
    rows = quotes((0, 99, 101, 9, 9, 10), (9, 99, 105, 9, 9, 15), (7, 99, 103, 9, 9, 20), (99, 99, 107, 9, 9, 90))
    assert fills(run(strategy(tmp_path, BUY_ONCE), [history(rows)])) == [(10, 103)]


def test_history_shows_no_bar_that_ends_after_the_start(tmp_path: Path) -> None:
    body = """
    history = 2
    trades = "all"

    def on_start(self):
        self.past = []

    def on_history(self, bar):
        self.past.append((bar.symbol, bar.ts_open, bar.ts_event))

    def on_bar(self, bar):
        pass
"""
    slow, fast = coin("DAY"), coin("MIN")
    start = T0 + 3 * HOUR + 5 * MINUTE  # inside a bar of an hour
    data = [
        bar_history(bars(*range(100, 110)), slow),
        bar_history(bars(*range(100, 700), step=MINUTE), fast),
    ]
    outcome = run(strategy(tmp_path, body), data, start_ns=start)
    shown: Any = outcome.engine.seats[0].strategy
    past = shown.past
    assert max(end for _, _, end in past) <= start
    assert [(begin - T0) // HOUR for symbol, begin, _ in past if symbol == "DAY"] == [1, 2]
    assert outcome.history_missing == []


def test_a_split_reaches_orders_before_the_first_tick_in_new_shares(tmp_path: Path) -> None:
    body = """
    def on_start(self):
        self.sent = False

    def on_quote(self, quote):
        if not self.sent:
            self.sent = True
            self.buy(10)
            self.buy(10, limit=90)
"""
    day = HOUR
    data = [
        bar_history(bars(100, 50, 50), actions=[(T0 + day, CorporateAction.SPLIT, 2, 1)]),
        history(quotes((10, 99, 101, 50, 50), (day + 1, 49, 51, 50, 50), (day + SECOND, 49, 51, 50, 50))),
    ]
    outcome = run(strategy(tmp_path, body), data, latency=Latency(feed_ns=1000))
    assert fills(outcome) == [(1010, 101)]  # the limit is 45 now
    assert [position.units for position in outcome.engine.portfolio.positions] == [20]


# ---- the account


def test_the_last_row_of_the_equity_curve_is_the_final_equity(tmp_path: Path) -> None:
    body = """
    def on_quote(self, quote):
        if quote.ts_event == LAST:
            self.buy(5)
"""
    rows = quotes((0, 99, 101, 9, 9), (SECOND, 99, 101, 9, 9))
    made = strategy(tmp_path, body.replace("LAST", str(T0 + SECOND)))
    outcome = run(made, [history(rows)])
    assert outcome.fills == 1
    equity = equity_columns(outcome)
    assert equity["equity"][-1] == outcome.final_equity == 10_000_000 - 5
    assert len(set(equity["ts"].tolist())) == len(equity["ts"])


def test_an_order_at_the_last_bar_of_another_instrument_is_in_the_last_row(tmp_path: Path) -> None:
    body = """
    trades = "all"

    def on_bar(self, bar):
        if bar.ts_event == LAST:
            self.buy(5, instrument="QUO")
"""
    made = strategy(tmp_path, body.replace("LAST", str(T0 + 2 * HOUR)))
    data = [bar_history(bars(100, 100), coin("BAR")), history(quotes((HOUR, 99, 101, 9, 9)), coin("QUO"))]
    outcome = run(hourly(made), data)
    equity = equity_columns(outcome)
    assert equity["equity"][-1] == outcome.final_equity == 10_000_000 - 5
    assert equity["ts"].tolist() == sorted(set(equity["ts"].tolist()))


def hourly(made: Any) -> list[StrategyPlan]:
    return [StrategyPlan(made, timeframe="1h")]


def test_no_row_of_the_equity_curve_holds_a_fill_from_after_it(tmp_path: Path) -> None:
    rows = quotes((0, 99, 101, 9, 9), (SECOND, 99, 101, 9, 9), (2 * MINUTE, 99, 101, 9, 9), (4 * MINUTE, 99, 101, 9, 9))
    config = {"latency": Latency(feed_ns=SECOND, entry_ns=10 * SECOND)}
    outcome = run(strategy(tmp_path, BUY_ONCE), [history(rows)], **config)
    filled = int(outcome.fill_rows.column(0)[0])
    equity = equity_columns(outcome)
    early = equity["equity"][equity["ts"] < filled]
    assert len(early)
    assert early.tolist() == [10_000_000] * len(early)


def test_buy_and_hold_counts_an_instrument_without_a_whole_minute_as_money(tmp_path: Path) -> None:
    short = history(trades((0, 100, 5), (SECOND, 100, 5)), coin("TIN"))
    long = history(trades(*((k * MINUTE, 100, 5) for k in range(5))), coin("LON"))
    feeds = Backtest(strategy(tmp_path, BUY_ONCE), [short, long]).feeds
    ts, equity = hold_all([hold(entry.view(), 100.0, None, None) for entry in feeds])
    assert len(ts)
    assert np.allclose(equity, 200.0)


# ---- the same run whatever the order


def test_the_order_of_the_data_does_not_change_the_run_hash(tmp_path: Path) -> None:
    made = strategy(tmp_path, BUY_ONCE)
    a, b = history(quotes((0, 99, 101, 9, 9), (9, 99, 101, 9, 9))), history(trades((1, 100, 5), (8, 100, 5)))
    assert run(made, [a, b]).run_hash == run(made, [b, a]).run_hash


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_the_size_of_chunks_does_not_change_the_run(tmp_path: Path, chunk: int) -> None:
    made = strategy(tmp_path, BUY_ONCE)
    rows = quotes(*((k * 20 * SECOND, 99, 101 + k % 2, 9, 9, k * 20 * SECOND + k % 3) for k in range(20)))
    rows["clock"] = np.maximum.accumulate(rows["clock"])
    whole = run([StrategyPlan(made, timeframe="1m")], [history(rows)])
    parts = run([StrategyPlan(made, timeframe="1m")], [history(rows, chunk=chunk)])
    assert whole.run_hash == parts.run_hash
    assert whole.fills == 1


# ---- hours and ranges


def test_hours_reach_as_far_as_the_longest_of_an_instruments_histories(tmp_path: Path) -> None:
    stock = coin(session=XNYS)
    noon = 16 * HOUR  # of a Monday in New York
    weeks = 21 * 24 * HOUR
    quoted = history(
        quotes((noon, 99, 101, 9, 9), (noon + SECOND, 99, 101, 9, 9), (weeks + noon, 99, 101, 9, 9)), stock
    )
    traded = history(trades((weeks + noon, 100, 5)), stock)
    assert fills(run(strategy(tmp_path, BUY_ONCE), [quoted, traded])) == [(noon, 101)]


def test_hours_that_leave_corporate_actions_alone_are_refused(tmp_path: Path) -> None:
    stock = coin(session=XNYS)
    open_ns = T0 + 13 * HOUR + 30 * MINUTE
    data = bar_history(bars(100, 100, start=open_ns), stock, actions=[(open_ns, CorporateAction.DIVIDEND, 1, 0)])
    with pytest.raises(DataError, match="nothing happens in the hours of session XNYS-pre"):
        run(strategy(tmp_path, BUY_ONCE), [data], sessions=("pre",))


# ---- what could never work is said


@pytest.mark.parametrize(
    ("declared", "what"),
    [
        ("self.indicator(EMA(2))", "indicators"),
        ("self.window(3)", "window"),
        ("self.indicator(EMA(2), on='trades')", "indicators"),
    ],
)
def test_what_would_never_be_fed_is_refused(tmp_path: Path, declared: str, what: str) -> None:
    body = f"    def on_start(self):\n        self.x = {declared}\n\n    def on_bar(self, e):\n        self.buy(1)\n\n    on_quote = on_bar"
    made = strategy(tmp_path, body)
    data = history(quotes((0, 99, 101, 9, 9), (MINUTE, 99, 101, 9, 9), (2 * MINUTE, 99, 101, 9, 9)))
    with pytest.raises(StrategyError, match=f"{what} .* the data of AAA are quotes"):
        run(made, [data])


def test_an_indicator_of_bars_is_fed_where_a_timeframe_makes_them(tmp_path: Path) -> None:
    body = "    def on_start(self):\n        self.x = self.indicator(EMA(1))\n\n    def on_bar(self, e):\n        self.buy(1)\n\n    on_quote = on_bar"
    rows = quotes((0, 99, 101, 9, 9), (MINUTE, 99, 101, 9, 9), (2 * MINUTE, 99, 101, 9, 9))
    assert run([StrategyPlan(strategy(tmp_path, body), timeframe="1m")], [history(rows)]).fills > 0


def test_a_bar_that_is_only_late_is_not_carried_beside_it(tmp_path: Path) -> None:
    body = """
    def on_start(self):
        self.seen = []

    def on_bar(self, bar):
        self.seen.append((bar.ts_open, bar.is_carried))
"""
    # The last part of every minute of LAT is known two seconds late: its bars come after those of the others.
    stamps = [(m * MINUTE + 59 * SECOND, 99, 101, 9, 9, m * MINUTE + 62 * SECOND) for m in range(5)]
    late = history(quotes(*stamps, (6 * MINUTE, 99, 101, 9, 9)), coin("LAT"))
    prompt = history(quotes(*((m * MINUTE, 99, 101, 9, 9) for m in range(7))), coin("PRO"))
    made = strategy(tmp_path, body)
    outcome = run([StrategyPlan(made, timeframe="1m")], [late, prompt], missing_bars="carry")
    for seat in outcome.engine.seats:
        shown: Any = seat.strategy
        opens = [opened for opened, _ in shown.seen]
        assert opens == sorted(set(opens))
        assert [carried for opened, carried in shown.seen if opened < T0 + 5 * MINUTE] == [False] * 5


def test_an_order_caused_by_a_bar_arrives_after_the_ticks_the_venue_has_seen(tmp_path: Path) -> None:
    body = """
    trades = "all"

    def on_start(self):
        self.sent = False

    def on_quote(self, quote):
        if not self.sent:
            self.sent = True
            self.buy(1, instrument="BAR")

    def on_fill(self, fill):
        if fill.symbol == "BAR":
            self.buy(1, instrument="QUO")
"""
    # Filled at 2:00 inside a bar that is known at 3:01, when the venue has seen the quote of 3:00.5 and we that of 2:40.
    last = 3 * MINUTE + SECOND // 2
    quoted = quotes((61 * SECOND, 99, 101, 9, 9), (160 * SECOND, 99, 103, 9, 9), (last, 99, 107, 9, 9))
    data = [history(quoted, coin("QUO")), bar_history(bars(50, 50, 50, step=MINUTE), coin("BAR"))]
    outcome = run(strategy(tmp_path, body), data, latency=Latency(feed_ns=SECOND))
    assert fills(outcome) == [(2 * MINUTE, 50), (last, 107)]


def test_a_cooldown_counted_in_bars_is_refused_where_there_are_none(tmp_path: Path) -> None:
    file = strategy(tmp_path, f"    cooldown_bars = 3\n{BUY_ONCE}")
    data = history(quotes((0, 99, 101, 9, 9), (5 * MINUTE, 99, 105, 9, 9)))
    with pytest.raises(StrategyError, match="cooldown_bars counts bars, and AAA gives it none"):
        run(file, [data])
    run([StrategyPlan(file, timeframe="1m")], [data])


def test_the_name_of_a_strategy_in_a_run_is_part_of_the_run(tmp_path: Path) -> None:
    file = strategy(tmp_path, BUY_ONCE)
    data = history(quotes((0, 99, 101, 9, 9), (5, 99, 105, 9, 9)))
    one, other = (run([StrategyPlan(file, name=name)], [data]) for name in ("one", "other"))
    assert one.run_hash != other.run_hash
    assert fills(one) == fills(other)

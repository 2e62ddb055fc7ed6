"""The engine by itself: warm-up, cooldowns, signals, refusals, what a venue may say, save and restore."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from machine import DAY, HOUR, MINUTE, T0, UNLIMITED, Machine, Plan, bars, coin, one, records

from lockstep import EMA, SMA, Strategy
from lockstep.engine.engine import Engine
from lockstep.engine.rowlog import ROWS_PER_BLOCK, RowLog
from lockstep.model.enums import EventKind, OrderEventKind, Reason
from lockstep.model.errors import DataError, InstrumentError, InvariantError, RefuseError, StrategyError
from lockstep.model.messages import CancelOrder, SubmitOrder
from lockstep.model.record import BOOK_LAST, MARKET_EVENT
from lockstep.model.traffic import make_report, make_request, make_terms
from lockstep.portfolio.portfolio import Portfolio
from lockstep.risk.limits import RiskLimits
from lockstep.sim.models import BarFills


def event(
    kind: EventKind, clock: int, *prices: int, volume: float = 1.0, ts_open: int = 0, aux: int = 0, flags: int = 0
) -> Any:
    row = np.zeros(1, MARKET_EVENT)
    words = [*prices, 0, 0, 0, 0][:4]
    row[0] = (clock, clock, 0, kind, flags, aux, 0, *words, volume, ts_open or clock - HOUR)
    return row


def engine_with(strategy: Strategy, **settings: Any) -> Engine:
    engine = Engine(Portfolio([coin()], settings.pop("cash", 1_000_000)))
    engine.add_strategy(strategy, "s", [0], settings.pop("limits", RiskLimits()))
    engine.start(T0)
    return engine


# ---- seating


def test_strategy_without_a_market_handler_is_refused() -> None:
    class Idle(Strategy):
        def on_fill(self, fill: Any) -> None: ...

    with pytest.raises(StrategyError, match="no handler that could ever trade"):
        engine_with(Idle())


def test_one_instrument_strategy_is_not_seated_at_two() -> None:
    class Single(Strategy):
        def on_bar(self, bar: Any) -> None: ...

    engine = Engine(Portfolio([coin("A"), coin("B")], 1000))
    with pytest.raises(StrategyError, match="trades one instrument per instance, was given 2"):
        engine.add_strategy(Single(), "s", [0, 1])


def test_two_strategies_of_one_name_are_refused() -> None:
    engine = engine_with(Plan({}))
    with pytest.raises(StrategyError, match="named 's' is seated already"):
        engine.add_strategy(Plan({}), "s", [0])


# ---- warm-up, declarations


def test_on_bar_waits_until_every_declared_indicator_is_ready() -> None:
    class Waits(Strategy):
        def on_start(self) -> None:
            self.a = self.indicator(SMA(3))
            self.b = self.indicator(EMA(7))
            self.ready: list[bool] = []

        def on_bar(self, bar: Any) -> None:
            self.ready.append(self.a.ready and self.b.ready)

    strategy = Waits()
    Machine([(coin(), records(bars(*range(100, 110))))]).seat(strategy).go()
    assert strategy.ready == [True] * 4  # bars 7, 8, 9 and 10


def test_wait_can_be_switched_off() -> None:
    class Hurries(Strategy):
        wait_for_indicators = False

        def on_start(self) -> None:
            self.a = self.indicator(SMA(3))
            self.n = 0

        def on_bar(self, bar: Any) -> None:
            self.n += 1

    strategy = Hurries()
    Machine([(coin(), records(bars(*range(100, 110))))]).seat(strategy).go()
    assert strategy.n == 10


def test_window_declared_twice_is_one_and_may_not_grow() -> None:
    def start(s: Any) -> None:
        first = s.window(10)
        assert s.window(5) is first
        with pytest.raises(StrategyError, match="holds 10 bars, a second one asks for 20"):
            s.window(20)
        with pytest.raises(StrategyError, match="not an indicator"):
            s.indicator("EMA")

    one(bars(100), {}, handlers={"start": start})


# ---- what a strategy asks for


def test_refused_order_is_denied_recorded_and_told() -> None:
    machine = Machine([(coin(), records(bars(100, 100)))], cash=1000)
    plan = Plan({0: lambda s: [s.buy(11), s.buy(3), s.buy(2)]})
    machine.seat(plan, limits=RiskLimits(order_qty_max=Decimal(12), position_max=Decimal(4))).go()
    assert [(row.id, row.kind, row.reason) for row in machine.decisions if row.kind in ("deny", "submit")] == [
        (1, "deny", "POSITION"),
        (2, "submit", "NONE"),
        (3, "deny", "POSITION"),
    ]
    assert [what[2:] for what in plan.seen if what[0] == "order"][:2] == [("DENY", 1), ("DENY", 3)]
    assert (machine.engine.state.submitted, machine.engine.state.denied) == (1, 2)


def test_order_before_any_price_is_refused() -> None:
    run = one(bars(100), {}, handlers={"start": lambda s: s.buy(1) and None})
    assert [(row.kind, row.reason) for row in run.decisions if row.kind != "refusal"] == [
        ("deny", "NO_REFERENCE_PRICE")
    ]


def test_buying_power_counts_orders_on_their_way() -> None:
    run = one(bars(100, 100), {0: lambda s: [s.buy(6), s.buy(6), s.buy(4)]}, cash=1000)
    assert [row.kind for row in run.decisions][:4] == ["submit", "deny", "refusal", "submit"]


@pytest.mark.slow
def test_on_order_that_never_ends_is_stopped() -> None:
    def again(s: Any, event: Any) -> None:
        s.buy(10**6)

    with pytest.raises(InvariantError, match="keeps causing order events"):
        one(bars(100, 100), {0: lambda s: s.buy(10**6)}, handlers={"order": again}, cash=1)


def test_target_position_counts_market_orders_on_their_way() -> None:
    plan = {
        0: lambda s: [s.target_position(10), s.target_position(10), s.target_position(4)],
        2: lambda s: [s.target_position(-3), s.close()],
        3: lambda s: s.close(),
    }
    run = one(bars(*([100] * 6)), plan)
    assert [(f.side * f.qty) for f in run.fills] == [10, -6, -7, 3]
    assert run.plan.position.units == 0


@pytest.mark.parametrize("kind", [int, float, str, Decimal, np.float64, np.int64])
def test_target_position_takes_every_kind_of_number_alike(kind: Any) -> None:
    plan = {k: (lambda s, qty=qty: s.target_position(kind(qty))) for k, qty in enumerate((3, -2, 0))}
    run = one(bars(*([100] * 5)), plan)
    assert [fill.side * fill.qty for fill in run.fills] == [3, -5, 2]


@pytest.mark.parametrize("qty", [0.5, -0.5, float("nan"), float("-inf"), True, None, "x", 2**60, -(2**60)])
def test_target_position_refuses_what_is_no_quantity(qty: Any) -> None:
    def do(s: Any) -> None:
        with pytest.raises(RefuseError):
            s.target_position(qty)
        s.seen.append("refused")

    assert "refused" in one(bars(100), {0: do}).plan.seen


def test_orders_take_every_kind_of_number_alike() -> None:
    made: list[tuple[int, int]] = []

    def do(s: Any) -> None:
        for qty in (1, 1.0, "1", Decimal(1), np.float64(1), np.int64(1)):
            order = s.buy(qty, limit=90)
            made.append((order.qty_units, order.limit_units))

    one(bars(100), {0: do}, instrument=coin(qty_decimals=2))
    assert made == [(100, 90)] * 6


@pytest.mark.parametrize("post_only", [False, True])
def test_limits_take_every_kind_of_number_alike(post_only: bool) -> None:
    made: list[tuple[int, int, int]] = []

    def do(s: Any) -> None:
        for price in (90.25, "90.25", Decimal("90.25"), np.float64(90.25)):
            order = s.buy(1, limit=price, post_only=post_only)
            s.replace(order, limit=90)
            made.append((order.limit_units, order.flag_bits, order.replace_limit))

    one(bars(10_000), {0: do}, instrument=coin(price_decimals=2, tick_size=25))
    assert made == [(9_025, int(post_only), 9_000)] * 4


@pytest.mark.parametrize("price", [0, -1, 90.3, 0.25 / 3, float("nan"), float("inf"), True, "x", 2**60, 10**400, 1e300])
def test_limits_that_are_none_are_refused(price: Any) -> None:
    def do(s: Any) -> None:
        with pytest.raises(InstrumentError):
            s.buy(1, limit=price)
        s.seen.append("refused")

    assert "refused" in one(bars(10_000), {0: do}, instrument=coin(price_decimals=2, tick_size=25)).plan.seen


@pytest.mark.parametrize("qty", [0, -1, 0.5, float("nan"), float("inf"), True, None, "x", 2**60, 10**400, 1e300])
def test_quantities_that_are_none_are_refused(qty: Any) -> None:
    def do(s: Any) -> None:
        with pytest.raises((StrategyError, Exception)) as caught:
            s.buy(qty)
        assert type(caught.value).__name__ == "InstrumentError"
        s.seen.append("refused")

    assert "refused" in one(bars(100), {0: do}).plan.seen


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tif": "GTX"}, "unknown time in force"),
        ({"tif": 99}, "unknown time in force"),
        ({"stop": 100, "tif": "FOK"}, "cannot be FOK"),
        ({"stop": 100, "tif": "IOC"}, "cannot be IOC"),
        ({"limit": 100, "tif": "GTD"}, "GTD needs expire="),
        ({"limit": 100, "expire": 5}, "goes with tif=GTD"),
        ({"limit": 100, "signal": 3}, "no signal 3"),
    ],
)
def test_order_options_that_contradict_are_refused(options: Any, message: str) -> None:
    def do(s: Any) -> None:
        with pytest.raises(StrategyError, match=message):
            s.buy(1, **options)
        s.seen.append("refused")

    assert "refused" in one(bars(100), {0: do}).plan.seen


def test_cancel_takes_only_this_strategys_orders() -> None:
    machine = Machine([(coin(), records(bars(100, 100)))])
    first = Plan({0: lambda s: s.buy(1, limit=50)})

    def thief(s: Any) -> None:
        with pytest.raises(StrategyError, match="belongs to first"):
            s.cancel(first.placed[0])
        with pytest.raises(StrategyError, match="takes the Order"):
            s.cancel(1)
        assert s.cancel() is False
        s.seen.append("refused")

    second = Plan({0: thief})
    machine.seat(first, name="first").seat(second, name="second").go()
    assert "refused" in second.seen
    assert first.placed[0].is_open


def test_cancel_is_asked_for_once() -> None:
    def twice(s: Any) -> None:
        order = s.buy(1, limit=50)
        assert s.cancel(order) is True
        assert s.cancel(order) is False

    run = one(bars(100, 100), {0: twice})
    assert run.story(1) == ["submit", "cancel_request", "accept", "cancel"]


def test_several_instruments_have_to_be_named() -> None:
    def do(s: Any, bar: Any) -> None:
        with pytest.raises(StrategyError, match="say which"):
            s.buy(1)
        with pytest.raises(StrategyError, match="does not trade 'C'"):
            s.buy(1, instrument="C")
        assert [i.symbol for i in s.instruments] == ["A", "B"]
        assert s.position_in("A").units == 0
        s.seen.append("refused")

    machine = Machine([(coin("A"), records(bars(100))), (coin("B"), records(bars(100)))])
    plan = Plan(do)
    machine.seat(plan, 0, 1).go()
    assert "refused" in plan.seen


def test_size_rounds_down_to_a_lot_and_knows_no_price_before_the_first() -> None:
    sizes: list[float] = []

    def start(s: Any) -> None:
        with pytest.raises(StrategyError, match="nothing to size by"):
            s.size(0.5)

    def do(s: Any) -> None:
        sizes.extend([s.size(0.5), s.size(0), s.size(-1), s.size(1e-9)])

    one(bars(99), {0: do}, handlers={"start": start}, instrument=coin(lot_size=10), cash=10_000)
    assert sizes == [50.0, 0.0, 0.0, 0.0]


# ---- cooldowns


@pytest.mark.parametrize(("cooldown", "reopened"), [(0, 2), (1, 3), (3, 5)])
def test_cooldown_counts_whole_bars_after_going_flat(cooldown: int, reopened: int) -> None:
    """Flat at the open of bar 2 (from 0); on_bar of 2 may reopen at once, or that many bars later."""

    class Cools(Plan):
        cooldown_bars = cooldown

    def do(s: Any, bar: Any) -> None:
        if s.k == 0:
            s.buy(1)
        elif s.k == 1:
            s.close()
        elif not s.position and not s.open_orders:
            s.buy(1)

    machine = Machine([(coin(), records(bars(*([100] * 10))))])
    machine.seat(Cools(do)).go()
    sent = [(row.ts - T0) // HOUR - 1 for row in machine.decisions if row.kind == "submit"]
    assert sent == [0, 1, reopened]
    assert [row.reason for row in machine.decisions if row.kind == "deny"] == ["COOLDOWN"] * cooldown


def test_cool_down_lets_closing_through_and_ends_by_itself() -> None:
    def do(s: Any, bar: Any) -> None:
        if s.k == 0:
            s.buy(2)
        elif s.k == 1:
            s.cool_down(2)
            s.sell(3)  # would flip: it opens
            s.sell(1)
        elif s.k in (2, 3):
            s.buy(1)

    run = one(bars(*([100] * 6)), do)
    assert [(row.kind, row.id) for row in run.decisions if row.kind in ("submit", "deny")] == [
        ("submit", 1), ("deny", 2), ("submit", 3), ("deny", 4), ("submit", 5),
    ]  # fmt: skip


def test_cooldown_of_one_strategy_is_not_lifted_by_what_another_holds() -> None:
    machine = Machine([(coin(), records(bars(*([100] * 4))))])
    holder = Plan({0: lambda s: s.buy(5)})
    cooled = Plan({1: lambda s: [s.cool_down(5), s.sell(1)]})
    machine.seat(holder, name="holder").seat(cooled, name="cooled").go()
    assert [(row.kind, row.strategy, row.reason) for row in machine.decisions if row.kind == "deny"] == [
        ("deny", 1, "COOLDOWN")
    ]


# ---- signals


def test_signals_have_counted_ids_and_orders_point_to_them() -> None:
    def do(s: Any) -> None:
        first = s.signal("buy", 0.8, target=120, stop=90.5, reasoning="because")
        second = s.signal("SELL")
        assert (first, second) == (1, 2)
        s.buy(1, signal=first)
        s.target_position(5, signal=second)

    run = one(bars(100, 100), {0: do})
    assert [
        (s.signal_id, s.action.name, s.confidence, s.target_price, s.stop_price, s.reasoning) for s in run.signals
    ] == [
        (1, "BUY", 0.8, 120, 90.5, "because"),
        (2, "SELL", 1.0, None, None, ""),
    ]
    assert [(row.kind, row.d) for row in run.decisions if row.kind in ("signal", "submit")] == [
        ("signal", 1), ("signal", -1), ("submit", 1), ("submit", 2),
    ]  # fmt: skip


# ---- step, and a venue's word


def test_step_gives_the_commands_as_facts() -> None:
    def do(s: Any) -> None:
        s.placed.append(s.buy(2, limit=90, tif="GTD", expire=T0 + DAY, signal=s.signal("BUY")))

    plan = Plan({0: do, 1: lambda s: s.cancel() and None})
    engine = engine_with(plan)
    (submit,) = engine.step(event(EventKind.BAR, T0 + HOUR, 100, 101, 99, 100))
    assert isinstance(submit, SubmitOrder)
    assert (submit.client_order_id, submit.side.name, submit.order_type.name, submit.time_in_force.name) == (
        1,
        "BUY",
        "LIMIT",
        "GTD",
    )
    assert (submit.qty, submit.limit_price, submit.expire_ts, submit.signal_id, submit.instrument) == (
        2,
        90,
        T0 + DAY,
        1,
        "AAA.X",
    )
    (cancel,) = engine.step(event(EventKind.BAR, T0 + 2 * HOUR, 100, 101, 99, 100))
    assert cancel == CancelOrder(ts=cancel.ts, client_order_id=1, strategy="s", instrument="AAA.X")
    with pytest.raises(DataError, match="goes back in time"):
        engine.step(event(EventKind.BAR, T0 + HOUR, 100, 101, 99, 100))
    with pytest.raises(InvariantError, match="no timer"):
        engine.step(None)


def venue_words(qty: int, fills: BarFills = UNLIMITED) -> list[Any]:
    """What a bar venue says of market order 1, sent after the first bar: the acknowledgement and the fills."""
    venue = Machine([(coin(), records(bars(100)))], fills=fills).venue
    sent = T0 + HOUR
    terms = make_terms(1, 1, 1, 0, qty, 0, 0, 0, 0, 0)
    venue.send(make_request(int(OrderEventKind.SUBMIT), 0, 0, sent, sent, 1, terms))
    for row in bars(100, 100, start=T0 + HOUR, volume=100.0):
        venue.settle_arrivals(row.ts_end)
        venue.on_bar(0, row.ts_open, row.ts_end, row.open, row.high, row.low, row.close, row.volume)
    words = []
    while (word := venue.advance(T0 + DAY)) is not None:
        words.append(word)
    return words


def test_venue_that_fills_before_it_acknowledges_or_after_the_end_is_heard() -> None:
    accept, fill = venue_words(2)
    plan = Plan({0: lambda s: s.buy(2)})
    engine = engine_with(plan)
    engine.step(event(EventKind.BAR, T0 + HOUR, 100, 100, 100, 100))
    engine.step(fill)
    assert plan.placed[0].state.name == "FILLED"
    assert plan.placed[0].venue_order_id == 1
    engine.step(accept)
    engine.step(fill)
    engine.step(make_report(int(OrderEventKind.ACCEPT), 0, T0 + HOUR + 6, T0 + HOUR + 5, 4711, 1, 0))
    assert engine.orphans == {"ACCEPT": 1}  # of an order that was never ours
    assert engine.state.orders.ignored == {("FILLED", "ACCEPT"): 1}
    assert (engine.state.orders.duplicates, engine.state.orders.anomalies) == (1, {})
    assert engine.portfolio.positions[0].units == 2


def test_reason_of_one_event_does_not_stick_to_the_next() -> None:
    heard: list[tuple[str, str]] = []
    plan = Plan({0: lambda s: s.buy(2)}, order=lambda _s, e: heard.append((e.kind.name, e.reason.name)))
    engine = engine_with(plan)
    engine.step(event(EventKind.BAR, T0 + HOUR, 100, 100, 100, 100))
    _, fill = venue_words(2)
    engine.step(make_report(int(OrderEventKind.CANCEL_REJECT), 0, T0 + HOUR, T0 + HOUR, 1, 0, int(Reason.TOO_LATE)))
    engine.step(fill)
    assert heard == [("CANCEL_REJECT", "TOO_LATE"), ("FILL", "NONE")]


def test_quotes_trades_and_books_reach_their_handlers_with_their_fields() -> None:
    class Listens(Strategy):
        def on_start(self) -> None:
            self.heard: list[Any] = []

        def on_quote(self, quote: Any) -> None:
            self.heard.append(("quote", quote.bid, quote.ask, quote.bid_qty, quote.ask_qty, self.last_price()))

        def on_trade(self, trade: Any) -> None:
            self.heard.append(
                ("trade", trade.price_units, trade.qty_units, trade.trade_id, trade.aggressor, self.last_price())
            )

        def on_book(self, update: Any) -> None:
            self.heard.append(("book", update.price_units, update.qty_units, update.side, update.action))

    strategy = Listens()
    engine = engine_with(strategy)
    engine.step(event(EventKind.QUOTE, T0 + 1, 98, 102, 5, 6))
    engine.step(event(EventKind.TRADE, T0 + 2, 101, 7, 42, aux=3))
    engine.step(event(EventKind.TRADE, T0 + 3, 102, 7, 43))
    engine.step(event(EventKind.BOOK, T0 + 4, 98, 1, aux=1, flags=2))  # not the last of its group
    engine.step(event(EventKind.BOOK, T0 + 4, 99, 3, aux=1, flags=2 | BOOK_LAST))
    assert strategy.heard == [
        ("quote", 98.0, 102.0, 5.0, 6.0, 100.0),
        ("trade", 101, 7, 42, 1, 101.0),
        ("trade", 102, 7, 43, 0, 102.0),
        ("book", 99, 3, -1, 2),
    ]
    with pytest.raises(DataError, match="unknown kind"):
        engine.step(event(9, T0 + 5, 1))  # type: ignore[arg-type]


def test_handler_that_raises_names_the_strategy_at_work() -> None:
    machine = Machine([(coin(), records(bars(100, 100)))])

    def bad(s: Any, bar: Any) -> None:
        raise ZeroDivisionError

    machine.seat(Plan({}), name="good").seat(Plan(bad), name="bad")
    with pytest.raises(ZeroDivisionError):
        machine.go()
    assert machine.engine.active_strategy == "bad"


def test_orders_of_on_stop_go_nowhere() -> None:
    class Late(Strategy):
        def on_bar(self, bar: Any) -> None: ...

        def on_stop(self) -> None:
            self.buy(1)

    machine = Machine([(coin(), records(bars(100)))])
    machine.seat(Late()).go()
    assert [row.kind for row in machine.decisions] == ["submit"]
    assert machine.engine.state.outbox == []


# ---- equity


def test_equity_is_marked_once_per_clock_with_cash_and_exposure() -> None:
    run = one(bars(100, 110, 120), {0: lambda s: s.buy(10)}, cash=10_000, leverage=2.0)
    rows = [(row[0], *floats[1:]) for row, floats in run.equity_rows]
    assert rows == [
        (T0 + HOUR, 10_000.0, 10_000.0, 0.0, 0.0, 0.0),
        (T0 + 2 * HOUR, 10_000.0, 8_900.0, 1_100.0, 1_100.0, 550.0),
        (T0 + 3 * HOUR, 10_100.0, 8_900.0, 1_200.0, 1_200.0, 600.0),
    ]


def test_row_log_hands_on_full_blocks_and_the_rest() -> None:
    sizes: list[int] = []
    log = RowLog(3, [lambda block: sizes.append(len(block))])
    machine = one(bars(*([100] * (ROWS_PER_BLOCK + 5)), step=MINUTE), {})
    assert len(machine.equity_rows) == ROWS_PER_BLOCK + 5
    log.flush()
    assert (sizes, log.count) == ([], 0)


def test_timers_beyond_the_end_of_time_are_refused_or_dropped() -> None:
    def start(s: Any) -> None:
        with pytest.raises(StrategyError, match="no time after the present one"):
            s.set_timer("never", every=timedelta(days=100_000))
        s.set_timer("once", every=timedelta(days=70_000))

    plan = Plan({}, start=start)
    engine = engine_with(plan)
    engine.step(None)
    assert plan.seen == [("timer", T0 + 70_000 * DAY, "once")]
    assert engine.next_timer == 2**63 - 1

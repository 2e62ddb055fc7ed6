"""Market features that a strategy declares: up to date before each handler, nan while the book is broken, kept over a restart."""

import math
from typing import Any

import pytest
from market_rows import COIN, MS, Change, Lost, Step, Took, held, records_of

from lockstep.book.l2 import L2Book
from lockstep.engine.engine import Engine
from lockstep.engine.saved import restore_strategies, save_strategies
from lockstep.features.micro import OFI, LinearPrediction, Mid
from lockstep.features.micro.batch import table
from lockstep.features.micro.stream import MarketFeatures
from lockstep.model.enums import EventKind
from lockstep.model.errors import StateError, StrategyError
from lockstep.model.messages import Signal
from lockstep.model.record import BOOK_LAST
from lockstep.portfolio.portfolio import Portfolio
from lockstep.research.labels import forward_returns
from lockstep.risk.limits import RiskLimits
from lockstep.strategy.base import Strategy

BOOK = Change(1_000, {1000: 30, 999: 50}, {1002: 10, 1003: 90}, full=True)
STEPS: list[Step] = [
    BOOK,
    Took(1_010, 1, 4),
    Change(1_020, {1000: 60}, {}),
    Change(1_030, {1000: 80}, {1002: 5}),
    Lost(1_040),
    Took(1_045, -1, 4),
    BOOK._replace(ms=1_050),
    Took(1_095, -1, 4),
    Change(1_120, {1000: 0}, {1002: 70}),
    Took(1_130, -1, 4),
]


def prediction() -> LinearPrediction:
    """The order flow of 20 ms, as it is; a signal beyond one base unit."""
    return LinearPrediction([OFI(20)], [1.0], threshold=1.0)


class Follower(Strategy):
    """Gives the prediction's signals at trades."""

    def on_start(self) -> None:
        self.prediction = self.indicator(prediction())
        self.heard: list[Any] = []

    def on_book(self, update: Any) -> None:
        self.heard.append((update.ts_event // MS, str(self.prediction.value)))

    def on_trade(self, trade: Any) -> None:
        self.heard.append((trade.ts_event // MS, str(self.prediction.value)))
        if self.prediction.signal:
            self.signal("BUY" if self.prediction.signal > 0 else "SELL", reasoning=f"{self.prediction.value}")


def engine_with(strategy: Strategy, signals: list[Signal] | None = None) -> Engine:
    kept: list[Signal] = [] if signals is None else signals
    engine = Engine(Portfolio([COIN], 1_000_000, 1.0), signal_sink=kept.append)
    engine.books.keep(0, L2Book(COIN))
    engine.add_strategy(strategy, "follower", [0], RiskLimits())
    engine.start(0)
    return engine


def feed(engine: Engine, steps: list[Step]) -> None:
    records = records_of(steps)
    rows = held(records)
    for i in range(len(records)):
        engine.on_market(rows, i)


def test_strategy_sees_what_a_batch_run_sees_at_every_handler() -> None:
    strategy = Follower()
    feed(engine_with(strategy), STEPS)
    found = table(MarketFeatures(COIN, [prediction()]), records_of(STEPS))
    told = {int(clock) // MS: str(value) for clock, value in zip(found.clock, found.values[:, 0], strict=True)}
    assert dict(strategy.heard) == {
        ms: value for ms, value in told.items() if ms >= 1_020
    }  # it waits until all is known
    assert (told[1_030], told[1_040], told[1_095]) == ("5.5", "nan", "0.0")


def feed_ahead(engine: Engine, steps: list[Step]) -> int:
    """As the run loop does: of a group of changes all but the last are taken at once. Returns: how many were."""
    records = records_of(steps)
    rows, subs = held(records), engine.state.subscriptions
    i = taken = 0
    while i < len(records):
        last = i
        while (
            records["kind"][last] == EventKind.BOOK
            and not records["flags"][last] & BOOK_LAST
            and last + 1 < len(records)
        ):
            if records["clock"][last + 1] != records["clock"][i]:
                break
            last += 1
        begin, i = i, engine.books.tell_ahead(rows, i, last, subs)
        taken += i - begin
        engine.on_market(rows, i)
        i += 1
    return taken


def test_changes_taken_ahead_leave_book_and_features_as_one_after_another() -> None:
    singly, ahead = Follower(), Follower()
    engines = [engine_with(singly), engine_with(ahead)]
    books = [L2Book(COIN), L2Book(COIN)]
    for engine, book in zip(engines, books, strict=True):
        engine.books.keep(0, book)
    feed(engines[0], STEPS)
    assert feed_ahead(engines[1], STEPS) == 10
    assert ahead.heard == singly.heard
    assert books[0].depth_units(1, 9) == books[1].depth_units(1, 9)
    assert (books[0].status, books[0].ts, books[0].updates) == (books[1].status, books[1].ts, books[1].updates)


def test_taking_ahead_stops_at_what_is_heard_of() -> None:
    engine = engine_with(Follower())
    rows = held(records_of([BOOK, Lost(1_000), BOOK]))
    assert engine.books.tell_ahead(rows, 0, 4, []) == 4  # asked for no more
    assert engine.books.tell_ahead(rows, 0, 9, []) == 4  # the last of its group
    assert engine.books.tell_ahead(rows, 5, 9, []) == 5  # what the book is worth
    assert engine.books.tell_ahead(rows, 4, 4, []) == 4


def test_signals_are_those_of_the_prediction_and_none_comes_of_a_broken_book() -> None:
    signals: list[Signal] = []
    feed(engine_with(Follower(), signals), [*STEPS[:4], Took(1_035, 1, 1), *STEPS[4:]])
    assert [(signal.action.name, signal.reasoning) for signal in signals] == [("BUY", "5.5"), ("SELL", "-9.0")]


def test_restarted_engine_goes_on_with_the_same_values() -> None:
    whole, first, second = Follower(), Follower(), Follower()
    feed(engine_with(whole), STEPS)
    engine = engine_with(first)
    feed(engine, STEPS[:3])
    resumed = engine_with(second)
    restore_strategies(resumed, save_strategies(engine))
    resumed.books.restore(engine.books.save())
    feed(resumed, STEPS[3:])
    assert second.heard == whole.heard


def test_saved_state_without_the_declared_features_is_refused() -> None:
    engine = engine_with(Follower())
    saved = save_strategies(engine)
    saved["strategies"]["follower"]["instruments"][COIN.id]["features"] = None
    with pytest.raises(StateError, match="declares other indicators or windows"):
        restore_strategies(engine, saved)


def test_label_is_no_feature_and_cannot_be_declared() -> None:
    found = table(MarketFeatures(COIN, [Mid()]), records_of(STEPS))
    labels = forward_returns(found.clock, found.values[:, 0], 10 * MS)

    class Cheat(Strategy):
        def on_start(self) -> None:
            self.indicator(labels)

        def on_trade(self, trade: Any) -> None:
            self.buy(1)

    with pytest.raises(StrategyError, match="not an indicator"):
        engine_with(Cheat())
    assert not math.isnan(labels.values[0])


def test_market_feature_on_bars_is_refused() -> None:
    class Wrong(Strategy):
        def on_start(self) -> None:
            self.indicator(Mid(), on="bars")

        def on_trade(self, trade: Any) -> None:
            self.buy(1)

    with pytest.raises(StrategyError, match=r"not an indicator on bars: was Mid\(\)"):
        engine_with(Wrong())

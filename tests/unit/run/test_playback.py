"""Playing a run at a speed and stopping it here and there: the pace is kept, breaks are met, the outcome stays the same."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lockstep.model.errors import UsageError
from lockstep.run.backtest import Backtest, Playing
from lockstep.run.condition import Condition
from lockstep.run.config import BacktestConfig
from lockstep.run.playback import NO_BREAKS, Breaks, Pause, Player, Then, speed_of
from lockstep.run.standing import Standing
from lockstep.run.strategy_file import load_strategy
from lockstep.store.catalog.readers import read_market_data
from lockstep.store.catalog.times import time_text

SECOND = 10**9
DAY = 86_400 * SECOND
NEVER = 2**63 - 1
SOURCE = """
from lockstep import EMA, Strategy


class Played(Strategy):
    def on_start(self):
        self.slow = self.indicator(EMA(10))
        self.count, self.entry, self.closes = 0, None, []

    def on_bar(self, bar):
        self.count += 1
        self.closes.append(bar.close)
        if self.count % 20 == 0:
            self.buy(5, signal=self.signal("BUY", 0.5))
            self.entry = bar.close
        elif self.count % 50 == 0:
            self.sell(3, limit=self.round_price(bar.close * 1.5))
"""
START, END = 14_000 * DAY, 14_300 * DAY


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def begun(tmp_path: Path) -> Callable[..., Playing]:
    """Start a run on some daily stocks."""

    def begin(*symbols: str, start: int = START, end: int = END, source: str = SOURCE) -> Playing:
        (tmp_path / "played.py").write_text(source)
        data = read_market_data("us_stocks", symbols=list(symbols or ("IBM",)))
        return Backtest(load_strategy(tmp_path / "played.py"), data, BacktestConfig(start_ns=start, end_ns=end)).begin()

    return begin


@pytest.fixture(scope="module")
def minute_of_ticks(data: Path) -> Any:
    """IBM's quotes, and the second at which a busy minute of them starts."""
    (found,) = read_market_data(data / "lean" / "equity" / "usa" / "tick" / "ibm", kind="quotes")
    return found, found.info.first_ns // (60 * SECOND) * 60 * SECOND + 8 * 3600 * SECOND


QUOTES = "from lockstep import Strategy\n\n\nclass Q(Strategy):\n    def on_quote(self, quote):\n        self.last = quote.bid\n"


@pytest.mark.data
@pytest.mark.parametrize(("speed", "seconds"), [(10.0, 6.0), (1.0, 60.0), (600.0, 0.1)])
def test_sixty_seconds_of_data_take_sixty_over_the_speed(
    minute_of_ticks: Any, tmp_path: Path, speed: float, seconds: float
) -> None:
    found, start = minute_of_ticks
    (tmp_path / "q.py").write_text(QUOTES)
    playing = Backtest(load_strategy(tmp_path / "q.py"), [found], BacktestConfig(start_ns=start, end_ns=start + 60 * SECOND)).begin()  # fmt: skip
    clock, shown = Clock(), []
    first = playing.engine.state.clock
    player = Player(
        playing, speed=speed, sleep=clock.sleep, monotonic=clock.monotonic, on_wait=lambda: shown.append(clock.now)
    )
    assert player.play()
    span = (playing.engine.state.clock - first) / SECOND
    assert 55 < span <= 60
    assert clock.now == pytest.approx(span / speed)
    assert clock.now == pytest.approx(seconds, rel=0.09)
    assert max(clock.slept) <= 0.1
    assert playing.engine.quotes > 20


@pytest.mark.data
def test_pace_is_kept_by_the_real_clock_too(minute_of_ticks: Any, tmp_path: Path) -> None:
    found, start = minute_of_ticks
    (tmp_path / "q.py").write_text(QUOTES)
    playing = Backtest(load_strategy(tmp_path / "q.py"), [found], BacktestConfig(start_ns=start, end_ns=start + 60 * SECOND)).begin()  # fmt: skip
    first = playing.engine.state.clock
    began = time.monotonic()
    Player(playing, speed=120.0).play()
    took = time.monotonic() - began
    due = (playing.engine.state.clock - first) / SECOND / 120
    assert due <= took < due + 5  # never too early; how late is the machine's business


def test_engine_that_cannot_keep_up_does_not_wait(begun: Callable[..., Playing]) -> None:
    """A handler slower than the pace: no sleep on top, and what was lost is caught up."""
    clock = Clock()
    playing = begun()
    late = iter([1e9] + [0.0] * 10_000)

    def wait() -> None:
        clock.now += next(late)

    Player(playing, speed=86_400.0, sleep=clock.sleep, monotonic=clock.monotonic, on_wait=wait).play()
    assert len(clock.slept) < 20


def test_bars_come_at_their_end_in_the_run_s_time(begun: Callable[..., Playing]) -> None:
    clock, seen = Clock(), []
    playing = begun()
    origin = playing.engine.state.clock
    Player(
        playing, speed=1e6, sleep=clock.sleep, monotonic=clock.monotonic,
        on_wait=lambda: seen.append((clock.now, (playing.engine.state.clock - origin) / SECOND / 1e6)),
    ).play()  # fmt: skip
    assert len(seen) > 200
    assert all(wall >= run - 1e-9 for wall, run in seen)


def test_outcome_is_the_same_however_it_is_played(begun: Callable[..., Playing]) -> None:
    plain = begun("IBM", "AAPL")
    plain.loop.run_all()
    expected = plain.end().run_hash
    clock = Clock()
    ways: list[dict[str, Any]] = [
        {},
        {"speed": 1e7, "sleep": clock.sleep, "monotonic": clock.monotonic},
        {"breaks": Breaks(on=("fill", "order", "signal"))},
        {"breaks": Breaks(when=[Condition("bars % 7 == 0")])},
        {"breaks": Breaks(at=[START + 50 * DAY]), "on_pause": lambda _: Then.STEP},
        {"marks": [START + 40 * DAY, START + 41 * DAY]},
    ]
    for way in ways:
        playing = begun("IBM", "AAPL")
        assert Player(playing, **way).play(), way
        assert playing.end().run_hash == expected, way


def pauses(playing: Playing, breaks: Breaks, then: Then = Then.GO) -> list[tuple[Pause, dict[str, Any]]]:
    found: list[tuple[Pause, dict[str, Any]]] = []

    def on_pause(pause: Pause) -> Then:
        found.append((pause, Standing(playing).facts()))
        return then

    Player(playing, breaks=breaks, on_pause=on_pause).play()
    return found


def test_break_at_a_time_has_every_event_up_to_it_and_none_after(begun: Callable[..., Playing]) -> None:
    playing = begun()
    clocks = []
    while playing.loop.run(NEVER, 1):
        clocks.append(playing.engine.state.clock)
    for at in (clocks[10], clocks[10] + 1, clocks[11] - 1):
        ((pause, facts),) = pauses(begun(), Breaks(at=[at]))
        assert (pause.kind, facts["clock"], facts["counts"]["events"]) == ("time", clocks[10], 11)
    found = pauses(begun(), Breaks(at=[clocks[20], clocks[3], clocks[3]]))
    assert [facts["clock"] for _, facts in found] == [clocks[3], clocks[20]]


def test_break_at_the_start_and_at_the_last_moment_are_met(begun: Callable[..., Playing]) -> None:
    playing = begun()
    first, last = playing.engine.state.clock, playing.last_clock()
    found = pauses(begun(), Breaks(at=[first, last]))
    assert [facts["counts"]["events"] for _, facts in found] == [0, playing.backtest.data[0].count(START, END)]


def test_break_on_each_fill_order_and_signal(begun: Callable[..., Playing]) -> None:
    playing = begun()
    playing.loop.run_all()
    fills, orders, signals = playing.engine.state.fills.count, playing.engine.state.submitted, len(playing.signals)
    assert fills > 5
    assert [facts["counts"]["fills"] for _, facts in pauses(begun(), Breaks(on=["fill"]))] == list(range(1, fills + 1))
    assert len(pauses(begun(), Breaks(on=["order"]))) == orders
    assert len(pauses(begun(), Breaks(on=["signal"]))) == signals
    both = pauses(begun(), Breaks(on=["signal", "order"]))
    assert len(both) == orders  # one pause with both reasons where they came in one step
    assert any(pause.words == "signal 1; order 1" for pause, _ in both)


def test_condition_breaks_when_it_begins_to_hold_and_not_while_it_holds(begun: Callable[..., Playing]) -> None:
    found = pauses(begun(), Breaks(when=[Condition("10 <= s.count < 15 or s.count == 17")]))
    assert [facts["strategies"]["Played"]["attributes"]["count"] for _, facts in found] == [10, 17]
    assert {pause.kind for pause, _ in found} == {"condition"}
    (first,) = pauses(begun(), Breaks(when=[Condition("equity > 0")]))
    assert first[1]["counts"]["events"] == 0  # it holds before the first event


@pytest.mark.parametrize(
    "text",
    [
        "clock > 0 and time >= '2008'",
        "equity >= cash - 1e9",
        "position('IBM') >= 0 and position() >= 0 and position('IBM.US') == position()",
        "last_price('IBM') != last_price('IBM') or last_price() > 0",
        "open_orders + orders + fills + signals + bars + events >= 0",
        "not s.slow.ready or s.slow.value > 0",
        "s.closes[-1] > 0 if len(s.closes) else True",
        "abs(min(1, 2) - max(3, round(4.4))) == 3",
        "strategy('Played').count in [0] and 1 // 1 == 1",
    ],
)
def test_condition_reads_what_there_is(begun: Callable[..., Playing], text: str) -> None:
    assert Condition(text).met(Standing(begun()))


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        ("equity <", "no Python expression", "equity < 90000"),
        ("", "no Python expression", "equity < 90000"),
        ("x = 1", "no Python expression", ""),
        ("equty < 5", "names 'equty'", "did you mean 'equity'"),
        ("__import__('os')", "calls __import__", "position"),
        ("s._seat", "begins with _", ""),
        ("s.buy(1)", "calls s.buy", "nothing of a strategy"),
        ("s.closes.clear()", "calls s.closes.clear", ""),
        ("(lambda: 1)()", "lambda|calls", ""),
        ("[x for x in (1,)]", "comprehension", ""),
        ("(y := 3)", ":=", ""),
        ("f'{equity}'", "JoinedStr", ""),
        ("1" + "+1" * 100_000, "no Python expression", ""),
    ],
)
def test_wrong_condition_is_refused_by_its_text(text: str, words: str, hint: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        Condition(text)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        ("s.slwo.value > 1", "no attribute 'slwo'", "did you mean 'slow'"),
        ("s.slow.vlaue > 1", "no attribute 'vlaue'", "did you mean 'value'"),
        ("position('IBN') > 0", "no symbol 'IBN'", "IBM"),
        ("position(3) > 0", "no symbol 3", "IBM"),
        ("strategy('Plaid').count", "no strategy 'Plaid'", "Played"),
        ("equity < '5'", "not supported between", ""),
    ],
)
def test_condition_that_cannot_be_worked_out_is_refused_before_the_run(
    begun: Callable[..., Playing], text: str, words: str, hint: str
) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        Player(begun(), breaks=Breaks(when=[Condition(text)]))
    assert hint in caught.value.hint


def test_condition_on_what_is_not_set_yet_is_not_met_until_it_is(begun: Callable[..., Playing]) -> None:
    """entry is None at first, closes is empty: neither is a mistake of who wrote the condition."""
    for text in ("s.entry > 0", "s.closes[19] > 0", "1 / s.count <= 0.05"):
        ((_, facts),) = pauses(begun(), Breaks(when=[Condition(text)]))
        assert facts["strategies"]["Played"]["attributes"]["count"] == 20, text


def test_condition_over_several_needs_a_name(begun: Callable[..., Playing]) -> None:
    standing = Standing(begun("IBM", "AAPL"))
    for text, words in (("s.count > 0", "s is one strategy, and the run has 2"), ("position() > 0", "2 instruments")):
        with pytest.raises(UsageError, match=words) as caught:
            Condition(text).met(standing)
        assert "AAPL" in caught.value.hint
    assert Condition("strategy('Played:IBM').count == position('IBM') == 0").met(standing)


def test_stepping_goes_step_by_step_until_told_to_go_on(begun: Callable[..., Playing]) -> None:
    playing = begun()
    answers = iter([Then.STEP, Then.STEP, Then.GO])
    kinds, bars = [], []

    def on_pause(pause: Pause) -> Then:
        kinds.append(pause.kind)
        bars.append(playing.engine.bars)
        return next(answers)

    assert Player(playing, breaks=Breaks(at=[START + 30 * DAY]), on_pause=on_pause).play()
    assert kinds == ["time", "step", "step"]
    assert bars == [bars[0], bars[0] + 1, bars[0] + 2]


def test_stop_leaves_the_run_between_two_steps(begun: Callable[..., Playing]) -> None:
    plain = begun()
    plain.loop.run_all()
    playing = begun()
    assert not Player(playing, breaks=Breaks(at=[START + 30 * DAY]), on_pause=lambda _: Then.STOP).play()
    assert Player(playing).play()
    assert playing.end().run_hash == plain.end().run_hash


def test_stop_while_waiting_ends_the_wait(begun: Callable[..., Playing]) -> None:
    playing, clock = begun(), Clock()

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if clock.now > 5:
            player.stop()

    player = Player(playing, speed=1.0, sleep=sleep, monotonic=clock.monotonic)
    assert not player.play()
    assert 5 < clock.now < 6
    assert playing.loop.steps == 0


def test_marks_are_called_once_each_at_their_time_and_do_not_stop(begun: Callable[..., Playing]) -> None:
    playing = begun()
    found: list[tuple[int, int]] = []
    times = [START + 20 * DAY, START + 60 * DAY, playing.last_clock()]
    player = Player(playing, marks=times, on_mark=lambda at: found.append((at, playing.engine.state.clock)))
    assert player.play()
    assert [at for at, _ in found] == times
    assert all(clock <= at for at, clock in found)


@pytest.mark.parametrize("offset", [-1, 10**18])
def test_time_outside_the_data_is_refused_with_the_range(begun: Callable[..., Playing], offset: int) -> None:
    playing = begun()
    at = playing.engine.state.clock - 1 if offset < 0 else playing.last_clock() + 1
    for settings in ({"breaks": Breaks(at=[at])}, {"marks": [at]}):
        with pytest.raises(UsageError, match=f"at {time_text(at)}: the run goes from 2008-05-0"):
            Player(playing, **settings)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), float("inf"), 1e12])
def test_speed_that_is_none_is_refused(begun: Callable[..., Playing], speed: float) -> None:
    with pytest.raises(UsageError, match="speed was"):
        Player(begun(), speed=speed, breaks=NO_BREAKS)


def test_unknown_event_to_break_on_is_refused(begun: Callable[..., Playing]) -> None:
    with pytest.raises(UsageError, match="no break on 'fil'") as caught:
        Player(begun(), breaks=Breaks(on=["fil"]))
    assert "fill" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "speed"), [("max", None), ("1x", 1.0), ("10x", 10.0), (" 0.5X ", 0.5), ("100", 100.0)]
)
def test_speeds_are_understood(text: str, speed: float | None) -> None:
    assert speed_of(text) == speed


@pytest.mark.parametrize("text", ["", "x", "fast", "0", "0x", "-1x", "nan", "inf", "1e99", "10xx"])
def test_words_that_are_no_speed_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--speed was"):
        speed_of(text)


def test_facts_are_json_and_name_account_positions_orders_indicators_and_the_last_bar(
    begun: Callable[..., Playing],
) -> None:
    playing = begun()
    assert json.loads(json.dumps(Standing(playing).facts(), allow_nan=False))["last_events"] == []
    playing.loop.run(NEVER, 61)
    facts = json.loads(json.dumps(Standing(playing).facts(), allow_nan=False))
    strategy: Any = playing.engine.seats[0].strategy
    assert facts["account"]["equity"] == strategy.equity
    (position,) = facts["positions"]
    assert (position["symbol"], position["qty"]) == ("IBM", strategy.position.qty)
    assert [order["id"] for order in facts["open_orders"]] == [order.id for order in strategy.open_orders]
    held = facts["strategies"]["Played"]
    assert held["indicators"]["slow"] == strategy.slow.value
    assert (
        held["attributes"]["closes"][0] == "... 43 before"
    )  # 61 events: a dividend, 60 bars, of which 51 came when the EMA was ready
    (last,) = facts["last_events"]
    assert (last["kind"], last["close"], last["time"]) == (
        "bar",
        strategy.closes[-1],
        time_text(playing.engine.state.clock),
    )

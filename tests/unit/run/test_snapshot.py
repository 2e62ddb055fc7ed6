"""A run saved between any two steps and restored goes on to the same hashes, tables and curve, in another process too."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lockstep
from lockstep.model.enums import CorporateAction, EventKind
from lockstep.model.errors import LockstepError, StateError, UsageError
from lockstep.run import snapshot
from lockstep.run.backtest import Backtest, Outcome, Playing, is_compiled
from lockstep.run.config import BacktestConfig
from lockstep.run.plan import StrategyPlan
from lockstep.run.strategy_file import load_strategy
from lockstep.run.tables import equity_blocks, fill_blocks, order_blocks
from lockstep.sim.models import Latency
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.readers import read_market_data

SECOND = 10**9
DAY = 86_400 * SECOND
NEVER = 2**63 - 1
JITTERY = Latency(
    entry_ns=30 * 3600 * SECOND, entry_jitter_ns=40 * 3600 * SECOND, ack_ns=SECOND, ack_jitter_ns=20 * 3600 * SECOND,
    fill_ns=2 * SECOND, fill_jitter_ns=30 * 3600 * SECOND,
)  # fmt: skip
TREND = '''
from datetime import timedelta
from lockstep import ATR, EMA, CrossOver, Strategy


class Trend(Strategy):
    """Depends on all that a snapshot holds: averages, a window, timers, its own notes, cooldowns, history."""

    fast: int = 5
    cooldown_bars = 2
    history = 40

    def on_start(self):
        self.cross = self.indicator(CrossOver(EMA(self.fast), EMA(21)))
        self.range = self.indicator(ATR(9))
        self.w = self.window(30)
        self.seen, self.levels, self.notes = 0, [], {"wins": 0, "big": 2**80}
        self.set_timer("often", every=timedelta(hours=31))
        self.set_timer("once", after=timedelta(days=400))

    def on_history(self, bar):
        self.levels.append(bar.close)

    def on_bar(self, bar):
        self.seen += 1
        self.levels = [*self.levels[-4:], bar.close]
        if self.seen % 17 == 1:
            self.buy(4, limit=self.round_price(bar.close * 0.8), tif="GTC")
        if self.seen % 23 == 5 and self.position:
            self.sell(2, stop=self.round_price(bar.close * 0.9), tif="DAY")
        if self.cross.up:
            note = self.signal("BUY", 0.5, target=self.w.high(10), reasoning="up")
            self.target_position(self.size(0.2), signal=note)
        elif self.cross.down or self.seen % 61 == 0:
            self.cancel()
            self.close()

    def on_timer(self, timer):
        self.notes["wins"] += 1
        if timer.name == "once" or self.notes["wins"] % 30 == 0:
            self.signal("HOLD", round(self.notes["wins"] % 7 / 7, 6), reasoning=str(sum(self.levels)))

    def on_order(self, event):
        self.notes["last"] = event.kind.name
'''
BASKET = """
from datetime import timedelta
from lockstep import RSI, Strategy


class Basket(Strategy):
    trades = "all"
    fast: int = 5

    def on_start(self):
        self.r = {i.symbol: self.indicator(RSI(7), i) for i in self.instruments}
        self.turn, self.last = 0, ()
        self.set_timer("weekly", every=timedelta(hours=31))

    def on_bar(self, bar):
        self.last = (bar.symbol, bar.close)
        value = self.r[bar.symbol].value
        if value < 30:
            self.buy(3, limit=self.round_price(bar.close * 0.99, instrument=bar.instrument), instrument=bar.instrument)
        elif value > 75 and self.position_in(bar.symbol):
            self.close(bar.symbol)

    def on_timer(self, timer):
        self.turn += 1
        if self.last and self.turn % 25 == 0:
            self.buy(1, instrument=self.last[0])

    def on_fill(self, fill):
        self.turn += 1
"""
RESUME = """
import json, sys
sys.path.insert(0, {here!r})
from pathlib import Path
from test_snapshot import stocks_run, left
from lockstep.run import snapshot
from lockstep.run.backtest import is_compiled

playing = snapshot.resume(stocks_run(Path(sys.argv[1])), snapshot.read(Path(sys.argv[2])))
if len(sys.argv) > 3:
    playing.loop.run(2**63 - 1, int(sys.argv[4]))
    snapshot.write(snapshot.take(playing), Path(sys.argv[3]))
playing.loop.run_all()
outcome = playing.end()
print(json.dumps([outcome.run_hash, outcome.decision_hash, is_compiled()]))
"""


def plans(folder: Path, source: str, name: str, **settings: Any) -> StrategyPlan:
    path = folder / name
    if not path.exists():
        path.write_text(source)
    return StrategyPlan(load_strategy(path), **settings)


def stocks_run(folder: Path, **config: Any) -> Backtest:
    """Two strategies on three stocks over two splits, orders resting, and delays of days so that much is under way."""
    data = read_market_data("us_stocks", symbols=["AAPL", "IBM", "MSFT"])
    settings: dict[str, Any] = {"latency": JITTERY, "seed": 7, "start_ns": 11_000 * DAY, "end_ns": 12_900 * DAY}
    found = [plans(folder, TREND, "trend.py"), plans(folder, BASKET, "basket.py", symbols=["AAPL", "MSFT"])]
    return Backtest(found, data, BacktestConfig(**settings | config))


def left(outcome: Outcome) -> dict[str, Any]:
    """Everything a run leaves that is not the time it took."""
    engine = outcome.engine
    return {
        "hashes": [outcome.run_hash, outcome.decision_hash],
        "spools": [
            [block.tobytes() for block in spool.blocks() if len(block)]
            for spool in (outcome.decisions, outcome.fill_rows)
        ],
        "equity": b"".join(block.tobytes() for block in outcome.equity_rows.blocks()),
        "tables": [
            [{name: list(values) for name, values in block.items()} for block in blocks(outcome)]
            for blocks in (order_blocks, fill_blocks)
        ],
        "rows": sum(block["ts"].size for block in equity_blocks(outcome)),
        "signals": list(outcome.signals),
        "counts": [engine.events, engine.bars, engine.trades, engine.quotes, outcome.orders, outcome.denied, outcome.last_clock],
        "orphans": [dict(engine.orphans), dict(engine.state.orders.ignored), dict(engine.state.orders.anomalies)],
        "missing": list(outcome.history_missing),
        "attributes": [seat.strategy.save_state() for seat in engine.seats],
    }  # fmt: skip


def flat(value: dict[str, Any]) -> str:
    """To compare: rows of a log may be cut into blocks elsewhere."""
    joined = {**value, "spools": [b"".join(blocks) for blocks in value["spools"]]}
    joined["tables"] = [
        {name: [entry for block in blocks for entry in block[name]] for name in (blocks[0] if blocks else {})}
        for blocks in value["tables"]
    ]
    return repr(joined)


def passed_on(playing: Playing, make: Callable[[], Backtest], path: Path) -> Playing:
    snapshot.write(snapshot.take(playing), path)
    return snapshot.resume(make(), snapshot.read(path))


def check_cuts(make: Callable[[], Backtest], path: Path, cuts: list[int]) -> Outcome:
    """A run stopped and restored at every one of these steps, each time from a file, ends as the one that never was."""
    whole = make().run()
    playing = make().begin()
    for cut in cuts:
        playing.loop.run(NEVER, cut - playing.loop.steps)
        playing = passed_on(playing, make, path)
        assert playing.loop.steps == cut
    playing.loop.run_all()
    outcome = playing.end()
    assert flat(left(outcome)) == flat(left(whole))
    return whole


def steps_of(backtest: Backtest) -> int:
    playing = backtest.begin()
    playing.loop.run_all()
    return int(playing.loop.steps)


@pytest.mark.slow
def test_run_restored_at_random_steps_ends_as_if_never_stopped(tmp_path: Path) -> None:
    steps = steps_of(stocks_run(tmp_path))
    rng = np.random.default_rng(3)
    cuts = sorted({0, 1, steps, *rng.integers(2, steps, 12).tolist()})
    whole = check_cuts(lambda: stocks_run(tmp_path), tmp_path / "run.snapshot", cuts)
    assert whole.fills > 150
    assert {row.action.name for row in whole.signals} == {"BUY", "HOLD"}


@pytest.mark.slow
def test_each_snapshot_alone_leads_to_the_same_end(tmp_path: Path) -> None:
    whole = stocks_run(tmp_path).run()
    rng = np.random.default_rng(5)
    playing = stocks_run(tmp_path).begin()
    for cut in sorted(rng.integers(2, 1_200, 8).tolist()):
        playing.loop.run(NEVER, cut - playing.loop.steps)
        rest = passed_on(playing, lambda: stocks_run(tmp_path), tmp_path / "one.snapshot")
        rest.loop.run_all()
        assert rest.end().run_hash == whole.run_hash, cut


def test_what_is_saved_has_orders_resting_and_messages_under_way(tmp_path: Path) -> None:
    """Else the tests above would prove less than they say."""
    playing = stocks_run(tmp_path).begin()
    found: dict[str, int] = {"resting": 0, "arrivals": 0, "reports": 0, "held": 0, "timers": 0, "orders": 0}
    for _ in range(60):
        playing.loop.run(NEVER, 20)
        state = snapshot.take(playing).state
        venue = state["venue"]
        found["arrivals"] += len(venue["arrivals"])
        found["reports"] += len(venue["reports"])
        found["resting"] += sum(len(market["resting"]) for market in venue["markets"])
        found["held"] += sum(len(market["held"]) for market in venue["markets"])
        found["timers"] += len(state["engine"]["timers"])
        found["orders"] += len(state["engine"]["state"]["orders"]["by_id"])
    assert all(count > 10 for name, count in found.items() if name != "held"), found


def test_snapshot_at_a_split_with_orders_resting_restores(tmp_path: Path) -> None:
    playing = stocks_run(tmp_path).begin()
    split = next(
        int(row["clock"])
        for data in playing.backtest.data
        for chunk in data.chunks(11_000 * DAY, 12_900 * DAY)
        for row in chunk[(chunk["kind"] == EventKind.CORPORATE_ACTION) & (chunk["aux"] == CorporateAction.SPLIT)]
    )
    whole = stocks_run(tmp_path).run()
    for until in (split - 1, split):
        playing.loop.run(until)
        assert playing.engine.open_orders()
        rest = passed_on(playing, lambda: stocks_run(tmp_path), tmp_path / "split.snapshot")
        rest.loop.run_all()
        assert rest.end().run_hash == whole.run_hash


@pytest.mark.slow
@pytest.mark.data
def test_run_on_minutes_with_derived_bars_restores_at_any_step(tmp_path: Path, data: Path) -> None:
    found = read_market_data(data / "bars_1m" / "ftx_btc-perp_1m_20211231_20220201.csv.gz")
    first = found[0].info.first_ns

    def make() -> Backtest:
        chosen = [
            plans(tmp_path, TREND, "trend.py", timeframe="5m"),
            plans(tmp_path, TREND, "trend.py", params={"fast": 9}, timeframe="1h"),
            plans(tmp_path, BASKET, "basket.py"),
        ]
        return Backtest(chosen, found, BacktestConfig(start_ns=first + 2 * DAY, end_ns=first + 9 * DAY, seed=3))

    rng = np.random.default_rng(11)
    whole = check_cuts(make, tmp_path / "coin.snapshot", sorted({1, *rng.integers(2, 10_000, 10).tolist()}))
    assert whole.fills > 20


TICKS = """
from lockstep import EMA, Strategy


class Ticks(Strategy):
    def on_start(self):
        self.slow = self.indicator(EMA(200), on="quotes")
        self.count = 0

    def on_quote(self, quote):
        self.count += 1
        if self.count % 400 == 0:
            self.buy(100, limit=quote.bid, post_only=True)
        if self.count % 900 == 0 and self.position:
            self.sell(50, trail=0.05)
        if self.count % 1500 == 0:
            self.close()

    def on_trade(self, trade):
        self.last = trade.price
"""


@pytest.mark.slow
@pytest.mark.data
def test_run_on_ticks_with_a_feed_behind_the_venue_restores_at_any_step(tmp_path: Path, data: Path) -> None:
    found = read_market_data(data / "lean" / "equity" / "usa" / "tick" / "ibm", kind="ticks")
    start = max(entry.info.first_ns for entry in found) + 6 * 3600 * SECOND
    latency = Latency(feed_ns=40_000_000, entry_ns=10_000_000, entry_jitter_ns=90_000_000, fill_jitter_ns=SECOND)

    def make() -> Backtest:
        config = BacktestConfig(latency=latency, start_ns=start, end_ns=start + 3 * 3600 * SECOND)
        return Backtest([plans(tmp_path, TICKS, "ticks.py")], found, config)

    steps = steps_of(make())
    rng = np.random.default_rng(13)
    whole = check_cuts(make, tmp_path / "ticks.snapshot", sorted({0, 1, *rng.integers(2, steps, 8).tolist()}))
    assert whole.fills > 10


@pytest.mark.compiled
def test_snapshot_passes_between_compiled_and_pure_processes(tmp_path: Path) -> None:
    """Compiled here, then pure, whose own snapshot is restored compiled again: one run hash."""
    if not is_compiled():
        pytest.skip("needs the compiled modules on one side")
    whole = stocks_run(tmp_path).run()
    playing = stocks_run(tmp_path).begin()
    playing.loop.run(NEVER, 300)
    snapshot.write(snapshot.take(playing), tmp_path / "compiled.snapshot")
    program = RESUME.format(here=str(Path(__file__).parent))
    env = {**os.environ, "LOCKSTEP_PURE": "1", "PYTHONPATH": str(Path(lockstep.__file__).parents[1])}
    argv = [sys.executable, "-c", program, str(tmp_path), str(tmp_path / "compiled.snapshot"), str(tmp_path / "pure.snapshot"), "200"]  # fmt: skip
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [whole.run_hash, whole.decision_hash, False]
    rest = snapshot.resume(stocks_run(tmp_path), snapshot.read(tmp_path / "pure.snapshot"))
    assert rest.loop.steps == 500
    rest.loop.run_all()
    assert rest.end().run_hash == whole.run_hash


def test_taking_a_snapshot_changes_nothing(tmp_path: Path) -> None:
    playing = stocks_run(tmp_path).begin()
    for _ in range(15):
        playing.loop.run(NEVER, 100)
        snapshot.take(playing)
    playing.loop.run_all()
    assert flat(left(playing.end())) == flat(left(stocks_run(tmp_path).run()))


def test_one_snapshot_may_be_restored_more_than_once(tmp_path: Path) -> None:
    playing = stocks_run(tmp_path).begin()
    playing.loop.run(NEVER, 400)
    held = snapshot.take(playing)
    ends = set()
    for _ in range(2):
        rest = snapshot.resume(stocks_run(tmp_path), held)
        rest.loop.run_all()
        ends.add(rest.end().run_hash)
    assert len(ends) == 1


# ---- refusals


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    playing = stocks_run(tmp_path).begin()
    playing.loop.run(NEVER, 50)
    path = tmp_path / "run.snapshot"
    snapshot.write(snapshot.take(playing), path)
    return path


def test_snapshot_of_another_source_params_config_or_data_is_refused_by_name(tmp_path: Path, saved: Path) -> None:
    held = snapshot.read(saved)
    three = stocks_run(tmp_path).data

    def refused(backtest: Backtest, words: str) -> None:
        with pytest.raises(StateError, match=words) as caught:
            snapshot.resume(backtest, held)
        assert "same strategy file" in caught.value.hint

    elsewhere = tmp_path / "other"
    elsewhere.mkdir()
    (elsewhere / "trend.py").write_text(TREND + "\n# changed\n")
    refused(stocks_run(elsewhere), "source of Trend has changed")
    trend, basket = stocks_run(tmp_path).plans
    config = stocks_run(tmp_path).config
    refused(Backtest([trend], three, config), r"its strategy is Trend \+ Basket, this one's Trend")
    other = plans(tmp_path, TREND, "trend.py", params={"fast": 6})
    refused(Backtest([other, basket], three, config), 'Trend\'s parameters: fast was "5", is "6"')
    refused(stocks_run(tmp_path, seed=8), "configuration seed was 7, is 8")
    refused(stocks_run(tmp_path, end_ns=12_000 * DAY), "configuration end_ns was 2005-04-27T00:00:00Z, is 2002-11-09")
    refused(stocks_run(tmp_path, latency=Latency()), "configuration latency ack_jitter_ns was")
    hourly = plans(tmp_path, BASKET, "basket.py", symbols=["AAPL", "MSFT"], timeframe="1d")
    refused(Backtest([trend, hourly], three, config), "Basket: timeframe_ns was null")


def test_snapshot_over_other_data_is_refused_by_name(tmp_path: Path, saved: Path) -> None:
    backtest = stocks_run(tmp_path)
    held = snapshot.read(saved)
    with pytest.raises(
        StateError, match=r"its data are AAPL.US \(bars\), IBM.US \(bars\), MSFT.US \(bars\); these are"
    ):
        snapshot.resume(Backtest(backtest.plans[:1] + backtest.plans[1:], [d for d in backtest.data if d.instrument.symbol != "IBM"], backtest.config), held)  # fmt: skip
    given = json.loads(json.dumps(held.given))
    given["data"][1][2] = "0" * 32
    with pytest.raises(StateError, match=r"the content of the data of IBM.US \(bars\) has changed"):
        snapshot.resume(backtest, held._replace(given=given))


def test_damaged_file_is_refused_whatever_byte_it_is(tmp_path: Path, saved: Path) -> None:
    whole = saved.read_bytes()
    rng = np.random.default_rng(1)
    for at in (0, 20, 45, 55, len(whole) - 1, *rng.integers(0, len(whole), 40).tolist()):
        damaged = bytearray(whole)
        damaged[at] ^= 0x40
        (tmp_path / "x").write_bytes(damaged)
        with pytest.raises(StateError, match=r"damaged|no snapshot|cut short"):
            snapshot.read(tmp_path / "x")
    for size in (0, 10, 30, 57, 58, 59, len(whole) // 2, len(whole) - 1):
        (tmp_path / "x").write_bytes(whole[:size])
        with pytest.raises(StateError, match=r"cut short|no snapshot"):
            snapshot.read(tmp_path / "x")
    (tmp_path / "x").write_bytes(whole + b"\0")
    with pytest.raises(StateError, match="damaged"):
        snapshot.read(tmp_path / "x")


def test_newer_schema_and_other_records_are_refused_with_the_version(
    tmp_path: Path, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = snapshot.read(saved)
    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "SNAPSHOT_SCHEMA_VERSION", 99)
        snapshot.write(held._replace(lockstep="9.9"), tmp_path / "newer")
    with pytest.raises(StateError, match=r"schema version 99 \(Lockstep 9\.9\)"):
        snapshot.read(tmp_path / "newer")
    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "_RECORDS", [0, 0])
        snapshot.write(held, tmp_path / "older")
    with pytest.raises(StateError, match="does not continue"):
        snapshot.read(tmp_path / "older")


def test_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(UsageError, match="there is no snapshot"):
            snapshot.read(path)


def test_snapshot_replaces_the_old_one_whole_or_not_at_all(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, before = snapshot.read(saved), saved.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            snapshot.write(held, saved)
    assert saved.read_bytes() == before
    snapshot.write(held._replace(lockstep="other"), saved)
    assert snapshot.read(saved).lockstep == "other"
    assert sorted(entry.name for entry in tmp_path.iterdir() if "snapshot" in entry.name) == ["run.snapshot"]


def test_place_that_cannot_be_written_is_told_beforehand(tmp_path: Path) -> None:
    snapshot.check_place(tmp_path / "fine.snapshot")
    with pytest.raises(UsageError, match="is a folder"):
        snapshot.check_place(tmp_path)
    with pytest.raises(UsageError, match="not a writable folder"):
        snapshot.check_place(tmp_path / "nowhere" / "x.snapshot")


def test_attribute_that_cannot_be_saved_is_named(tmp_path: Path) -> None:
    source = (
        "from lockstep import Strategy\n\n\nclass Odd(Strategy):\n    def on_bar(self, bar):\n        self.kept = bar\n"
    )
    (tmp_path / "odd.py").write_text(source)
    stocks: list[MarketData] = read_market_data("us_stocks", symbols=["IBM"])
    playing = Backtest(load_strategy(tmp_path / "odd.py"), stocks).begin()
    playing.loop.run(NEVER, 3)
    with pytest.raises(LockstepError, match=r"self\.kept cannot be saved: Bar is no plain data"):
        snapshot.take(playing)


def test_strategy_that_is_not_put_back_as_it_was_is_refused(tmp_path: Path) -> None:
    """on_start sets what on_bar has deleted since: going on would be another run."""
    source = "from lockstep import Strategy\n\n\nclass Once(Strategy):\n    def on_start(self):\n        self.first = self.kept = 1\n\n    def on_bar(self, bar):\n        if hasattr(self, 'first'):\n            del self.first\n"
    (tmp_path / "once.py").write_text(source)
    backtest = Backtest(load_strategy(tmp_path / "once.py"), read_market_data("us_stocks", symbols=["IBM"]))
    playing = backtest.begin()
    assert snapshot.resume(backtest, snapshot.take(playing)).loop.steps == 0
    playing.loop.run(NEVER, 3)
    with pytest.raises(StateError, match="Once is not restored to what was saved: first differs"):
        snapshot.resume(backtest, snapshot.take(playing))

"""Which latency a run has, and says that it has: by its data, as they recorded it, from a file, drawn; and replayed."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from histories import bar_history, book, history, strategy, trades
from machine import HOUR, T0, bars, coin
from msgspec.structs import replace

from lockstep.model.enums import AssetClass
from lockstep.model.errors import DataError, UsageError
from lockstep.run.backtest import Backtest, Outcome
from lockstep.run.config import BacktestConfig
from lockstep.run.latency import with_file
from lockstep.run.recorded import Recorded
from lockstep.run.recording import record
from lockstep.run.replay import replay
from lockstep.run.results import manifest, summary
from lockstep.run.tables import order_blocks, round_trips
from lockstep.sim.models import LATENCIES, Latency, LogNormal, Slippage, latency_from_text
from lockstep.store.catalog.delays import read_delays

SECOND = 1_000_000_000
MILLI = 1_000_000
AAA = replace(coin(), asset_class=AssetClass.EQUITY)
COIN = replace(coin(), asset_class=AssetClass.CRYPTO)
FULL = [("CLEAR", 0, 0, 0), ("SET", 1, 99, 10), ("SET", -1, 101, 1000)]
BODY = """
    def on_start(self):
        self.heard = []

    def on_book(self, update):
        self.heard.append((self.now, update.ts_event))
        self.buy(1, limit=101, tif="IOC")
"""
MOMENTS = [k * 10 * MILLI for k in range(300)]


def data(instrument: Any = AAA, late: int = 0, moments: Any = MOMENTS) -> list[Any]:
    groups = [(at, FULL if k == 0 else [("SET", 1, 99, 10 + k % 2)], k == 0, at + late) for k, at in enumerate(moments)]
    return [history(book(*groups), instrument), history(trades((50, 99, 12), (moments[-1], 99, 1)), instrument)]


def backtest(tmp_path: Path, latency: Latency | None, given: Any) -> Backtest:
    config = BacktestConfig(slippage=Slippage(), cash=Decimal(10_000_000))
    config = config if latency is None else replace(config, latency=latency)
    return Backtest(strategy(tmp_path, BODY), given, config)


def arrivals(outcome: Outcome) -> list[int]:
    """How long each order was on its way to its fill at the venue, ns."""
    submitted: dict[int, int] = {}
    for block in order_blocks(outcome):
        sent = block["record"] == "submit"
        submitted |= dict(zip(block["order_id"][sent].tolist(), block["ts"][sent].tolist(), strict=True))
    return [row[1] - submitted[row[3]] for block in outcome.fill_rows.blocks() for row in block.tolist()]


def test_order_books_of_crypto_are_far_away_unless_said_otherwise(tmp_path: Path) -> None:
    made = backtest(tmp_path, None, data(COIN))
    assert made.config.latency is LATENCIES["remote"]
    assert made.settled.why == "nothing was said, and the data of AAA are an order book of crypto"
    assert set(arrivals(made.run())) == {200 * MILLI}
    said = backtest(tmp_path, LATENCIES["none"], data(COIN))
    assert (said.config.latency.name, said.settled.why) == ("none", "asked for")


@pytest.mark.parametrize("given", [data(AAA), [bar_history(bars(100, 101, step=HOUR))]])
def test_all_else_is_standard_and_hashed_as_if_it_had_been_said(tmp_path: Path, given: Any) -> None:
    body = "    def on_bar(self, bar):\n        pass\n\n    def on_book(self, update):\n        pass\n"
    file = strategy(tmp_path, body)
    silent, said = (Backtest(file, given, BacktestConfig(latency=LATENCIES[name])) for name in ("auto", "standard"))
    assert silent.given() == said.given()
    assert silent.settled.why == "nothing was said"


def test_manifest_and_summary_say_what_was_used_and_why(tmp_path: Path) -> None:
    outcome = backtest(tmp_path, None, data(COIN, late=3 * MILLI)).run()
    told = manifest(outcome, round_trips(outcome), "line", None)["latency"]
    assert told == summary(outcome)["latency"]
    assert told == {
        "name": "remote",
        "text": "entry 200ms, fill 1ms + uniform 4ms",
        "why": "nothing was said, and the data of AAA are an order book of crypto",
        "feed": {"AAA": "as recorded"},
    }


def test_feed_latency_that_data_make_void_is_told(tmp_path: Path) -> None:
    given = latency_from_text("feed=50ms")
    assert backtest(tmp_path, given, data(late=1)).settled.feed == {
        "AAA": "as recorded; the feed latency given (50ms) is not used"
    }
    assert backtest(tmp_path, given, data()).settled.feed == {"AAA": "50ms"}
    nothing = {"AAA": "none: the data do not say when they were received"}
    assert backtest(tmp_path, latency_from_text("1ms"), data()).settled.feed == nothing


def test_recorded_latency_is_what_receiving_the_data_took(tmp_path: Path) -> None:
    made = backtest(tmp_path, latency_from_text("recorded"), data(COIN, late=7 * MILLI))
    assert {row[1:] for row in made.config.latency.recorded} == {(7 * MILLI, 7 * MILLI)}
    assert 3 <= len(made.config.latency.recorded) <= 4
    assert set(arrivals(made.run())) == {7 * MILLI}
    assert "median 7.0 ms" in made.settled.why


def test_recorded_latency_without_times_of_receipt_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="do not say when they were received"):
        backtest(tmp_path, latency_from_text("recorded"), data(COIN))


def test_lognormal_entry_spreads_and_keeps_the_order_of_what_is_sent(tmp_path: Path) -> None:
    tail = LogNormal(20 * MILLI, Decimal(1))
    outcome = backtest(tmp_path, Latency(entry_tail=tail), data()).run()
    took = arrivals(outcome)
    assert len(set(took)) > 100
    assert max(took) > 100 * MILLI
    assert min(took) > 0
    times = outcome.fill_rows.column(1).tolist()
    orders = outcome.fill_rows.column(3).tolist()
    assert times == sorted(times)
    assert orders == sorted(orders)
    assert outcome.run_hash == backtest(tmp_path, Latency(entry_tail=tail), data()).run().run_hash
    other = replace(
        BacktestConfig(slippage=Slippage(), cash=Decimal(10_000_000), seed=1), latency=Latency(entry_tail=tail)
    )
    assert arrivals(Backtest(strategy(tmp_path, BODY), data(), other).run()) != took


def test_lognormal_answers_do_not_overtake_each_other(tmp_path: Path) -> None:
    tail = LogNormal(20 * MILLI, Decimal(1))
    outcome = backtest(tmp_path, Latency(fill_tail=tail, ack_tail=tail), data()).run()
    rows = [row for block in outcome.fill_rows.blocks() for row in block.tolist()]
    late = [row[0] - row[1] for row in rows]
    assert max(late) > 100 * MILLI
    heard = sorted((row[1], row[0]) for row in rows)
    assert [clock for _, clock in heard] == sorted(clock for _, clock in heard)


def test_drawn_feed_is_late_and_keeps_its_order_wherever_chunks_end(tmp_path: Path) -> None:
    latency = Latency(feed_ns=MILLI, feed_tail=LogNormal(20 * MILLI, Decimal(1)), feed_jitter_ns=1_000)
    heard = []
    for chunk in (1, 7, 10_000):
        groups = [(at, FULL if k == 0 else [("SET", 1, 99, 10 + k % 2)], k == 0) for k, at in enumerate(MOMENTS)]
        given = [history(book(*groups), chunk=chunk), data()[1]]
        playing = backtest(tmp_path, latency, given).begin()
        playing.loop.run_all()
        seen: Any = playing.engine.seats[0].strategy
        heard.append(seen.heard)
        assert seen.heard[-1][0] <= playing.last_clock()
    assert heard[0] == heard[1] == heard[2]
    late = [clock - event for clock, event in heard[0]]
    assert min(late) > MILLI
    assert max(late) > 100 * MILLI
    assert [clock for clock, _ in heard[0]] == sorted(clock for clock, _ in heard[0])


def test_bars_made_of_a_feed_that_is_drawn_are_refused(tmp_path: Path) -> None:
    body = "    def on_bar(self, bar):\n        pass\n"
    config = BacktestConfig(latency=Latency(feed_jitter_ns=5))
    with pytest.raises(UsageError, match="drawn for each message"):
        Backtest(strategy(tmp_path, body), data(), config, timeframe="1m").run()


@pytest.mark.parametrize("text", ["recorded", "recorded:FILE", "entry=5ms+lognormal:20ms:1,ack=lognormal:1ms:0.5"])
def test_run_with_such_a_latency_is_replayed_from_its_recording(text: str, tmp_path: Path) -> None:
    (tmp_path / "delays.csv").write_text(f"ts,entry_ns,answer_ns\n{T0},1000,5\n{T0 + SECOND},3000,5\n")
    latency = with_file(latency_from_text(text), lambda _: tmp_path / "delays.csv")
    whole = backtest(tmp_path, latency, data(COIN, late=3 * MILLI))
    outcome = record(whole, tmp_path / "kept")
    recorded = Recorded(tmp_path / "kept")
    recorded._data = lambda *_: data(COIN, late=3 * MILLI)  # type: ignore[method-assign]
    found = replay(recorded, recorded.backtest())
    assert found.identical
    assert found.decision_hash == outcome.decision_hash


def test_file_of_delays_has_one_of_two_forms(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.csv", tmp_path / "theirs.csv"
    ours.write_text("answer_ns,ts,entry_ns\n5,20,3\n6,10,4\n")
    theirs.write_text("req_ts,exch_ts,resp_ts\n10,14,20\n15,16,0\n20,23,28\n")
    assert read_delays(ours) == read_delays(theirs) == ((10, 4, 6), (20, 3, 5))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "columns are a, b"),
        ("ts,entry_ns,answer_ns\n1,2.5,3\n", "no whole numbers: entry_ns"),
        ("ts,entry_ns,answer_ns\n1,2,3\n2,,3\n", "empty field"),
        ("ts,entry_ns,answer_ns\n", "delays.csv: no rows below the column names ts, entry_ns, answer_ns"),
        ("req_ts,exch_ts,resp_ts\n", "delays.csv: no rows below the column names req_ts, exch_ts, resp_ts"),
        ("req_ts,exch_ts,resp_ts\n10,14,0\n", "delays.csv: no recorded latency among its rows"),
        ("", "delays.csv: the file is empty"),
    ],
)
def test_file_of_delays_that_holds_none_is_refused(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "delays.csv").write_text(text)
    with pytest.raises(DataError, match=says) as raised:
        read_delays(tmp_path / "delays.csv")
    if says.startswith("delays.csv"):
        assert "ts, entry_ns, answer_ns; or req_ts, exch_ts, resp_ts" in raised.value.hint


def test_file_of_delays_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file of recorded latencies"):
        with_file(latency_from_text("recorded:gone.csv"), lambda name: tmp_path / name)

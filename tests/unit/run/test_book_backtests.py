"""Whole backtests on order books: what venue and engine know when, what the strategy sees, what is refused, what is in the hash."""

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from histories import bar_history, book, history, strategy, trades
from machine import HOUR, T0, bars, coin

from lockstep.model.enums import BookFault, BookState
from lockstep.model.errors import StrategyFault, UsageError
from lockstep.run.backtest import Backtest, Outcome
from lockstep.run.config import BacktestConfig
from lockstep.run.plan import StrategyPlan
from lockstep.run.results import finish_run
from lockstep.run.snapshot import resume, take
from lockstep.sim.models import LATENCIES, BookFills, Latency, Slippage, book_fills_from_text
from lockstep.store.catalog.readers import read_market_data

FREE: dict[str, Any] = {"latency": LATENCIES["none"], "slippage": Slippage(), "cash": Decimal(10_000_000)}
FIRST = [("CLEAR", 0, 0, 0), ("SET", 1, 99, 10), ("SET", 1, 98, 20), ("SET", -1, 101, 10), ("SET", -1, 102, 30)]
ORDERS = [("CLEAR", 0, 0, 0), ("ADD", 1, 99, 4, 11), ("ADD", 1, 99, 6, 12), ("ADD", -1, 101, 5, 21)]
ONCE = """
    def on_start(self):
        self.sent = False
        self.seen = []

    def on_book(self, update):
        book = self.book()
        self.seen.append((self.now, book.bid, book.ask, book.is_good))
        if not self.sent:
            self.sent = True
            self.{act}
"""


def run(body: Any, data: Any, tmp_path: Path, **config: Any) -> Outcome:
    return Backtest(strategy(tmp_path, body), data, BacktestConfig(**(FREE | config))).run()


def fills(outcome: Outcome) -> list[tuple[int, int, int]]:
    """(venue time after T0, quantity, price) of each."""
    columns = ((outcome.fill_rows.column(1) - T0), outcome.fill_rows.column(5), outcome.fill_rows.column(6))
    return list(zip(*(column.tolist() for column in columns), strict=True))


def levels(*more: tuple[Any, ...]) -> list[Any]:
    return [history(book((0, FIRST, True), *more)), history(trades((50, 99, 12), (60, 99, 12)))]


def test_strategy_hears_each_group_once_with_the_book_as_it_is_then(tmp_path: Path) -> None:
    two = (5, [("SET", 1, 100, 1), ("SET", -1, 101, 0)], False)
    playing = Backtest(strategy(tmp_path, ONCE.format(act="buy(15)")), levels(two), BacktestConfig(**FREE)).begin()
    playing.loop.run_all()
    heard: Any = playing.engine.seats[0].strategy
    assert heard.seen == [(T0, 99.0, 101.0, True), (T0 + 5, 100.0, 102.0, True)]
    assert fills(playing.end()) == [(0, 10, 101), (0, 5, 102)]


def test_feed_latency_lets_the_venue_be_ahead_of_what_the_strategy_sees(tmp_path: Path) -> None:
    data = levels((5, [("SET", -1, 101, 0)], False))
    outcome = run(ONCE.format(act="buy(1)"), data, tmp_path, latency=Latency(feed_ns=7))
    assert fills(outcome) == [(7, 1, 102)]


def test_book_received_late_is_matched_when_it_happened(tmp_path: Path) -> None:
    late = history(book((0, FIRST, True, 10), (5, [("SET", -1, 101, 0)], False, 15)))
    assert fills(run(ONCE.format(act="buy(1)"), [late, levels()[1]], tmp_path)) == [(10, 1, 102)]


def test_resting_order_is_filled_by_the_trades_that_reach_it(tmp_path: Path) -> None:
    assert fills(run(ONCE.format(act="buy(5, limit=99)"), levels(), tmp_path)) == [(50, 2, 99), (60, 3, 99)]


def test_book_of_orders_is_matched_exactly_unless_said_otherwise(tmp_path: Path) -> None:
    more = (
        5,
        [("ADD", 1, 99, 9, 13), ("DELETE", 1, 99, 0, 11), ("MATCH", 1, 99, 6, 12), ("MATCH", 1, 99, 3, 13)],
        False,
    )
    data = [history(book((0, ORDERS, True), more)), levels()[1]]
    body = ONCE.format(act="buy(5, limit=99)")
    # 9 of the trade of 12 are the executions told before it; the rest of it met a hidden order, behind those that are shown.
    assert fills(run(body, data, tmp_path)) == [(5, 3, 99), (50, 2, 99)]
    assert fills(run(body, data, tmp_path, books=BookFills(queue="pessimistic"))) == [(50, 2, 99), (60, 3, 99)]


def test_where_chunks_end_decides_nothing(tmp_path: Path) -> None:
    more = [(at, [("SET", 1, 99, at), ("SET", -1, 101, at), ("SET", -1, 101, at + 1)], False) for at in range(1, 60)]
    changes = book((0, FIRST, True), *more)
    hashes = {
        run(
            ONCE.format(act="buy(25, limit=101)"),
            [history(changes, chunk=chunk), levels()[1]],
            tmp_path,
            latency=delays,
        ).decision_hash
        for chunk in (1, 2, 7, 10_000)
        for delays in (Latency(feed_ns=3), Latency(feed_ns=3, name="the same by another name"))
    }
    assert len(hashes) == 1


def test_exact_places_are_refused_where_levels_are_all_there_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="told by levels") as caught:
        run(ONCE.format(act="buy(1)"), levels(), tmp_path, books=BookFills(queue="exact"))
    assert "pessimistic" in caught.value.hint


def test_books_alone_are_refused_since_nothing_tells_a_price(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="its book alone"):
        run(ONCE.format(act="buy(1)"), levels()[:1], tmp_path)


def test_an_instrument_without_a_price_matters_only_where_it_was_chosen(tmp_path: Path) -> None:
    silent = history(book((0, FIRST, True)), msgspec.structs.replace(coin(), symbol="SILENT"))
    loaded, data, config = strategy(tmp_path, ONCE.format(act="buy(5)")), [*levels(), silent], BacktestConfig(**FREE)
    outcome = Backtest(loaded, data, config).run()
    assert outcome.decision_hash == Backtest(loaded, levels(), config).run().decision_hash
    warned = finish_run(outcome, tmp_path / "runs", command="test", with_sensitivity=False).manifest["warnings"]
    assert "no trade or quote tells a price, left out: SILENT" in warned
    with pytest.raises(UsageError, match="the data of SILENT are changes of its book alone"):
        Backtest(loaded, data, config, chosen=["AAA", "silent"])
    with pytest.raises(UsageError, match="the data of SILENT are changes of its book alone"):
        Backtest([StrategyPlan(loaded, symbols=["AAA", "SILENT"])], data, config)


def test_single_orders_of_the_best_price_alone_are_refused_with_the_way_to_trade_them(tmp_path: Path) -> None:
    trade = levels()[1]
    with pytest.raises(UsageError, match="AAA are told at the best price alone") as caught:
        run(ONCE.format(act="buy(1)"), [history(book((0, ORDERS, True)), levels=1), trade], tmp_path)
    assert "--kind ticks" in caught.value.hint
    for data in (history(book((0, ORDERS, True)), levels=10), history(book((0, FIRST, True)), levels=1)):
        run(ONCE.format(act="buy(1)"), [data, trade], tmp_path)  # one level told as a level is a whole level


def test_events_that_met_no_order_for_want_of_a_book_are_told(tmp_path: Path) -> None:
    auction = (5, [("STATUS", 0, int(BookState.AUCTION), int(BookFault.VENUE))], False)
    outcome = run(ONCE.format(act="buy(5, limit=99)"), levels(auction), tmp_path)
    made = finish_run(outcome, tmp_path / "runs", command="test", with_sensitivity=False)
    assert _came_to_nothing(3, "the book was AUCTION") in made.manifest["warnings"]
    assert "AAA: the book was AUCTION when the data ended" in made.manifest["warnings"]


def _came_to_nothing(events: int, since: str) -> str:
    return f"AAA: {events} events (changes of the book, trades, arrivals) came to nothing for our orders since {since}"


def test_book_whose_data_have_ended_fills_nothing_unless_silence_believes_it(tmp_path: Path) -> None:
    body = f"""
    def on_start(self):
        if self.instrument.symbol == "AAA":
            for after in (60, 61, 500):
                self.set_timer(f"{{after}}", at={T0} + after)

    def on_timer(self, timer):
        self.buy(1)
"""
    data = [*levels(), history(trades((61, 50, 1), (500, 50, 1), (501, 50, 1)), coin("BBB"))]
    outcome = run(body, data, tmp_path)
    assert fills(outcome) == [(60, 1, 101)]  # at the last moment it still stands
    warned = finish_run(outcome, tmp_path / "runs", command="test", with_sensitivity=False).manifest["warnings"]
    told = next(one for one in warned if "data had ended" in one)
    assert told.startswith(_came_to_nothing(2, "its data had ended (2020-09-14T00:00:00"))
    assert "--silence" in told
    believed = run(body, data, tmp_path, books=BookFills(silence_max_ns=100))
    assert fills(believed) == [(60, 1, 101), (61, 1, 101)]
    assert not any(
        "data had ended" in one
        for one in finish_run(believed, tmp_path / "runs", command="test", with_sensitivity=False).manifest["warnings"]
    )


def test_recording_without_a_full_book_fills_only_where_it_is_believed_from_nothing(tmp_path: Path) -> None:
    unknown = ("STATUS", 0, int(BookState.EMPTY), int(BookFault.NO_SNAPSHOT))
    told = [("ADD", 1, 99, 4, 11), ("ADD", -1, 101, 5, 21)]
    data = [history(book((0, [unknown], False), (1, told, False))), history(trades((50, 99, 12), (60, 99, 12)))]
    body = ONCE.format(act="buy(7, limit=101)")
    waits = finish_run(run(body, data, tmp_path), tmp_path / "runs", command="test", with_sensitivity=False)
    assert waits.manifest["counts"]["fills"] == 0
    assert any(
        "EMPTY when the data ended: no full book came; --book-start" in one for one in waits.manifest["warnings"]
    )
    believed = Backtest(strategy(tmp_path, body), data, BacktestConfig(**FREE, books=BookFills(start="empty")))
    outcome = believed.run()
    assert fills(outcome) == [(1, 5, 101), (50, 2, 101)]
    playing = believed.begin()
    playing.loop.run(T0)  # the book is empty, and believed
    again = resume(believed, take(playing))
    again.loop.run_all()
    assert again.end().decision_hash == outcome.decision_hash


def test_mark_outs_say_where_the_middle_stood_after_each_fill(tmp_path: Path) -> None:
    second = 1_000_000_000
    later = [
        (second, [("SET", -1, 101, 0)], False),  # at the horizon itself: the middle is 100.5 from here on
        (second + 1, [("SET", 1, 99, 0)], False),
        (4 * second, [("SET", 1, 97, 5)], False),
        (14 * second, [("STATUS", 0, int(BookState.AUCTION), 0)], False),
        (16 * second, [("STATUS", 0, int(BookState.GOOD), 0)], False),
    ]
    data = [history(book((0, FIRST, True), *later)), history(trades((50, 99, 12), (17 * second, 99, 1)))]
    body = ONCE.format(act="sell(12, limit=98)")
    made = finish_run(run(body, data, tmp_path), tmp_path / "runs", command="test", with_sensitivity=False)
    table: Any = made.table("markouts")
    assert table["price"].tolist() == [99.0, 98.0]
    assert (table["side"].tolist(), list(table["liquidity"])) == ([-1, -1], ["taker", "taker"])
    assert table["after_1s"].tolist() == [-1.5, -2.5]  # 100.5 then, and we had sold
    assert table["after_5s"].tolist() == [-1.0, -2.0]
    assert all(value != value for value in table["after_15s"].tolist())  # noqa: PLR0124 - nan: no book to trust


def test_strategy_that_asks_for_a_book_there_is_none_of_is_told(tmp_path: Path) -> None:
    body = "    def on_bar(self, bar):\n        self.book()\n"
    with pytest.raises(StrategyFault, match="no order book of AAA"):
        run(body, [bar_history(bars(100, 101, step=HOUR))], tmp_path)


def test_strategy_sees_a_silent_book_as_stale_where_the_venue_fills_nothing(tmp_path: Path) -> None:
    body = """
    def on_start(self):
        self.seen = []

    def on_trade(self, trade):
        self.seen.append((self.book().is_good, *self.book().status))
        self.buy(1)
"""
    config = BacktestConfig(**FREE, books=BookFills(silence_max_ns=10))
    data = [history(book((0, FIRST, True), (55, [("SET", 1, 99, 11)], False))), levels()[1]]
    playing = Backtest(strategy(tmp_path, body), data, config).begin()
    playing.loop.run_all()
    heard: Any = playing.engine.seats[0].strategy
    assert heard.seen == [(False, BookState.STALE, BookFault.SILENT), (True, BookState.GOOD, BookFault.NONE)]
    assert fills(playing.end()) == [(55, 1, 101), (60, 1, 101)]


def test_book_that_is_known_late_is_not_silent_for_that(tmp_path: Path) -> None:
    body = """
    def on_start(self):
        self.spread = self.indicator(Spread())
        self.seen = []

    def on_book(self, update):
        self.seen.append((self.now - update.ts_event, self.book().is_good, self.spread.value))

    def on_trade(self, trade):
        self.seen.append((self.now - trade.ts_event, self.book().is_good, self.spread.value == self.spread.value))
"""
    body = body.replace("self.spread = ", "from lockstep.features.micro import Spread\n        self.spread = ")
    config = BacktestConfig(**FREE | {"latency": Latency(feed_ns=20)}, books=BookFills(silence_max_ns=10))
    playing = Backtest(strategy(tmp_path, body), levels((45, [("SET", 1, 99, 11)], False)), config).begin()
    playing.loop.run(T0 + 66)
    again = resume(playing.backtest, take(playing))
    again.loop.run_all()
    heard: Any = again.engine.seats[0].strategy
    assert heard.seen == [(20, True, 2.0), (20, True, 2.0), (20, True, True), (20, False, False)]


def test_view_of_the_book_cannot_change_it(tmp_path: Path) -> None:
    playing = Backtest(strategy(tmp_path, ONCE.format(act="buy(1)")), levels(), BacktestConfig(**FREE)).begin()
    playing.loop.run_all()
    view = playing.engine.seats[0].strategy.book()
    assert not {"update", "apply", "load", "clear", "set_state", "add"} & set(dir(view))
    with pytest.raises(AttributeError):
        view.bid = 1.0
    assert (view.mid, view.bids(1), view.asks(1)) == (100.0, [(99.0, 10.0)], [(101.0, 10.0)])
    assert (view.qty_units_at(1, 98), view.orders_at(1, 99), view.fault_counts()) == (20, [], {})


def test_queue_model_and_recovery_are_in_the_run_hash_and_defaults_leave_it_alone(tmp_path: Path) -> None:
    body = ONCE.format(act="buy(1)")
    hashes = [
        run(body, levels(), tmp_path, books=books).run_hash
        for books in (BookFills(), BookFills(queue="log"), BookFills(queue="power"), BookFills(recovery_ns=5))
    ]
    assert len(set(hashes)) == 4
    assert "books" not in BacktestConfig().facts()


@pytest.mark.parametrize(
    ("queue", "recovery", "made"),
    [
        ("power:2.5", "none", BookFills(queue="power", power=Decimal("2.5"))),
        ("log", "500ms", BookFills(queue="log", recovery_ns=500_000_000)),
    ],
)
def test_queue_model_from_text(queue: str, recovery: str, made: BookFills) -> None:
    assert book_fills_from_text(queue, recovery) == made


@pytest.mark.parametrize(
    ("queue", "recovery"), [("fifo", "none"), ("log:2", "none"), ("power:x", "none"), ("log", "soon")]
)
def test_queue_model_from_text_that_is_none_is_refused(queue: str, recovery: str) -> None:
    with pytest.raises(UsageError):
        book_fills_from_text(queue, recovery)


def test_run_goes_on_from_a_snapshot_with_both_books(tmp_path: Path) -> None:
    more = [(at, [("SET", 1, 99, 10 - at % 3), ("SET", -1, 101, at)], False) for at in range(1, 40)]
    backtest = Backtest(strategy(tmp_path, ONCE.format(act="buy(5, limit=99)")), levels(*more), BacktestConfig(**FREE))
    whole = backtest.run()
    playing = backtest.begin()
    playing.loop.run(T0 + 20)
    again = resume(backtest, take(playing))
    again.loop.run_all()
    known, expected = again.engine.books.books[0], whole.engine.books.books[0]
    assert known is not None
    assert expected is not None
    assert known.bids(3) == expected.bids(3)
    assert again.end().decision_hash == whole.decision_hash


MAKER = """
    def on_start(self):
        self.resting = {}
        self.heard = 0

    def on_book(self, update):
        book = self.book()
        self.heard += 1
        if not book.is_good or self.heard % 20:
            return
        for side, price in ((1, book.bid), (-1, book.ask)):
            order = self.resting.get(side)
            if order is not None and order.is_open:
                if order.limit_price == price:
                    continue
                self.cancel(order)
            if self.position.qty * side < 0.05:
                self.resting[side] = (self.buy if side > 0 else self.sell)(0.01, limit=price, post_only=True)
"""
ALONE = """
import sys
from pathlib import Path
sys.path.insert(0, {support!r})
from histories import strategy
from lockstep.run.backtest import Backtest
from lockstep.store.catalog.readers import read_market_data
outcome = Backtest(strategy(Path({folder!r}), {body!r}), read_market_data(Path({path!r}), kind="depth")).run()
print(outcome.run_hash, outcome.fills)
"""


@pytest.mark.data
@pytest.mark.slow
def test_two_processes_one_compiled_and_one_not_give_one_hash(data: Path, tmp_path: Path) -> None:
    path = data / "crypto_l2/binance_spot_btcusdt_20240808.raw.zst"
    here = Backtest(strategy(tmp_path, MAKER), read_market_data(path, kind="depth")).run()
    assert here.fills > 50
    support = str(Path(__file__).parents[2] / "support")
    script = ALONE.format(support=support, folder=str(tmp_path), body=MAKER, path=str(path))
    for pure in ("0", "1"):
        told = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True, text=True, check=True, env=os.environ | {"LOCKSTEP_PURE": pure},
        )  # fmt: skip
        assert told.stdout.split() == [here.run_hash, str(here.fills)]


RESTING = """
    def on_start(self):
        self.heard = 0
        self.order_id = 0

    def on_book(self, update):
        self.heard += 1
        if self.heard == 1:
            self.first = self.buy(5, limit=99).id
            self.sell(4, limit=105)
            self.buy(3, limit=100)
        elif self.heard == 2:
            self.replace(next(one for one in self.open_orders if one.id == self.first), limit=97)
"""


def test_placements_say_where_orders_came_to_rest_and_what_was_filled_there(tmp_path: Path) -> None:
    moved = (55, [("SET", -1, 101, 9)], False)
    made = finish_run(run(RESTING, levels(moved), tmp_path), tmp_path / "runs", command="test", with_sensitivity=False)
    table: Any = made.table("placements")
    rows = list(
        zip(
            *(table[name].tolist() for name in ("order_id", "side", "ticks_behind", "ahead", "qty", "filled")),
            strict=True,
        )
    )
    # The buy at 100 improves, and takes the trade at 99 first: 3 of its 12. Of the rest 10 stood before us at 99.
    assert rows == [(1, 1, 0, 10, 5, 0), (2, -1, 4, 0, 4, 0), (3, 1, -1, 0, 3, 3), (1, 1, 2, 0, 5, 0)]
    facts = made.manifest["execution"]
    assert facts["messages"] == {"orders": 3, "replaces": 1, "cancels": 0}
    assert facts["order_to_trade"] == 4.0
    rates = {rate["distance"]: (rate["placements"], rate["share"]) for rate in facts["fill_rates"]}
    assert rates["improving"] == (1, 1.0)
    assert rates["at best"] == (1, 0.0)
    assert (facts["queue"], facts["silence_max_ns"]) == ({"AAA": "pessimistic"}, 0)
    assert facts["mark_outs"][0]["liquidity"] == "maker"


def test_placements_go_on_from_a_snapshot(tmp_path: Path) -> None:
    moved = (55, [("SET", -1, 101, 9)], False)
    backtest = Backtest(
        strategy(tmp_path, RESTING.replace("self.order_id = 0", "pass")), levels(moved), BacktestConfig(**FREE)
    )
    whole = backtest.run()
    playing = backtest.begin()
    playing.loop.run(T0 + 20)
    again = resume(backtest, take(playing))
    again.loop.run_all()
    depths = [(outcome.markets[0].depth, whole) for outcome in (whole, again.end())]
    words = [depth.placements.words() for depth, _ in depths if depth is not None]
    assert words[0] == words[1]
    assert len(words[0]) == 4 * 6


def test_run_without_books_says_nothing_of_executions_on_them(tmp_path: Path) -> None:
    body = "    def on_bar(self, bar):\n        self.buy(1)\n"
    made = finish_run(
        run(body, [bar_history(bars(100, 101, 102, step=HOUR))], tmp_path),
        tmp_path / "runs",
        command="t",
        with_sensitivity=False,
    )
    assert made.manifest["execution"] is None
    assert len(made.table("placements")["order_id"]) == 0


LOOK = """
    def on_start(self):
        self.seen = []

    def on_book(self, update):
        book = self.book()
        self.seen.append((book.bids(5), book.asks(5), book.status, [book.orders_at(1, 99), book.orders_at(-1, 101)]))
"""
CHANGES: dict[str, tuple[Any, list[Any]]] = {
    "levels": (FIRST, [(1, [("SET", 1, 100, 7), ("SET", -1, 102, 0)], False), (3, [("SET", 1, 98, 21)], False)]),
    "orders": (ORDERS, [(1, [("ADD", 1, 99, 2, 13), ("MATCH", 1, 99, 1, 11)], False), (3, [("ADD", 1, 98, 1, 14)], False)]),
    "gap": (FIRST, [(1, [("STATUS", 0, BookState.RESYNCING, BookFault.GAP)], False), (3, [("SET", 1, 98, 21)], False)]),
    "never full": (None, [(1, [("SET", 1, 99, 7)], False), (3, [("SET", -1, 103, 21)], False)]),
    "auction": (
        ORDERS,
        [(1, [("STATUS", 0, BookState.AUCTION, BookFault.VENUE), ("ADD", 1, 105, 2, 13)], False), (3, [("ADD", 1, 98, 1, 14)], False)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGES)
@pytest.mark.parametrize("start", ["full", "empty"])
def test_run_that_begins_in_the_middle_has_the_book_that_stood_there(tmp_path: Path, case: str, start: str) -> None:
    first, more = CHANGES[case]
    data = [history(book(*([] if first is None else [(0, first, True)]), *more)), levels()[1]]
    books = BookFills(start=start)

    def last_seen(start_ns: int | None) -> Any:
        playing = Backtest(
            strategy(tmp_path, LOOK), data, BacktestConfig(**FREE, start_ns=start_ns, books=books)
        ).begin()
        playing.loop.run_all()
        heard: Any = playing.engine.seats[0].strategy
        return heard.seen[-1]

    whole = last_seen(None)
    assert last_seen(T0 + 2) == whole
    assert last_seen(T0 + 3) == whole

"""The tables of a run, row by row: what the order log says before, at and after a split, fills, trades, signals."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lockstep.model.fees import FeeSchedule
from lockstep.run.backtest import Backtest, Outcome
from lockstep.run.config import BacktestConfig
from lockstep.run.strategy_file import load_strategy
from lockstep.run.tables import (
    equity_blocks,
    fill_blocks,
    kind_counts,
    order_blocks,
    round_trips,
    signal_columns,
    splits,
    trade_columns,
)
from lockstep.sim.models import Latency, Slippage
from lockstep.store.rowspool import RowSpool
from lockstep.store.runs import RunFolder

SPLIT_2005 = 1_109_601_000_000_000_000  # AAPL 2 for 1, the open of 28 February 2005
HELD_OVER = '''
from lockstep import Strategy


class HeldOver(Strategy):
    """On the second bar a limit far below that rests over the split; on the third a bracket of market and stop."""

    def on_start(self):
        self.k = 0

    def on_bar(self, bar):
        self.k += 1
        if self.k == 2:
            self.buy(10, limit=20.0, tif="GTC", signal=self.signal("BUY", 0.75, target=99.5, reasoning="cheap"))
        if self.k == 3:
            self.buy(7)
        if self.k == 4:
            self.sell(3, stop=30.0, tif="GTC")
        if self.k == 8:
            self.cancel()
        if self.k == 10:
            self.close()
'''


def nanos(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 10**9


def whole(blocks: Iterator[dict[str, Any]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for block in blocks:
        for name, column in block.items():
            found.setdefault(name, []).extend(column.tolist())
    return found


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("held") / "held_over.py"
    path.write_text(HELD_OVER)
    return path


def run(stocks: list[Any], file: Path, **config: Any) -> Outcome:
    """AAPL from 18 February to 7 March 2005, the split before the sixth session."""
    limits = {"start_ns": nanos(2005, 2, 18), "end_ns": nanos(2005, 3, 8)}
    free = {"latency": Latency(), "slippage": Slippage(), "fees": FeeSchedule()}
    return Backtest(load_strategy(file), stocks[:1], BacktestConfig(**(limits | free | config))).run()


@pytest.fixture(scope="module")
def held_over(stocks: list[Any], file: Path) -> Outcome:
    return run(stocks, file)


def test_orders_table_follows_each_order_over_a_split(held_over: Outcome) -> None:
    table = whole(order_blocks(held_over))
    names = ("record", "order_id", "qty_units", "limit_units", "stop_units", "cum_units", "leaves_units")
    rows = list(zip(*(table[name] for name in names), strict=True))
    first, market, stop, *rest = dict.fromkeys(table["order_id"])
    assert [row[0:1] + row[2:] for row in rows if row[1] == first] == [
        ("submit", 10, 200_000, 0, 0, 10),
        ("accept", 10, 0, 0, 0, 10),
        ("restate", 20, 100_000, 0, 0, 20),
        ("cancel_request", 20, 0, 0, 0, 20),
        ("cancel", 20, 0, 0, 0, 0),
    ]
    assert [row[0:1] + row[2:] for row in rows if row[1] == market] == [
        ("submit", 7, 0, 0, 0, 7),
        ("accept", 7, 0, 0, 0, 7),
        ("fill", 7, 0, 0, 7, 0),
    ]
    assert [row[0:1] + row[2:] for row in rows if row[1] == stop] == [
        ("submit", 3, 0, 300_000, 0, 3),
        ("accept", 3, 0, 0, 0, 3),
        ("restate", 6, 0, 150_000, 0, 6),
        ("cancel_request", 6, 0, 0, 0, 6),
        ("cancel", 6, 0, 0, 0, 0),
    ]
    closing = [row[0:1] + row[2:] for row in rows if row[1] == rest[0]]
    assert closing[0] == ("submit", 14, 0, 0, 0, 14)
    assert closing[-1] == ("fill", 14, 0, 0, 14, 0)
    assert len(rest) == 1


def test_orders_table_says_what_an_order_shows_before_and_after_a_split(stocks: list[Any], tmp_path: Path) -> None:
    file = tmp_path / "partly.py"
    file.write_text(HELD_OVER.replace('tif="GTC", signal', 'tif="GTC", display_qty=4, signal'), encoding="utf-8")
    table = whole(order_blocks(run(stocks, file)))
    shown = list(zip(table["record"], table["display_units"], strict=True))
    assert [row for row, ident in zip(shown, table["order_id"], strict=True) if ident == table["order_id"][0]] == [
        ("submit", 4),
        ("accept", 4),
        ("restate", 8),
        ("cancel_request", 8),
        ("cancel", 8),
    ]
    assert {k for (_, k), ident in zip(shown, table["order_id"], strict=True) if ident != table["order_id"][0]} == {0}


def test_orders_table_times_states_and_signal_of_a_held_order(held_over: Outcome) -> None:
    table = whole(order_blocks(held_over))
    first = table["order_id"][0]
    rows = [k for k, ident in enumerate(table["order_id"]) if ident == first]
    assert table["seq"] == list(range(len(table["seq"])))
    assert table["ts"] == sorted(table["ts"])
    assert [table["state"][k] for k in rows] == [
        "pending_new",
        "acknowledged",
        "acknowledged",
        "pending_cancel",
        "canceled",
    ]
    assert [table["ts"][k] for k in rows][2] == SPLIT_2005
    assert {table["signal_id"][k] for k in rows} == {held_over.signals[0].signal_id}
    assert {table[name][k] for k in rows for name in ("type", "tif", "symbol", "strategy")} == {
        "limit", "gtc", "AAPL", "HeldOver",
    }  # fmt: skip
    assert {table["side"][k] for k in rows} == {1}
    others = [k for k in range(len(table["seq"])) if k not in rows]
    assert {table["signal_id"][k] for k in others} == {0}


def test_orders_table_does_not_depend_on_how_the_log_was_cut(outcome: Outcome, folder: RunFolder) -> None:
    written = folder.table("orders")
    spool = RowSpool(outcome.decisions.words)
    rows = np.concatenate(list(outcome.decisions.blocks()))
    for at in range(0, len(rows), 61):
        spool.append(rows[at : at + 61])
    kept, outcome.decisions = outcome.decisions, spool
    try:
        found = whole(order_blocks(outcome))
    finally:
        outcome.decisions = kept
    assert {name: list(column) for name, column in written.items()} == found


def test_leaves_and_cumulated_quantity_add_up_in_every_row(folder: RunFolder) -> None:
    table = folder.table("orders")
    ended = np.isin(table["state"], ["denied", "filled", "canceled", "rejected", "expired"])
    qty, cum, leaves = (np.asarray(table[name]) for name in ("qty_units", "cum_units", "leaves_units"))
    assert np.array_equal(np.where(ended, 0, qty - cum), leaves)
    assert np.all((cum >= 0) & (cum <= qty))
    assert np.array_equal(cum[np.asarray(table["state"]) == "filled"], qty[np.asarray(table["state"]) == "filled"])
    assert {"submit", "deny", "accept", "cancel_request", "cancel", "fill", "restate", "expire"} <= set(table["record"])
    denied = np.asarray(table["record"]) == "deny"
    assert {reason for reason, gone in zip(table["reason"], denied, strict=True) if gone} != {""}


def test_fills_of_an_order_sum_to_its_last_cumulated_quantity(folder: RunFolder) -> None:
    fills, orders = folder.table("fills"), folder.table("orders")
    last = dict(zip(orders["order_id"], orders["cum_units"], strict=True))
    sums: dict[int, int] = {}
    for ident, qty in zip(fills["order_id"], fills["qty_units"], strict=True):
        sums[ident] = sums.get(ident, 0) + int(qty)
    assert sums == {ident: cum for ident, cum in last.items() if cum}
    assert len(set(fills["exec_id"])) == len(fills["exec_id"])
    assert set(fills["liquidity"]) <= {"maker", "taker"}
    assert np.array_equal(np.asarray(fills["price"]), np.asarray(fills["price_units"]) / 10_000)


def test_signals_table_has_what_was_said_and_null_where_nothing_was(held_over: Outcome) -> None:
    table = signal_columns(held_over)
    assert table["action"] == ["buy"]
    assert table["reasoning"] == ["cheap"]
    assert table["target_price"].tolist() == [99.5]
    assert np.isnan(table["stop_price"]).tolist() == [True]


def test_kind_counts_count_splits_and_orders(held_over: Outcome) -> None:
    counts = kind_counts(held_over)
    assert {name: counts[name] for name in ("submit", "restate", "split", "fill", "signal", "cancel")} == {
        "submit": 4, "restate": 2, "split": 1, "fill": 2, "signal": 1, "cancel": 2,
    }  # fmt: skip


def test_trade_over_a_split_is_priced_in_the_shares_of_its_end(held_over: Outcome, stocks: list[Any]) -> None:
    table = trade_columns(held_over, round_trips(held_over))
    fills = whole(fill_blocks(held_over))
    assert fills["qty_units"] == [7, 14]
    bought, sold = fills["price"]
    assert table["open"].tolist() == [False]
    assert table["qty"].tolist() == [14.0]
    assert table["entry_price"].tolist() == pytest.approx([bought / 2])
    assert table["gross_pnl"].tolist() == pytest.approx([14 * sold - 7 * bought])
    assert table["exit_ts"].tolist() == [fills["ts_event"][1]]


def test_split_is_placed_by_the_time_of_the_venue_even_if_news_of_it_comes_late(
    stocks: list[Any], tmp_path: Path
) -> None:
    """With a slow feed our clock at the split is later than the fill at that very open: the fill is in new shares."""
    path = tmp_path / "late.py"
    path.write_text(
        "from lockstep import Strategy\n\n\nclass Late(Strategy):\n    k = 0\n\n    def on_bar(self, bar):\n"
        "        self.k += 1\n        if self.k == 3:\n            self.buy(7)\n        if self.k == 5:\n"
        "            self.buy(2)\n        if self.k == 7:\n            self.close()\n"
    )
    outcome = run(stocks, path, latency=Latency(feed_ns=2 * 10**9))
    (split,) = splits(outcome)
    table = trade_columns(outcome, round_trips(outcome))
    assert split.ts == SPLIT_2005
    assert SPLIT_2005 in whole(fill_blocks(outcome))["ts_event"]
    assert not table["open"].any()
    gain = outcome.final_equity - 100_000.0
    assert float(np.sum(table["net_pnl"])) == pytest.approx(gain, abs=1e-6)
    assert kind_counts(outcome)["split"] == 1


def test_margin_used_is_gross_exposure_over_the_leverage(stocks: list[Any], file: Path) -> None:
    table = whole(equity_blocks(run(stocks, file, leverage=Decimal(4))))
    gross = np.array(table["gross_exposure"])
    assert gross.max() > 0.0
    np.testing.assert_allclose(np.array(table["margin_used"]) * 4.0, gross, rtol=1e-15)

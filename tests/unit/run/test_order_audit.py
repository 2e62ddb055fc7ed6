"""Each transition of an order says when, who, why and what the venue answered: in the orders table and in a journal's lines."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from bench import Bench

from lockstep.engine.records import RECORD_NAMES
from lockstep.model.enums import OrderEventKind as E
from lockstep.model.enums import Reason, Who
from lockstep.run.journal_lines import JournalLines
from lockstep.run.tables import order_blocks
from lockstep.store.journal.layout import Record, RecordKind
from lockstep.store.run_tables import RUN_TABLES

IDENTITY = {"instruments": [{"symbol": "AAA", "price_decimals": 0, "qty_decimals": 0}], "strategies": ["s"]}


@pytest.fixture(scope="module")
def eventful() -> Bench:
    """A bracket, replaced, refused, corrected, busted, lost, cancelled by a trader, and an execution of a stranger."""
    bench = Bench(lambda s: s.buy(10, limit=100, take_profit=110, stop_loss=95))
    bench.bar()
    bench.word(E.ACCEPT)
    bench.plan.replace(bench.orders[0], qty=12)
    bench.word(E.REPLACE_REJECT, reason=Reason.PRICE_BAND)
    bench.plan.replace(bench.orders[0], qty=11, limit=101)
    bench.replaced(11, 101)
    bench.fill(1, 4)
    bench.correct(2, 1, 5, 99)
    bench.bust(3, 1)
    bench.engine.lose(1)
    bench.word(E.ACCEPT)
    bench.engine.cancel(1)
    bench.word(E.CANCEL)
    bench.engine.step(bench.report(E.FILL, 77, 5, 101, order_id=4711))
    bench.engine.lift(0)
    bench.engine.flush()
    return bench


def table_of(bench: Bench, cut: int) -> dict[str, list[Any]]:
    rows = np.array(bench.rows)
    blocks = [rows[at : at + cut] for at in range(0, len(rows), cut)]
    outcome: Any = SimpleNamespace(
        backtest=SimpleNamespace(instruments=[bench.engine.portfolio.holdings[0].instrument]),
        engine=bench.engine,
        decisions=SimpleNamespace(blocks=lambda: iter(blocks)),
    )
    found: dict[str, list[Any]] = {name: [] for name in RUN_TABLES["orders"]}
    for columns in order_blocks(outcome):
        assert list(columns) == list(found)
        for name, column in columns.items():
            found[name].extend(column.tolist())
    return found


def test_orders_table_tells_who_under_which_client_id_and_for_which_parent(eventful: Bench) -> None:
    table = table_of(eventful, 1000)
    names = ("record", "client_id", "who", "qty_units", "cum_units", "state", "reason")
    rows = list(zip(*(table[name] for name in names), table["order_id"], strict=True))
    assert [row[:-1] for row in rows if row[-1] == 1] == [
        ("submit", "1", "strategy", 10, 0, "pending_new", ""),
        ("accept", "1", "venue", 10, 0, "acknowledged", ""),
        ("replace_request", "1", "strategy", 10, 0, "pending_replace", ""),
        ("replace_reject", "1", "venue", 10, 0, "acknowledged", "price_band"),
        ("replace_request", "1", "strategy", 10, 0, "pending_replace", "price_band"),
        ("replace", "1.2", "venue", 11, 0, "acknowledged", ""),
        ("partial", "1.2", "venue", 11, 4, "partial_fill", ""),
        ("correct", "1.2", "venue", 11, 5, "partial_fill", ""),
        ("bust", "1.2", "venue", 11, 0, "acknowledged", ""),
        ("lose", "1.2", "system", 11, 0, "unknown", ""),
        ("accept", "1.2", "venue", 11, 0, "acknowledged", ""),
        ("cancel_request", "1.2", "trader", 11, 0, "pending_cancel", ""),
        ("cancel", "1.2", "venue", 11, 0, "canceled", ""),
    ]
    parents = dict(zip(table["order_id"], table["parent_id"], strict=True))
    assert parents == {1: 0, 2: 1, 3: 1}
    legs = {(row[0], row[2], row[6]) for row in rows if row[-1] in (2, 3)}
    assert legs == {
        ("submit", "system", ""), ("replace_request", "system", ""), ("cancel_request", "system", "linked")
    }  # fmt: skip


@pytest.mark.parametrize("cut", [1, 2, 7])
def test_orders_table_is_the_same_however_the_log_was_cut(eventful: Bench, cut: int) -> None:
    assert table_of(eventful, cut) == table_of(eventful, 1000)


def test_journal_lines_name_every_word_of_these_records(eventful: Bench) -> None:
    names = JournalLines(IDENTITY)
    lines: dict[str, dict[str, Any]] = {}
    for k, row in enumerate(eventful.rows):
        line = names.line(Record(k, row[0], row[1], int(RecordKind.DECISION), np.array(row, np.int64).tobytes()))
        lines.setdefault(line["type"], line)
    assert set(lines) <= set(RECORD_NAMES.values())

    def said(kind: str, *words: str) -> list[Any]:
        return [lines[kind][word] for word in words]

    assert said("replace", "qty", "limit_price", "cumulative", "who") == ["11", "101", "0", "VENUE"]
    assert said("correct", "qty", "price", "execution_id", "cumulative", "liquidity") == ["5", "99", 1, "5", None]
    assert said("bust", "qty", "price", "execution_id", "cumulative") == ["5", "99", 1, "0"]
    assert said("lose", "who", "state", "leaves") == ["SYSTEM", "UNKNOWN", "11"]
    assert said("partial", "liquidity", "who") == ["TAKER", "VENUE"]
    assert said("link", "order_id", "parent_id", "role", "group") == [2, 1, "stop_loss", 1]
    assert said("orphan", "order_id", "qty", "price", "execution_id", "event") == [4711, "5", "101", 77, "FILL"]
    assert said("suspend", "order_id", "who") == [4711, Who.SYSTEM.name]
    assert said("lift", "order_id", "who") == [0, Who.TRADER.name]

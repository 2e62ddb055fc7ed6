"""Why an order: what the chain tells is what the strategy saw, what risk asked and what was recorded."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lockstep.model.errors import StateError, StrategyFault, UsageError
from lockstep.risk.limits import RiskLimits
from lockstep.run.backtest import Backtest
from lockstep.run.config import BacktestConfig
from lockstep.run.data_source import DataSource
from lockstep.run.explain import explain
from lockstep.run.order_log import OrderLog, OrderRecord, summary_of
from lockstep.run.recorded import DataGone, Recorded
from lockstep.run.recording import record
from lockstep.run.strategy_file import load_strategy

SOURCE = DataSource(where="us_stocks", symbols=("AAPL", "IBM", "MSFT"))
TELLS = '''"""Says in each signal what it saw; orders from every handler that may."""

from datetime import timedelta

from lockstep import EMA, Strategy


class Tells(Strategy):
    def on_start(self):
        self.average = self.indicator(EMA(5))
        self.count = 0
        self.set_timer("noon", every=timedelta(days=50))

    def said(self, what):
        return self.signal("BUY", reasoning=f"{what} {self.average.value!r} {self.position.qty}")

    def on_bar(self, bar):
        self.count += 1
        if self.count % 40 == 1:
            self.buy(3, limit=bar.close, signal=self.said("on_bar"))
            self.buy(4, signal=self.said("on_bar"))
        if self.count % 90 == 1:
            self.buy(10_000_000, signal=self.said("on_bar"))

    def on_fill(self, fill):
        if fill.qty == 4:
            self.sell(1, signal=self.said("on_fill"))

    def on_order(self, event):
        if event.kind.name == "DENY":
            self.buy(2, signal=self.said("on_order"))

    def on_timer(self, timer):
        self.sell(5, stop=self.round_price(self.last_price() * 0.5), signal=self.said("on_timer"))

    def on_stop(self):
        self.sell(1, signal=self.said("on_stop"))
'''


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("told")
    (folder / "tells.py").write_text(TELLS)
    config = BacktestConfig(
        cash=Decimal(30_000),
        end_ns=1_000_000_000 * 10**9,
        limits=RiskLimits(position_max=Decimal(50_000), orders_per_second=30),
    )
    record(Backtest(load_strategy(folder / "tells.py"), SOURCE.read(None), config), folder / "kept", [SOURCE])
    return Recorded(folder / "kept")


@pytest.fixture(scope="module")
def chains(told: Recorded) -> list[dict[str, Any]]:
    """Of some orders, of some that risk refused and of those that came of the refusals. The data are read once for all."""
    log = OrderLog(told)
    denied = [order["id"] for order in log.summaries(["DENIED"])][:4]
    chosen = {*log.ids[::11].tolist(), *denied, *(ident + 1 for ident in denied)}
    data = SOURCE.read(None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DataSource, "read", lambda *_: data)
        return [explain(told, ident, told.backtest) for ident in sorted(chosen)]


def links(found: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [link for link in found["chain"] if link["link"] == name]


@pytest.mark.slow
def test_event_and_indicators_are_those_the_strategy_saw(chains: list[dict[str, Any]]) -> None:
    handlers = set()
    for found in chains:
        (event,), (seen,), (signal,) = (links(found, name) for name in ("event", "indicators", "signal"))
        handler, average, _ = signal["reasoning"].split()
        assert event["handler"] == handler
        assert repr(seen["values"]["average"]) == average
        assert event["ts"] == signal["ts"] == found["order"]["ts"]
        handlers.add(handler)
    assert handlers >= {"on_bar", "on_fill", "on_order", "on_timer"}


def test_order_from_on_stop_has_its_handler_and_no_event(told: Recorded) -> None:
    last = int(OrderLog(told).ids[-1])
    (event,) = links(explain(told, last, told.backtest), "event")
    assert event["handler"] == "on_stop"
    assert "close" not in event


def test_check_that_refuses_is_the_recorded_reason_and_approved_orders_pass_all(chains: list[dict[str, Any]]) -> None:
    refused = 0
    for found in chains:
        failed = [check["rule"] for check in links(found, "check") if not check["passed"]]
        denied = found["order"]["state"] == "DENIED"
        assert failed == ([found["order"]["reason"]] if denied else []), found["order"]
        refused += denied
    assert refused > 2


def test_every_check_that_was_come_to_is_told_with_its_numbers(chains: list[dict[str, Any]]) -> None:
    for found in chains:
        checks = links(found, "check")
        rules = [check["rule"] for check in checks]
        if found["order"]["state"] == "DENIED":
            assert rules == ["POSITION"], found
            assert checks[0]["actual"] > checks[0]["limit"] == 50_000
        else:
            assert rules[:2] == ["NO_REFERENCE_PRICE", "POSITION"], found
            assert (rules[-1], checks[-1]["limit"]) == ("THROTTLE", 30)
            assert ("BUYING_POWER" in rules) is (found["order"]["side"] == "BUY"), found
        assert len(rules) == len(set(rules))


def test_position_check_counts_what_is_held_and_on_its_way(chains: list[dict[str, Any]]) -> None:
    seen = 0
    for found in chains:
        (signal,) = links(found, "signal")
        held = float(signal["reasoning"].split()[2])
        (check,) = [entry for entry in links(found, "check") if entry["rule"] == "POSITION"]
        side = 1 if found["order"]["side"] == "BUY" else -1
        (order,) = links(found, "order")
        pending = check["actual"] - float(order["qty"]) - held * side  # the order as sent: a split restates it later
        assert pending >= 0, found
        seen += pending > 0
    assert seen


def test_times_between_links_add_up_and_never_go_back(told: Recorded, chains: list[dict[str, Any]]) -> None:
    for found in chains:
        assert all(link["after_ns"] >= 0 for link in found["chain"])
        records = OrderLog(told).records(found["order"]["id"])
        assert sum(link["after_ns"] for link in found["chain"]) == int(records[-1].row[0] - records[0].row[0])
        told_of = [link for link in found["chain"] if link["link"] in ("order", "transition", "fill", "risk")]
        assert [link.get("record", link.get("verdict")) for link in told_of] == [r.line["type"] for r in records]
    assert any(links(found, "fill") for found in chains)


def test_without_data_what_was_recorded_is_told_and_what_is_missing_is_said(told: Recorded) -> None:
    def gone() -> Backtest:
        raise DataGone("they are not there")

    found = explain(told, 1, gone)
    assert {link["link"] for link in found["chain"]} >= {"signal", "order", "transition"}
    assert not links(found, "event")
    assert not links(found, "check")
    assert "they are not there" in found["missing"]


def test_explanation_of_a_run_that_replays_otherwise_is_refused(told: Recorded, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text(TELLS.replace("self.buy(3", "self.buy(6"))
    with pytest.raises(StateError, match="does not decide what was recorded"):
        explain(told, 40, lambda: told.backtest(strategy=(str(other), None)))


def test_orders_have_the_last_state_and_the_sums_of_their_fills(told: Recorded) -> None:
    log = OrderLog(told)
    orders = list(log.summaries())
    assert [order["id"] for order in orders] == list(range(1, len(orders) + 1))
    for order in orders:
        records = [record.line for record in log.records(order["id"]) if record.is_event]
        assert order["state"] == records[-1]["state"]
        filled = sum(Decimal(line["qty"]) for line in records if line["type"] in ("fill", "partial"))
        assert Decimal(order["filled"]) == filled
        assert (order["average_price"] is None) == (filled == 0)
    states = {order["state"] for order in orders}
    assert {"FILLED", "DENIED"} <= states
    for state in states:
        for symbol in ("aapl", "IBM", "MSFT"):
            chosen = [order for order in orders if (order["state"], order["symbol"]) == (state, symbol.upper())]
            assert list(log.summaries([state.lower()], [symbol])) == chosen


def test_unknown_order_state_and_symbol_say_what_is_near(told: Recorded) -> None:
    log = OrderLog(told)
    last = int(log.ids[-1])
    with pytest.raises(UsageError) as caught:
        log.records(last + 50)
    assert f"{last - 1}, {last}; orders go from 1 to {last}" in caught.value.hint
    with pytest.raises(UsageError, match="'FILED' is no state") as caught:
        log.summaries(["FILED"])
    assert "'FILLED'" in caught.value.hint
    with pytest.raises(UsageError, match="no symbol in the run") as caught:
        log.summaries([], ["MSTF"])
    assert "'MSFT'" in caught.value.hint


COOLS = """
from lockstep import Strategy


class Cools(Strategy):
    def on_start(self):
        self.buy(1, limit=1)

    def on_bar(self, bar):
        self.cool_down(5)
        self.buy(1)
        raise ValueError("after the order")
"""


def test_order_of_on_start_of_another_rule_and_of_the_step_that_failed_are_explained(tmp_path: Path) -> None:
    (tmp_path / "cools.py").write_text(COOLS)
    with pytest.raises(StrategyFault):
        record(Backtest(load_strategy(tmp_path / "cools.py"), SOURCE.read(None)), tmp_path / "kept", [SOURCE])
    recorded = Recorded(tmp_path / "kept")
    first, *_, last = (explain(recorded, int(ident), recorded.backtest) for ident in OrderLog(recorded).ids)
    assert links(first, "event")[0]["handler"] == "on_start"
    assert last["order"]["reason"] == "COOLDOWN"
    assert [check["rule"] for check in links(last, "check") if not check["passed"]] == ["COOLDOWN"]
    assert "close" in links(last, "event")[0]


BRACKETS = """
from lockstep import Strategy


class Brackets(Strategy):
    def on_bar(self, bar):
        if not self.position and not self.open_orders:
            away = self.round_price(bar.close * 0.05)
            self.buy(1, take_profit=self.round_price(bar.close + away), stop_loss=self.round_price(bar.close - away))
"""


def test_leg_of_a_bracket_names_its_parent_and_no_verdict_of_risk(tmp_path: Path) -> None:
    (tmp_path / "brackets.py").write_text(BRACKETS)
    source = DataSource(where="us_stocks", symbols=("IBM",))
    record(Backtest(load_strategy(tmp_path / "brackets.py"), source.read(None)), tmp_path / "kept", [source])
    recorded = Recorded(tmp_path / "kept")
    found = explain(recorded, 2, recorded.backtest)
    first, second = found["chain"][:2]
    assert (first["record"], first["parent_id"], first["role"]) == ("link", 1, "stop_loss")
    assert second["link"] == "order"
    assert not links(found, "risk")


def test_summary_follows_replacements_corrections_and_busts() -> None:
    common = {"order_id": 7, "ts": "t", "strategy": "s", "symbol": "IBM", "side": "BUY", "order_type": "LIMIT"}
    common |= {"time_in_force": "GTC", "reason": "NONE"}

    def told(*lines: dict[str, Any]) -> dict[str, Any]:
        return summary_of([OrderRecord(k, np.zeros(8, np.int64), common | line) for k, line in enumerate(lines)])

    sent = {"type": "submit", "state": "PENDING_NEW", "qty": "10", "limit_price": "100", "signal_id": 0}
    asked = {
        "type": "replace_request",
        "state": "PENDING_REPLACE",
        "qty": "14",
        "limit_price": "101",
        "cumulative": "0",
    }
    done = {**asked, "type": "replace", "state": "ACKNOWLEDGED"}
    one = {"type": "partial", "state": "PARTIAL_FILL", "qty": "4", "price": "100", "execution_id": 1, "cumulative": "4"}
    two = {"type": "partial", "state": "PARTIAL_FILL", "qty": "2", "price": "106", "execution_id": 2, "cumulative": "6"}
    bust = {**one, "type": "bust", "cumulative": "2"}
    correct = {**two, "type": "correct", "price": "103", "cumulative": "6"}
    assert told(sent, asked)["qty"] == "10"
    assert (told(sent, asked, done)["qty"], told(sent, asked, done)["limit_price"]) == ("14", "101")
    shown = [{"type": "display", "display_qty": "4"}, {"type": "display", "display_qty": "8"}]
    records = [OrderRecord(k, np.array([0, 0, 52, 7, 0, 0, 0, 0]), line) for k, line in enumerate(shown)]
    sold = OrderRecord(9, np.zeros(8, np.int64), common | sent)
    assert summary_of([sold])["display_qty"] is None
    assert summary_of([records[0], sold, records[1]])["display_qty"] == "8"  # as a split left it
    assert told(sent, one, two)["average_price"] == 102.0
    assert told(sent, one, two, correct)["average_price"] == 101.0
    assert told(sent, one, two, bust)["average_price"] == 106.0
    assert told(sent, one, {**bust, "cumulative": "0"})["average_price"] is None

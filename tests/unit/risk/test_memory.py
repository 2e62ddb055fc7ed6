"""What the gate remembers of earlier orders, and what it forgets; limits that refuse and fire nothing."""

from decimal import Decimal
from typing import Any

import pytest
from gates import SECOND, T0, Floor, share

from lockstep.model.enums import Reason
from lockstep.model.errors import UsageError
from lockstep.portfolio.portfolio import Portfolio
from lockstep.risk import sizing
from lockstep.risk.gate import Gate
from lockstep.risk.limits import RiskLimits
from lockstep.risk.saved import restore_gate, save_gate
from lockstep.risk.timings import Timings

RECENT = 256


def floor(**limits: Any) -> Floor:
    return Floor(RiskLimits(**limits), 1_000_000, 100.0, 2)


def test_repetition_is_known_after_hundreds_of_other_orders_and_the_memory_stays_small() -> None:
    for count in (2 * RECENT + 60, 3 * RECENT):
        desk = floor(duplicate_ns=SECOND)
        for k in range(count):
            desk.clock = T0 + k * SECOND // 100
            assert desk.send(1, 5 + k, limit=99).rule is None
        assert desk.send(1, 5 + count - 90, limit=99).rule == "duplicate"
        assert desk.send(1, 5 + count - 150, limit=99).rule is None
        assert len(desk.gates[0, 0].repeats.recent) <= RECENT + 150


def test_repetitions_are_forgotten_with_their_limit() -> None:
    desk = floor(duplicate_ns=SECOND)
    assert desk.send(1, 5, limit=99).rule is None
    desk.change(RiskLimits())
    desk.change(RiskLimits(duplicate_ns=SECOND))
    assert desk.send(1, 5, limit=99).rule is None
    assert desk.send(1, 5, limit=99).rule == "duplicate"


def test_repetition_is_known_after_a_restore() -> None:
    before, after = floor(duplicate_ns=SECOND), floor(duplicate_ns=SECOND)
    before.send(1, 5, limit=99)
    restore_gate(after.gates[0, 0], save_gate(before.gates[0, 0]), before.orders.by_id)
    assert after.send(1, 5, limit=99).rule == "duplicate"


def test_reducing_orders_of_one_side_leave_the_other_its_room() -> None:
    desk = floor(position_max=Decimal(20))
    reducers = desk.gates[0, 0].reducers
    desk.portfolio.book_fill(desk.portfolio.position(0, 0), 1, 100, 10, 0)
    sell, other = desk.send(-1, 4, limit=120, reduce=True), desk.send(-1, 3, limit=130)
    buy = desk.send(1, 1, limit=50)
    assert [sent.rule for sent in (sell, other, buy)] == [None] * 3
    assert (reducers.left(other.order), reducers.left(sell.order), reducers.left(buy.order)) == (4, 0, 0)
    desk.cancel(sell)
    assert (reducers.left(other.order), reducers.orders) == (0, [])


@pytest.mark.parametrize("limits", [{"daily_loss_max": Decimal("0.02")}, {"drawdown_max": Decimal("0.02")}])
def test_loss_that_only_refuses_fires_nothing(limits: dict[str, Any]) -> None:
    desk = floor(halt_on=(), **limits)
    desk.desk.mark(T0, 1_000_000.0)
    desk.desk.mark(T0 + SECOND, 900_000.0)
    assert desk.desk.due == 0
    fires = floor(**limits)
    fires.desk.mark(T0, 1_000_000.0)
    fires.desk.mark(T0 + SECOND, 900_000.0)
    assert Reason(fires.desk.due).name.lower() + "_max" in limits


@pytest.mark.parametrize(("qty", "rule"), [(105, 0), (106, int(Reason.ORDER_QTY))])
def test_limit_is_in_the_instruments_own_units(qty: int, rule: int) -> None:
    item = share("AAA", qty_decimals=1)
    account = Portfolio([item], 1_000_000, 1.0)
    gate = Gate(item, RiskLimits(order_qty_max=Decimal("10.55")))
    assert gate.check(account, account.holdings[0], 1, qty, 1000.0) == rule


def test_nothing_to_size_a_volatility_by_is_refused() -> None:
    with pytest.raises(UsageError, match="worth of one was"):
        sizing.for_volatility(1000.0, 0.1, 0.2, 0.0)
    with pytest.raises(UsageError, match="closes above 0"):
        sizing.annual_volatility([1.0, 0.0], 0, 1)


@pytest.mark.parametrize("ns", [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 100, 1_000, 4_095, 4_096])
def test_time_of_any_size_is_told_within_its_step(ns: int) -> None:
    timings = Timings()
    for took in (ns, 10**9):
        timings.add(took)
    told = timings.percentile(0.5)
    assert ns <= told <= ns + ns // 8

"""Executions that come late, twice, corrected, busted, or beyond what was ordered: the venue's word stands, and is raised."""

from typing import Any

import numpy as np
import pytest
from bench import CASH, UNIT, Bench, bought
from hypothesis import given
from hypothesis import strategies as st
from machine import HOUR, T0

from lockstep.engine.saved import restore_engine, save_engine
from lockstep.model.enums import CorporateAction, EventKind, Reason, Who
from lockstep.model.enums import OrderEventKind as E
from lockstep.model.enums import OrderState as S
from lockstep.model.errors import InvariantError, RefuseError
from lockstep.model.record import MARKET_EVENT


@pytest.mark.parametrize("end", [E.CANCEL, E.EXPIRE, E.REJECT])
def test_fill_after_the_end_changes_position_and_cash_and_not_the_state(end: E) -> None:
    bench = Bench(bought(limit=100))
    bench.bar()
    bench.word(end, reason=Reason.TIME_IN_FORCE)
    state = bench.orders[0].state
    bench.fill(1, 4, 99, fee=2 * UNIT)
    order = bench.orders[0]
    assert (order.state, order.filled, order.leaves, order.reason) == (state, 4.0, 0.0, Reason.TIME_IN_FORCE)
    assert (bench.units, bench.cash, bench.pending) == (4, CASH - 4 * 99 - 2, (0, 0))
    assert bench.engine.state.orders.anomalies == {(state.name, "PARTIAL"): 1}
    assert bench.heard == [end.name, "PARTIAL"]
    assert ("fill", T0 + HOUR, 1) in bench.plan.seen
    assert bench.records[-1] == ("partial", 1, 4, 99, 1, 4, 2)
    assert not bench.engine.portfolio.holdings[0].suspended


def test_the_same_execution_twice_is_booked_once_whatever_came_between() -> None:
    bench = Bench(bought())
    bench.bar()
    for exec_id in (5, 3, 5, 3, 4, 4, 5):
        bench.fill(exec_id, 2)
    bench.word(E.CANCEL)
    bench.fill(3, 2)
    assert (bench.units, bench.orders[0].filled, bench.engine.state.orders.duplicates) == (6, 6.0, 5)
    assert bench.engine.state.orders.anomalies == {}


def test_overfill_is_the_truth_and_suspends_the_instrument_until_someone_lifts_it() -> None:
    bench = Bench(bought(), *[lambda s: [s.buy(1), s.sell(13), s.sell(12, limit=101), s.sell(1)]] * 2)
    bench.bar()
    bench.fill(1, 12)
    assert (bench.units, bench.orders[0].state, bench.pending) == (12, S.FILLED, (0, 0))
    assert bench.engine.state.orders.overfills == 1
    assert [row for row in bench.records if row[0] == "suspend"] == [("suspend", 1, int(Who.SYSTEM), 0, 0, 0, 0)]
    bench.bar()
    more, flips, closes, beyond = bench.orders[1:]
    assert [o.reason for o in (more, flips, beyond)] == [
        Reason.SUSPENDED
    ] * 3  # with the second sell one more would flip
    assert closes.state is S.PENDING_NEW
    assert bench.plan.cancel(closes)
    bench.word(E.CANCEL, closes.id)
    bench.engine.lift(0)
    bench.bar()
    assert [o.state for o in bench.orders[5:]] == [S.PENDING_NEW] * 4
    assert bench.records[-5][:3] == ("lift", 0, int(Who.TRADER))


@pytest.mark.parametrize("kind", [E.FILL, E.PARTIAL, E.CORRECT, E.BUST])
def test_execution_of_an_order_that_is_not_known_suspends_and_is_recorded(kind: E) -> None:
    bench = Bench()
    bench.bar()
    bench.engine.step(bench.report(kind, 77, 5, 101, 3, order_id=4711))
    assert bench.records == [("orphan", 4711, 5, 101, 77, int(kind), 0), ("suspend", 4711, int(Who.SYSTEM), 0, 0, 0, 0)]
    assert (bench.units, bench.engine.orphans) == (0, {kind.name: 1})
    assert bench.engine.portfolio.holdings[0].suspended


def test_fill_of_an_order_that_was_never_sent_is_a_strangers() -> None:
    bench = Bench(lambda s: s.buy(10, reduce_only=True))
    bench.bar()
    bench.fill(1, 4)
    assert (bench.orders[0].state, bench.units, bench.engine.orphans) == (S.DENIED, 0, {"FILL": 1})
    assert [row[:2] for row in bench.records] == [("deny", 1), ("orphan", 1), ("suspend", 1)]


def test_correction_and_bust_change_position_cash_reservation_and_the_fills() -> None:
    bench = Bench(bought(limit=100))
    bench.bar()
    bench.fill(1, 4, 100, fee=3 * UNIT)
    bench.fill(2, 3, 99)
    bench.correct(3, 1, 5, 98, fee=4 * UNIT)
    assert (bench.units, bench.cash, bench.pending) == (8, CASH - 5 * 98 - 3 * 99 - 4, (2, 0))
    assert (bench.orders[0].filled, bench.orders[0].state) == (8.0, S.PARTIAL_FILL)
    bench.bust(4, 2)
    assert (bench.units, bench.cash, bench.pending) == (5, CASH - 5 * 98 - 4, (5, 0))
    assert bench.records[-2:] == [("correct", 1, 5, 98, 1, 8, 0), ("bust", 1, 3, 99, 2, 5, 0)]
    for _ in range(2):  # heard again
        bench.bust(4, 2)
        bench.correct(3, 1, 5, 98, fee=4 * UNIT)
    assert (bench.units, bench.engine.state.orders.duplicates) == (5, 4)
    assert bench.engine.portfolio.positions[0].fills == 1
    sides = [(row[4] >> 6 & 3) - 1 for row in bench.fill_rows]
    assert sum(side * row[5] for side, row in zip(sides, bench.fill_rows, strict=True)) == 5
    bench.word(E.CANCEL)
    bench.bust(5, 1)
    assert (bench.units, bench.cash, bench.pending, bench.orders[0].state) == (0, CASH, (0, 0), S.CANCELED)
    assert bench.engine.state.orders.anomalies == {("CANCELED", "BUST"): 1}
    assert bench.heard == ["PARTIAL", "PARTIAL", "CORRECT", "BUST", "CANCEL", "BUST"]


def test_correction_or_bust_before_its_execution_stands_for_it() -> None:
    bench = Bench(bought())
    bench.bar()
    bench.correct(9, 1, 6, 98)
    bench.fill(1, 4, 100)
    bench.bust(8, 2)
    bench.fill(2, 3, 100)
    assert (bench.units, bench.cash, bench.orders[0].filled) == (6, CASH - 6 * 98, 6.0)
    assert bench.engine.state.orders.duplicates == 2


def test_correction_beyond_the_order_suspends() -> None:
    bench = Bench(bought())
    bench.bar()
    bench.fill(1, 4)
    bench.correct(2, 1, 11)
    assert (bench.units, bench.orders[0].state, bench.pending) == (11, S.FILLED, (0, 0))
    assert bench.engine.portfolio.holdings[0].suspended


@given(
    st.lists(
        st.tuples(
            st.sampled_from("fcb"), st.integers(1, 6), st.integers(1, 9), st.integers(90, 110), st.integers(1, 2)
        ),
        max_size=25,
    )
)
def test_any_run_of_fills_corrections_and_busts_leaves_what_stands_of_them(steps: list[tuple[Any, ...]]) -> None:
    bench = Bench(lambda s: [s.buy(1000, limit=110), s.sell(1000, limit=90)])
    bench.bar()
    stands: dict[tuple[int, int], tuple[int, int, int]] = {}
    seen: set[tuple[int, int]] = set()
    for number, (what, ref, qty, price, order_id) in enumerate(steps, 1000):
        key = (order_id, ref)
        fee = qty * UNIT // 4
        if what == "f":
            bench.fill(ref, qty, price, order_id=order_id, fee=fee)
            if key not in seen:
                stands[key] = (qty, price, fee)
        elif what == "c":
            bench.correct(number, ref, qty, price, order_id=order_id, fee=fee)
            stands[key] = (qty, price, fee)
        else:
            bench.bust(number, ref, order_id=order_id)
            stands[key] = (0, 0, 0)
        seen.add(key)
    side = {1: 1, 2: -1}
    signed = sum(side[key[0]] * qty for key, (qty, _, _) in stands.items())
    paid = sum(side[key[0]] * qty * price for key, (qty, price, _) in stands.items())
    fees = sum(fee for _, _, fee in stands.values())
    position, ledger = bench.engine.portfolio.positions[0], bench.engine.portfolio.ledger
    assert position.units == signed == bench.engine.portfolio.holdings[0].units
    assert ledger.cash == CASH * UNIT - paid * UNIT - fees
    assert (position.fees, ledger.fees) == (fees, fees)
    # what is realised and what is open at the prices paid are together what was paid
    assert position.realised - position.basis == -paid * UNIT
    bench.engine.flush()
    exact = [(row[11], row[13]) for row in bench.fill_rows]  # low words: small amounts are whole in them
    assert (sum(fee for fee, _ in exact), sum(profit for _, profit in exact)) == (fees, position.realised)
    for order in bench.orders:
        assert order.cum_units == sum(qty for key, (qty, _, _) in stands.items() if key[0] == order.id)
        assert bench.pending[order.id - 1] == 1000 - order.cum_units


# ---- UNKNOWN


def test_lost_order_keeps_its_reservation_until_the_venue_speaks() -> None:
    bench = Bench(bought(limit=100))
    bench.bar()
    power = bench.plan.buying_power
    assert bench.engine.lose(1)
    assert not bench.engine.lose(1)
    order = bench.orders[0]
    assert (order.state, order.is_open, bench.pending, bench.plan.buying_power) == (S.UNKNOWN, True, (10, 0), power)
    assert bench.records[-1] == ("lose", 1, 0, 10, 0, 0, int(Who.SYSTEM))
    for _ in range(50):
        bench.bar()
    bench.word(E.CANCEL_REJECT, reason=Reason.UNKNOWN_ORDER)  # "not found" proves nothing
    assert (order.state, bench.pending) == (S.UNKNOWN, (10, 0))
    assert bench.plan.cancel(order)
    assert order.state is S.UNKNOWN
    bench.word(E.CANCEL)
    assert (order.state, bench.pending) == (S.CANCELED, (0, 0))
    with pytest.raises(RefuseError, match="no open order has the number 1"):
        bench.engine.lose(1)


@pytest.mark.parametrize(("word", "state"), [(E.ACCEPT, S.ACKNOWLEDGED), (E.REJECT, S.REJECTED), (E.EXPIRE, S.EXPIRED)])
def test_lost_order_is_found_again_by_the_word_of_the_venue(word: E, state: S) -> None:
    bench = Bench(bought(limit=100))
    bench.bar()
    bench.engine.lose(1, Who.TRADER)
    assert bench.records[-1][-1] == int(Who.TRADER)
    bench.word(word)
    assert bench.orders[0].state is state
    assert bench.pending == ((0, 0) if state in (S.REJECTED, S.EXPIRED) else (10, 0))
    assert bench.heard == ["LOSE", word.name]


def test_order_cancelled_by_a_trader_is_recorded_as_his() -> None:
    bench = Bench(bought(limit=100))
    bench.bar()
    assert bench.engine.cancel(1)
    assert (bench.records[-1][0], bench.records[-1][-1]) == ("cancel_request", int(Who.TRADER))
    assert bench.orders[0].state is S.PENDING_CANCEL


# ---- saved


def test_suspensions_executions_and_orders_done_are_saved_and_restored() -> None:
    bench, other = (Bench(bought(), bought(limit=100)) for _ in range(2))
    bench.bar()
    bench.fill(1, 4)
    bench.fill(2, 8)
    bench.engine.lift(0)
    bench.bar()
    bench.fill(3, 4, order_id=2)
    bench.correct(4, 3, 5, order_id=2)
    bench.engine.suspend(0)
    bench.plan.placed.clear()  # an order is no plain data
    restore_engine(other.engine, save_engine(bench.engine))
    other.hour = bench.hour
    assert save_engine(other.engine) == save_engine(bench.engine)
    for each in (bench, other):
        each.fill(2, 8)
        each.bust(9, 1)
        each.correct(4, 3, 5, order_id=2)
        each.bust(11, 4, order_id=2)
        assert each.engine.portfolio.holdings[0].suspended
        assert (each.units, each.cash) == (8, CASH - 800)
        assert each.engine.state.orders.duplicates == 2


def test_correction_to_nothing_is_refused_as_none() -> None:
    bench = Bench(bought())
    bench.bar()
    bench.fill(1, 4)
    with pytest.raises(InvariantError, match="would leave -1 filled"):
        bench.correct(2, 1, -1)


@pytest.mark.parametrize("kind", [E.CORRECT, E.BUST])
def test_amendment_of_a_fill_from_before_a_split_is_not_booked_and_suspends(kind: E) -> None:
    bench = Bench(bought())
    bench.bar()
    bench.fill(1, 10)
    cash = bench.cash
    row = np.zeros(1, MARKET_EVENT)
    clock = T0 + 2 * HOUR
    row[0] = (clock, clock, 0, EventKind.CORPORATE_ACTION, 0, CorporateAction.SPLIT, 0, 2, 1, 0, 0, 0.0, 0)
    bench.engine.step(row)
    bench.hour = 3
    bench.engine.step(bench.report(kind, 2, 0 if kind is E.BUST else 9, 100, 1))
    assert (bench.units, bench.cash) == (20, cash)  # in which shares it is meant, nobody has said
    assert bench.engine.portfolio.holdings[0].suspended
    assert [row[0] for row in bench.records[-2:]] == ["orphan", "suspend"]
    bench.fill(3, 1, 50, order_id=1)
    bench.engine.step(bench.report(E.BUST, 4, 0, 50, 3))
    assert bench.units == 20  # what was filled in new shares can be taken back

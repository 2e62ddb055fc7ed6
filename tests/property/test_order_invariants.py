"""What holds of every order, whatever its venue says and in whatever order."""

from hypothesis import given
from hypothesis import strategies as st

from lockstep.model.enums import AssetClass, OrderEventKind, OrderState
from lockstep.model.instrument import Instrument
from lockstep.model.traffic import make_fill, make_terms
from lockstep.orders.order import OpenOrders
from lockstep.orders.table import AMEND, ANOMALY, IGNORED, IMPOSSIBLE, LATE, RESUME, TERMINAL, next_state

ITEM = Instrument(
    venue="X", symbol="A", asset_class=AssetClass.EQUITY, base_currency="A", quote_currency="USD",
    price_decimals=2, qty_decimals=0,
)  # fmt: skip
E = OrderEventKind
FILLS = (E.PARTIAL, E.FILL)
AMENDS = (E.CORRECT, E.BUST)
SINGLE = [
    event for event in E if event not in (E.SUBMIT, E.DENY, E.RESTATE, E.REPLACE, E.REPLACE_REJECT, *FILLS, *AMENDS)
]


@given(
    qty=st.integers(1, 50),
    steps=st.lists(
        st.one_of(
            st.tuples(st.sampled_from(SINGLE), st.just(0), st.just(0)),
            st.tuples(st.sampled_from((E.FILL, *AMENDS)), st.integers(1, 60), st.integers(1, 12)),
            st.tuples(st.just(E.RESTATE), st.integers(1, 60), st.just(0)),
        ),
        max_size=30,
    ),
)
def test_any_sequence_of_events_keeps_the_invariants(qty: int, steps: list[tuple[E, int, int]]) -> None:
    orders = OpenOrders()
    order = orders.create("s", 0, 0, ITEM, 0, make_terms(1, 1, 1, 0, qty, 0, 0, 0, 0, 0), 0)
    orders.apply(order, E.SUBMIT)
    fills: dict[int, int] = {}  # execution -> quantity that stands
    counted = 0
    for number, (event, amount, ref) in enumerate(steps, 100):
        before = (order.state, order.cum_units, order.qty_units, order.notional_units)
        overfills = orders.overfills
        answer: int
        if event is E.FILL:
            report = make_fill(event, 0, 0, 0, 1, 0, ref, amount, 100, 0)
            if order.execution(ref) is not None:
                assert ref in fills
                continue
            answer = orders.apply_fill(order, amount, 100)
            orders.keep_execution(order, report)
            fills[ref] = amount
        elif event in AMENDS:
            if ref not in fills:
                continue
            answer = orders.amend(order, make_fill(event, 0, 0, 0, 1, 0, number, amount, 100, 0, ref))
            fills[ref] = 0 if event is E.BUST else amount
        elif event is E.RESTATE:
            answer = orders.restate(order, order.cum_units + amount, 0, 0)
        else:
            answer = orders.apply(order, event)
        if answer < 0:
            assert order.state is before[0]
            assert answer in (IGNORED, ANOMALY, LATE)
            assert answer == LATE or (order.cum_units, order.qty_units, order.notional_units) == before[1:]
            counted += 1
        else:
            assert order.state == answer
        # reliability invariants 3 to 6
        assert before[0] not in TERMINAL or order.state is before[0]
        assert order.cum_units == sum(fills.values())
        assert order.notional_units == 100 * order.cum_units
        done = order.state in TERMINAL
        assert order.leaves_units == (0 if done else order.qty_units - order.cum_units)
        assert done or 0 <= order.cum_units < order.qty_units
        if order.cum_units > max(order.qty_units, before[1]):
            assert orders.overfills == overfills + 1
        assert order.is_open is not done
        assert (order.id in orders.by_id) is not done
        assert orders.find(order.id) is order
        assert orders.done_count == int(done)
        assert order.cum_units == 0 or order.state not in (
            OrderState.NEW, OrderState.PENDING_NEW, OrderState.ACKNOWLEDGED, OrderState.TRIGGERED
        )  # fmt: skip
    assert sum(orders.anomalies.values()) + sum(orders.ignored.values()) == counted


@given(state=st.sampled_from(OrderState), event=st.sampled_from(E))
def test_every_pair_has_an_answer(state: OrderState, event: E) -> None:
    answer = next_state(state, event)
    assert answer in (IGNORED, ANOMALY, IMPOSSIBLE, RESUME, LATE, AMEND) or OrderState(answer)

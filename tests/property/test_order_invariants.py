"""What holds of every order, whatever its venue says and in whatever order."""

from hypothesis import given
from hypothesis import strategies as st

from lockstep.model.enums import AssetClass, OrderEventKind, OrderState
from lockstep.model.errors import InvariantError
from lockstep.model.instrument import Instrument
from lockstep.model.traffic import make_terms
from lockstep.orders.order import OpenOrders
from lockstep.orders.table import ANOMALY, IGNORED, IMPOSSIBLE, RESUME, TERMINAL, next_state

ITEM = Instrument(
    venue="X", symbol="A", asset_class=AssetClass.EQUITY, base_currency="A", quote_currency="USD",
    price_decimals=2, qty_decimals=0,
)  # fmt: skip
E = OrderEventKind
FILLS = (E.PARTIAL, E.FILL)
VENUE = [event for event in E if event not in (E.SUBMIT, E.DENY, E.RESTATE, *FILLS)]


@given(
    qty=st.integers(1, 50),
    steps=st.lists(
        st.one_of(
            st.tuples(st.sampled_from(VENUE), st.just(0)),
            st.tuples(st.just(E.FILL), st.integers(1, 60)),
            st.tuples(st.just(E.RESTATE), st.integers(1, 60)),
        ),
        max_size=30,
    ),
)
def test_any_sequence_of_events_keeps_the_invariants(qty: int, steps: list[tuple[E, int]]) -> None:
    orders = OpenOrders()
    order = orders.create("s", 0, 0, ITEM, 0, make_terms(1, 1, 1, 0, qty, 0, 0, 0, 0, 0), 0)
    orders.apply(order, E.SUBMIT)
    fills: list[int] = []
    counted = 0
    for event, amount in steps:
        before = (order.state, order.cum_units, order.qty_units, order.notional_units)
        open_before = order.qty_units - order.cum_units
        answer: int | None = None
        try:
            if event is E.FILL:
                answer = orders.apply_fill(order, amount, 100)
                if answer >= 0:
                    fills.append(amount)
            elif event is E.RESTATE:
                answer = orders.restate(order, order.cum_units + amount, 0, 0)
            else:
                answer = orders.apply(order, event)
        except InvariantError:
            assert event is E.FILL  # nothing else of a venue's can be our fault
            assert amount > open_before
        if answer is None or answer < 0:
            assert (order.state, order.cum_units, order.qty_units, order.notional_units) == before
            assert answer in (None, IGNORED, ANOMALY)
            counted += answer is not None
        else:
            assert order.state == answer
        # reliability invariants 3 to 6
        assert before[0] not in TERMINAL or order.state is before[0]
        assert 0 <= order.cum_units <= order.qty_units
        assert order.cum_units == sum(fills)
        assert order.notional_units == 100 * sum(fills)
        done = order.state in TERMINAL
        assert order.leaves_units == (0 if done else order.qty_units - order.cum_units)
        assert order.is_open is not done
        assert (order.id in orders.by_id) is not done
        assert orders.done_count == int(done)
        assert (order.state is OrderState.FILLED) == (order.cum_units == order.qty_units)
        assert order.cum_units == 0 or order.state not in (
            OrderState.NEW, OrderState.PENDING_NEW, OrderState.ACKNOWLEDGED, OrderState.TRIGGERED
        )  # fmt: skip
    assert sum(orders.anomalies.values()) + sum(orders.ignored.values()) == counted


@given(state=st.sampled_from(OrderState), event=st.sampled_from(E))
def test_every_pair_has_an_answer(state: OrderState, event: E) -> None:
    answer = next_state(state, event)
    assert answer in (IGNORED, ANOMALY, IMPOSSIBLE, RESUME) or OrderState(answer)

"""The reports of an order's life in any order, some twice and some never, and then all of them once more: one truth."""

from dataclasses import dataclass
from typing import Any

from bench import CASH, UNIT, Bench
from hypothesis import given, settings
from hypothesis import strategies as st

from lockstep.model.enums import OrderEventKind as E
from lockstep.model.enums import OrderState as S

QTY = 10


@dataclass(frozen=True)
class Life:
    """What a venue has to say of one order of 10, in its own order: (kind, execution id, quantity, price, about, time)."""

    words: tuple[tuple[E, int, int, int, int, int], ...]

    def stands(self, heard: list[int]) -> dict[int, tuple[int, int]]:
        """Quantity and price of each execution, by what was heard: of several words about one, the venue's last."""
        found: dict[int, tuple[int, int]] = {}
        for k in sorted(set(heard)):
            kind, exec_id, qty, price, about, _ = self.words[k]
            if kind in (E.FILL, E.CORRECT, E.BUST):
                found[about or exec_id] = (qty, price)
        return found


@st.composite
def lives(draw: Any) -> Life:
    """Fills, some of them corrected or busted afterwards, perhaps beyond the quantity, and an end."""
    words: list[tuple[E, int, int, int, int, int]] = [(E.ACCEPT, 0, 0, 0, 0, 0)]
    sizes: dict[int, int] = {}
    for exec_id in range(1, draw(st.integers(0, 5)) + 1):
        about = draw(st.sampled_from([0, 0, *sizes]))
        kind = draw(st.sampled_from((E.CORRECT, E.BUST))) if about else E.FILL
        qty = 0 if kind is E.BUST else draw(st.integers(1, 6))
        sizes[about or exec_id] = qty
        if about:
            sizes[about] = qty
        words.append((kind, exec_id, qty, draw(st.integers(95, 105)), about, exec_id))
    if sum(sizes.values()) < QTY:
        words.append((draw(st.sampled_from((E.CANCEL, E.EXPIRE))), 0, 0, 0, 0, 0))
    return Life(tuple(words))


def tell(bench: Bench, word: tuple[E, int, int, int, int, int]) -> None:
    kind, exec_id, qty, price, about, late = word
    if kind in (E.FILL, E.CORRECT, E.BUST):
        bench.engine.step(bench.report(kind, exec_id, qty, price, about, fee=qty * UNIT, late=late))
    else:
        bench.word(kind)


@settings(max_examples=300)
@given(life=lives(), data=st.data())
def test_reports_in_any_order_lead_to_one_position_and_leave_nothing_reserved(life: Life, data: Any) -> None:
    bench = Bench(lambda s: s.buy(QTY, limit=105))
    bench.bar()
    order = bench.orders[0]
    mixed = data.draw(st.lists(st.integers(-2, len(life.words) - 1), max_size=2 * len(life.words) + 2))
    heard: list[int] = []
    for k in [*mixed, *range(len(life.words))]:
        was = order.state
        if k == -1:
            bench.plan.cancel(order)
        elif k == -2 and order.is_open:
            bench.engine.lose(order.id)
        elif k >= 0:
            tell(bench, life.words[k])
            heard.append(k)
        stands = life.stands(heard)
        holding = bench.engine.portfolio.holdings[0]
        assert order.cum_units == sum(qty for qty, _ in stands.values()) == bench.units
        assert order.notional_units == sum(qty * price for qty, price in stands.values())
        assert bench.cash == CASH - sum(qty * price + qty for qty, price in stands.values())
        assert bench.pending == (max(0, QTY - order.cum_units) if order.is_open else 0, 0)
        assert holding.pending_buy_worth >= 0.0
        assert (holding.pending_buy_worth == 0.0) is (bench.pending[0] == 0)
        assert was in (S.PENDING_NEW, S.ACKNOWLEDGED, S.PARTIAL_FILL, S.PENDING_CANCEL, S.UNKNOWN) or order.state is was
        assert order.cum_units <= QTY or holding.suspended
        assert was is not S.UNKNOWN or k >= 0 or order.state is S.UNKNOWN  # no word of ours ends it
    done = sum(qty for qty, _ in life.stands(heard).values()) >= QTY or life.words[-1][0] in (E.CANCEL, E.EXPIRE)
    assert order.is_open is not done
    assert not done or (bench.pending, bench.engine.portfolio.reserved) == ((0, 0), 0.0)

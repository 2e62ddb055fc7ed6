"""Whatever is in flight: no set of fills of approved orders passes a limit (reliability invariants 16 and 17)."""

import math
from decimal import Decimal
from fractions import Fraction
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from lockstep.model.enums import AssetClass, Reason
from lockstep.model.instrument import Instrument
from lockstep.portfolio.portfolio import Portfolio
from lockstep.risk.gate import Gate
from lockstep.risk.limits import RiskLimits

CASH, POSITION_MAX, ORDER_MAX = 1000, 80, 50


def share(symbol: str) -> Instrument:
    return Instrument(
        venue="X", symbol=symbol, asset_class=AssetClass.EQUITY, base_currency=symbol, quote_currency="USD",
        price_decimals=0, qty_decimals=0,
    )  # fmt: skip


ROUNDING = 1.0 + 1e-12  # the gate's sums are float64, for speed: the last bits are theirs
Order = tuple[int, int, int]  # instrument, signed quantity, price


def worst_exposure(held: list[int], working: list[Order], last: int) -> Fraction:
    """By brute force over every subset of the working orders: what is held at the last price, the rest at its own.

    Fills close first, and what they then open is worth their average price: the reading the gate takes.
    """
    total = Fraction(0)
    for index in (0, 1):
        mine = [(qty, price) for where, qty, price in working if where == index]
        most = Fraction(0)
        for chosen in product((False, True), repeat=len(mine)):
            taken = [order for order, here in zip(mine, chosen, strict=True) if here]
            after = held[index] + sum(qty for qty, _ in taken)
            same = [(abs(qty), price) for qty, price in taken if (qty > 0) == (after > 0)]
            opened = abs(after) - (abs(held[index]) if held[index] * after > 0 else 0)
            kept = abs(after) - max(opened, 0)
            value = Fraction(kept * last)
            if opened > 0 and same:
                value += opened * Fraction(sum(q * p for q, p in same), sum(q for q, _ in same))
            most = max(most, value)
        total += most
    return total


@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("send"), st.integers(0, 1), st.integers(-60, 60).filter(bool), st.just(0)),
            st.tuples(st.just("fill"), st.integers(0, 9), st.integers(1, 60), st.just(0)),
            st.tuples(st.just("cancel"), st.integers(0, 9), st.just(0), st.just(0)),
        ),
        max_size=18,
    ),
    leverage=st.sampled_from([0.5, 1.0, 2.0]),
)
def test_no_combination_of_orders_in_flight_passes_a_limit(
    steps: list[tuple[str, int, int, int]], leverage: float
) -> None:
    # One price throughout, so that equity stays and what is approved must stay within the limit for ever.
    last = 10
    items = [share("A"), share("B")]
    portfolio = Portfolio(items, CASH, leverage)
    positions = [portfolio.add_position("s", 0, index) for index in (0, 1)]
    limits = RiskLimits(order_qty_max=Decimal(ORDER_MAX), position_max=Decimal(POSITION_MAX))
    gates = [Gate(item, limits) for item in items]
    for holding in portfolio.holdings:
        holding.set_last(last)
    held, working = [0, 0], list[Order]()
    limit = Fraction(CASH) * Fraction(leverage)
    for what, index, amount, _ in steps:
        if what == "send":
            side, qty = (1 if amount > 0 else -1), abs(amount)
            holding = portfolio.holdings[index]
            rule = gates[index].check(portfolio, holding, side, qty, float(qty * last))
            new = [*working, (index, amount, last)]
            reach = abs(held[index] + sum(q for i, q, _ in new if i == index and q * side > 0))
            allowed = qty <= ORDER_MAX and reach <= POSITION_MAX
            before, after = worst_exposure(held, working, last), worst_exposure(held, new, last)
            if rule == 0:
                assert allowed or held[index] * amount < 0
                assert float(after) <= float(limit) * ROUNDING
                holding.add_pending(side, qty, float(qty * last))
                working = new
            elif rule == Reason.BUYING_POWER:
                assert float(after) * ROUNDING > float(limit)
                assert after > before
            else:
                assert rule in (Reason.ORDER_QTY, Reason.POSITION)
                assert not allowed
        elif working:
            where, signed, price = working.pop(index % len(working))
            qty = abs(signed) if what == "cancel" else min(amount, abs(signed))
            side = 1 if signed > 0 else -1
            portfolio.holdings[where].add_pending(side, -qty, -float(qty * price))
            if what == "fill":
                portfolio.book_fill(positions[where], side, price, qty, 0)
                held[where] += side * qty
                if qty < abs(signed):
                    working.append((where, signed - side * qty, price))
        worst = float(worst_exposure(held, working, last))
        assert math.isclose(worst, portfolio.exposure_max(), rel_tol=ROUNDING - 1.0)
        assert worst <= float(limit) * ROUNDING
        assert portfolio.reserved >= 0.0
        assert working or portfolio.reserved == 0.0

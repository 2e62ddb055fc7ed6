"""Money is conserved to the unit: the account against a slow ledger of fractions that shares nothing with it."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.model.enums import AssetClass, Settlement
from lockstep.model.errors import DataError
from lockstep.model.instrument import Instrument
from lockstep.portfolio.portfolio import Portfolio

PRICES = st.one_of(st.integers(1, 200), st.integers(1, 2**53))
FILLS = st.lists(
    st.tuples(st.sampled_from([0, 1]), st.sampled_from([1, -1]), PRICES, st.integers(1, 1000), st.integers(0, 50)),
    max_size=25,
)
Fills = list[tuple[int, int, int, int, int]]


def instrument(settlement: Settlement, multiplier: str) -> Instrument:
    return Instrument(
        venue="X", symbol="A", asset_class=AssetClass.FUTURE, base_currency="A", quote_currency="USD", price_decimals=2,
        qty_decimals=1, multiplier=Decimal(multiplier), settlement=settlement, quanto_rate=Decimal("0.003"),
        settlement_currency="EUR" if settlement is Settlement.QUANTO else "",
    )  # fmt: skip


class SlowPosition:
    """The net position and what it earned if every unit were its own lot, averaged: fractions of the currency."""

    def __init__(self, item: Instrument) -> None:
        self.item, self.qty, self.cost, self.realised = item, Fraction(0), Fraction(0), Fraction(0)

    def worth(self, price: int, qty: Fraction) -> Fraction:
        quoted, multiplier = Fraction(price, 100), Fraction(self.item.multiplier)
        match self.item.settlement:
            case Settlement.INVERSE:
                return -qty * multiplier / quoted
            case Settlement.QUANTO:
                return qty * quoted * multiplier * Fraction("0.003")
            case _:
                return qty * quoted * multiplier

    def fill(self, side: int, price: int, qty: int) -> None:
        signed = Fraction(side * qty, 10)
        closing = Fraction(0)
        if self.qty * signed < 0:
            closing = -signed if abs(signed) <= abs(self.qty) else self.qty
            part = self.cost * closing / self.qty
            self.realised += self.worth(price, closing) - part
            self.cost -= part
            self.qty -= closing
        opening = signed + closing
        self.cost += self.worth(price, opening)
        self.qty += opening


@given(
    settlement=st.sampled_from(Settlement), multiplier=st.sampled_from(["1", "0.25", "50"]), fills=FILLS, last=PRICES
)
def test_account_equals_a_slow_ledger_of_fractions(
    settlement: Settlement, multiplier: str, fills: Fills, last: int
) -> None:
    item = instrument(settlement, multiplier)
    portfolio = Portfolio([item], 10**6)
    ledger = portfolio.ledger
    positions = [portfolio.add_position("a", 0, 0), portfolio.add_position("b", 1, 0)]
    slow = [SlowPosition(item), SlowPosition(item)]
    unit = Fraction(1, 10**ledger.decimals)
    closings = 0
    for who, side, price, qty, fee in fills:
        before = positions[who].realised
        portfolio.book_fill(positions[who], side, price, qty, fee)
        slow[who].fill(side, price, qty)
        closings += positions[who].realised != before
        assert positions[who].units == slow[who].qty * 10
        if settlement is Settlement.INVERSE:  # rounded down, once for each closing fill
            assert 0 <= slow[who].realised - positions[who].realised * unit < len(fills) * unit
            assert positions[who].basis * unit == slow[who].cost
        else:  # what partial closes round stays in the basis: at most a unit each
            assert abs(slow[who].realised - positions[who].realised * unit) < (len(fills) + 1) * unit
            assert type(positions[who].basis) is int
        if positions[who].units == 0:
            assert positions[who].basis == 0
            assert settlement is Settlement.INVERSE or positions[who].realised * unit == slow[who].realised
    # 14: the sum over strategies is the account
    assert portfolio.holdings[0].units == sum(position.units for position in positions)
    assert ledger.realised == sum(position.realised for position in positions)
    assert ledger.fees == sum(position.fees for position in positions) == sum(fill[4] for fill in fills)
    # 13: realised + unrealised = change of equity, to the unit, before fees (which are in cash)
    valuation = portfolio.valuations[0]
    worth = sum((valuation.worth(last, position.units) for position in positions), start=Fraction(0))
    basis = sum((position.basis for position in positions), start=Fraction(0))
    cash_change = ledger.cash - ledger.opening + ledger.fees
    if settlement is Settlement.CASH:
        assert cash_change + worth == ledger.realised + (worth - basis)
    else:
        assert cash_change == ledger.realised
    portfolio.holdings[0].set_last(last)
    exact = float((ledger.cash + (worth if settlement is Settlement.CASH else worth - basis)) * unit)
    parts = [ledger.cash, *(valuation.worth(last, p.units) for p in positions), *(p.basis for p in positions)]
    scale = float(sum((abs(Fraction(part)) for part in parts), start=Fraction(0)) * unit)
    assert abs(portfolio.equity() - exact) <= 1e-12 * (1.0 + scale)
    for position, check in zip(positions, slow, strict=True):
        if position.units and settlement is Settlement.INVERSE:
            assert position.average_price == pytest.approx(float(-check.qty * Fraction(item.multiplier) / check.cost))


@given(
    side=st.sampled_from([1, -1]), qty=st.integers(1, 10**6), price=st.integers(1, 10**6), last=st.integers(1, 10**6),
    new=st.integers(1, 100), old=st.integers(1, 100),
)  # fmt: skip
def test_split_neither_gives_nor_takes_but_a_unit(
    side: int, qty: int, price: int, last: int, new: int, old: int
) -> None:
    item = instrument(Settlement.CASH, "1")
    portfolio = Portfolio([item], 10**9)
    position = portfolio.add_position("a", 0, 0)
    portfolio.book_fill(position, side, price, qty, 0)
    portfolio.holdings[0].set_last(last)
    unit = Fraction(1, 10**portfolio.ledger.decimals)
    before = portfolio.ledger.cash * unit + Fraction(side * qty, 10) * Fraction(last, 100)
    portfolio.split(0, new, old)
    exact_price = Fraction(last * old, new * 100)
    after = portfolio.ledger.cash * unit + Fraction(position.units, 10) * exact_price
    assert 0 <= before - after < unit  # rounded down, against us
    assert abs(position.units) == qty * new // old
    assert position.realised == portfolio.ledger.realised
    assert portfolio.ledger.cash - portfolio.ledger.opening == position.realised - position.basis


@given(
    settlement=st.sampled_from([Settlement.LINEAR, Settlement.QUANTO]),
    side=st.sampled_from([1, -1]), qty=st.integers(1, 10**6), price=st.integers(1, 10**6), last=st.integers(1, 10**6),
    new=st.integers(1, 100), old=st.integers(1, 100),
)  # fmt: skip
def test_split_of_a_contract_pays_the_profit_of_the_rest_alone(
    settlement: Settlement, side: int, qty: int, price: int, last: int, new: int, old: int
) -> None:
    """A contract's price was never paid, so neither is what a fraction of one is worth."""
    portfolio = Portfolio([instrument(settlement, "2.5")], 10**9)
    position = portfolio.add_position("a", 0, 0)
    portfolio.book_fill(position, side, price, qty, 0)
    portfolio.holdings[0].set_last(last)
    ledger, factor = portfolio.ledger, Fraction(portfolio.valuations[0].factor)
    before = ledger.cash + side * qty * factor * (last - price)
    portfolio.split(0, new, old)
    after = ledger.cash + position.units * factor * Fraction(last * old, new) - position.basis
    assert 0 <= before - after < 1  # rounded down, against us
    assert abs(position.units) == qty * new // old
    assert ledger.cash - ledger.opening == position.realised == ledger.realised == ledger.in_lieu


def test_split_of_an_inverse_contract_is_refused() -> None:
    portfolio = Portfolio([instrument(Settlement.INVERSE, "100")], 10**9)
    position = portfolio.add_position("a", 0, 0)
    portfolio.book_fill(position, 1, 1000, 7, 0)
    portfolio.holdings[0].set_last(1000)
    with pytest.raises(DataError, match=r"A\.X.*inverse"):
        portfolio.split(0, 3, 2)
    assert position.units == 7

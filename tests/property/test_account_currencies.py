"""Profit is conserved to the unit in several currencies: fills, dividends, funding, borrowing, splits, transfers, rates."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lockstep.model.enums import AssetClass, Settlement
from lockstep.model.instrument import Instrument
from lockstep.portfolio.attribution import GROUPS, MONEY_PARTS, grouped, open_profit, shares, statement, total, worth_of
from lockstep.portfolio.portfolio import Portfolio
from lockstep.portfolio.saved import restore_portfolio, save_portfolio


def item(symbol: str, base: str, quote: str, settlement: Settlement = Settlement.CASH, **more: Any) -> Instrument:
    return Instrument(
        venue="X", symbol=symbol, asset_class=AssetClass.CRYPTO, base_currency=base, quote_currency=quote,
        price_decimals=2, qty_decimals=1, settlement=settlement, **more,
    )  # fmt: skip


ITEMS = [
    item("SHARE", "SHARE", "USD"),
    item("SAP", "SAP", "EUR"),
    item("FUT", "FUT", "JPY", Settlement.LINEAR, multiplier=Decimal("2.5")),
    item("PERP", "BTC", "USD", Settlement.INVERSE, multiplier=Decimal(100)),
    item("EURUSD", "EUR", "USD"),  # tells EUR
    item("USDJPY", "USD", "JPY"),  # tells JPY, turned round
    item("BTCUSD", "BTC", "USD"),  # tells BTC
]
PRICE = st.integers(1, 10**7)
EVENTS = st.one_of(
    st.tuples(st.just("fill"), st.integers(0, 1), st.integers(0, 6), st.sampled_from([1, -1]), PRICE, st.integers(1, 999), st.integers(-5, 50)),
    st.tuples(st.just("price"), st.integers(0, 6), PRICE),
    st.tuples(st.just("dividend"), st.integers(0, 1), st.integers(0, 500)),
    st.tuples(st.just("split"), st.integers(0, 2), st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.just("fund"), st.integers(2, 3), st.integers(-(10**4), 10**4), st.integers(0, 10**6)),
    st.tuples(st.just("borrow"), st.integers(0, 1), st.integers(1, 10**5)),
    st.tuples(st.just("transfer"), st.sampled_from(["USD", "EUR", "JPY", "BTC"]), st.integers(-(10**6), 10**6)),
)  # fmt: skip


def account() -> Portfolio:
    portfolio = Portfolio(ITEMS, 10**6, 2.0, currency="USD")
    for strategy in range(2):
        for index in range(len(ITEMS)):
            portfolio.add_position("ab"[strategy], strategy, index)
    for holding in portfolio.holdings:
        holding.set_last(12_345)
    return portfolio


def apply(portfolio: Portfolio, event: tuple[Any, ...]) -> None:
    match event:
        case ("fill", who, index, side, price, qty, fee):
            portfolio.book_fill(portfolio.position(who, index), side, price, qty, fee)
        case ("price", index, price):
            portfolio.holdings[index].set_last(price)
        case ("dividend", index, amount):
            portfolio.dividend(index, amount, 2)
        case ("split", index, new, old):
            portfolio.split(index, new, old)
        case ("fund", index, rate, mark):
            portfolio.fund(index, Fraction(rate, 10**6), mark)
        case ("borrow", index, rate):
            portfolio.borrow(index, Fraction(rate, 10**6))
        case ("transfer", currency, cents):
            portfolio.transfer(currency, Decimal(cents).scaleb(-2))


def rate_of(portfolio: Portfolio, currency: str) -> Fraction:
    """Worked out here from the prices alone."""
    last = {holding.instrument.symbol: Fraction(holding.last_units, 100) for holding in portfolio.holdings}
    return {"USD": Fraction(1), "EUR": last["EURUSD"], "JPY": 1 / last["USDJPY"], "BTC": last["BTCUSD"]}[currency]


@given(st.lists(EVENTS, max_size=30))
def test_profit_by_its_parts_is_the_change_of_equity_in_every_currency(events: list[tuple[Any, ...]]) -> None:
    portfolio = account()
    for event in events:
        apply(portfolio, event)
    equity = Fraction(0)
    for ledger in portfolio.ledgers:
        held = [p for p in portfolio.positions if p.holding.ledger is ledger]
        for name in ("realised", "fees", "dividends", "funding", "borrow"):  # 14: strategies sum to the account
            assert getattr(ledger, name) == sum(getattr(p, name) for p in held), name
        worth = sum(
            (worth_of(p) if p.holding.valuation.cash_settled else open_profit(p) for p in held if p.units), Fraction(0)
        )
        unrealised = sum((open_profit(p) for p in held), Fraction(0))
        posted = ledger.realised + ledger.dividends + ledger.funding + ledger.borrow - ledger.fees
        # 13: equity = cash + positions, and its change is profit and transfers: to the unit, fractions and all
        assert ledger.cash + worth == ledger.opening + ledger.transfers + posted + unrealised
        equity += (ledger.cash + worth) * rate_of(portfolio, ledger.currency)
        assert ledger.borrow <= 0
    for holding in portfolio.holdings:  # 12
        assert holding.units == sum(p.units for p in portfolio.positions if p.holding is holding)
    found = statement(portfolio)
    assert 0 <= equity - found.equity < len(portfolio.ledgers)  # each currency rounded down, once
    assert found.equity == found.opening + found.transfers + found.profit.net + found.exchange
    scale = sum(abs(float(ledger.cash)) * float(rate_of(portfolio, ledger.currency)) for ledger in portfolio.ledgers)
    gross = portfolio.gross() * 10.0**found.decimals
    assert abs(portfolio.equity() * 10.0**found.decimals - float(equity)) <= 1e-9 * (1.0 + scale + gross)


@given(st.lists(EVENTS, max_size=30))
def test_every_grouping_sums_to_the_account_to_the_unit(events: list[tuple[Any, ...]]) -> None:
    portfolio = account()
    for event in events:
        apply(portfolio, event)
    cells = shares(portfolio)
    whole = total(cells)
    for by in GROUPS:
        groups = grouped(cells, by)
        assert len(groups) == len({getattr(cell, by) for cell in cells})
        for name in (*MONEY_PARTS, "net", "fills"):
            assert sum(getattr(group, name) for group in groups) == getattr(whole, name)
    # With nothing paid in but the opening balance in USD, all that is left to rates is rounding: a unit for each amount.
    if not any(event[0] == "transfer" for event in events):
        assert abs(statement(portfolio).exchange) <= len(cells) * len(MONEY_PARTS)


@given(st.lists(EVENTS, max_size=20), st.lists(EVENTS, max_size=10))
def test_account_saved_and_restored_goes_on_as_if_nothing_happened(
    before: list[tuple[Any, ...]], after: list[tuple[Any, ...]]
) -> None:
    first, second = account(), account()
    for event in before:
        apply(first, event)
    saved = save_portfolio(first)
    restore_portfolio(second, saved)
    for event in after:
        apply(first, event)
        apply(second, event)
    assert save_portfolio(second) == save_portfolio(first)
    assert msgspec.to_builtins(statement(second)) == msgspec.to_builtins(statement(first))


@given(
    rate=st.integers(-(10**6), 10**6), units=st.integers(1, 10**6), price=PRICE, side=st.sampled_from([1, -1]),
    index=st.sampled_from([2, 3]),
)  # fmt: skip
def test_funding_is_rounded_against_us_and_never_by_a_whole_unit(
    rate: int, units: int, price: int, side: int, index: int
) -> None:
    portfolio = account()
    position = portfolio.position(0, index)
    portfolio.book_fill(position, side, price, units, 0)
    ((_, money),) = portfolio.fund(index, Fraction(rate, 10**8), price)
    value = Fraction(units, 10) * (Fraction(price, 100) * Fraction("2.5") if index == 2 else Fraction(100 * 100, price))
    exact = -side * value * Fraction(rate, 10**8) * 10**portfolio.ledger.decimals
    assert 0 <= exact - money < 1

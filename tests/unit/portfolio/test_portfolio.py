"""The account: money to the unit, positions that open, add, close and flip, splits and dividends."""

from decimal import Decimal
from typing import Any

import pytest

from lockstep.model.enums import AssetClass, Settlement
from lockstep.model.errors import DataError, InvariantError, ParseError, RefuseError
from lockstep.model.instrument import Instrument
from lockstep.portfolio.ledger import Ledger
from lockstep.portfolio.portfolio import Portfolio
from lockstep.portfolio.position import Position


def share(**changes: Any) -> Instrument:
    rules: dict[str, Any] = {
        "venue": "XNAS", "symbol": "AAPL", "asset_class": AssetClass.EQUITY, "base_currency": "AAPL",
        "quote_currency": "USD", "price_decimals": 2, "qty_decimals": 0,
    }  # fmt: skip
    return Instrument(**{**rules, **changes})


def account(item: Instrument, cash: Any = 100_000, leverage: float = 1.0) -> tuple[Portfolio, Position]:
    portfolio = Portfolio([item], cash, leverage)
    return portfolio, portfolio.add_position("s", 0, 0)


def money(portfolio: Portfolio, amount: str) -> int:
    return int(Decimal(amount).scaleb(portfolio.ledger.decimals))


def test_long_opened_added_closed_in_parts_and_flipped() -> None:
    portfolio, position = account(share())
    portfolio.book_fill(position, 1, 10000, 10, money(portfolio, "1"))
    portfolio.book_fill(position, 1, 11000, 10, money(portfolio, "1"))
    assert (position.qty, position.average_price, position.is_long, bool(position)) == (20.0, 105.0, True, True)
    portfolio.book_fill(position, -1, 12000, 5, money(portfolio, "1"))
    assert (position.realised_pnl, position.average_price) == (Decimal(75), 105.0)
    portfolio.book_fill(position, -1, 12000, 25, money(portfolio, "1"))
    assert (position.qty, position.average_price, position.is_short) == (-10.0, 120.0, True)
    assert position.realised_pnl == Decimal(300)
    portfolio.book_fill(position, 1, 11000, 10, money(portfolio, "1"))
    assert (position.realised_pnl, position.fees_paid, position.basis) == (Decimal(400), Decimal(5), 0)
    assert portfolio.ledger.balance == Decimal(100_395)
    assert (position.fills, position.value, position.unrealised) == (5, 0.0, 0.0)
    assert position.average_price != position.average_price  # flat: nan
    assert repr(position).startswith("Position(AAPL 0 at nan")


def test_remainder_of_a_partial_close_stays_in_the_basis() -> None:
    portfolio, position = account(share(price_decimals=8, qty_decimals=0))
    for price in (10, 10, 11):  # thirds do not divide
        portfolio.book_fill(position, 1, price, 1, 0)
    for _ in range(3):
        portfolio.book_fill(position, -1, 10, 1, 0)
    assert (position.basis, position.realised) == (0, -1)
    assert portfolio.ledger.cash - portfolio.ledger.opening == -1


def test_short_gains_when_the_price_falls() -> None:
    portfolio, position = account(share())
    portfolio.book_fill(position, -1, 10000, 10, 0)
    portfolio.holdings[0].set_last(9000)
    assert (position.value, position.unrealised, portfolio.equity()) == (-900.0, 100.0, 100_100.0)
    assert (portfolio.gross(), portfolio.net()) == (900.0, -900.0)


def test_linear_future_moves_only_profit() -> None:
    item = share(settlement=Settlement.LINEAR, multiplier=Decimal(50), asset_class=AssetClass.FUTURE)
    portfolio, position = account(item, leverage=10.0)
    portfolio.book_fill(position, 1, 400_000, 2, 0)
    assert portfolio.ledger.balance == Decimal(100_000)
    portfolio.holdings[0].set_last(400_100)
    assert (portfolio.equity(), portfolio.gross(), portfolio.margin_used) == (100_100.0, 400_100.0, 40_010.0)
    assert portfolio.leverage == pytest.approx(400_100 / 100_100)
    portfolio.book_fill(position, -1, 400_100, 2, 0)
    assert portfolio.ledger.balance == Decimal(100_100)


def test_inverse_contract_profit_is_rounded_down_once_and_a_long_counts_as_long() -> None:
    item = share(
        symbol="XBTUSD",
        base_currency="BTC",
        price_decimals=0,
        settlement=Settlement.INVERSE,
        asset_class=AssetClass.CRYPTO,
    )
    portfolio, position = account(item, 10, 5.0)
    portfolio.book_fill(position, 1, 30_000, 10_000, 0)
    portfolio.holdings[0].set_last(33_000)
    assert position.average_price == 30_000.0
    assert position.value == pytest.approx(10_000 / 33_000)
    assert position.unrealised == pytest.approx(10_000 / 30_000 - 10_000 / 33_000)
    assert portfolio.net() == portfolio.gross() == position.value
    portfolio.book_fill(position, -1, 33_000, 10_000, 0)
    assert position.realised_pnl == Decimal("0.03030303")  # 1/33 cut at a satoshi
    assert (position.basis, portfolio.ledger.balance) == (0, Decimal("10.03030303"))
    portfolio.book_fill(position, -1, 33_000, 10_000, 0)
    portfolio.book_fill(position, 1, 30_000, 10_000, 0)
    assert position.realised_pnl == Decimal("-0.00000001") + Decimal("0.03030303") * 2 + Decimal("0.00000001")


def test_quanto_settles_at_its_fixed_rate() -> None:
    item = share(settlement=Settlement.QUANTO, quanto_rate=Decimal("0.0005"), settlement_currency="ETH")
    portfolio, position = account(item, 10)
    portfolio.book_fill(position, 1, 10000, 4, 0)
    portfolio.book_fill(position, -1, 10100, 4, 0)
    assert (portfolio.ledger.currency, portfolio.ledger.balance) == ("ETH", Decimal("10.002"))


def test_largest_price_and_quantity_are_booked_exactly() -> None:
    item = share(price_decimals=8, qty_decimals=8)
    portfolio, position = account(item)
    most = 2**53
    portfolio.book_fill(position, 1, most, most, 0)
    assert portfolio.ledger.cash == portfolio.ledger.opening - most * most
    portfolio.book_fill(position, -1, most - 1, most, 0)
    assert (position.realised, position.basis) == (-most, 0)
    portfolio.book_fill(position, -1, 1, most, 0)
    portfolio.book_fill(position, 1, most, most, 0)
    assert portfolio.ledger.cash - portfolio.ledger.opening == -most - most * (most - 1)


@pytest.mark.compiled
def test_quantity_beyond_64_bits_raises_instead_of_wrapping() -> None:
    portfolio, position = account(share())
    portfolio.book_fill(position, 1, 1, 2**62, 0)
    with pytest.raises(OverflowError):
        portfolio.book_fill(position, 1, 1, 2**62, 0)
    assert position.units == 2**62


def test_split_leaves_the_holder_where_he_was() -> None:
    for side in (1, -1):
        portfolio, position = account(share())
        portfolio.book_fill(position, side, 10000, 10, 0)
        portfolio.holdings[0].set_last(11000)
        before = portfolio.equity()
        portfolio.split(0, 2, 1)
        assert (position.units, portfolio.holdings[0].units, portfolio.holdings[0].last_units) == (
            20 * side,
            20 * side,
            5500,
        )
        assert (portfolio.equity(), position.average_price, position.realised) == (before, 50.0, 0)


def test_split_with_a_fraction_left_over_pays_it_in_cash_against_us() -> None:
    portfolio, position = account(share())
    portfolio.book_fill(position, 1, 10000, 5, 0)
    portfolio.holdings[0].set_last(12000)
    portfolio.split(0, 3, 2)  # 7 shares and half a share of 80.00
    assert (position.units, portfolio.ledger.decimal(portfolio.ledger.in_lieu)) == (7, Decimal(40))
    assert position.realised == portfolio.ledger.realised  # the account is the sum of its positions
    cost = Decimal(500) / Decimal("7.5") / 2
    assert abs(position.realised_pnl - (40 - cost)) < Decimal("0.00000002")
    assert portfolio.equity() == 100_100.0
    portfolio.book_fill(position, -1, 8000, 7, 0)
    assert (position.basis, portfolio.ledger.balance) == (0, Decimal(100_100))


def test_reverse_split_that_leaves_less_than_a_share_closes_the_position() -> None:
    for side in (1, -1):
        portfolio, position = account(share())
        portfolio.book_fill(position, side, 100, 5, 0)
        portfolio.holdings[0].set_last(100)
        portfolio.split(0, 1, 10)
        assert (position.units, position.basis, position.realised) == (0, 0, 0)
        assert portfolio.ledger.balance == Decimal(100_000)


def test_dividend_is_received_long_and_paid_short_and_belongs_to_its_position() -> None:
    portfolio = Portfolio([share()], 1000, 2.0)
    long, short = portfolio.add_position("a", 0, 0), portfolio.add_position("b", 1, 0)
    portfolio.book_fill(long, 1, 100, 30, 0)
    portfolio.book_fill(short, -1, 100, 10, 0)
    assert portfolio.dividend(0, 25, 2) == [(0, money(portfolio, "7.5")), (1, money(portfolio, "-2.5"))]
    assert (long.dividends_received, short.dividends_received) == (Decimal("7.5"), Decimal("-2.5"))
    assert portfolio.ledger.decimal(portfolio.ledger.dividends) == Decimal(5)
    assert portfolio.position(0, 0) is long
    assert portfolio.add_position("a", 0, 0) is long


@pytest.mark.parametrize("ratio", [(0, 1), (1, 0), (-2, 1), (2.9, 1), (2, 1.5), ("2", 1), (None, 1)])
def test_split_that_is_no_ratio_of_whole_numbers_is_refused(ratio: tuple[Any, Any]) -> None:
    portfolio, position = account(share())
    portfolio.book_fill(position, 1, 100, 5, 0)
    with pytest.raises(DataError, match="no split"):
        portfolio.split(0, *ratio)
    assert position.units == 5


@pytest.mark.parametrize("amount", [(-1, 2), (1.5, 2), (1, -2), (1, 2.5), (None, 2)])
def test_dividend_that_is_no_amount_is_refused(amount: tuple[Any, Any]) -> None:
    portfolio, position = account(share())
    portfolio.book_fill(position, 1, 100, 5, 0)
    with pytest.raises(DataError, match="no dividend"):
        portfolio.dividend(0, *amount)
    assert portfolio.ledger.dividends == 0


@pytest.mark.parametrize("leverage", [0.0, -1.0, float("nan"), float("inf")])
def test_account_with_no_possible_leverage_is_refused(leverage: float) -> None:
    with pytest.raises(RefuseError, match="leverage was"):
        Portfolio([share()], 1000, leverage)


def test_account_of_no_instrument_or_two_currencies_is_refused() -> None:
    with pytest.raises(RefuseError, match="at least one instrument"):
        Portfolio([], 1000)
    with pytest.raises(RefuseError, match="2 currencies: EUR, USD"):
        Portfolio([share(), share(symbol="SAP", quote_currency="EUR")], 1000)


@pytest.mark.parametrize(
    ("opening", "units"), [(0.1, 10_000_000), ("0.1", 10_000_000), (Decimal("0.10"), 10_000_000), (5, 5 * 10**8)]
)
def test_opening_balance_counts_as_its_shortest_text(opening: Any, units: int) -> None:
    ledger = Ledger("USD", 8, opening)
    assert (ledger.cash, ledger.balance) == (units, Decimal(units).scaleb(-8))


@pytest.mark.parametrize("opening", [float("nan"), "1e-9", True, None, "much", 0.000000001])
def test_opening_balance_that_is_no_exact_amount_is_refused(opening: Any) -> None:
    with pytest.raises(ParseError, match="opening cash"):
        Ledger("USD", 8, opening)


def test_ledger_refuses_what_is_not_whole_and_stays_as_it_was() -> None:
    ledger: Any = Ledger("USD", 2, 100)
    posts: tuple[Any, ...] = (
        lambda: ledger.post_fill(1.0, 0, 0), lambda: ledger.post_fill(0, 0.5, 0), lambda: ledger.post_fill(0, 0, Decimal(1)),
        lambda: ledger.post_dividend(0.5), lambda: ledger.post_in_lieu(1, 0.5), lambda: ledger.post_dividend("1"),
    )  # fmt: skip
    for post in posts:
        with pytest.raises(InvariantError, match="whole ledger units"):
            post()
    assert (ledger.cash, ledger.fees, ledger.realised, ledger.dividends, ledger.in_lieu) == (10_000, 0, 0, 0, 0)


@pytest.mark.compiled
def test_position_cannot_be_changed_by_who_reads_it() -> None:
    _, position = account(share())
    for name in ("units", "basis", "realised", "fees"):
        with pytest.raises(AttributeError):
            setattr(position, name, 1)
    assert not [name for name in ("apply", "add_fee", "add_dividend", "split") if hasattr(position, name)]


def test_working_quantity_below_zero_halts() -> None:
    portfolio, _ = account(share())
    with pytest.raises(InvariantError, match="fell below 0"):
        portfolio.holdings[0].add_pending(1, -1, 0.0)

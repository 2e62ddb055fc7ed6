"""What may be read of an account: exposure, margin and its calls, concentration, drawdown, rates that are not known yet."""

import math
from decimal import Decimal
from typing import Any

import pytest
from machine import T0, Machine, bars, coin, records

from lockstep import Strategy
from lockstep.engine.records import exact_units
from lockstep.model.enums import AssetClass, Reason, Settlement
from lockstep.model.errors import InstrumentError, RefuseError, StateError, UsageError
from lockstep.model.instrument import Instrument
from lockstep.portfolio.attribution import shares, statement
from lockstep.portfolio.portfolio import Portfolio
from lockstep.portfolio.readings import PortfolioReadings


def item(symbol: str, quote: str = "USD", **rules: Any) -> Instrument:
    fields: dict[str, Any] = {
        "venue": "X", "asset_class": AssetClass.FX, "base_currency": symbol, "quote_currency": quote, "price_decimals": 2,
        "qty_decimals": 0,
    } | rules  # fmt: skip
    return Instrument(symbol=symbol, **fields)


SAP = item("SAP", "EUR")
EURUSD = item("EURUSD", base_currency="EUR")
USDEUR = item("USDEUR", "EUR", base_currency="USD")


def test_weights_concentration_and_herfindahl_of_what_is_held() -> None:
    portfolio = Portfolio([item("A"), item("B"), item("C")], 10_000)
    for index, (side, price) in enumerate([(1, 3000), (-1, 1000), (1, 1)]):
        holding = portfolio.holdings[index]
        holding.set_last(price)
        if index < 2:
            portfolio.book_fill(portfolio.add_position("s", 0, index), side, price, 10, 0)
    readings = PortfolioReadings(portfolio)
    assert readings.weights == {"A.X": 0.75, "B.X": 0.25}
    assert (readings.concentration, readings.herfindahl) == (0.75, 0.75**2 + 0.25**2)
    assert (readings.gross, readings.net, readings.equity) == (400.0, 200.0, 10_000.0)
    assert PortfolioReadings(Portfolio([item("A")], 1)).concentration == 0.0


def test_margins_are_each_instruments_own_or_the_accounts() -> None:
    own = item("A", margin_initial=Decimal("0.2"), margin_maintenance=Decimal("0.15"))
    portfolio = Portfolio([own, item("B")], 10_000, 5.0)
    for index in range(2):
        portfolio.holdings[index].set_last(1000)
        portfolio.book_fill(portfolio.add_position("s", 0, index), 1, 1000, 100, 0)
    readings = PortfolioReadings(portfolio)
    assert readings.margin_used == pytest.approx(1000 * 0.2 + 1000 / 5)
    assert readings.margin_maintenance == pytest.approx(1000 * 0.15 + 1000 / 10)
    assert readings.margin_free == pytest.approx(10_000 - 400)
    portfolio.holdings[0].add_pending(1, 50, 500.0)
    assert portfolio.margin_max() == pytest.approx(1500 * 0.2 + 200)


@pytest.mark.parametrize("margins", [("1.5", "0.1"), ("0.1", "0.2"), ("-0.1", "0")])
def test_margins_that_cannot_be_are_refused(margins: tuple[str, str]) -> None:
    with pytest.raises(InstrumentError, match="margin"):
        item("A", margin_initial=Decimal(margins[0]), margin_maintenance=Decimal(margins[1]))


class Leveraged(Strategy):
    qty: float = 40.0

    def on_start(self) -> None:
        self.read: list[tuple[bool, float, float]] = []

    def on_bar(self, bar: Any) -> None:
        self.read.append((self.portfolio.margin_call, self.portfolio.drawdown, self.portfolio.margin_used))
        if not self.position and not self.open_orders:
            self.buy(self.qty)


def test_margin_call_is_recorded_when_it_begins_and_ends_and_read_by_the_strategy() -> None:
    # 4,000 of exposure on 2,000: maintenance is half of exposure / 2, so equity falls below it under a price of 66.7
    machine = Machine([(coin(), records(bars(100, 100, 100, 66, 60, 67, 100)))], cash=2_000, leverage=2.0)
    strategy = Leveraged()
    machine.seat(strategy, name="s").go()
    calls = [(row.kind, (row.ts - T0) // (3600 * 10**9)) for row in machine.decisions if row.kind.startswith("margin")]
    assert calls == [("margin_call", 4), ("margin_clear", 6)]
    assert [called for called, _, _ in strategy.read] == [False, False, False, False, True, True, False]
    # on_bar reads the prices of its bar: 40 at 66 on cash of -2,000
    assert strategy.read[3][1:] == pytest.approx((640 / 2_000 - 1, 66 * 40 / 2))
    assert machine.portfolio.peak_equity == 2_000.0


def test_volatility_is_that_of_the_last_marks() -> None:
    portfolio = Portfolio([item("A")], 1000)
    readings = PortfolioReadings(portfolio)
    assert math.isnan(readings.volatility())
    machine = Machine([(coin(), records(bars(100, 100, 110, 99, 99)))], cash=1_000)
    machine.seat(Leveraged(qty=10.0), name="s").go()
    levels = [1000.0, 1000.0, 1100.0, 990.0, 990.0]
    assert machine.portfolio.recent_equity(9) == levels
    assert machine.portfolio.recent_equity(2) == levels[-2:]
    returns = [after / before - 1 for before, after in zip(levels, levels[1:], strict=False)]
    mean = sum(returns) / 4
    expected = math.sqrt(sum((one - mean) ** 2 for one in returns) / 3)
    assert PortfolioReadings(machine.portfolio).volatility() == pytest.approx(expected)


def test_rate_is_the_pairs_price_or_its_reverse_and_a_stated_one_wins() -> None:
    for items, price in (([SAP, EURUSD], 125), ([SAP, USDEUR], 80)):
        portfolio = Portfolio(items, 1000, currency="USD")
        portfolio.holdings[0].set_last(1000)
        assert math.isnan(portfolio.holdings[0].in_account(1.0))
        portfolio.holdings[1].set_last(price)
        portfolio.book_fill(portfolio.add_position("s", 0, 0), 1, 1000, 8, 0)
        assert portfolio.gross() == pytest.approx(100.0)
        assert portfolio.equity() == pytest.approx(1000.0)
        assert portfolio.ledgers[1].balance == Decimal(-80)
        portfolio.holdings[0].set_last(1100)
        assert statement(portfolio).profit.money("net") == Decimal(10)
    assert Portfolio([SAP, EURUSD], 1000, currency="USD", rates={"EUR": 2}).holdings[0].in_account(1.0) == 2.0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "2 currencies: EUR, USD"),
        ({"currency": "CHF"}, "no rate of EUR in CHF"),
        ({"currency": "USD", "rates": {"GBP": 1}}, "stated for GBP, and nothing settles"),
        ({"currency": "USD", "rates": {"EUR": 0}}, "must be above 0"),
    ],
)
def test_currencies_that_cannot_be_counted_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(RefuseError, match=words):
        Portfolio([SAP, item("IBM")], 1000, **settings)


def test_a_contract_on_a_pair_tells_no_rate() -> None:
    future = item("EURUSD", base_currency="EUR", settlement=Settlement.LINEAR)
    with pytest.raises(RefuseError, match="no rate of EUR in USD"):
        Portfolio([SAP, future], 1000, currency="USD")


class Eager(Strategy):
    trades = "all"

    def on_bar(self, bar: Any) -> None:
        if bar.symbol == "SAP":
            self.last_order = self.buy(1, instrument="SAP.X")


def test_order_before_the_first_rate_is_denied_and_after_it_goes_through() -> None:
    late = records(bars(125, 125, start=T0 + 2 * 3600 * 10**9))
    rows = [(item("EURUSD", base_currency="EUR"), late), (SAP, records(bars(1000, 1000, 1000, 1000)))]
    machine = Machine(rows, currency="USD")
    machine.seat(Eager(), 0, 1, name="s").go()
    denied = [row for row in machine.decisions if row.kind == "deny"]
    assert {row.reason for row in denied} == {Reason.NO_REFERENCE_PRICE.name}
    assert len(denied) == 2
    assert machine.fills
    assert all(row.ts > T0 + 2 * 3600 * 10**9 for row in machine.fills)


def test_balance_without_a_rate_lets_nothing_open_and_says_so() -> None:
    portfolio = Portfolio([SAP, EURUSD, item("IBM")], 1000, currency="USD")
    portfolio.transfer("EUR", 5)
    assert math.isnan(portfolio.equity())
    assert portfolio.buying_power() == -math.inf
    with pytest.raises(StateError, match="no rate of EUR"):
        statement(portfolio)
    assert shares(portfolio) == []
    with pytest.raises(RefuseError, match="holds no 'EUX'") as caught:
        portfolio.transfer("EUX", 5)
    assert "EUR" in caught.value.hint


def test_readings_cannot_change_the_account() -> None:
    readings = PortfolioReadings(Portfolio([item("A")], 1000))
    names = [name for name in dir(readings) if not name.startswith("_")]
    for name in names:
        with pytest.raises(AttributeError):
            setattr(readings, name, 1)
    readings.cash_by_currency["USD"] = Decimal(0)
    assert readings.cash_by_currency == {"USD": Decimal(1000)}
    with pytest.raises(UsageError, match="strategy, symbol, currency"):
        readings.profit("day")


@pytest.mark.parametrize("units", [0, 7, -7, 2**63, -(2**63) - 5, 3**60, -(3**70)])
@pytest.mark.parametrize("decimals", [8, 16])
def test_exact_units_come_back_from_their_low_word_and_a_float(units: int, decimals: int) -> None:
    low = ((units + 2**63) % 2**64) - 2**63
    assert exact_units(low, float(units) / 10.0**decimals, decimals) == units

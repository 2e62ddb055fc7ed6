"""The rules of an instrument, and the one place where what a user wrote becomes a price or quantity."""

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.model.enums import AssetClass, Settlement
from lockstep.model.errors import InstrumentError
from lockstep.model.fees import FeeSchedule
from lockstep.model.instrument import Instrument, Rounding
from lockstep.model.numbers import UNITS_MAX, Price, Qty
from lockstep.model.valuation import Valuation, ledger_decimals_for


def instrument(**changes: Any) -> Instrument:
    rules: dict[str, Any] = {
        "venue": "XNAS",
        "symbol": "AAPL",
        "asset_class": AssetClass.EQUITY,
        "base_currency": "AAPL",
        "quote_currency": "USD",
        "price_decimals": 2,
        "qty_decimals": 0,
    }
    return Instrument(**{**rules, **changes})


def test_price_on_the_tick_is_taken_and_off_it_is_refused_with_advice() -> None:
    quarter = instrument(tick_size=25)
    assert quarter.price_from(100.25) == 10025
    with pytest.raises(InstrumentError, match=r"price not on tick: was 100.26, step 0.25") as caught:
        quarter.price_from(100.26)
    assert "round_price" in caught.value.hint


@pytest.mark.parametrize(
    ("rounding", "units"), [(Rounding.DOWN, 10025), (Rounding.UP, 10050), (Rounding.NEAREST, 10025)]
)
@pytest.mark.parametrize("value", [100.3, "100.3", Decimal("100.3"), np.float64(100.3)])
def test_price_off_the_tick_goes_in_the_named_direction(value: Any, rounding: Rounding, units: int) -> None:
    assert instrument(tick_size=25).price_from(value, rounding) == units


@pytest.mark.parametrize("rounding", [None, *Rounding])
@pytest.mark.parametrize("value", [0, -1, "nan", float("inf"), True, None, "1/3", "1e999999999", UNITS_MAX])
def test_price_that_cannot_be_one_is_refused_whatever_the_rounding(value: Any, rounding: Rounding | None) -> None:
    with pytest.raises(InstrumentError, match=r"AAPL\.XNAS"):
        instrument().price_from(value, rounding)


def test_price_at_the_boundary_of_exact_floats_is_taken_and_beyond_is_refused_with_advice() -> None:
    whole = instrument(price_decimals=0)
    assert whole.price_from(2**53) == 2**53
    with pytest.raises(InstrumentError, match="up to 9007199254740992") as caught:
        whole.price_from(2**53 + 1)
    assert "fewer decimals" in caught.value.hint


def test_won_price_with_crypto_decimals_is_refused_with_advice_and_fits_with_fewer() -> None:
    with pytest.raises(InstrumentError) as caught:
        instrument(symbol="BTCKRW", price_decimals=8).price_from(160_000_000)
    assert "fewer decimals, or a bigger unit" in caught.value.hint
    assert instrument(symbol="BTCKRW", price_decimals=0).price_from(160_000_000) == 160_000_000


def test_quantity_obeys_lot_minimum_and_maximum() -> None:
    rules = instrument(qty_decimals=3, lot_size=5, qty_min=10, qty_max=1000)
    assert rules.qty_from("0.015") == 15
    assert rules.qty_from(0.019, Rounding.DOWN) == 15
    for value in ("0.005", "1.005", "0.012", 0, -1):
        with pytest.raises(InstrumentError):
            rules.qty_from(value)


@given(
    value=st.decimals(min_value="0.01", max_value="10000", places=6),
    step=st.integers(1, 500),
    decimals=st.integers(0, 6),
)
def test_rounding_lands_on_the_grid_within_one_step(value: Decimal, step: int, decimals: int) -> None:
    grid = instrument(price_decimals=decimals, tick_size=step)
    exact = Fraction(value) * 10**decimals
    found = {}
    for rounding in Rounding:
        try:
            found[rounding] = grid.price_from(value, rounding)
        except InstrumentError:
            assert exact < step  # rounded to 0
            return
    assert all(units % step == 0 for units in found.values())
    assert found[Rounding.DOWN] <= exact <= found[Rounding.UP]
    assert found[Rounding.UP] - found[Rounding.DOWN] in (0, step)
    assert abs(found[Rounding.NEAREST] - exact) * 2 <= step


@pytest.mark.parametrize(
    "changes",
    [
        {"price_decimals": -1}, {"price_decimals": 16}, {"price_decimals": 2.5}, {"qty_decimals": True},
        {"tick_size": 0}, {"tick_size": 1.5}, {"lot_size": 2**53 + 1}, {"price_max": 0}, {"qty_max": 2**60},
        {"qty_min": -1}, {"qty_min": 11, "qty_max": 10}, {"tick_size": 11, "price_max": 10}, {"lot_size": 11, "qty_max": 10},
        {"multiplier": Decimal(0)}, {"multiplier": Decimal("NaN")}, {"multiplier": Decimal("Infinity")}, {"multiplier": 2.5},
        {"quanto_rate": Decimal(-1)}, {"quanto_rate": 0}, {"price_band_bps": 0}, {"price_band_bps": -5}, {"price_band_bps": 1.5},
        {"settlement": Settlement.QUANTO},
    ],
)  # fmt: skip
def test_instrument_with_a_rule_that_cannot_hold_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InstrumentError, match=r"AAPL\.XNAS"):
        instrument(**changes)


def future(**changes: Any) -> Instrument:
    return instrument(asset_class=AssetClass.FUTURE, base_currency="BTC", price_decimals=1, **changes)


def test_notional_of_each_settlement_is_exact_in_its_currency() -> None:
    price, qty = Price(100_000), Qty(3)  # 10,000.0 and 3
    linear = future(settlement=Settlement.LINEAR, multiplier=Decimal("0.1"))
    inverse = future(settlement=Settlement.INVERSE, multiplier=Decimal(100))
    quanto = future(
        settlement=Settlement.QUANTO,
        multiplier=Decimal("0.1"),
        quanto_rate=Decimal("0.0005"),
        settlement_currency="ETH",
    )
    assert linear.notional(price, qty) == Decimal(3000)
    assert inverse.notional(price, qty) == Decimal("0.03")
    assert quanto.notional(price, qty) == Decimal("1.5")
    assert (linear.currency, inverse.currency, quanto.currency) == ("USD", "BTC", "ETH")


def test_notional_of_the_largest_values_is_exact_in_any_context() -> None:
    big = instrument(price_decimals=8, qty_decimals=8, multiplier=Decimal("0.00000001"))
    with localcontext() as context:
        context.prec = 6
        notional = big.notional(Price(2**53 - 1), Qty(2**53 - 1))
    assert Fraction(notional) == Fraction((2**53 - 1) ** 2, 10**24)


@given(
    settlement=st.sampled_from(Settlement),
    price=st.integers(1, UNITS_MAX),
    qty=st.integers(-UNITS_MAX, UNITS_MAX),
    decimals=st.tuples(st.integers(0, 8), st.integers(0, 8)),
    multiplier=st.sampled_from(["1", "0.1", "50", "0.00025"]),
)
def test_valuation_agrees_with_fractions(
    settlement: Settlement, price: int, qty: int, decimals: tuple[int, int], multiplier: str
) -> None:
    item = instrument(
        price_decimals=decimals[0], qty_decimals=decimals[1], settlement=settlement, multiplier=Decimal(multiplier),
        quanto_rate=Decimal("0.0005"), settlement_currency="ETH" if settlement is Settlement.QUANTO else "",
    )  # fmt: skip
    ledger = ledger_decimals_for([item])
    valuation = Valuation(item, ledger)
    p, q = Fraction(price, 10 ** decimals[0]), Fraction(qty, 10 ** decimals[1])
    worth = p * q * Fraction(multiplier)
    if settlement is Settlement.QUANTO:
        worth *= Fraction("0.0005")
    if settlement is Settlement.INVERSE:
        worth = -q * Fraction(multiplier) / p
    found = valuation.worth(price, qty)
    assert found == worth * 10**ledger
    assert settlement is Settlement.INVERSE or type(found) is int  # money is whole, whatever the size


def test_facts_are_plain_and_change_with_each_rule() -> None:
    facts = [
        msgspec.json.encode(item.facts())
        for item in (
            instrument(), instrument(tick_size=5), instrument(fees=FeeSchedule(flat=Decimal(1))), instrument(price_band_bps=100)
        )
    ]  # fmt: skip
    assert len(set(facts)) == 4

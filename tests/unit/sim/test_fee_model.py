"""What a venue charges, against fractions: at every size, on both sides of the bound up to which 64 bits are enough."""

import math
from decimal import Decimal
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from lockstep.model.enums import AssetClass, Settlement
from lockstep.model.fees import FeeSchedule
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import UNITS_MAX
from lockstep.model.valuation import NARROW_MAX, Valuation, ledger_decimals_for
from lockstep.sim.fees import FeeModel

RATES = ["0", "0.001", "-0.0001", "0.00035", "0.1234567"]


def coin(settlement: Settlement, decimals: tuple[int, int]) -> Instrument:
    return Instrument(
        venue="X", symbol="COIN", asset_class=AssetClass.CRYPTO, base_currency="COIN", quote_currency="USD",
        price_decimals=decimals[0], qty_decimals=decimals[1], tick_size=1, settlement=settlement,
    )  # fmt: skip


@given(
    st.sampled_from([Settlement.CASH, Settlement.INVERSE]),
    st.tuples(st.integers(0, 8), st.integers(0, 8)),
    st.integers(1, UNITS_MAX),
    st.integers(1, UNITS_MAX) | st.integers(1, UNITS_MAX // 10**8).map(lambda coins: coins * 10**8),
    st.sampled_from(RATES),
    st.booleans(),
)
@example(Settlement.CASH, (0, 0), 2**26, 2**26, "0.001", True)
@example(Settlement.CASH, (8, 8), 13_763 * 10**8, 10**8, "0.001", True)  # of a whole coin nothing is rounded
@example(Settlement.CASH, (8, 8), UNITS_MAX, 10**8, "-0.0001", True)
@example(Settlement.CASH, (2, 8), UNITS_MAX, UNITS_MAX, "-0.0001", True)
def test_fee_is_its_share_of_the_worth_rounded_up_whatever_the_size(
    settlement: Settlement, decimals: tuple[int, int], price: int, qty: int, rate: str, maker: bool
) -> None:
    item = coin(settlement, decimals)
    valuation = Valuation(item, ledger_decimals_for([item]))
    model = FeeModel(FeeSchedule(maker=Decimal(rate), taker=Decimal("0.0005")), valuation)
    p, q = Fraction(price, 10 ** decimals[0]), Fraction(qty, 10 ** decimals[1])
    worth = (q / p if settlement is Settlement.INVERSE else p * q) * 10**valuation.ledger_decimals
    assert model.fee(price, qty, maker, False) == math.ceil(worth * Fraction(rate if maker else "0.0005"))


@given(st.integers(1, UNITS_MAX), st.integers(-3, 3), st.sampled_from([1, -1]))
def test_worth_is_exact_on_both_sides_of_what_64_bits_hold(price: int, off: int, sign: int) -> None:
    item = coin(Settlement.CASH, (2, 4))
    valuation = Valuation(item, ledger_decimals_for([item]))
    qty = sign * min(UNITS_MAX, max(1, int(NARROW_MAX) // (price * 100) + off))
    assert valuation.worth(price, qty) == price * qty * 100  # 8 decimals of money from 6

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from lockstep.analytics.activity import (
    annual_turnover,
    average_gross,
    time_in_market,
    time_in_market_of_trades,
    turnover,
)
from lockstep.analytics.fills import Fills, InstrumentUnits
from lockstep.analytics.round_trips import flat_to_flat
from lockstep.model.enums import AssetClass, Settlement
from lockstep.model.errors import DataError
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import NANOS_PER_DAY

FILLS = Fills(
    ts=np.array([2, 4, 7]),
    instrument=np.array([0, 0, 1]),
    strategy=np.zeros(3, np.int64),
    side=np.array([1, -1, 1]),
    qty=np.array([10, 10, 5]),
    price=np.array([5000, 5100, 40]),
    fee=np.array([1.0, 1.5, -0.25]),
    slippage=np.array([0.5, 0.5, 0.0]),
)
UNITS = [InstrumentUnits(2, 0), InstrumentUnits(0, 0, Fraction(2))]


def test_notional_counts_every_fill_at_its_own_units() -> None:
    assert FILLS.notional(UNITS).tolist() == [500.0, 510.0, 400.0]


def test_fees_and_slippage_sum_with_rebates() -> None:
    assert FILLS.total_fees() == 2.25
    assert FILLS.total_slippage() == 1.0


def test_turnover_is_traded_value_over_mean_equity() -> None:
    assert turnover(1410.0, np.array([900.0, 1100.0])) == pytest.approx(1.41)
    assert annual_turnover(1.41, 73 * NANOS_PER_DAY) == pytest.approx(7.05)


def test_turnover_without_equity_or_time_is_undefined() -> None:
    assert turnover(10.0, np.empty(0)) is None
    assert turnover(10.0, np.array([-1.0, 1.0])) is None
    assert annual_turnover(1.0, NANOS_PER_DAY - 1) is None
    assert annual_turnover(None, NANOS_PER_DAY) is None


def test_time_in_market_counts_rows_with_a_position() -> None:
    assert time_in_market(np.array([0.0, 5.0, 5.0, 0.0])) == 0.5
    assert time_in_market(np.empty(0)) is None


def test_time_in_market_of_trades_runs_from_entry_to_before_exit_and_open_ones_to_the_end() -> None:
    trades = flat_to_flat(FILLS, UNITS, marks=[5000, 40], mark_ts=9)
    # On at rows 2, 3 (closed at 4) and 7, 8, 9 (still open).
    assert time_in_market_of_trades(np.arange(10, dtype=np.int64), trades) == 0.5
    assert time_in_market_of_trades(np.empty(0, np.int64), trades) is None


def test_average_gross_leaves_out_rows_without_equity() -> None:
    assert average_gross(np.array([50.0, 200.0, 9.0]), np.array([100.0, 100.0, 0.0])) == pytest.approx(1.25)
    assert average_gross(np.array([1.0]), np.array([-1.0])) is None
    with pytest.raises(DataError, match="equally long"):
        average_gross(np.array([1.0]), np.array([1.0, 2.0]))


def test_units_follow_the_instrument() -> None:
    instrument = Instrument(
        venue="X",
        symbol="XBTUSD",
        asset_class=AssetClass.CRYPTO,
        base_currency="XBT",
        quote_currency="USD",
        price_decimals=1,
        qty_decimals=0,
        settlement=Settlement.INVERSE,
    )
    assert InstrumentUnits.of(instrument) == InstrumentUnits(1, 0, Fraction(1), inverse=True)
    units = [InstrumentUnits.of(instrument)] * 2
    assert FILLS.notional(units)[0] == pytest.approx(10 / 500.0)


def test_units_of_a_quanto_include_its_rate() -> None:
    instrument = Instrument(
        venue="X",
        symbol="ETHQUANTO",
        asset_class=AssetClass.CRYPTO,
        base_currency="ETH",
        quote_currency="USD",
        price_decimals=2,
        qty_decimals=0,
        multiplier=Decimal("0.5"),
        settlement=Settlement.QUANTO,
        settlement_currency="XBT",
        quanto_rate=Decimal("0.000001"),
    )
    assert InstrumentUnits.of(instrument) == InstrumentUnits(2, 0, Fraction(1, 2_000_000))

import numpy as np
import pytest

from lockstep.analytics.fills import InstrumentUnits
from lockstep.analytics.trades import Trades, UnitTrade, small_sample_warning, trade_stats, trades_from_units

HOUR = 3_600_000_000_000


def trade(exit_units: int, hours: int = 1, fees: float = 0.0, *, is_open: bool = False) -> UnitTrade:
    """100 units bought for 100.00 each and sold for exit_units cents each."""
    return UnitTrade(
        entry_ts=0,
        exit_ts=hours * HOUR,
        instrument=0,
        strategy=0,
        side=1,
        entry_qty=100,
        entry_value=100 * 10_000,
        exit_qty=100,
        exit_value=100 * exit_units,
        fees=fees,
        slippage=0.0,
        is_open=is_open,
    )


def columns(*trades: UnitTrade) -> Trades:
    return trades_from_units(trades, [InstrumentUnits(2, 0)])


def test_stats_of_four_trades_are_as_by_hand() -> None:
    found = trade_stats(columns(trade(10_300, 1), trade(10_100, 2), trade(9_800, 3), trade(10_000, 6)))
    assert (found.closed, found.wins, found.losses, found.still_open) == (4, 2, 1, 0)
    assert found.win_rate == 0.5
    assert (found.average_win, found.average_loss) == (200.0, -200.0)
    assert (found.largest_win, found.largest_loss) == (300.0, -200.0)
    assert (found.payoff_ratio, found.profit_factor) == (1.0, 2.0)
    assert (found.expectancy, found.net_pnl) == (50.0, 200.0)
    assert found.expectancy_pct == pytest.approx(0.5)
    assert (found.average_holding_ns, found.median_holding_ns) == (3 * HOUR, int(2.5 * HOUR))


def test_fee_can_turn_a_gross_win_into_a_loss() -> None:
    found = trade_stats(columns(trade(10_001, fees=5.0)))
    assert (found.wins, found.losses, found.average_loss) == (0, 1, -4.0)


def test_stats_of_wins_alone_have_no_profit_factor() -> None:
    found = trade_stats(columns(trade(10_300), trade(10_100)))
    assert found.profit_factor is None
    assert found.payoff_ratio is None
    assert found.average_loss is None
    assert found.win_rate == 1.0


def test_stats_of_losses_alone_have_a_profit_factor_of_zero() -> None:
    found = trade_stats(columns(trade(9_000), trade(9_900)))
    assert found.profit_factor == 0.0
    assert found.payoff_ratio is None
    assert found.win_rate == 0.0
    assert found.expectancy == -550.0


def test_open_trades_are_counted_apart() -> None:
    found = trade_stats(columns(trade(10_300), trade(1, is_open=True)))
    assert (found.closed, found.still_open, found.net_pnl) == (1, 1, 300.0)


def test_stats_without_trades_are_undefined() -> None:
    found = trade_stats(columns())
    assert (found.closed, found.net_pnl) == (0, 0.0)
    assert found.win_rate is None
    assert found.expectancy is None
    assert found.average_holding_ns is None


def test_trade_entered_at_zero_has_no_return() -> None:
    free = trade(10_000)._replace(entry_value=0)
    found = columns(free)
    assert np.isnan(found.return_pct[0])
    assert trade_stats(found).expectancy_pct is None


def test_banner_stands_below_thirty_closed_trades_only() -> None:
    assert small_sample_warning(30) is None
    assert small_sample_warning(29) == (
        "only 29 closed trades, fewer than 30: win rate, profit factor and expectancy say little; "
        "test a longer period or more instruments"
    )
    assert "only 1 closed trade," in str(small_sample_warning(1))

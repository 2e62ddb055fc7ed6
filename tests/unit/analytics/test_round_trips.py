"""Round trips from flat to flat and by lots, each example worked out by hand."""

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest

from lockstep.analytics.fills import Fills, InstrumentUnits, Restatement
from lockstep.analytics.lots import fifo
from lockstep.analytics.round_trips import flat_to_flat
from lockstep.analytics.trades import Trades
from lockstep.model.errors import DataError

CENTS = InstrumentUnits(price_decimals=2, qty_decimals=0)
Method = Callable[..., Trades]
METHODS = [flat_to_flat, fifo]


def fills_of(*rows: tuple[int, int, int, float], instrument: int = 0, strategy: int = 0) -> Fills:
    """Fills (ts, signed quantity, price in units, fee) of one position."""
    n = len(rows)
    signed = np.array([row[1] for row in rows], dtype=np.int64)
    return Fills(
        ts=np.array([row[0] for row in rows], dtype=np.int64),
        instrument=np.full(n, instrument),
        strategy=np.full(n, strategy),
        side=np.sign(signed),
        qty=np.abs(signed),
        price=np.array([row[2] for row in rows], dtype=np.int64),
        fee=np.array([row[3] for row in rows], dtype=np.float64),
        slippage=np.full(n, 0.25),
    )


def joined(*parts: Fills) -> Fills:
    return Fills(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Fills.__slots__})


def trips(
    method: Method, fills: Fills, mark: int = 10_000, restatements: Sequence[Restatement] = (), mark_ts: int = 100
) -> Trades:
    return method(fills, [CENTS, CENTS], marks=[mark, mark], mark_ts=mark_ts, restatements=restatements)


@pytest.mark.parametrize("method", METHODS)
def test_long_trade_has_one_entry_and_one_exit(method: Method) -> None:
    found = trips(method, fills_of((1, 100, 5000, 1.5), (5, -100, 5250, 2.0)))
    assert found.count == 1
    assert (found.entry_ts[0], found.exit_ts[0], found.holding_ns[0]) == (1, 5, 4)
    assert (found.side[0], found.qty[0]) == (1, 100)
    assert (found.entry_price[0], found.exit_price[0]) == (50.0, 52.5)
    assert (found.gross_pnl[0], found.fees[0], found.net_pnl[0]) == (250.0, 3.5, 246.5)
    assert found.return_pct[0] == pytest.approx(4.93)
    assert found.slippage[0] == 0.5
    assert not found.is_open[0]


@pytest.mark.parametrize("method", METHODS)
def test_short_trade_gains_when_the_price_falls(method: Method) -> None:
    found = trips(method, fills_of((1, -10, 5000, 0.0), (5, 10, 4000, 0.0)))
    assert (found.side[0], found.gross_pnl[0], found.return_pct[0]) == (-1, 100.0, 20.0)


@pytest.mark.parametrize("method", METHODS)
def test_flip_is_split_and_its_fee_shared_by_quantity(method: Method) -> None:
    found = trips(method, fills_of((1, 10, 5000, 1.0), (2, -40, 5100, 4.0), (3, 30, 5000, 3.0)))
    assert found.side.tolist() == [1, -1]
    assert found.qty.tolist() == [10, 30]
    assert found.gross_pnl.tolist() == [10.0, 30.0]
    assert found.fees.tolist() == [2.0, 6.0]
    assert found.entry_ts.tolist() == [1, 2]
    assert found.slippage == pytest.approx([0.25 + 0.0625, 0.1875 + 0.25])


def test_flat_to_flat_averages_entries_and_exits() -> None:
    found = trips(
        flat_to_flat,
        fills_of((1, 10, 5000, 1.0), (2, 30, 5400, 1.0), (3, -20, 5500, 1.0), (4, -20, 5700, 1.0)),
    )
    assert found.count == 1
    assert (found.qty[0], found.entry_price[0], found.exit_price[0]) == (40, 53.0, 56.0)
    assert (found.gross_pnl[0], found.fees[0], found.exit_ts[0]) == (120.0, 4.0, 4)


def test_fifo_pairs_each_exit_with_the_oldest_lots() -> None:
    found = trips(fifo, fills_of((1, 10, 5000, 1.0), (2, 30, 5400, 3.0), (3, -20, 5500, 2.0), (4, -20, 5700, 2.0)))
    assert found.qty.tolist() == [10, 10, 20]
    assert found.entry_ts.tolist() == [1, 2, 2]
    assert found.exit_ts.tolist() == [3, 3, 4]
    assert found.gross_pnl.tolist() == [50.0, 10.0, 60.0]
    assert found.fees == pytest.approx([2.0, 2.0, 4.0])


@pytest.mark.parametrize("method", METHODS)
def test_open_trade_is_marked_without_an_exit_fee(method: Method) -> None:
    found = trips(method, fills_of((1, 10, 5000, 1.0)), mark=5600, mark_ts=50)
    assert found.is_open.tolist() == [True]
    assert (found.exit_ts[0], found.exit_price[0], found.gross_pnl[0], found.net_pnl[0]) == (50, 56.0, 60.0, 59.0)
    assert found.closed().count == 0


def test_partly_closed_trade_counts_its_rest_at_the_mark() -> None:
    found = trips(flat_to_flat, fills_of((1, 10, 5000, 0.0), (2, -4, 5500, 0.0)), mark=6000)
    assert found.is_open.tolist() == [True]
    assert found.exit_price[0] == pytest.approx((4 * 55 + 6 * 60) / 10)
    assert found.gross_pnl[0] == pytest.approx(80.0)


@pytest.mark.parametrize("method", METHODS)
def test_positions_of_strategies_and_instruments_are_kept_apart(method: Method) -> None:
    fills = joined(
        fills_of((1, 10, 100, 0.0), (4, -10, 110, 0.0)),
        fills_of((2, -10, 100, 0.0), (5, 10, 110, 0.0), strategy=1),
        fills_of((3, 10, 100, 0.0), (6, -10, 130, 0.0), instrument=1),
    )
    found = trips(method, fills)
    assert found.gross_pnl == pytest.approx([1.0, -1.0, 3.0])
    assert found.strategy.tolist() == [0, 1, 0]
    assert found.instrument.tolist() == [0, 0, 1]


@pytest.mark.parametrize("method", METHODS)
def test_split_in_between_restates_quantity_and_price_and_leaves_profit(method: Method) -> None:
    # AAPL split 2:1 on 2005-02-28: 100 shares at 88.00 became 200 at 44.00.
    fills = fills_of((1, 100, 8800, 0.0), (9, -200, 4500, 0.0))
    found = trips(method, fills, restatements=[Restatement(5, 0, 2, 1)])
    assert found.count == 1
    assert (found.qty[0], found.entry_price[0], found.exit_price[0]) == (200, 44.0, 45.0)
    assert (found.gross_pnl[0], bool(found.is_open[0])) == (200.0, False)


@pytest.mark.parametrize("method", METHODS)
def test_split_at_the_time_of_a_fill_comes_first(method: Method) -> None:
    fills = fills_of((1, 100, 8800, 0.0), (5, -200, 4500, 0.0))
    assert trips(method, fills, restatements=[Restatement(5, 0, 2, 1)]).is_open.tolist() == [False]


@pytest.mark.parametrize("method", METHODS)
def test_split_of_another_instrument_or_after_the_mark_changes_nothing(method: Method) -> None:
    fills = fills_of((1, 100, 8800, 0.0))
    other = trips(method, fills, restatements=[Restatement(5, 1, 2, 1), Restatement(101, 0, 2, 1)])
    assert (other.qty[0], other.entry_price[0]) == (100, 88.0)


@pytest.mark.parametrize("method", METHODS)
def test_split_after_the_last_fill_restates_an_open_trade(method: Method) -> None:
    found = trips(method, fills_of((1, 100, 8800, 0.0)), mark=4500, restatements=[Restatement(5, 0, 2, 1)])
    assert (found.qty[0], found.entry_price[0], found.gross_pnl[0]) == (200, 44.0, 200.0)


@pytest.mark.parametrize("method", METHODS)
def test_uneven_split_drops_the_fraction_and_keeps_the_cost(method: Method) -> None:
    # 7 shares at 30.00 split 3:2 are 10.5: ten are held, half a share is paid out by the ledger.
    fills = fills_of((1, 7, 3000, 0.0), (9, -10, 2200, 0.0))
    found = trips(method, fills, restatements=[Restatement(5, 0, 3, 2)])
    assert (found.qty[0], bool(found.is_open[0])) == (10, False)
    assert found.gross_pnl[0] == pytest.approx(10 * 22 - 7 * 30)


@pytest.mark.parametrize("method", METHODS)
def test_short_position_splits_towards_zero(method: Method) -> None:
    fills = fills_of((1, -7, 3000, 0.0), (9, 10, 2200, 0.0))
    found = trips(method, fills, restatements=[Restatement(5, 0, 3, 2)])
    assert (found.side[0], bool(found.is_open[0]), found.gross_pnl[0]) == (-1, False, -10.0)


def test_lots_too_small_for_a_reverse_split_leave_their_cost_to_a_neighbour() -> None:
    fills = fills_of((1, 3, 100, 0.3), (2, 8, 110, 0.8), (9, -1, 1200, 0.0))
    found = trips(fifo, fills, restatements=[Restatement(5, 0, 1, 10)])
    assert found.qty.tolist() == [1]
    assert found.gross_pnl[0] == pytest.approx(12.0 - (3 * 1.0 + 8 * 1.1))
    assert found.fees[0] == pytest.approx(1.1)


def test_last_lot_too_small_for_a_reverse_split_leaves_its_cost_to_the_one_before() -> None:
    fills = fills_of((1, 10, 100, 1.0), (2, 5, 110, 0.5), (9, -1, 1200, 0.0))
    found = trips(fifo, fills, restatements=[Restatement(5, 0, 1, 10)])
    assert found.entry_ts.tolist() == [1]
    assert found.gross_pnl[0] == pytest.approx(12.0 - (10 * 1.0 + 5 * 1.1))
    assert found.fees[0] == pytest.approx(1.5)


@pytest.mark.parametrize("method", METHODS)
def test_reverse_split_to_nothing_ends_the_trade_without_an_exit_price(method: Method) -> None:
    found = trips(method, fills_of((1, 3, 100, 0.0)), restatements=[Restatement(5, 0, 1, 10)])
    assert (bool(found.is_open[0]), found.exit_ts[0], found.gross_pnl[0]) == (False, 5, -3.0)
    assert np.isnan(found.exit_price[0])


@pytest.mark.parametrize("method", METHODS)
def test_profit_is_exact_beyond_int64(method: Method) -> None:
    big = 2**53
    fills = fills_of((1, big, 2**52, 0.0), (2, -big, 2**52 + 1, 0.0))
    found = method(fills, [InstrumentUnits(0, 0)], marks=[1], mark_ts=100)
    assert found.gross_pnl[0] == float(big)


@pytest.mark.parametrize("method", METHODS)
def test_multiplier_and_decimals_scale_the_profit(method: Method) -> None:
    units = InstrumentUnits(price_decimals=2, qty_decimals=1, multiplier=Fraction(50))
    found = method(fills_of((1, 20, 400_000, 0.0), (2, -20, 400_025, 0.0)), [units], marks=[0], mark_ts=9)
    assert found.gross_pnl[0] == 2 * 0.25 * 50
    assert found.entry_price[0] == 4000.0


@pytest.mark.parametrize("method", METHODS)
def test_inverse_contract_pays_in_coin(method: Method) -> None:
    # 1,000 contracts of 1 USD, 10,000 to 12,500: 1000 * (1/10000 - 1/12500) = 0.02 BTC for the long.
    units = InstrumentUnits(price_decimals=1, qty_decimals=0, inverse=True)
    fills = fills_of((1, 400, 100_000, 0.0), (2, 600, 100_000, 0.0), (3, -1000, 125_000, 0.0))
    found = method(fills, [units], marks=[100_000], mark_ts=9)
    assert found.gross_pnl.sum() == pytest.approx(0.02, rel=1e-15)
    assert found.return_pct == pytest.approx([20.0] * found.count)
    assert found.entry_price == pytest.approx([10_000.0] * found.count)
    assert found.exit_price == pytest.approx([12_500.0] * found.count)


def test_inverse_entries_average_harmonically() -> None:
    units = InstrumentUnits(price_decimals=0, qty_decimals=0, inverse=True)
    found = flat_to_flat(fills_of((1, 100, 100, 0.0), (2, 100, 300, 0.0)), [units], marks=[150], mark_ts=9)
    assert found.entry_price[0] == pytest.approx(150.0)
    assert found.gross_pnl[0] == 0.0


@pytest.mark.parametrize("method", METHODS)
def test_no_fills_make_no_trades(method: Method) -> None:
    found = trips(method, fills_of())
    assert found.count == 0
    assert found.closed().net_pnl.size == 0


@pytest.mark.parametrize("method", METHODS)
def test_bad_input_is_refused_with_the_fact(method: Method) -> None:
    fills = fills_of((1, 10, 100, 0.0))
    with pytest.raises(DataError, match="fills name instrument 0, but units has only 0"):
        method(fills, [], marks=[1], mark_ts=9)
    with pytest.raises(DataError, match="fills name instrument 0, but marks has only 0"):
        method(fills, [CENTS], marks=[], mark_ts=9)
    with pytest.raises(DataError, match="mark_ts must not precede a fill: was 0, the last fill is at 1"):
        method(fills, [CENTS], marks=[1], mark_ts=0)
    inverse = InstrumentUnits(0, 0, inverse=True)
    with pytest.raises(DataError, match="inverse contract must be positive: row 0 of 1 is 0"):
        method(fills_of((1, 10, 0, 0.0)), [inverse], marks=[1], mark_ts=9)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("side", np.array([1, 2]), r"side must be \+1 or -1: row 1 of 2 is 2"),
        ("qty", np.array([1, 0]), "qty must be positive: row 1 of 2 is 0"),
        ("instrument", np.array([-1, 0]), "instrument must not be negative: row 0 of 2 is -1"),
        ("strategy", np.array([0, -3]), "strategy must not be negative"),
        ("fee", np.array([0.0, np.nan]), "fee must be finite: row 1 of 2 is nan"),
        ("slippage", np.array([np.inf, 0.0]), "slippage must be finite"),
        ("price", np.array([1.0, 2.0]), "fills.price must be int64: was float64"),
        ("ts", np.array([1]), "equally long"),
    ],
)
def test_bad_fill_column_is_refused(column: str, values: np.ndarray, message: str) -> None:
    good = fills_of((1, 10, 100, 0.0), (2, -10, 100, 0.0))
    columns = {name: getattr(good, name) for name in Fills.__slots__}
    with pytest.raises(DataError, match=message):
        Fills(**{**columns, column: values})


@pytest.mark.parametrize(("num", "den"), [(0, 1), (2, 0), (-2, 1)])
def test_split_ratio_not_positive_is_refused(num: int, den: int) -> None:
    with pytest.raises(DataError, match="ratio must be positive"):
        Restatement(1, 0, num, den)

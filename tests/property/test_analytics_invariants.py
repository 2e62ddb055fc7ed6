"""What must hold for every curve and every list of fills, whatever the market did."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lockstep.analytics.arrays import F64
from lockstep.analytics.benchmark import beta, correlation
from lockstep.analytics.bootstrap import stationary_indices
from lockstep.analytics.daily import daily_equity, local_days
from lockstep.analytics.drawdown import largest_drawdowns, max_drawdown, underwater
from lockstep.analytics.fills import Fills, InstrumentUnits, Restatement
from lockstep.analytics.lots import fifo
from lockstep.analytics.metrics import sharpe_ratio, sortino_ratio, volatility
from lockstep.analytics.returns import return_histogram, simple_returns
from lockstep.analytics.risk_measures import conditional_value_at_risk, excess_kurtosis, skewness, value_at_risk
from lockstep.analytics.round_trips import flat_to_flat
from lockstep.analytics.summary import summarise
from lockstep.analytics.trades import Trades, trade_stats
from lockstep.model.numbers import NANOS_PER_DAY
from lockstep.model.sessions import ALWAYS, XNYS

curves = hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(1.0, 1e6))
cents = st.integers(-(10**11), 10**11).map(lambda units: units / 100)
any_curves = st.lists(cents, max_size=40).map(lambda values: np.array(values, dtype=np.float64))
returns_of = hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(-0.5, 0.5).map(lambda x: round(x, 6)))


def near(value: float | None) -> object:
    return None if value is None else pytest.approx(value, rel=1e-6, abs=1e-9)


@given(curves)
def test_drawdown_lies_between_minus_one_and_zero_and_touches_zero(equity: F64) -> None:
    depth = underwater(equity)
    assert depth[0] == 0.0
    assert np.all((depth <= 0.0) & (depth >= -1.0))
    assert max_drawdown(equity) == depth.min()


@given(curves, st.integers(0, 10))
def test_drawdown_episodes_are_sorted_disjoint_and_consistent(equity: F64, count: int) -> None:
    ts = np.arange(equity.size, dtype=np.int64) * 7
    found = largest_drawdowns(ts, equity, count)
    assert [d.depth for d in found] == sorted(d.depth for d in found)
    assert len(found) <= count
    for d in found:
        assert d.peak_ts < d.trough_ts
        assert d.recovery_ts is None or d.trough_ts < d.recovery_ts
        assert d.depth == pytest.approx(d.trough_equity / d.peak_equity - 1)
        assert d.recovery_ns is None or d.decline_ns + d.recovery_ns == d.duration_ns
    spans = sorted((d.peak_ts, d.peak_ts + d.duration_ns) for d in found)
    assert all(a[1] <= b[0] for a, b in zip(spans, spans[1:], strict=False))


@given(curves, st.integers(-20, 20))
def test_returns_ratios_and_drawdowns_do_not_depend_on_the_currency_unit(equity: F64, power: int) -> None:
    scaled = equity * 2.0**power  # exact in binary, so equality is too
    assert np.array_equal(simple_returns(equity), simple_returns(scaled))
    assert max_drawdown(equity) == max_drawdown(scaled)
    assert sharpe_ratio(simple_returns(equity), 252) == sharpe_ratio(simple_returns(scaled), 252)


@given(returns_of)
def test_order_of_returns_does_not_change_their_distribution(returns: F64) -> None:
    backwards = returns[::-1].copy()
    for measure in (value_at_risk, conditional_value_at_risk, skewness, excess_kurtosis):
        assert measure(returns) == near(measure(backwards))
    assert volatility(returns, 252) == near(volatility(backwards, 252))
    assert sortino_ratio(returns, 252) == near(sortino_ratio(backwards, 252))


@given(returns_of, st.floats(0.5, 0.999))
def test_shortfall_is_never_better_than_value_at_risk_nor_than_the_worst(returns: F64, level: float) -> None:
    var, cvar = value_at_risk(returns, level), conditional_value_at_risk(returns, level)
    assert var is not None
    assert cvar is not None
    assert returns.min() - 1e-12 <= cvar <= var + 1e-12


@given(returns_of, returns_of, st.floats(0.5, 0.99))
def test_shortfall_is_subadditive(first: F64, second: F64, level: float) -> None:
    # Coherence (Artzner et al. 1999, axiom S): a sum is never riskier than its parts. VaR does not keep this.
    n = min(first.size, second.size)
    parts = [conditional_value_at_risk(column[:n], level) for column in (first, second)]
    whole = conditional_value_at_risk(first[:n] + second[:n], level)
    assert whole is not None
    assert whole >= sum(part for part in parts if part is not None) - 1e-9


@given(returns_of)
def test_histogram_counts_add_up(returns: F64) -> None:
    found = return_histogram(returns)
    assert sum(found.counts) == returns.size
    assert len(found.edges) == len(found.counts) + 1


@given(returns_of)
def test_series_against_itself_has_beta_one(returns: F64) -> None:
    assume(np.ptp(returns) > 1e-5)
    assert beta(returns, returns) == pytest.approx(1.0)
    assert correlation(returns, returns) == pytest.approx(1.0)
    assert beta(-2 * returns, returns) == pytest.approx(-2.0)


@given(any_curves, st.sampled_from([ALWAYS, XNYS]), st.integers(1, 3 * NANOS_PER_DAY))
def test_summary_of_any_curve_is_finite_or_none(equity: F64, calendar: object, step: int) -> None:
    ts = np.arange(1, equity.size + 1, dtype=np.int64) * step
    found = summarise(ts, equity, calendar, resamples=5)  # type: ignore[arg-type]
    numbers = [getattr(found, name) for name in found.__struct_fields__]
    assert all(math.isfinite(x) for x in numbers if isinstance(x, float))
    assert found.n_days <= (2 + int(ts[-1] - ts[0]) // NANOS_PER_DAY if ts.size else 0)


@given(
    st.lists(st.integers(0, 1_600_000_000), min_size=1, max_size=30, unique=True),
    st.sampled_from(["America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
)
def test_local_days_agree_with_the_standard_library(seconds: list[int], zone: str) -> None:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    seconds.sort()
    ts = np.array(seconds, dtype=np.int64) * 1_000_000_000 + 1  # just after the second, so never on a midnight
    wanted = [datetime.fromtimestamp(s, tz=UTC).astimezone(ZoneInfo(zone)).date().isoformat() for s in seconds]
    assert [str(day) for day in local_days(ts, zone).astype("datetime64[D]")] == wanted


@given(curves, st.booleans())
def test_daily_equity_ends_where_the_curve_ends(equity: F64, always_open: bool) -> None:
    ts = np.arange(equity.size, dtype=np.int64) * 50_000_000_000_000
    daily = daily_equity(ts, equity, timezone="UTC", always_open=always_open)
    assert daily.equity[-1] == equity[-1]
    assert np.all(np.diff(daily.day) > 0)
    assert math.prod(1 + r for r in simple_returns(daily.levels)) == pytest.approx(equity[-1] / daily.levels[0])


@given(st.integers(1, 50), st.integers(1, 10), st.floats(1.0, 30.0), st.integers(0, 2**32))
def test_bootstrap_rows_stay_in_range(n: int, resamples: int, block: float, seed: int) -> None:
    rows = stationary_indices(n, resamples, block, np.random.Generator(np.random.PCG64(seed)))
    assert rows.shape == (resamples, n)
    assert rows.min() >= 0
    assert rows.max() < n


# Fills: small quantities, so that positions often come back to zero and flip.
fill = st.tuples(
    st.integers(0, 2),  # instrument
    st.integers(0, 1),  # strategy
    st.integers(-5, 5).filter(bool),  # signed quantity
    st.integers(1, 20_000),  # price
    st.integers(-50, 200),  # fee in cents
)
UNITS = [InstrumentUnits(2, 0), InstrumentUnits(3, 1, Fraction(50)), InstrumentUnits(0, 0, Fraction(1, 3))]
MARKS = [5_000, 7_000, 90]


def columns(rows: list[tuple[int, int, int, int, int]]) -> Fills:
    table = np.array(rows, dtype=np.int64).reshape(-1, 5)
    return Fills(
        ts=np.arange(len(rows), dtype=np.int64),
        instrument=table[:, 0].copy(),
        strategy=table[:, 1].copy(),
        side=np.sign(table[:, 2]),
        qty=np.abs(table[:, 2]),
        price=table[:, 3].copy(),
        fee=table[:, 4] / 100,
        slippage=np.zeros(len(rows)),
    )


def ledger(fills: Fills) -> Fraction:
    """Cash paid and received before fees, with what is left sold at the marks; exact."""
    cash = Fraction(0)
    for instrument, side, qty, price in zip(fills.instrument, fills.side, fills.qty, fills.price, strict=True):
        cash += UNITS[instrument].unit_value * int(side) * int(qty) * (MARKS[instrument] - int(price))
    return cash


def both(fills: Fills, restatements: tuple[Restatement, ...] = ()) -> tuple[Trades, Trades]:
    options = {"marks": MARKS, "mark_ts": 10_000, "restatements": restatements}
    return flat_to_flat(fills, UNITS, **options), fifo(fills, UNITS, **options)  # type: ignore[arg-type]


@given(st.lists(fill, max_size=40))
def test_profit_of_all_trades_equals_the_ledger(rows: list[tuple[int, int, int, int, int]]) -> None:
    fills = columns(rows)
    wanted = float(ledger(fills))
    for trades in both(fills):
        assert math.fsum(trades.gross_pnl) == pytest.approx(wanted, rel=1e-9, abs=1e-9)
        assert math.fsum(trades.fees) == pytest.approx(fills.total_fees(), rel=1e-9, abs=1e-9)
        assert math.fsum(trades.net_pnl) == pytest.approx(wanted - fills.total_fees(), rel=1e-9, abs=1e-9)


@given(st.lists(fill, min_size=1, max_size=40))
def test_trades_closed_flat_have_the_net_profit_of_the_cash(rows: list[tuple[int, int, int, int, int]]) -> None:
    instrument, _, _, _, _ = rows[0]
    rows = [(instrument, 0, *row[2:]) for row in rows]
    rest = sum(row[2] for row in rows)
    if rest:
        rows.append((instrument, 0, -rest, 777, 3))
    fills = columns(rows)
    cash = -sum(UNITS[instrument].unit_value * row[2] * row[3] for row in rows) - sum(
        Fraction(row[4], 100) for row in rows
    )
    for trades in both(fills):
        assert not trades.is_open.any()
        assert trade_stats(trades).net_pnl == pytest.approx(float(cash), rel=1e-9, abs=1e-9)


@given(st.lists(fill, max_size=30), st.randoms(use_true_random=False))
def test_order_of_the_rows_does_not_change_the_trades(
    rows: list[tuple[int, int, int, int, int]], random: object
) -> None:
    fills = columns(rows)
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = Fills(**{name: getattr(fills, name)[order] for name in Fills.__slots__})
    for ours, theirs in zip(both(fills), both(shuffled), strict=True):
        for name in Trades.__slots__:
            assert np.array_equal(getattr(ours, name), getattr(theirs, name), equal_nan=name.endswith("_pct"))


@given(st.lists(fill, max_size=30), st.integers(0, 30), st.integers(1, 6))
def test_split_leaves_the_profit_of_what_was_closed(
    rows: list[tuple[int, int, int, int, int]], at: int, ratio: int
) -> None:
    # The same history in new shares: quantities before the split times the ratio, prices over it.
    rows = [(0, s, q, p * ratio if i < at else p, f) for i, (_, s, q, p, f) in enumerate(rows)]
    scaled = [
        (0, s, q * ratio if i < at else q, p // ratio if i < at else p, f) for i, (_, s, q, p, f) in enumerate(rows)
    ]
    for ours, theirs in zip(both(columns(rows), (Restatement(at, 0, ratio, 1),)), both(columns(scaled)), strict=True):
        assert np.allclose(ours.gross_pnl, theirs.gross_pnl, rtol=1e-12, atol=1e-9)
        after = ours.exit_ts >= at  # what closed before the split is told in the shares of its time
        assert np.allclose(ours.entry_price[after], theirs.entry_price[after], rtol=1e-12)
        assert np.array_equal(ours.qty[after], theirs.qty[after])
        assert np.array_equal(ours.is_open, theirs.is_open)


ratios = st.tuples(st.integers(0, 30), st.integers(1, 9), st.integers(1, 9))


@given(st.lists(fill, max_size=30), st.lists(ratios, max_size=3))
def test_uneven_splits_leave_the_same_position_in_both_methods(
    rows: list[tuple[int, int, int, int, int]], splits: list[tuple[int, int, int]]
) -> None:
    restatements = tuple(Restatement(ts, 0, num, den) for ts, num, den in splits)
    flat, lots = both(columns([(0, *row[1:]) for row in rows]), restatements)
    for strategy in (0, 1):
        sides = [t.side[t.is_open & (t.strategy == strategy)].tolist() for t in (flat, lots)]
        assert set(sides[0]) == set(sides[1])
        assert len(sides[0]) <= 1
    assert math.fsum(flat.gross_pnl) == pytest.approx(math.fsum(lots.gross_pnl), rel=1e-9, abs=1e-9)
    assert math.fsum(flat.fees) == pytest.approx(math.fsum(lots.fees), rel=1e-9, abs=1e-9)

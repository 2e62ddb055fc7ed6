"""Funding, borrowing and several currencies in whole runs: on recorded prices and rates, and to the unit."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lockstep.analytics.attribution import attribution
from lockstep.engine.records import BORROW, FUNDING, exact_units, field
from lockstep.model.errors import DataError, RefuseError, UsageError
from lockstep.model.numbers import NANOS_PER_DAY
from lockstep.run.backtest import Backtest, Outcome
from lockstep.run.config import BacktestConfig
from lockstep.run.data_source import DataSource
from lockstep.run.plan import StrategyPlan
from lockstep.run.recorded import Recorded
from lockstep.run.recording import record
from lockstep.run.results import finish_run
from lockstep.run.strategy_file import StrategyFile, load_strategy
from lockstep.store.catalog.funding import FundingRates, read_funding
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.readers import read_market_data
from lockstep.store.catalog.times import moment_ns

TRADER = """
from lockstep import Strategy

class Trader(Strategy):
    qty: float = 2.0
    every: int = 1000000

    def on_start(self):
        self.seen = 0

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 2:
            self.buy(self.qty) if self.qty > 0 else self.sell(-self.qty)
        elif self.seen % self.every == 0 and self.position:
            self.close()
"""

TURNER = """
from lockstep import Strategy

class Turner(Strategy):
    every: int = 3

    def on_start(self):
        self.seen = 0

    def on_bar(self, bar):
        self.seen += 1
        if self.seen % self.every == 0:
            if self.position:
                self.close()
            else:
                self.buy(20)
"""


@pytest.fixture
def trader(tmp_path: Path) -> StrategyFile:
    path = tmp_path / "trader.py"
    path.write_text(TRADER)
    return load_strategy(path)


@pytest.fixture
def perpetual(data: Path) -> tuple[list[MarketData], FundingRates]:
    folder = data / "lean" / "cryptofuture" / "bybit"
    prices = read_market_data(folder / "minute" / "btcusdt", asset_class="future", currency="USDT")
    return prices, read_funding(folder / "margin_interest" / "btcusdt.csv")


def postings(outcome: Outcome, kind: int) -> list[tuple[int, int]]:
    """(ts, ledger units) of each."""
    decimals = outcome.engine.portfolio.ledger.decimals
    rows = np.concatenate([block.copy() for block in outcome.decisions.blocks()])
    rows = rows[field(rows[:, 2], "kind") == kind]
    return [(int(row[0]), exact_units(int(row[6]), float(row.view(np.float64)[7]), decimals)) for row in rows]


@pytest.mark.data
def test_recorded_funding_is_paid_at_its_time_on_the_price_of_that_moment(
    trader: StrategyFile, perpetual: tuple[list[MarketData], FundingRates]
) -> None:
    prices, rates = perpetual
    name = prices[0].instrument.symbol
    outcome = Backtest(trader, prices, params={"qty": 2.0}, funding={name: rates}).run()
    portfolio = outcome.engine.portfolio
    found = postings(outcome, FUNDING)
    inside = [one for one in rates.rates if prices[0].info.first_ns < one.ts <= prices[0].info.last_ns]
    assert [ts for ts, _ in found] == [one.ts for one in inside]
    bars = np.concatenate(list(prices[0].chunks()))
    for (ts, money), one in zip(found, inside, strict=True):
        last = int(bars["p3"][bars["clock"] < ts][-1])  # known before it: no bar that ends with it
        rate = Fraction(one.rate, 10**one.decimals)
        exact = -2 * Fraction(last, 10 ** prices[0].instrument.price_decimals) * rate * 10**portfolio.ledger.decimals
        assert 0 <= exact - money < 1
    assert found
    assert sum(money for _, money in found) == portfolio.ledger.funding == portfolio.positions[0].funding
    without = Backtest(trader, prices, params={"qty": 2.0}).run()
    assert outcome.run_hash != without.run_hash
    assert portfolio.ledger.cash - without.engine.portfolio.ledger.cash == portfolio.ledger.funding


@pytest.mark.data
def test_account_in_another_currency_is_the_same_run_at_the_stated_rate(
    trader: StrategyFile, perpetual: tuple[list[MarketData], FundingRates], tmp_path: Path
) -> None:
    prices, _ = perpetual
    config = BacktestConfig(currency="USD", rates={"USDT": Decimal("0.9995")})
    outcome = Backtest(trader, prices, config, {"qty": 2.0, "every": 50}).run()
    home = Backtest(trader, prices, BacktestConfig(), {"qty": 2.0, "every": 50}).run()
    away, own = outcome.engine.portfolio, home.engine.portfolio
    assert [ledger.currency for ledger in away.ledgers] == ["USD", "USDT"]
    assert away.ledgers[0].cash == away.ledgers[0].opening
    assert away.ledgers[1].cash == own.ledger.cash - own.ledger.opening != 0
    for name in ("realised", "fees"):
        assert getattr(away.ledgers[1], name) == getattr(own.ledger, name)
    run = finish_run(outcome, tmp_path, command="", with_sensitivity=False)
    trades, fills = run.table("trades"), run.table("fills")
    plain = finish_run(home, tmp_path, command="", with_sensitivity=False)
    assert np.allclose(trades["net_pnl"], np.asarray(plain.table("trades")["net_pnl"]) * 0.9995, rtol=1e-12)
    assert np.allclose(fills["fee"], np.asarray(plain.table("fills")["fee"]) * 0.9995, rtol=1e-12)
    assert set(fills["rate"]) == {0.9995}
    gap = outcome.final_equity - (100_000 + (home.final_equity - 100_000) * 0.9995)
    assert abs(gap) < 1e-6


@pytest.mark.data
def test_recorded_run_with_funding_rates_and_margins_is_replayed_from_its_own_record(
    trader: StrategyFile, data: Path, perpetual: tuple[list[MarketData], FundingRates], tmp_path: Path
) -> None:
    prices, rates = perpetual
    name = prices[0].instrument.symbol
    config = BacktestConfig(
        currency="USD", rates={"USDT": Decimal("0.9995")}, margins={name: (Decimal("0.1"), Decimal("0.05"))}
    )
    where = data / "lean" / "cryptofuture" / "bybit" / "minute" / "btcusdt"
    source = DataSource(where=str(where), asset_class="future", currency="USDT")
    backtest = Backtest([StrategyPlan(trader)], prices, config, funding={name: rates})
    outcome = record(backtest, tmp_path / "rec", [source])
    again = Recorded(tmp_path / "rec").backtest().run()
    assert (again.run_hash, again.decision_hash) == (outcome.run_hash, outcome.decision_hash)
    assert again.engine.portfolio.ledgers[1].funding == outcome.engine.portfolio.ledgers[1].funding != 0


def sums_hold(run: Any) -> None:
    """Every grouping's rows add up to its total, and every total is the same."""
    totals = []
    for by in ("strategy", "symbol", "currency", "hour", "day", "month"):
        found = attribution(run.manifest, run.table, by)
        for name in ("realised", "unrealised", "fees", "dividends", "funding", "borrow", "net", "fills"):
            assert sum(row[name] for row in found.rows) == found.total[name], (by, name)
        totals.append({name: value for name, value in found.total.items() if name not in ("slippage", "spread_cost")})
    assert all(total == totals[0] for total in totals)
    statement = run.manifest["account"]["statement"]
    parts = [Decimal(statement[name]) for name in ("opening", "transfers", "exchange")]
    assert Decimal(statement["equity"]) == sum(parts) + totals[0]["net"]


@pytest.mark.slow
def test_profit_of_real_stocks_sums_to_the_account_however_it_is_grouped(trader: StrategyFile, tmp_path: Path) -> None:
    """Splits, dividends and borrowing included: AAPL split in that time, IBM paid dividends."""
    stocks = read_market_data("us_stocks", symbols=["AAPL", "IBM", "MSFT"])
    config = BacktestConfig(borrow=Decimal("0.03"), leverage=Decimal(2))
    outcome = Backtest(trader, stocks, config, {"qty": -7.0, "every": 900}).run()
    portfolio = outcome.engine.portfolio
    assert portfolio.ledger.borrow < 0
    assert portfolio.ledger.dividends < 0
    assert sum(money for _, money in postings(outcome, BORROW)) == portfolio.ledger.borrow
    assert all(ts % NANOS_PER_DAY == 0 for ts, _ in postings(outcome, BORROW))
    run = finish_run(outcome, tmp_path, command="", with_sensitivity=False)
    sums_hold(run)
    statement = run.manifest["account"]["statement"]
    assert Decimal(statement["exchange"]) == 0
    assert float(statement["equity"]) == pytest.approx(outcome.final_equity, abs=1e-6)


@pytest.mark.data
def test_profit_in_a_foreign_currency_with_funding_sums_too(
    trader: StrategyFile, perpetual: tuple[list[MarketData], FundingRates], tmp_path: Path
) -> None:
    prices, rates = perpetual
    config = BacktestConfig(currency="USD", rates={"USDT": Decimal("0.9993")})
    funding = {prices[0].instrument.symbol: rates}
    outcome = Backtest(trader, prices, config, {"qty": 3.0, "every": 90}, funding=funding).run()
    sums_hold(finish_run(outcome, tmp_path, command="", with_sensitivity=False))


@pytest.mark.data
def test_what_fills_lost_sums_over_time_too_while_the_rate_moves(
    trader: StrategyFile, data: Path, tmp_path: Path
) -> None:
    lean = data / "lean"
    spot = read_market_data(lean / "crypto" / "bybit" / "minute" / "btcusdt")
    coin = read_market_data(lean / "cryptofuture" / "bybit" / "minute" / "btcusd", asset_class="future", currency="BTC")
    config = BacktestConfig(currency="USDT", cash=Decimal(10**9))
    run = finish_run(
        Backtest(trader, [*spot, *coin], config, {"qty": 1.0, "every": 30}).run(), tmp_path, command="",
        with_sensitivity=False,
    )  # fmt: skip
    assert len(set(run.table("fills")["rate"])) > 2
    sums_hold(run)
    assert float(run.manifest["final"]["slippage"]) == run.manifest["account"]["statement"]["profit"]["slippage"]
    for by in ("symbol", "hour"):
        found = attribution(run.manifest, run.table, by)
        assert found.total["slippage"] > 0.0
        assert sum(row["slippage"] for row in found.rows) == pytest.approx(found.total["slippage"], rel=1e-9)


@pytest.mark.data
@pytest.mark.slow
def test_trades_of_several_strategies_are_at_the_rate_of_their_own_last_fill(data: Path, tmp_path: Path) -> None:
    """Orders of several fill in parts: the fills of an instrument are not in order of their time at the venue."""
    path = tmp_path / "turner.py"
    path.write_text(TURNER)
    plans = [StrategyPlan(load_strategy(path), {"every": every}) for every in (2, 3, 5)]
    lean = data / "lean"
    spot = read_market_data(lean / "crypto" / "bybit" / "minute" / "btcusdt")
    coin = read_market_data(lean / "cryptofuture" / "bybit" / "minute" / "btcusd", asset_class="future", currency="BTC")
    config = BacktestConfig(currency="USDT", cash=Decimal(10**12))
    outcome = Backtest(plans, [*spot, *coin], config).run()
    run = finish_run(outcome, tmp_path, command="", with_sensitivity=False)
    fills, trades = run.table("fills"), run.table("trades")
    rates = {}
    for row, rate in enumerate(fills["rate"]):
        rates[fills["strategy"][row], fills["symbol"][row], int(fills["ts_event"][row])] = float(rate)
    checked = 0
    for row, symbol in enumerate(trades["symbol"]):
        if trades["open"][row] or symbol == spot[0].instrument.symbol:
            continue
        percent, qty, price = (float(trades[name][row]) for name in ("return_pct", "qty", "entry_price"))
        home = percent / 100.0 * qty * price
        rate = rates[trades["strategy"][row], symbol, int(trades["exit_ts"][row])]
        assert trades["net_pnl"][row] == pytest.approx(home * rate, rel=1e-9)
        checked += 1
    assert checked > 10


def test_settlement_in_a_currency_without_a_rate_is_refused_before_the_run(trader: StrategyFile) -> None:
    stocks = read_market_data("us_stocks", symbols=["IBM"])
    with pytest.raises(RefuseError, match="no rate of USD in EUR") as caught:
        Backtest(trader, stocks, BacktestConfig(currency="EUR")).run()
    assert "rates = {USD" in caught.value.hint


def test_funding_of_shares_or_of_a_stranger_is_refused(trader: StrategyFile, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("time,rate\n2010-01-04T08:00,0.0001\n")
    rates = read_funding(tmp_path / "f.csv")
    stocks = read_market_data("us_stocks", symbols=["IBM"])
    with pytest.raises(UsageError, match=r"IBM\.\w+, and only contracts"):
        Backtest(trader, stocks, funding={"IBM": rates})
    with pytest.raises(UsageError, match="no such instrument") as caught:
        Backtest(trader, stocks, funding={"IBN": rates})
    assert "IBM" in caught.value.hint


GOOD = "20221213 00:00:00,-0.0002\n20221213 08:00:00,0.00031\n"


def test_funding_files_of_each_form_read_alike(tmp_path: Path) -> None:
    forms = {
        "lean": GOOD,
        "iso": "time,rate\n2022-12-13T00:00:00Z,-0.0002\n2022-12-13T08:00,0.00031\n",
        "epoch": "fundingTime,symbol,fundingRate\n1670889600000,B,-0.00020\n1670918400000,B,0.00031\n",
    }
    found = set()
    for name, text in forms.items():
        (tmp_path / name).write_text(text)
        found.add(str(read_funding(tmp_path / name).rows()))
    assert len(found) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no funding rates"),
        ("time,rate\n", "no funding rates"),
        ("when,much\n1,2\n", "columns time and rate"),
        ("20221213 08:00:00,0.1\n20221213 08:00:00,0.1\n", "line 2: times must rise"),
        ("20221213 08:00:00,nan\n", "line 1: not a time and a funding rate"),
        ("20221313 08:00:00,0.1\n", "line 1: not a time"),
        ("time,rate\n2022-12-13,1.5\n", "below 100 %"),
        ("time,rate,mark\n2022-12-13,0.1,x\n", "line 2: not a time"),
        ("time,rate,mark\n2022-12-13,0.1\n", "too few"),
    ],
)
def test_damaged_funding_is_refused_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(DataError, match=words):
        read_funding(tmp_path / "f.csv")


@pytest.mark.parametrize("end", ["2012-01-10", "2012-01-15"])
def test_night_after_the_last_bar_is_in_the_equity_curve_too(trader: StrategyFile, tmp_path: Path, end: str) -> None:
    stocks = read_market_data("us_stocks", symbols=["AAPL"])
    config = BacktestConfig(borrow=Decimal(1), start_ns=moment_ns("2012-01-03", "start"), end_ns=moment_ns(end, "end"))
    outcome = Backtest(trader, stocks, config, {"qty": -100.0}).run()
    run = finish_run(outcome, tmp_path, command="", with_sensitivity=False)
    assert postings(outcome, BORROW)[-1][0] == config.end_ns
    equity = run.table("equity")
    assert equity["ts"][-1] == config.end_ns
    assert equity["equity"][-1] == pytest.approx(float(run.manifest["account"]["statement"]["equity"]), rel=1e-12)
    sums_hold(run)


@pytest.mark.data
@pytest.mark.slow
def test_nights_between_days_of_ticks_leave_one_mark_a_moment(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "seller.py"
    path.write_text(
        "from lockstep import Strategy\n\nclass Seller(Strategy):\n    def on_trade(self, trade):\n"
        "        if not self.position and not self.open_orders:\n            self.sell(7)\n"
    )
    ticks = read_market_data(data / "lean" / "equity" / "usa" / "tick" / "spy", kind="trades")
    outcome = Backtest(load_strategy(path), ticks, BacktestConfig(borrow=Decimal(1))).run()
    assert len(postings(outcome, BORROW)) == 1
    assert np.all(np.diff(outcome.equity_rows.column(0)) > 0)
    run = finish_run(outcome, tmp_path, command="", with_sensitivity=False)
    assert run.table("equity")["equity"][-1] == pytest.approx(outcome.final_equity)
    sums_hold(run)

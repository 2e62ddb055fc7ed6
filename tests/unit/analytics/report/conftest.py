"""Runs to render: a moving-average cross, in plain numpy, on the recorded daily bars that ship with the package."""

from collections.abc import Callable
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

import duckdb
import numpy as np
import pytest
from numpy.typing import NDArray

from lockstep.analytics.report.inputs import ReportInput

DAY_NS = 86_400_000_000_000
F64 = NDArray[np.float64]


class Bars:
    """Raw daily bars of one symbol, [n] each: open and close in dollars; split is shares after over before at the open."""

    def __init__(self, ts_open: Any, ts: Any, open_: Any, close: Any, split: Any) -> None:
        self.ts_open, self.ts = ts_open, ts
        self.open, self.close, self.split = open_, close, split

    def first(self, rows: int) -> "Bars":
        return Bars(self.ts_open[:rows], self.ts[:rows], self.open[:rows], self.close[:rows], self.split[:rows])


@cache
def recorded(symbol: str) -> Bars:
    """All bars of a symbol in the shipped set: 2000-03-01 to 2013-03-01, prices at four decimals."""
    folder = resources.files("lockstep.store.demo")
    with resources.as_file(folder) as path, duckdb.connect() as db:
        bars = db.execute(
            "SELECT ts_open, ts_event, open, close FROM read_parquet(?) WHERE symbol = ? ORDER BY ts_event",
            [str(path / "us_stocks.parquet"), symbol],
        ).fetchnumpy()
        splits = db.execute(
            "SELECT ex_date, ratio_num / ratio_den FROM read_parquet(?) WHERE symbol = ? AND kind = 'split'",
            [str(path / "us_stocks_actions.parquet"), symbol],
        ).fetchall()
    day = np.array(bars["ts_open"]) // DAY_NS
    split = np.ones(len(day))
    for ex_date, ratio in splits:
        split[day == (ex_date - date(1970, 1, 1)).days] = ratio
    return Bars(bars["ts_open"], bars["ts_event"], bars["open"] / 10_000, bars["close"] / 10_000, split)


class Cross:
    """Long above, flat below; orders of bar k fill at the open of bar k + 1 + delay."""

    def __init__(self, bars: Bars, fast: int, slow: int, cash: float, fee: float, delay: int) -> None:
        self.trades: list[dict[str, Any]] = []
        self.fills: list[tuple[int, int, float, float, float]] = []
        factor = np.cumprod(bars.split)
        adjusted = bars.close * factor
        wanted = np.zeros(len(bars.ts), dtype=bool)
        for k in range(slow, len(adjusted)):
            wanted[k] = adjusted[k - fast + 1 : k + 1].mean() > adjusted[k - slow + 1 : k + 1].mean()
        qty = 0.0
        entry: dict[str, float] = {}
        self.equity, self.gross = np.zeros(len(wanted)), np.zeros(len(wanted))
        for k in range(len(wanted)):
            if qty and bars.split[k] != 1.0:
                qty *= bars.split[k]
                entry = {**entry, "price": entry["price"] / bars.split[k], "qty": qty}
            want = bool(wanted[k - 1 - delay]) if k > delay else False
            price, ts = float(bars.open[k]), int(bars.ts_open[k])
            if want and not qty:
                qty = float(cash // (price * (1 + fee)))
                paid = qty * price * fee
                cash -= qty * price + paid
                entry = {"ts": ts, "price": price, "qty": qty, "fee": paid}
                self.fills.append((ts, 1, qty, price, paid))
            elif not want and qty:
                paid = qty * price * fee
                cash += qty * price - paid
                self.fills.append((ts, -1, qty, price, paid))
                self.trades.append(self.closed(entry, ts, price, paid, is_open=False))
                qty = 0.0
            self.gross[k] = qty * bars.close[k]
            self.equity[k] = cash + self.gross[k]
        self.cash, self.qty = cash, qty
        if qty:
            self.trades.append(self.closed(entry, int(bars.ts[-1]), float(bars.close[-1]), 0.0, is_open=True))

    @staticmethod
    def closed(entry: dict[str, float], ts: int, price: float, paid: float, *, is_open: bool) -> dict[str, Any]:
        gross = entry["qty"] * (price - entry["price"])
        fees = entry["fee"] + paid
        return {
            "entry_ts": int(entry["ts"]), "exit_ts": 0 if is_open else ts, "side": 1, "qty": entry["qty"],
            "entry_price": entry["price"], "exit_price": np.nan if is_open else price, "gross_pnl": gross, "fees": fees,
            "net_pnl": gross - fees, "return_pct": 100 * (gross - fees) / (entry["qty"] * entry["price"]),
            "holding_ns": ts - int(entry["ts"]), "open": is_open,
        }  # fmt: skip


def texts(values: list[str]) -> NDArray[Any]:
    return np.array(values, dtype=object)


def cross_run(
    market: dict[str, Bars], *, fast: int = 5, slow: int = 12, fee: float = 0.001, name: str = "SmaCross"
) -> tuple[dict[str, Any], dict[str, dict[str, NDArray[Any]]]]:
    """Manifest and tables of a run over `market` (all symbols on the same days), as a backtest would write them."""
    cash = 100_000.0

    def run(fees: float, delay: int) -> dict[str, Cross]:
        return {s: Cross(bars, fast, slow, cash / len(market), fees, delay) for s, bars in market.items()}

    def outcome(runs: dict[str, Cross]) -> dict[str, Any]:
        equity = np.sum([r.equity for r in runs.values()], axis=0)
        daily = np.diff(equity) / equity[:-1]
        sharpe = float(daily.mean() / daily.std(ddof=1) * np.sqrt(252)) if daily.std() else None
        return {"final_equity": f"{equity[-1]:.2f}", "total_return": float(equity[-1] / cash - 1), "sharpe": sharpe,
                "trades": sum(len(r.trades) for r in runs.values())}  # fmt: skip

    runs = run(fee, 0)
    ts = next(iter(market.values())).ts
    trades = sorted(((s, t) for s, r in runs.items() for t in r.trades), key=lambda pair: pair[1]["entry_ts"])
    fills = sorted(((f, s) for s, r in runs.items() for f in r.fills))
    held = [float((cash / len(market)) // (b.open[0] * (1 + fee))) for b in market.values()]
    left = [cash / len(market) - q * b.open[0] * (1 + fee) for q, b in zip(held, market.values(), strict=True)]
    benchmark = sum(q * np.cumprod(b.split) * b.close + rest
                    for q, rest, b in zip(held, left, market.values(), strict=True))  # fmt: skip
    splits = [
        (int(b.ts_open[k]), s, float(b.split[k])) for s, b in market.items() for k in np.flatnonzero(b.split != 1)
    ]
    columns = list(trades[0][1]) if trades else ["entry_ts", "exit_ts", "side", "qty", "entry_price", "exit_price",
        "gross_pnl", "fees", "net_pnl", "return_pct", "holding_ns", "open"]  # fmt: skip
    tables: dict[str, dict[str, NDArray[Any]]] = {
        "equity": {"ts": ts, "equity": sum(r.equity for r in runs.values()) + np.zeros(len(ts)),
                   "gross_exposure": sum(r.gross for r in runs.values()) + np.zeros(len(ts))},
        "benchmark": {"ts": ts, "equity": benchmark + np.zeros(len(ts))},
        "fills": {"ts": np.array([f[0] for f, _ in fills], dtype=np.int64), "symbol": texts([s for _, s in fills]),
                  "side": np.array([f[1] for f, _ in fills], dtype=np.int8), "qty": np.array([f[2] for f, _ in fills]),
                  "price": np.array([f[3] for f, _ in fills]), "fee": np.array([f[4] for f, _ in fills]),
                  "slippage": np.zeros(len(fills))},
        "trades": {"symbol": texts([s for s, _ in trades]), "strategy": texts([name for _ in trades]),
                   **{c: np.array([t[c] for _, t in trades]) for c in columns}},
        "prices": {"ts": np.concatenate([b.ts for b in market.values()]),
                   "symbol": texts([s for s, b in market.items() for _ in b.ts]),
                   "close": np.concatenate([b.close for b in market.values()])},
        "actions": {"ts": np.array([a[0] for a in splits], dtype=np.int64), "symbol": texts([a[1] for a in splits]),
                    "kind": texts(["split" for _ in splits]), "ratio_num": np.array([a[2] for a in splits]).astype(np.int64),
                    "ratio_den": np.ones(len(splits), dtype=np.int64), "amount": np.zeros(len(splits))},
    }  # fmt: skip
    again = {
        "costs": [{"multiple": m, **outcome(run(fee * m, 0))} for m in (0, 1, 2, 3)],
        "latency": [{"label": label, "latency_ns": ns, **outcome(run(fee, delay))} for label, ns, delay in
                    (("none", 0, 0), ("200 ms", 200_000_000, 0), ("1 s", 1_000_000_000, 0), ("one bar", DAY_NS, 1))],
        "bar_path": {"chosen": "pessimistic", "other": "optimistic",
                     "final_equity_other": outcome(runs)["final_equity"], "share_of_pnl": 0.0},
    }  # fmt: skip
    manifest = manifest_of(market, runs, tables, {"fast": fast, "slow": slow}, fee, name)
    return {**manifest, "sensitivity": again}, tables


def manifest_of(
    market: dict[str, Bars],
    runs: dict[str, Cross],
    tables: dict[str, dict[str, NDArray[Any]]],
    params: dict[str, int],
    fee: float,
    name: str,
) -> dict[str, Any]:
    equity, trades, fee_paid = tables["equity"]["equity"], tables["trades"], tables["fills"]["fee"]
    still = trades["open"].astype(bool)
    return {
        "schema_version": 4, "kind": "backtest", "run_hash": "3f" * 32, "decision_hash": "a7" * 32,
        "strategy": {"name": name, "file": "sma_cross.py", "class_name": name, "source_sha256": "5c" * 32,
                     "params": params},
        "command": f"lockstep backtest sma_cross.py --data demo --param fast={params['fast']} --param slow={params['slow']}",
        "config": {"cash": "100000.0", "currency": "USD", "slippage": {"bps": 0}, "bar_path": "pessimistic",
                   "participation": 0.1, "seed": 0, "latency": {"preset": "local"}},
        "instruments": [{"id": f"XNAS:{s}", "symbol": s, "venue": "XNAS", "asset_class": "equity", "currency": "USD",
                         "price_decimals": 2, "qty_decimals": 0, "session": "XNYS", "timezone": "America/New_York",
                         "periods_per_year": 252, "fees": f"{fee:.1%} of value"} for s in market],
        "data": [{"symbol": s, "source": "stocks", "rows": len(b.ts), "first_ns": int(b.ts[0]), "last_ns": int(b.ts[-1]),
                  "bar_ns": DAY_NS, "gaps": 0, "longest_gap_ns": 0, "content_hash": "9e" * 32,
                  "splits": int((b.split != 1).sum()), "dividends": 0, "adjustments": "applied", "notes": []}
                 for s, b in market.items()],
        "counts": {"events": len(equity) * len(market), "bars": len(equity) * len(market), "orders": len(fee_paid),
                   "order_events": 3 * len(fee_paid), "fills": len(fee_paid), "trades": len(trades["net_pnl"]), "signals": 0, "denied": 0,
                   "rejected": 0},
        "final": {"equity": f"{equity[-1]:.2f}", "cash": f"{sum(r.cash for r in runs.values()):.2f}",
                  "realised": f"{trades['net_pnl'][~still].sum():.2f}",
                  "unrealised": f"{trades['gross_pnl'][still].sum():.2f}",
                  "fees": f"{fee_paid.sum():.2f}", "slippage": "0", "dividends": "0",
                  "open_positions": [{"symbol": s, "strategy": name, "qty": r.qty, "price": float(market[s].close[-1]),
                                      "value": r.qty * float(market[s].close[-1])} for s, r in runs.items() if r.qty]},
        "stopped": None, "warnings": [],
    }  # fmt: skip


RunMaker = Callable[..., tuple[dict[str, Any], dict[str, dict[str, NDArray[Any]]]]]


@pytest.fixture
def make_run() -> RunMaker:
    """Manifest and tables of a run on the first recorded bars of IBM and MSFT; other words go to the strategy."""

    def make(
        rows: int = 90, symbols: tuple[str, ...] = ("IBM", "MSFT"), **settings: Any
    ) -> tuple[dict[str, Any], dict[str, dict[str, NDArray[Any]]]]:
        return cross_run({symbol: recorded(symbol).first(rows) for symbol in symbols}, **settings)

    return make


@pytest.fixture
def run_input(make_run: RunMaker) -> ReportInput:
    return ReportInput.from_tables(*make_run())

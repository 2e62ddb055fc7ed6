"""Runs to render: a moving-average cross, in plain numpy, on recorded daily bars.

The bars below are the first 90 sessions of IBM and MSFT from 2000-03-01 in Quandl WIKI (declared public domain): real
prices, so that the pages under test look like pages. Days are counted from 1970-01-01.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lockstep.analytics.report.inputs import ReportInput

# fmt: off
DAYS = (
    11017, 11018, 11019, 11022, 11023, 11024, 11025, 11026, 11029, 11030, 11031, 11032, 11033, 11036, 11037, 11038,
    11039, 11040, 11043, 11044, 11045, 11046, 11047, 11050, 11051, 11052, 11053, 11054, 11057, 11058, 11059, 11060,
    11061, 11064, 11065, 11066, 11067, 11071, 11072, 11073, 11074, 11075, 11078, 11079, 11080, 11081, 11082, 11085,
    11086, 11087, 11088, 11089, 11092, 11093, 11094, 11095, 11096, 11099, 11100, 11101, 11102, 11103, 11107, 11108,
    11109, 11110, 11113, 11114, 11115, 11116, 11117, 11120, 11121, 11122, 11123, 11124, 11127, 11128, 11129, 11130,
    11131, 11134, 11135, 11136, 11137, 11138, 11141, 11143, 11144, 11145,
)
IBM_OPEN = (
    102, 100.5, 107.25, 109.94, 106, 103, 106.5, 107.62, 104, 107.75, 107.5, 109, 108.25, 110, 112.81, 114.5, 115.87,
    115.37, 125, 125.75, 122.31, 118.87, 122.62, 120, 121.5, 120.5, 123.5, 123.5, 124.75, 121.62, 119.62, 112.5,
    109.81, 103.87, 112.25, 109.75, 105, 102, 106.5, 112.5, 109.5, 112, 112.5, 111, 110.5, 109.12, 106.62, 108.06,
    110.5, 105.5, 104, 103.75, 104, 105.12, 107.5, 106.12, 106.06, 106, 109, 106.5, 110.5, 105.5, 107.75, 110.5,
    107.56, 109, 108.44, 112.25, 112.5, 119.37, 119.87, 119.12, 118.87, 118.87, 116, 116.31, 113.5, 120, 115.56,
    114.12, 113.5, 113, 111.62, 110, 111.75, 112.69, 108.75, 105.62, 105, 102.69,
)
IBM_CLOSE = (
    100.25, 103.12, 108, 103.06, 103, 106.25, 108, 105.25, 107.69, 108.62, 107, 109, 110, 112.75, 113.5, 114.25,
    115.25, 120.62, 126.87, 122.5, 119, 122.75, 118.37, 122, 121.19, 125, 122.75, 123.12, 122.12, 119.37, 113.75,
    110.62, 105, 111.87, 111.5, 105, 104, 106.5, 112.5, 110.5, 110.62, 111.5, 112, 111.37, 108.12, 107.62, 107.87,
    109.75, 109, 103, 104.44, 104.44, 104.19, 109, 107.87, 106.06, 106.44, 109.25, 107.37, 109.62, 106.5, 106.94,
    110.94, 107.31, 106, 108.81, 112.81, 112.37, 121, 119.75, 119.69, 118.84, 119.31, 116, 116.81, 113.25, 120.37,
    116.37, 114.5, 111.81, 111.87, 114.41, 109.75, 113.78, 114, 109.56, 109.5, 105, 101.25, 105.06,
)
MSFT_OPEN = (
    89.62, 91.81, 94.75, 96, 96.12, 93.81, 95.31, 99.56, 97.62, 98.62, 94.56, 95.94, 95.25, 98.75, 96.75, 102.81,
    106.81, 112.62, 107.77, 103.62, 105.19, 106.19, 106, 94.44, 91.56, 88.25, 87.87, 87, 88.62, 85.12, 82.12, 80.87,
    79.12, 74.25, 76.5, 81.44, 78.62, 67.25, 68.75, 70, 67.44, 70.75, 72.87, 72.81, 70.37, 70.31, 70.25, 70.94, 70.19,
    67.75, 66.62, 68.44, 69, 69.56, 68.87, 68.06, 65.37, 65.12, 63.88, 63.13, 64.56, 62.06, 62.44, 63.64, 64.37, 66,
    66.02, 68.19, 69.25, 71.56, 69.62, 69, 66.75, 69.81, 70.81, 72.62, 72.56, 73.87, 77, 81.37, 79.94, 77.5, 79.25,
    79, 78.25, 77.06, 79.69, 79.87, 78.87, 81.27,
)
MSFT_CLOSE = (
    90.81, 93.37, 96.12, 90.62, 92.87, 95.56, 100, 101, 98, 95.12, 95.37, 95.37, 99.37, 97.37, 102.75, 103.25, 111.87,
    111.69, 104.06, 104.31, 107.19, 103.37, 106.25, 90.87, 88.56, 86.37, 86, 89.06, 86.06, 83.87, 79.37, 79.25, 74.12,
    75.87, 80.56, 78.69, 78.94, 66.62, 69.37, 68, 69.81, 69.75, 73.44, 69.87, 70.56, 70.44, 71.12, 69.81, 67.81,
    66.19, 67.87, 68.81, 69.37, 69.5, 67.69, 66.19, 65.06, 64.19, 63.19, 65.56, 61.5, 61.44, 63.38, 62.56, 64.56,
    66.31, 66.87, 69.62, 70.5, 68.81, 68.81, 66.87, 67.87, 70.5, 72.37, 72.56, 73.69, 74.94, 80.69, 79.87, 77.69,
    79.5, 78.81, 78.94, 77.19, 80, 80, 78.5, 80.94, 82,
)
# fmt: on

DAY_NS = 86_400_000_000_000
CLOSE_NS = 21 * 3_600_000_000_000  # 16:00 in New York, in winter
F64 = NDArray[np.float64]


class Bars:
    """Daily bars of one symbol: day [n] since 1970-01-01, raw open and close, shares after over before at the open."""

    def __init__(self, day: Any, open_: Any, close: Any, split: Any = None) -> None:
        self.day = np.array(day, dtype=np.int64)
        self.open = np.array(open_, dtype=np.float64)
        self.close = np.array(close, dtype=np.float64)
        self.split = np.ones(len(self.day)) if split is None else np.array(split, dtype=np.float64)

    @property
    def ts(self) -> NDArray[np.int64]:
        return self.day * DAY_NS + CLOSE_NS


class Cross:
    """Long above, flat below; orders of bar k fill at the open of bar k + 1 + delay."""

    def __init__(self, bars: Bars, fast: int, slow: int, cash: float, fee: float, delay: int) -> None:
        self.trades: list[dict[str, Any]] = []
        self.fills: list[tuple[int, int, float, float, float]] = []
        factor = np.cumprod(bars.split)
        adjusted = bars.close * factor
        wanted = np.zeros(len(bars.day), dtype=bool)
        for k in range(slow, len(adjusted)):
            wanted[k] = adjusted[k - fast + 1 : k + 1].mean() > adjusted[k - slow + 1 : k + 1].mean()
        qty, entry = 0.0, {}
        self.equity, self.gross = np.zeros(len(wanted)), np.zeros(len(wanted))
        for k in range(len(wanted)):
            if qty and bars.split[k] != 1.0:
                qty *= bars.split[k]
                entry = {**entry, "price": entry["price"] / bars.split[k], "qty": qty}
            want = bool(wanted[k - 1 - delay]) if k > delay else False
            price, ts = float(bars.open[k]), int(bars.ts[k]) - 23_400_000_000_000
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
        equity = sum(r.equity for r in runs.values())
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
        (int(b.day[k]) * DAY_NS, s, float(b.split[k])) for s, b in market.items() for k in np.flatnonzero(b.split != 1)
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
                   "symbol": texts([s for s, b in market.items() for _ in b.day]),
                   "close": np.concatenate([b.close for b in market.values()])},
        "actions": {"ts": np.array([a[0] for a in splits], dtype=np.int64), "symbol": texts([a[1] for a in splits]),
                    "kind": texts(["split" for _ in splits]), "ratio_num": np.array([a[2] for a in splits]).astype(np.int64),
                    "ratio_den": np.ones(len(splits), dtype=np.int64), "amount": np.zeros(len(splits))},
    }  # fmt: skip
    manifest = {
        "schema_version": 1, "kind": "backtest", "run_hash": "3f" * 32, "decision_hash": "a7" * 32,
        "strategy": {"name": name, "file": "sma_cross.py", "class_name": name, "source_sha256": "5c" * 32,
                     "params": {"fast": fast, "slow": slow}},
        "command": f"lockstep backtest sma_cross.py --data demo --param fast={fast} --param slow={slow}",
        "config": {"cash": str(cash), "currency": "USD", "slippage": {"bps": 0}, "bar_path": "pessimistic",
                   "participation": 0.1, "seed": 0, "latency": {"preset": "local"}},
        "instruments": [{"id": f"XNAS:{s}", "symbol": s, "venue": "XNAS", "asset_class": "equity", "currency": "USD",
                         "price_decimals": 2, "qty_decimals": 0, "session": "XNYS", "timezone": "America/New_York",
                         "periods_per_year": 252, "fees": f"{fee:.1%} of value"} for s in market],
        "data": [{"symbol": s, "source": "stocks", "rows": len(b.day), "first_ns": int(b.ts[0]), "last_ns": int(b.ts[-1]),
                  "bar_ns": DAY_NS, "gaps": 0, "longest_gap_ns": 0, "content_hash": "9e" * 32,
                  "splits": int((b.split != 1).sum()), "dividends": 0, "adjustments": "applied", "notes": []}
                 for s, b in market.items()],
        "counts": {"events": len(ts) * len(market), "bars": len(ts) * len(market), "orders": len(fills),
                   "order_events": 3 * len(fills), "fills": len(fills), "trades": len(trades), "signals": 0, "denied": 0,
                   "rejected": 0},
        "final": {"equity": outcome(runs)["final_equity"], "cash": f"{sum(r.cash for r in runs.values()):.2f}",
                  "realised": f"{sum(t['net_pnl'] for _, t in trades if not t['open']):.2f}",
                  "unrealised": f"{sum(t['gross_pnl'] for _, t in trades if t['open']):.2f}",
                  "fees": f"{sum(f[4] for f, _ in fills):.2f}", "slippage": "0", "dividends": "0",
                  "open_positions": [{"symbol": s, "strategy": name, "qty": r.qty, "price": float(market[s].close[-1]),
                                      "value": r.qty * float(market[s].close[-1])} for s, r in runs.items() if r.qty]},
        "sensitivity": {
            "costs": [{"multiple": m, **outcome(run(fee * m, 0))} for m in (0, 1, 2, 3)],
            "latency": [{"label": label, "latency_ns": ns, **outcome(run(fee, delay))} for label, ns, delay in
                        (("none", 0, 0), ("200 ms", 200_000_000, 0), ("1 s", 1_000_000_000, 0), ("one bar", DAY_NS, 1))],
            "bar_path": {"chosen": "pessimistic", "other": "optimistic",
                         "final_equity_other": outcome(runs)["final_equity"], "share_of_pnl": 0.0},
        },
        "stopped": None, "warnings": [],
    }  # fmt: skip
    return manifest, tables


def recorded_market() -> dict[str, Bars]:
    return {"IBM": Bars(DAYS, IBM_OPEN, IBM_CLOSE), "MSFT": Bars(DAYS, MSFT_OPEN, MSFT_CLOSE)}


RunMaker = Callable[..., tuple[dict[str, Any], dict[str, dict[str, NDArray[Any]]]]]


@pytest.fixture
def make_run() -> RunMaker:
    """Manifest and tables of a run on the recorded bars; `rows` cuts them short, other words go to the strategy."""

    def make(rows: int = 90, **settings: Any) -> tuple[dict[str, Any], dict[str, dict[str, NDArray[Any]]]]:
        market = {s: Bars(b.day[:rows], b.open[:rows], b.close[:rows]) for s, b in recorded_market().items()}
        return cross_run(market, **settings)

    return make


@pytest.fixture
def run_input(make_run: RunMaker) -> ReportInput:
    return ReportInput.from_tables(*make_run())

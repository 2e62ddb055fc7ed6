"""Our side of the rows: a measured program like any rival's, run in the environment that has Lockstep.

    python -m benchmarks.ours ROW PATH [--limit N] [--repeat N]

The strategies are ordinary uncompiled Python files. Venue, risk gate, order events, ledger, equity and run hash are
on, as in any backtest; no report is written. `seconds` covers `Backtest.run` alone.
"""

from __future__ import annotations

import argparse
import time
from decimal import Decimal
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from benchmarks.checks import every_check
from benchmarks.peers.program import (
    FEE_RATE,
    START_CASH_USD,
    ProgramResult,
    RunFigures,
    best_of,
)
from benchmarks.tick_data import quotes_of, trades_of
from lockstep._version import __version__
from lockstep.model.fees import FeeSchedule
from lockstep.risk.limits import RiskLimits
from lockstep.run.backtest import Backtest
from lockstep.run.config import BacktestConfig
from lockstep.run.strategy_file import StrategyFile, load_strategy
from lockstep.run.tables import round_trips
from lockstep.sim.models import LATENCIES, BarFills, Slippage
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.readers import read_market_data

STRATEGIES = Path(__file__).resolve().parent / "strategies"
EMA_CROSS = STRATEGIES / "ema_cross_10_30.py"
ROWS: dict[str, Path] = {
    "bars_ema_cross": EMA_CROSS,
    "orders_filled": STRATEGIES / "order_every_bar.py",
    "quotes_two_ema": STRATEGIES / "quotes_two_ema.py",
    "trades_ema": STRATEGIES / "trades_ema.py",
    "memory": EMA_CROSS,
}
"""The strategy of each row. `memory` takes several files at once, and what counts is its `peak_rss_mb`."""


def measure(
    row: str, paths: list[Path], repeat: int = 1, limit: int | None = None, limits: RiskLimits | None = None
) -> ProgramResult:
    """One row over all of `paths` at once, the data read before the clock starts.

    limit: the first events only. limits: of the risk gate, by default what a plain backtest has.
    """
    data, config = prepare(row, paths, limit)
    if limits is not None:
        config = replace(config, limits=limits)
    events = sum(entry.count(None, config.end_ns) for entry in data)
    strategy = load_strategy(ROWS[row])
    return best_of("lockstep", __version__, events, repeat, lambda: run_once(strategy, data, config))


def prepare(row: str, paths: list[Path], limit: int | None) -> tuple[list[MarketData], BacktestConfig]:
    """What a backtest is given. The data is on disk, as 80-byte records; reading them is part of the run."""
    end_ns = None
    if row == "quotes_two_ema":
        data = [quotes_of(path, limit) for path in paths]
    elif row == "trades_ema":
        data = [trades_of(path, limit) for path in paths]
    else:
        data = [entry for path in paths for entry in read_market_data(path)]
        end_ns = _end_of(data[0], limit)
    rate = Decimal(FEE_RATE)
    config = BacktestConfig(
        cash=Decimal(START_CASH_USD),
        fees=FeeSchedule(maker=rate, taker=rate),
        latency=LATENCIES["none"],
        slippage=Slippage(),
        fills=BarFills(participation=None),
        end_ns=end_ns,
    )
    return data, config


def run_once(strategy: StrategyFile, data: list[MarketData], config: BacktestConfig) -> RunFigures:
    """One timed run on a fresh engine, and what came of it."""
    backtest = Backtest(strategy, data, config)
    start = time.perf_counter()
    outcome = backtest.run()
    seconds = time.perf_counter() - start
    trades = int(np.count_nonzero(~round_trips(outcome).is_open)) if outcome.fills else 0
    crosses = sum(getattr(seat.strategy, "crosses", 0) for seat in outcome.engine.seats)
    return RunFigures(seconds, outcome.orders, outcome.fills, trades, outcome.final_equity, crosses)


def _end_of(data: MarketData, limit: int | None) -> int | None:
    """When the bar after the first `limit` ones starts, ns UTC."""
    if limit is None or limit >= data.info.rows:
        return None
    left = limit
    for records in data.chunks():
        if left < len(records):
            return int(records["ts_open"][left])
        left -= len(records)
    return None


def main() -> None:
    """Measure and print one line."""
    parser = argparse.ArgumentParser(description="Lockstep")
    parser.add_argument("row", choices=list(ROWS), help="what to measure")
    parser.add_argument("paths", type=Path, nargs="+", help="bars as CSV or CSV.gz, or a ticker's folder of Lean ticks")
    parser.add_argument("--limit", type=int, default=None, help="use the first N events of each file only")
    parser.add_argument("--repeat", type=int, default=1, help="best of N runs")
    parser.add_argument("--risk", action="store_true", help="with every check of the risk gate on")
    given = parser.parse_args()
    if len(given.paths) > 1 and given.row != "memory":
        parser.error(f"{given.row} takes one path, was given {len(given.paths)}")
    limits = every_check(load_strategy(ROWS[given.row]).name) if given.risk else None
    print(measure(given.row, given.paths, given.repeat, given.limit, limits).to_line())


if __name__ == "__main__":
    main()

"""Our side of the rows: a measured program like any rival's, run in the environment that has Lockstep.

    python -m benchmarks.ours bars_ema_cross PATH [--limit N] [--repeat N]

The strategies are ordinary uncompiled Python files. Risk gate, order events, ledger, per-bar equity and run hash
are on, as in any backtest; no report is written. `seconds` covers `Backtest.run` alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np

from benchmarks.peers.program import (
    FEE_RATE,
    START_CASH_USD,
    ProgramResult,
    RunFigures,
    best_of,
)
from lockstep._version import __version__
from lockstep.model.fees import FeeSchedule
from lockstep.run.backtest import Backtest
from lockstep.run.config import BacktestConfig
from lockstep.run.strategy_file import load_strategy
from lockstep.run.tables import round_trips
from lockstep.sim.models import LATENCIES, BarFills, Slippage
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.readers import read_market_data

STRATEGIES = Path(__file__).resolve().parent / "strategies"
EMA_CROSS = STRATEGIES / "ema_cross_10_30.py"
ORDER_EVERY_BAR = STRATEGIES / "order_every_bar.py"


def bars_ema_cross(path: Path, repeat: int, limit: int | None = None) -> ProgramResult:
    """EMA cross 10/30 over the bars of `path`, the data read before the clock starts."""
    return _measure(EMA_CROSS, [path], repeat, limit)


def orders_filled(path: Path, repeat: int, limit: int | None = None) -> ProgramResult:
    """A market order on every bar of `path`, the data read before the clock starts."""
    return _measure(ORDER_EVERY_BAR, [path], repeat, limit)


def memory(paths: list[Path], limit: int | None = None) -> ProgramResult:
    """One EMA-cross backtest over all of `paths` at once; what counts is `peak_rss_mb`."""
    return _measure(EMA_CROSS, paths, 1, limit)


def _measure(strategy: Path, paths: list[Path], repeat: int, limit: int | None) -> ProgramResult:
    events, run = _prepare(strategy, paths, limit)
    return best_of("lockstep", _version(), events, repeat, run)


def _prepare(strategy: Path, paths: list[Path], limit: int | None) -> tuple[int, Callable[[], RunFigures]]:
    """The one place that knows the engine's API: (market events, one timed run on a fresh engine).

    The data is on disk when the clock starts, as 80-byte records; reading them is part of the run.
    """
    data = [entry for path in paths for entry in read_market_data(path)]
    rate = Decimal(FEE_RATE)
    config = BacktestConfig(
        cash=Decimal(START_CASH_USD),
        fees=FeeSchedule(maker=rate, taker=rate),
        latency=LATENCIES["none"],
        slippage=Slippage(),
        fills=BarFills(participation=None),
        end_ns=_end_of(data[0], limit),
    )
    loaded = load_strategy(strategy)

    def run_once() -> RunFigures:
        backtest = Backtest(loaded, data, config)
        start = time.perf_counter()
        outcome = backtest.run()
        seconds = time.perf_counter() - start
        trades = int(np.count_nonzero(~round_trips(outcome).is_open))
        return RunFigures(seconds, outcome.orders, outcome.fills, trades, outcome.final_equity)

    return sum(entry.count(None, config.end_ns) for entry in data), run_once


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


def _version() -> str:
    return __version__


def main() -> None:
    """Measure and print one line."""
    parser = argparse.ArgumentParser(description="Lockstep")
    parser.add_argument("row", choices=["bars_ema_cross", "orders_filled", "memory"], help="what to measure")
    parser.add_argument("paths", type=Path, nargs="+", help="bars as CSV or CSV.gz; several for memory alone")
    parser.add_argument("--limit", type=int, default=None, help="use the first N bars of each file only")
    parser.add_argument("--repeat", type=int, default=1, help="best of N runs")
    given = parser.parse_args()
    if given.row == "memory":
        result = memory(given.paths, given.limit)
    elif len(given.paths) > 1:
        parser.error(f"{given.row} takes one file, was given {len(given.paths)}")
    elif given.row == "bars_ema_cross":
        result = bars_ema_cross(given.paths[0], given.repeat, given.limit)
    else:
        result = orders_filled(given.paths[0], given.repeat, given.limit)
    print(result.to_line())


if __name__ == "__main__":
    main()

"""Our side of the rows: a measured program like any rival's, run in the environment that has Lockstep.

    python -m benchmarks.ours bars_ema_cross PATH [--limit N] [--repeat N]

The strategies are ordinary uncompiled Python files. Risk gate, order events, ledger, per-bar equity and run hash
are on, as in any backtest; no report is written. `seconds` covers `Backtest.run` alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.peers.program import (
    FEE_RATE,
    START_CASH_USD,
    ProgramResult,
    RunFigures,
    best_of,
)

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
    """The one place that knows the engine's API: (market events, one timed run on a fresh engine)."""
    from lockstep.run.backtest import (  # type: ignore[import-not-found]
        Backtest,
        BacktestConfig,
    )
    from lockstep.store.catalog.readers import (  # type: ignore[import-not-found]
        read_market_data,
    )

    data = [read_market_data(path, limit=limit) for path in paths]
    config = BacktestConfig(cash=START_CASH_USD, fees=FEE_RATE)

    def run_once() -> RunFigures:
        backtest = Backtest(strategy, data, config)
        start = time.perf_counter()
        result = backtest.run()
        seconds = time.perf_counter() - start
        return RunFigures(seconds, result.orders, result.fills, result.trades, float(result.final_equity))

    return sum(len(columns) for columns in data), run_once


def _version() -> str:
    from lockstep._version import __version__

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

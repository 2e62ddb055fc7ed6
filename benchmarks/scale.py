"""What more instruments cost: four year-long minute files at once, and a hundred stocks with a strategy each.

Each figure stands beside that of the same bars run one instrument after another, so that strategy, trades and handler
are the same work and only the company differs. Both sides are measured by turns and the best of each is kept. Seconds
are those of the run loop alone: starting a run costs a few milliseconds whatever its length, which a stock's 1,259 bars
would not outweigh, and counting it would flatter the many.

    python -m benchmarks.scale merge PATH PATH ... | hundred PATH [--repeat N]
"""

from __future__ import annotations

import argparse
import csv
import gzip
import time
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from benchmarks.peers.program import FEE_RATE, START_CASH_USD
from lockstep.model.fees import FeeSchedule
from lockstep.run.backtest import Backtest
from lockstep.run.config import BacktestConfig
from lockstep.run.strategy_file import load_strategy
from lockstep.sim.models import LATENCIES, BarFills, Slippage
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.readers import read_market_data

EMA_CROSS = Path(__file__).resolve().parent / "strategies" / "ema_cross_10_30.py"
HUNDRED = 100
REPEAT = 3


def merge_cost(paths: Sequence[Path], repeat: int = REPEAT) -> tuple[float, float]:
    """(ns a bar of each file by itself, ns a bar of all of them merged), EMA cross 10/30 with its trades."""
    return _alone_and_together([read_market_data(path)[0] for path in paths], repeat)


def hundred(path: Path, repeat: int = REPEAT) -> tuple[float, float]:
    """(ns an event of each stock by itself, of a hundred at once), each stock with its own instance of the strategy."""
    symbols = whole_histories(path)
    if len(symbols) < HUNDRED:
        raise ValueError(f"{path.name} has {len(symbols)} stocks with a bar on every day, {HUNDRED} are needed")
    return _alone_and_together(read_market_data(path, symbols=symbols[:HUNDRED]), repeat)


def whole_histories(path: Path) -> list[str]:
    """The symbols of a CSV.gz of daily bars, sorted, that have a row on every day and none with an impossible range."""
    days: Counter[str] = Counter()
    broken: set[str] = set()
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            days[row["symbol"]] += 1
            prices = [row[name] for name in ("open", "high", "low", "close")]
            if not all(prices):
                broken.add(row["symbol"])
                continue
            opens, high, low, close = map(Decimal, prices)
            if not low <= min(opens, close) <= max(opens, close) <= high:
                broken.add(row["symbol"])
    longest = max(days.values(), default=0)
    return sorted(symbol for symbol, count in days.items() if count == longest and symbol not in broken)


def _alone_and_together(data: Sequence[MarketData], repeat: int) -> tuple[float, float]:
    alone, together = [], []
    for _ in range(repeat):
        alone.append(_ns_per_event([[entry] for entry in data]))
        together.append(_ns_per_event([data]))
    return min(alone), min(together)


def _ns_per_event(runs: Sequence[Sequence[MarketData]]) -> float:
    """Nanoseconds in the run loop for each market event, over some backtests."""
    rate = Decimal(FEE_RATE)
    config = BacktestConfig(
        cash=Decimal(START_CASH_USD),
        fees=FeeSchedule(maker=rate, taker=rate),
        latency=LATENCIES["none"],
        slippage=Slippage(),
        fills=BarFills(participation=None),
    )
    strategy = load_strategy(EMA_CROSS)
    spent_ns = events = 0
    for data in runs:
        session = Backtest(strategy, data, config).begin()
        start = time.perf_counter_ns()
        session.loop.run_all()
        spent_ns += time.perf_counter_ns() - start
        events += session.end().events
    return spent_ns / events


def main() -> None:
    """Measure and print one line."""
    parser = argparse.ArgumentParser(description="What more instruments cost")
    parser.add_argument("row", choices=["merge", "hundred"], help="what to measure")
    parser.add_argument("paths", type=Path, nargs="+", help="bars as CSV.gz; one file of daily stocks for hundred")
    parser.add_argument("--repeat", type=int, default=REPEAT, help="best of N rounds")
    given = parser.parse_args()
    if given.row == "merge":
        one, many = merge_cost(given.paths, given.repeat)
    else:
        one, many = hundred(given.paths[0], given.repeat)
    print(f"{given.row}: {one:.0f} ns an event alone, {many:.0f} together: {many - one:+.0f} ns, x {many / one:.2f}")


if __name__ == "__main__":
    main()

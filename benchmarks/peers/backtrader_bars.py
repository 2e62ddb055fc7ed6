"""backtrader on the row `bars_ema_cross`.

Market orders fill at the next bar's open (its default), long or flat, 1 BTC, 0.1 % of every fill. Its EMA is
seeded with the SMA of the first n values, as TA-Lib's, and the strategy is not called before both are defined.
`seconds` runs from the strategy's `start` to its `stop`: the data are preloaded before, the indicators are
computed and the bars walked inside. Observers are off (`stdstats=False`), as fast as it goes.
"""

from __future__ import annotations

import array
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import backtrader as bt  # type: ignore[import-not-found,import-untyped,unused-ignore]

from benchmarks.peers.program import (
    FAST_PERIOD,
    FEE_RATE,
    QUANTITY_BTC,
    SLOW_PERIOD,
    START_CASH_USD,
    RunFigures,
    best_of,
    parse_arguments,
    read_bars,
)

Columns = list[array.array]  # type: ignore[type-arg]


class ColumnFeed(bt.feed.DataBase):  # type: ignore[misc,name-defined,unused-ignore]
    """Feeds backtrader from columns in memory: datetime, open, high, low, close, volume."""

    params = (("columns", None),)

    def start(self) -> None:
        """Rewind."""
        super().start()
        self._rows = zip(*self.p.columns, strict=True)

    def _load(self) -> bool:
        row = next(self._rows, None)
        if row is None:
            return False
        lines = self.lines
        (
            lines.datetime[0],
            lines.open[0],
            lines.high[0],
            lines.low[0],
            lines.close[0],
            lines.volume[0],
        ) = row
        lines.openinterest[0] = 0.0
        return True


class EmaCross(bt.Strategy):  # type: ignore[misc,name-defined,unused-ignore]
    """Long while the fast EMA is above the slow one, else flat."""

    def __init__(self) -> None:
        self.fast = bt.ind.EMA(period=FAST_PERIOD)
        self.slow = bt.ind.EMA(period=SLOW_PERIOD)
        self.orders = self.fills = self.closed = 0
        self.started = self.stopped = 0.0

    def start(self) -> None:
        """The data are preloaded; the clock starts."""
        self.started = time.perf_counter()

    def stop(self) -> None:
        """The last bar is done; the clock stops."""
        self.stopped = time.perf_counter()

    def notify_order(self, order: Any) -> None:
        """Count the fills."""
        if order.status == order.Completed:
            self.fills += 1

    def notify_trade(self, trade: Any) -> None:
        """Count the round trips."""
        if trade.isclosed:
            self.closed += 1

    def next(self) -> None:
        """Act on one closed bar."""
        fast, slow = self.fast[0], self.slow[0]
        if fast > slow:
            if not self.position:
                self.buy(size=QUANTITY_BTC)
                self.orders += 1
        elif fast < slow and self.position:
            self.close()
            self.orders += 1


def _load_columns(path: Path, limit: int | None) -> Columns:
    columns = [array.array("d") for _ in range(6)]
    for bar in read_bars(path, limit):
        moment = bt.date2num(datetime.fromtimestamp(bar.open_ms / 1000, UTC).replace(tzinfo=None))
        for column, value in zip(columns, (moment, bar.open, bar.high, bar.low, bar.close, bar.volume), strict=True):
            column.append(value)
    return columns


def _run_once(columns: Columns) -> RunFigures:
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.broker.setcash(START_CASH_USD)
    cerebro.broker.setcommission(float(FEE_RATE))
    cerebro.adddata(ColumnFeed(columns=columns, timeframe=bt.TimeFrame.Minutes))
    cerebro.addstrategy(EmaCross)
    strategy = cerebro.run()[0]
    seconds = strategy.stopped - strategy.started
    return RunFigures(seconds, strategy.orders, strategy.fills, strategy.closed, float(cerebro.broker.getvalue()))


def main() -> None:
    """Measure and print one line."""
    arguments = parse_arguments("backtrader", ["bars_ema_cross"])
    columns = _load_columns(arguments.path, arguments.limit)
    result = best_of("backtrader", str(bt.__version__), len(columns[0]), arguments.repeat, lambda: _run_once(columns))
    print(result.to_line())


if __name__ == "__main__":
    main()

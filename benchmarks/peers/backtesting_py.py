"""backtesting.py on the row `bars_ema_cross`.

Fills at the next bar's open (`trade_on_close=False`), long or flat, 1 BTC, 0.1 % of every fill. The EMA is
ours, seeded with the SMA of the first n values and undefined before; the library skips the bars on which an
indicator is NaN. An open position is marked at the last close, without exit fee (`finalize_trades=False`).
The progress bar is switched off: it costs a rival time that its engine does not need.
"""

from __future__ import annotations

import time
import warnings
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore]
from backtesting import Backtest, Strategy  # type: ignore[import-not-found,import-untyped,unused-ignore]
from backtesting import backtesting as engine_module  # type: ignore[import-not-found,import-untyped,unused-ignore]

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


def _ema(values: Any, period: int) -> Any:
    """EMA with alpha 2 / (period + 1), seeded with the SMA of the first `period` values, NaN before."""
    closes = np.asarray(values, dtype=np.float64).tolist()
    out = [float("nan")] * len(closes)
    alpha = 2.0 / (period + 1)
    average = sum(closes[:period]) / period
    out[period - 1] = average
    for i in range(period, len(closes)):
        average += alpha * (closes[i] - average)
        out[i] = average
    return np.array(out)


class EmaCross(Strategy):  # type: ignore[misc,unused-ignore]
    """Long while the fast EMA is above the slow one, else flat."""

    def init(self) -> None:
        """Declare the two averages; the library computes them over the whole series."""
        self.fast = self.I(_ema, self.data.Close, FAST_PERIOD)
        self.slow = self.I(_ema, self.data.Close, SLOW_PERIOD)

    def next(self) -> None:
        """Act on one closed bar."""
        fast, slow = self.fast[-1], self.slow[-1]
        if fast > slow:
            if not self.position:
                self.buy(size=QUANTITY_BTC)
        elif fast < slow and self.position:
            self.position.close()


def _run_once(frame: Any) -> RunFigures:
    backtest = Backtest(frame, EmaCross, cash=START_CASH_USD, commission=float(FEE_RATE), finalize_trades=False)
    start = time.perf_counter()
    stats = backtest.run()
    seconds = time.perf_counter() - start
    closed = int(stats["# Trades"])
    still_open = len(stats["_strategy"].trades)
    fills = 2 * closed + still_open  # every entry and exit here is one market order, filled whole
    return RunFigures(seconds, fills, fills, closed, float(stats["Equity Final [$]"]))


def main() -> None:
    """Measure and print one line."""
    arguments = parse_arguments("backtesting.py", ["bars_ema_cross"])
    warnings.filterwarnings("ignore")
    engine_module._tqdm = lambda sequence, **_: sequence
    bars = list(read_bars(arguments.path, arguments.limit))
    frame = pd.DataFrame(
        {
            "Open": [bar.open for bar in bars],
            "High": [bar.high for bar in bars],
            "Low": [bar.low for bar in bars],
            "Close": [bar.close for bar in bars],
            "Volume": [bar.volume for bar in bars],
        },
        index=pd.to_datetime([bar.open_ms for bar in bars], unit="ms"),
    )
    events = len(bars)
    del bars
    result = best_of("backtesting.py", version("backtesting"), events, arguments.repeat, lambda: _run_once(frame))
    print(result.to_line())


if __name__ == "__main__":
    main()

"""nautilus_trader 2 (Rust core) on the rows `bars_ema_cross` and `orders_filled`; those of ticks are in `nautilus_v2_ticks`.

A market order sent from a bar's handler fills at once at that bar's close, the last price of its simulated
book: the closest it does to the next open. (With a latency model it would fill at the *next bar's close*,
because the exchange takes its inbound queue only after it has processed the bar.) Cash account, long or flat,
1 BTC, 0.1 % of every fill, risk engine on. The averages are its own compiled `ExponentialMovingAverage`, which
starts at the first close, not at an SMA; the strategy waits for `initialized`, hence until bar 30.

As fast as it honestly goes: log level OFF and logging bypassed, post-run statistics off (`run_analysis`).
`seconds` covers `BacktestEngine.run`; `add_data`, which copies the bars into the engine, is outside.
An exception inside a handler is swallowed here, with logging off even without a word, so the figures of a run
are checked: `ProgramResult` refuses one without fills, and this file one with orders left unfilled.
"""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import nautilus_trader  # type: ignore[import-not-found,unused-ignore]
from nautilus_trader.backtest import (  # type: ignore[import-not-found,unused-ignore]
    BacktestEngine,
    BacktestEngineConfig,
)
from nautilus_trader.common import LoggerConfig, LogLevel  # type: ignore[import-not-found,unused-ignore]
from nautilus_trader.execution import MakerTakerFeeModel  # type: ignore[import-not-found,unused-ignore]
from nautilus_trader.indicators import ExponentialMovingAverage  # type: ignore[import-not-found,unused-ignore]
from nautilus_trader.model import (  # type: ignore[import-not-found,unused-ignore]
    AccountType,
    Bar,
    BarType,
    Currency,
    CurrencyPair,
    InstrumentId,
    Money,
    OmsType,
    OrderSide,
    OrderStatus,
    Price,
    Quantity,
    Symbol,
    Venue,
)
from nautilus_trader.trading import Strategy, StrategyConfig  # type: ignore[import-not-found,unused-ignore]

from benchmarks.peers import nautilus_v2_books, nautilus_v2_ticks
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

DECIMALS = 8  # the most that occur in the file, for prices and for volumes
VENUE = Venue("BITFINEX")
INSTRUMENT_ID = InstrumentId(Symbol("BTCUSD"), VENUE)
BAR_TYPE = BarType.from_str("BTCUSD.BITFINEX-1-MINUTE-LAST-EXTERNAL")
USD = Currency.from_str("USD")
BTC = Currency.from_str("BTC")


class EmaCross(Strategy):  # type: ignore[misc,unused-ignore]
    """Long while the fast EMA is above the slow one, else flat."""

    def on_start(self) -> None:
        """Register the averages, which the engine updates before `on_bar`, and subscribe."""
        self.fast = ExponentialMovingAverage(FAST_PERIOD)
        self.slow = ExponentialMovingAverage(SLOW_PERIOD)
        self.quantity = Quantity(QUANTITY_BTC, DECIMALS)
        self.register_indicator_for_bars(BAR_TYPE, self.fast)
        self.register_indicator_for_bars(BAR_TYPE, self.slow)
        self.subscribe_bars(BAR_TYPE)

    def on_bar(self, _bar: Any) -> None:
        """Act on one closed bar."""
        if not self.slow.initialized:
            return
        fast, slow = self.fast.value, self.slow.value
        if fast > slow:
            if not self.portfolio.is_net_long(INSTRUMENT_ID):
                self.submit_order(self.order_factory.market(INSTRUMENT_ID, OrderSide.BUY, self.quantity))
        elif fast < slow and self.portfolio.is_net_long(INSTRUMENT_ID):
            self.submit_order(self.order_factory.market(INSTRUMENT_ID, OrderSide.SELL, self.quantity))


class OrderEveryBar(Strategy):  # type: ignore[misc,unused-ignore]
    """A market order on every bar, buying and selling by turns."""

    def on_start(self) -> None:
        """Subscribe."""
        self.quantity = Quantity(QUANTITY_BTC, DECIMALS)
        self.side = OrderSide.BUY
        self.subscribe_bars(BAR_TYPE)

    def on_bar(self, _bar: Any) -> None:
        """Send this bar's order."""
        self.submit_order(self.order_factory.market(INSTRUMENT_ID, self.side, self.quantity))
        self.side = OrderSide.SELL if self.side == OrderSide.BUY else OrderSide.BUY


def _instrument() -> Any:
    return CurrencyPair(
        instrument_id=INSTRUMENT_ID,
        raw_symbol=Symbol("BTCUSD"),
        base_currency=BTC,
        quote_currency=USD,
        price_precision=DECIMALS,
        size_precision=DECIMALS,
        price_increment=Price(10.0**-DECIMALS, DECIMALS),
        size_increment=Quantity(10.0**-DECIMALS, DECIMALS),
        ts_event=0,
        ts_init=0,
    )


def _load_bars(path: Path, limit: int | None) -> list[Any]:
    bars = []
    for bar in read_bars(path, limit):
        end_ns = (bar.open_ms + 60_000) * 1_000_000  # a bar is known at its end
        prices = [Price(value, DECIMALS) for value in (bar.open, bar.high, bar.low, bar.close)]
        bars.append(Bar(BAR_TYPE, *prices, Quantity(bar.volume, DECIMALS), end_ns, end_ns))
    return bars


def _run_once(strategy_class: Any, bars: list[Any], last_close: float) -> RunFigures:
    logging = LoggerConfig(stdout_level=LogLevel.OFF, fileout_level=LogLevel.OFF, bypass_logging=True)
    engine = BacktestEngine(BacktestEngineConfig(logging=logging, run_analysis=False))
    rate = Decimal(FEE_RATE)
    engine.add_venue(
        VENUE,
        OmsType.NETTING,
        AccountType.CASH,
        [Money(START_CASH_USD, USD), Money(0, BTC)],
        fee_model=MakerTakerFeeModel(rate, rate),
    )
    engine.add_instrument(_instrument())
    engine.add_data(bars)
    engine.add_strategy(strategy_class(StrategyConfig(log_events=False, log_commands=False)))
    start = time.perf_counter()
    engine.run()
    seconds = time.perf_counter() - start
    orders = engine.cache.orders()
    filled = sum(order.status == OrderStatus.FILLED for order in orders)
    if filled != len(orders):
        raise RuntimeError(f"nautilus_trader: {len(orders)} orders sent, {filled} filled")
    account = engine.portfolio.account(VENUE)
    cash = account.balance_total(USD).as_double()
    coins = account.balance_total(BTC).as_double()
    engine.dispose()
    return RunFigures(seconds, len(orders), filled, filled // 2, cash + coins * last_close)


def main() -> None:
    """Measure and print one line."""
    strategies = {"bars_ema_cross": EmaCross, "orders_filled": OrderEveryBar}
    arguments = parse_arguments(
        "nautilus_trader 2", [*strategies, *nautilus_v2_ticks.STRATEGIES, *nautilus_v2_books.ROWS]
    )
    if arguments.row in nautilus_v2_books.ROWS:
        print(nautilus_v2_books.measure(arguments))
        return
    if arguments.row in nautilus_v2_ticks.STRATEGIES:
        print(nautilus_v2_ticks.measure(arguments))
        return
    bars = _load_bars(arguments.path, arguments.limit)
    last_close = bars[-1].close.as_double()
    result = best_of(
        "nautilus_trader",
        str(nautilus_trader.__version__),
        len(bars),
        arguments.repeat,
        lambda: _run_once(strategies[arguments.row], bars, last_close),
    )
    print(result.to_line())


if __name__ == "__main__":
    main()

"""nautilus_trader 1 (Cython and Rust) on the rows `bars_ema_cross` and `orders_filled`.

The fallback where version 2 does not install. The setting is that of `nautilus_v2`: a market order fills at
once at the bar's close, cash account, long or flat, 1 BTC, 0.1 % of every fill, risk engine on, its own
`ExponentialMovingAverage`, logging bypassed, post-run statistics off; `seconds` covers `BacktestEngine.run`.
"""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import nautilus_trader  # type: ignore[import-not-found,unused-ignore]
from nautilus_trader.backtest.engine import (  # type: ignore[import-not-found,unused-ignore]
    BacktestEngine,
    BacktestEngineConfig,
)
from nautilus_trader.config import LoggingConfig, StrategyConfig  # type: ignore[import-not-found,unused-ignore]
from nautilus_trader.indicators import ExponentialMovingAverage  # type: ignore[import-not-found,unused-ignore]
from nautilus_trader.model.currencies import BTC, USD  # type: ignore[import-not-found,unused-ignore]
from nautilus_trader.model.data import Bar, BarType  # type: ignore[import-not-found,unused-ignore]
from nautilus_trader.model.enums import (  # type: ignore[import-not-found,unused-ignore]
    AccountType,
    OmsType,
    OrderSide,
    OrderStatus,
)
from nautilus_trader.model.identifiers import (  # type: ignore[import-not-found,unused-ignore]
    InstrumentId,
    Symbol,
    Venue,
)
from nautilus_trader.model.instruments import CurrencyPair  # type: ignore[import-not-found,unused-ignore]
from nautilus_trader.model.objects import Money, Price, Quantity  # type: ignore[import-not-found,unused-ignore]
from nautilus_trader.trading.strategy import Strategy  # type: ignore[import-not-found,unused-ignore]

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

DECIMALS = 8
VENUE = Venue("BITFINEX")
INSTRUMENT_ID = InstrumentId(Symbol("BTCUSD"), VENUE)
BAR_TYPE = BarType.from_str("BTCUSD.BITFINEX-1-MINUTE-LAST-EXTERNAL")


class EmaCross(Strategy):  # type: ignore[misc,unused-ignore]
    """Long while the fast EMA is above the slow one, else flat."""

    def on_start(self) -> None:
        """Register the averages, which are updated before `on_bar`, and subscribe."""
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
        maker_fee=Decimal(FEE_RATE),
        taker_fee=Decimal(FEE_RATE),
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
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    engine.add_venue(
        VENUE, OmsType.NETTING, AccountType.CASH, starting_balances=[Money(START_CASH_USD, USD), Money(0, BTC)]
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
    arguments = parse_arguments("nautilus_trader 1", list(strategies))
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

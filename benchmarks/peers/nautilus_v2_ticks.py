"""nautilus_trader 2 (Rust core) on the rows `quotes_two_ema` and `trades_ema`.

Its own compiled `ExponentialMovingAverage` of the mid, or of the price of a trade, registered with the engine, which
updates it before the handler. The handler reads both averages at every event and counts how often they change places:
no orders, so that what is measured is the way of an event from the data through the simulated exchange to Python. Cash
account, risk engine on.

As fast as it honestly goes: log level OFF and logging bypassed, post-run statistics off (`run_analysis`). `seconds`
covers `BacktestEngine.run`; `add_data`, which copies the events into the engine, is outside. An exception inside a
handler is swallowed without a word: `ProgramResult` refuses a run without crosses.
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
    AggressorSide,
    Currency,
    Equity,
    InstrumentId,
    Money,
    OmsType,
    Price,
    PriceType,
    Quantity,
    QuoteTick,
    Symbol,
    TradeId,
    TradeTick,
    Venue,
)
from nautilus_trader.trading import Strategy, StrategyConfig  # type: ignore[import-not-found,unused-ignore]

from benchmarks.peers.program import (
    FAST_PERIOD,
    FEE_RATE,
    SLOW_PERIOD,
    START_CASH_USD,
    ProgramArguments,
    RunFigures,
    best_of,
)
from benchmarks.peers.ticks import PRICE_DECIMALS, read_quotes, read_trades

VENUE = Venue("US")
USD = Currency.from_str("USD")


class CountCrosses(Strategy):  # type: ignore[misc,unused-ignore]
    """Counts how often two averages change places; `instrument` and `seen` are set before the run."""

    instrument: Any
    seen: list[int]

    def start_with(self, price_type: Any) -> None:
        """Make the averages and the counters."""
        self.fast = ExponentialMovingAverage(FAST_PERIOD, price_type)
        self.slow = ExponentialMovingAverage(SLOW_PERIOD, price_type)
        self.is_above = False
        self.crosses = 0

    def on_stop(self) -> None:
        """Hand the count out."""
        self.seen.append(self.crosses)


class QuoteCrosses(CountCrosses):
    """Two averages of the mid."""

    def on_start(self) -> None:
        """Register the averages, which the engine updates before `on_quote`, and subscribe."""
        self.start_with(PriceType.MID)
        self.register_indicator_for_quote_ticks(self.instrument, self.fast)
        self.register_indicator_for_quote_ticks(self.instrument, self.slow)
        self.subscribe_quotes(self.instrument)

    def on_quote(self, _quote: Any) -> None:
        """Look at one quote."""
        if not self.slow.initialized:
            return
        is_above = self.fast.value > self.slow.value
        if is_above != self.is_above:
            self.is_above = is_above
            self.crosses += 1


class TradeCrosses(CountCrosses):
    """Two averages of the price."""

    def on_start(self) -> None:
        """Register the averages, which the engine updates before `on_trade`, and subscribe."""
        self.start_with(PriceType.LAST)
        self.register_indicator_for_trade_ticks(self.instrument, self.fast)
        self.register_indicator_for_trade_ticks(self.instrument, self.slow)
        self.subscribe_trades(self.instrument)

    def on_trade(self, _trade: Any) -> None:
        """Look at one trade."""
        if not self.slow.initialized:
            return
        is_above = self.fast.value > self.slow.value
        if is_above != self.is_above:
            self.is_above = is_above
            self.crosses += 1


STRATEGIES = {"quotes_two_ema": QuoteCrosses, "trades_ema": TradeCrosses}


def _price(units: int) -> Any:
    return Price(units / 10**PRICE_DECIMALS, PRICE_DECIMALS)


def _load(row: str, instrument_id: Any, folder: Path, limit: int | None) -> list[Any]:
    if row == "quotes_two_ema":
        return [
            QuoteTick(
                instrument_id,
                _price(quote.bid),
                _price(quote.ask),
                Quantity(quote.bid_size, 0),
                Quantity(quote.ask_size, 0),
                quote.ts_ns,
                quote.ts_ns,
            )
            for quote in read_quotes(folder, limit)
        ]
    return [
        TradeTick(
            instrument_id,
            _price(trade.price),
            Quantity(trade.size, 0),
            AggressorSide.NO_AGGRESSOR,
            TradeId(str(number)),
            trade.ts_ns,
            trade.ts_ns,
        )
        for number, trade in enumerate(read_trades(folder, limit))
    ]


def _instrument(instrument_id: Any) -> Any:
    return Equity(
        instrument_id=instrument_id,
        raw_symbol=instrument_id.symbol,
        currency=USD,
        price_precision=PRICE_DECIMALS,
        price_increment=Price(10.0**-PRICE_DECIMALS, PRICE_DECIMALS),
        ts_event=0,
        ts_init=0,
    )


def _run_once(strategy_class: Any, instrument_id: Any, ticks: list[Any]) -> RunFigures:
    logging = LoggerConfig(stdout_level=LogLevel.OFF, fileout_level=LogLevel.OFF, bypass_logging=True)
    engine = BacktestEngine(BacktestEngineConfig(logging=logging, run_analysis=False))
    rate = Decimal(FEE_RATE)
    engine.add_venue(
        VENUE,
        OmsType.NETTING,
        AccountType.CASH,
        [Money(START_CASH_USD, USD)],
        fee_model=MakerTakerFeeModel(rate, rate),
    )
    engine.add_instrument(_instrument(instrument_id))
    engine.add_data(ticks)
    strategy = strategy_class(StrategyConfig(log_events=False, log_commands=False))
    strategy.instrument = instrument_id
    strategy.seen = []
    engine.add_strategy(strategy)
    start = time.perf_counter()
    engine.run()
    seconds = time.perf_counter() - start
    crosses = sum(strategy.seen)
    cash = engine.portfolio.account(VENUE).balance_total(USD).as_double()
    engine.dispose()
    return RunFigures(seconds, 0, 0, 0, cash, crosses)


def measure(arguments: ProgramArguments) -> str:
    """The line of one row."""
    instrument_id = InstrumentId(Symbol(arguments.path.name.upper()), VENUE)
    ticks = _load(arguments.row, instrument_id, arguments.path, arguments.limit)
    return best_of(
        "nautilus_trader",
        str(nautilus_trader.__version__),
        len(ticks),
        arguments.repeat,
        lambda: _run_once(STRATEGIES[arguments.row], instrument_id, ticks),
    ).to_line()

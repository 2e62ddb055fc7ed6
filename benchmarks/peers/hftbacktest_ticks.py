"""hftbacktest on the rows of books.

`tick_backtest`: a numba strategy that keeps a bid and an ask at the best, looking every tenth of a second, with
`RiskAdverseQueueModel`, on its faster `ROIVectorMarketDepth`, through `NoPartialFillExchange`: with `PartialFillExchange` it ends with
an error on the way (case `stops` in docs/guides/hftbacktest.md). `l2_loop`: no strategy and no orders, to the end of
the data: the nearest there is to a loop over a book. It tells each change to two books, the exchange's and the strategy's, and
a figure counts the change once.

As fast as it honestly goes: compiled before the clock starts, the data in memory in its own layout, trades not kept.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from hftbacktest import BacktestAsset, HashMapMarketDepthBacktest, ROIVectorMarketDepthBacktest, __version__
from hftbacktest.data import correct_event_order
from hftbacktest.types import event_dtype
from numba import njit

from benchmarks.peers.books import (
    CLEAR,
    CLOCK,
    ENTRY_NS,
    PRICE,
    QUANTITY,
    QUANTITY_LOTS,
    RESPONSE_NS,
    SET,
    SIDE,
    STEP_NS,
    TRADE,
    VENUE_TIME,
    WHAT,
    WIDTH,
    RecordedBook,
    read_book,
)
from benchmarks.peers.program import ProgramArguments, RunFigures, best_of, parse_arguments

GTX, LIMIT = 1, 0
_DEPTH, _TRADE, _CLEAR = 1, 2, 3
_BUY, _SELL = 1 << 29, 1 << 28


@njit
def take_back(hbt: Any, order_id: int) -> None:
    """Cancel an order that is still there."""
    order = hbt.orders(0).get(order_id)
    if order is not None and order.cancellable:
        hbt.cancel(0, order_id, False)


@njit
def two_sides(hbt: Any, begin: int, every: int, steps: int, qty: float) -> int:
    """Returns: how many orders were sent."""
    sent = bid_id = ask_id = bid_tick = ask_tick = 0
    hbt.elapse(0)
    hbt.elapse(begin - hbt.current_timestamp)
    for _ in range(steps):
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        if depth.best_bid_tick != bid_tick:
            take_back(hbt, bid_id)
            sent += 1
            bid_id, bid_tick = sent, depth.best_bid_tick
            hbt.submit_buy_order(0, bid_id, depth.best_bid, qty, GTX, LIMIT, False)
        if depth.best_ask_tick != ask_tick:
            take_back(hbt, ask_id)
            sent += 1
            ask_id, ask_tick = sent, depth.best_ask_tick
            hbt.submit_sell_order(0, ask_id, depth.best_ask, qty, GTX, LIMIT, False)
        if hbt.elapse(every) != 0:
            break
    while hbt.elapse(1_000_000_000_000) == 0:
        pass
    return sent


@njit
def to_the_end(hbt: Any) -> int:
    """Returns: the last best bid, in ticks."""
    while hbt.elapse(1_000_000_000_000) == 0:
        pass
    return hbt.depth(0).best_bid_tick


def events_of(book: RecordedBook, with_trades: bool) -> Any:
    """The records in its layout, ordered by both clocks by its own tool."""
    table = np.frombuffer(book.numbers, np.int64).reshape(-1, WIDTH)
    if not with_trades:
        table = table[table[:, WHAT] != TRADE]
    events = np.zeros(len(table), event_dtype)
    what = table[:, WHAT]
    kind = np.where(what == TRADE, _TRADE, np.where(what == CLEAR, _CLEAR, _DEPTH))
    events["ev"] = kind | np.where(what == CLEAR, 0, np.where(table[:, SIDE] > 0, _BUY, _SELL))
    events["exch_ts"], events["local_ts"] = table[:, VENUE_TIME], table[:, CLOCK]
    events["px"] = table[:, PRICE] / 10.0**book.price_decimals
    events["qty"] = table[:, QUANTITY] / 10.0**book.qty_decimals
    by_exchange = np.argsort(events["exch_ts"], kind="stable")
    by_local = np.argsort(events["local_ts"], kind="stable")
    return correct_event_order(events, by_exchange, by_local)


def asset_of(book: RecordedBook, events: Any) -> Any:
    """The instrument, priced anywhere near what traded."""
    prices = events["px"][events["ev"] & 0xFF == _TRADE]
    middle = float(np.median(prices)) if len(prices) else 0.0
    return (
        BacktestAsset()
        .data(events)
        .linear_asset(1.0)
        .constant_order_latency(ENTRY_NS, RESPONSE_NS)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0, 0.0)
        .tick_size(10.0**-book.price_decimals)
        .lot_size(10.0**-book.qty_decimals)
        .roi_lb(middle * 0.9)
        .roi_ub(middle * 1.1)
        .last_trades_capacity(0)
    )


def run_once(book: RecordedBook, events: Any, row: str, steps: int) -> RunFigures:
    """One run on a fresh simulator."""
    build = ROIVectorMarketDepthBacktest if row == "tick_backtest" else HashMapMarketDepthBacktest
    hbt = build([asset_of(book, events)])
    qty = QUANTITY_LOTS / 10.0**book.qty_decimals
    start = time.perf_counter()
    orders = crosses = 0
    if row == "tick_backtest":
        orders = int(two_sides(hbt, book.begin, STEP_NS, steps, qty))
    else:
        crosses = int(to_the_end(hbt))
    seconds = time.perf_counter() - start
    fills = int(hbt.state_values(0).num_trades)
    hbt.close()
    return RunFigures(seconds, orders, fills, 0, 0.0, crosses)


def measure(arguments: ProgramArguments) -> str:
    """The line of one row."""
    book = read_book(arguments.path, arguments.limit)
    events = events_of(book, arguments.row == "tick_backtest")
    last = book.numbers[(len(book) - 1) * WIDTH]
    steps = max(1, min(book.steps, (last - book.begin) // STEP_NS - 20))
    run_once(book, events, arguments.row, steps)  # compiles
    counted = np.frombuffer(book.numbers, np.int64).reshape(-1, WIDTH)[:, WHAT]
    count = len(counted) if arguments.row == "tick_backtest" else int((counted == SET).sum())
    result = best_of(
        "hftbacktest", str(__version__), count, arguments.repeat, lambda: run_once(book, events, arguments.row, steps)
    )
    return result.to_line()


if __name__ == "__main__":
    print(measure(parse_arguments("hftbacktest", ["tick_backtest", "l2_loop"])))

"""nautilus_trader 2 on the rows of books: its `OrderBook` (L2_MBP) without an engine around it.

`l2_call`: `apply_delta` for each change, called from Python. `l2_loop`: one `apply_deltas` for each message of the venue, the
longest its book takes at once. The deltas are made before the clock starts; the book is fresh.
"""

from __future__ import annotations

import time
from typing import Any

import nautilus_trader  # type: ignore[import-not-found,unused-ignore]
from nautilus_trader.model import (  # type: ignore[import-not-found,unused-ignore]
    BookAction,
    BookOrder,
    BookType,
    InstrumentId,
    OrderBook,
    OrderBookDelta,
    OrderBookDeltas,
    OrderSide,
    Price,
    Quantity,
)

from benchmarks.peers.books import ENDS, PRICE, QUANTITY, SET, SIDE, VENUE_TIME, WHAT, WIDTH, RecordedBook, read_book
from benchmarks.peers.program import ProgramArguments, RunFigures, best_of

INSTRUMENT = InstrumentId.from_str("RECORDED.BINANCE")
ROWS = ("l2_loop", "l2_call")


def messages_of(book: RecordedBook) -> list[list[Any]]:
    """The changes, message by message."""
    numbers, found, open_message = book.numbers, [], []
    prices, quantities = 10.0**book.price_decimals, 10.0**book.qty_decimals
    for at in range(0, len(numbers), WIDTH):
        if numbers[at + WHAT] != SET:
            continue
        side = OrderSide.BUY if numbers[at + SIDE] > 0 else OrderSide.SELL
        qty = numbers[at + QUANTITY]
        price = Price(numbers[at + PRICE] / prices, book.price_decimals)
        order = BookOrder(side, price, Quantity(qty / quantities, book.qty_decimals), 0)
        action = BookAction.UPDATE if qty else BookAction.DELETE
        ts = numbers[at + VENUE_TIME]
        open_message.append(OrderBookDelta(INSTRUMENT, action, order, 0, 0, ts, ts))
        if numbers[at + ENDS]:
            found.append(open_message)
            open_message = []
    return [*found, open_message] if open_message else found


def _run(apply: str, events: list[Any], book: RecordedBook) -> RunFigures:
    fresh = OrderBook(INSTRUMENT, BookType.L2_MBP)
    tell = getattr(fresh, apply)
    start = time.perf_counter()
    for event in events:
        tell(event)
    seconds = time.perf_counter() - start
    best = round(fresh.best_bid_price().as_double() * 10.0**book.price_decimals)
    return RunFigures(seconds, 0, 0, 0, 0.0, best)


def measure(arguments: ProgramArguments) -> str:
    """The line of one row."""
    book = read_book(arguments.path, arguments.limit)
    messages = messages_of(book)
    changes = [delta for message in messages for delta in message]
    if arguments.row == "l2_call":
        apply, events = "apply_delta", changes
    else:
        apply, events = "apply_deltas", [OrderBookDeltas(INSTRUMENT, message) for message in messages]
    version = str(nautilus_trader.__version__)
    return best_of(
        "nautilus_trader", version, len(changes), arguments.repeat, lambda: _run(apply, events, book)
    ).to_line()

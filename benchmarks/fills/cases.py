"""A minimal case of each difference: a handful of records, one order or two, what we make of it and what hftbacktest does.

Prices in ticks of 0.1, quantities in lots of 1; the book begins with 100 lots at 100.0 and at 101.0. Each case states a rule, not a market.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from benchmarks.fills.schedule import ENTRY_NS, KINDS, SCHEDULE, Given
from lockstep.model.enums import AssetClass, BookAction, EventKind
from lockstep.model.instrument import Instrument
from lockstep.model.record import BOOK_FULL, BOOK_LAST, MARKET_EVENT

T0 = 1_700_000_000_000_000_000
MS = 1_000_000
SENT = 2_000  # ms after T0
ARRIVES = SENT + ENTRY_NS // MS

COIN = Instrument(
    venue="CASE", symbol="COIN", asset_class=AssetClass.CRYPTO, base_currency="COIN", quote_currency="USD", price_decimals=1,
    qty_decimals=0,
)  # fmt: skip

Level = tuple[int, int, int]  # side, price, quantity
Trade = tuple[int, int, int]  # price, quantity, aggressor
Filled = tuple[int, int, int, int]  # quantity, first and last fill in ms after T0, price


class Order(NamedTuple):
    """What is sent: its kind, side, price and quantity."""

    kind: str
    side: int
    price: int
    qty: int


class Case(NamedTuple):
    """told: what the venue says, by ms after T0, a list of levels that are one message or a trade. theirs None: it stops with an error."""

    name: str
    why: str
    orders: tuple[Order, ...]
    told: tuple[tuple[int, list[Level] | Trade], ...]
    ours: tuple[Filled, ...]
    theirs: tuple[Filled, ...] | None
    model: str = "pessimistic"
    sent: int = SENT


_BUY = Order("GTC", 1, 1000, 10)
_NONE = (0, 0, 0, 0)

CASES = (
    Case(
        "beyond",
        "3 lots trade one tick below our bid for 10: no more than 3 can have met us",
        (_BUY,),
        ((2100, (999, 3, -1)),),
        ((3, 2100, 2100, 1000),),
        ((10, 2100, 2100, 1000),),
    ),
    Case(
        "crossed",
        "4 lots are offered at our bid for 10, and no trade is told: these 4 would have met us",
        (_BUY,),
        ((2100, [(1, 1000, 0), (1, 990, 50), (-1, 1000, 4)]),),
        ((4, 2100, 2100, 1000),),
        ((10, 2100, 2100, 1000),),
    ),
    Case(
        "each_row",
        "within one message an offer comes to our price and goes again: it never stood there",
        (_BUY,),
        ((2100, [(-1, 1000, 12), (-1, 1000, 0)]),),
        (_NONE,),
        ((10, 2100, 2100, 1000),),
    ),
    Case(
        "remainder",
        "110 lots are bought up to 101.0, where 100 stand: the other 10 wait at 101.0",
        (Order("GTC", 1, 1010, 110),),
        (),
        ((100, ARRIVES, ARRIVES, 1010),),
        ((110, ARRIVES, ARRIVES, 1010),),
    ),
    Case(
        "reach",
        "110 lots at market, 100 at 101.0 and the next 150 ticks away: it pays what is asked",
        (Order("MARKET", 1, 0, 110),),
        ((1000, [(-1, 1160, 100)]),),
        ((110, ARRIVES, ARRIVES, 1160),),
        ((100, ARRIVES, ARRIVES, 1010),),
    ),
    Case(
        "twice",
        "10 lots ahead of us; 4 trade, and the level that became smaller by 4 is told first, at the same time: 6 are ahead, not 2",
        (Order("GTC", 1, 995, 10),),
        ((1000, [(1, 995, 10)]), (2100, [(1, 995, 6)]), (2100, (995, 4, -1)), (2200, (995, 5, -1))),
        (_NONE,),
        ((3, 2200, 2200, 995),),
    ),
    Case(
        "below_zero",
        "with n = 3 the estimate of what is ahead falls to -0.9 as the level is emptied: a trade of 1 lot fills 2",
        (Order("GTC", 1, 995, 10),),
        ((1000, [(1, 995, 3)]), (2100, [(1, 995, 4)]), (2200, [(1, 995, 0)]), (2300, (995, 1, -1))),
        ((1, 2300, 2300, 995),),
        ((2, 2300, 2300, 995),),
        "power",
    ),
    Case(
        "stops",
        "a trade fills exactly what is left, hftbacktest keeps the order, and the next trade at its price is an error",
        (Order("GTC", 1, 1005, 2),),
        ((2100, (1005, 2, -1)), (2101, (1005, 1, -1))),
        ((2, 2100, 2100, 1005),),
        None,
    ),
    Case(
        "two_of_ours",
        "one trade of 3 lots, two orders of 2 in front: together they get 3",
        (Order("GTC", 1, 1005, 2), Order("GTC", 1, 1005, 2)),
        ((2100, (1005, 3, -1)),),
        ((2, 2100, 2100, 1005), (1, 2100, 2100, 1005)),
        ((2, 2100, 2100, 1005), (2, 2100, 2100, 1005)),
    ),
    Case(
        "taken_twice",
        "100 lots at 101.0 and two orders that take 80 of them: the second finds 20",
        (Order("IOC", 1, 1010, 80), Order("IOC", 1, 1010, 80)),
        (),
        ((80, ARRIVES, ARRIVES, 1010), (20, ARRIVES, ARRIVES, 1010)),
        ((80, ARRIVES, ARRIVES, 1010), (80, ARRIVES, ARRIVES, 1010)),
    ),
    Case(
        "same_time",
        "an order arrives at the very time of a message: with us the order goes first, there the message does",
        (Order("IOC", 1, 1010, 10),),
        ((ARRIVES, [(-1, 1010, 0), (-1, 1020, 50)]),),
        ((10, ARRIVES, ARRIVES, 1010),),
        (_NONE,),
    ),
)


def given_of(case: Case) -> Given:
    """The case as a recording and a schedule."""
    rows: list[tuple[int, int, int, int, int, int]] = []
    begin = [(1, 1000, 100), (-1, 1010, 100)]
    rows.append((0, EventKind.BOOK, BookAction.CLEAR | BOOK_FULL, 2, 0, 0))
    rows += _message(0, begin, BOOK_FULL)
    for ms, what in case.told:
        if isinstance(what, list):
            rows += _message(ms, what)
        else:
            price, qty, aggressor = what
            rows.append((ms, EventKind.TRADE, 0, aggressor + 2, price, qty))
    rows += _message(60_000, [(1, 100, 1)])
    records = np.zeros(len(rows), MARKET_EVENT)
    for record, (ms, kind, flags, aux, price, qty) in zip(records, rows, strict=True):
        record["clock"] = record["ts_event"] = T0 + ms * MS
        record["kind"], record["flags"], record["aux"], record["p0"], record["p1"] = kind, flags, aux, price, qty
    orders = [(T0 + case.sent * MS, T0 + 30_000 * MS, o.side, o.price, o.qty, KINDS.index(o.kind)) for o in case.orders]
    return Given(COIN, records, np.array(orders, SCHEDULE))


def _message(ms: int, levels: list[Level], full: int = 0) -> list[tuple[int, int, int, int, int, int]]:
    rows = []
    for number, (side, price, qty) in enumerate(levels):
        last = BOOK_LAST if number == len(levels) - 1 else 0
        rows.append((ms, int(EventKind.BOOK), int(BookAction.SET) | full | last, side + 2, price, qty))
    return rows


def in_ms(outcome: np.void) -> Filled:
    """What became of an order, as cases say it."""
    filled, first, last, price = outcome.tolist()
    return filled, (first - T0) // MS if first else 0, (last - T0) // MS if last else 0, price

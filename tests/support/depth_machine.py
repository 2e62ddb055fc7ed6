"""A venue on its own with one order book, fed with groups of changes, trades and requests in the venue's time."""

from typing import Any

import numpy as np
from depth_rules import DepthRules
from machine import coin
from slow_ticks import NEVER
from tick_machine import Told, request_for

from lockstep.book.l2 import L2Book
from lockstep.book.l3 import L3Book
from lockstep.model.enums import BookAction, OrderEventKind
from lockstep.model.instrument import Instrument
from lockstep.model.record import BOOK_FULL, BOOK_LAST, MARKET_EVENT
from lockstep.model.rows import EventRows
from lockstep.model.traffic import make_request, make_terms
from lockstep.portfolio.portfolio import Portfolio
from lockstep.sim.liquidity import Liquidity
from lockstep.sim.market import Market
from lockstep.sim.models import BarFills, Latency, Slippage
from lockstep.sim.queue import QueueModel
from lockstep.sim.venue import Venue

_CANCEL = int(OrderEventKind.CANCEL_REQUEST)
_REPLACE = int(OrderEventKind.REPLACE_REQUEST)


def depth_venue(
    rules: DepthRules,
    *,
    latency: Latency | None = None,
    instrument: Instrument | None = None,
    hours: list[tuple[int, int]] | None = None,
    silence_max_ns: int = 0,
) -> Venue:
    """A venue with one market of a book under the rules."""
    traded = instrument or coin()
    valuation = Portfolio([traded], 10**9, 1.0).valuations[0]
    made = L3Book if rules.orders else L2Book
    book = made(traded, window=64, silence_max_ns=silence_max_ns)
    model = QueueModel(rules.queue, rules.power, traded.lot_size, 10.0**traded.qty_decimals)
    depth = Liquidity(book, model, rules.recovery, told_levels=rules.levels)
    fills = BarFills()
    market = Market(0, valuation, fills, hours or [], False, trades=rules.trades, depth=depth)
    slippage = Slippage(bps=rules.slip_bps)  # type: ignore[arg-type]
    return Venue([market], latency or Latency(entry_ns=rules.latency), slippage, fills, 0)


def tell(
    venue: Venue, ts: int, rows: list[tuple[str, int, int, int, int]], full: bool = False, last: bool = True
) -> None:
    """A group of changes, or the beginning of one: (what, side, price, quantity, id)."""
    records = np.zeros(len(rows), MARKET_EVENT)
    for k, (what, side, price, qty, ident) in enumerate(rows):
        records[k]["ts_event"] = records[k]["clock"] = ts
        records[k]["flags"] = BookAction[what] | BOOK_FULL * full | BOOK_LAST * (last and k == len(rows) - 1)
        records[k]["aux"] = side + 2
        records[k]["p0"], records[k]["p1"], records[k]["p2"] = price, qty, ident
    held = EventRows()
    held.hold(records)
    depth = venue.markets[0].depth
    if (
        depth is not None and depth.levels is not None
    ):  # at once, as the run loop does where nothing is reported in between
        venue.on_book(0, held, 0, len(rows))
        return
    for k in range(len(rows)):
        venue.on_book(0, held, k, k + 1)


def act(venue: Venue, what: str, ts: int, *rest: Any) -> None:
    """One action of those `slow_depth` names; besides ("replace", ts, id, quantity, limit)."""
    if what == "book":
        tell(venue, ts, *rest)
    elif what == "trade":
        venue.on_trade(0, ts, *rest)
    elif what == "send":
        venue.send(request_for(rest[0], ts, rest[1]))
    elif what == "replace":
        ident, qty, limit = rest
        terms = make_terms(1, 2, 1, 0, qty, limit, 0, 0, 0, 0)
        venue.send(make_request(_REPLACE, 0, 0, ts, ts, ident, terms, 1, 0))
    else:
        venue.send(make_request(_CANCEL, 0, 0, ts, ts, rest[0], None))


def play_book(rules: DepthRules, actions: list[tuple[Any, ...]], venue: Venue | None = None) -> tuple[Any, Any, Market]:
    """Run actions through a venue: what it told of each order, its fills, and the market as it was left."""
    venue = venue or depth_venue(rules)
    told = Told()
    for what, ts, *rest in actions:
        told.hear(venue, ts)
        act(venue, what, ts, *rest)
    told.hear(venue, NEVER - 1)
    return told.by_order, [fill[1:] for fill in sorted(told.fills)], venue.markets[0]

"""A venue on its own, fed with quotes, trades and requests in the venue's time: no engine and no run loop around it."""

from decimal import Decimal
from typing import Any

from machine import coin
from slow_ticks import NEVER, TickRules, TickWish

from lockstep.model.enums import Liquidity, OrderEventKind, OrderFlag, OrderType, Reason, TimeInForce
from lockstep.model.instrument import Instrument
from lockstep.model.traffic import OrderRequest, make_request, make_terms
from lockstep.portfolio.portfolio import Portfolio
from lockstep.sim.market import Market
from lockstep.sim.models import BarFills, Latency, Slippage
from lockstep.sim.venue import Venue

_SUBMIT = int(OrderEventKind.SUBMIT)
_CANCEL = int(OrderEventKind.CANCEL_REQUEST)


def venue_for(
    rules: TickRules,
    *,
    latency: Latency | None = None,
    instrument: Instrument | None = None,
    hours: list[tuple[int, int]] | None = None,
    volume_impact: Decimal = Decimal(0),
) -> Venue:
    """A venue with one market of quotes, trades or both, under the rules."""
    share = None if rules.share is None else Decimal(rules.share[0]) / Decimal(rules.share[1])
    fills = BarFills(limit_fill="touch" if rules.touch else "through", participation=share)
    valuation = Portfolio([instrument or coin()], 10**9, 1.0).valuations[0]
    market = Market(0, valuation, fills, hours or [], False, quotes=rules.quotes, trades=rules.trades)
    slippage = Slippage(bps=Decimal(rules.slip_bps), volume_impact=volume_impact)
    return Venue([market], latency or Latency(entry_ns=rules.latency), slippage, fills, 0)


def request_for(ident: int, ts: int, wish: TickWish) -> OrderRequest:
    """An order as the engine would send it at ts."""
    kinds = {"market": 1, "limit": 2, "stop": 3, "stop_limit": 4, "trailing": 5}
    flags = OrderFlag.POST_ONLY * wish.post_only | OrderFlag.REDUCE_ONLY * wish.reduce_only
    flags |= OrderFlag.TRAIL_PPM * wish.ppm
    terms = make_terms(
        wish.side, int(OrderType(kinds[wish.kind])), int(TimeInForce[wish.tif]), int(flags), wish.qty, wish.limit,
        wish.stop, wish.trail, wish.expire if wish.tif == "GTD" else 0, 0, wish.display,
    )  # fmt: skip
    return make_request(_SUBMIT, wish.owner, 0, ts, ts + wish.late, ident, terms)


class Told:
    """What the venue reported: by order, and the fills in the order of their ids."""

    def __init__(self) -> None:
        self.by_order: dict[int, list[tuple[Any, ...]]] = {}
        self.fills: list[tuple[Any, ...]] = []
        self.reports: list[Any] = []

    def hear(self, venue: Venue, until: int) -> None:
        """Take every report due by `until`."""
        while (report := venue.advance(until)) is not None:
            self.reports.append(report)
            kind = OrderEventKind(report.kind).name
            if kind == "FILL":
                maker = report.liquidity == Liquidity.MAKER
                what: tuple[Any, ...] = (kind, report.ts_event, report.qty, report.price, maker)
                self.fills.append((report.exec_id, report.order_id, *what[1:]))
            else:
                what = (kind, report.ts_event, Reason(report.reason).name)
            self.by_order.setdefault(report.order_id, []).append(what)


def play(rules: TickRules, actions: list[tuple[Any, ...]], venue: Venue | None = None) -> tuple[Any, Any, Market]:
    """Run actions through a venue: what it told of each order, its fills, and the market as it was left."""
    venue = venue or venue_for(rules)
    told = Told()
    for what, ts, *rest in actions:
        told.hear(venue, ts)
        if what == "quote":
            venue.on_quote(0, ts, *rest)
        elif what == "trade":
            venue.on_trade(0, ts, *rest)
        elif what == "send":
            venue.send(request_for(rest[0], ts, rest[1]))
        else:
            venue.send(make_request(_CANCEL, 0, 0, ts, ts, rest[0], None))
    told.hear(venue, NEVER - 1)
    market = venue.markets[0]
    return told.by_order, [fill[1:] for fill in sorted(told.fills)], market

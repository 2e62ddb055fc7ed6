"""The simulated venue as plain data, and back: what rests, what is under way with its exact times, chance, and the counters.

What the instruments and the venue's rules decide is not saved: it is made anew. Each object is written field by field under
the field's own name; a test compares the names with the declarations.
"""

from collections.abc import Mapping
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.sim.chance import Chance
    from cython.cimports.lockstep.sim.liquidity import Liquidity
    from cython.cimports.lockstep.sim.market import Market, Stake, VenueOrder
    from cython.cimports.lockstep.sim.queue import QueuePlace
    from cython.cimports.lockstep.sim.transit import InFlight
    from cython.cimports.lockstep.sim.venue import Venue
else:
    from lockstep.sim.chance import Chance
    from lockstep.sim.liquidity import Liquidity
    from lockstep.sim.market import Market, Stake, VenueOrder
    from lockstep.sim.queue import QueuePlace
    from lockstep.sim.transit import InFlight
    from lockstep.sim.venue import Venue
from lockstep.book.saved import restore_book, restore_ids, restore_rebuilt, save_book, save_ids, save_rebuilt
from lockstep.model.errors import StateError
from lockstep.model.saved import restore_report, restore_request, save_report, save_request


def save_venue(venue: Venue) -> dict[str, Any]:
    """Both queues from the next entry on, every market, and the counters."""
    return {
        "arrivals": [save_flight(flight) for flight in venue.arrivals[venue.next_arrival :]],
        "reports": [save_report(report) for report in venue.reports[venue.next_report :]],
        "last_arrival": venue.last_arrival,
        "last_answer": venue.last_answer,
        "answered_at": venue.answered_at,
        "next_due": venue.next_due,
        "next_expiry": venue.next_expiry,
        "chance": save_chance(venue.chance),
        "markets": [save_market(market) for market in venue.markets],
        "last_venue_id": venue.last_venue_id,
        "last_exec_id": venue.last_exec_id,
    }


def restore_venue(venue: Venue, saved: Mapping[str, Any]) -> None:
    """Continue from `save_venue`: the same instruments. Raises: StateError: others."""
    if len(saved["markets"]) != len(venue.markets):
        raise StateError(f"the saved venue has {len(saved['markets'])} markets, this one {len(venue.markets)}")
    venue.arrivals = [restore_flight(entry) for entry in saved["arrivals"]]
    venue.reports = [restore_report(entry) for entry in saved["reports"]]
    venue.next_arrival = 0
    venue.next_report = 0
    venue.last_arrival = saved["last_arrival"]
    venue.last_answer, venue.answered_at = saved["last_answer"], saved["answered_at"]
    venue.next_due = saved["next_due"]
    venue.next_expiry = saved["next_expiry"]
    restore_chance(venue.chance, saved["chance"])
    for market, entry in zip(venue.markets, saved["markets"], strict=True):
        restore_market(market, entry)
    venue.by_id = {order.order_id: order for market in venue.markets for order in market.resting}
    venue.last_venue_id = saved["last_venue_id"]
    venue.last_exec_id = saved["last_exec_id"]


def save_chance(chance: Chance) -> dict[str, Any]:
    """The stream of random draws."""
    return {"state": chance.state}


def restore_chance(chance: Chance, saved: Mapping[str, Any]) -> None:
    """Continue from `save_chance`."""
    chance.state = saved["state"]


def save_flight(flight: InFlight) -> dict[str, Any]:
    """A request on its way."""
    return {"request": save_request(flight.request), "arrival": flight.arrival}


def restore_flight(saved: Mapping[str, Any]) -> InFlight:
    """The request on its way that `save_flight` saw."""
    flight: InFlight = InFlight.__new__(InFlight)
    flight.request = restore_request(saved["request"])
    flight.arrival = saved["arrival"]
    return flight


def save_market(market: Market) -> dict[str, Any]:
    """One instrument at the venue: its orders, oldest first, what each strategy holds, and what is known of the price."""
    return {
        "resting": [save_venue_order(order, market) for order in market.resting],
        "held": [save_flight(flight) for flight in market.held],
        "stakes": [stake.net for stake in market.stakes],
        "matched_to": market.matched_to,
        "settled_to": market.settled_to,
        "last": market.last,
        "last_before": market.last_before,
        "net": market.net,
        "available": market.available,
        "bid": market.bid,
        "ask": market.ask,
        "bid_left": market.bid_left,
        "ask_left": market.ask_left,
        "quote_ts": market.quote_ts,
        "events": market.events,
        "crossed": market.crossed,
        "shown_bid": market.shown_bid,
        "shown_ask": market.shown_ask,
        "shown_bid_qty": market.shown_bid_qty,
        "shown_ask_qty": market.shown_ask_qty,
        "session_open": market.session_open,
        "session_close": market.session_close,
        "depth": None if market.depth is None else save_liquidity(market.depth),
    }


def restore_market(market: Market, saved: Mapping[str, Any]) -> None:
    """Continue from `save_market`."""
    market.stakes = [_stake(net) for net in saved["stakes"]]
    market.resting = [restore_venue_order(entry, market) for entry in saved["resting"]]
    market.held = [restore_flight(entry) for entry in saved["held"]]
    market.matched_to = saved["matched_to"]
    market.settled_to = saved["settled_to"]
    market.last = saved["last"]
    market.last_before = saved["last_before"]
    market.net = saved["net"]
    market.available = saved["available"]
    market.bid = saved["bid"]
    market.ask = saved["ask"]
    market.bid_left = saved["bid_left"]
    market.ask_left = saved["ask_left"]
    market.quote_ts = saved["quote_ts"]
    market.events = saved["events"]
    market.crossed = saved["crossed"]
    market.shown_bid = saved["shown_bid"]
    market.shown_ask = saved["shown_ask"]
    market.shown_bid_qty = saved["shown_bid_qty"]
    market.shown_ask_qty = saved["shown_ask_qty"]
    market.session_open = saved["session_open"]
    market.session_close = saved["session_close"]
    if market.depth is not None:
        restore_liquidity(market.depth, saved["depth"])


def save_liquidity(depth: Liquidity) -> dict[str, Any]:
    """The book at the venue and what we took of it."""
    return {
        "book": save_book(depth.book),
        "line": None if depth.line is None else save_rebuilt(depth.line),
        "marks": depth.marks.save(),
        "placements": depth.placements.save(),
        "in_group": depth.in_group,
        "shut": list(depth.shut),
        "unprinted": sorted(depth.unprinted.items()),
        "executed_at": depth.executed_at,
        "holes": depth.holes,
        "keys": list(depth.keys[: depth.holes]),
        "taken": list(depth.taken[: depth.holes]),
        "since": list(depth.since[: depth.holes]),
    }


def restore_liquidity(depth: Liquidity, saved: Mapping[str, Any]) -> None:
    """Continue from `save_liquidity`: the same kind of book, empty."""
    restore_book(depth.book, saved["book"])
    if depth.line is not None:
        restore_rebuilt(depth.line, saved["line"])
    depth.marks.restore(saved["marks"])
    depth.placements.restore(saved["placements"])
    depth.in_group = saved["in_group"]
    depth.shut = list(saved["shut"])
    while len(depth.keys) < saved["holes"]:
        depth._grow()
    depth.unprinted = dict(saved["unprinted"])
    depth.executed_at = saved["executed_at"]
    depth.holes = saved["holes"]
    for at in range(depth.holes):
        depth.keys[at], depth.taken[at], depth.since[at] = saved["keys"][at], saved["taken"][at], saved["since"][at]


def save_place(place: QueuePlace | None) -> dict[str, Any] | None:
    """A place in a queue."""
    if place is None:
        return None
    ids = None if place.ids is None else save_ids(place.ids)
    return {
        "ahead": place.ahead,
        "traded": place.traded,
        "told_ts": place.told_ts,
        "is_open": place.is_open,
        "gone": place.gone,
        "before": place.before,
        "least": place.least,
        "since": place.since,
        "mark": place.mark,
        "ids": ids,
    }


def restore_place(saved: Mapping[str, Any] | None) -> QueuePlace | None:
    """The place that `save_place` saw."""
    if saved is None:
        return None
    place: QueuePlace = QueuePlace.__new__(QueuePlace)
    place.ahead = saved["ahead"]
    place.traded = saved["traded"]
    place.told_ts = saved["told_ts"]
    place.is_open = saved["is_open"]
    place.gone = saved["gone"]
    place.before = saved["before"]
    place.least = saved["least"]
    place.since = saved["since"]
    place.mark = saved["mark"]
    place.ids = None if saved["ids"] is None else restore_ids(saved["ids"])
    return place


def _stake(net: cython.longlong) -> Stake:
    stake: Stake = Stake.__new__(Stake)
    stake.net = net
    return stake


def save_venue_order(order: VenueOrder, market: Market) -> dict[str, Any]:
    """An order as the venue has it. stake: the number of its strategy's stake among the market's."""
    return {
        "order_id": order.order_id,
        "venue_order_id": order.venue_order_id,
        "qty": order.qty,
        "leaves": order.leaves,
        "limit_price": order.limit_price,
        "stop_price": order.stop_price,
        "trail": order.trail,
        "best": order.best,
        "basis_ts": order.basis_ts,
        "arrival": order.arrival,
        "expire_ts": order.expire_ts,
        "last_clock": order.last_clock,
        "met": order.met,
        "instrument": order.instrument,
        "side": order.side,
        "order_type": order.order_type,
        "time_in_force": order.time_in_force,
        "flags": order.flags,
        "bars_to_wait": order.bars_to_wait,
        "fresh": order.fresh,
        "crossing": order.crossing,
        "waiting": order.waiting,
        "charged": order.charged,
        "place": save_place(order.place),
        "placement": order.placement,
        "display": order.display,
        "tip": order.tip,
        "spared": order.spared,
        "sparing": order.sparing,
        "stake": next(number for number, stake in enumerate(market.stakes) if stake is order.stake),
    }


def restore_venue_order(saved: Mapping[str, Any], market: Market) -> VenueOrder:
    """The order that `save_venue_order` saw, in a market whose stakes are restored."""
    order: VenueOrder = VenueOrder.__new__(VenueOrder)
    order.order_id = saved["order_id"]
    order.venue_order_id = saved["venue_order_id"]
    order.qty = saved["qty"]
    order.leaves = saved["leaves"]
    order.limit_price = saved["limit_price"]
    order.stop_price = saved["stop_price"]
    order.trail = saved["trail"]
    order.best = saved["best"]
    order.basis_ts = saved["basis_ts"]
    order.arrival = saved["arrival"]
    order.expire_ts = saved["expire_ts"]
    order.last_clock = saved["last_clock"]
    order.met = saved["met"]
    order.instrument = saved["instrument"]
    order.side = saved["side"]
    order.order_type = saved["order_type"]
    order.time_in_force = saved["time_in_force"]
    order.flags = saved["flags"]
    order.bars_to_wait = saved["bars_to_wait"]
    order.fresh = saved["fresh"]
    order.crossing = saved["crossing"]
    order.waiting = saved["waiting"]
    order.charged = saved["charged"]
    order.place = restore_place(saved["place"])
    order.placement = saved["placement"]
    order.display = saved.get("display", 0)
    order.tip = saved.get("tip", 0)
    order.spared = saved.get("spared", 0)
    order.sparing = saved.get("sparing", 0)
    order.stake = market.stakes[saved["stake"]]
    return order

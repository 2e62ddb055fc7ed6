"""What a strategy typed of an order, checked in Python terms: its time in force, type, flags, display and trail.

name: the strategy's, which every refusal begins with. Raises: StrategyError: it cannot be an order.
"""

from typing import Any

import cython

from lockstep.engine.seating import is_time
from lockstep.model.enums import OrderFlag, OrderType, TimeInForce
from lockstep.model.errors import InstrumentError, ParseError, StrategyError, did_you_mean
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import Number, exact_decimal, number_text
from lockstep.model.traffic import HIDDEN


def time_in_force(name: str, clock: cython.longlong, tif: TimeInForce | str, expire: Any) -> TimeInForce:
    """The time in force, whose end is after the clock, ns UTC."""
    try:
        force = TimeInForce[tif.upper()] if isinstance(tif, str) else TimeInForce(tif)
    except (KeyError, ValueError):
        names = [entry.name for entry in TimeInForce]
        raise StrategyError(f"unknown time in force {tif!r}", hint=did_you_mean(str(tif).upper(), names)) from None
    if force is TimeInForce.GTD:
        if not is_time(expire) or expire <= clock:
            raise StrategyError(f"{name}: GTD needs expire= after the present time, ns UTC: was {expire!r}")
    elif expire:
        raise StrategyError(f"{name}: expire= goes with tif=GTD, time in force was {force.name}")
    return force


def order_type(
    name: str,
    limit: Number | None,
    stop: Number | None,
    trail: Number | None,
    trail_bps: Number | None,
    force: TimeInForce,
) -> OrderType:
    """What kind of order the prices given make."""
    kind = OrderType.MARKET
    if trail is not None or trail_bps is not None:
        kind = OrderType.TRAILING_STOP
        if trail is not None and trail_bps is not None:
            raise StrategyError(f"{name}: a trailing stop takes trail= or trail_bps=, was given both")
        if limit is not None or stop is not None:
            raise StrategyError(
                f"{name}: a trailing stop has neither limit= nor stop=: it fills at the market",
                hint="trail= alone; the stop follows the price",
            )
    elif limit is not None:
        kind = OrderType.LIMIT if stop is None else OrderType.STOP_LIMIT
    elif stop is not None:
        kind = OrderType.STOP
    if kind not in (OrderType.MARKET, OrderType.LIMIT) and force in (TimeInForce.IOC, TimeInForce.FOK):
        raise StrategyError(f"{name}: a stop order cannot be {force.name}: it waits by nature")
    return kind


def order_flags(name: str, kind: OrderType, force: TimeInForce, post_only: Any, reduce_only: Any) -> OrderFlag:
    """What an order may not do."""
    for word, value in (("post_only", post_only), ("reduce_only", reduce_only)):
        if not isinstance(value, bool):
            raise StrategyError(f"{name}: {word}= is True or False, was {value!r}")
    if post_only and kind is not OrderType.LIMIT:
        raise StrategyError(
            f"{name}: post_only is for limit orders, this one is {kind.name}",
            hint="add limit=, or leave post_only out: only a limit can rest",
        )
    if post_only and force in (TimeInForce.IOC, TimeInForce.FOK):
        raise StrategyError(f"{name}: post_only cannot be {force.name}: it would have to take at once")
    flags = OrderFlag(0)
    if post_only:
        flags |= OrderFlag.POST_ONLY
    if reduce_only:
        flags |= OrderFlag.REDUCE_ONLY
    return flags


def display_units(
    name: str,
    item: Instrument,
    kind: OrderType,
    force: TimeInForce,
    units: cython.longlong,
    display_qty: Number,
) -> cython.longlong:
    """How much of an order is shown at a time, units; HIDDEN for nothing."""
    if kind not in (OrderType.LIMIT, OrderType.STOP_LIMIT) or force in (TimeInForce.IOC, TimeInForce.FOK):
        raise StrategyError(
            f"{name}: display_qty= is for limits that rest, this one is {kind.name} {force.name}",
            hint="add limit=, or leave display_qty out: only what rests can be shown or hidden",
        )
    try:
        shows: cython.bint = exact_decimal(number_text(display_qty, "display_qty")) != 0
    except ParseError as e:
        raise StrategyError(f"{name}: display_qty takes a number: {e}") from None
    if not shows:
        return HIDDEN
    try:
        shown: cython.longlong = item.qty_from(display_qty)
    except InstrumentError as e:
        raise InstrumentError(f"display_qty of {name}: {e}; 0 shows nothing", hint=e.hint) from None
    if shown > units:
        raise StrategyError(
            f"{name}: display_qty was {item.qty_text(shown)}, limit the order's quantity, {item.qty_text(units)}",
            hint="leave display_qty out to show all of it",
        )
    return shown


def trail_ppm(name: str, trail_bps: Number) -> int:
    """Millionths of the price from what was typed in hundredths of a percent."""
    try:
        exact = exact_decimal(number_text(trail_bps, "trail_bps"))
    except ParseError as e:
        raise StrategyError(f"{name}: trail_bps takes a number: {e}") from None
    if not 0 < exact < 10_000:
        raise StrategyError(f"{name}: trail_bps was {trail_bps}, limit above 0 to below 10000 (all of the price)")
    ppm = exact * 100
    if ppm != int(ppm):
        raise StrategyError(f"{name}: trail_bps was {trail_bps}, steps of 0.01")
    return int(ppm)

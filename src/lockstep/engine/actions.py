"""Corporate actions and charges at the engine: positions and cash, then the past of indicators and windows."""

from fractions import Fraction
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.engine.groups import split_groups
    from cython.cimports.lockstep.engine.state import State
    from cython.cimports.lockstep.engine.subscription import Subscription
    from cython.cimports.lockstep.model.traffic import split_display
    from cython.cimports.lockstep.orders.order import Order
    from cython.cimports.lockstep.portfolio.position import Holding
else:
    from lockstep.engine.groups import split_groups
    from lockstep.engine.state import State
    from lockstep.engine.subscription import Subscription
    from lockstep.model.traffic import split_display
    from lockstep.orders.order import Order
    from lockstep.portfolio.position import Holding
from lockstep.engine.records import BORROW, DIVIDEND, FUNDING, IN_LIEU, SPLIT
from lockstep.model.enums import CorporateAction

_SPLIT = cython.declare(cython.int, int(CorporateAction.SPLIT))
_FUNDING = cython.declare(cython.int, int(CorporateAction.FUNDING))
_BORROW = cython.declare(cython.int, int(CorporateAction.BORROW))


def take_action(
    state: State,
    subscriptions: list[Any],
    instrument: cython.int,
    what: cython.int,
    first: cython.longlong,
    second: cython.longlong,
    third: cython.longlong,
) -> cython.int:
    """A split or dividend, before its session opens, or a charge. subscriptions: of the instrument; the rest: its words.

    Indicators read point-in-time prices: what they have seen is restated in today's shares, without look-ahead.
    """
    if what == _FUNDING or what == _BORROW:
        return _take_charge(state, instrument, what, first, second, third)
    holding: Holding = cython.cast(Holding, state.portfolio.holdings[instrument])
    before: cython.longlong = holding.last_units
    price_factor: cython.double = 1.0
    volume_factor: cython.double = 1.0
    if what == _SPLIT:
        rests = state.portfolio.split(instrument, first, second)
        split_groups(state, instrument, first, second)
        if not state.in_history:
            holding.split_ts = state.clock
            state.log_plain(SPLIT, instrument, 0, 0, first, second, 0, 0)
        _split_displays(state, instrument, first, second, holding.instrument.lot_size)
        for owner, money, profit in rests:
            state.log_posting(IN_LIEU, instrument, owner, 0, 0, money)
            state.add_profit(profit)
        price_factor = cython.cast(cython.double, second) / first
        volume_factor = cython.cast(cython.double, first) / second
    else:
        paid = state.portfolio.dividend(instrument, first, second)
        for owner, money in paid:
            state.log_posting(DIVIDEND, instrument, owner, first, second, money)
        decimals = holding.instrument.price_decimals
        if before > 0:
            price_factor = 1.0 - (first * 10.0**decimals / 10.0**second) / before
    for entry in subscriptions:
        sub: Subscription = cython.cast(Subscription, entry)
        if price_factor > 0.0:
            for indicators in sub.sets():
                indicators.rescale(price_factor, volume_factor)
        if what == _SPLIT and sub.features is not None:
            sub.features.reset()  # prices and orders of before say nothing of the book of after
        if price_factor > 0.0 and sub.window is not None:
            sub.window.rescale(price_factor, volume_factor)
        if what == _SPLIT and sub.watch is not None:
            sub.watch.on_split(sub.instrument, price_factor, volume_factor)
    return 0


def _split_displays(
    state: State, instrument: cython.int, new_shares: Any, old_shares: Any, lot: cython.longlong
) -> cython.int:
    """A split: icebergs show as much as before, in new shares. The venue does the same."""
    order: Order
    for entry in state.orders.by_id.values():
        order = cython.cast(Order, entry)
        if order.instrument_index == instrument and order.display_units > 0:
            order.display_units = split_display(order.display_units, new_shares, old_shares, lot)
            state.log_display(order)
    return 0


def _take_charge(
    state: State,
    instrument: cython.int,
    what: cython.int,
    rate: cython.longlong,
    decimals: cython.longlong,
    mark: cython.longlong,
) -> cython.int:
    """Funding of a perpetual contract, or a day's borrowing of what is held short: cash alone moves."""
    if state.in_history:
        return 0
    digits: cython.py_int = decimals  # a C exponent would make the power a float
    exact = Fraction(rate, 10**digits)
    kind = FUNDING if what == _FUNDING else BORROW
    paid = (
        state.portfolio.fund(instrument, exact, mark) if kind == FUNDING else state.portfolio.borrow(instrument, exact)
    )
    for owner, money in paid:
        state.log_posting(kind, instrument, owner, rate, decimals, money)
    return 0

"""A split or dividend at the engine: positions and cash, then the past of indicators and windows."""

from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.engine.groups import split_groups
    from cython.cimports.lockstep.engine.state import State, Subscription
    from cython.cimports.lockstep.portfolio.position import Holding
else:
    from lockstep.engine.groups import split_groups
    from lockstep.engine.state import State, Subscription
    from lockstep.portfolio.position import Holding
from lockstep.engine.records import DIVIDEND, SPLIT
from lockstep.model.enums import CorporateAction

_SPLIT = cython.declare(cython.int, int(CorporateAction.SPLIT))


def take_action(
    state: State,
    subscriptions: list[Any],
    instrument: cython.int,
    what: cython.int,
    first: cython.longlong,
    second: cython.longlong,
) -> cython.int:
    """A split or dividend, before its session opens. subscriptions: of the instrument.

    Indicators read point-in-time prices: what they have seen is restated in today's shares, without look-ahead.
    """
    holding: Holding = cython.cast(Holding, state.portfolio.holdings[instrument])
    before: cython.longlong = holding.last_units
    price_factor: cython.double = 1.0
    volume_factor: cython.double = 1.0
    if what == _SPLIT:
        state.portfolio.split(instrument, first, second)
        split_groups(state, instrument, first, second)
        if not state.in_history:
            state.log_plain(SPLIT, instrument, 0, 0, first, second, 0, 0)
        price_factor = cython.cast(cython.double, second) / first
        volume_factor = cython.cast(cython.double, first) / second
    else:
        paid = state.portfolio.dividend(instrument, first, second)
        for owner, money in paid:
            state.log_plain(DIVIDEND, instrument, owner, 0, first, second, _low_word(money), 0)
        decimals = holding.instrument.price_decimals
        if before > 0:
            price_factor = 1.0 - (first * 10.0**decimals / 10.0**second) / before
    for entry in subscriptions:
        sub: Subscription = cython.cast(Subscription, entry)
        if price_factor > 0.0:
            for indicators in sub.sets():
                indicators.rescale(price_factor, volume_factor)
        if price_factor > 0.0 and sub.window is not None:
            sub.window.rescale(price_factor, volume_factor)
    return 0


def _low_word(value: int) -> int:
    """The low 64 bits of an int, signed."""
    low = value & 0xFFFFFFFFFFFFFFFF
    return low - (1 << 64) if low >= 1 << 63 else low

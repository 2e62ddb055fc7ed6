"""Lockstep: one strategy file, the same decisions everywhere.

What a strategy file needs is here: `from lockstep import EMA, Strategy`. Names are loaded when first used, so that
`import lockstep` stays instant. `LOCKSTEP_PURE=1`, set before the first import, runs the hot modules uncompiled, for
debugging and coverage.
"""

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lockstep._version import __version__ as __version__

if os.environ.get("LOCKSTEP_PURE", "") not in ("", "0"):
    from lockstep._pure import install

    install(sys.meta_path, __path__[0])

if TYPE_CHECKING:
    from lockstep.book.window import MarketWindow
    from lockstep.features.averages import EMA, SMA
    from lockstep.features.crossing import CrossOver
    from lockstep.features.oscillators import RSI
    from lockstep.features.ranges import ATR, Highest, Lowest
    from lockstep.features.sources import Close, Volume
    from lockstep.model.enums import OrderState, OrderType, Reason, Side, SignalAction, TimeInForce
    from lockstep.model.events import Bar, BookUpdate, Quote, Trade
    from lockstep.model.instrument import Instrument, Rounding
    from lockstep.model.messages import Fill, OrderEvent, Timer
    from lockstep.orders.order import Order
    from lockstep.strategy.base import Strategy
    from lockstep.strategy.params import param

_WHERE = {
    "ATR": "lockstep.features.ranges",
    "Bar": "lockstep.model.events",
    "BookUpdate": "lockstep.model.events",
    "Close": "lockstep.features.sources",
    "CrossOver": "lockstep.features.crossing",
    "EMA": "lockstep.features.averages",
    "Fill": "lockstep.model.messages",
    "Highest": "lockstep.features.ranges",
    "Instrument": "lockstep.model.instrument",
    "Lowest": "lockstep.features.ranges",
    "MarketWindow": "lockstep.book.window",
    "Order": "lockstep.orders.order",
    "OrderEvent": "lockstep.model.messages",
    "OrderState": "lockstep.model.enums",
    "OrderType": "lockstep.model.enums",
    "Quote": "lockstep.model.events",
    "RSI": "lockstep.features.oscillators",
    "Reason": "lockstep.model.enums",
    "Rounding": "lockstep.model.instrument",
    "SMA": "lockstep.features.averages",
    "Side": "lockstep.model.enums",
    "SignalAction": "lockstep.model.enums",
    "Strategy": "lockstep.strategy.base",
    "TimeInForce": "lockstep.model.enums",
    "Timer": "lockstep.model.messages",
    "Trade": "lockstep.model.events",
    "Volume": "lockstep.features.sources",
    "param": "lockstep.strategy.params",
}

__all__ = ["__version__", *_WHERE]  # noqa: PLE0604 - the names below are loaded by __getattr__


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'lockstep' has no attribute {name!r}")
    value = getattr(import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

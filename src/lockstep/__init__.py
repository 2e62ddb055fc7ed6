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
    from lockstep.book.window import MarketWindow as MarketWindow
    from lockstep.features.averages import EMA as EMA
    from lockstep.features.averages import SMA as SMA
    from lockstep.features.crossing import CrossOver as CrossOver
    from lockstep.features.oscillators import RSI as RSI
    from lockstep.features.ranges import ATR as ATR
    from lockstep.features.ranges import Highest as Highest
    from lockstep.features.ranges import Lowest as Lowest
    from lockstep.features.sources import Close as Close
    from lockstep.features.sources import Volume as Volume
    from lockstep.model.enums import OrderState as OrderState
    from lockstep.model.enums import OrderType as OrderType
    from lockstep.model.enums import Reason as Reason
    from lockstep.model.enums import Side as Side
    from lockstep.model.enums import SignalAction as SignalAction
    from lockstep.model.enums import TimeInForce as TimeInForce
    from lockstep.model.events import Bar as Bar
    from lockstep.model.events import BookUpdate as BookUpdate
    from lockstep.model.events import Quote as Quote
    from lockstep.model.events import Trade as Trade
    from lockstep.model.instrument import Instrument as Instrument
    from lockstep.model.instrument import Rounding as Rounding
    from lockstep.model.messages import Fill as Fill
    from lockstep.model.messages import OrderEvent as OrderEvent
    from lockstep.model.messages import Timer as Timer
    from lockstep.orders.order import Order as Order
    from lockstep.strategy.base import Strategy as Strategy
    from lockstep.strategy.params import param as param

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

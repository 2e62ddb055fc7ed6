"""Order books (`book.l2`, `book.l3`) and market windows. Importing this package does not import numpy."""

from lockstep.book.ring import WindowBar
from lockstep.book.window import MarketWindow

__all__ = ["MarketWindow", "WindowBar"]

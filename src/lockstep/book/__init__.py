"""Order books and market windows. Importing this package does not import numpy."""

from lockstep.book.l2 import L2Book
from lockstep.book.l3 import L3Book, Place, Resting
from lockstep.book.ring import WindowBar
from lockstep.book.standing import Level
from lockstep.book.window import MarketWindow

__all__ = ["L2Book", "L3Book", "Level", "MarketWindow", "Place", "Resting", "WindowBar"]

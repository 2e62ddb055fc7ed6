"""Records for books, made by hand: they state a rule, never a market."""

import numpy as np

from lockstep.model.enums import AssetClass, BookAction, EventKind
from lockstep.model.instrument import Instrument
from lockstep.model.record import MARKET_EVENT
from lockstep.model.rows import EventRows

TICK = 25
COIN = Instrument(
    venue="TEST", symbol="COIN", asset_class=AssetClass.CRYPTO, base_currency="COIN", quote_currency="USD",
    price_decimals=2, qty_decimals=3, tick_size=TICK,
)  # fmt: skip


def rows(*steps: tuple[BookAction, int, int, int, int]) -> EventRows:
    """(action, side, price or state, quantity or reason, flags) each."""
    return order_rows(*((*step[:4], 0, step[4]) for step in steps))


def order_rows(*steps: tuple[BookAction, int, int, int, int, int]) -> EventRows:
    """(action, side, price, quantity, order id, flags) each; times are 1, 2, 3, ..."""
    records = np.zeros(len(steps), MARKET_EVENT)
    for k, (action, side, price, qty, order_id, flags) in enumerate(steps):
        records[k]["ts_event"] = k + 1
        records[k]["kind"] = int(EventKind.BOOK)
        records[k]["flags"] = int(action) | flags
        records[k]["aux"] = side + 2
        records[k]["p0"], records[k]["p1"], records[k]["p2"] = price, qty, order_id
    held = EventRows()
    held.hold(records)
    return held

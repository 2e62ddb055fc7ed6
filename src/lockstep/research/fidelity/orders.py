"""The orders of a recording that rested as ours could have, and why others are left out."""

from typing import NamedTuple

from lockstep.sim.queue import QueuePlace

FILLED, PARTIAL, CANCELLED = "filled", "partial", "cancelled"
FATES = (FILLED, PARTIAL, CANCELLED)
"""Executed in full; executed in part, then cancelled; cancelled untouched."""

LEFT_OUT = {
    "before": "rested before the recording, or in its full book: place unknown",
    "auction": "came while the book was in an auction",
    "marketable": "reached the other side when it came",
    "modified": "changed while it rested",
    "stopped": "taken out by the venue in the very event that traded at its price: prevention of self-matching",
    "iceberg": "showed anew after all that it showed was executed",
    "open": "its end is not in the recording",
    "behind": "stood for a while behind the levels that are told",
}
"""Why an order is not followed. The first that holds counts."""

DISTANCES = ("improves", "0", "1", "2", "3-5", ">5")


class RealOrder:
    """An order as the recording tells it. Prices and quantities: units; rows: of the tape.

    row: of its arrival; ended: of its last change, -1 where there is none. shown: what the level held when it came. ticks: from
    the best of its own side, below 0 where it is better. place: in the queue of single orders; None where not all of them are known.
    executed: of it, in all.
    """

    __slots__ = (
        "ended", "executed", "flaw", "left", "order_id", "place", "price", "qty", "row", "shown", "side", "ticks",
    )  # fmt: skip

    def __init__(self, order_id: int, side: int, price: int, qty: int, row: int) -> None:
        self.order_id, self.side, self.price, self.qty, self.row = order_id, side, price, qty, row
        self.left = qty
        self.executed = 0
        self.ended = -1
        self.flaw = ""
        self.shown = 0
        self.ticks = 0
        self.place: QueuePlace | None = None

    @property
    def fate(self) -> str:
        """What became of it; for one that has ended."""
        if self.executed == 0:
            return CANCELLED
        return FILLED if self.executed == self.qty else PARTIAL

    @property
    def distance(self) -> str:
        """How far from the best it came, as one of DISTANCES."""
        if self.ticks < 0:
            return "improves"
        return str(self.ticks) if self.ticks <= 2 else "3-5" if self.ticks <= 5 else ">5"


class Sorted(NamedTuple):
    """The orders to follow, and how many are left out for which reason of LEFT_OUT."""

    followed: list[RealOrder]
    left_out: dict[str, int]


def sort_out(orders: list[RealOrder]) -> Sorted:
    """Those without a flaw, in the order of their arrival."""
    followed = []
    left_out = dict.fromkeys(LEFT_OUT, 0)
    for order in orders:
        flaw = order.flaw or ("open" if order.ended < 0 else "")
        if flaw:
            left_out[flaw] += 1
        else:
            followed.append(order)
    return Sorted(followed, left_out)


def half_of(order_id: int) -> int:
    """0 or 1, by a mix of the bits of an order's id that is the same on every machine.

    Source: Steele, Lea, Flood (2014), "Fast splittable pseudorandom number generators": the finaliser of SplitMix64.
    """
    mask = 2**64 - 1
    x = (order_id + 0x9E3779B97F4A7C15) & mask
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
    return (x ^ (x >> 31)) & 1

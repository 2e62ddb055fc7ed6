"""The best bid and offer across venues, of one instrument: who has it, how old each venue's word is, and what cannot be true.

A venue whose last word is too old, or that has said that it is not good, is left out: a price that nobody stands behind is no
price. The best bid at or above the best offer of another venue is locked or crossed: real for as long as venues need to
hear of each other, and never a reason to drop one silently.
"""

from collections.abc import Sequence
from typing import NamedTuple, SupportsIndex

from lockstep.model.arguments import whole
from lockstep.model.errors import UsageError, did_you_mean

_TS_MAX = 2**63 - 1


class Side(NamedTuple):
    """The best of one side: price and qty (summed over the venues that are there) in units; venues: in the order they were named."""

    price: int
    qty: int
    venues: tuple[str, ...]


class Nbbo(NamedTuple):
    """The best of all venues at a time. bid, ask: None where no venue that counts has that side. left_out: venue -> why.

    condition: "normal", "locked" (bid at ask), "crossed" (above it) or "one-sided".
    """

    bid: Side | None
    ask: Side | None
    condition: str
    left_out: dict[str, str]


class _Venue:
    __slots__ = ("ask", "ask_qty", "bid", "bid_qty", "good", "ts")

    def __init__(self) -> None:
        self.bid = self.ask = self.bid_qty = self.ask_qty = self.ts = 0
        self.good = True


class BestOfVenues:
    """Takes each venue's best bid and offer, gives the best of all.

    Args:   venues: their names. stale_ns: how old a venue's last word may be, ns.
    Raises: UsageError: no venue, one named twice, or a time below 1.
    """

    def __init__(self, venues: Sequence[str], stale_ns: int) -> None:
        if not venues or len(set(venues)) != len(venues):
            raise UsageError(f"venues were {list(venues)}: each is named once, and there must be one")
        if stale_ns < 1:
            raise UsageError(f"stale_ns was {stale_ns}, must be 1 or more")
        self.stale_ns = stale_ns
        self.crossings = 0
        self._venues = {name: _Venue() for name in venues}
        self._was_crossed = False

    def update(
        self,
        venue: str,
        ts: SupportsIndex,
        bid: SupportsIndex,
        bid_qty: SupportsIndex,
        ask: SupportsIndex,
        ask_qty: SupportsIndex,
    ) -> None:
        """A venue's best prices and quantities, units; quantity 0 is a side without an order. ts: when it was heard, ns UTC.

        Raises: UsageError: no such venue. ValueError: a quantity below 0, or a time before the venue's last word.
        """
        there = self._of(venue)
        at = whole("ts", ts, there.ts, _TS_MAX)
        there.bid_qty, there.ask_qty = whole("bid_qty", bid_qty, 0, _TS_MAX), whole("ask_qty", ask_qty, 0, _TS_MAX)
        there.bid, there.ask = whole("bid", bid, -_TS_MAX, _TS_MAX), whole("ask", ask, -_TS_MAX, _TS_MAX)
        there.ts, there.good = at, True

    def mark_bad(self, venue: str) -> None:
        """A venue's book is not good until its next update. Raises: UsageError: no such venue."""
        self._of(venue).good = False

    def at(self, clock: int) -> Nbbo:
        """The best of all venues that count at a time. clock: ns UTC."""
        left_out: dict[str, str] = {}
        counted: dict[str, _Venue] = {}
        for name, venue in self._venues.items():
            if not venue.ts:
                left_out[name] = "nothing heard yet"
            elif not venue.good:
                left_out[name] = "its book is not good"
            elif clock - venue.ts > self.stale_ns:
                left_out[name] = f"last heard {(clock - venue.ts) / 1e9:.3f} s ago, limit {self.stale_ns / 1e9:.3f}"
            else:
                counted[name] = venue
        bid = _best([(name, venue.bid, venue.bid_qty) for name, venue in counted.items()], 1)
        ask = _best([(name, venue.ask, venue.ask_qty) for name, venue in counted.items()], -1)
        condition = _condition(bid, ask)
        if condition == "crossed" and not self._was_crossed:
            self.crossings += 1
        self._was_crossed = condition == "crossed"
        return Nbbo(bid, ask, condition, left_out)

    def _of(self, venue: str) -> _Venue:
        if venue not in self._venues:
            raise UsageError(f"no venue {venue!r}", hint=did_you_mean(venue, self._venues))
        return self._venues[venue]


def _best(quotes: Sequence[tuple[str, int, int]], side: int) -> Side | None:
    standing = [quote for quote in quotes if quote[2] > 0]
    if not standing:
        return None
    price = max((quote[1] for quote in standing), key=lambda at: at * side)
    there = [quote for quote in standing if quote[1] == price]
    return Side(price, sum(quote[2] for quote in there), tuple(quote[0] for quote in there))


def _condition(bid: Side | None, ask: Side | None) -> str:
    if bid is None or ask is None:
        return "one-sided"
    return "crossed" if bid.price > ask.price else "locked" if bid.price == ask.price else "normal"

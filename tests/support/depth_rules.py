"""What the slow twin of a venue on a book knows: its rules, our orders and those of the recorded book."""

from dataclasses import dataclass, field

from slow_ticks import TickWish


@dataclass
class DepthRules:
    """How the venue behaves. orders: the book is told order by order; trades: the run has public trades; levels: so many of a side
    are told, 0: all."""

    orders: bool = False
    trades: bool = True
    latency: int = 0
    queue: str = "pessimistic"
    power: float = 1.0
    recovery: int = 0
    slip_bps: int = 0
    levels: int = 0


@dataclass
class Mine:
    """An order at the venue. state: stop (waits for its trigger), new (has met nothing), takes (wants more), rests."""

    id: int
    wish: TickWish
    arrival: int
    basis: int
    left: int
    state: str
    best: int = 0
    stop: int = 0
    over: bool = False
    seen: bool = False
    met: int = -1
    ahead: float = 0.0
    trades: list[int] = field(default_factory=list)
    told: list[tuple[int, int]] = field(default_factory=list)  # (before, after) of the level, at the moment told_ts
    told_ts: int = -1
    since: int = -1
    mark: int = 0
    before: set[int] | None = None
    dark: bool = False  # its level lies behind those that are told
    first: bool = False  # a trade beyond its price left nobody ahead
    tip: int = 0
    spared: int = 0  # what others still have before our shown part, since ours was filled in their place
    sparing: int = 0  # and behind it


@dataclass
class Theirs:
    """An order of the recorded book."""

    side: int
    price: int
    qty: int

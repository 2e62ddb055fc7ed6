"""Short words for what happens at a venue with an order book: times since T0, one book, orders numbered by hand."""

from typing import Any

from depth_machine import play_book
from machine import T0
from slow_depth import DepthRules
from slow_ticks import TickWish

LEVELS = DepthRules()
SHARE = DepthRules(queue="power")
QUIET = DepthRules(trades=False)
ORDERS = DepthRules(orders=True, queue="exact")
STANDING = [("SET", 1, 99, 10), ("SET", 1, 98, 20), ("SET", -1, 101, 10), ("SET", -1, 102, 20), ("SET", -1, 104, 30)]


def full(ts: int, *levels: tuple[str, int, int, int]) -> tuple[Any, ...]:
    rows = [("CLEAR", 0, 0, 0, 0), *((*level, 0) for level in levels or STANDING)]
    return ("book", T0 + ts, rows, True, True)


def b(ts: int, *rows: tuple[Any, ...], last: bool = True) -> tuple[Any, ...]:
    return ("book", T0 + ts, [row if len(row) == 5 else (*row, 0) for row in rows], False, last)


def t(ts: int, price: int, qty: int = 10, aggressor: int = -1) -> tuple[Any, ...]:
    return ("trade", T0 + ts, price, qty, aggressor)


def send(ts: int, ident: int, **wish: Any) -> tuple[Any, ...]:
    fields = {"side": 1, "qty": 5} | wish
    if "limit" in fields and "kind" not in fields:
        fields["kind"] = "limit"
    return ("send", T0 + ts, ident, TickWish(**fields))


def fills(rules: DepthRules, *actions: tuple[Any, ...]) -> list[tuple[int, int, int, int, str]]:
    """(order, time since T0, quantity, price, liquidity)."""
    _, made, _ = play_book(rules, list(actions))
    return [(ident, ts - T0, qty, price, "maker" if maker else "taker") for ident, ts, qty, price, maker in made]


def words(rules: DepthRules, ident: int, *actions: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """What the venue said of an order: (kind, time since T0, reason or quantity ...)."""
    told, _, _ = play_book(rules, list(actions))
    return [(kind, ts - T0, *rest) for kind, ts, *rest in told[ident]]

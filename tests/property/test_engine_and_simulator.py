"""The simulator beside the matching engine: an order of ours in a recorded book fares as it would have in the book itself.

The market is made by the matching engine: orders that rest, leave, and take. It is run twice: with our order among them, matched by
the engine; and without it, recorded order by order, with our order given to the simulator. Takers are market orders for no more
than rests, so that the record shows all that they wanted.
"""

from dataclasses import dataclass
from typing import Any

from depth_machine import play_book
from hypothesis import event, given, settings
from hypothesis import strategies as st
from machine import T0, coin
from slow_depth import DepthRules
from slow_ticks import TickWish

from lockstep.book.l3 import L3Book
from lockstep.book.matching import Match, Matcher

MID = 100
OURS = 999


@dataclass
class Flow:
    """What others do, and where we come in. step: ("rest", id, side, price, qty), ("leave", id) or ("take", id, side, qty)."""

    steps: list[tuple[Any, ...]]
    at: int
    side: int
    price: int
    qty: int
    display: int = 0


def engine() -> Matcher:
    return Matcher(L3Book(coin(), window=64))


def act(market: Matcher, step: tuple[Any, ...]) -> list[Match]:
    what, ident, *rest = step
    if what == "rest":
        side, price, qty = rest
        assert not market.submit(ident, side, qty, price).matches
    elif what == "leave":
        market.cancel(ident)
    else:
        side, qty = rest
        return market.submit(ident, side, qty).matches
    return []


@st.composite
def flows(draw: st.DrawFn, iceberg: bool = False) -> Flow:
    """Bids at 96 to 99, asks at 101 to 104."""
    market = engine()
    steps: list[tuple[Any, ...]] = []
    resting: dict[int, int] = {}
    count = draw(st.integers(6, 30))
    for ident in range(1, count + 1):
        what = draw(st.sampled_from(["rest", "rest", "rest", "take", "take"] + ["leave"] * (not iceberg)))
        alive = [known for known in resting if market.left_of(known)]
        side = draw(st.sampled_from([1, -1]))
        there = sum(market.left_of(known) for known in alive if resting[known] == -side)
        if what == "leave" and alive:
            steps.append(("leave", draw(st.sampled_from(alive))))
        elif what == "take" and there:
            steps.append(("take", ident, side, draw(st.integers(1, min(there, 12)))))
        else:
            resting[ident] = side
            steps.append(("rest", ident, side, MID - side * draw(st.integers(1, 4)), draw(st.integers(1, 6))))
        act(market, steps[-1])
    side = draw(st.sampled_from([1, -1]))
    at = draw(st.integers(1, max(1, count // 2)))
    qty = draw(st.integers(1, 12))
    display = draw(st.integers(1, qty)) if iceberg else 0
    return Flow(steps, at, side, MID - side * draw(st.integers(1, 3)), qty, display)


def matched_by_the_engine(flow: Flow) -> list[tuple[int, int]]:
    """(step, our quantity filled so far) wherever it changed."""
    market = engine()
    found, filled = [], 0
    for k, step in enumerate(flow.steps):
        if k == flow.at:
            market.submit(OURS, flow.side, flow.qty, flow.price, shown=flow.display)
        part = sum(match.qty for match in act(market, step) if match.maker_id == OURS)
        if part:
            filled += part
            found.append((k, filled))
    return found


def filled_by_the_simulator(flow: Flow) -> list[tuple[int, int]]:
    market = engine()
    actions: list[tuple[Any, ...]] = [("book", T0, [("CLEAR", 0, 0, 0, 0)], True, True)]
    sides: dict[int, int] = {}
    for k, step in enumerate(flow.steps):
        ts = T0 + 10 * (k + 1)
        if k == flow.at:
            wish = TickWish(side=flow.side, qty=flow.qty, kind="limit", limit=flow.price, display=flow.display)
            actions.append(("send", ts - 5, 1, wish))
        if step[0] == "rest":
            sides[step[1]] = step[2]
            actions.append(("book", ts, [("ADD", *step[2:], step[1])], False, True))
        elif step[0] == "leave":
            actions.append(("book", ts, [("DELETE", sides[step[1]], 0, 0, step[1])], False, True))
        matches = act(market, step)
        if matches:
            rows = [("MATCH", sides[one.maker_id], one.price, one.qty, one.maker_id) for one in matches]
            actions.append(("book", ts, rows, False, True))
    _, fills, _ = play_book(DepthRules(orders=True, queue="exact", trades=False), actions)
    found: dict[int, int] = {}
    filled = 0
    for _, ts, qty, price, maker in fills:
        assert (price, maker) == (flow.price, True)
        filled += qty
        found[(ts - T0) // 10 - 1] = filled
    return sorted(found.items())


@settings(max_examples=400)
@given(flows())
def test_order_in_a_recorded_book_fares_as_in_the_matching_engine(flow: Flow) -> None:
    expected = matched_by_the_engine(flow)
    event(f"fills: {len(expected)}")
    assert filled_by_the_simulator(flow) == expected


@settings(max_examples=400)
@given(flows(iceberg=True))
def test_iceberg_in_a_recorded_book_fares_as_in_the_matching_engine(flow: Flow) -> None:
    """Nobody leaves: of a cancel the record says what an order had left, and not what ours had spared of it."""
    expected = matched_by_the_engine(flow)
    event(f"fills: {len(expected)}")
    assert filled_by_the_simulator(flow) == expected

"""Random orders on random books against a venue written twice. The books state a rule, never a market."""

from collections import defaultdict
from typing import Any

from depth_machine import act, depth_venue, play_book
from depth_rules import DepthRules
from hypothesis import given, settings
from hypothesis import strategies as st
from machine import T0
from slow_depth import SlowDepth
from slow_ticks import NEVER, TickWish
from tick_machine import Told
from tick_wishes import OWNERS, tick_wishes

from lockstep.sim.market import Market
from lockstep.sim.saved import restore_venue, save_venue

MID = 100
Row = tuple[str, int, int, int, int]


class Recorded:
    """What the drawn book holds, so that most of what is drawn next can have happened."""

    def __init__(self) -> None:
        self.orders: dict[int, tuple[int, int, int]] = {}
        self.last_id = 1000


@st.composite
def level_rows(draw: st.DrawFn, count: int) -> list[Row]:
    """Mostly bids below asks."""
    rows = []
    for _ in range(count):
        side = draw(st.sampled_from([1, -1]))
        near = draw(st.sampled_from([1] * 6 + [2] * 4 + [3, 4, 5, 0]))
        qty = draw(st.sampled_from([0, 0, 1, 3, 5, 8, 20]))
        rows.append(("SET", side, MID - side * near, qty, 0))
    return rows


@st.composite
def order_rows(draw: st.DrawFn, book: Recorded, count: int) -> list[Row]:
    rows: list[Row] = []
    for _ in range(count):
        known = sorted(book.orders)
        what = draw(st.sampled_from(["ADD", "ADD", "MATCH", "MATCH", "DELETE", "MODIFY"])) if known else "ADD"
        if what == "ADD":
            book.last_id += 1
            side = draw(st.sampled_from([1, -1]))
            price = MID - side * draw(st.sampled_from([1, 1, 2, 2, 3]))
            qty = draw(st.sampled_from([1, 3, 5, 8]))
            book.orders[book.last_id] = (side, price, qty)
            rows.append(("ADD", side, price, qty, book.last_id))
            continue
        ident = draw(st.sampled_from(known))
        side, price, qty = book.orders.pop(ident)
        if what == "MATCH":
            part = draw(st.sampled_from([qty, qty, 1]))
            if qty > part:
                book.orders[ident] = (side, price, qty - part)
            rows.append(("MATCH", side, price, part, ident))
        elif what == "DELETE":
            rows.append(("DELETE", side, price, 0, ident))
        else:
            price = draw(st.sampled_from([price, price, price - side]))
            qty = draw(st.sampled_from([1, qty, qty + 2]))
            book.orders[ident] = (side, price, qty)
            rows.append(("MODIFY", side, price, qty, ident))
    return rows


@st.composite
def groups(draw: st.DrawFn, rules: DepthRules, book: Recorded, whole: bool) -> tuple[list[Row], bool]:
    """Changes that belong together: a full book, one of the rare words, or a few changes."""
    what = "full" if whole else draw(st.sampled_from(["changes"] * 24 + ["full", "full", "status", "wrong"]))
    if what == "full":
        rows: list[Row] = [("CLEAR", 0, 0, 0, 0)]
        if rules.orders:
            kept = {ident: order for ident, order in book.orders.items() if draw(st.booleans())}
            book.orders = {}
            rows += [("ADD", *order, ident) for ident, order in kept.items()]
            rows += draw(order_rows(book, draw(st.integers(2, 6)))) if not kept else []
            rows = [row for row in rows if row[0] in ("CLEAR", "ADD")]
            book.orders = {row[4]: row[1:4] for row in rows[1:]}
        else:
            rows += draw(level_rows(draw(st.integers(2, 8))))
        return rows, True
    if what == "status":
        return [("STATUS", 0, draw(st.sampled_from([1, 2, 4])), 0, 0)], False
    if what == "wrong":
        return [("DELETE", 1, MID - 1, 0, 7) if rules.orders else ("SET", 1, MID - 1, -1, 0)], False
    count = draw(st.integers(1, 3))
    return draw(order_rows(book, count)) if rules.orders else draw(level_rows(count)), False


@st.composite
def wishes(draw: st.DrawFn, now: int) -> TickWish:
    """Any order, or one that rests at or near the best price."""
    if draw(st.booleans()):
        return draw(tick_wishes(now))
    side = draw(st.sampled_from([1, -1]))
    return TickWish(
        side=side,
        qty=draw(st.integers(1, 6)),
        kind="limit",
        limit=MID - side * draw(st.sampled_from([0, 1, 1, 1, 2, 2])),
        owner=draw(st.integers(0, OWNERS - 1)),
        display=draw(st.sampled_from([0, 0, -1, 1, 2])),
    )


@st.composite
def queued_actions(draw: st.DrawFn, rules: DepthRules) -> list[tuple[Any, ...]]:
    """Orders of ours in the queues of the best prices, trades at these prices, and changes of these levels: nothing else."""
    book = Recorded()
    rows: list[Row] = [("CLEAR", 0, 0, 0, 0)]
    for k, side in enumerate((1, 1, -1, -1, 1, -1)):
        price, qty = MID - side * (1 + k // 4), draw(st.integers(1, 4))
        book.orders[k] = (side, price, qty)
        rows.append(("ADD" if rules.orders else "SET", side, price, qty, k * rules.orders))
    found: list[tuple[Any, ...]] = [("book", T0, rows, True, True)]
    now = T0
    for sent in range(1, draw(st.integers(2, 4))):
        side, qty = draw(st.sampled_from([1, -1])), draw(st.integers(1, 9))
        shown = draw(st.sampled_from([0, -1, 1, 2, 3]))
        wish = TickWish(side=side, qty=qty, kind="limit", limit=MID - side, display=min(shown, qty))
        found.append(("send", now, sent, wish))
    for _ in range(draw(st.integers(3, 14))):
        now += draw(st.integers(0, 2))
        side = draw(st.sampled_from([1, -1]))
        at = MID - side * draw(st.sampled_from([1, 1, 1, 1, 2]))
        qty = draw(st.integers(1, 6))
        standing = sorted(ident for ident, order in book.orders.items() if order[:2] == (side, at))
        if rules.trades and draw(st.booleans()):
            found.append(("trade", now, at, qty, -side))
        elif not rules.orders:
            found.append(("book", now, [("SET", side, at, qty, 0)], False, True))
        elif not standing or draw(st.booleans()):
            book.last_id += 1
            book.orders[book.last_id] = (side, at, qty)
            found.append(("book", now, [("ADD", side, at, qty, book.last_id)], False, True))
        else:
            ident = draw(st.sampled_from(standing))
            there = book.orders.pop(ident)[2]
            part = draw(st.sampled_from([there, 1]))
            what = draw(st.sampled_from(["MATCH", "MATCH", "DELETE"]))
            if what == "MATCH" and part < there:
                book.orders[ident] = (side, at, there - part)
            found.append(("book", now, [(what, side, at, part, ident)], False, True))
    return found


@st.composite
def actions(draw: st.DrawFn, rules: DepthRules) -> list[tuple[Any, ...]]:
    book = Recorded()
    rows, full = draw(groups(rules, book, True))
    found: list[tuple[Any, ...]] = [("book", T0, rows, full, True)]
    now, sent = T0, 0
    for _ in range(draw(st.integers(3, 40))):
        now += draw(st.integers(0, 3))
        what = draw(st.sampled_from(["send"] * 3 + ["cancel"] + ["book"] * 5 + ["trade"] * 4 * rules.trades))
        if what == "book":
            rows, full = draw(groups(rules, book, False))
            found.append(("book", now, rows, full, full or draw(st.integers(0, 5)) > 0))
        elif what == "trade":
            taker = draw(st.sampled_from([1, -1]))
            price, qty = MID + taker * draw(st.sampled_from([1, 1, 1, 2, 3])), draw(st.sampled_from([0, 1, 3, 5, 12]))
            found.append(("trade", now, price, qty, taker * draw(st.sampled_from([1, 1, 1, 0]))))
        elif what == "send":
            sent += 1
            found.append(("send", now, sent, draw(wishes(now))))
        elif sent:
            found.append(("cancel", now, draw(st.integers(1, sent))))
    return found


@st.composite
def rule_sets(draw: st.DrawFn) -> DepthRules:
    orders = draw(st.booleans())
    return DepthRules(
        orders=orders,
        trades=draw(st.sampled_from([True, True, False])),
        latency=draw(st.sampled_from([0, 0, 1, 2, 7])),
        queue=draw(
            st.sampled_from(["pessimistic", "power", "power", "log"] + (["exact"] * 4 if orders else ["rebuilt"] * 4))
        ),
        power=draw(st.sampled_from([0.5, 1.0, 3.0])),
        recovery=draw(st.sampled_from([0, 0, 3])),
        slip_bps=draw(st.sampled_from([0, 0, 150])),
        levels=draw(st.sampled_from([0, 0, 1, 2])),
    )


def check_against_twin(rules: DepthRules, todo: list[tuple[Any, ...]]) -> tuple[SlowDepth, Market]:
    """The venue tells and fills what the slow twin does. Returns: both as they were left."""
    twin = SlowDepth(rules)
    twin.run(todo)
    told, fills, market = play_book(rules, todo)
    assert told == twin.told
    assert fills == twin.fills
    return twin, market


@settings(max_examples=600)
@given(st.data())
def test_depth_venue_does_what_a_slow_twin_does(data: st.DataObject) -> None:
    rules = data.draw(rule_sets())
    todo = data.draw(actions(rules))
    twin, _ = check_against_twin(rules, todo)
    check_invariants(rules, todo, twin.told, twin.fills)


@st.composite
def windows(draw: st.DrawFn, rules: DepthRules) -> list[tuple[Any, ...]]:
    """A whole book of which only the best levels are told, as venues tell them: one that leaves the view is told as empty."""
    book = {(side, MID - side * near): draw(st.integers(1, 9)) for side in (1, -1) for near in (1, 2, 3, 4)}
    shown: dict[tuple[int, int], int] = {}
    found: list[tuple[Any, ...]] = []
    now, sent = T0, 0
    for step in range(draw(st.integers(5, 30))):
        now += draw(st.integers(0, 2))
        what = draw(st.sampled_from(["send"] * 3 + ["book"] * 6 + ["trade"] * 3)) if step else "book"
        if what == "book":
            for _ in range(draw(st.integers(1, 2))):
                side, near = draw(st.sampled_from([1, -1])), draw(st.sampled_from([1, 1, 1, 2, 2, 3]))
                book[side, MID - side * near] = draw(st.sampled_from([0, 0, 0, 2, 4, 9]))
            view = _best_of(book, rules.levels)
            changed = sorted(key for key in view.keys() | shown.keys() if view.get(key) != shown.get(key))
            rows: list[Row] = [("SET", *key, view.get(key, 0), 0) for key in draw(st.permutations(changed))]
            if rows or not step:
                found.append(("book", now, [("CLEAR", 0, 0, 0, 0), *rows] if not step else rows, not step, True))
            shown = view
        elif what == "trade":
            taker = draw(st.sampled_from([1, -1]))
            price, qty = MID + taker * draw(st.sampled_from([1, 2, 2, 3])), draw(st.sampled_from([1, 3, 5, 12]))
            found.append(("trade", now, price, qty, taker))
        else:
            sent += 1
            side = draw(st.sampled_from([1, -1]))
            limit, display = (
                MID - side * draw(st.sampled_from([1, 2, 2, 2, 3])),
                draw(st.sampled_from([0, 0, 1, 2, -1])),
            )
            wish = TickWish(side=side, qty=draw(st.integers(1, 6)), kind="limit", limit=limit, display=display)
            found.append(("send", now, sent, wish))
    return found


def _best_of(book: dict[tuple[int, int], int], levels: int) -> dict[tuple[int, int], int]:
    """The best levels of both sides."""
    view: dict[tuple[int, int], int] = {}
    for side in (1, -1):
        prices = sorted((price for (of, price), qty in book.items() if of == side and qty), reverse=side > 0)
        view |= {(side, price): book[side, price] for price in prices[:levels]}
    return view


@settings(max_examples=400)
@given(st.data())
def test_depth_venue_behind_the_levels_that_are_told_does_what_a_slow_twin_does(data: st.DataObject) -> None:
    queue = data.draw(st.sampled_from(["pessimistic", "power", "log", "rebuilt"]))
    rules = DepthRules(queue=queue, levels=data.draw(st.sampled_from([1, 2])))
    todo = data.draw(windows(rules))
    twin, market = check_against_twin(rules, todo)
    places = {order.order_id: order.place for order in market.resting if order.place is not None}
    for order in twin.mine:
        if not order.over and order.state == "rests":
            assert places[order.id].unseen == order.dark


@settings(max_examples=400)
@given(st.data())
def test_orders_in_a_queue_are_reached_as_by_a_slow_twin(data: st.DataObject) -> None:
    rules = data.draw(rule_sets())
    todo = data.draw(queued_actions(rules))
    twin, _ = check_against_twin(rules, todo)
    check_invariants(rules, todo, twin.told, twin.fills)


@settings(max_examples=100)
@given(st.data())
def test_depth_venue_goes_on_from_a_saved_state_as_if_nothing_had_happened(data: st.DataObject) -> None:
    rules = data.draw(rule_sets())
    todo = data.draw(actions(rules))
    told, fills, _ = play_book(rules, todo)
    first, heard = depth_venue(rules), Told()
    cut = data.draw(st.integers(0, len(todo)))
    for what, ts, *rest in todo[:cut]:
        heard.hear(first, ts)
        act(first, what, ts, *rest)
    second = depth_venue(rules)
    restore_venue(second, save_venue(first))
    assert save_venue(second) == save_venue(first)
    for what, ts, *rest in todo[cut:]:
        heard.hear(second, ts)
        act(second, what, ts, *rest)
    heard.hear(second, NEVER - 1)
    assert heard.by_order == told
    assert [fill[1:] for fill in sorted(heard.fills)] == fills


def check_invariants(
    rules: DepthRules, todo: list[tuple[Any, ...]], told: dict[int, list[Any]], fills: list[tuple[Any, ...]]
) -> None:
    """What must hold whatever the rules of matching are, each by itself."""
    wishes: dict[int, tuple[int, TickWish]] = {a[2]: (a[1], a[3]) for a in todo if a[0] == "send"}
    filled: dict[int, int] = defaultdict(int)
    nets: dict[int, int] = defaultdict(int)
    for ident, ts, qty, price, maker in fills:
        sent, wish = wishes[ident]
        filled[ident] += qty
        assert sent + rules.latency <= ts < wish.expire
        assert not wish.limit or (wish.limit - price) * wish.side >= 0
        assert not maker or price == wish.limit
        assert not (wish.post_only and not maker)
        before, nets[wish.owner] = nets[wish.owner], nets[wish.owner] + qty * wish.side
        if wish.reduce_only:
            assert abs(nets[wish.owner]) < abs(before)
            assert nets[wish.owner] * before >= 0
    assert all(qty <= wishes[ident][1].qty for ident, qty in filled.items())
    for ident, (_, wish) in wishes.items():
        if wish.tif == "FOK":
            assert filled[ident] in (0, wish.qty)
        over = [k for k, what in enumerate(told[ident]) if what[0] in ("REJECT", "CANCEL", "EXPIRE")]
        assert len(over) <= 1
        assert not over or all(what[0] == "CANCEL_REJECT" for what in told[ident][over[0] + 1 :])

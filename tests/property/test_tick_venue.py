"""Random orders on random quotes and trades against a venue written twice. The ticks state a rule, never a market."""

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from machine import T0
from slow_ticks import SlowTicks, TickRules, TickWish
from tick_machine import play
from tick_wishes import tick_wishes


@st.composite
def actions(draw: st.DrawFn, rules: TickRules) -> list[tuple[Any, ...]]:
    kinds = ["send"] * 3 + ["cancel"] + ["quote"] * 4 * rules.quotes + ["trade"] * 4 * rules.trades
    found: list[tuple[Any, ...]] = []
    now, sent = T0, 0
    for _ in range(draw(st.integers(3, 40))):
        now += draw(st.integers(0, 3))
        what = draw(st.sampled_from(kinds))
        if what == "quote":
            bid = draw(st.integers(96, 104))
            ask = bid + draw(st.sampled_from([-1, 0, 1, 1, 2, 3]))
            sizes = st.sampled_from([0, 1, 3, 5, 20])
            found.append(("quote", now, draw(st.sampled_from([bid, bid, bid, 0])), ask, draw(sizes), draw(sizes)))
        elif what == "trade":
            price, qty = draw(st.integers(96, 104)), draw(st.sampled_from([0, 1, 5, 10, 40]))
            found.append(("trade", now, price, qty, draw(st.sampled_from([1, -1, 0]))))
        elif what == "send":
            sent += 1
            found.append(("send", now, sent, draw(tick_wishes(now))))
        elif sent:
            found.append(("cancel", now, draw(st.integers(1, sent))))
    return found


@st.composite
def rule_sets(draw: st.DrawFn) -> TickRules:
    quotes, trades = draw(st.sampled_from([(True, False), (False, True), (True, True)]))
    return TickRules(
        quotes=quotes,
        trades=trades,
        latency=draw(st.sampled_from([0, 0, 1, 2, 7])),
        touch=draw(st.booleans()),
        share=draw(st.sampled_from([None, (1, 1), (1, 2)])),
        slip_bps=draw(st.sampled_from([0, 0, 150])),
    )


@pytest.mark.slow
@settings(max_examples=800)
@given(st.data())
def test_tick_venue_does_what_a_slow_twin_does(data: st.DataObject) -> None:
    rules = data.draw(rule_sets())
    todo = data.draw(actions(rules))
    twin = SlowTicks(rules)
    twin.run(todo)
    told, fills, market = play(rules, todo)
    assert told == twin.told
    assert fills == twin.fills
    assert market.crossed == twin.crossed
    check_invariants(rules, todo, told, fills)


def check_invariants(
    rules: TickRules, todo: list[tuple[Any, ...]], told: dict[int, list[Any]], fills: list[tuple[Any, ...]]
) -> None:
    """What must hold whatever the rules of matching are, each by itself."""
    wishes: dict[int, tuple[int, TickWish]] = {
        action[2]: (action[1], action[3]) for action in todo if action[0] == "send"
    }
    filled: dict[int, int] = defaultdict(int)
    nets: dict[int, int] = defaultdict(int)
    for ident, ts, qty, price, maker in fills:
        sent, wish = wishes[ident]
        filled[ident] += qty
        assert ts >= sent + rules.latency
        assert ts < wish.expire
        assert not wish.limit or (wish.limit - price) * wish.side >= 0
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
    if rules.share is not None:
        most = sum(action[3] * rules.share[0] // rules.share[1] for action in todo if action[0] == "trade")
        most += sum(action[4] + action[5] for action in todo if action[0] == "quote")
        assert sum(filled.values()) <= most

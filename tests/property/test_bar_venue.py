"""Random orders on random bars against a venue and ledger written twice. The bars state a rule, never a market."""

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from machine import HOUR, MILLI, T0, BarRow, Machine, Plan, coin, records
from slow_venue import Rules, SlowVenue, Wish

from lockstep.model.enums import OrderEventKind, OrderState
from lockstep.model.fees import FeeSchedule
from lockstep.orders.table import ANOMALY, next_state
from lockstep.sim.models import BarFills, Latency, Slippage

STEP = 6 * HOUR
CASH = 10**9


@st.composite
def bar_rows(draw: st.DrawFn) -> list[BarRow]:
    rows = []
    for k in range(draw(st.integers(3, 9))):
        o, c = draw(st.integers(90, 110)), draw(st.integers(90, 110))
        h, l = max(o, c) + draw(st.integers(0, 8)), min(o, c) - draw(st.integers(0, 8))
        rows.append(BarRow(T0 + k * STEP, T0 + (k + 1) * STEP, o, h, l, c, float(draw(st.integers(0, 300)))))
    return rows


@st.composite
def wishes(draw: st.DrawFn, bars: int) -> list[Wish]:
    found = []
    for _ in range(draw(st.integers(1, 8))):
        bar = draw(st.integers(0, bars - 1))
        kind = draw(st.sampled_from(["market", "limit", "stop", "both"]))
        tif = draw(st.sampled_from(["GTC", "GTC", "DAY", "GTD", "IOC", "FOK"]))
        if kind in ("stop", "both") and tif in ("IOC", "FOK"):
            tif = "GTC"
        found.append(
            Wish(
                bar=bar,
                side=draw(st.sampled_from([1, -1])),
                qty=draw(st.integers(1, 30)),
                limit=draw(st.integers(88, 112)) if kind in ("limit", "both") else 0,
                stop=draw(st.integers(88, 112)) if kind in ("stop", "both") else 0,
                tif=tif,
                expire=T0 + (bar + 1) * STEP + draw(st.integers(1, 12)) * STEP // 8 if tif == "GTD" else 0,
                cancel_bar=draw(st.none() | st.integers(bar, bars - 1)),
            )
        )
    found.sort(key=lambda wish: wish.bar)
    return found


@st.composite
def rule_sets(draw: st.DrawFn) -> Rules:
    return Rules(
        latency=draw(st.sampled_from([0, 5 * MILLI, STEP - 1, STEP, STEP + HOUR])),
        touch=draw(st.booleans()),
        optimistic=draw(st.booleans()),
        participation=draw(st.sampled_from([None, Fraction(1, 10), Fraction(1)])),
        slip_bps=draw(st.sampled_from([0, 1, 50, 300])),
        maker=draw(st.sampled_from([Fraction(0), Fraction(1, 2500), Fraction(-1, 10_000)])),
        taker=draw(st.sampled_from([Fraction(0), Fraction(1, 1000)])),
        flat=draw(st.integers(0, 2)),
    )


def machine_for(rows: list[BarRow], orders: list[Wish], rules: Rules) -> Machine:
    fees = FeeSchedule(maker=_decimal(rules.maker), taker=_decimal(rules.taker), flat=Decimal(rules.flat))
    fills = BarFills(
        path="optimistic" if rules.optimistic else "pessimistic",
        limit_fill="touch" if rules.touch else "through",
        participation=None if rules.participation is None else _decimal(rules.participation),
    )
    machine = Machine(
        [(coin(fees=fees), records(rows))],
        latency=Latency(entry_ns=rules.latency),
        fills=fills,
        slippage=Slippage(bps=Decimal(rules.slip_bps)),
        cash=CASH,
    )
    made: list[Any] = []

    def do(s: Plan, bar: Any) -> None:
        for wish in orders:
            if wish.bar == s.k:
                options: dict[str, Any] = {"tif": wish.tif}
                if wish.limit:
                    options["limit"] = wish.limit
                if wish.stop:
                    options["stop"] = wish.stop
                if wish.expire:
                    options["expire"] = wish.expire
                made.append(s.order(wish.side * wish.qty, **options))
        for wish, order in zip(orders, made, strict=False):
            if wish.cancel_bar == s.k:
                s.cancel(order)
        check_books(machine)

    return machine.seat(Plan(do))


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def check_books(machine: Machine) -> None:
    """What must hold whenever a handler runs."""
    holding = machine.portfolio.holdings[0]
    orders = machine.engine.open_orders()
    for side, pending in ((1, holding.pending_buy), (-1, holding.pending_sell)):
        assert pending == sum(o.qty_units - o.cum_units for o in orders if o.side == side) >= 0
    assert machine.portfolio.reserved >= -1e-6
    if not orders:
        assert machine.portfolio.reserved == 0.0
    market = [o for o in orders if o.order_type.name == "MARKET"]
    sub = machine.engine.seats[0].subscriptions[0]
    assert sub.working_market == sum((o.qty_units - o.cum_units) * int(o.side) for o in market)


@pytest.mark.slow
@settings(max_examples=400)
@given(st.data())
def test_venue_and_ledger_do_what_a_slow_twin_does(data: st.DataObject) -> None:
    rows = data.draw(bar_rows())
    orders = data.draw(wishes(len(rows)))
    rules = data.draw(rule_sets())
    machine = machine_for(rows, orders, rules).go()
    twin = SlowVenue(rules, machine.portfolio.ledger.decimals)
    twin.run(rows, orders)
    sends = {ident: rows[wish.bar].ts_end for ident, wish in enumerate(orders, 1)}
    made = [
        (f.order_id, f.ts_event, f.side * f.qty, f.price, f.liquidity == "MAKER", float(f.fee)) for f in machine.fills
    ]
    assert made == [(*fill[:5], float(fill[5])) for fill in sorted(twin.fills, key=lambda fill: fill[1])]
    ledger = machine.portfolio.ledger
    assert Fraction(ledger.cash, 10**ledger.decimals) == CASH + twin.cash
    check_fills(machine, rows, orders, sends, rules)


def check_fills(machine: Machine, rows: list[BarRow], orders: list[Wish], sends: dict[int, int], rules: Rules) -> None:
    """The invariants, each by itself."""
    filled: dict[int, int] = defaultdict(int)
    taken: dict[int, int] = defaultdict(int)
    for fill in machine.fills:
        wish = orders[fill.order_id - 1]
        filled[fill.order_id] += fill.qty
        assert fill.ts_event >= sends[fill.order_id] + rules.latency
        if wish.limit:
            assert (wish.limit - fill.price) * wish.side >= 0
        index = (fill.ts_event - T0) // STEP
        taken[index] += fill.qty
        row = rows[index]
        reference = fill.reference
        gapped = fill.liquidity == "MAKER" and reference == wish.limit and (row.open - wish.limit) * wish.side < 0
        assert row.low <= reference <= row.high or gapped
        assert (fill.price - reference) * fill.side >= 0
        if wish.expire:
            assert fill.ts_event < wish.expire
    assert all(qty <= orders[ident - 1].qty for ident, qty in filled.items())
    if rules.participation is not None:
        assert all(qty <= rows[index].volume * float(rules.participation) for index, qty in taken.items())
    position = machine.engine.seats[0].strategy.position
    assert position.units == machine.venue.markets[0].net == sum(f.side * f.qty for f in machine.fills)
    assert machine.engine.orphans.keys() <= {"CANCEL_REJECT"}
    for state, event in machine.engine.state.orders.anomalies:
        assert next_state(OrderState[state], OrderEventKind[event]) != ANOMALY
    value = CASH - sum(f.side * f.qty * f.price + f.fee for f in machine.fills) + position.units * rows[-1].close
    assert abs(machine.portfolio.equity() - value) < 1e-6
    if not machine.engine.open_orders():
        assert machine.portfolio.reserved == 0.0
        holding = machine.portfolio.holdings[0]
        assert holding.pending_buy == holding.pending_sell == 0


@settings(max_examples=100)
@given(st.data(), st.integers(2, 1000))
def test_scaling_every_quantity_scales_every_fill(data: st.DataObject, factor: int) -> None:
    rows = data.draw(bar_rows())
    orders = data.draw(wishes(len(rows)))
    rules = data.draw(rule_sets())
    rules.participation = None
    small = machine_for(rows, orders, rules).go()
    for wish in orders:
        wish.qty *= factor
    large = machine_for(rows, orders, rules).go()
    assert [(f.order_id, f.ts_event, f.price, f.qty * factor) for f in small.fills] == [
        (f.order_id, f.ts_event, f.price, f.qty) for f in large.fills
    ]


def scripted(machine: Machine, index: int, symbol: str, orders: list[Wish], name: str) -> None:
    def do(s: Plan, bar: Any) -> None:
        for wish in orders:
            if wish.bar == s.k:
                options: dict[str, Any] = {"tif": wish.tif, "instrument": symbol}
                for key in ("limit", "stop", "expire"):
                    if getattr(wish, key):
                        options[key] = getattr(wish, key)
                s.placed.append((s.order(wish.side * wish.qty, **options), wish))
        for order, wish in s.placed:
            if wish.cancel_bar == s.k:
                s.cancel(order)

    machine.seat(Plan(do), index, name=name)


@pytest.mark.slow
@settings(max_examples=100)
@given(st.data())
def test_unrelated_instruments_change_no_fill_of_another(data: st.DataObject) -> None:
    """Added, put first or renamed; on the same bars' times or with a grid of their own."""
    rows = data.draw(bar_rows())
    orders = data.draw(wishes(len(rows)))
    rules = data.draw(rule_sets())
    other_rows = data.draw(bar_rows())
    shift = data.draw(st.sampled_from([0, HOUR]))
    other_rows = [row._replace(ts_open=row.ts_open + shift, ts_end=row.ts_end + shift) for row in other_rows]
    other_orders = data.draw(wishes(len(other_rows)))
    for wish in other_orders:
        wish.expire += shift if wish.expire else 0
    settings_of: dict[str, Any] = {
        "latency": Latency(entry_ns=rules.latency),
        "fills": BarFills(participation=None if rules.participation is None else _decimal(rules.participation)),
        "cash": CASH,
    }

    def fills_of(symbols: list[str]) -> list[tuple[Any, ...]]:
        both = [(coin(s), records(rows if s in "AZ" else other_rows)) for s in symbols]
        machine = Machine(both, **settings_of)
        for index, symbol in enumerate(symbols):
            scripted(machine, index, symbol, orders if symbol in "AZ" else other_orders, symbol)
        machine.go()
        mine = next(k for k, symbol in enumerate(symbols) if symbol in "AZ")
        return [(f.ts_event, f.side, f.qty, f.price, f.liquidity) for f in machine.fills if f.instrument == mine]

    alone = fills_of(["A"])
    for symbols in (["A", "M"], ["M", "A"], ["M", "Z"], ["Z", "M"]):
        assert sorted(fills_of(symbols)) == sorted(alone)


@settings(max_examples=60)
@given(st.data())
def test_two_strategies_at_once_are_each_alone_where_capital_and_liquidity_do_not_bind(data: st.DataObject) -> None:
    """On instruments of their own, so that one path of a bar serves one position."""
    rows, other = data.draw(bar_rows()), data.draw(bar_rows())
    first, second = data.draw(wishes(len(rows))), data.draw(wishes(len(other)))

    def run(*which: int) -> dict[int, list[Any]]:
        machine = Machine([(coin("A"), records(rows)), (coin("B"), records(other))], cash=CASH)
        for k in which:
            scripted(machine, k, "AB"[k], (first, second)[k], f"s{k}")
        machine.go()
        return {k: [f[1:2] + f[5:] for f in machine.fills if f.instrument == k] for k in which}

    assert run(0, 1) == run(0) | run(1)

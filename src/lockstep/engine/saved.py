"""An engine as plain data, and back: the strategies alone, or everything between two steps.

`save_strategies` is what moves a strategy to another engine: its own attributes, indicators, windows, cooldowns and timers.
`save_engine` is all of it, so that an engine restored goes on as if it had never stopped. Both are restored into an engine
that was set up the same way and started; what `on_start` sent or logged there is dropped, since the saved run did it before.

Fields are written under their own names; a test compares these with the declarations.
"""

from collections.abc import Mapping
from heapq import heapify
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.engine.engine import Engine
    from cython.cimports.lockstep.engine.groups import Group
    from cython.cimports.lockstep.engine.state import State
    from cython.cimports.lockstep.engine.subscription import Subscription
    from cython.cimports.lockstep.orders.order import OpenOrders, Order
else:
    from lockstep.engine.engine import Engine
    from lockstep.engine.groups import Group
    from lockstep.engine.state import State
    from lockstep.engine.subscription import Subscription
    from lockstep.orders.order import OpenOrders, Order
from lockstep.engine.guard import take_limits
from lockstep.model.errors import InvariantError, StateError
from lockstep.model.saved import restore_request, save_request
from lockstep.orders.saved import restore_order, restore_orders, save_order, save_orders
from lockstep.portfolio.saved import restore_portfolio, save_portfolio
from lockstep.risk.saved import changed_limits, restore_desk, restore_gate, save_desk, save_gate

ENGINE_STATE_SCHEMA_VERSION = 5
_NEVER = 2**63 - 1


def save_engine(engine: Engine) -> dict[str, Any]:
    """Everything an engine is between two steps. Its logs first hand on the rows they hold.

    Raises: StateError: an attribute of a strategy that is no plain data. InvariantError: in the middle of a step.
    """
    if engine.state.later:
        raise InvariantError("an engine can be saved between two steps, not inside one")
    engine.flush()
    return {
        "schema_version": ENGINE_STATE_SCHEMA_VERSION,
        "strategies": save_strategies(engine)["strategies"],
        "state": save_state(engine.state),
        "portfolio": save_portfolio(engine.portfolio),
        "books": engine.books.save(),
        "equity": engine.equity.count,
        "events": engine.events,
        "bars": engine.bars,
        "quotes": engine.quotes,
        "trades": engine.trades,
        "market_ts": engine.market_ts,
        "orphans": dict(engine.orphans),
        "timers": [list(timer) for timer in engine.timers],
        "timer_seq": engine.timer_seq,
    }


def restore_engine(engine: Engine, saved: dict[str, Any]) -> None:
    """Continue from `save_engine`, after `start`.

    Raises: StateError: another schema version, or strategies, instruments or declarations that differ.
    """
    restore_strategies(engine, saved)
    restore_portfolio(engine.portfolio, saved["portfolio"])
    restore_state(engine.state, saved["state"], engine.instruments)
    if "books" in saved:  # absent in what was saved before there were any
        engine.books.restore(saved["books"])
    engine.equity.restart(saved["equity"])
    engine.events = saved["events"]
    engine.bars = saved["bars"]
    engine.quotes = saved["quotes"]
    engine.trades = saved["trades"]
    engine.market_ts = saved["market_ts"]
    engine.orphans = dict(saved["orphans"])
    # With their numbers, which order the timers of one time.
    engine.timers = [(at, seq, seat, name, every) for at, seq, seat, name, every in saved["timers"]]
    heapify(engine.timers)
    engine.next_timer = engine.timers[0][0] if engine.timers else _NEVER
    engine.timer_seq = saved["timer_seq"]


def save_state(state: State) -> dict[str, Any]:
    """Clock, orders, risk, what waits to go out, counters, and of each subscription what depends on orders and history."""
    return {
        "clock": state.clock,
        "basis_ts": state.basis_ts,
        "orders": save_orders(state.orders),
        "groups": [save_group(group) for group in state.groups.values()],
        "desk": save_desk(state.desk),
        "outbox": [save_request(request) for request in state.outbox],
        "subscriptions": [
            {
                "ready": sub.ready,
                "history_from": sub.history_from,
                "working_market": sub.working_market,
                "gate": save_gate(sub.gate),
            }
            for sub in state.subscriptions
        ],
        "decisions": state.decisions.count,
        "fills": state.fills.count,
        "last_signal_id": state.last_signal_id,
        "submitted": state.submitted,
        "denied": state.denied,
    }


def restore_state(state: State, saved: Mapping[str, Any], instruments: list[Any]) -> None:
    """Continue from `save_state`. instruments: of the engine, by index."""
    state.clock = saved["clock"]
    state.basis_ts = saved["basis_ts"]
    restore_orders(state.orders, saved["orders"], instruments)
    state.groups = {}
    for group in saved["groups"]:
        state.groups[group["group_id"]] = restore_group(state.orders, group, instruments)
    limits = changed_limits(saved["desk"])
    if limits is not None:
        take_limits(state, limits)
    restore_desk(state.desk, saved["desk"], state.orders.by_id)
    state.outbox = [restore_request(entry) for entry in saved["outbox"]]
    state.later = []
    for entry, held in zip(state.subscriptions, saved["subscriptions"], strict=True):
        sub: Subscription = cython.cast(Subscription, entry)
        sub.ready = held["ready"]
        sub.history_from = held["history_from"]
        sub.working_market = held["working_market"]
        restore_gate(sub.gate, held["gate"], state.orders.by_id)
    state.decisions.restart(saved["decisions"])
    state.fills.restart(saved["fills"])
    state.last_signal_id = saved["last_signal_id"]
    state.submitted = saved["submitted"]
    state.denied = saved["denied"]


def save_group(group: Group) -> dict[str, Any]:
    """Orders that depend on each other. An order that is done goes whole: nothing else may hold it any more."""
    return {
        "group_id": group.group_id,
        "parent": None if group.parent is None else save_order(group.parent),
        "take_units": group.take_units,
        "stop_units": group.stop_units,
        "released": group.released,
        "winner": group.winner,
        "take_asked": group.take_asked,
        "stop_asked": group.stop_asked,
        "legs": [save_order(leg) for leg in group.legs],
        "given_up": group.given_up,
    }


def restore_group(orders: OpenOrders, saved: Mapping[str, Any], instruments: list[Any]) -> Group:
    """The group that `save_group` saw, of the orders that are there again."""
    group: Group = Group(saved["group_id"])
    group.parent = None if saved["parent"] is None else _order_of(orders, saved["parent"], instruments)
    group.take_units = saved["take_units"]
    group.stop_units = saved["stop_units"]
    group.released = saved["released"]
    group.winner = saved["winner"]
    group.take_asked = saved["take_asked"]
    group.stop_asked = saved["stop_asked"]
    group.legs = [_order_of(orders, leg, instruments) for leg in saved["legs"]]
    group.given_up = saved["given_up"]
    return group


def _order_of(orders: OpenOrders, held: Mapping[str, Any], instruments: list[Any]) -> Order:
    """The order of that number if the table has it, else one made anew."""
    found = orders.find(held["order_id"])
    return restore_order(held, instruments[held["instrument_index"]]) if found is None else found


def save_strategies(engine: Engine) -> dict[str, Any]:
    """The state of every strategy as plain data: its own attributes, indicators, windows, cooldowns and timers.

    Raises: StateError: an attribute that is no plain data.
    """
    strategies: dict[str, Any] = {}
    for seat in engine.seats:
        strategies[seat.name] = {
            "state": seat.strategy.save_state(),
            "instruments": {sub.instrument.id: save_subscription(sub) for sub in seat.subscriptions},
            "timers": [[at, name, every] for at, _, index, name, every in sorted(engine.timers) if index == seat.index],
        }
    return {"schema_version": ENGINE_STATE_SCHEMA_VERSION, "strategies": strategies}


def restore_strategies(engine: Engine, saved: dict[str, Any]) -> None:
    """Continue from `save_strategies`, after `start`: the same strategies, instruments and declarations.

    Raises: StateError: another schema version, or strategies, instruments or declarations that differ.
    """
    if saved.get("schema_version") != ENGINE_STATE_SCHEMA_VERSION:
        raise StateError(
            f"engine state has schema version {saved.get('schema_version')!r}, "
            f"this build reads {ENGINE_STATE_SCHEMA_VERSION}"
        )
    names = [seat.name for seat in engine.seats]
    if sorted(names) != sorted(saved["strategies"]):
        raise StateError(f"saved strategies were {sorted(saved['strategies'])}, this engine seats {sorted(names)}")
    engine.timers = []
    engine.next_timer = _NEVER
    for seat in engine.seats:
        entry = saved["strategies"][seat.name]
        for sub in seat.subscriptions:
            _restore_subscription(sub, entry["instruments"].get(sub.instrument.id))
        seat.strategy.restore_state(entry["state"])
        for at, name, every in entry["timers"]:
            engine.add_timer(seat.index, name, at, every)


def save_subscription(sub: Subscription) -> dict[str, Any]:
    """What a strategy has seen of an instrument, and what it made of it."""
    return {
        "bars": sub.bars,
        "quotes": sub.quotes,
        "trades": sub.trades,
        "cooldown_until": sub.cooldown_until,
        "indicators": [entry.save() for entry in sub.sets()],
        "features": None if sub.features is None else sub.features.save(),
        "window": None if sub.window is None else sub.window.snapshot().hex(),
    }


def _restore_subscription(sub: Subscription, saved: dict[str, Any] | None) -> None:
    if saved is None:
        raise StateError(f"the saved state of {sub.strategy} has nothing of {sub.instrument.id}")
    features: Any = saved.get("features")
    if (
        len(saved["indicators"]) != len(sub.sets())
        or (saved["window"] is None) != (sub.window is None)
        or (features is None) != (sub.features is None)
    ):
        raise StateError(f"{sub.strategy} declares other indicators or windows than its saved state has")
    sub.bars = saved["bars"]
    sub.quotes = saved["quotes"]
    sub.trades = saved["trades"]
    sub.cooldown_until = saved["cooldown_until"]
    for indicators, state in zip(sub.sets(), saved["indicators"], strict=True):
        try:
            indicators.restore(state)
        except (TypeError, ValueError) as e:
            raise StateError(f"{sub.strategy}: {e}") from e
    if sub.features is not None:
        try:
            sub.features.restore(features)
        except (TypeError, ValueError) as e:
            raise StateError(f"{sub.strategy}: {e}") from e
    if sub.window is not None:
        sub.window.restore(bytes.fromhex(saved["window"]))

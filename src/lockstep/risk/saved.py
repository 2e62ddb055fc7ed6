"""The state of risk as plain data, and back: what limits decide is not saved, it is made anew from the run's configuration.

Working orders are saved by their numbers: the orders themselves are saved where they belong.
"""

from collections.abc import Mapping
from typing import Any

import cython
import msgspec

if cython.compiled:
    from cython.cimports.lockstep.risk.desk import Crew, Desk
    from cython.cimports.lockstep.risk.gate import Gate
else:
    from lockstep.risk.desk import Crew, Desk
    from lockstep.risk.gate import Gate
from lockstep.model.errors import StateError
from lockstep.orders.order import Order
from lockstep.risk.limits import RiskAct, RiskLimits

_RULES = 64


def save_desk(desk: Desk) -> dict[str, Any]:
    """Throttles, working orders by number, losses, and the kill switch with its history."""
    return {
        "instruments": {str(index): save_crew(crew) for index, crew in sorted(desk.instruments.items())},
        "strategies": {name: save_crew(crew) for name, crew in sorted(desk.strategies.items())},
        "orders": desk.orders.save(),
        "cancels": desk.cancels.save(),
        "acts": [msgspec.to_builtins(act) for act in desk.acts],
        "halted": desk.halted,
        "equity": desk.equity,
        "day_open": desk.day_open,
        "peak": desk.peak,
        "day": desk.day,
        "refusals": desk.refusals,
        "changed": None if desk.changed is None else msgspec.to_builtins(desk.changed),
    }


def restore_desk(desk: Desk, saved: Mapping[str, Any], orders: Mapping[int, Order]) -> None:
    """Continue from `save_desk`. orders: those open, by number. Raises: StateError: of other instruments or strategies."""
    instruments = {str(index): crew for index, crew in desk.instruments.items()}
    for mine, theirs in ((instruments, saved["instruments"]), (desk.strategies, saved["strategies"])):
        if not set(mine) <= set(theirs):  # of more than these where limits between were said of other strategies
            raise StateError(f"saved risk is of {sorted(theirs)}, this engine's of {sorted(mine)}")
        for key, crew in mine.items():
            restore_crew(crew, theirs[key], orders)
    desk.orders.restore(saved["orders"])
    desk.cancels.restore(saved["cancels"])
    desk.acts = [msgspec.convert(act, RiskAct) for act in saved["acts"]]
    desk.warnings = []
    desk.due = 0
    desk.halted = saved["halted"]
    desk.equity = saved["equity"]
    desk.day_open = saved["day_open"]
    desk.peak = saved["peak"]
    desk.day = saved["day"]
    desk.refusals = saved["refusals"]


def changed_limits(saved: Mapping[str, Any]) -> RiskLimits | None:
    """The limits in force at `save_desk` where they were changed during the run: they are to be taken before the rest."""
    return None if saved["changed"] is None else msgspec.convert(saved["changed"], RiskLimits)


def save_crew(crew: Crew) -> dict[str, Any]:
    """The numbers of the orders that work, and the throttle's times."""
    crew.working()
    return {"orders": [order.id for order in crew.orders], "throttle": crew.throttle.save()}


def restore_crew(crew: Crew, saved: Mapping[str, Any], orders: Mapping[int, Order]) -> None:
    """Continue from `save_crew`."""
    crew.orders = [orders[ident] for ident in saved["orders"]]
    crew.throttle.restore(saved["throttle"])


def save_gate(gate: Gate) -> dict[str, Any]:
    """Counts, how near each limit came, and the orders that another may be a duplicate of."""
    return {
        "checked": gate.checked,
        "refused": gate.refused,
        "refusals": dict(gate.refusals),
        "near": [gate.near[rule] for rule in range(_RULES)],
        "warned": [bool(gate.warned[rule]) for rule in range(_RULES)],
        "reducers": [order.id for order in gate.reducers.orders if order.is_open],
        "repeats": [[list(key), at] for key, at in gate.repeats.recent.items()],
    }


def restore_gate(gate: Gate, saved: Mapping[str, Any], orders: Mapping[int, Order]) -> None:
    """Continue from `save_gate`. orders: those open, by number."""
    gate.reducers.orders[:] = [orders[ident] for ident in saved["reducers"]]
    gate.checked = saved["checked"]
    gate.refused = saved["refused"]
    gate.refusals = dict(saved["refusals"])
    for rule in range(_RULES):
        gate.near[rule] = saved["near"][rule]
        gate.warned[rule] = saved["warned"][rule]
    gate.repeats.restore(saved["repeats"])

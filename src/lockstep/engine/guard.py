"""What is done to the risk of a whole engine at once: other limits, and trading again after a kill."""

from lockstep.engine.records import LIMITS, RESET
from lockstep.engine.state import State
from lockstep.risk.limits import RiskAct, RiskLimits


def change_limits(state: State, limits: RiskLimits, act: RiskAct) -> None:
    """Other limits for every gate from the next order on; working orders stay, and count."""
    take_limits(state, limits)
    state.desk.acts.append(act)
    state.log_risk(LIMITS, 0, 0, 0, 0, 0.0, 0.0, 1)


def take_limits(state: State, limits: RiskLimits) -> None:
    """Every gate's limits, and beside what its orders are checked."""
    state.desk.begin_change(limits)
    for sub in state.subscriptions:
        sub.gate.relimit(sub.instrument, limits)
    state.desk.disband()
    for order in state.orders.by_id.values():  # which of them are listed depends on the limits
        state.subscriptions[order.owner_index].gate.enlist(order)


def reset(state: State, act: RiskAct) -> None:
    """Trading may go on. Losses and refusals count from here."""
    state.desk.reset(act, state.portfolio.equity())
    state.log_risk(RESET, 0, 0, 0, 0, 0.0, 0.0, 1)

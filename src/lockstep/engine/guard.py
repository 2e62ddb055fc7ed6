"""Other limits for a whole engine at once: by an act of `switch`, or as a snapshot had them."""

from lockstep.engine.state import State
from lockstep.risk.limits import RiskLimits


def take_limits(state: State, limits: RiskLimits) -> None:
    """Every gate's limits from the next order on, and beside what its orders are checked; working orders stay, and count."""
    state.desk.begin_change(limits)
    for sub in state.subscriptions:
        sub.gate.relimit(sub.instrument, limits)
    state.desk.disband()
    for order in state.orders.by_id.values():  # which of them are listed depends on the limits
        state.subscriptions[order.owner_index].gate.enlist(order)

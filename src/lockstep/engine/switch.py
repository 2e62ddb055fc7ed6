"""Acts of a person or of the system upon risk: the kill switch, its reset, and other limits. Each is kept with who and why.

Losses, refusals and positions beyond their limits fire the switch by themselves: `risk.desk` decides, `State.watch` acts.
"""

from lockstep.engine.engine import Engine
from lockstep.engine.guard import take_limits
from lockstep.engine.records import LIMITS, RESET
from lockstep.model.enums import Reason
from lockstep.model.errors import UsageError
from lockstep.risk.limits import RiskAct, RiskLimits

_FAULT_CHARS = 2000


def kill(engine: Engine, why: str, who: str) -> None:
    """Every open order is asked to be cancelled; only cancels and closing orders go out until `reset`.

    The cancels are in the engine's outbox when this returns. Fired while it is on, it is recorded and asks again.
    """
    _fire(engine, Reason.KILL_SWITCH, why, who, 1)


def fail(engine: Engine, why: str) -> None:
    """The system is at fault: as `kill`, by "system". why: the error (`fault_text`).

    A step broke off: what its handlers had yet to hear is dropped, or the one that failed at it would fail again and again.
    """
    engine.state.later.clear()
    _fire(engine, Reason.SYSTEM_ERROR, why, "system", 0)


def fault_text(error: BaseException) -> str:
    """An error as the reason of `fail`: its type and its words, as far as a record can hold them."""
    try:
        words = str(error)
    except Exception as e:  # noqa: BLE001 - whatever is wrong with an error's text, it must not keep the switch from firing
        words = f"its text cannot be made: {type(e).__name__}"
    shown = words if len(words) <= _FAULT_CHARS else f"{words[:_FAULT_CHARS]}... ({len(words):,} characters)"
    return f"{type(error).__name__}: {shown}".encode(errors="backslashreplace").decode()


def reset(engine: Engine, why: str, who: str) -> None:
    """Let trading go on after a kill: an act of its own, kept with who and why. Raises: UsageError: nothing is halted."""
    check_reset(engine)
    act = _act(engine, "reset", why, who)
    engine.state.desk.reset(act, engine.portfolio.equity())
    engine.state.log_risk(RESET, 0, 0, 0, 0, 0.0, 0.0, 1)


def change_limits(engine: Engine, limits: RiskLimits, why: str, who: str) -> None:
    """Other limits for all strategies, from the next order on. What was counted stays: throttles, losses, working orders.

    Raises: UsageError: a limit of a symbol or strategy that the engine does not have.
    """
    check_limits(engine, limits)
    act = _act(engine, "limits", why, who)
    take_limits(engine.state, limits)
    engine.state.desk.acts.append(act)
    engine.state.log_risk(LIMITS, 0, 0, 0, 0, 0.0, 0.0, 1)


def check_reset(engine: Engine) -> None:
    """Raises: UsageError: the kill switch is not on."""
    if not engine.state.desk.halted:
        raise UsageError("the kill switch is not on: there is nothing to reset")


def check_limits(engine: Engine, limits: RiskLimits) -> None:
    """Raises: UsageError: a limit of a symbol or strategy that the engine does not have."""
    names = {limits.strategy_key(seat.name) for seat in engine.seats} | {seat.name for seat in engine.seats}
    symbols = {sub.instrument.symbol.upper() for sub in engine.state.subscriptions}
    limits.check_names(symbols, names)


def _fire(engine: Engine, rule: Reason, why: str, who: str, by: int) -> None:
    engine.state.kill(_act(engine, rule.name.lower(), why, who), int(rule), by)


def _act(engine: Engine, rule: str, why: str, who: str) -> RiskAct:
    """Raises: UsageError: nobody, or no reason, is named."""
    if not who.strip() or not why.strip():
        raise UsageError("who does this, and why, are kept: neither may be empty")
    return RiskAct(ts=engine.state.clock, rule=rule, who=who, why=why)

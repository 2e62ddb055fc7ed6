"""What a session feeds its engine, and each of these things as a journal record: the live side and the replay share this.

| input | record |
|---|---|
| market event | MARKET |
| start, venue report, timer, act of a person or of the session | FACT: SessionStarted, VenueReport, TimerFired, SessionAct |
| what the venue said is settled up to a time | FACT: Reconciled (no input of the engine) |

Every other fact is a note, and a replay passes it over.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec
import numpy as np

from lockstep.engine import switch
from lockstep.engine.engine import Engine
from lockstep.model.enums import OrderEventKind, Who
from lockstep.model.errors import StateError, UsageError
from lockstep.model.record import MARKET_EVENT, Records
from lockstep.model.rows import EventRows
from lockstep.model.saved import restore_report, save_report
from lockstep.model.traffic import VenueReport
from lockstep.risk.limits import RiskLimits
from lockstep.store.journal.layout import Record, RecordKind

_EXECUTIONS = frozenset(
    int(kind) for kind in (OrderEventKind.PARTIAL, OrderEventKind.FILL, OrderEventKind.CORRECT, OrderEventKind.BUST)
)
INPUT_FACTS = frozenset({"SessionStarted", "VenueReport", "TimerFired", "SessionAct", "Reconciled"})
_MARKET, _FACT = int(RecordKind.MARKET), int(RecordKind.FACT)
_INT64_MAX = 2**63 - 1
ACTS = ("cancel", "lose", "suspend", "lift", "kill", "fail", "reset", "limits")
"""cancel, lose: an order. suspend, lift: an instrument. kill, fail, reset: the kill switch. limits: other limits of risk."""


_OF_ORDERS, _OF_INSTRUMENTS = ("cancel", "lose"), ("suspend", "lift")


class SessionAct(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a person or the session itself did, and why. what: one of ACTS; order_id or instrument where it is about one.

    who: the name of a Who. by: the person's own name, if it is to be kept. limits: of the act of that name.
    """

    what: str
    who: str
    why: str
    by: str = ""
    order_id: int = 0
    instrument: int = 0
    limits: RiskLimits | None = None

    def __post_init__(self) -> None:
        """Raises: StateError: no act of that name, or by nobody."""
        if self.what not in ACTS or self.who not in Who.__members__:
            raise StateError(
                f"{self.who!r} cannot {self.what!r}: acts are {', '.join(ACTS)} by {', '.join(Who.__members__)}"
            )
        if (self.what == "limits") != (self.limits is not None):
            raise StateError(f"the act {self.what!r} was given {'no' if self.limits is None else 'some'} limits")
        if not self.why.strip():
            raise StateError(f"the act {self.what!r} has no reason: why is kept with it")


class SessionState:
    """What a session must not forget, beside its engine. All of it follows from the journal.

    started: the engine's clock at the start. since: up to this time, of the venue's clock, all executions are known.
    executions: number -> venue time of those that happened after `since` and were taken.
    """

    __slots__ = ("executions", "since", "started")

    def __init__(self) -> None:
        self.started = 0
        self.since = 0
        self.executions: dict[int, int] = {}

    def save(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "started": self.started,
            "since": self.since,
            "executions": [list(pair) for pair in sorted(self.executions.items())],
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from `save`."""
        self.started = saved["started"]
        self.since = saved["since"]
        self.executions = dict(saved["executions"])


# ---- taking an input


def take_start(engine: Engine, state: SessionState, clock: int) -> None:
    """on_start of every strategy."""
    state.started = clock
    state.since = clock
    engine.start(clock)


def take_market(engine: Engine, rows: EventRows, records: Records) -> None:
    """One market event. rows: any, to be used again and again."""
    rows.hold(records)
    engine.on_market(rows, 0)


def take_report(engine: Engine, state: SessionState, report: VenueReport) -> None:
    """A venue's word; an execution is noted, so that one told of again while reconciling is known."""
    if report.kind in _EXECUTIONS and report.exec_id > 0 and report.ts_event >= state.since:
        state.executions[report.exec_id] = report.ts_event
    engine.on_report(report)


def check_act(engine: Engine, act: SessionAct) -> None:
    """Whether an act can be taken now; nothing is changed.

    Raises: RefuseError: no open order has the number. UsageError: no such instrument, nothing is halted that could be reset,
    or limits of a symbol or strategy that the session does not have.
    """
    if act.what in _OF_ORDERS and act.order_id not in engine.state.orders.by_id:
        engine.cancel(act.order_id, Who[act.who])  # refuses, with what is open
    count = len(engine.portfolio.holdings)
    if act.what in _OF_INSTRUMENTS and not 0 <= act.instrument < count:
        raise UsageError(f"there is no instrument {act.instrument}", hint=f"the session has 0 to {count - 1}")
    if act.what == "reset":
        switch.check_reset(engine)
    elif act.limits is not None:
        switch.check_limits(engine, act.limits)


def take_act(engine: Engine, act: SessionAct) -> None:
    """An act. What it leads to waits in the engine's outbox. Raises: as `check_act`."""
    who = Who[act.who]
    name = act.by.strip() or act.who.lower()
    if act.what == "cancel":
        engine.cancel(act.order_id, who)
    elif act.what == "lose":
        engine.lose(act.order_id, who)
    elif act.what == "suspend":
        engine.suspend(act.instrument, who)
    elif act.what == "lift":
        engine.lift(act.instrument, who)
    elif act.what == "kill":
        switch.kill(engine, act.why, name)
    elif act.what == "fail":
        switch.fail(engine, act.why)
    elif act.what == "reset":
        switch.reset(engine, act.why, name)
    elif act.limits is not None:
        switch.change_limits(engine, act.limits, act.why, name)


def is_failure(fact: Mapping[str, Any], error: BaseException) -> bool:
    """Whether an input is the act of the session that such an error led to.

    By its type alone: a text may hold what differs from process to process, such as an address, and decides nothing.
    """
    return fact.get("what") == "fail" and str(fact.get("why")).startswith(f"{type(error).__name__}: ")


def take_reconciled(state: SessionState, since: int) -> None:
    """All executions up to a time of the venue's are known."""
    if since > state.since:
        state.since = since
        state.executions = {number: ts for number, ts in state.executions.items() if ts >= since}


# ---- as facts, and back


def report_fact(report: VenueReport) -> dict[str, Any]:
    """A report as a fact. A fee beyond 64 bits is a text."""
    fact = save_report(report)
    fact["type"] = "VenueReport"
    if not -_INT64_MAX <= fact["fee"] <= _INT64_MAX:
        fact["fee"] = str(fact["fee"])
    return fact


def report_of(fact: Mapping[str, Any]) -> VenueReport:
    """The report that `report_fact` saw."""
    return restore_report({**fact, "fee": int(fact["fee"])})


def input_of(record: Record) -> Mapping[str, Any] | None:
    """A record's fact if that is an input; empty of a market event; None of a note or a decision."""
    if record.kind == _MARKET:
        return {}
    if record.kind != _FACT:
        return None
    fact = record.fact()
    return fact if fact["type"] in INPUT_FACTS else None


def step_again(
    engine: Engine, state: SessionState, rows: EventRows, record: Record, fact: Mapping[str, Any]
) -> Callable[[], object]:
    """What feeds a journalled input, of which `input_of` gave the fact: once called, it raises what a handler raises.

    Raises: StateError: an input that this version does not know the form of.
    """
    if record.kind == _MARKET:
        return partial(take_market, engine, rows, np.frombuffer(bytearray(record.payload), MARKET_EVENT))
    try:
        return _step_of(engine, state, fact)
    except (KeyError, TypeError, ValueError, msgspec.ValidationError) as e:
        raise StateError(
            f"record {record.sequence}, a {fact['type']}, has another form than this version writes: {e}"
        ) from e


def _step_of(engine: Engine, state: SessionState, fact: Mapping[str, Any]) -> Callable[[], object]:
    kind = fact["type"]
    if kind == "VenueReport":
        return partial(take_report, engine, state, report_of(fact))
    if kind == "TimerFired":
        return engine.fire_timer
    if kind == "SessionAct":
        return partial(take_act, engine, msgspec.convert(fact, SessionAct))
    if kind == "SessionStarted":
        return partial(take_start, engine, state, fact["clock"])
    return partial(take_reconciled, state, fact["since"])

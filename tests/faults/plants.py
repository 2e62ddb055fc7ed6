"""Faults of ours, planted on purpose: the simulator has to find each of them, or its silence means nothing.

Each is a context in which something is wrong, as a careless change could make it.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from msgspec import structs

from lockstep.engine.saved import save_engine
from lockstep.model.enums import OrderEventKind, OrderState
from lockstep.model.saved import restore_report, save_report
from lockstep.model.traffic import make_report, make_request, make_terms
from lockstep.run import inputs, reconcile, recovery, session
from lockstep.run.inputs import SessionState
from lockstep.run.kept_journal import KeptJournal
from lockstep.run.session import Phase, Session
from lockstep.store.journal.errors import JournalFailed

PLANTS: dict[str, Callable[[], AbstractContextManager[None]]] = {}


def plant(make: Callable[[], Iterator[None]]) -> Callable[[], Iterator[None]]:
    PLANTS[make.__name__] = contextmanager(make)
    return make


class _Every:
    """True at each n-th call."""

    def __init__(self, n: int) -> None:
        self._n, self._calls = n, 0

    def __call__(self) -> bool:
        self._calls += 1
        return self._calls % self._n == 0


@plant
def a_report_is_dropped_after_it_was_journalled() -> Iterator[None]:
    now, real = _Every(40), inputs.take_report

    def take(engine: Any, state: Any, report: Any) -> None:
        if not now():
            real(engine, state, report)

    with patch.object(session, "take_report", take):
        yield


@plant
def an_input_is_not_journalled() -> Iterator[None]:
    now, real = _Every(60), KeptJournal.append

    def append(self: KeptJournal, entry: Any) -> None:
        if not now():
            real(self, entry)

    with patch.object(KeptJournal, "append", append):
        yield


@plant
def orders_are_sent_again_after_a_restart() -> Iterator[None]:
    real = Session.begin

    def begin(self: Session, clock: int, unwritten: Any, fault: Any) -> None:
        waiting = [order for order in self.engine.open_orders() if order.state is OrderState.PENDING_NEW]
        real(self, clock, unwritten, fault)
        for order in waiting:
            terms = make_terms(
                order.side_sign, order.type_code, order.tif_code, order.flag_bits, order.qty_units, order.limit_units, 0, 0,
                0, 0,
            )  # fmt: skip
            request = make_request(
                int(OrderEventKind.SUBMIT), order.strategy_index, order.instrument_index, clock, clock, order.id, terms
            )
            self.engine.state.outbox.append(request)

    with patch.object(Session, "begin", begin):
        yield


@plant
def orders_are_sent_before_the_venue_was_asked() -> Iterator[None]:
    real = Session.begin

    def begin(self: Session, clock: int, unwritten: Any, fault: Any) -> None:
        real(self, clock, unwritten, fault)
        self.phase = Phase.LIVE

    with patch.object(Session, "begin", begin):
        yield


@plant
def risk_is_not_released_when_an_order_ends() -> Iterator[None]:
    real = inputs.take_report

    def take(engine: Any, state: Any, report: Any) -> None:
        order = engine.state.orders.by_id.get(report.order_id)
        real(engine, state, report)
        if order is not None and report.kind == OrderEventKind.CANCEL:
            engine.portfolio.holdings[report.instrument].add_pending(order.side_sign, 1, 0.0)

    with patch.object(session, "take_report", take), patch.object(inputs, "take_report", take):
        yield


@plant
def commands_leave_before_the_journal_is_safe() -> Iterator[None]:
    with patch.object(KeptJournal, "make_safe", lambda self: not self.full):
        yield


@plant
def new_orders_leave_while_the_disk_is_full() -> Iterator[None]:
    real = KeptJournal.make_safe

    def make_safe(self: KeptJournal) -> bool:
        real(self)
        return True

    with patch.object(KeptJournal, "make_safe", make_safe):
        yield


@plant
def a_failed_fsync_is_shrugged_off() -> Iterator[None]:
    real = KeptJournal.make_safe

    def make_safe(self: KeptJournal) -> bool:
        self._failed = lambda: None
        try:
            return real(self)
        except JournalFailed:
            return True

    with patch.object(KeptJournal, "make_safe", make_safe):
        yield


@plant
def a_timeout_is_taken_for_a_rejection() -> Iterator[None]:
    def lose(self: Session, why: str, overdue: Any) -> None:
        for order in self.engine.open_orders():
            if order.state is OrderState.PENDING_NEW and overdue(order.id):
                self._report(make_report(int(OrderEventKind.REJECT), order.instrument_index, 0, 0, order.id, 0, 0))

    with patch.object(Session, "_lose_pending", lose):
        yield


@plant
def not_found_is_believed_at_once() -> Iterator[None]:
    def at_once(self: Any, window_ns: int) -> None:
        self._window_ns, self._misses = 0, {}

    with patch.object(reconcile.Reconciler, "__init__", at_once), patch.object(reconcile, "_MISSES", 1):
        yield


@plant
def execution_numbers_are_forgotten() -> Iterator[None]:
    real = inputs.take_report

    def take(engine: Any, state: Any, report: Any) -> None:
        if report.kind == OrderEventKind.FILL:
            report = restore_report(save_report(report) | {"exec_id": 0})
        real(engine, state, report)

    with patch.object(session, "take_report", take), patch.object(inputs, "take_report", take):
        yield


@plant
def missed_executions_are_not_asked_for() -> Iterator[None]:
    real = Session.on_answer

    def on_answer(self: Session, answer: Any, clock: int) -> None:
        real(self, structs.replace(answer, executions=()), clock)

    with patch.object(Session, "on_answer", on_answer):
        yield


@plant
def the_kill_switch_is_not_saved() -> Iterator[None]:
    real = save_engine

    def save(engine: Any) -> dict[str, Any]:
        saved = real(engine)
        return saved | {"desk": saved["desk"] | {"halted": False}}

    with patch.object(recovery, "save_engine", save):
        yield


@plant
def an_act_is_acknowledged_before_it_is_safe() -> Iterator[None]:
    def act(self: Session, act: Any, clock: int) -> bool:
        self._before(clock)
        self._act(act)
        return True

    with patch.object(Session, "act", act):
        yield


@plant
def the_kill_switch_stops_nothing() -> Iterator[None]:
    real = inputs.take_act

    def take(engine: Any, act: Any) -> None:
        if act.what != "kill":
            real(engine, act)

    with patch.object(session, "take_act", take), patch.object(inputs, "take_act", take):
        yield


@plant
def times_are_taken_when_room_is_found() -> Iterator[None]:
    def fact(self: Session, given: Any, ts: int, ts_event: int = 0) -> Any:
        return lambda: self.writer.append_fact(given, ts=self.engine.state.clock, ts_event=ts_event)

    with patch.object(Session, "_fact", fact):
        yield


@plant
def a_snapshot_forgets_what_was_executed() -> Iterator[None]:
    real = SessionState.restore

    def restore(self: SessionState, saved: Any) -> None:
        real(self, {**saved, "executions": []})

    with patch.object(SessionState, "restore", restore):
        yield


@plant
def replacements_are_not_asked_after() -> Iterator[None]:
    real = reconcile.Reconciler._word

    def word(self: Any, order: Any, known: Any, *rest: Any) -> Any:
        return (None, False) if order.replace_units else real(self, order, known, *rest)

    with patch.object(reconcile.Reconciler, "_word", word):
        yield


@plant
def a_snapshot_forgets_how_fast_orders_went() -> Iterator[None]:
    def save(engine: Any) -> dict[str, Any]:
        saved = save_engine(engine)
        for crew in saved["desk"]["instruments"].values():
            crew["throttle"] = []
        return saved

    with patch.object(recovery, "save_engine", save):
        yield

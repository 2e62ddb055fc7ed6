"""A journalled session: the driver of paper and live trading, over an engine, a journal and a connection to a venue.

    input -> journal -> engine -> its decisions -> journal -> (durable: on the disk) -> commands to the venue

A command leaves only after everything that led to it is in the journal: handed to the operating system in relaxed mode, on
the disk in durable mode. What becomes of it is the venue's to say. After a restart the engine is what the journal says it
was, and nothing is sent until the venue has told what it knows; an order of which it is not certain whether it left is
UNKNOWN until then, and is never sent a second time.

No clock is read here: every call says what time it is. One thread owns a session.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.engine.engine import Engine
from lockstep.engine.switch import fault_text
from lockstep.model.enums import OrderEventKind, OrderState
from lockstep.model.errors import HaltError, InvariantError
from lockstep.model.record import Records
from lockstep.model.rows import EventRows
from lockstep.model.traffic import OrderRequest, VenueReport
from lockstep.run.inputs import (
    SessionAct,
    SessionState,
    check_act,
    report_fact,
    take_act,
    take_market,
    take_reconciled,
    take_report,
    take_start,
)
from lockstep.run.kept_journal import Append, KeptJournal
from lockstep.run.reconcile import Connection, Inquiry, Reconciler, VenueAnswer, refusal
from lockstep.run.recovery import BuildEngine, Recovered, Rows, decided, replay, session_state
from lockstep.store.journal.files import Files
from lockstep.store.journal.writer import FLUSH_SECONDS, SEGMENT_BYTES, Durability, JournalWriter

_SUBMIT, _CANCEL_REQUEST = int(OrderEventKind.SUBMIT), int(OrderEventKind.CANCEL_REQUEST)
_PENDING = (OrderState.PENDING_NEW, OrderState.PENDING_CANCEL, OrderState.PENDING_REPLACE)


class Phase(Enum):
    """RECONCILING: nothing is sent, the venue has to tell first what it knows. LIVE. ENDED: closed, or the disk failed."""

    RECONCILING = "reconciling"
    LIVE = "live"
    ENDED = "ended"


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait, ns. answer: for a word about a request, then its fate is unknown. window: how long an order may be
    absent from a venue's answers although it is there; no request may be under way for longer. ask: between questions while
    something is unknown. check: between questions when all seems well.
    """

    answer: int = 5_000_000_000
    window: int = 10_000_000_000
    ask: int = 2_000_000_000
    check: int = 30_000_000_000


class Session:
    """One engine at one venue, journalled. Made by `open_session`.

    Attributes (read-only): `phase`; `state`: what is remembered beside the engine; `refused`: how many requests were never sent.
    """

    def __init__(
        self,
        recovered: Recovered,
        writer: JournalWriter,
        connection: Connection,
        durability: Durability,
        patience: Patience,
    ) -> None:
        self.engine: Engine = recovered.engine
        self.state: SessionState = recovered.state
        self.writer = writer
        self.journal = KeptJournal(writer, durability, self._end)
        self.connection = connection
        self.phase = Phase.RECONCILING
        self.refused = 0
        self._rows: Rows = recovered.rows
        self._market = EventRows()
        self._patience = patience
        self._reconciler = Reconciler(patience.window)
        self._own: list[VenueReport | SessionAct] = []  # inputs of the session's own making, for the next call
        self._sent: dict[int, int] = {}  # order -> when the last request about it left
        self._inquiry: Inquiry | None = None  # the question whose answer is waited for
        self._asked_at: int | None = None
        self._questions = 0
        self._newest = max(self.state.executions.values(), default=0)
        self._now = 0  # the latest time that a caller has said; the engine's clock may stand while nothing happens

    @property
    def full(self) -> bool:
        """Whether the disk has no room: new orders are refused then, and cancels still go out."""
        return self.journal.full

    @property
    def halted(self) -> bool:
        """Whether the kill switch is on: only cancels and closing orders go out."""
        return self.engine.state.desk.halted

    # ---- inputs

    def on_market(self, records: Records) -> None:
        """One market event. A clock that went back is taken for the engine's own.

        records: an array of one, not written to afterwards: it is kept while the disk is full.

        Raises: HaltError: the session has ended, or the disk failed: nothing was sent. Whatever a handler raises.
        """
        self._before(int(records["clock"][0]))
        clock = self.engine.state.clock
        if records["clock"][0] < clock:
            records = records.copy()
            records["clock"] = clock
        self._take(partial(self.writer.append_market, records), take_market, self.engine, self._market, records)

    def on_report(self, report: VenueReport) -> None:
        """A venue's word about one of our orders. Raises: as `on_market`."""
        self._before(report.clock)
        self._report(report)

    def on_timer(self, clock: int) -> None:
        """Fire every timer due at or before a time. Raises: as `on_market`."""
        self._before(clock)
        while self.engine.next_timer <= clock:
            at = max(self.engine.state.clock, self.engine.next_timer)
            self._take(self._fact({"type": "TimerFired"}, at), self.engine.fire_timer)

    def act(self, act: SessionAct, clock: int) -> bool:
        """A person's act. Returns: whether it is in the journal, safe from a restart; False while the disk is full.

        Raises: as `on_market`; RefuseError, UsageError: as `check_act`, and nothing was done.
        """
        self._before(clock)
        self._act(act)
        return self.journal.make_safe()

    def on_disconnect(self, clock: int) -> None:
        """The connection broke: what was under way is uncertain, and nothing is sent until the venue has told."""
        self._before(clock)
        self.phase = Phase.RECONCILING
        self._inquiry, self._asked_at = None, None
        self._lose_pending("the connection broke", lambda _order_id: True)

    def on_answer(self, answer: VenueAnswer, clock: int) -> None:
        """What the venue says it knows. An answer to an older question is passed over. Raises: as `on_market`."""
        self._before(clock)
        inquiry, self._inquiry = self._inquiry, None
        if inquiry is None or inquiry.number != answer.number:
            self._inquiry = inquiry
            return
        for report in answer.executions:
            # One without a number could not be told from one that is booked: it is left to the sums, which then differ.
            if report.exec_id > 0 and report.exec_id not in self.state.executions:
                self._report(report)
        holdings = self.engine.portfolio.holdings
        found = self._reconciler.compare(
            self.engine.state.orders,
            {holding.index: holding.units for holding in holdings},
            inquiry,
            answer,
            self._sent,
            clock,
            self._newest,
        )
        for report in found.reports:
            self._report(report)
        for instrument, why in (*found.strays.items(), *found.drifts.items()):
            if not holdings[instrument].suspended:
                self._act(SessionAct(what="suspend", who="SYSTEM", why=why, instrument=instrument))
        if not found.waiting and not self._unknown():
            self._settle(answer)

    def poll(self, clock: int) -> None:
        """To be called about once a second: what has no answer is unknown, what is unknown is asked for, what waits goes on.

        Raises: as `on_market`.
        """
        self._before(clock)
        if not self.journal.full:
            self.journal.append(self.writer.flush_if_due)
        limit = self._patience.answer
        self._lose_pending("no answer in time", lambda order_id: clock - self._sent.get(order_id, clock) >= limit)
        if self.halted and self.phase is Phase.LIVE:
            self._cancel_the_rest()
        doubt = self.phase is Phase.RECONCILING or self._unknown()
        pause = self._patience.ask if doubt else self._patience.check
        if self._asked_at is None or clock - self._asked_at >= pause:
            self._ask(clock)

    # ---- keeping

    def snapshot(self) -> bool:
        """Put the whole state beside the journal. Returns: False where the disk is full, and then nothing is lost by it.

        Raises: StateError: an attribute of a strategy that is no plain data. HaltError: the disk failed.
        """
        self._refuse_ended()
        return self.journal.snapshot(session_state(self.engine, self.state))

    def close(self, reason: str = "") -> None:
        """Note the end of the journal. Orders stay at the venue; the next session asks for them."""
        self.phase = Phase.ENDED
        self.writer.close(reason)

    # ---- one input

    def _take(self, append: Append, step: Callable[..., object], *given: Any) -> None:
        """Journal an input, step the engine, journal what it decided, then send."""
        self.journal.append(append)
        before = self.engine.state.decisions.count
        try:
            step(*given)
        except (Exception, SystemExit) as error:  # a handler that calls exit() leaves its orders as one that raises
            self._fail(error)
            raise
        except BaseException:
            self._end()  # half a step is no state to go on from; the input that led to it is in the journal
            raise
        if self.engine.state.decisions.count != before:
            self._keep_decided()
        if self.engine.state.outbox:
            self._send()

    def _keep_decided(self) -> None:
        rows = decided(self.engine, self._rows)
        if len(rows):
            self.journal.append(partial(self.writer.append_decisions, rows))

    def _fail(self, error: Exception | SystemExit) -> None:
        """A step failed half way: what it wanted is not sent, the kill switch goes on, its cancels go out, and that is the end.

        A replay fails at the same point, and goes on with the same act.
        """
        unsent = {request.order_id for request in self.engine.state.outbox if request.kind == _SUBMIT}
        self.engine.state.outbox.clear()
        try:
            self._keep_decided()
            self._halt(error, unsent)
        except Exception as second:  # noqa: BLE001 - the first error is what is raised
            error.add_note(f"and the kill switch failed too: {fault_text(second)}; orders at the venue still work")
        finally:
            self._end()

    def _halt(self, error: BaseException, unsent: AbstractSet[int] = frozenset()) -> None:
        """The kill switch goes on. unsent: orders that the venue never heard of, and needs no cancel of."""
        act = SessionAct(what="fail", who="SYSTEM", why=fault_text(error))
        self.journal.append(self._fact(act, self.engine.state.clock))
        take_act(self.engine, act)
        self._keep_decided()
        outbox = self.engine.state.outbox
        outbox[:] = [request for request in outbox if request.order_id not in unsent]
        self._send()

    def _report(self, report: VenueReport) -> None:
        at = max(self.engine.state.clock, report.clock)
        if report.exec_id and report.ts_event > self._newest:
            self._newest = report.ts_event
        self._take(self._fact(report_fact(report), at, report.ts_event), take_report, self.engine, self.state, report)

    def _act(self, act: SessionAct) -> None:
        check_act(self.engine, act)
        self._take(self._fact(act, self.engine.state.clock), take_act, self.engine, act)

    def _fact(self, fact: Mapping[str, Any] | msgspec.Struct, ts: int, ts_event: int = 0) -> Append:
        """An append that may be done later, with the time it has now."""
        return partial(self.writer.append_fact, fact, ts=ts, ts_event=ts_event)

    def _before(self, clock: int) -> None:
        """What the session itself has to say goes before a new input."""
        self._refuse_ended()
        self._now = max(self._now, clock)
        if self.journal.full:
            self.journal.try_again()
        own, self._own = self._own, []
        for word in own:
            if isinstance(word, SessionAct):
                if word.order_id in self.engine.state.orders.by_id:
                    self._act(word)
            else:
                self._report(word)

    def _refuse_ended(self) -> None:
        if self.phase is Phase.ENDED:
            raise HaltError("the session has ended: nothing is taken and nothing is sent", hint="open it again")

    def _end(self) -> None:
        self.phase = Phase.ENDED
        self.engine.state.outbox.clear()

    # ---- sending

    def _send(self) -> None:
        """Send what the engine decided, if it is safe to; refuse here what is not."""
        requests: list[OrderRequest] = list(self.engine.state.outbox)
        self.engine.state.outbox.clear()
        safe = self.journal.make_safe()
        clock = max(self._now, self.engine.state.clock)
        for request in requests:
            if self.phase is Phase.LIVE and (safe or request.kind == _CANCEL_REQUEST):
                self._send_one(request, clock)
            else:
                self.refused += 1
                self._own.append(refusal(request, clock))

    def _send_one(self, request: OrderRequest, clock: int) -> None:
        self._sent[request.order_id] = clock
        try:
            self.connection.send(request)
        except OSError as e:
            why = f"the connection failed while it was sent: {e}"
            self._own.append(SessionAct(what="lose", who="SYSTEM", why=why, order_id=request.order_id))

    def _cancel_the_rest(self) -> None:
        """The kill switch is on: what is open and not asked to be cancelled is asked now."""
        for order in self.engine.open_orders():
            if order.is_open and order.state is not OrderState.PENDING_CANCEL:
                self._act(SessionAct(what="cancel", who="SYSTEM", why="the kill switch is on", order_id=order.id))

    # ---- what is not known

    def _lose_pending(self, why: str, overdue: Callable[[int], bool]) -> None:
        by_id = self.engine.state.orders.by_id
        for order_id in [order_id for order_id, order in by_id.items() if order.state in _PENDING]:
            if order_id in by_id and overdue(order_id):
                self._act(SessionAct(what="lose", who="SYSTEM", why=why, order_id=order_id))

    def _unknown(self) -> bool:
        return any(order.state is OrderState.UNKNOWN for order in self.engine.state.orders.by_id.values())

    def _ask(self, clock: int) -> None:
        by_id = self.engine.state.orders.by_id
        self._sent = {order_id: self._sent.get(order_id, clock) for order_id in by_id}
        self._questions += 1
        inquiry = Inquiry(
            self._questions,
            self.state.since,
            {order_id: (order.revision, order.revision_asked) for order_id, order in by_id.items()},
        )
        self._inquiry, self._asked_at = inquiry, clock
        try:
            self.connection.ask(inquiry)
        except OSError:
            return  # asked again at the next poll that is due

    def _settle(self, answer: VenueAnswer) -> None:
        """An answer left no question: from now on orders may be sent."""
        since = max(self.state.since, answer.ts - self._patience.window)
        self._take(
            self._fact({"type": "Reconciled", "since": since}, self.engine.state.clock),
            take_reconciled,
            self.state,
            since,
        )
        self.phase = Phase.LIVE

    # ---- opening

    def begin(self, clock: int, unwritten: NDArray[np.int64], fault: BaseException | None) -> None:
        """The first thing done with a session, by `open_session`: start it, or go on where the journal ends; then ask.

        fault: what the last input failed with, and the process before did not live to act upon.
        """
        self._now = clock
        if not self.state.started:
            fact = {"type": "SessionStarted", "clock": clock}
            self._take(self._fact(fact, clock), take_start, self.engine, self.state, clock)
        else:
            if len(unwritten):
                self.journal.append(partial(self.writer.append_decisions, unwritten))
            if fault is not None:
                self._halt(fault)
            self._lose_pending("the session was opened again", lambda _order_id: True)
        self._ask(clock)


def open_session(
    folder: Path,
    identity: Mapping[str, Any],
    build: BuildEngine,
    connection: Connection,
    *,
    clock: int,
    durability: Durability | str = Durability.DURABLE,
    patience: Patience | None = None,
    files: Files | None = None,
    flush_seconds: float | None = FLUSH_SECONDS,
    segment_bytes: int = SEGMENT_BYTES,
) -> Session:
    """A session in a journal folder: a new one, or the one that the journal there is of, recovered.

    Nothing is sent before the venue has answered: call `poll` about once a second.
    Args:   identity: of the run, plain data: who goes on must give the same. build: the engine and its strategies, not started.
            clock: ns UTC, above 0. durability: DURABLE has every command's cause on the disk before it is sent.
    Raises: JournalBusy: another process has the folder. StateError: the journal is of another run. DamagedJournal.
            ReplayDiffers: the journalled inputs lead to other decisions now. JournalFull, JournalFailed.
    """
    if clock <= 0:
        raise InvariantError(f"a session starts at a time, ns UTC: was {clock}")
    mode = Durability(durability)
    # The writer never syncs by itself: in durable mode the session does, once for all that stands before a command.
    writer = JournalWriter(
        folder, identity, set_torn_aside=True, files=files, flush_seconds=flush_seconds, segment_bytes=segment_bytes
    )
    try:
        writer.sync()  # the names of a new folder too, before anything leans on it
        recovered = replay(folder, build)
        session = Session(recovered, writer, connection, mode, patience or Patience())
        session.begin(clock, recovered.unwritten, recovered.fault)
    except BaseException as e:
        writer.__exit__(type(e), e, e.__traceback__)
        raise
    return session

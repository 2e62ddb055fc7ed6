"""The whole system in one process and one thread, with every message, write and moment in the hands of a seed and a script.

    market ─┐                                    ┌─ requests ─> venue model
    timers ─┼─> Session (engine, journal) ───────┤
    reports ┘        disk model                  └─ questions ─> venue model ─> answers, reports

A step is one thing that happens: an event reaches the session, a request reaches the venue, the venue works an order, time
passes. After each step in which the engine decided something the cheap invariants are checked; see `invariants`.

The fault model. A request is under way for at most 2 s, and a venue that was asked answers from one consistent state; the
session is told to wait 3 s before it takes an absent order for one that never came. Reports, answers and market events are
lost, late, twice or out of order without limit. The process ends at any seam and keeps what the operating system has; in
durable mode the machine's power may go with it. What a network garbles is found by its checksum and is as good as lost.
"""

import shutil
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import numpy as np
from disk import Crash, FaultyFiles
from invariants import Broken, Watch
from machine import SECOND, T0, coin
from msgspec import structs
from script import CRASHES, Fault, Script, by_seam
from trader import Trader
from venue_model import HABITS, VenueModel, Word

from lockstep.engine.engine import Engine
from lockstep.engine.rowlog import Sink
from lockstep.model.enums import EventKind
from lockstep.model.record import MARKET_EVENT
from lockstep.model.traffic import OrderRequest
from lockstep.portfolio.portfolio import Portfolio
from lockstep.risk.limits import RiskLimits
from lockstep.run.inputs import SessionAct
from lockstep.run.reconcile import Inquiry, VenueAnswer
from lockstep.run.session import Patience, Phase, Session, open_session
from lockstep.store.journal import layout
from lockstep.store.journal.errors import JournalFailed, JournalFull

MILLI = SECOND // 1000
INSTRUMENTS = 2
POSITION_MAX = 60
CASH = 10_000_000
DELAY_MAX = 2 * SECOND
PATIENCE = Patience(answer=SECOND, window=3 * SECOND, ask=SECOND // 2, check=5 * SECOND)
POLL = SECOND // 4
IDENTITY = {"of": "the fault simulator"}
FULL_CHECK_EVERY = 1000
SEGMENT_BYTES = 48 * 1024
BLOCK_BYTES = 4096
COINS = [coin("AAA"), coin("BBB")]
ORDERS_PER_SECOND = 3
LIMITS = RiskLimits(
    position_max=Decimal(POSITION_MAX),
    orders_per_second=ORDERS_PER_SECOND,
    cancels_per_second=4,
    drawdown_max=Decimal("0.5"),
)
TIGHT = structs.replace(LIMITS, position_max=Decimal(POSITION_MAX // 2), orders_per_second=ORDERS_PER_SECOND - 1)


class World:
    """One run of a script. `run` gives the failure, or None.

    folder: for the journal, emptied first. open_with: how sessions are opened, so that a test may plant a fault of ours.
    """

    def __init__(self, script: Script, folder: Path, open_with: Callable[..., Session] = open_session) -> None:
        self.script = script
        self.folder = folder / "journal"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.faults = by_seam(script.faults)
        self.passes: Counter[str] = Counter()
        self.met: Counter[str] = Counter()
        self.now = T0
        self.steps = 0
        self.crashes = 0
        self.recoveries = 0
        self.epoch = 0
        self.calm = False
        self.mute = False  # the checks themselves meet no faults
        self.session: Session | None = None
        self.up = True  # whether the connection stands
        self._open = open_with
        self._events: list[tuple[int, int, Callable[..., None], Any]] = []
        self._order = count()
        self._last_answer: VenueAnswer | None = None
        seed = script.seed
        self._market, self._net, self._power = Random(f"market {seed}"), Random(f"net {seed}"), Random(f"power {seed}")
        self.disk = FaultyFiles(self._file_fault)
        habits = {name: rate for name, rate in HABITS.items() if self._net.random() < 0.6}
        scale = 10 ** Portfolio(COINS, CASH).ledger.decimals
        self.venue = VenueModel(Random(f"venue {seed}"), INSTRUMENTS, scale, habits, self._say, self._venue_later)
        self.watch = Watch(self)
        self._template = np.zeros((1, 10), np.int64)

    # ---- running

    def run(self) -> Broken | None:
        """Every step, then quiet. What breaks is the result; an error of ours counts as broken."""
        # Small blocks, so that a full disk soon fills the writer's buffer, too.
        with patch.object(layout, "BODY_BYTES_SOFT", BLOCK_BYTES):
            return self._run()

    def _run(self) -> Broken | None:
        try:
            self._start()
            while self.steps < self.script.steps:
                self._step()
                if self.steps % FULL_CHECK_EVERY == 0:
                    self.watch.full()
            self._quiet()
        except Broken as broken:
            return broken
        except Exception as e:  # noqa: BLE001 - whatever our code raises under faults is a finding
            return Broken("error", f"{type(e).__name__}: {e}").with_traceback(e.__traceback__)
        finally:
            self._drop()
        return None

    def _start(self) -> None:
        self.at(0, self._open_session, None)
        self.at(MILLI, self._tick, None)
        self.at(POLL, self._poll, None)
        self.at(SECOND, self._snapshot, None)

    def at(self, delay: int, act: Callable[..., None], given: Any) -> None:
        """Something happens later."""
        heappush(self._events, (self.now + delay, next(self._order), act, given))

    def _step(self) -> None:
        self.now, _, act, given = heappop(self._events)
        self.steps += 1
        self.venue.now = self.now
        act(given)
        self.watch.step()

    def _guard(self, act: Callable[..., object], *given: Any) -> bool:
        """Do something with the session. Returns: False where the process ended in it."""
        try:
            act(*given)
        except Crash as crash:
            self._crash(crash.power)
            return False
        except JournalFailed:  # it has stopped sending; the process ends by itself, and is started again
            self.met["ended by the disk"] += 1
            self._crash(power=False)
            return False
        return True

    def _crash(self, power: bool) -> None:
        self.crashes += 1
        self._drop()
        if power and self.script.mode == "durable":
            self.met["power cut"] += 1
            self.disk.cut_power(self._power)
        self.at(self._net.randrange(10 * MILLI, 2 * SECOND), self._open_session, None)

    def _drop(self) -> None:
        """The process is gone, and with it every connection and lock."""
        self.epoch += 1
        session, self.session = self.session, None
        self.disk.dead = True
        if session is not None:
            session.writer._release()
        self.disk.restart()

    def _open_session(self, _given: None) -> None:
        if self.session is not None:
            return
        self.up = True
        self.watch.restarted()
        if not self._guard(self._open_now):
            return
        if self.session is None:
            self.at(SECOND, self._open_session, None)
        elif self.crashes:
            self.recoveries += 1
            self.watch.recovered()

    def _open_now(self) -> None:
        files = self.disk
        try:
            session = self._open(
                self.folder, IDENTITY, self.build, self, clock=self.now, durability=self.script.mode, patience=PATIENCE,
                files=files, flush_seconds=None, segment_bytes=SEGMENT_BYTES,
            )  # fmt: skip
        except JournalFull:
            self.met["no room to start"] += 1
            self._room(None)
            return
        finally:
            if files.dead:
                files.restart()
        self.session = session

    def build(self, sink: Sink) -> Engine:
        """The engine and its strategies, as at every start."""
        engine = Engine(Portfolio(COINS, CASH, leverage_max=5.0), decision_sinks=[sink, self.watch.on_rows])
        engine.add_strategy(Trader(self.script.seed * 2 + 1), "one", [0, 1], LIMITS)
        engine.add_strategy(Trader(self.script.seed * 2 + 2), "two", [0], LIMITS)
        return engine

    # ---- faults

    def fault(self, seam: str) -> Fault | None:
        """What fails at this pass of a seam."""
        if self.mute:
            return None
        self.passes[seam] += 1
        found = self.faults[seam].get(self.passes[seam])
        if found is None or self.calm:
            return None
        self.met[f"{seam} {found.kind}"] += 1
        return found

    def _file_fault(self, seam: str) -> tuple[str, int] | None:
        found = self.fault(seam)
        if found is None:
            return None
        if found.kind == "enospc":
            # Mostly a moment; at times so long that the writer's buffer is full, too, and records wait in the session.
            self.at(found.arg % ((60 if found.arg & 4 else 5) * SECOND), self._room, None)
        return found.kind, found.arg

    def _room(self, _given: None) -> None:
        self.disk.full = False

    def _faulty(self, seam: str, act: Callable[..., object], *given: Any) -> Fault | None:
        """Do something at a seam where the process may end before or after it."""
        fault = self.fault(seam)
        if fault is not None and fault.kind in CRASHES:
            if fault.kind == "crash_before" or self._guard(act, *given):
                self._crash(bool(fault.arg & 1))
        elif fault is None or fault.kind not in ("loss", "corrupt", "delay"):
            self._guard(act, *given)
        return fault

    # ---- the market

    def _tick(self, again: Any) -> None:
        """A trade in the market, known to the venue at once and to us when it arrives."""
        if again is None:
            if not self.calm:
                self.at(self._market.randrange(5 * MILLI, 95 * MILLI), self._tick, None)
            which = self._market.randrange(INSTRUMENTS)
            price = max(50, min(200, self.venue.prices[which] + self._market.randrange(-1, 2)))
            self.venue.prices[which] = price
            again = (which, price, self.now)
        if self.session is None:
            return
        which, price, happened = again
        fault = self._faulty("market", self._show, which, price, happened, 0)
        if fault is None or self.session is None:
            return
        if fault.kind == "duplicate":
            self._guard(self._show, which, price, happened, 0)
        elif fault.kind == "clock_back":
            self._guard(self._show, which, price, happened, fault.arg % (10 * SECOND))
        elif fault.kind == "delay":
            self.at(fault.arg % DELAY_MAX, self._late_tick, again)

    def _late_tick(self, again: Any) -> None:
        if self.session is not None:
            self._guard(self._show, *again, 0)

    def _show(self, which: int, price: int, happened: int, back: int) -> None:
        assert self.session is not None
        words = self._template.copy()
        words[0, :6] = (self.now - back, happened, 0, int(EventKind.TRADE) | which << 32, price, 1)
        self.session.on_market(words.view(MARKET_EVENT)[:, 0])

    # ---- what the session sends: it is the session's Connection

    def send(self, request: OrderRequest) -> None:
        """A request leaves the process."""
        self.watch.sent(request)
        fault = self.fault("request")
        delay = self._net.randrange(MILLI, 30 * MILLI)
        if fault is None:
            if self.up:
                self.at(delay, self._arrive, request)
        elif fault.kind in CRASHES:
            if fault.kind == "crash_after":
                self.at(delay, self._arrive, request)
            self.disk.dead = True
            raise Crash(bool(fault.arg & 1))
        elif fault.kind == "error":
            if fault.arg & 1:
                self.at(delay, self._arrive, request)
            raise ConnectionResetError("connection reset by peer")
        elif fault.kind == "delay":
            self.at(fault.arg % DELAY_MAX, self._arrive, request)
        elif fault.kind == "duplicate":
            self.at(delay, self._arrive, request)
            self.at(delay + fault.arg % SECOND, self._arrive, request)

    def _arrive(self, request: OrderRequest) -> None:
        self.venue.take(request)

    def ask(self, inquiry: Inquiry) -> None:
        """A question leaves the process."""
        fault = self.fault("question")
        delay = self._net.randrange(MILLI, 30 * MILLI)
        if fault is not None and fault.kind == "error":
            raise TimeoutError("the venue does not answer")
        if fault is not None and fault.kind == "delay":
            delay = fault.arg % (3 * SECOND)
        if fault is None or fault.kind == "delay":
            self.at(delay, self._question, (self.epoch, inquiry))

    def _question(self, given: tuple[int, Inquiry]) -> None:
        epoch, inquiry = given
        if epoch != self.epoch:
            return
        answer = self.venue.answer(inquiry, self.now)
        self.at(self._net.randrange(MILLI, 30 * MILLI), self._answer, (epoch, answer))

    def _answer(self, given: tuple[int, VenueAnswer]) -> None:
        epoch, answer = given
        if epoch != self.epoch or self.session is None:
            return
        self.watch.answered()
        fault = self._faulty("answer", self.session.on_answer, answer, self.now)
        if fault is not None and self.session is not None:
            if fault.kind == "delay":
                self.at(fault.arg % (3 * SECOND), self._late_answer, given)
            elif fault.kind == "duplicate":
                self._guard(self.session.on_answer, answer, self.now)

    def _late_answer(self, given: tuple[int, VenueAnswer]) -> None:
        if given[0] == self.epoch and self.session is not None:
            self._guard(self.session.on_answer, given[1], self.now)

    # ---- what the venue says

    def _say(self, word: Word) -> None:
        if self.up and self.session is not None:
            self.at(self._net.randrange(MILLI, 30 * MILLI), self._report, (self.epoch, word))

    def _report(self, given: tuple[int, Word]) -> None:
        epoch, word = given
        if epoch != self.epoch or self.session is None:
            return
        fault = self._faulty("report", self._hear, word)
        if fault is not None and self.session is not None:
            if fault.kind == "delay":
                self.at(fault.arg % (4 * SECOND), self._late_report, given)
            elif fault.kind == "duplicate":
                self._guard(self._hear, word)
                self.at(fault.arg % (4 * SECOND), self._late_report, given)

    def _late_report(self, given: tuple[int, Word]) -> None:
        if given[0] == self.epoch and self.session is not None:
            self._guard(self._hear, given[1])

    def _hear(self, word: Word) -> None:
        assert self.session is not None
        self.session.on_report(word.report(self.now))

    def _venue_later(self, delay: int, act: Callable[[], None]) -> None:
        self.at(delay, _call, act)

    def _venue_restarts(self, empty: bool) -> None:
        """Whatever is under way between the two is gone; the session hears that the line broke."""
        self.epoch += 1
        self.venue.restart(empty)
        self._events = [entry for entry in self._events if entry[2] != self._arrive]
        self._events.sort()
        if self.session is not None:
            self.watch.doubted()
            self._guard(self.session.on_disconnect, self.now)

    # ---- time

    def _poll(self, _given: None) -> None:
        self.at(POLL, self._poll, None)
        if self.session is None:
            return
        if self.session.engine.next_timer <= self.now:
            self._faulty("timer", self.session.on_timer, self.now)
        if self.session is not None and not self._guard(self.session.poll, self.now):
            return
        self._operate()
        fault = self.fault("venue")
        if fault is not None:
            self._venue_restarts(fault.kind == "restart_empty")

    def _operate(self) -> None:
        """A person interferes."""
        fault = self.fault("operator")
        session = self.session
        if session is None:
            return
        if fault is None:
            if session.halted and (self.calm or self._net.random() < 0.025):
                self._act(session, "reset")
            elif self._net.random() < 0.02:
                suspended = [holding.index for holding in session.engine.portfolio.holdings if holding.suspended]
                if suspended and not session.halted:
                    self._act(session, "lift", instrument=suspended[0])
        elif fault.kind == "cancel":
            orders = session.engine.open_orders()
            if orders:
                self._act(session, "cancel", order_id=orders[fault.arg % len(orders)].id)
        elif fault.kind == "limits":
            self._act(session, "limits", limits=(LIMITS, TIGHT)[fault.arg % 2])
        else:
            self._act(session, fault.kind, instrument=fault.arg % INSTRUMENTS if fault.kind == "suspend" else 0)

    def _act(self, session: Session, what: str, **about: Any) -> None:
        act = SessionAct(what=what, who="TRADER", why="a drill", **about)
        self.watch.wanted(act)
        self._faulty("act", lambda: self.watch.acknowledged(act, session.act(act, self.now)))

    def _snapshot(self, _given: None) -> None:
        self.at(self._net.randrange(4 * SECOND, 12 * SECOND), self._snapshot, None)
        if self.session is not None:
            self._faulty("snapshot", self.session.snapshot)

    # ---- the end

    def _quiet(self) -> None:
        """No more faults, no more trading: within 60 s of simulated time everything has to be known and equal."""
        self.calm = self.venue.calm = True
        self.disk.full = False
        self._events = [entry for entry in self._events if entry[2] != self._tick]
        self._events.sort()
        until = self.now + 60 * SECOND
        while self.now < until:
            self._step()
        if self.session is None or self.session.phase is not Phase.LIVE:
            raise Broken("11", f"60 s after the last fault the session is {self.session and self.session.phase}")
        self.watch.quiet()
        self.watch.full()


def _call(act: Callable[[], None]) -> None:
    act()

"""The log of a run: entries go into a queue, and a thread of its own makes lines of them and writes those.

The engine's part is to copy a block or to put one object into a queue, which never waits. A live run never waits for its log at all: remarks beyond
`WAITING_MAX` are dropped and counted, orders and executions never are. A backtest has no clock to keep up with: it is
`patient`, and waits for the thread rather than hold its whole decision log in memory.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lockstep.engine.engine import Engine
from lockstep.run.journal_lines import JournalLines
from lockstep.run.logs.decisions import DecisionEntries
from lockstep.run.logs.entries import Entry, entry_of
from lockstep.run.logs.files import FILES_KEPT, ROTATE_BYTES, StreamFiles
from lockstep.run.logs.levels import Levels

WAITING_MAX = 100_000
"""Remarks that may wait to be written."""
BLOCKS_WAITING = 8
"""Blocks of decisions a patient run may be ahead of its log."""
PATIENT_SECONDS = 0.001
CLOSE_SECONDS = 30.0
"""A log whose disk hangs is given up after so long at the end of a run."""


class RunLog:
    """The four log streams of one run in a folder: `with RunLog(folder, levels) as log`.

    While it is open it also takes what anything says through Python's `logging`: Lockstep's own loggers are named by component
    (`lockstep.orders`), those of strategy files count as `strategy`, and every line gets the engine's time.

    Args:   patient: whether the run may wait for its log. rotate_bytes, keep: of each stream's file.
    """

    def __init__(
        self,
        folder: Path,
        levels: Levels | None = None,
        *,
        patient: bool = True,
        rotate_bytes: int = ROTATE_BYTES,
        keep: int = FILES_KEPT,
    ) -> None:
        self.files = StreamFiles(folder, rotate_bytes, keep)
        self.levels = levels or Levels()
        self.dropped = 0
        self._clock: Callable[[], int] = int
        self._speaker: Callable[[], str] = str
        self._flush: Callable[[], object] = int
        self._engine_thread = 0
        self._decisions = DecisionEntries(JournalLines(None), self.levels)
        self._room = threading.BoundedSemaphore(BLOCKS_WAITING) if patient else None
        self._waiting: queue.SimpleQueue[Entry | NDArray[np.int64] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="lockstep-log", daemon=True)
        self._capture = _Capture(self)

    def begin_at(self, ts: int) -> None:
        """Stamp what is said before there is an engine by this time, ns UTC."""
        self._clock = lambda: ts

    def follow(self, engine: Engine) -> None:
        """From now on stamp remarks by the engine's clock, and name its strategies and instruments.

        The engine's thread calls this.
        """
        state = engine.state
        named = {
            "instruments": [holding.instrument.facts() for holding in engine.portfolio.holdings],
            "strategies": [seat.name for seat in engine.seats],
        }
        self._decisions = DecisionEntries(JournalLines(named), self.levels)
        self._clock = lambda: state.clock
        self._speaker = lambda: engine.active_strategy
        self._flush, self._engine_thread = state.decisions.flush, threading.get_ident()

    def rows(self, block: NDArray[np.int64]) -> None:
        """Rows of the engine's decision log, int64 [n, 8]; the block is copied. A decision sink of the engine."""
        if self._room is not None:
            self._room.acquire()
        self._waiting.put(block.copy())

    def say(self, level: int, component: str, event_type: str, message: str, **data: Any) -> None:
        """A remark, at the present time; `data` becomes fields of the line."""
        if level >= self.levels.of(component):
            self._put(
                Entry(
                    ts=self._clock(),
                    level=level,
                    component=component,
                    event_type=event_type,
                    message=message,
                    data=data,
                )
            )

    def flush(self) -> None:
        """What the engine decided so far goes before what is said next. For the engine's thread, outside of any sink."""
        self._flush()

    def __enter__(self) -> Self:
        self._thread.start()
        self._capture.attach(self.levels.lowest)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> bool:
        """Write what waits and give the files back. Returns: False where the disk did not take it in time."""
        self._capture.detach()
        self._waiting.put(None)
        self._thread.join(CLOSE_SECONDS)
        return not self._thread.is_alive()

    def counts(self) -> dict[str, Any]:
        """Lines written by stream, lines lost to the disk, remarks dropped because too many waited."""
        return self.files.counts() | {"dropped": self.dropped}

    # ---- inside

    def take(self, record: logging.LogRecord) -> None:
        """A record of Python's logging, if its component's level lets it through."""
        component = component_of(record.name)
        if record.levelno < self.levels.of(component):
            return
        if component == "strategy" and not hasattr(record, "strategy"):
            record.strategy = self._speaker() or None
            if threading.get_ident() == self._engine_thread:  # a handler's word: what was decided before it comes first
                self._flush()
        self._put(entry_of(record, component, self._clock()))

    def _put(self, entry: Entry) -> None:
        while self._waiting.qsize() >= WAITING_MAX:
            if self._room is None:
                self.dropped += 1
                return
            time.sleep(PATIENT_SECONDS)
        self._waiting.put(entry)

    def _write_all(self) -> None:
        told = 0
        while (waiting := self._waiting.get()) is not None:
            try:
                self._write_one(waiting)
            except Exception:  # noqa: BLE001 - the run waits for this thread: it may lose lines, but never end
                self.files.lose(1 if isinstance(waiting, Entry) else len(waiting))
            if self.dropped > told and self._waiting.empty():
                told = self._tell_dropped(told)
        if self.dropped > told:
            self._tell_dropped(told)
        self.files.close()

    def _write_one(self, waiting: Entry | NDArray[np.int64]) -> None:
        if isinstance(waiting, Entry):
            self.files.write(waiting)
        else:
            self._write_block(waiting)

    def _write_block(self, block: NDArray[np.int64]) -> None:
        try:
            for entry in self._decisions.of(block):
                self.files.write(entry)
        finally:
            if self._room is not None:
                self._room.release()

    def _tell_dropped(self, told: int) -> int:
        """Say how many more were dropped. Returns: how many have been told of now."""
        dropped = self.dropped
        self.files.write(
            Entry(
                ts=self._clock(), level=logging.WARNING, component="run", event_type="dropped",
                message=f"{dropped - told:,} remarks were dropped: more than {WAITING_MAX:,} were waiting to be written",
                data={"count": dropped - told},
            )
        )  # fmt: skip
        return dropped


def component_of(logger: str) -> str:
    """Whose a logger of Python's logging is, by its name."""
    first, _, rest = logger.partition(".")
    if first == "lockstep":
        return rest.partition(".")[0] or "run"
    return "strategy" if first == "root" or first.startswith("lockstep_strategy_") else logger


class _Capture(logging.Handler):
    """Hands Python's logging to the log of a run while that is open; the root logger is as before afterwards."""

    def __init__(self, log: RunLog) -> None:
        super().__init__()
        self._log = log
        self._level_before = logging.WARNING
        self._attached = False

    def attach(self, level: int) -> None:
        root = logging.getLogger()
        self._level_before, self._attached = root.level, True
        root.setLevel(min(root.level, level))
        root.addHandler(self)

    def detach(self) -> None:
        if self._attached:
            self._attached = False
            root = logging.getLogger()
            root.removeHandler(self)
            root.setLevel(self._level_before)

    def emit(self, record: logging.LogRecord) -> None:
        self._log.take(record)

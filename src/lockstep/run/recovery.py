"""A session's engine from its journal: the newest good snapshot, then every input after it, each decision compared.

Replaying is feeding the same inputs to the same strategies. What they decide must be what they decided then, byte for byte;
where it is not, the strategy or its surroundings have changed, and trading on would be trading on a guess.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lockstep.engine import switch
from lockstep.engine.engine import Engine
from lockstep.engine.records import RECORD_NAMES, field
from lockstep.engine.rowlog import Sink
from lockstep.engine.saved import restore_engine, save_engine
from lockstep.model.errors import HaltError, StateError
from lockstep.model.rows import EventRows
from lockstep.run.inputs import SessionState, input_of, is_failure, step_again
from lockstep.run.plain_bytes import pack, unpack
from lockstep.store.journal.layout import DECISION_WORDS, Record, RecordKind, digest
from lockstep.store.journal.recovery import recover

SESSION_STATE_SCHEMA_VERSION = 1
_DECISION = int(RecordKind.DECISION)
_NO_ROWS = np.empty((0, DECISION_WORDS), np.int64)
BuildEngine = Callable[[Sink], Engine]
"""An engine with its strategies seated and not started, that hands its decision rows to the sink."""


class ReplayDiffers(HaltError):
    """The journalled inputs lead to another decision than the journalled one. sequence: of the record where they part."""

    def __init__(self, sequence: int, fact: str) -> None:
        super().__init__(
            f"record {sequence}: {fact}",
            hint="the strategy, its parameters or this version differ from those that wrote the journal",
        )
        self.sequence = sequence


class Rows:
    """A sink that keeps the decision rows of one step."""

    def __init__(self) -> None:
        self._blocks: list[NDArray[np.int64]] = []

    def __call__(self, block: NDArray[np.int64]) -> None:
        """A block that the engine may overwrite once this returns."""
        self._blocks.append(block.copy())

    def take(self) -> NDArray[np.int64] | None:
        """What has come since the last call, or None."""
        blocks = self._blocks
        if not blocks:
            return None
        self._blocks = []
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


class Recovered(NamedTuple):
    """The engine after the last journalled input. rows: its sink. unwritten: decisions of that input that the journal lacks.

    sequence: of the last record read; replayed: how many records after the snapshot. skipped: snapshots passed over, and why.
    fault: what a handler raised at the last input, as it did then, where the journal ends before the kill switch that follows.
    """

    engine: Engine
    state: SessionState
    rows: Rows
    unwritten: NDArray[np.int64]
    sequence: int
    replayed: int
    skipped: tuple[str, ...]
    fault: BaseException | None


def session_state(engine: Engine, state: SessionState) -> bytes:
    """Everything a session is between two inputs, as bytes: what a snapshot holds and what states are compared by."""
    return pack(
        {"schema_version": SESSION_STATE_SCHEMA_VERSION, "session": state.save(), "engine": save_engine(engine)}
    )


def state_hash(engine: Engine, state: SessionState) -> str:
    """BLAKE2b-256 of `session_state`, hex."""
    return digest(session_state(engine, state)).hex()


def replay(folder: Path, build: BuildEngine, *, snapshots: bool = True, until: int | None = None) -> Recovered:
    """The engine as the journal says it was. Nothing is changed.

    Args:   snapshots: False to begin with the first record, whatever snapshots there are. until: the last sequence to take.
    Raises: ReplayDiffers. UsageError: no journal. DamagedJournal. StateError: a snapshot of another session.
    """
    found = recover(folder)
    snapshot = found.snapshot if snapshots else None
    if snapshot is not None and until is not None and snapshot.sequence > until:
        snapshot = None
    rows = Rows()
    engine, state = build(rows), SessionState()
    if snapshot is not None:
        _restore(engine, state, unpack(snapshot.state))
        engine.state.decisions.flush()
        rows.take()  # what on_start decided was decided then
    after = snapshot.sequence if snapshot else 0
    records = (r for r in found.journal.records(after) if until is None or r.sequence <= until)
    return _follow(engine, state, rows, records, after, found.skipped)


def _restore(engine: Engine, state: SessionState, saved: Any) -> None:
    if not isinstance(saved, dict) or saved.get("schema_version") != SESSION_STATE_SCHEMA_VERSION:
        version = saved.get("schema_version") if isinstance(saved, dict) else None
        raise StateError(f"session state has schema {version!r}, this version reads {SESSION_STATE_SCHEMA_VERSION}")
    state.restore(saved["session"])
    engine.start(state.started)
    restore_engine(engine, saved["engine"])


def _follow(
    engine: Engine, state: SessionState, rows: Rows, records: Iterator[Record], after: int, skipped: tuple[str, ...]
) -> Recovered:
    market = EventRows()
    due = _NO_ROWS  # decided, and not yet met in the journal
    at, count, sequence = 0, 0, after
    fault: BaseException | None = None
    for record in records:
        sequence, count = record.sequence, count + 1
        if record.kind == _DECISION:
            if at == len(due):
                raise ReplayDiffers(
                    sequence, f"the journal has {_said(record.payload)}, the replay decides nothing there"
                )
            if due[at].tobytes() != record.payload:
                raise ReplayDiffers(
                    sequence, f"the journal has {_said(record.payload)}, the replay gives {_said(due[at].tobytes())}"
                )
            at += 1
            continue
        fact = input_of(record)
        if fact is None:
            continue
        if at < len(due):
            raise ReplayDiffers(
                sequence, f"the replay gives {_said(due[at].tobytes())}, the journal has no decision there"
            )
        if fault is not None and not is_failure(fact, fault):
            said = switch.fault_text(fault)
            raise ReplayDiffers(sequence, f"the replay fails before it with {said}, the journal goes on") from fault
        step = step_again(engine, state, market, record, fact)
        before = engine.state.decisions.count
        fault = None
        try:
            step()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as the handler did then: the next input says so
            fault = error
        engine.state.outbox.clear()  # what was sent is not sent again
        due, at = decided(engine, rows) if engine.state.decisions.count != before else _NO_ROWS, 0
    return Recovered(engine, state, rows, due[at:], sequence, count, skipped, fault)


def decided(engine: Engine, rows: Rows) -> NDArray[np.int64]:
    """The decision rows since the last call."""
    engine.state.decisions.flush()
    found = rows.take()
    return _NO_ROWS if found is None else found


def _said(row: bytes) -> str:
    values = np.frombuffer(row, np.int64)
    kind = int(field(values[2:3], "kind")[0])
    return f"{RECORD_NAMES.get(kind, f'kind {kind}')} of {int(values[3])} {[int(v) for v in values[4:]]} at {int(values[0])}"

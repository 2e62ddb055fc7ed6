r"""A run in the middle, as one file: taken between any two steps, and gone on from in another process to the same end.

The file holds everything that decides what comes next (engine, venue, what is under way, the place in each stream of events)
and everything that was left so far (the logs), since a run's hash and tables cover it from its first event. It does not hold
the data: a restored run opens them again and passes over what was handed out. So it belongs to exactly one run: the same
strategy source, parameters, configuration and data, which is checked before anything is restored.

    b"lockstep snapshot\n", SHA-256 of the body (32 bytes), length of the body (8 bytes, big-endian), body (MessagePack)

These first bytes stay as they are; the body says which schema it has. Whole numbers beyond 64 bits, which MessagePack lacks,
are extension 1: two's complement, big-endian. Rows of the logs are little-endian.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep._version import __version__
from lockstep.engine.records import DECISION_SCHEMA_VERSION
from lockstep.engine.saved import restore_engine, save_engine
from lockstep.model.errors import StateError, UsageError
from lockstep.model.messages import Signal
from lockstep.run.backtest import Backtest, Playing, Progress
from lockstep.run.difference import difference
from lockstep.run.identity import HASH_SCHEMA_VERSION, canonical
from lockstep.run.plain_bytes import packable, unpack
from lockstep.sim.saved import restore_venue, save_venue
from lockstep.store.rowspool import RowSpool

SNAPSHOT_SCHEMA_VERSION = 1
MAGIC = b"lockstep snapshot\n"
_HEAD_BYTES = len(MAGIC) + 32 + 8
_RECORDS = [HASH_SCHEMA_VERSION, DECISION_SCHEMA_VERSION]


class Snapshot(NamedTuple):
    """A run in the middle. given: what the run hash says of the run before it starts. state: the rest, plain data.

    clock: of the engine, ns UTC. lockstep: the version that took it, for information.
    """

    given: dict[str, Any]
    clock: int
    lockstep: str
    state: dict[str, Any]


def take(playing: Playing) -> Snapshot:
    """The run as it stands, between two steps. The run may go on.

    Raises: StateError: an attribute of a strategy that is no plain data, named.
    """
    engine = save_engine(playing.engine)
    state = {
        "engine": engine,
        "venue": save_venue(playing.venue),
        "loop": playing.loop.save(),
        "decisions": _blocks(playing.decisions),
        "fills": _blocks(playing.fill_rows),
        "equity": _blocks(playing.equity_rows),
        "signals": [msgspec.to_builtins(signal) for signal in playing.signals],
        "seconds": playing.seconds,
    }
    return Snapshot(_plain_given(playing.backtest), playing.engine.state.clock, __version__, state)


def resume(backtest: Backtest, snapshot: Snapshot, progress: Progress | None = None) -> Playing:
    """The run a snapshot was taken of, ready to go on.

    Raises: StateError: the backtest is of another strategy, data or configuration than the snapshot's.
    """
    _refuse_other(snapshot.given, _plain_given(backtest))
    playing = backtest.begin(progress)
    state = snapshot.state
    with playing.faults_named():  # a strategy's own restore_state runs
        restore_engine(playing.engine, state["engine"])
        _check_strategies(state["engine"], save_engine(playing.engine))
    restore_venue(playing.venue, state["venue"])
    playing.loop.restore(state["loop"])
    playing.identity.restart()
    _refill(playing.decisions, state["decisions"], playing.identity.update)
    _refill(playing.fill_rows, state["fills"])
    _refill(playing.equity_rows, state["equity"])
    playing.signals[:] = [msgspec.convert(signal, Signal) for signal in state["signals"]]
    playing.seconds = state["seconds"]
    return playing


def _check_strategies(saved: Mapping[str, Any], again: Mapping[str, Any]) -> None:
    """A strategy that was put back is the one that was saved. Raises: StateError: it is not, whatever the cause."""
    for name, before in saved["strategies"].items():
        now = again["strategies"][name]
        if json.dumps(before, sort_keys=True) != json.dumps(now, sort_keys=True):
            old, new = (entry["state"].get("attributes", {}) for entry in (before, now))
            differ = sorted(key for key in {*old, *new} if repr(old.get(key)) != repr(new.get(key)))
            raise StateError(
                f"{name} is not restored to what was saved: {', '.join(differ) or 'its state'} differs",
                hint="an attribute that was deleted, or a save_state and restore_state that do not fit each other",
            )


# ---- the file


def write(snapshot: Snapshot, path: Path) -> None:
    """Write it whole, or leave what was there. Raises: OSError: the place cannot be written."""
    body = msgspec.msgpack.encode(
        {
            "schema": SNAPSHOT_SCHEMA_VERSION,
            "records": _RECORDS,
            "lockstep": snapshot.lockstep,
            "clock": snapshot.clock,
            "given": snapshot.given,
            "state": packable(snapshot.state),
        }
    )
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(MAGIC + hashlib.sha256(body).digest() + len(body).to_bytes(8, "big"))
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def read(path: Path) -> Snapshot:
    """A snapshot from its file.

    Raises: UsageError: there is no such file. StateError: it is no snapshot, cut short, damaged, or of another schema.
    """
    try:
        data = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError) as e:
        raise UsageError(f"there is no snapshot {path}", hint="lockstep play --snapshot FILE writes one") from e
    if not data.startswith(MAGIC):
        raise StateError(f"{path} is no snapshot of a run")
    body = memoryview(data)[_HEAD_BYTES:]
    promised = int.from_bytes(data[_HEAD_BYTES - 8 : _HEAD_BYTES], "big")
    if len(data) < _HEAD_BYTES or len(body) < promised:
        raise StateError(f"{path} is cut short: {len(body)} bytes of {promised}", hint="take the snapshot again")
    if hashlib.sha256(body).digest() != data[len(MAGIC) : len(MAGIC) + 32]:
        raise StateError(f"{path} is damaged: its checksum does not match", hint="take the snapshot again")
    held = unpack(body)
    if held["schema"] > SNAPSHOT_SCHEMA_VERSION:
        raise StateError(
            f"{path} has schema version {held['schema']} (Lockstep {held['lockstep']}), "
            f"this Lockstep {__version__} reads up to {SNAPSHOT_SCHEMA_VERSION}",
            hint="restore it with that version",
        )
    if held["schema"] != SNAPSHOT_SCHEMA_VERSION or held["records"] != _RECORDS:
        raise StateError(
            f"{path} was taken by Lockstep {held['lockstep']}, whose records {__version__} does not continue",
            hint="restore it with that version, or run from the start",
        )
    return Snapshot(held["given"], held["clock"], held["lockstep"], held["state"])


def check_place(path: Path) -> None:
    """Refuse before a run what would fail in it. Raises: UsageError: a snapshot could not be written there."""
    folder = path.absolute().parent
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint=f"name a file: {path / 'run.snapshot'}")
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UsageError(f"a snapshot cannot be written to {path}: {folder} is not a writable folder")


# ---- logs


def _blocks(spool: RowSpool) -> list[bytes]:
    return [block.astype("<i8", copy=False).tobytes() for block in spool.blocks()]


def _refill(spool: RowSpool, blocks: Iterable[bytes], also: Callable[[NDArray[np.int64]], None] | None = None) -> None:
    spool.clear()
    for data in blocks:
        rows = np.frombuffer(data, "<i8").astype(np.int64).reshape(-1, spool.words)
        spool.append(rows)
        if also is not None:
            also(rows)


# ---- whose run it is


def _plain_given(backtest: Backtest) -> dict[str, Any]:
    given: dict[str, Any] = json.loads(canonical(backtest.given()))
    return given


def _refuse_other(saved: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Say in what the snapshot's run differs from this one. Raises: StateError."""
    if saved == now:
        return
    raise StateError(
        f"the snapshot is of another run: {difference(saved, now)}",
        hint="restore it with the same strategy file, data and options; or run without it, from the start",
    )

"""Keeping a backtest in a journal: what was given to it, every decision as it is made, every signal's words, and its end.

    JournalOpened   identity: what the run hash says of the run, its seats, and how its data were read
    decisions       the engine's decision log, row by row; after each block the signals made in it, in their own words
    RunEnded        run hash, decision hash, the final ledger and its digest; or RunFailed, where a handler raised
    JournalClosed

Nothing in it depends on clock, machine or folder: the same run leaves the same bytes. Where its data and its strategy
files lay is told in `places.json` beside it, which nothing is hashed over; moved data are named by `--data`.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.engine.records import DECISION_SCHEMA_VERSION
from lockstep.model.errors import UsageError
from lockstep.model.messages import Signal
from lockstep.run.backtest import Backtest, Outcome, Playing, Progress
from lockstep.run.data_source import DataSource
from lockstep.run.identity import HASH_SCHEMA_VERSION, canonical, ledger_facts
from lockstep.run.logs.entries import shortened
from lockstep.run.logs.log import RunLog
from lockstep.run.logs.session import say_ended, session_of
from lockstep.run.places import PLACES, places_of, write_places
from lockstep.store.journal.layout import digest, identity_digest, segment_paths
from lockstep.store.journal.reader import Journal
from lockstep.store.journal.writer import JournalWriter

BACKTEST = "backtest"
ENDED, FAILED = "RunEnded", "RunFailed"
REASONING_MAX = 150_000
"""Characters of a signal's reasoning that are kept."""


def record(
    backtest: Backtest,
    folder: Path,
    sources: Sequence[DataSource] = (),
    progress: Progress | None = None,
    log: RunLog | None = None,
) -> Outcome:
    """Run it to the end of the data, and keep it in a journal.

    Args:   folder: made if there is none; a recording of this very run is replaced, anything else refused.
            sources: where the data were read from, so that a replay finds them again; without, it has to be told.
            log: what happens is told there, too; closed when it has run.
    Raises: UsageError: the folder holds something else. JournalFull, JournalFailed. As `Backtest.run`; a run whose
            strategy fails is kept up to there.
    """
    refuse_unfit(folder)
    with nullcontext() if log is None else session_of(log, backtest):
        tape = _Tape()
        playing = backtest.begin(progress, [tape.append] if log is None else [log.rows, tape.append])
        if log is not None:
            log.follow(playing.engine)
        outcome = _kept(playing, tape, folder, sources)
        if log is not None:
            say_ended(log, outcome)
    return outcome


def _kept(playing: Playing, tape: "_Tape", folder: Path, sources: Sequence[DataSource]) -> Outcome:
    identity = identity_of(playing, sources)
    with _place_for(folder, identity) as place, JournalWriter(place, identity, flush_seconds=None) as journal:
        write_places(place, places_of(folder, playing.backtest, sources))
        journal.flush()  # whatever happens to the run, which one it was is known
        tape.start(journal, playing.signals)
        try:
            with playing.faults_named():
                playing.loop.run_all()
            outcome = playing.end()
        except BaseException as e:
            _keep_failure(playing, tape, journal, e)
            raise
        tape.finish(_ending(outcome))
    return outcome


def refuse_unfit(folder: Path) -> None:
    """Refuse before a run a folder in which it could not be kept. Raises: UsageError."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; a recording is a folder", hint="name another place")
    if folder.is_dir() and any(folder.iterdir()) and not segment_paths(folder):
        raise UsageError(
            f"{folder} is not empty, and holds no recording", hint="name a new folder; nothing in this one was changed"
        )


def identity_of(playing: Playing, sources: Sequence[DataSource] = ()) -> dict[str, Any]:
    """What a recording says it is of, as plain data. No paths: the same on every machine."""
    backtest = playing.backtest
    identity: dict[str, Any] = msgspec.json.decode(canonical(backtest.given()))
    return identity | {
        "kind": BACKTEST,
        "hash_schema": HASH_SCHEMA_VERSION,
        "decision_schema": DECISION_SCHEMA_VERSION,
        "seats": [seat.name for seat in playing.engine.seats],
        "said_params": [{name: str(value) for name, value in plan.params.items()} for plan in backtest.plans],
        "reading": [source.reading() for source in sources],
        "delays": [list(row) for row in backtest.config.latency.recorded],
    }


class _Tape:
    """The sink of the decision log: holds what comes before the journal is open, then hands it on with the signals."""

    def __init__(self) -> None:
        self.rows = 0
        self._held: list[NDArray[np.int64]] = []
        self._journal: JournalWriter | None = None
        self._signals: Sequence[Signal] = ()
        self._told = 0

    def append(self, block: NDArray[np.int64]) -> None:
        """A block of the decision log. Raises: JournalFull, JournalFailed."""
        if self._journal is None:
            self._held.append(block.copy())
            return
        self.rows += len(block)
        self._journal.append_decisions(block)
        for signal in self._signals[self._told :]:  # at the journal's clock: their own stands in them
            self._journal.append_fact(_told(signal))
        self._told = len(self._signals)

    def start(self, journal: JournalWriter, signals: Sequence[Signal]) -> None:
        """The journal is open. signals: a list that grows as the run goes on."""
        self._journal, self._signals = journal, signals
        for block in self._held:
            self.append(block)
        self._held = []

    def finish(self, fact: Mapping[str, Any]) -> None:
        """How the run ended."""
        if self._journal is not None:
            self._journal.append_fact({**fact, "decisions": self.rows})


def _told(signal: Signal) -> Signal:
    """The signal, its words as far as a record can hold them: what a strategy says must not end its run at the journal."""
    words = signal.reasoning[:REASONING_MAX].encode(errors="backslashreplace").decode()
    return signal if words == signal.reasoning else msgspec.structs.replace(signal, reasoning=words)


def _ending(outcome: Outcome) -> dict[str, Any]:
    ledger = ledger_facts(outcome.engine)
    return {
        "type": ENDED,
        "run_hash": outcome.run_hash,
        "decision_hash": outcome.decision_hash,
        "events": outcome.events,
        "ledger": ledger,
        "ledger_digest": digest(canonical(ledger)).hex(),
    }


def _keep_failure(playing: Playing, tape: _Tape, journal: JournalWriter, error: BaseException) -> None:
    """What was decided until a run broke off, and why it did; the journal itself may be what failed."""
    try:
        playing.engine.flush()
        interrupted = not isinstance(error, Exception)
        # A text of any length, or with half a pair of surrogates in it, must not cost the recording its end.
        words = "interrupted" if interrupted else shortened(str(error)).encode(errors="backslashreplace").decode()
        tape.finish({"type": FAILED, "error": words, "interrupted": interrupted, "events": playing.engine.events})
        journal.close("the run failed")
    except Exception as e:  # noqa: BLE001 - the first failure is the one to tell
        error.add_note(f"the recording ends before it: {e}")


@contextmanager
def _place_for(folder: Path, identity: Mapping[str, Any]) -> Iterator[Path]:
    """The folder itself where it is new; beside a recording of the same run, which it replaces once it is whole."""
    if not segment_paths(folder):
        made = not folder.exists()
        try:
            yield folder
        except BaseException:
            if made and folder.is_dir() and not segment_paths(folder):
                shutil.rmtree(folder, ignore_errors=True)
            raise
        return
    if Journal(folder).identity_hash != identity_digest(identity):
        raise UsageError(
            f"{folder} holds the recording of another run",
            hint=f"name another folder; lockstep journal cat {folder} --limit 1 says which run it is",
        )
    beside = folder.resolve().with_name(f".{folder.resolve().name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        yield beside
        for path in segment_paths(folder):
            path.unlink()
        for path in (*segment_paths(beside), beside / PLACES):
            path.replace(folder / path.name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)

"""Running a recording again, strategy included, and comparing every record of its decision log, byte by byte."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import HaltError, LockstepError, UsageError
from lockstep.run.backtest import Backtest, Outcome, Playing, Progress
from lockstep.run.journal_lines import JournalLines, Line
from lockstep.run.recorded import Decisions, Recorded, line_of
from lockstep.run.recording import ENDED, FAILED, identity_of
from lockstep.run.standing import Standing
from lockstep.store.catalog.times import time_text

STEPS_PER_SLICE = 4096
"""How far a replay goes on at most once something differs."""
NEVER = 2**63 - 1


class Difference(NamedTuple):
    """The first decision that is not the same. recorded, replayed: None where that side made none."""

    recorded: Line | None
    replayed: Line | None


class Replayed(NamedTuple):
    """What came of a replay.

    identical: every record compared is the same, and so is the end. events: of the market, seen by the replay. compared:
    records of the decision log. run_hash, decision_hash: the replay's own, None where it was not played to its end.
    why: in words where it is not identical. state: where the run stands, where it was stopped.
    """

    identical: bool
    events: int
    compared: int
    run_hash: str | None
    decision_hash: str | None
    difference: Difference | None
    why: str
    clock: int
    state: dict[str, Any] | None


class Comparison:
    """A sink of the decision log: each row is looked up in a recording. `first`: the first that differs, (recorded, replayed)."""

    def __init__(self, recorded: Iterator[Decisions]) -> None:
        self.compared = 0
        self.first: tuple[tuple[int, NDArray[np.int64]] | None, NDArray[np.int64] | None] | None = None
        self._recorded = recorded
        self._at = Decisions(np.empty(0, np.int64), np.empty((0, 8), np.int64))

    def update(self, block: NDArray[np.int64]) -> None:
        """Rows that the replay made."""
        at = 0
        while at < len(block) and self.first is None:
            if not self._fill():
                self.first = None, block[at].copy()
                return
            count = min(len(block) - at, len(self._at.rows))
            same = (block[at : at + count] == self._at.rows[:count]).all(axis=1)
            done = count if same.all() else int(same.argmin())
            if done < count:
                self.first = (int(self._at.sequences[done]), self._at.rows[done]), block[at + done].copy()
            self._at = Decisions(self._at.sequences[done:], self._at.rows[done:])
            self.compared += done
            at += done

    def finish(self) -> None:
        """The replay makes no more."""
        if self.first is None and self._fill():
            self.first = (int(self._at.sequences[0]), self._at.rows[0]), None

    def _fill(self) -> bool:
        if not len(self._at.rows):
            self._at = next(self._recorded, self._at)
        return len(self._at.rows) > 0


def replay(
    recorded: Recorded, backtest: Backtest, until: int | None = None, progress: Progress | None = None
) -> Replayed:
    """Run it again and compare, up to a time where one is given: every event known by then has been handled.

    Raises: UsageError: a time outside the run. DamagedJournal. Whatever the strategy raises where the recorded one did not.
    """
    comparison = Comparison(recorded.decisions())
    playing = backtest.begin(progress, [comparison.update])
    if until is not None and not playing.engine.state.clock <= until <= playing.last_clock():
        raise UsageError(
            f"--until {time_text(until)}: the run goes from {time_text(playing.engine.state.clock)} to {time_text(playing.last_clock())}",
            hint="choose a time in between",
        )
    outcome, failure = _play(playing, comparison, NEVER if until is None else until)
    ended = until is None and (outcome is not None or failure is not None)
    if ended:
        comparison.finish()
    theirs = JournalLines(identity_of(playing))
    first = _lines(comparison, recorded, theirs) if _counts(recorded, comparison) else None
    why = _why(recorded, first, outcome, failure, until is not None)
    return Replayed(
        identical=not why,
        events=playing.engine.events,
        compared=comparison.compared,
        run_hash=None if outcome is None else outcome.run_hash,
        decision_hash=None if outcome is None else outcome.decision_hash,
        difference=first,
        why=why,
        clock=playing.engine.state.clock,
        state=None if until is None else Standing(playing).facts(),
    )


def _play(playing: Playing, comparison: Comparison, until: int) -> tuple[Outcome | None, LockstepError | None]:
    """Play to the end, to a time, or to shortly after a difference.

    Returns: what came of it, None where it did not come to its end; what it broke off with.
    """
    more = True
    try:
        while more and comparison.first is None and playing.loop.next_clock() <= until:
            with playing.faults_named():
                more = playing.loop.run(until, STEPS_PER_SLICE)
        if more and (until != NEVER or comparison.first is not None):
            if until != NEVER:
                with playing.faults_named():
                    playing.loop.settle(until)
            playing.engine.flush()
            return None, None
        with playing.faults_named():
            playing.loop.finish()
        return playing.end(), None
    except HaltError as e:
        playing.engine.flush()
        return None, e


def _counts(recorded: Recorded, comparison: Comparison) -> bool:
    """A replay goes on where an interrupt broke the recording off, or its tail was lost: that is no difference in what was decided."""
    if comparison.first is None:
        return False
    before, _ = comparison.first
    return before is not None or (recorded.ending is not None and not recorded.ending.get("interrupted"))


def _lines(comparison: Comparison, recorded: Recorded, theirs: JournalLines) -> Difference | None:
    if comparison.first is None:
        return None
    before, now = comparison.first
    sequence = before[0] if before is not None else recorded.survey.last_sequence
    return Difference(
        None if before is None else line_of(recorded.lines, *before),
        None if now is None else line_of(theirs, sequence, now),
    )


def _why(
    recorded: Recorded, first: Difference | None, outcome: Outcome | None, failure: LockstepError | None, stopped: bool
) -> str:
    """In words why the two are not the same; empty where they are."""
    ending = recorded.ending
    failed = ending is not None and ending["type"] == FAILED and not ending["interrupted"]
    if failure is not None and not failed:
        return f"the replay failed, and the recorded run did not: {failure}"
    if first is not None:
        return "a decision differs"
    if stopped:
        return ""
    if ending is None:
        torn = f": {recorded.survey.torn.text()}" if recorded.survey.torn is not None else ""
        return f"the recording breaks off after record {recorded.survey.last_sequence:,}, and all before it is the same{torn}"
    if failed and failure is None:
        return f"the recorded run failed, and the replay did not: {ending['error']}"
    if outcome is not None and ending["type"] == ENDED:
        return _why_end(ending, outcome)
    return ""


def _why_end(ending: dict[str, Any], outcome: Outcome) -> str:
    if ending["decision_hash"] != outcome.decision_hash:
        return "every decision is the same, and the final ledger differs"
    return ""

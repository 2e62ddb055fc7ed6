"""Playing a run: as fast as possible, in real time or a multiple of it, with breakpoints. Nothing here changes its outcome.

A player feeds the run in slices and looks between two steps (a tick, or all bars of one clock) whether to stop. It reads no
clock of its own: `sleep` and `monotonic` are given, so that a test does not wait and a run's result cannot depend on them.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum
from typing import NamedTuple

from lockstep.model.errors import UsageError, did_you_mean
from lockstep.model.numbers import NANOS_PER_SECOND
from lockstep.run.backtest import Playing
from lockstep.run.condition import Condition
from lockstep.run.standing import Standing
from lockstep.store.catalog.times import time_text

NEVER = 2**63 - 1
SPEED_MAX = 1e9
STEPS_PER_SLICE = 4096
"""How far a run goes at most before an interrupt is looked at."""
WAIT_SECONDS_MAX = 0.1
"""How long a player sleeps at a time: as long as that an interrupt may take, and as often a shown line is renewed."""
COUNTED = ("fill", "order", "signal")


class Then(Enum):
    """What to do after a pause."""

    GO = "go"
    STEP = "step"
    STOP = "stop"


class Pause(NamedTuple):
    """Why a run stands still. kind: time, condition, fill, order, signal or step; words: the same for people."""

    kind: str
    words: str


class Breaks(NamedTuple):
    """Where to stop. at: when every event up to a time, ns UTC, has been handled. when: as soon as one of these conditions
    begins to hold. on: at each fill, order or signal.
    """

    at: Sequence[int] = ()
    when: Sequence[Condition] = ()
    on: Sequence[str] = ()


NO_BREAKS = Breaks()


class Player:
    """Plays a run that has begun.

    Args:
        speed:     seconds of the run in one second; None for as fast as possible.
        breaks:    where to stop and call `on_pause`, which says how to go on.
        marks:     times, ns UTC, at which `on_mark` is called without a stop: to take a snapshot.
        on_wait:   called while waiting and between slices: to renew what is shown.

    Raises: UsageError: a speed that is no speed, a time outside the data, a condition that cannot be worked out.
    """

    def __init__(
        self,
        playing: Playing,
        *,
        speed: float | None = None,
        breaks: Breaks = NO_BREAKS,
        marks: Sequence[int] = (),
        on_pause: Callable[[Pause], Then] = lambda _: Then.GO,
        on_mark: Callable[[int], None] = lambda _: None,
        on_wait: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if speed is not None and not 0 < speed <= SPEED_MAX:
            raise UsageError(f"speed was {speed:g}, limit above 0 to {SPEED_MAX:g}", hint="max, 1x, 10x")
        for name in breaks.on:
            if name not in COUNTED:
                raise UsageError(f"no break on {name!r}", hint=did_you_mean(name, COUNTED))
        self.playing = playing
        self.standing = Standing(playing)
        self.speed = speed
        self.stopping = False
        self._breaks = breaks
        self._on_pause, self._on_mark, self._on_wait = on_pause, on_mark, on_wait
        self._sleep, self._monotonic = sleep, monotonic
        self._at = self._ahead(breaks.at, "break")
        self._marks = self._ahead(marks, "snapshot")
        self._held = [condition.met(self.standing) for condition in breaks.when]
        self._counts = self._count()
        self._stepping = False
        self._started = 0.0
        self._origin = 0

    def stop(self) -> None:
        """Stand still after the present slice, between two steps: for a signal handler."""
        self.stopping = True

    def play(self) -> bool:
        """Play to the end, or until stopped. True at the end of the data, where `playing.end()` is what is left to do."""
        self._anchor()
        if self._breaks.when and any(self._held) and not self._pause(self._holding()):
            return False
        while not self.stopping:
            until = min(self._at[:1] + self._marks[:1], default=NEVER)
            more = self._slice(until)
            if self.stopping:
                return False
            pause = self._reached(until, more)
            if pause is not None and not self._pause(pause):
                return False
            if not more:
                return True
            self._on_wait()
        return False

    # ---- slices

    def _slice(self, until: int) -> bool:
        """Feed what is next, at most up to `until`. False at the end of the data."""
        loop = self.playing.loop
        steps = 1 if self._stepping or self._breaks.when or self._breaks.on else STEPS_PER_SLICE
        clock = loop.next_clock()
        if self.speed is not None and clock != NEVER:
            self._wait_for(min(clock, until))
            if self.stopping:
                return True
            until = min(clock, until)
        with self.playing.faults_named():
            more = loop.run(until, steps)
            if not more:
                loop.finish()
        return bool(more)

    def _anchor(self) -> None:
        """From here on the run's time and ours go together."""
        self._started = self._monotonic()
        self._origin = self.standing.clock

    def _wait_for(self, clock: int) -> None:
        """Sleep until a time of the run has come."""
        if self.speed is None:
            return
        due = self._started + (clock - self._origin) / (NANOS_PER_SECOND * self.speed)
        while not self.stopping and (left := due - self._monotonic()) > 0:
            self._sleep(min(left, WAIT_SECONDS_MAX))
            self._on_wait()

    # ---- stopping

    def _reached(self, until: int, more: bool) -> Pause | None:
        """Whether to stand still now, and every reason for it; marks are passed on by the way."""
        passed = NEVER if not more else until if self.playing.loop.next_clock() > until else -1
        reasons = []
        while self._marks and self._marks[0] <= passed:
            self._on_mark(self._marks.pop(0))
        while self._at and self._at[0] <= passed:
            reasons.append(Pause("time", f"every event up to {time_text(self._at.pop(0))} has been handled"))
        now = self._count()
        reasons += [Pause(name, f"{name} {now[name]}") for name in self._breaks.on if now[name] != self._counts[name]]
        before, self._counts = self._held, now
        self._held = [condition.met(self.standing) for condition in self._breaks.when]
        if any(new and not old for new, old in zip(self._held, before, strict=True)):
            reasons.append(self._holding())
        if self._stepping and more and not reasons:
            reasons.append(Pause("step", "one step on"))
        return Pause(reasons[0].kind, "; ".join(reason.words for reason in reasons)) if reasons else None

    def _holding(self) -> Pause:
        held = [condition.text for condition, met in zip(self._breaks.when, self._held, strict=True) if met]
        return Pause("condition", f"{' and '.join(held)} holds")

    def _pause(self, pause: Pause) -> bool:
        """Stand still; False to stop for good. The time spent does not count."""
        then = self._on_pause(pause)
        self._stepping = then is Then.STEP
        self.stopping = self.stopping or then is Then.STOP
        self._anchor()
        return not self.stopping

    def _count(self) -> dict[str, int]:
        return {"fill": self.standing.fills, "order": self.standing.orders, "signal": self.standing.signals}

    def _ahead(self, times: Sequence[int], what: str) -> list[int]:
        """The times in order. Raises: UsageError: one that the run will not come to."""
        clock, last = self.standing.clock, self.playing.last_clock()
        for at in times:
            if not clock <= at <= last:
                raise UsageError(
                    f"no {what} at {time_text(at)}: the run goes from {time_text(clock)} to {time_text(last)}",
                    hint="choose a time in between",
                )
        return sorted(set(times))


def speed_of(text: str) -> float | None:
    """max, or a number with or without x: 1x, 10x, 0.5. None for max. Raises: UsageError: anything else."""
    word = text.strip().lower()
    if word == "max":
        return None
    with suppress(ValueError):
        speed = float(word.removesuffix("x"))
        if 0 < speed <= SPEED_MAX:
            return speed
    raise UsageError(f"--speed was {text!r}", hint="max, or a multiple of real time above 0: 1x, 10x, 0.5x")

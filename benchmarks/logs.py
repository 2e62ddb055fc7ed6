"""What a log costs the engine's thread while its disk is slow: the longest a live run waited for one line or one block.

The work between two hand-overs is a strategy's kind of work, in Python, so that the writing thread contends for the
interpreter as it would in a session. Run by itself it prints the figures: `python -m benchmarks.logs`.
"""

from __future__ import annotations

import logging
import tempfile
import time
from pathlib import Path

import numpy as np

from lockstep.run.logs.entries import Entry
from lockstep.run.logs.files import StreamFiles
from lockstep.run.logs.log import RunLog

ROUNDS = 3_000
SLOW_SECONDS = 0.002


class SlowFiles(StreamFiles):
    """A disk that takes its time over every line, until it is told to hurry."""

    hurry = False

    def write(self, entry: Entry) -> None:
        """Wait, then write."""
        if not self.hurry:
            time.sleep(SLOW_SECONDS)
        super().write(entry)


def hand_over_times(rounds: int = ROUNDS) -> np.ndarray:
    """Seconds of each hand-over (a block of four rows and one remark) to a log whose disk is slow, in order."""
    block = np.zeros((4, 8), np.int64)
    block[:, 2] = 5  # accept
    taken = np.empty(rounds)
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder:
        log = RunLog(Path(folder), patient=False)
        log.files = files = SlowFiles(Path(folder))
        with log:
            for number in range(rounds):
                begun = time.perf_counter()
                log.rows(block)
                log.say(logging.INFO, "run", "bench", "a remark", number=number)
                taken[number] = time.perf_counter() - begun
                sum(range(2_000))
            files.hurry = True
    return taken


def log_p99_us() -> float:
    """Microseconds that 99 % of hand-overs stay below, best of three."""
    return min(float(np.percentile(hand_over_times(), 99)) for _ in range(3)) * 1e6


if __name__ == "__main__":
    times = hand_over_times() * 1e6
    print(f"p50 {np.percentile(times, 50):.0f} us, p99 {np.percentile(times, 99):.0f} us, longest {times.max():.0f} us")

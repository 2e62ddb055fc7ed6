"""`make faults SEEDS=1,2,5-40 STEPS=2000`: run the simulator, seed by seed; the last line is JSON.

A seed that fails is made shorter, and its script is written to a folder (by default tests/faults/regressions), where the
suite runs it from then on.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from invariants import Broken
from script import Script, make_script, shrink
from world import World

from lockstep.run.session import Session, open_session

REGRESSIONS = Path(__file__).parent / "regressions"
STEPS = 2000
MEMORY = Path("/dev/shm")  # the disk under the disk model: nothing is lost with it


class Result(NamedTuple):
    """What a run of a script came to. number: of the invariant that broke, empty where none did."""

    seed: int
    number: str
    text: str
    steps: int
    crashes: int
    recoveries: int
    checks: int
    met: dict[str, int]


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder in memory where there is one."""
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        yield Path(folder)


def run_script(script: Script, open_with: Callable[..., Session] = open_session) -> Result:
    """One run."""
    with scratch() as folder:
        world = World(script, folder, open_with)
        broken: Broken | None = world.run()
    number, text = ("", "") if broken is None else (broken.number, str(broken))
    return Result(
        script.seed, number, text, world.steps, world.crashes, world.recoveries, world.watch.checks, dict(world.met)
    )


def run_seed(given: tuple[int, int]) -> Result:
    """One run of the faults that a seed gives."""
    return run_script(make_script(*given))


def shortened(seed: int, steps: int, open_with: Callable[..., Session] = open_session) -> Script:
    """The script of a failing seed with what the failure does not need left out."""
    script = make_script(seed, steps)
    first = run_script(script, open_with)

    def fails(candidate: Script) -> bool:
        return run_script(candidate, open_with).number == first.number

    if first.steps < steps and fails(script._replace(steps=first.steps)):
        script = script._replace(steps=first.steps)
    return shrink(script, fails)


def numbers(text: str) -> list[int]:
    """ "1,2,5-8" as a list."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return found


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seeds", type=numbers, default=numbers("1-440"))
    asked.add_argument("--steps", type=int, default=STEPS)
    asked.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked.add_argument("--keep", type=Path, default=REGRESSIONS, help="folder for the scripts of what fails")
    asked.add_argument(
        "--as-found", action="store_true", help="stop at the first failing seed, and make no script of it"
    )
    given = asked.parse_args()
    started = time.monotonic()
    met: Counter[str] = Counter()
    sums: Counter[str] = Counter()
    failed: list[dict[str, Any]] = []
    with ProcessPoolExecutor(given.processes) as pool:
        for result in pool.map(run_seed, ((seed, given.steps) for seed in given.seeds), chunksize=4):
            met.update(result.met)
            sums.update(
                steps=result.steps, crashes=result.crashes, recoveries=result.recoveries, full_checks=result.checks
            )
            if result.number:
                failed.append({"seed": result.seed, "invariant": result.number, "what": result.text})
                print(f"seed {result.seed}: {result.text}", flush=True)
                if given.as_found:
                    pool.shutdown(cancel_futures=True)
                    return 1
    seconds = time.monotonic() - started
    for failure in failed[:3]:
        path = given.keep / f"seed-{failure['seed']}.json"
        shortened(failure["seed"], given.steps).save(path, failure["what"])
        failure["script"] = path.name
    print(
        json.dumps(
            {
                "seeds": len(given.seeds),
                "steps": sums["steps"],
                "failures": len(failed),
                "failed": failed,
                "crashes": sums["crashes"],
                "recoveries": sums["recoveries"],
                "full_checks": sums["full_checks"],
                "seconds": round(seconds, 1),
                "steps_per_second": round(sums["steps"] / seconds),
                "faults_met": dict(sorted(met.items())),
            }
        )
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

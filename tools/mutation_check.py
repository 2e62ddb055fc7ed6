"""Run the checks against every listed mutant, and print those that no check noticed.

    python tools/mutation_check.py [--jobs 2] [--only orders] [--json FILE] [--survivors FILE]

Each mutant is tried in a copy of the sources that runs uncompiled: first under the fault simulator, then under the tests of its room. It is
found where one of them ends with an error, or does not end. Ends with 1 if less than 95 % are found.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from mutants import ROOT, SOURCES, Mutant, by_name, read_list

WANTED = 0.95
SECONDS_MAX = 300
"""A check that takes so long hangs: every one of them takes a fraction of it on the sources as they are."""
SIMULATOR = [
    sys.executable, "tests/faults/simulate.py", "--seeds", "1-12", "--steps", "1500", "--processes", "1", "--as-found",
]  # fmt: skip
TESTS = {
    "orders": ["tests/unit/orders", "tests/unit/engine", "tests/property/test_order_invariants.py"],
    "risk": [
        "tests/unit/risk",
        "tests/property/test_risk_invariants.py",
        "tests/unit/engine",
        "tests/property/test_risk_duel.py",
    ],
    "store": ["tests/unit/store"],
}
TESTS_CHOSEN = {"store": ["-k", "journal"]}


class Result(NamedTuple):
    """found_by: simulator, tests or nothing."""

    mutant: Mutant
    was: str
    found_by: str
    seconds: float


class Copy:
    """A tree of the sources and tests of its own, in which one file at a time is changed."""

    def __init__(self, place: Path) -> None:
        self.place = place
        without = shutil.ignore_patterns("*.so", "__pycache__", "*.c")
        for name in ("src", "tests", "tools", "examples", "docs"):
            shutil.copytree(ROOT / name, place / name, ignore=without)
        for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "setup.py"):
            shutil.copy(ROOT / name, place / name)

    def try_one(self, mutant: Mutant) -> Result:
        """Under a mutant: which check notices. The file is put back."""
        path = self.place / "src" / "lockstep" / mutant.file
        source = path.read_text(encoding="utf-8")
        begun = time.monotonic()
        path.write_text(mutant.of(source), encoding="utf-8")
        try:
            found = (
                "simulator"
                if self.notices(SIMULATOR)
                else "tests"
                if self.notices(tests_of(mutant.file))
                else "nothing"
            )
        finally:
            path.write_text(source, encoding="utf-8")
        return Result(mutant, source[mutant.start : mutant.end], found, time.monotonic() - begun)

    def notices(self, command: list[str]) -> bool:
        """Whether a check ends with an error, or not at all."""
        settings = os.environ | {
            "LOCKSTEP_PURE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join(str(self.place / part) for part in ("src", "tests/support")),
        }
        quiet = subprocess.DEVNULL
        with subprocess.Popen(
            command, cwd=self.place, env=settings, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
        ) as running:
            try:
                return running.wait(SECONDS_MAX) != 0
            except subprocess.TimeoutExpired:
                os.killpg(running.pid, signal.SIGKILL)  # what it has started, too
                return True


def tests_of(file: str) -> list[str]:
    """The tests of a file's room."""
    room = file.partition("/")[0]
    chosen = ["-m", "not compiled and not slow and not data", *TESTS_CHOSEN.get(room, [])]
    return [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *chosen, *TESTS[room]]


def main() -> int:
    """Run them all; print what each was found by, the survivors, and one line of JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2, help="copies at work at once")
    parser.add_argument("--only", default="", help="mutants whose name begins so")
    parser.add_argument("--survivors", type=Path, help="those that nothing found in the results of an earlier --json")
    parser.add_argument("--json", type=Path, help="write the results there")
    given = parser.parse_args()
    names = [str(entry["name"]) for entry in read_list() if str(entry["name"]).startswith(given.only)]
    if given.survivors is not None:
        before = json.loads(given.survivors.read_text(encoding="utf-8"))["results"]
        left = {entry["name"] for entry in before if entry["found_by"] == "nothing"}
        names = [name for name in names if name in left]
    there = by_name(names)
    if gone := [name for name in names if name not in there]:
        print(f"{len(gone)} listed mutants are no longer in the sources, such as {gone[0]}: python tools/mutants.py")
        return 2
    with tempfile.TemporaryDirectory(prefix="lockstep-mutants-") as folder:
        copies: SimpleQueue[Copy] = SimpleQueue()
        for number in range(given.jobs):
            place = Path(folder) / str(number)
            place.mkdir()
            copies.put(Copy(place))
        first = copies.get()
        checks = [SIMULATOR, *(tests_of(f"{room}/") for room in TESTS)]
        if broken := [command for command in checks if first.notices(command)]:
            print(f"fails without any mutant: {' '.join(broken[0])}")
            return 2
        copies.put(first)

        def run(mutant: Mutant) -> Result:
            copy = copies.get()
            try:
                return copy.try_one(mutant)
            finally:
                copies.put(copy)

        results = []
        with ThreadPoolExecutor(given.jobs) as pool:
            for result in pool.map(run, there.values()):
                results.append(result)
                print(f"{result.found_by:<9} {result.seconds:5.0f} s  {result.mutant.name}", flush=True)
    return tell(results, given.json)


def tell(results: list[Result], path: Path | None) -> int:
    """The survivors, how many were found by what, and the exit code."""
    survivors = [result for result in results if result.found_by == "nothing"]
    print(f"\n{len(survivors)} survivors" + (":" if survivors else ""))
    for mutant, was, _, _ in survivors:
        print(f"  {SOURCES.relative_to(ROOT)}/{mutant.file}:{mutant.line}  {was!r} -> {mutant.text!r}  ({mutant.name})")
    by = {who: sum(result.found_by == who for result in results) for who in ("simulator", "tests", "nothing")}
    share = 1 - len(survivors) / len(results)
    summary = {"mutants": len(results), "found": share, **by}
    print(json.dumps(summary))
    if path is not None:
        entries = [{"name": result.mutant.name, "found_by": result.found_by} for result in results]
        path.write_text(json.dumps({**summary, "results": entries}, indent=1) + "\n", encoding="utf-8")
    return 0 if share >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())

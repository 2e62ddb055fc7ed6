"""A run of the simulator as data: a seed, a number of steps, and which fault strikes at which pass of which seam.

The seed decides the market, the strategies' and the venue's habits; the faults are listed, so that a failing run can be made
shorter one fault at a time (`shrink`) and kept.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import NamedTuple

# seam -> fault -> how many in a thousand passes. Each class of faults is live in half of the seeds.
RATES: dict[str, dict[str, float]] = {
    "market": {
        "loss": 10,
        "duplicate": 6,
        "delay": 6,
        "corrupt": 3,
        "clock_back": 4,
        "crash_before": 2,
        "crash_after": 4,
    },
    "report": {"loss": 25, "duplicate": 25, "delay": 25, "corrupt": 6, "crash_before": 8, "crash_after": 8},
    "request": {"loss": 20, "duplicate": 15, "delay": 25, "error": 8, "crash_before": 10, "crash_after": 12},
    "question": {"loss": 60, "delay": 40, "error": 15},
    "answer": {"loss": 60, "duplicate": 20, "delay": 40, "crash_before": 15, "crash_after": 15},
    "timer": {"delay": 30, "crash_before": 10, "crash_after": 10},
    "write": {"short": 30, "enospc": 12, "eio": 1.5, "crash_before": 4, "crash_torn": 8, "crash_after": 4},
    "sync": {"eio": 1.5, "crash_before": 4, "crash_after": 4},
    "rename": {"crash_before": 40, "crash_after": 40},
    "snapshot": {"crash_before": 40, "crash_after": 40},
    "venue": {"restart": 6, "restart_empty": 2},
    "act": {"crash_before": 50, "crash_after": 250},
    "operator": {"kill": 15, "cancel": 30, "suspend": 20, "limits": 15},
}
CRASHES = frozenset({"crash_before", "crash_after", "crash_torn"})


class Fault(NamedTuple):
    """The n-th pass, from 1, of a seam fails in this way. arg: how long, how much, or whether the power goes (odd)."""

    seam: str
    n: int
    kind: str
    arg: int


class Script(NamedTuple):
    """One run. mode: of durability; without an fsync before sending the machine's power does not go."""

    seed: int
    steps: int
    mode: str
    faults: tuple[Fault, ...]

    def save(self, path: Path, note: str) -> None:
        """As a small text."""
        held = {"note": note, "seed": self.seed, "steps": self.steps, "mode": self.mode}
        lines = ",\n    ".join(json.dumps(list(fault)) for fault in self.faults)
        text = json.dumps(held)[:-1] + f', "faults": [\n    {lines}\n]}}\n'
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def load(path: Path) -> Script:
    held = json.loads(path.read_text(encoding="utf-8"))
    return Script(held["seed"], held["steps"], held["mode"], tuple(Fault(*fault) for fault in held["faults"]))


def make_script(seed: int, steps: int) -> Script:
    """The faults of a seed."""
    chance = Random(f"faults {seed}")
    faults = []
    for seam, kinds in RATES.items():
        live = {kind: rate for kind, rate in kinds.items() if chance.random() < 0.5}
        total = sum(live.values()) / 1000.0
        if not total:
            continue
        names, weights = list(live), list(live.values())
        n = 0
        while True:
            n += 1 + int(chance.expovariate(total))
            if n > steps:
                break
            kind = chance.choices(names, weights)[0]
            faults.append(Fault(seam, n, kind, chance.getrandbits(31)))
    return Script(seed, steps, "durable" if chance.random() < 0.7 else "relaxed", tuple(faults))


def shrink(script: Script, fails: Callable[[Script], bool], tries: int = 400) -> Script:
    """A shorter script that still fails: delta debugging (Zeller, Hildebrandt 2002) over the list of faults.

    fails: runs a script and says whether it fails in the same way.
    """
    faults, parts, used = list(script.faults), 2, 0
    while faults and used < tries:
        size = -(-len(faults) // parts)
        for start in range(0, len(faults), size):
            rest = faults[:start] + faults[start + size :]
            used += 1
            if fails(script._replace(faults=tuple(rest))):
                faults, parts = rest, max(2, parts - 1)
                break
        else:
            if size == 1:
                break
            parts = min(len(faults), parts * 2)
    return script._replace(faults=tuple(faults))


def by_seam(faults: Iterable[Fault]) -> dict[str, dict[int, Fault]]:
    """For looking up by seam and pass."""
    found: dict[str, dict[int, Fault]] = {seam: {} for seam in RATES}
    for fault in faults:
        found[fault.seam][fault.n] = fault
    return found

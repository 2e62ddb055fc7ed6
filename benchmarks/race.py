"""How a row is measured: ours and every rival in turn, round after round, the best of each.

A noisy moment of the machine so hits both sides. Everything runs in a process of its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.peers.environments import PeerEnvironment, Unavailable, ensure_environment
from benchmarks.peers.program import ProgramResult
from benchmarks.processes import ROOT, Failed, run_program
from benchmarks.report import Entry

OURS = "benchmarks.ours"
RUNS_PER_PROCESS = 2  # the second finds caches and allocators warm, in every system
_PAIRS = ("btcusd", "ethusd", "ltcusd", "xrpusd")

Outcome = ProgramResult | Failed | Unavailable
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Setting:
    """How to run: the folder of recorded data, rounds, fewer events or all, and where progress goes."""

    data_folder: Path
    repeat: int
    quick: bool
    say: Say
    environment_of: Callable[[str], PeerEnvironment | Unavailable] = field(default=ensure_environment)

    @property
    def bars_path(self) -> Path:
        """A year of minute bars of one instrument: the file of the rows of bars and orders."""
        return self.bars_paths[0]

    @property
    def bars_paths(self) -> list[Path]:
        """The same year of four instruments."""
        return [self.data_folder / "bars_1m" / f"bitfinex_{pair}_1m_2018.csv.gz" for pair in _PAIRS]

    def ticks_folder(self, ticker: str) -> Path:
        """A ticker's folder of Lean ticks."""
        return self.data_folder / "lean" / "equity" / "usa" / "tick" / ticker


def recorded_data() -> Path:
    """The folder of recorded data: LOCKSTEP_DATA, else beside the repository."""
    return Path(os.environ.get("LOCKSTEP_DATA") or ROOT.parent / "shared" / "data")


def best_outcome(outcomes: Sequence[Outcome]) -> Outcome:
    """The fastest of several runs, with the least memory any of them needed; a failure only if all failed.

    Raises:  ValueError: no outcome at all.
    """
    results = [outcome for outcome in outcomes if isinstance(outcome, ProgramResult)]
    if results:
        peak = min(result.peak_rss_mb for result in results)
        return replace(min(results, key=lambda result: result.seconds), peak_rss_mb=peak)
    if not outcomes:
        raise ValueError("no run to choose from: repeat must be at least 1")
    return outcomes[-1]


def race(
    setting: Setting, row: str, path: Path, peers: Sequence[str], limit: int | None, program: str = OURS
) -> tuple[Outcome, dict[str, Outcome]]:
    """Ours and every rival by turns, `repeat` rounds; the best of each. One that fails is not tried again.

    program: ours, as a module.
    """
    runs = 1 if setting.quick else RUNS_PER_PROCESS
    arguments = [row, str(path), "--repeat", str(runs)]
    if limit is not None:
        arguments += ["--limit", str(limit)]
    environments: dict[str, PeerEnvironment | Unavailable] = {}
    for peer in peers:
        setting.say(f"{row}: environment of {peer}")
        environments[peer] = setting.environment_of(peer)
    done: dict[str, list[Outcome]] = {name: [] for name in ("ours", *peers)}
    for round_number in range(setting.repeat):
        for name, outcomes in done.items():
            if outcomes and not isinstance(outcomes[-1], ProgramResult):
                continue
            setting.say(f"{row}: round {round_number + 1} of {setting.repeat}, {name}")
            if name == "ours":
                outcomes.append(run_program(Path(sys.executable), program, arguments))
                continue
            environment = environments[name]
            if isinstance(environment, Unavailable):
                outcomes.append(environment)
            else:
                outcomes.append(run_program(environment.python, environment.module, arguments))
    return best_outcome(done["ours"]), {peer: best_outcome(done[peer]) for peer in peers}


def note_of(outcome: Outcome) -> str | None:
    """Why there is no result; None where there is one."""
    return None if isinstance(outcome, ProgramResult) else outcome.note


def entry_of(
    name: str,
    unit: str,
    peer: str,
    ours: Outcome,
    rival: Outcome,
    figure: Callable[[ProgramResult], float],
    *,
    higher: bool = True,
    limit: float | None = None,
    ratio_limit: float | None = None,
) -> Entry:
    """One figure of both sides; what failed leaves its side empty and says why in the note."""
    notes = [note for note in (note_of(ours), note_of(rival)) if note]
    return Entry(
        name,
        figure(ours) if isinstance(ours, ProgramResult) else None,
        unit,
        higher_is_better=higher,
        peer=peer,
        peer_version=rival.version if isinstance(rival, ProgramResult) else None,
        peer_value=figure(rival) if isinstance(rival, ProgramResult) else None,
        limit=limit,
        ratio_limit=ratio_limit,
        note="; ".join(notes) or None,
    )

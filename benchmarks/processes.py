"""Runs measured programs in processes of their own and reads the line they print."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.environments import last_line
from benchmarks.peers.program import ProgramResult

ROOT = Path(__file__).resolve().parents[1]
PROGRAM_SECONDS_MAX = 1800


@dataclass(frozen=True, slots=True)
class Failed:
    """A program that gave no result, and why."""

    note: str


def run_program(
    python: Path, module: str, arguments: Sequence[str], seconds_max: float = PROGRAM_SECONDS_MAX
) -> ProgramResult | Failed:
    """Run `python -m module arguments` from the repository root and read its last line.

    Never raises for what the program does: an exit code, a time-out or an unreadable line is a `Failed`.
    """
    command = [str(python), "-m", module, *arguments]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds_max, check=False)
    except subprocess.TimeoutExpired:
        return Failed(f"{module}: no result after {seconds_max:g} s")
    except OSError as e:
        return Failed(f"{module}: {e.strerror}")
    if done.returncode != 0:
        return Failed(f"{module}: {last_line(done.stderr)}")
    lines = done.stdout.strip().splitlines()
    try:
        return ProgramResult.from_line(lines[-1] if lines else "")
    except ValueError as e:
        return Failed(f"{module}: {e}")

"""The rivals' virtual environments: made on demand under `benchmarks/.venvs/`, reused when complete.

Each rival lives alone, because their pins exclude each other and none of them belongs in ours. A rival that
cannot be installed is not an error: it is an `Unavailable` with the reason, and its row says so. To measure a
newer release of an unpinned rival, delete its folder.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

VENVS = Path(__file__).resolve().parents[1] / ".venvs"
INSTALL_SECONDS_MAX = 900
_COMPLETE = "complete.json"  # written last: without it a folder is a broken attempt


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to install a rival: its requirement, the Python it needs ("" = the running one), its program."""

    distribution: str
    requirement: str
    python: str
    module: str
    pre_releases: bool = False


@dataclass(frozen=True, slots=True)
class PeerEnvironment:
    """A rival ready to run: `python -m module`."""

    peer: str
    version: str
    python: Path
    module: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A rival that cannot be measured here, and why."""

    peer: str
    note: str


# In the order tried. nautilus_trader is not pinned: the rival to beat is the newest that installs.
PEERS: dict[str, tuple[Candidate, ...]] = {
    "nautilus_trader": (
        Candidate("nautilus_trader", "nautilus_trader>=2.0.0rc7,<3", "3.13", "benchmarks.peers.nautilus_v2", True),
        Candidate("nautilus_trader", "nautilus_trader<2", "", "benchmarks.peers.nautilus_v1"),
    ),
    "hftbacktest": (Candidate("hftbacktest", "hftbacktest==2.4.4", "", "benchmarks.peers.hftbacktest_ticks"),),
    "backtesting.py": (Candidate("backtesting", "backtesting==0.6.6", "", "benchmarks.peers.backtesting_py"),),
    "backtrader": (Candidate("backtrader", "backtrader==1.9.78.123", "", "benchmarks.peers.backtrader_bars"),),
}


def ensure_environment(peer: str, venvs: Path = VENVS) -> PeerEnvironment | Unavailable:
    """The environment of `peer`, made first if need be, by the first candidate that installs.

    Raises:  KeyError: not a rival of `PEERS`.
    """
    reasons = []
    for number, candidate in enumerate(PEERS[peer]):
        folder = venvs / (peer if number == 0 else f"{peer}-{number}")
        found = _reuse(peer, candidate, folder) or _create(peer, candidate, folder)
        if isinstance(found, PeerEnvironment):
            return found
        reasons.append(found.note)
    return Unavailable(peer, "; ".join(reasons))


def find_python(version: str) -> Path | None:
    """An interpreter of `version` ("3.13"; "" = the running one) that starts, or None.

    A pyenv shim may stand on PATH for a version that is not selected, and then fails: each candidate is run.
    """
    if not version:
        return Path(sys.executable)
    for path in _python_candidates(version):
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        try:
            answer = subprocess.run([path, "-c", code], capture_output=True, text=True, timeout=30, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if answer.returncode == 0 and answer.stdout.strip() == version:
            return path
    return None


def _python_candidates(version: str) -> Iterator[Path]:
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{version}*/bin/python{version}"), reverse=True)


def _venv_python(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _reuse(peer: str, candidate: Candidate, folder: Path) -> PeerEnvironment | None:
    try:
        record = json.loads((folder / _COMPLETE).read_text())
    except (OSError, ValueError):
        return None
    if record.get("requirement") != candidate.requirement or not _venv_python(folder).exists():
        return None
    return PeerEnvironment(peer, str(record["version"]), _venv_python(folder), candidate.module)


def _create(peer: str, candidate: Candidate, folder: Path) -> PeerEnvironment | Unavailable:
    base = find_python(candidate.python)
    if base is None:
        return Unavailable(peer, f"{candidate.requirement} needs Python {candidate.python}, which was not found")
    shutil.rmtree(folder, ignore_errors=True)
    python = _venv_python(folder)
    pre = ["--pre"] if candidate.pre_releases else []
    steps = [
        [str(base), "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *pre, candidate.requirement],
        [
            str(python),
            "-c",
            f"from importlib.metadata import version; print(version({candidate.distribution!r}))",
        ],
    ]
    output = ""
    for step in steps:
        try:
            done = subprocess.run(step, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX, check=False)
        except (OSError, subprocess.TimeoutExpired) as e:
            return Unavailable(peer, f"{candidate.requirement}: {type(e).__name__} while installing")
        if done.returncode != 0:
            return Unavailable(peer, f"{candidate.requirement}: {last_line(done.stderr)}")
        output = done.stdout.strip()
    (folder / _COMPLETE).write_text(json.dumps({"requirement": candidate.requirement, "version": output}))
    return PeerEnvironment(peer, output, python, candidate.module)


def last_line(text: str) -> str:
    """The last line of a program's output that says something, at most 200 characters."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no message"

"""What Lockstep costs before it does anything: start-up time and installed size."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.environments import INSTALL_SECONDS_MAX, last_line
from benchmarks.processes import ROOT

IMPORT = (sys.executable, "-c", "import lockstep")
# What the installed script `lockstep` does, without depending on where it was installed.
HELP = (
    sys.executable,
    "-c",
    "import sys; sys.argv = ['lockstep', '--help']; from lockstep.app.cli import main; main()",
)
# What a virtual environment brings by itself and no user installs.
_BOOTSTRAP = ("pip", "setuptools", "_distutils_hack", "pkg_resources", "distutils-precedence.pth", "wheel")


def best_wall_seconds(command: Sequence[str], times: int) -> tuple[float | None, str | None]:
    """Best wall time of `command` in fresh processes, interpreter start included.

    Returns:  (seconds, None), or (None, why) if it does not exit with code 0.
    Raises:   ValueError: times below 1.
    """
    if times < 1:
        raise ValueError(f"times was {times}, the least is 1")
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
        if done.returncode != 0:
            return None, last_line(done.stderr)
        best = min(best, seconds)
    return best, None


@dataclass(frozen=True, slots=True)
class InstallSize:
    """Distributions of a base install, Lockstep among them, and their files in MB (10**6 bytes)."""

    packages: int
    megabytes: float


@dataclass(frozen=True, slots=True)
class NotInstalled:
    """A base install that failed, and why."""

    note: str


def base_install() -> InstallSize | NotInstalled:
    """Install the repository into a fresh virtual environment and measure what it brought."""
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "bin" / "python"
        steps = [
            [sys.executable, "-m", "venv", folder],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(ROOT)],
            [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        ]
        output = ""
        for step in steps:
            try:
                done = subprocess.run(step, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX, check=False)
            except subprocess.TimeoutExpired:
                return NotInstalled(f"the install took more than {INSTALL_SECONDS_MAX} s")
            if done.returncode != 0:
                return NotInstalled(f"the install failed: {last_line(done.stderr)}")
            output = done.stdout.strip()
        return folder_size(Path(output))


def folder_size(site_packages: Path) -> InstallSize:
    """Distributions and bytes under `site_packages`, without the environment's own installer."""
    packages = 0
    size = 0
    for item in site_packages.iterdir():
        if item.name in _BOOTSTRAP or item.name.split("-")[0] in _BOOTSTRAP:
            continue
        packages += item.name.endswith(".dist-info")
        files = [item] if item.is_file() else [path for path in item.rglob("*") if path.is_file()]
        size += sum(path.stat().st_size for path in files)
    return InstallSize(packages, size / 1e6)

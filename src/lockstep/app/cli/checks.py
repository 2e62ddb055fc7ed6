"""What `lockstep doctor` looks at, one function for each line. A check never raises: what it cannot learn it says."""

import importlib.metadata
import json
import locale
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lockstep._build import HASHES, PACKAGE, source_hashes
from lockstep._version import __version__

DISTRIBUTION = "lockstep-trading"
NEEDED = {
    "numpy": (2, 0),
    "msgspec": (0, 19),
    "duckdb": (1, 3),
    "click": (8, 1),
    "rich": (13, 7),
    "plotly": (6, 0),
    "pyyaml": (6, 0),
}
"""The dependencies of a base install and the oldest version that will do, as pyproject.toml states them (a test compares)."""
PYTHON_MIN = (3, 11)
DISK_MIN_MB = 500
MEMORY_MIN_MB = 1000
COLUMNS_MIN = 80


class Check(NamedTuple):
    """One line. status: ok, warn or fail; advice: what to do, empty where nothing is."""

    name: str
    status: str
    fact: str
    advice: str = ""


def all_checks(root: Path) -> list[Check]:
    """Every check, in the order of the report. root: the folder of runs."""
    checks: list[Callable[[], Check]] = [
        check_lockstep,
        check_python,
        check_compiled,
        *[partial(check_package, name, oldest) for name, oldest in NEEDED.items()],
        check_machine,
        check_home,
        partial(check_writable, "runs", root, "choose another folder with --runs"),
        check_temporary,
        check_zones,
        check_terminal,
    ]
    return [_safely(check) for check in checks]


def _safely(check: Callable[[], Check]) -> Check:
    try:
        return check()
    except Exception as e:  # noqa: BLE001 - a doctor who faints helps nobody
        return Check(getattr(check, "__name__", "check"), "warn", f"could not be looked at: {type(e).__name__}: {e}")


def check_lockstep() -> Check:
    """The version, and which copy of the package runs."""
    return Check("Lockstep", "ok", f"{__version__} in {PACKAGE}")


def check_python() -> Check:
    """The interpreter."""
    fact = f"{platform.python_implementation()} {platform.python_version()} in {sys.executable}"
    if sys.version_info[:2] < PYTHON_MIN:
        return Check("Python", "fail", fact, f"Lockstep needs {'.'.join(map(str, PYTHON_MIN))} or newer")
    return Check("Python", "ok", fact)


def check_compiled() -> Check:
    """Whether the hot modules are compiled, and from the sources that lie beside them."""
    wanted = source_hashes(PACKAGE)
    here = {path.with_name(path.name.split(".")[0]) for path in PACKAGE.rglob("*.so")}
    built = {".".join(stem.relative_to(PACKAGE.parent).parts) for stem in here}
    rebuild = "in a clone: make build; else install the package again"
    if os.environ.get("LOCKSTEP_PURE", "") not in ("", "0"):
        return Check(
            "compiled modules", "warn", "LOCKSTEP_PURE is set: all run uncompiled, far slower", "unset LOCKSTEP_PURE"
        )
    missing = sorted(set(wanted) - built)
    if missing:
        fact = f"{len(missing)} of {len(wanted)} modules are not compiled: same results, far slower"
        return Check("compiled modules", "warn", fact, rebuild)
    recorded = json.loads(HASHES.read_text(encoding="utf-8")) if HASHES.exists() else {}
    stale = sorted(name for name in wanted if recorded.get(name) != wanted[name])
    if stale:
        named = ", ".join(stale[:3]) + (f" and {len(stale) - 3} more" if len(stale) > 3 else "")
        return Check(
            "compiled modules", "fail", f"compiled from other sources than those beside them: {named}", rebuild
        )
    return Check("compiled modules", "ok", f"{len(wanted)}, all built from these sources")


def check_package(name: str, oldest: tuple[int, ...]) -> Check:
    """One dependency and its version."""
    needs = ".".join(map(str, oldest))
    install = f"{Path(sys.executable).name} -m pip install '{name}>={needs}'"
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Check(name, "fail", "not installed", install)
    if _numbers(version) < oldest:
        return Check(name, "fail", f"{version}, needs {needs} or newer", install)
    return Check(name, "ok", version)


def _numbers(version: str) -> tuple[int, ...]:
    numbers: list[int] = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)


def check_machine() -> Check:
    """Processor cores and memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    model = _first_value("/proc/cpuinfo", "model name") or platform.processor() or platform.machine()
    free_kb = _first_value("/proc/meminfo", "MemAvailable").split(" ")[0]
    fact = f"{model}, {cores} {'core' if cores == 1 else 'cores'}"
    if not free_kb.isdigit():
        return Check("machine", "ok", fact)
    free_mb = int(free_kb) // 1024
    fact += f", {free_mb:,} MB of memory free"
    if free_mb < MEMORY_MIN_MB:
        return Check("machine", "warn", fact, "close other programs: a report wants a few hundred MB")
    return Check("machine", "ok", fact)


def _first_value(path: str, key: str) -> str:
    if not Path(path).is_file():
        return ""
    for line in Path(path).read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""


def check_home() -> Check:
    """The folder of data sets."""
    from lockstep.store.catalog.places import default_home

    return check_writable("LOCKSTEP_HOME", default_home(), "set LOCKSTEP_HOME to a folder you may write to")


def check_writable(name: str, folder: Path, advice: str) -> Check:
    """Whether files can be made in a folder, or the folder itself, by making one; and the room there is."""
    present = folder
    while not present.exists() and present != present.parent:
        present = present.parent
    shown = folder if folder == present else f"{folder} (made when needed)"
    try:
        with tempfile.TemporaryFile(dir=present, prefix=".lockstep-doctor-"):
            pass
    except OSError as e:
        return Check(name, "fail", f"{folder} cannot be written: {(e.strerror or str(e)).lower()}", advice)
    free_mb = shutil.disk_usage(present).free // 2**20
    if free_mb < DISK_MIN_MB:
        return Check(name, "warn", f"{shown}, {free_mb:,} MB free", f"make room: {DISK_MIN_MB} MB would be well")
    return Check(name, "ok", f"{shown}, {free_mb:,} MB free")


def check_temporary() -> Check:
    """Where data is spooled while it is read."""
    try:
        folder = Path(tempfile.gettempdir())
    except OSError as e:
        return Check("temporary files", "fail", str(e), "set TMPDIR to a folder with room")
    return check_writable("temporary files", folder, "set TMPDIR to a folder with room")


def check_zones() -> Check:
    """The time zone data that session calendars read."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from lockstep.model.sessions import SESSIONS

    zones = sorted({session.timezone for session in SESSIONS.values()})
    try:
        for zone in zones:
            ZoneInfo(zone)
    except ZoneInfoNotFoundError as e:
        return Check("time zones", "fail", str(e), f"{Path(sys.executable).name} -m pip install tzdata")
    return Check("time zones", "ok", ", ".join(zones))


def check_terminal() -> Check:
    """Whether output can be shown as it is meant."""
    encoding = (sys.stdout.encoding or "unknown").lower()
    columns = shutil.get_terminal_size().columns
    where = f"{columns} columns" if sys.stdout.isatty() else "not a terminal"
    colour = ", NO_COLOR is set" if os.environ.get("NO_COLOR") else ""
    fact = f"{where}, {encoding}{colour}"
    if encoding.replace("-", "") != "utf8":
        known = locale.getlocale()[1] or "none"
        return Check(
            "terminal", "warn", f"{fact} (locale: {known})", "set PYTHONUTF8=1, or a UTF-8 locale such as LANG=C.UTF-8"
        )
    if sys.stdout.isatty() and columns < COLUMNS_MIN:
        return Check("terminal", "warn", fact, f"tables fold below {COLUMNS_MIN} columns")
    return Check("terminal", "ok", fact)

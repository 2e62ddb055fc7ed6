"""Where data sets lie and what they are called: those that ship with the package, and files under LOCKSTEP_HOME/data."""

import os
import re
from pathlib import Path

from lockstep.model.errors import DataError, UsageError, did_you_mean

SUFFIXES = (
    ".csv", ".csv.gz", ".parquet", ".zip", ".dbn", ".dbn.zst", ".raw.zst", ".raw.gz", ".raw", ".jsonl.zst", ".jsonl.gz", ".jsonl",
    ".log.xz", ".log.gz", ".log",
)  # fmt: skip
"""The kinds of file that are data: tables, and recordings of books."""
ACTIONS_SUFFIX = "_actions.parquet"
"""STEM_actions.parquet beside STEM.parquet holds its splits and dividends; it is no data set of its own."""
DATA_FOLDER = "data"
CATALOG = "catalog"
"""The name of the store of history, and of its folder under LOCKSTEP_HOME."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}")


def default_home() -> Path:
    """LOCKSTEP_HOME, by default ~/.lockstep; it need not exist."""
    return Path(os.environ.get("LOCKSTEP_HOME") or Path.home() / ".lockstep")


def shipped() -> dict[str, Path]:
    """The data sets that ship with the package, by name."""
    folder = Path(__file__).parent.parent / "demo"
    return {name: path for name, path in _files(folder).items() if path.suffix == ".parquet"}


def local(home: Path) -> dict[str, Path]:
    """The data sets a user put under home/data, by the stem of the file or folder.

    Raises: DataError: two files have the same stem, so that a name would be ambiguous.
    """
    return _files(home / DATA_FOLDER)


def _files(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    if not folder.is_dir():
        return found
    for path in sorted(folder.iterdir()):
        name = data_set_name(path)
        if name is None:
            continue
        if name in found:
            raise DataError(f"two data sets named {name!r}: {found[name].name} and {path.name}", hint="rename one")
        found[name] = path
    return found


def data_set_name(path: Path) -> str | None:
    """The name a file or folder has as a data set; None where it is none."""
    if path.name.startswith((".", "_")) or path.name.endswith(ACTIONS_SUFFIX):
        return None
    if path.is_dir():
        holds_data = any(child.name.endswith(SUFFIXES) for child in path.iterdir())
        return path.name if holds_data and _NAME.fullmatch(path.name) else None
    suffix = next((s for s in sorted(SUFFIXES, key=len, reverse=True) if path.name.endswith(s)), None)
    if suffix is None:
        return None
    name = path.name.removesuffix(suffix)
    return name if _NAME.fullmatch(name) else None


def locate(where: str | Path, home: Path | None = None) -> Path:
    """The path behind what a user typed: an existing path, else the name of a data set.

    Raises: DataError: it looks like a path, but nothing is there. UsageError: no such data set.
    """
    path = Path(where)
    if isinstance(where, Path) or (where and path.exists()):
        return path
    if where and (not _NAME.fullmatch(where) or where.endswith(SUFFIXES)):
        known = {**shipped(), **local(home or default_home())}
        raise DataError(f"no such file or folder: {where}", hint="data sets by name: " + ", ".join(sorted(known)))
    return named(where, home or default_home())


def named(name: str, home: Path) -> Path:
    """The path of a data set by its name alone. Raises: UsageError: there is none."""
    known = {**shipped(), **local(home)}
    if name not in known:
        raise UsageError(f"unknown data set {name!r}", hint=did_you_mean(name, known))
    return known[name]

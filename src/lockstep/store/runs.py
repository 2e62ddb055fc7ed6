"""Results of runs: written beside their place and moved there whole, read back by path or hash.

A run folder holds manifest.json, the tables of run_tables, all with the same bytes for the same inputs, and
session.json with the facts of the wall clock. Nothing half-written ever carries a run's name.
"""

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import DataError, InvariantError, UsageError, did_you_mean
from lockstep.store.run_tables import F64, NULLABLE, RESULT_SCHEMA_VERSION, RUN_TABLES, TEXT
from lockstep.store.sql import sql_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MANIFEST = "manifest.json"
SESSION = "session.json"
PART_ROWS = 65_536
"""Appended rows are held back until there are so many: 3 MB of the widest numeric table."""
STALE_SECONDS = 86_400
MEMORY_LIMIT = "128MB"
_HASH = re.compile(r"[0-9a-f]{64}")
_PREFIX = re.compile(r"[0-9a-f]{4,64}")
_PARTIAL = ".partial-"
_REPLACED = ".replaced-"

Column = NDArray[Any] | Sequence[Any]
Columns = Mapping[str, Column]


class RunWriter:
    """Writes one run: `with RunWriter(root) as run: ...; run.commit(run_hash)`.

    Everything goes into a folder of its own inside `root`, which has no run's name; `commit` moves it to
    root/run_hash. Leaving the block without `commit`, or by an exception, leaves nothing behind; what a killed process
    left is removed by the next writer.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder: Path | None = None
        self._db: DuckDBPyConnection | None = None
        self._waiting: dict[str, list[dict[str, NDArray[Any]]]] = {}
        self._parts: dict[str, list[Path]] = {}
        self._written: set[str] = set()

    def __enter__(self) -> Self:
        import duckdb

        self._root.mkdir(parents=True, exist_ok=True)
        sweep(self._root)
        self._folder = Path(tempfile.mkdtemp(prefix=f"{_PARTIAL}{os.getpid()}-", dir=self._root))
        self._folder.chmod(0o755)  # mkdtemp makes it private; a result is as open as its neighbours
        (self._folder / "parts").mkdir()
        self._db = duckdb.connect(
            config={"threads": 1, "memory_limit": MEMORY_LIMIT, "temp_directory": str(self._folder / "parts")}
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Write manifest.json or session.json: sorted keys, one space, no NaN.

        Raises: InvariantError: another name, or a value JSON cannot hold exactly.
        """
        if name not in (MANIFEST, SESSION):
            raise InvariantError(f"not a file of a run: {name!r}", hint=did_you_mean(name, (MANIFEST, SESSION)))
        try:
            text = json.dumps(value, sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False)
        except (TypeError, ValueError) as e:
            raise InvariantError(f"{name}: {e}") from e
        (self._open()[0] / name).write_text(text + "\n", encoding="utf-8")

    def write_table(self, name: str, columns: Columns) -> None:
        """Write a whole table at once.

        Args:   columns: those of RUN_TABLES[name], equally long; None or NaN where a value may be missing.
        Raises: InvariantError: an unknown table or column, different lengths, or written before.
        """
        if name in self._written or name in self._waiting:
            raise InvariantError(f"table {name!r} was written before")
        self.append_table(name, columns)
        self._finish(name)

    def append_table(self, name: str, columns: Columns) -> None:
        """Add rows to a table; they go to disk as they come, and the file does not depend on how they were cut.

        Raises: as `write_table`.
        """
        self._open()
        if name in self._written:
            raise InvariantError(f"table {name!r} was written before")
        self._waiting.setdefault(name, []).append(_checked(name, columns))
        if sum(_length(rows) for rows in self._waiting[name]) >= PART_ROWS:
            self._write_part(name)

    def commit(self, run_hash: str) -> Path:
        """Move the run to root/run_hash and give that path. Tables that were not written are written empty.

        A run of the same hash is replaced: readers see the old files or the new ones, never a mixture.
        Raises: InvariantError: no manifest was written, or run_hash is not 64 hex digits.
        """
        folder, _ = self._open()
        if not _HASH.fullmatch(run_hash):
            raise InvariantError(f"run hash is not 64 hex digits: {run_hash!r}")
        if not (folder / MANIFEST).is_file():
            raise InvariantError(f"no {MANIFEST} was written")
        for name in RUN_TABLES:
            if name not in self._written:
                self._finish(name)
        shutil.rmtree(folder / "parts")
        target = self._root / run_hash
        _publish(folder, target)
        self.__exit__(None, None, None)
        return target

    def _open(self) -> "tuple[Path, DuckDBPyConnection]":
        if self._folder is None or self._db is None:
            raise InvariantError("the run is not open: write inside the with block, before commit")
        return self._folder, self._db

    def _write_part(self, name: str) -> None:
        folder, db = self._open()
        pieces = self._waiting[name]
        self._waiting[name] = []
        rows = {column: np.concatenate([piece[column] for piece in pieces]) for column in RUN_TABLES[name]}
        parts = self._parts.setdefault(name, [])
        path = folder / "parts" / f"{name}-{len(parts)}.parquet"
        db.register("piece", rows)
        db.execute(f"COPY (SELECT {_typed(name)} FROM piece) TO {sql_text(str(path))} (FORMAT parquet)")
        db.unregister("piece")
        parts.append(path)

    def _finish(self, name: str) -> None:
        folder, db = self._open()
        if self._waiting.get(name):
            self._write_part(name)
        parts = self._parts.pop(name, [])
        self._waiting.pop(name, None)
        listed = ", ".join(sql_text(str(part)) for part in parts)
        source = f"read_parquet([{listed}])" if parts else f"(SELECT {_nothing(name)} WHERE false)"
        target = sql_text(str(folder / f"{name}.parquet"))
        db.execute(
            f"COPY (FROM {source}) TO {target} "
            f"(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2, ROW_GROUP_SIZE {PART_ROWS})"
        )
        for part in parts:
            part.unlink()
        self._written.add(name)


def _checked(name: str, columns: Columns) -> dict[str, NDArray[Any]]:
    if name not in RUN_TABLES:
        raise InvariantError(f"not a table of a run: {name!r}", hint=did_you_mean(name, RUN_TABLES))
    types = RUN_TABLES[name]
    if set(columns) != set(types):
        wrong = sorted(set(columns) ^ set(types))
        raise InvariantError(f"table {name!r}: columns differ in {', '.join(wrong)}; it has {', '.join(types)}")
    rows = {column: _array(columns[column], kind) for column, kind in types.items()}
    if len({len(values) for values in rows.values()}) > 1:
        lengths = {column: len(values) for column, values in rows.items()}
        raise InvariantError(f"table {name!r}: columns of different lengths: {lengths}")
    return rows


def _array(values: Column, kind: str) -> NDArray[Any]:
    if kind == TEXT:
        return np.array(values, dtype=object)
    if isinstance(values, np.ma.MaskedArray):
        values = values.tolist()  # None where masked
    if isinstance(values, np.ndarray) and values.dtype != object:
        return values.copy()  # the caller may use its buffer again
    missing = [value is None for value in values]
    if kind == F64:
        return np.array([np.nan if gone else value for value, gone in zip(values, missing, strict=True)], np.float64)
    if any(missing):
        raise InvariantError(f"a value of type {kind} may not be missing")
    return np.array(values, dtype=bool if kind == "BOOLEAN" else np.int64)


def _length(rows: Mapping[str, NDArray[Any]]) -> int:
    return len(next(iter(rows.values())))


def _typed(name: str) -> str:
    texts = []
    for column, kind in RUN_TABLES[name].items():
        value = (
            f'CASE WHEN isnan("{column}") THEN NULL ELSE "{column}" END'
            if (name, column) in NULLABLE
            else f'"{column}"'
        )
        texts.append(f'CAST({value} AS {kind}) AS "{column}"')
    return ", ".join(texts)


def _nothing(name: str) -> str:
    return ", ".join(f'CAST(NULL AS {kind}) AS "{column}"' for column, kind in RUN_TABLES[name].items())


def _publish(folder: Path, target: Path) -> None:
    if not target.exists():
        folder.rename(target)
        return
    if _same_results(folder, target):
        if (folder / SESSION).is_file():
            (folder / SESSION).replace(target / SESSION)
        return
    # Not the same bytes under the same hash: another version of a library wrote them. The new ones count.
    aside = target.with_name(f"{_REPLACED}{target.name}")
    shutil.rmtree(aside, ignore_errors=True)
    target.rename(aside)
    folder.rename(target)
    shutil.rmtree(aside, ignore_errors=True)


def _same_results(one: Path, other: Path) -> bool:
    """Whether all of the new run's files lie in the old one with the same bytes; what else lies there (a page rendered
    from it) stays.
    """
    names = [path.name for path in one.iterdir() if path.name != SESSION]
    return all((other / name).is_file() and (one / name).read_bytes() == (other / name).read_bytes() for name in names)


def sweep(root: Path) -> None:
    """Remove what killed processes left in a folder of runs, and put back a run that was being replaced."""
    for path in root.glob(f"{_REPLACED}*"):
        target = root / path.name.removeprefix(_REPLACED)
        if target.exists():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.rename(target)
    for path in root.glob(f"{_PARTIAL}*"):
        if not _may_live(path):
            shutil.rmtree(path, ignore_errors=True)


def _may_live(path: Path) -> bool:
    number = path.name.removeprefix(_PARTIAL).split("-")[0]
    try:
        if time.time() - path.stat().st_mtime > STALE_SECONDS or not number.isdigit():
            return False
        if os.name == "posix":  # elsewhere signal 0 would end the process: only age decides there
            os.kill(int(number), 0)
    except PermissionError:
        return True  # another user's process
    except (OSError, OverflowError):
        return False
    return True


class RunFolder:
    """One finished run, read lazily."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open(cls, which: str | Path, root: Path = Path("runs")) -> "RunFolder":
        """The run at a path, or the one in `root` whose hash begins with `which` (4 digits or more).

        Raises: UsageError: no such run, or several. DataError: the folder is not a whole run.
        """
        path = Path(which)
        if (path / MANIFEST).is_file():
            return cls(path).checked()
        if isinstance(which, str) and _PREFIX.fullmatch(which):
            found = [name for name in _names(root) if name.startswith(which)]
            if len(found) == 1:
                return cls(root / found[0]).checked()
            if found:
                shown = ", ".join(name[: len(which) + 6] for name in found[:5])
                raise UsageError(
                    f"{len(found)} runs begin with {which!r}: {shown}", hint="type more digits of the hash"
                )
        if path.is_dir():
            raise DataError(f"{path}: not a run: it has no {MANIFEST}")
        raise UsageError(f"no run {str(which)!r} in {root}", hint="list them with: lockstep runs")

    def checked(self) -> "RunFolder":
        """Itself. Raises: DataError: another schema than this version's."""
        version = self.manifest.get("schema_version")
        if version != RESULT_SCHEMA_VERSION:
            newer = isinstance(version, int) and version > RESULT_SCHEMA_VERSION
            raise DataError(
                f"{self.path}: kept by {'a newer' if newer else 'another'} Lockstep{self._by}, with result schema {version}; this one "
                f"reads {RESULT_SCHEMA_VERSION}",
                hint=f"run it again, which keeps it anew: {self.command}" if self.command else "run the backtest again",
            )
        return self

    @property
    def command(self) -> str:
        """The line that reproduces the run, "" where none was kept. Raises: DataError: as `manifest`."""
        said = self.manifest.get("command")
        return said if isinstance(said, str) else ""

    @property
    def _by(self) -> str:
        """The version that kept it, where it says so."""
        try:
            return f" {self.session['version']}"
        except (DataError, KeyError):
            return ""

    @property
    def run_hash(self) -> str:
        """The hash the manifest names."""
        return str(self.manifest.get("run_hash", self.path.name))

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """manifest.json. Raises: DataError: missing or damaged."""
        return self._json(MANIFEST)

    @cached_property
    def session(self) -> dict[str, Any]:
        """session.json: the facts of the wall clock; empty where there are none. Raises: DataError: damaged."""
        return self._json(SESSION) if (self.path / SESSION).is_file() else {}

    def _json(self, name: str) -> dict[str, Any]:
        try:
            return msgspec.json.decode((self.path / name).read_bytes(), type=dict[str, Any])
        except (OSError, msgspec.MsgspecError) as e:
            raise DataError(f"{self.path / name}: cannot be read: {e}", hint="run the backtest again") from e

    def table(self, name: str) -> dict[str, NDArray[Any] | list[str]]:
        """A table's columns: arrays (NaN for a missing number), lists of texts.

        Raises: UsageError: no such table. DataError: its file is missing, damaged or has other columns.
        """
        import duckdb

        if name not in RUN_TABLES:
            raise UsageError(f"no table {name!r} in a run", hint=did_you_mean(name, RUN_TABLES))
        path = self.path / f"{name}.parquet"
        columns = ", ".join(f'"{column}"' for column in RUN_TABLES[name])
        try:
            with duckdb.connect(config={"threads": 1}) as db:
                got = db.execute(f"SELECT {columns} FROM read_parquet({sql_text(str(path))})").fetchnumpy()
        except duckdb.Error as e:
            raise DataError(f"{path}: cannot be read: {str(e).splitlines()[0]}", hint="run the backtest again") from e
        return {column: _plain(got[column], kind) for column, kind in RUN_TABLES[name].items()}


def _plain(values: NDArray[Any], kind: str) -> NDArray[Any] | list[str]:
    if kind == TEXT:
        return ["" if text is None or text is np.ma.masked else str(text) for text in values]
    if isinstance(values, np.ma.MaskedArray):
        filled: NDArray[Any] = values.filled(np.nan if kind == F64 else 0)
        return filled
    return values


def _names(root: Path) -> list[str]:
    if not root.is_dir():
        return []
    return sorted(path.name for path in root.iterdir() if _HASH.fullmatch(path.name) and (path / MANIFEST).is_file())


def list_runs(root: Path) -> list[RunFolder]:
    """Every run in a folder, the newest last; runs whose session facts are missing or damaged come first."""
    runs: Iterable[RunFolder] = (RunFolder(root / name) for name in _names(root))
    return sorted(runs, key=lambda run: (_created(run), run.path.name))


def _created(run: RunFolder) -> str:
    try:
        return str(run.session.get("created", ""))
    except DataError:
        return ""

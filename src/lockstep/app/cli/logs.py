"""What commands share about logs: the log that options ask for, a quiet terminal, and a word where lines were lost."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import click

from lockstep.model.errors import UsageError
from lockstep.run.logs.files import FILES_KEPT, ROTATE_BYTES
from lockstep.run.logs.levels import levels_from_text
from lockstep.run.logs.log import RunLog
from lockstep.run.settings.settings import Problem, Settings, SettingsError


def log_at(folder: Path | None, level: str, rotate_bytes: int = ROTATE_BYTES, keep: int = FILES_KEPT) -> RunLog | None:
    """The log of a run in a folder; None where none is asked for.

    Raises: UsageError: no such level or component, or a folder that cannot be made.
    """
    levels = levels_from_text(level)
    if folder is None:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise UsageError(f"logs cannot be written to {folder}: {(e.strerror or str(e)).lower()}") from e
    return RunLog(folder, levels, rotate_bytes=rotate_bytes, keep=keep)


def log_in(settings: Settings) -> RunLog | None:
    """The log that a settings file asks for. Raises: UsageError: as `log_at`, with the place in the file."""
    table = settings.table("logs")
    folder = settings.resolve(table["folder"]) if table["folder"] else None
    try:
        return log_at(folder, table["level"], table["rotate_mb"] * 2**20, table["keep"])
    except UsageError as e:
        raise SettingsError([Problem(settings.place("logs", "level"), str(e), e.hint)]) from e


def logs_as_json(log: RunLog | None) -> dict[str, Any]:
    """What `--json` says of the log."""
    return {} if log is None else {"logs": {"folder": str(log.files.folder), **log.counts()}}


def warn_of_lost(log: RunLog | None) -> None:
    """Say on stderr that the log has a gap, if it has."""
    if log is not None and log.files.lost:
        click.echo(f"warning: {log.files.lost:,} lines could not be written to {log.files.folder}", err=True)


@contextmanager
def quiet_if(quiet: bool) -> Iterator[None]:
    """Where a run is quiet, what a strategy prints goes into the log, a line an entry."""
    if not quiet:
        yield
        return
    with redirect_stdout(_Printed()):
        yield


class _Printed:
    """A text stream whose lines are remarks of the strategy."""

    def __init__(self) -> None:
        self._begun = ""

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            logging.getLogger("lockstep.strategy").info("%s", line)
        return len(text)

    def flush(self) -> None:
        """A line is written when it ends."""

"""Running a backtest for a command: under a progress bar, its folder and report written, and its figures at hand."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from lockstep.analytics.report.inputs import ReportInput
from lockstep.analytics.report.measures import Measures, measure
from lockstep.app.cli.console import RunProgress
from lockstep.app.cli.quiet import notice_of
from lockstep.model.errors import UsageError
from lockstep.run.backtest import Backtest, Outcome
from lockstep.run.data_source import DataSource
from lockstep.run.logs.log import RunLog
from lockstep.run.logs.session import run_logged
from lockstep.run.recording import record as record_run
from lockstep.run.recording import refuse_unfit
from lockstep.run.results import finish_run, summary


class Recording(NamedTuple):
    """A run is to be kept in a journal: in which folder, and where its data are read from."""

    folder: Path
    sources: Sequence[DataSource]


class Finished(NamedTuple):
    """A run that ended. folder, report and recording are None where nothing was kept."""

    outcome: Outcome
    facts: dict[str, Any]
    manifest: dict[str, Any]
    measures: Measures
    notice: str
    folder: Path | None
    report: Path | None
    recording: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """The one object of `--json`."""
        held = self.measures.summary.benchmark
        return self.facts | {
            "strategy": self.manifest["strategy"]["name"],
            "params": self.manifest["strategy"]["params"],
            "symbols": [entry["symbol"] for entry in self.manifest["instruments"]],
            "buy_and_hold_return": held.total_return if held is not None else None,
            "fees": float(self.manifest["final"]["fees"]),
            "slippage": float(self.manifest["final"]["slippage"]),
            "execution": self.manifest["execution"],
            "warnings": self.manifest["warnings"],
            "notice": self.notice or None,
            "command": self.manifest["command"],
            "folder": str(self.folder) if self.folder is not None else None,
            "report": str(self.report) if self.report is not None else None,
            "recording": str(self.recording) if self.recording is not None else None,
        }


def check_writable(target: Path | None, recording: Path | None = None) -> None:
    """Refuse before a long run what would fail after it.

    Raises: UsageError: the file could not be written there, or the recording's folder holds something else.
    """
    if recording is not None:
        refuse_unfit(recording)
    if target is None:
        return
    if target.is_dir():
        raise UsageError(f"{target} is a folder", hint=f"name a file: {target / 'report.html'}")
    folder = next(parent for parent in target.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UsageError(f"{target} cannot be written: {folder} is not a writable folder")


def run_backtest(
    backtest: Backtest,
    progress: RunProgress,
    *,
    command: str,
    root: Path | None,
    sensitivity: bool,
    report: Path | str | None,
    log: RunLog | None = None,
    recording: Recording | None = None,
) -> Finished:
    """Run it, keep it under `root` (None keeps nothing) and write the report; see `finish`.

    Args: log: closed when it has run. recording: None records nothing.
    """
    if recording is not None:
        outcome = record_run(backtest, recording.folder, recording.sources, progress.events, log)
    else:
        outcome = backtest.run(progress.events) if log is None else run_logged(backtest, log, progress.events)
    run = finish(outcome, progress, command=command, root=root, sensitivity=sensitivity, report=report)
    return run if recording is None else run._replace(recording=recording.folder)


def finish(
    outcome: Outcome,
    progress: RunProgress,
    *,
    command: str,
    root: Path | None,
    sensitivity: bool = False,
    report: Path | str | None = None,
) -> Finished:
    """Keep a run that ended under `root` (None keeps nothing) and write the report.

    Args: report: a file; a name without folder given as text lies in the run's folder; None writes none.
    """
    with _kept_in(root) as place:
        progress.writing("the run")
        folder = finish_run(outcome, place, command=command, with_sensitivity=sensitivity, step=progress.step)
        target = folder.path / report if isinstance(report, str) else report
        if target is not None:
            progress.writing("the report")
            from lockstep.analytics.report.page import write_report

            write_report(folder, target)
        return Finished(
            outcome=outcome,
            facts=summary(outcome),
            manifest=folder.manifest,
            measures=measure(ReportInput.from_folder(folder)),
            notice=notice_of(outcome),
            folder=folder.path if root is not None else None,
            report=target,
        )


@contextmanager
def _kept_in(root: Path | None) -> Iterator[Path]:
    if root is not None:
        yield root
        return
    place = tempfile.mkdtemp(prefix="lockstep-run-")
    try:
        yield Path(place)
    finally:
        shutil.rmtree(place, ignore_errors=True)

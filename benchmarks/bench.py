"""`python -m benchmarks.bench`: measure Lockstep beside its rivals on recorded data, in one run.

Prints a table and writes `benchmarks/latest.json` and the figures of PERFORMANCE.md; a run of some rows renews these
alone. A full run adds a line to `benchmarks/history.jsonl` and names what got worse; `--history` shows the runs so far.
A quick run is a look, not a record: it writes nothing, builds no package and is not compared with full runs.
Exit codes: 0 measured, 1 the recorded data are absent or the history is unreadable, 2 bad usage.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console

from benchmarks.history import (
    HistoryLine,
    append_history,
    history_line,
    read_history,
    regressions,
    trend_table,
)
from benchmarks.page import with_figures
from benchmarks.processes import ROOT
from benchmarks.race import Setting, recorded_data
from benchmarks.report import Entry, read_latest, renewed, table_of, write_latest, write_whole
from benchmarks.rows import ROWS
from lockstep._version import __version__

LATEST = ROOT / "benchmarks" / "latest.json"
HISTORY = ROOT / "benchmarks" / "history.jsonl"
PAGE = ROOT / "PERFORMANCE.md"
REPEAT = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rows asked for, all by default; see `--help`."""
    given = _parser().parse_args(arguments)
    try:
        history = [] if given.quick else read_history(HISTORY)
    except ValueError as e:
        print(e, file=sys.stderr)
        return 1
    if given.history:
        _console().print(trend_table(history) if history else "no full run yet")
        return 0
    data_folder = recorded_data()
    if not (data_folder / "bars_1m").is_dir():
        print("no recorded bars: set LOCKSTEP_DATA to the folder that holds bars_1m/", file=sys.stderr)
        return 1
    progress = Console(stderr=True)
    setting = Setting(
        data_folder,
        repeat=1 if given.quick else given.repeat,
        quick=given.quick,
        say=lambda text: progress.print(text, style="dim"),
    )
    names = given.row or [name for name in ROWS if not (given.quick and name == "install_size")]
    entries = [entry for name in names for entry in ROWS[name](setting)]
    _show(entries, as_json=given.json, table=table_of(entries, history[-1].values if history else {}))
    if not given.quick:
        _publish(entries if not given.row else renewed(read_latest(LATEST), entries))
    if not given.row and not given.quick:
        _remember(history, entries)
    return 0


def _publish(entries: Sequence[Entry]) -> None:
    write_latest(LATEST, entries)
    if PAGE.exists():
        write_whole(PAGE, with_figures(PAGE.read_text(encoding="utf-8"), entries))


def _remember(history: list[HistoryLine], entries: Sequence[Entry]) -> None:
    line = history_line(entries, _versions(), datetime.now(UTC).date().isoformat())
    append_history(HISTORY, line)
    for key, change in regressions([*history, line]).items():
        print(f"regressed: {key} is {change:.2f} times as good as the median of the runs before", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bench",
        description="Measure Lockstep beside its rivals on recorded data.",
        epilog="Example: python -m benchmarks.bench --row orders_filled --repeat 5",
    )
    parser.add_argument("--row", action="append", choices=list(ROWS), help="only this row (repeatable)")
    parser.add_argument("--repeat", type=_positive, default=REPEAT, help=f"rounds, best counts (default {REPEAT})")
    parser.add_argument("--quick", action="store_true", help="fewer bars, one round, no install, nothing written")
    parser.add_argument("--history", action="store_true", help="measure nothing, show the full runs so far")
    parser.add_argument("--json", action="store_true", help="print the entries as JSON instead of the table")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"was {number}, the least is 1")
    return number


def _show(entries: Sequence[Entry], *, as_json: bool, table: object) -> None:
    if as_json:
        print(json.dumps([entry.to_record() for entry in entries], indent=2))
        return
    _console().print(table)


def _console() -> Console:
    # Off a terminal rich assumes 80 columns, which would fold every line.
    return Console() if sys.stdout.isatty() else Console(width=160)


def _versions() -> dict[str, str]:
    versions = {"lockstep": __version__, "python": platform.python_version()}
    commit = _git("rev-parse", "--short", "HEAD")
    if commit:  # not in a copy without its history
        versions["commit"] = commit + ("+" if _git("status", "--porcelain", "src") else "")
    return versions


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


if __name__ == "__main__":
    sys.exit(main())

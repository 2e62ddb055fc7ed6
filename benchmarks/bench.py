"""`python -m benchmarks.bench`: measure Lockstep beside its rivals on recorded data, in one run.

Prints a table, writes `benchmarks/latest.json`, and after a full run adds a line to `benchmarks/history.jsonl`. A quick
run is a look, not a record: it writes neither, builds no package and is not compared with full runs.
Exit codes: 0 measured, 1 the recorded data are absent or the history is unreadable, 2 bad usage.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from benchmarks.processes import ROOT
from benchmarks.race import Setting
from benchmarks.report import Entry, append_history, history_line, read_history, table_of, write_latest
from benchmarks.rows import ROWS
from lockstep._version import __version__

LATEST = ROOT / "benchmarks" / "latest.json"
HISTORY = ROOT / "benchmarks" / "history.jsonl"
REPEAT = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rows asked for, all by default; see `--help`."""
    given = _parser().parse_args(arguments)
    data_folder = Path(os.environ.get("LOCKSTEP_DATA") or ROOT.parent / "shared" / "data")
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
    is_full = not given.row and not given.quick
    names = given.row or [name for name in ROWS if not (given.quick and name == "install_size")]
    try:
        history = [] if given.quick else read_history(HISTORY)
    except ValueError as e:
        print(e, file=sys.stderr)
        return 1
    entries = [entry for name in names for entry in ROWS[name](setting)]
    last = history[-1] if history else None
    _show(entries, as_json=given.json, table=table_of(entries, last))
    if not given.quick:
        write_latest(LATEST, entries)
    if is_full:
        append_history(HISTORY, history_line(entries, _versions(), datetime.now(UTC).date().isoformat()))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bench",
        description="Measure Lockstep beside its rivals on recorded data.",
        epilog="Example: python -m benchmarks.bench --row orders_filled --repeat 5",
    )
    parser.add_argument("--row", action="append", choices=list(ROWS), help="only this row (repeatable)")
    parser.add_argument("--repeat", type=_positive, default=REPEAT, help=f"rounds, best counts (default {REPEAT})")
    parser.add_argument("--quick", action="store_true", help="fewer bars, one round, no install, nothing written")
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
    # Off a terminal rich assumes 80 columns, which would fold every line.
    console = Console() if sys.stdout.isatty() else Console(width=160)
    console.print(table)


def _versions() -> dict[str, str]:
    return {"lockstep": __version__, "python": platform.python_version()}


if __name__ == "__main__":
    sys.exit(main())

"""Rows of cost: memory, start-up time and installed size."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import footprint, logs
from benchmarks.peers.program import ProgramResult
from benchmarks.processes import run_program
from benchmarks.race import OURS, Setting, note_of
from benchmarks.report import Entry
from benchmarks.speed import QUICK_EVENTS


def memory_peak_mb(setting: Setting) -> list[Entry]:
    """Peak memory of one instrument and of the four of 2018 at once, and its growth for each further event."""
    limit = ["--limit", str(QUICK_EVENTS)] if setting.quick else []
    paths = [str(path) for path in setting.bars_paths]
    one = run_program(Path(sys.executable), OURS, ["memory", paths[0], *limit])
    four = run_program(Path(sys.executable), OURS, ["memory", *paths, *limit])
    note = note_of(one) or note_of(four)
    entries = []
    for name, outcome in (("memory_peak_mb", one), ("memory_peak_four_mb", four)):
        value = outcome.peak_rss_mb if isinstance(outcome, ProgramResult) else None
        entries.append(Entry(name, value, "MB", higher_is_better=False, limit=200, note=note_of(outcome)))
    growth = None
    if isinstance(one, ProgramResult) and isinstance(four, ProgramResult) and four.events > one.events:
        growth = bytes_per_event(one, four)
    entries.append(Entry("memory_bytes_per_event", growth, "bytes", higher_is_better=False, limit=16, note=note))
    return entries


def log_p99_us(setting: Setting) -> list[Entry]:
    """What the engine's thread waits for a log whose disk is slow: 99 % of hand-overs stay below."""
    setting.say("log_p99_us: a log on a slow disk")
    return [Entry("log_p99_us", logs.log_p99_us(), "us", higher_is_better=False, limit=1000)]


def import_seconds(setting: Setting) -> list[Entry]:
    """Wall time of a fresh interpreter that imports lockstep, and of `lockstep --help`; best of 5 at least."""
    times = max(5, setting.repeat)
    entries = []
    for name, command in (("import_seconds", footprint.IMPORT), ("help_seconds", footprint.HELP)):
        seconds, note = footprint.best_wall_seconds(command, times)
        entries.append(Entry(name, seconds, "s", higher_is_better=False, limit=0.25, note=note))
    return entries


def install_size(setting: Setting) -> list[Entry]:
    """Packages and megabytes of a base install in a fresh virtual environment."""
    setting.say("install_size: building and installing into a fresh environment")
    size = footprint.base_install()
    note = size.note if isinstance(size, footprint.NotInstalled) else None
    packages = None if isinstance(size, footprint.NotInstalled) else float(size.packages)
    megabytes = None if isinstance(size, footprint.NotInstalled) else size.megabytes
    return [
        Entry("install_packages", packages, "packages", higher_is_better=False, limit=15, note=note),
        Entry("install_size_mb", megabytes, "MB", higher_is_better=False, limit=250, note=note),
    ]


def bytes_per_event(one: ProgramResult, four: ProgramResult) -> float:
    """Growth of the peak from the smaller run to the larger, in bytes for each further event."""
    return (four.peak_rss_mb - one.peak_rss_mb) * 1e6 / (four.events - one.events)

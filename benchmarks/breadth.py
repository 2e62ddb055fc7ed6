"""Rows of breadth: what many instruments cost beside the same events one instrument after another."""

from __future__ import annotations

from benchmarks import scale
from benchmarks.race import Setting
from benchmarks.report import Entry
from lockstep.model.errors import LockstepError

STOCKS = "sp500_5yr_daily_2013_2018.csv.gz"


def merge_cost(setting: Setting) -> list[Entry]:
    """What a bar of four merged instruments costs more than a bar of one, 1.9 million bars."""
    setting.say("merge_cost: four instruments, alone and together")
    try:
        alone, together = scale.merge_cost(
            setting.bars_paths[:2] if setting.quick else setting.bars_paths, setting.repeat
        )
    except (LockstepError, OSError, ValueError) as e:
        return [_entry("merge_ns_per_bar", None, "ns", 60, str(e))]
    return [_entry("merge_ns_per_bar", together - alone, "ns", 60, f"{alone:.0f} alone, {together:.0f} together")]


def hundred(setting: Setting) -> list[Entry]:
    """How many times dearer an event is with a hundred stocks and a hundred strategies than with one."""
    setting.say("hundred: a hundred stocks, alone and together")
    try:
        alone, together = scale.hundred(setting.data_folder / "equities_daily" / STOCKS, setting.repeat)
    except (LockstepError, OSError, ValueError) as e:
        return [_entry("hundred_times_one", None, "x", 1.5, str(e))]
    note = f"{alone:.0f} ns an event alone, {together:.0f} together"
    return [_entry("hundred_times_one", together / alone, "x", 1.5, note)]


def _entry(name: str, value: float | None, unit: str, limit: float, note: str) -> Entry:
    return Entry(name, value, unit, higher_is_better=False, limit=limit, note=note)

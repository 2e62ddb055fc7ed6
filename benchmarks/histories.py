"""Rows of the catalog: a year of bars into arrays, one day, and importing a CSV."""

from __future__ import annotations

from benchmarks import catalog
from benchmarks.race import Setting
from benchmarks.report import Entry
from lockstep.model.errors import LockstepError


def catalog_read(setting: Setting) -> list[Entry]:
    """Seconds to read a year of minute bars of four instruments, and one day of one, from Parquet into arrays."""
    setting.say("catalog: four instruments imported, then read")
    paths = setting.bars_paths[:1] if setting.quick else setting.bars_paths
    try:
        with catalog.filled(paths) as filled:
            rows, year = catalog.catalog_year(filled)
            day = catalog.catalog_day(filled)
    except (LockstepError, OSError) as e:
        return [_seconds("catalog_year", None, 1.0, str(e)), _seconds("catalog_day", None, 0.005, str(e))]
    return [_seconds("catalog_year", year, 1.0, f"{rows:,} bars"), _seconds("catalog_day", day, 0.005, None)]


def csv_import(setting: Setting) -> list[Entry]:
    """Rows a second of importing a year of minute bars from CSV: read, checked, written, made visible."""
    setting.say("csv_import: one year of minute bars")
    try:
        value, note = catalog.csv_import(setting.bars_path, setting.repeat), None
    except (LockstepError, OSError) as e:
        value, note = None, str(e)
    return [Entry("csv_import", value, "rows/s", higher_is_better=True, limit=1_000_000, note=note)]


def _seconds(name: str, value: float | None, limit: float, note: str | None) -> Entry:
    return Entry(name, value, "s", higher_is_better=False, limit=limit, note=note)

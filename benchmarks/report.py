"""What a benchmark run says: entries with ratios, the table and `latest.json`.

Nothing here measures. `value` is ours, `peer_value` the rival's, and `ratio` how many times better ours is, so
that above 1 is a win whichever way the unit points.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Entry:
    """One figure of ours beside one rival's. A missing side is None, and `note` says why.

    `limit` is the worst value of ours that is acceptable, in `unit`; `ratio_limit` the least ratio.
    """

    name: str
    value: float | None
    unit: str
    higher_is_better: bool
    peer: str | None = None
    peer_version: str | None = None
    peer_value: float | None = None
    limit: float | None = None
    ratio_limit: float | None = None
    note: str | None = None

    @property
    def key(self) -> str:
        """What identifies this figure from run to run: name and rival."""
        return self.name if self.peer is None else f"{self.name}/{self.peer}"

    @property
    def ratio(self) -> float | None:
        """Ours against the rival's, above 1 meaning ours is better; None where a side is missing."""
        return better_ratio(self.value, self.peer_value, self.higher_is_better)

    @property
    def is_acceptable(self) -> bool | None:
        """Whether value and ratio keep their limits; None where there is no limit or nothing was measured."""
        checks = []
        if self.limit is not None and self.value is not None:
            checks.append(self.value >= self.limit if self.higher_is_better else self.value <= self.limit)
        if self.ratio_limit is not None and self.ratio is not None:
            checks.append(self.ratio >= self.ratio_limit)
        return all(checks) if checks else None

    def to_record(self) -> dict[str, Any]:
        """The JSON form: name to ratio always; limits, note and that less is better only where they hold."""
        record: dict[str, Any] = {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "peer": self.peer,
            "peer_version": self.peer_version,
            "peer_value": self.peer_value,
            "ratio": self.ratio,
        }
        extras: dict[str, Any] = {"limit": self.limit, "ratio_limit": self.ratio_limit, "note": self.note}
        if not self.higher_is_better:
            extras["higher_is_better"] = False
        return record | {key: value for key, value in extras.items() if value is not None}


def better_ratio(ours: float | None, theirs: float | None, higher_is_better: bool) -> float | None:
    """How many times better `ours` is than `theirs`; None if either is missing, not positive or not finite."""
    if ours is None or theirs is None:
        return None
    if not (0.0 < ours < math.inf and 0.0 < theirs < math.inf):
        return None
    return ours / theirs if higher_is_better else theirs / ours


def entry_from(record: Mapping[str, Any]) -> Entry:
    """The entry that `Entry.to_record` wrote; raises TypeError where it is none."""
    fields = {key: value for key, value in record.items() if key != "ratio"}
    return Entry(**({"higher_is_better": True} | fields))


def read_latest(path: Path) -> list[Entry]:
    """The entries of `latest.json`; none if there is no such file, or one that an older version wrote."""
    try:
        return [entry_from(record) for record in json.loads(path.read_text(encoding="utf-8"))]
    except (FileNotFoundError, TypeError, ValueError):
        return []


def renewed(before: Sequence[Entry], measured: Sequence[Entry]) -> list[Entry]:
    """`before` with what was measured again in its place, and what is new at the end."""
    now = {entry.key: entry for entry in measured}
    kept = [now.pop(entry.key, entry) for entry in before]
    return [*kept, *now.values()]


def write_latest(path: Path, entries: Sequence[Entry]) -> None:
    """Write the entries as a JSON list, whole or not at all: readers never see half a file."""
    write_whole(path, json.dumps([entry.to_record() for entry in entries], indent=2) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Replace a file by `text` in one step."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def table_of(entries: Sequence[Entry], last_values: Mapping[str, float]) -> Table:
    """The entries as a table, one line each, with the change since the run before (its values by `Entry.key`)."""
    table = Table(title="Lockstep beside its rivals, one run (ratio above 1: ours is better)")
    table.add_column("figure", no_wrap=True)
    table.add_column("ours", justify="right")
    table.add_column("unit")
    table.add_column("rival", no_wrap=True)
    table.add_column("rival's", justify="right")
    table.add_column("ratio", justify="right")
    table.add_column("limit", justify="right")
    table.add_column("vs last", justify="right")
    table.add_column("note", overflow="fold")
    for entry in entries:
        rival = "" if entry.peer is None else f"{entry.peer} {entry.peer_version or ''}".strip()
        table.add_row(
            entry.name,
            figure_text(entry.value),
            entry.unit,
            rival,
            "" if entry.peer is None else figure_text(entry.peer_value),
            times_text(entry.ratio),
            _coloured_limit(entry),
            times_text(better_ratio(entry.value, last_values.get(entry.key), entry.higher_is_better)),
            entry.note or "",
        )
    return table


def figure_text(value: float | None) -> str:
    """A figure for people: three digits at least, thousands grouped, a dash where there is none."""
    if value is None:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}"


def times_text(ratio: float | None) -> str:
    """A ratio for people; nothing where there is none."""
    return "" if ratio is None else f"{figure_text(ratio)} x"


def limit_text(entry: Entry) -> str:
    """What is acceptable, as `>= 1,000, >= 7 x`; empty where there is no limit."""
    sign = ">=" if entry.higher_is_better else "<="
    parts = [] if entry.limit is None else [f"{sign} {figure_text(entry.limit)}"]
    if entry.ratio_limit is not None:
        parts.append(f">= {figure_text(entry.ratio_limit)} x")
    return ", ".join(parts)


def _coloured_limit(entry: Entry) -> str:
    text = limit_text(entry)
    if entry.is_acceptable is None:
        return text
    return f"[green]{text}[/green]" if entry.is_acceptable else f"[bold red]{text} missed[/bold red]"

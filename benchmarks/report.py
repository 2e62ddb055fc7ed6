"""What a benchmark run says: entries with ratios, the table, `latest.json` and the history.

Nothing here measures. `value` is ours, `peer_value` the rival's, and `ratio` how many times better ours is, so
that above 1 is a win whichever way the unit points.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

HISTORY_SCHEMA = 1


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
        """The JSON form: name, value, unit, peer, peer_version, peer_value, ratio, then limit and note if set."""
        record: dict[str, Any] = {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "peer": self.peer,
            "peer_version": self.peer_version,
            "peer_value": self.peer_value,
            "ratio": self.ratio,
        }
        extras = {"limit": self.limit, "ratio_limit": self.ratio_limit, "note": self.note}
        return record | {key: value for key, value in extras.items() if value is not None}


def better_ratio(ours: float | None, theirs: float | None, higher_is_better: bool) -> float | None:
    """How many times better `ours` is than `theirs`; None if either is missing, not positive or not finite."""
    if ours is None or theirs is None:
        return None
    if not (0.0 < ours < math.inf and 0.0 < theirs < math.inf):
        return None
    return ours / theirs if higher_is_better else theirs / ours


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One full run as it is remembered: no machine, no path, only what was measured and with what.

    values, peer_values: by `Entry.key`. versions: of Lockstep, Python and the rivals. date: ISO, UTC.
    """

    date: str
    versions: dict[str, str]
    values: dict[str, float]
    peer_values: dict[str, float]
    schema: int = HISTORY_SCHEMA


def history_line(entries: Iterable[Entry], versions: Mapping[str, str], date: str) -> HistoryLine:
    """What to remember of `entries`; figures that were not measured are left out."""
    values, peer_values, all_versions = {}, {}, dict(versions)
    for entry in entries:
        if entry.value is not None:
            values[entry.key] = entry.value
        if entry.peer_value is not None:
            peer_values[entry.key] = entry.peer_value
        if entry.peer is not None and entry.peer_version is not None:
            all_versions[entry.peer] = entry.peer_version
    return HistoryLine(date, all_versions, values, peer_values)


def read_history(path: Path) -> list[HistoryLine]:
    """All remembered runs, oldest first; none if the file does not exist.

    Raises:  ValueError: a line that is not a history line of this schema; names file and line.
    """
    if not path.exists():
        return []
    lines = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not text.strip():
            continue
        try:
            record = json.loads(text)
            line = HistoryLine(**record)
        except (TypeError, ValueError) as e:
            raise ValueError(f"{path.name} line {number} is not a benchmark run: {e}") from e
        if line.schema != HISTORY_SCHEMA:
            raise ValueError(f"{path.name} line {number} has schema {line.schema}, this reads {HISTORY_SCHEMA}")
        lines.append(line)
    return lines


def append_history(path: Path, line: HistoryLine) -> None:
    """Add one run to the end of the history."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(line), sort_keys=True) + "\n")


def against_last(entry: Entry, last: HistoryLine | None) -> float | None:
    """How many times better this value is than in the run before; None without one."""
    return None if last is None else better_ratio(entry.value, last.values.get(entry.key), entry.higher_is_better)


def write_latest(path: Path, entries: Sequence[Entry]) -> None:
    """Write the entries as a JSON list, whole or not at all: readers never see half a file."""
    text = json.dumps([entry.to_record() for entry in entries], indent=2) + "\n"
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def table_of(entries: Sequence[Entry], last: HistoryLine | None) -> Table:
    """The entries as a table, one line each, with the change since the run before."""
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
            _times_text(entry.ratio),
            _limit_text(entry),
            _times_text(against_last(entry, last)),
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


def _times_text(ratio: float | None) -> str:
    return "" if ratio is None else f"{figure_text(ratio)} x"


def _limit_text(entry: Entry) -> str:
    if entry.limit is None and entry.ratio_limit is None:
        return ""
    sign = ">=" if entry.higher_is_better else "<="
    parts = [] if entry.limit is None else [f"{sign} {figure_text(entry.limit)}"]
    if entry.ratio_limit is not None:
        parts.append(f">= {figure_text(entry.ratio_limit)} x")
    text = ", ".join(parts)
    if entry.is_acceptable is None:
        return text
    return f"[green]{text}[/green]" if entry.is_acceptable else f"[bold red]{text} missed[/bold red]"

"""Earlier benchmark runs: kept one a line in `history.jsonl`, and compared.

Machines differ and have bad days, and then the rival slows down as we do. So two runs are compared by their ratios to
the same version of the same rival where both have one, else by our figures alone; and a run is held against the median
of the runs before it, so that one lucky or unlucky run decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from rich.table import Table

from benchmarks.report import Entry, better_ratio, figure_text, times_text

HISTORY_SCHEMA = 1
RUNS_BEFORE = 5
"""Runs a run is compared with."""
WORST_CHANGE = 0.7
"""A figure that is worse than this many times the median before has regressed: by more than 30 %."""
COLUMNS_MAX = 6


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One full run as it is remembered: no machine, no path, only what was measured and with what.

    values, peer_values, units: by `Entry.key`. lower_is_better: the keys whose figure should be small. versions: of
    Lockstep, its commit, Python and the rivals. date: ISO, UTC.
    """

    date: str
    versions: dict[str, str]
    values: dict[str, float]
    peer_values: dict[str, float]
    units: dict[str, str] = field(default_factory=dict)
    lower_is_better: list[str] = field(default_factory=list)
    schema: int = HISTORY_SCHEMA

    def ratio(self, key: str) -> float | None:
        """Ours against the rival's in this run; None without a rival."""
        return better_ratio(self.values.get(key), self.peer_values.get(key), key not in self.lower_is_better)

    def rival(self, key: str) -> str | None:
        """The rival of a figure with its version, None without one."""
        peer = key.partition("/")[2]
        return f"{peer} {self.versions.get(peer)}" if peer else None


def history_line(entries: Iterable[Entry], versions: Mapping[str, str], date: str) -> HistoryLine:
    """What to remember of `entries`; figures that were not measured are left out."""
    values, peer_values, units, lower, all_versions = {}, {}, {}, [], dict(versions)
    for entry in entries:
        if entry.value is not None:
            values[entry.key] = entry.value
            units[entry.key] = entry.unit
            if not entry.higher_is_better:
                lower.append(entry.key)
        if entry.peer_value is not None:
            peer_values[entry.key] = entry.peer_value
        if entry.peer is not None and entry.peer_version is not None:
            all_versions[entry.peer] = entry.peer_version
    return HistoryLine(date, all_versions, values, peer_values, units, lower)


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


def change_between(key: str, new: HistoryLine, old: HistoryLine) -> float | None:
    """How many times better a figure is in `new` than in `old`: by the ratios to the same rival, else by the figures."""
    if new.rival(key) is not None and new.rival(key) == old.rival(key):
        by_ratio = better_ratio(new.ratio(key), old.ratio(key), higher_is_better=True)
        if by_ratio is not None:
            return by_ratio
    return better_ratio(new.values.get(key), old.values.get(key), key not in new.lower_is_better)


def change_of(key: str, lines: Sequence[HistoryLine]) -> float | None:
    """How many times better the last run's figure is than the median of those before; None for the first that has it."""
    *before, last = lines
    changes = [change_between(key, last, line) for line in before]
    known = [change for change in changes if change is not None][-RUNS_BEFORE:]
    return median(known) if known else None


def regressions(lines: Sequence[HistoryLine]) -> dict[str, float]:
    """The figures of the last run that are more than 30 % worse than before, with their change."""
    if not lines:
        return {}
    changes = {key: change_of(key, lines) for key in lines[-1].values}
    return {key: change for key, change in changes.items() if change is not None and change < WORST_CHANGE}


def trend_table(lines: Sequence[HistoryLine]) -> Table:
    """Every figure over the last runs, oldest first, each with its ratio; a run that regressed is marked with `!`."""
    shown = range(max(0, len(lines) - COLUMNS_MAX), len(lines))
    table = Table(
        title=f"{len(lines)} runs (in brackets the ratio to the rival; ! is more than 30 % worse than before)"
    )
    table.add_column("figure", no_wrap=True)
    table.add_column("unit")
    for at in shown:
        commit = lines[at].versions.get("commit", "")
        table.add_column(f"{lines[at].date}\n{commit}", justify="right")
    table.add_column("last against\nthe median before", justify="right")
    worse = [regressions(lines[: at + 1]) for at in shown]
    for key in dict.fromkeys(key for at in shown for key in lines[at].values):
        cells = [_cell(key, lines[at], key in bad) for at, bad in zip(shown, worse, strict=True)]
        unit = next(lines[at].units.get(key, "") for at in reversed(shown) if key in lines[at].values)
        table.add_row(key, unit, *cells, times_text(change_of(key, lines)))
    return table


def _cell(key: str, line: HistoryLine, is_worse: bool) -> str:
    ratio = line.ratio(key)
    text = figure_text(line.values.get(key)) + (f" ({times_text(ratio)})" if ratio is not None else "")
    return f"[bold red]{text} ![/bold red]" if is_worse else text

"""The table of figures in PERFORMANCE.md, written from `latest.json` so that the page cannot say something else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from benchmarks.report import Entry, figure_text, limit_text, times_text

_TABLE = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- /figures -->)", re.DOTALL)


def with_figures(page: str, entries: Sequence[Entry]) -> str:
    """The page with its table of figures renewed. Raises: ValueError: the page has no place for it."""
    if not _TABLE.search(page):
        raise ValueError("the page has no lines <!-- figures --> and <!-- /figures -->")
    return _TABLE.sub(lambda _: figures_table(entries), page)


def figures_table(entries: Sequence[Entry]) -> str:
    """The entries as a Markdown table: a row for each figure, its rivals one below the other."""
    lines = ["| figure | ours | unit | must be | rival | rival's | ours is better |", "|---|--:|---|---|---|--:|--:|"]
    for name, group in groupby(entries, key=lambda entry: entry.name):
        for number, entry in enumerate(group):
            rival = "" if entry.peer is None else f"{entry.peer} {entry.peer_version or ''}".strip()
            first = [f"`{name}`", figure_text(entry.value), entry.unit] if number == 0 else ["", "", ""]
            cells = [
                *first,
                limit_text(entry),
                rival,
                "" if entry.peer is None else figure_text(entry.peer_value),
                times_text(entry.ratio) or _why(entry),
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _why(entry: Entry) -> str:
    """A missing ratio's reason, safe in a table cell."""
    return (entry.note or "").replace("|", "/")

"""The tables of docs/guides/hftbacktest.md, written from what is kept."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from benchmarks.fills.cases import CASES, Case, Filled
from benchmarks.fills.kept import MODELS, RECORDINGS, model_text, read_kept

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "hftbacktest.md"
_CLASSES = ("beyond", "twice", "crossed", "remainder", "below_zero", "stops", "reach", "each_row")


def with_tables(page: str) -> str:
    """The page with both tables renewed. Raises: ValueError: it has no place for one."""
    for name, table in (("fills", fills_table()), ("cases", cases_table())):
        pattern = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
        if not pattern.search(page):
            raise ValueError(f"the page has no lines <!-- {name} --> and <!-- /{name} -->")
        page = pattern.sub(lambda _, table=table: table, page)  # type: ignore[misc]
    return page


def write_page() -> None:
    """Renew the file."""
    PAGE.write_text(with_tables(PAGE.read_text()))


def fills_table() -> str:
    """A row for each recording and model."""
    head = ["recording", "queue", "orders", "the same", *(f"`{name}`" for name in _CLASSES), "several", "unexplained"]
    lines = [f"| {' | '.join(head)} |", f"|---|---|{'--:|' * (len(head) - 2)}"]
    for stem in RECORDINGS:
        for model, power in MODELS:
            names = read_kept(stem, model, power).explained
            count = Counter(names)
            several = sum(number for name, number in count.items() if " + " in name)
            cells = [
                stem.rpartition("_")[0],
                f"`{model_text(model, power)}`",
                f"{len(names):,}",
                f"{count[''] / len(names):.2%}",
            ]
            cells += [str(count[name]) for name in (*_CLASSES,)] + [str(several), str(count["unexplained"])]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def cases_table() -> str:
    """A row for each minimal case."""
    lines = ["| case | what happens, and why ours | ours | hftbacktest |", "|---|---|---|---|"]
    lines += [
        f"| `{case.name}` | {case.why} | {_said(case.ours, case)} | {_said(case.theirs, case)} |" for case in CASES
    ]
    return "\n".join(lines) + "\n"


def _said(filled: tuple[Filled, ...] | None, case: Case) -> str:
    if filled is None:
        return "an error"
    parts = [f"{row[0]} of {order.qty}" for row, order in zip(filled, case.orders, strict=True)]
    return " and ".join(parts)

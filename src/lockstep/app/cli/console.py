"""Where the commands write: rich on stdout for people, one JSON object on stdout for programs, progress on stderr."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import click
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

_WIDE = 1000
_LABEL_MAX = 32


def screen() -> Console:
    """Standard output. rich looks at the terminal, NO_COLOR and the encoding by itself."""
    return Console(highlight=False, soft_wrap=False)


def print_json(value: Mapping[str, Any]) -> None:
    """The one object of a `--json` run. NaN has no place in JSON: it raises rather than lie."""
    click.echo(json.dumps(value, indent=1, allow_nan=False))


@contextmanager
def prints_aside(as_json: bool) -> Iterator[None]:
    """While a user's code runs in a `--json` command, what it prints goes to stderr: stdout holds one object."""
    if not as_json:
        yield
        return
    with redirect_stdout(sys.stderr):
        yield


def plain_table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """A table of rows under a line; `right` names the columns of numbers. Numbers are never cut, texts fold."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for column in columns:
        number = column in right
        table.add_column(column, justify="right" if number else "left", no_wrap=number, overflow="fold")
    return table


def show(console: Console, table: Table) -> None:
    """Print a table. Where the terminal is narrower than its numbers, lines wrap; no figure is ever cut."""
    wide = console.options.update(max_width=_WIDE)
    for column in table.columns:
        if column.no_wrap:  # rich takes a text of two words for one that may break between them
            texts = [column.header, *column.cells]
            column.min_width = max(Measurement.get(console, wide, text).maximum for text in texts)
    needed = Measurement.get(console, wide, table).minimum
    terminal = console.width
    console.width = max(terminal, needed)
    console.print(table)
    console.width = terminal


def say(console: Console, text: str, style: str = "") -> None:
    """A line of plain text: nothing in it is markup, and a path in it is never broken."""
    console.print(Text(text, style=style), soft_wrap=True)


class _Rate(ProgressColumn):
    """Events a second."""

    def render(self, task: Task) -> Text:
        rate = task.fields.get("unit") and (task.finished_speed or task.speed)
        return Text(f"{rate:,.0f} {task.fields['unit']}/s" if rate else "", style="dim")


class _Percent(ProgressColumn):
    """How much is done; nothing where that is not known."""

    def render(self, task: Task) -> Text:
        return Text("" if task.total is None else f"{task.percentage:>3.0f} %")


class RunProgress:
    """A bar on stderr while a terminal looks on; silent otherwise. Use as `with RunProgress() as progress`."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._label = ""

    def __enter__(self) -> Self:
        if sys.stderr.isatty() and not self._quiet:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                _Percent(),
                _Rate(),
                TimeRemainingColumn(compact=True),
                console=Console(stderr=True, highlight=False),
                transient=True,
            )
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def pause(self) -> None:
        """Take the bar away: something else is shown until the next phase."""
        if self._bar is not None:
            self._bar.stop()

    def reading(self, what: str) -> None:
        """Data is being read: how much is not known beforehand."""
        self._phase(f"reading {Path(what).name[:_LABEL_MAX]}", "", None)

    def events(self, done: int, total: int) -> None:
        """The backtest has handled so many events."""
        self._phase("backtest", "events", total)
        if self._bar is not None:
            self._bar.update(self._task, completed=done)

    def step(self, label: str, done: int, total: int) -> None:
        """A rerun under another assumption."""
        self._phase("sensitivity", "", total)
        if self._bar is not None:
            self._bar.update(self._task, completed=done, description=label)

    def storing(self, done: int, total: int) -> None:
        """An import has stored so many rows."""
        self._phase("storing", "rows", total)
        if self._bar is not None:
            self._bar.update(self._task, completed=done)

    def writing(self, what: str) -> None:
        """Something is being written."""
        self._phase(f"writing {what}", "", None)

    def _phase(self, label: str, unit: str, total: int | None) -> None:
        if self._bar is None or label == self._label:
            return
        self._label = label
        self._bar.start()
        for task in self._bar.task_ids:
            self._bar.remove_task(task)
        self._task = self._bar.add_task(label, total=total, unit=unit)

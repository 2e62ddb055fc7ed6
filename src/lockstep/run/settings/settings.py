"""Settings as the program has them once they are read and checked, and what is said when they cannot be used."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lockstep.model.errors import UsageError
from lockstep.run.settings import lines as places
from lockstep.run.settings.overrides import Override
from lockstep.run.settings.texts import Document


class Problem(NamedTuple):
    """One thing to mend. where: file and line, or the variable; hint may be empty."""

    where: str
    message: str
    hint: str = ""

    def text(self) -> str:
        """The whole on one line."""
        return f"{self.where}: {self.message}{f'; {self.hint}' if self.hint else ''}"


class SettingsError(UsageError):
    """Settings that cannot be used, with every problem found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        if len(self.problems) == 1:
            only = self.problems[0]
            super().__init__(f"{only.where}: {only.message}", hint=only.hint)
            return
        listed = "".join(f"\n  {problem.text()}" for problem in self.problems)
        super().__init__(f"{len(self.problems)} things to mend in the settings{listed}")


class Entry(NamedTuple):
    """One effective setting. text: its value as a file would write it, secrets masked; origin: where it was said."""

    key: str
    text: str
    origin: str


class Settings:
    """What a file, its environment and the command line say together, each value read by its kind.

    engine, venue, risk, output: values by key; data and strategies: one such table each. A key that nothing gives and that
    has no default is None. entries: every setting with its origin. above: what was said above the file.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.path = document.path
        self.folder = document.path.parent
        self.mode = "backtest"
        self.tables: dict[str, list[dict[str, Any]]] = {}
        self.entries: list[Entry] = []
        self.above: list[Override] = []
        self.beside: dict[str, str] = {}

    def table(self, section: str) -> dict[str, Any]:
        """The one table of a section."""
        return self.tables[section][0]

    def place(self, *path: str | int) -> str:
        """How a message names a key of the file: with its line where that is known."""
        line = places.line_of(self.document.lines, path)
        return f"{self.path} line {line}" if line else str(self.path)

    def resolve(self, text: str) -> Path:
        """A path of the file's: relative to the file's own folder."""
        return self.folder / Path(text).expanduser()

"""What stands above the file: a .env beside it, the environment, and `--set` of the command line, in that order.

    LOCKSTEP_ENGINE__CASH=50000                     engine.cash
    LOCKSTEP_STRATEGIES__TREND__PARAMETERS__FAST=5  parameters.fast of the strategy named trend (or of script trend.py)
    LOCKSTEP_MODE=backtest                          mode

Names with one underscore (LOCKSTEP_HOME, LOCKSTEP_PURE) are no settings and are left alone, unless they begin like a
section's: LOCKSTEP_ENGINE_CASH is a slip of the finger and refused.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lockstep.model.errors import UsageError, did_you_mean
from lockstep.run.settings.kinds import LATENCY_BASE, Overridden
from lockstep.run.settings.schema import SECTIONS
from lockstep.run.settings.texts import read_text

PREFIX = "LOCKSTEP_"
SET = "--set"
DOTENV = ".env"
_LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*)")
_SECRET = re.compile(r"(?:KEY|SECRET|TOKEN|PASSWORD|URL)$", re.IGNORECASE)
MASK = "********"


class Override(NamedTuple):
    """One value from outside the file. names: the way to it; origin: where it was said."""

    names: tuple[str, ...]
    value: Overridden

    @property
    def origin(self) -> str:
        """Where it was said."""
        return self.value.origin


def masked(name: str, text: str) -> str:
    """The text, or a mask where the name sounds like a secret's."""
    return MASK if text and _SECRET.search(name.rsplit(".", 1)[-1]) else text


def read_dotenv(path: Path) -> dict[str, str]:
    """NAME=VALUE lines; quotes are taken off, # begins a comment. An absent file is empty.

    Raises: UsageError: a line that is neither, with its number (and never its text: it may hold a secret).
    """
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _LINE.fullmatch(text)
        if match is None:
            raise UsageError(f"{path} line {number} is not NAME=VALUE", hint="comments begin with #")
        found[match["name"]] = _unquoted(match["value"])
    return found


def _unquoted(value: str) -> str:
    if value[:1] in ("'", '"') and value.find(value[0], 1) > 0:
        return value[1 : value.find(value[0], 1)]
    return re.split(r"\s#", value, maxsplit=1)[0].strip()


def from_environment(environment: Mapping[str, str], where: str = "") -> list[Override]:
    """The settings among environment variables. where: a file they come from, for messages.

    Raises: UsageError: a name that begins like a setting's and is none.
    """
    found = []
    for name, value in sorted(environment.items()):
        if not name.startswith(PREFIX):
            continue
        rest = name.removeprefix(PREFIX)
        if "__" in rest or rest == "MODE":
            names = tuple(part.lower() for part in rest.split("__"))
            found.append(Override(names, Overridden(value, f"{name}{f' in {where}' if where else ''}")))
            continue
        section = next((one for one in SECTIONS if rest.startswith(f"{one.upper()}_")), None)
        if section is not None:
            meant = f"{PREFIX}{section.upper()}__{rest[len(section) + 1 :]}"
            raise UsageError(
                f"{name} is no setting: two underscores stand after the section", hint=f"did you mean {meant}?"
            )
        if where:
            raise UsageError(
                f"{name} in {where} has no effect: a file of settings cannot say it", hint=f"export {name}"
            )
    return found


def from_words(pairs: Sequence[str]) -> list[Override]:
    """`--set engine.cash=5000`. Raises: UsageError: no equals sign, no name, or a name twice."""
    found: dict[tuple[str, ...], Override] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        names = tuple(part.strip() for part in name.split("."))
        if not equals or not all(names):
            raise UsageError(f"{SET} was {pair!r}, not section.key=value", hint=f"for example {SET} engine.cash=5000")
        if names in found:
            raise UsageError(f"{SET} {name.strip()} was given twice", hint="give it once")
        found[names] = Override(names, Overridden(value.strip(), SET))
    return list(found.values())


def apply_overrides(tree: dict[str, Any], overrides: Iterable[Override]) -> None:
    """Put each value into the tree, in order: a later one wins. Keys that do not exist are left to the check.

    Raises: UsageError: a strategy or data source that the file does not have, or a way through what is no table.
    """
    for override in overrides:
        place: Any = tree
        names = list(override.names)
        if len(names) > 1 and names[0] in SECTIONS:
            place = _entry_of(tree, names, override)
        for name in names[:-1]:
            below = place.setdefault(_spelt(place, name), {})
            if not isinstance(below, dict):
                if name != "latency" or not isinstance(below, str):
                    raise UsageError(f"{override.origin}: {name} is no table in the file: it is {below!r}")
                place["latency"] = below = {LATENCY_BASE: below}
            place = below
        place[_spelt(place, names[-1])] = override.value


def _entry_of(tree: dict[str, Any], names: list[str], override: Override) -> Any:
    """The table that a way begins in; takes off `names` what led there."""
    section = names.pop(0)
    held = tree.setdefault(section, {} if SECTIONS[section].many != "list" else [])
    if not isinstance(held, list):
        return held if isinstance(held, dict) else {}  # neither: the check says what is wrong with it
    which = names.pop(0)
    labels = [_labels(entry) for entry in held]
    chosen = [entry for number, entry in enumerate(held) if which == str(number + 1) or _plain(which) in labels[number]]
    if len(chosen) != 1 or not names:
        known = [label for each in labels for label in sorted(each)] or ["1"]
        fact = f"{len(chosen)} are called {which!r}" if chosen else f"there is no {section} {which!r}"
        hint = "say its number, counted from 1" if chosen else did_you_mean(which, known)
        if len(chosen) == 1:
            fact, hint = f"{section} {which} is a table", f"say which key: {section}.{which}.symbols"
        raise UsageError(f"{override.origin}: {fact}", hint=hint)
    return chosen[0] if isinstance(chosen[0], dict) else {}


def _labels(entry: Any) -> set[str]:
    """What a strategy or source can be called by: its name, else its script or source without folder and suffix."""
    if not isinstance(entry, dict):
        return set()
    name = entry.get("name") or entry.get("script") or entry.get("source")
    return {_plain(Path(name).stem if "name" not in entry else name)} if isinstance(name, str) else set()


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


def _spelt(table: dict[str, Any], name: str) -> str:
    """The name as the table has it: an environment's names know no capitals."""
    return next((known for known in table if known == name or known.lower() == name), name)

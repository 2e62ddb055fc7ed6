"""Settings against the schema: every value read, every problem found in one go."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lockstep.model.errors import did_you_mean
from lockstep.run.settings import lines as places
from lockstep.run.settings.kinds import LATENCY_BASE, Overridden, WrongValue, read_value
from lockstep.run.settings.overrides import masked
from lockstep.run.settings.presets import DEFAULT_PRESET, PRESETS
from lockstep.run.settings.schema import LATER_MODES, MODE, SECTIONS, Key, Section
from lockstep.run.settings.settings import Entry, Problem, Settings


def problems_of(settings: Settings, *, complete: bool) -> list[Problem]:
    """Fill in the settings' tables and entries from its document. Returns: what is wrong, in the order of the file.

    Args: complete: whether what the schema requires must be there.
    """
    return _Check(settings, complete=complete).run()


class _Check:
    """Walks a tree beside the schema."""

    def __init__(self, settings: Settings, *, complete: bool) -> None:
        self.settings = settings
        self.tree = settings.document.tree
        self.complete = complete
        self.found: list[tuple[int, Problem]] = []  # with the line, 0 for what stands above the file

    def run(self) -> list[Problem]:
        for name, value in self.tree.items():
            if name not in SECTIONS and name != MODE.name:
                self.add(
                    (name,), value, f"there is no section or key {name!r}", _elsewhere(name, [MODE.name, *SECTIONS])
                )
        self.mode()
        for section in SECTIONS.values():
            self.settings.tables[section.name] = [
                self.table(section, path, table) for path, table in self.tables_of(section)
            ]
        if self.complete and not self.found:
            self.symbols()
            self.names()
            self.effects()
        return [problem for _, problem in sorted(self.found, key=lambda pair: pair[0])]

    def add(self, path: places.Path, value: Any, message: str, hint: str = "") -> None:
        # A table that only the environment made is told by the first thing it says.
        line = places.line_of(self.settings.document.lines, path)
        said = next(iter(value.values()), value) if isinstance(value, dict) and line is None else value
        if isinstance(said, Overridden):
            self.found.append((0, Problem(said.origin, message, hint)))
        else:
            self.found.append((line or 0, Problem(self.settings.place(*path), message, hint)))

    def mode(self) -> None:
        value = self.tree.get(MODE.name)
        if isinstance(value, str) and value in LATER_MODES:
            self.add((MODE.name,), value, f"mode {str(value)!r} is not in this version", 'mode = "backtest" is')
            return
        self.settings.mode = self.value(MODE, (MODE.name,), self.tree, "")

    def tables_of(self, section: Section) -> list[tuple[places.Path, dict[str, Any]]]:
        """The section's tables with their paths: one, or as many as the file has."""
        held = self.tree.get(section.name)
        if held is None or held == [] or (held == {} and section.many != "one"):
            if section.many != "one" and self.complete:
                title = f"[[{section.name}]]" if section.many == "list" else f"[{section.name}]"
                self.add((section.name,), held, f"{title} is missing", f"it needs {_required(section)}")
            return [((section.name,), {})] if section.many == "one" else []
        listed = held if isinstance(held, list) and section.many != "one" else [held]
        if not all(isinstance(entry, dict) for entry in listed) or (section.many == "list" and listed is not held):
            what = "a list of tables" if section.many == "list" else "a table"
            self.add((section.name,), held, f"{section.name} must be {what}", f"it holds {', '.join(section.by_name)}")
            return [((section.name,), {})] if section.many == "one" else []
        if listed is not held:
            return [((section.name,), held)]
        return [((section.name, index), entry) for index, entry in enumerate(listed)]

    def table(self, section: Section, path: places.Path, given: dict[str, Any]) -> dict[str, Any]:
        """Every key's value: given, from the preset of a venue, or the default."""
        for name, value in given.items():
            if name not in section.by_name:
                known = list(section.by_name)
                self.add(
                    (*path, name), value, f"there is no key {_dotted((*path, name))}", _elsewhere(name, known, section)
                )
        preset = self.preset(given) if section.name == "venue" else ""
        base = PRESETS.get(preset, {})
        if isinstance(given.get("latency"), dict) and "latency" in base:
            given["latency"] = {LATENCY_BASE: base["latency"], **given["latency"]}
        return {
            key.name: self.value(key, (*path, key.name), given, f"preset {preset}", base.get(key.name))
            for key in section.keys
        }

    def preset(self, given: dict[str, Any]) -> str:
        name = given.get("preset", DEFAULT_PRESET)
        return name if isinstance(name, str) and name in PRESETS else DEFAULT_PRESET

    def value(self, key: Key, path: places.Path, given: dict[str, Any], below: str, base: Any = None) -> Any:
        """One key's value; a wrong one is a problem and None."""
        raw, origin = given.get(key.name), ""
        if raw is not None:
            origin = raw.origin if isinstance(raw, Overridden) else self.settings.place(*path)
        elif key.name in given:
            self.add(path, raw, f"{_dotted(path)} has no value", "leave the key out for its default")
            return None
        elif base is not None or key.default is not None:
            raw, origin = (base, below) if base is not None else (key.default, "default")
        else:
            if key.required:
                self.add(path, None, f"{_dotted(path)} is missing", f"it is a {key.kind.words}")
            return None
        self.entry(path, raw, origin)
        try:
            return read_value(key.kind, raw)
        except WrongValue as e:
            self.add(path, raw, f"{_dotted(path)} {e}", e.hint)
            return None

    def entry(self, path: places.Path, raw: Any, origin: str) -> None:
        """Remember an effective value; a table one by one, as each may come from another place."""
        if not isinstance(raw, dict):
            self.settings.entries.append(Entry(_dotted(path), masked(_dotted(path), value_text(raw)), origin))
            return
        for name, value in raw.items():
            own = value.origin if isinstance(value, Overridden) else origin
            self.entry((*path, name), value, own)

    def symbols(self) -> None:
        """A symbol without data, and data that no strategy asked for, are slips of the file."""
        there, wanted = self.listed("data"), self.listed("strategies")
        known = {symbol for names in there.values() for symbol in names or ()}
        used = {symbol for names in wanted.values() for symbol in names or ()}
        if None not in there.values():
            for path, symbol in _unknown(wanted, known):
                self.add(
                    path,
                    self.raw(path),
                    f"{_dotted(path)} has {symbol!r}, and no data has it",
                    did_you_mean(symbol, known),
                )
        if None not in wanted.values():
            for path, symbol in _unknown(there, used):
                self.add(
                    path, self.raw(path), f"{_dotted(path)} has {symbol!r}, and no strategy trades it", "leave it out"
                )

    def listed(self, section: str) -> dict[places.Path, tuple[str, ...] | None]:
        """The symbols of each table of a section, by where they are said; None where it names none."""
        tables = self.settings.tables[section]
        several = isinstance(self.tree[section], list)
        ways = [(section, index, "symbols") if several else (section, "symbols") for index in range(len(tables))]
        return {way: table["symbols"] for way, table in zip(ways, tables, strict=True)}

    def raw(self, path: places.Path) -> Any:
        """What the tree holds at a path."""
        held: Any = self.tree
        for step in path:
            held = held[step]
        return held

    def effects(self) -> None:
        """A rule for bars, said of a run that is known to have none."""
        kinds = [table["kind"] for table in self.settings.tables["data"]]
        said = self.tree.get("venue", {})
        if "bar_path" in said and not set(kinds) & {None, "bars"}:
            path = ("venue", "bar_path")
            self.add(
                path, self.raw(path), f"{_dotted(path)} has no effect: the data is {', '.join(kinds)}", "leave it out"
            )

    def names(self) -> None:
        """Two strategies of one name could not be told apart in the results."""
        seen: set[str] = set()
        for index, table in enumerate(self.settings.tables["strategies"]):
            path, name = ("strategies", index, "name"), table["name"]
            if name in seen:
                self.add(path, self.raw(path), f"{_dotted(path)}: another strategy is called {name!r} too")
            if name is not None:
                seen.add(name)


def _unknown(said: Mapping[places.Path, tuple[str, ...] | None], known: set[str]) -> Iterator[tuple[places.Path, str]]:
    for path, names in said.items():
        yield from ((path, symbol) for symbol in names or () if symbol not in known)


def value_text(value: Any) -> str:
    """A value as `config show` prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(value_text(entry) for entry in value)
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _dotted(path: places.Path) -> str:
    """("strategies", 0, "script") as people count: strategies.1.script."""
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in path)


def _required(section: Section) -> str:
    return ", ".join(key.name for key in section.keys if key.required)


def _elsewhere(name: str, known: Sequence[str], here: Section | None = None) -> str:
    """Where a key belongs that stands in the wrong table, else what was meant."""
    owners = [one.name for one in SECTIONS.values() if one is not here and name in one.by_name]
    if owners and name not in known:
        return f"it belongs in {' or '.join(f'[{owner}]' for owner in owners)}"
    return did_you_mean(name, known)

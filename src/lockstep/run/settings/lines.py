"""Where in a settings file each key stands, so that a message can name the line."""

import re

from lockstep.model.errors import ParseError
from lockstep.model.numbers import DIGITS_MAX

Path = tuple[str | int, ...]
"""The way to a value: ("strategies", 0, "symbols")."""
Lines = dict[Path, int]
"""Line numbers, counted from 1, by path."""

_TABLE = re.compile(r"\s*(?P<many>\[)?\[(?P<name>[^\[\]#=]+)\]")
_ASSIGNED = re.compile(r"\s*(?P<name>[\w\-.\"' ]+?)\s*=")
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|\n')


def whole_number(text: str) -> int:
    """The int a text says. Raises: ParseError: longer than any number of ours."""
    if len(text) > DIGITS_MAX + 1:
        raise ParseError(f"a number of {len(text)} digits is longer than {DIGITS_MAX}")
    return int(text)


def line_of(lines: Lines, path: Path) -> int | None:
    """The line of a path, else of what it stands in (a key of an inline table stands on that table's line)."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def toml_lines(text: str) -> Lines:
    """Of a TOML text that parsed: table headers and the keys that begin a line.

    A line inside a multi-line text can look like a key; then a message may name that line instead, and nothing else is lost.
    """
    lines: Lines = {}
    counts: dict[str, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = _TABLE.match(line)
        assigned = _ASSIGNED.match(line)
        if header:
            names = _names(header["name"])
            if header["many"]:
                counts[names[0]] = counts.get(names[0], -1) + 1
            table = (names[0], counts[names[0]], *names[1:]) if names[0] in counts else tuple(names)
            lines.setdefault(table, number)
        elif assigned:
            lines.setdefault((*table, *_names(assigned["name"])), number)
    return lines


def _names(dotted: str) -> list[str]:
    return [name.strip().strip("\"'") for name in dotted.split(".")]


def json_lines(text: str) -> Lines:
    """Of a JSON text that parsed: every key and every entry of a list."""
    lines: Lines = {}
    path: list[str | int] = []  # the key or the index at each level that is open
    inside: list[str] = []
    number, before_key = 1, False
    for piece in _PIECE.findall(text):
        if piece == "\n":
            number += 1
        elif piece in ("{", "["):
            lines.setdefault(tuple(path), number)
            inside.append(piece)
            path.append("" if piece == "{" else 0)
            before_key = piece == "{"
        elif piece in ("}", "]"):
            inside.pop()
            path.pop()
        elif piece == ",":
            before_key = inside[-1] == "{"
            if not before_key:
                path[-1] = int(path[-1]) + 1
        elif piece == ":":
            before_key = False
        elif before_key:
            path[-1] = piece[1:-1]
            lines[tuple(path)] = number
    return lines

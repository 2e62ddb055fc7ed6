"""A settings file as plain data: TOML, YAML or JSON by its suffix, with exact numbers and the line of every key."""

import json
import tomllib
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from lockstep.model.errors import ParseError, UsageError, did_you_mean
from lockstep.run.settings.lines import Lines, json_lines, toml_lines, whole_number

BYTES_MAX = 256 * 1024
"""A settings file is written by hand; anything longer is some other file."""


class Document(NamedTuple):
    """A file's content. tree: tables, lists, texts, ints, Decimals, truth values and None; lines: of its keys."""

    path: Path
    tree: dict[str, Any]
    lines: Lines


def read_document(path: Path) -> Document:
    """Read and parse one file.

    Raises: UsageError: no such file, not a file, another format, too long, or not what its suffix says.
    """
    reader = FORMATS.get(path.suffix.lower())
    if reader is None:
        raise UsageError(
            f"{path} is no settings file by its suffix {path.suffix!r}", hint=f"known: {', '.join(FORMATS)}"
        )
    text = read_text(path)
    try:
        tree, lines = reader(text)
    except ParseError as e:
        raise UsageError(f"{path}: {e}", hint=e.hint) from None
    except RecursionError:
        raise UsageError(f"{path}: nested too deeply") from None
    if tree is None or tree == {}:
        raise UsageError(f"{path} says nothing", hint="lockstep new NAME --config writes one to start from")
    if not isinstance(tree, dict):
        raise UsageError(f"{path} holds no table of settings but {_kind_of(tree)}")
    return Document(path, _plain(tree), lines)


def read_text(path: Path) -> str:
    """The text of a file, without a byte order mark. Raises: UsageError: absent, no file, too long or not UTF-8."""
    if not path.is_file():
        near = [entry.name for entry in path.parent.glob("*") if entry.suffix.lower() in FORMATS]
        what = "is a folder" if path.is_dir() else "does not exist" if not path.exists() else "is no ordinary file"
        raise UsageError(f"settings file {path} {what}", hint=did_you_mean(path.name, near) if near else "")
    with path.open("rb") as file:
        data = file.read(BYTES_MAX + 1)
    if len(data) > BYTES_MAX:
        raise UsageError(f"{path} has {path.stat().st_size:,} bytes, a settings file at most {BYTES_MAX:,}")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as e:
        raise UsageError(f"{path} is not UTF-8 text: {e}") from None


def _toml(text: str) -> tuple[Any, Lines]:
    try:
        return tomllib.loads(text, parse_float=Decimal), toml_lines(text)
    except ValueError as e:  # a TOMLDecodeError, or a whole number too long for Python to read
        raise ParseError(f"not TOML: {_message(e)}", hint='texts stand in quotes: source = "us_stocks"') from None


def _json(text: str) -> tuple[Any, Lines]:
    if not text.strip():
        return None, {}
    try:
        tree = json.loads(
            text, parse_float=Decimal, parse_int=whole_number, parse_constant=Decimal, object_pairs_hook=_once
        )
    except ValueError as e:
        raise ParseError(f"not JSON: {_message(e)}") from None
    return tree, json_lines(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ParseError(f"{name!r} is said twice in one table")
        found[name] = value
    return found


def _yaml(text: str) -> tuple[Any, Lines]:
    from lockstep.run.settings.yaml_text import read_yaml

    return read_yaml(text)


FORMATS: dict[str, Callable[[str], tuple[Any, Lines]]] = {
    ".toml": _toml,
    ".json": _json,
    ".yaml": _yaml,
    ".yml": _yaml,
}
"""How a file is read, by its suffix."""


def _message(error: ValueError) -> str:
    text = str(error)
    return text[:1].lower() + text[1:]


def _plain(value: Any) -> Any:
    """TOML's own dates and times as the texts that YAML and JSON have."""
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value.isoformat() if isinstance(value, (datetime, date, time)) else value


def _kind_of(tree: Any) -> str:
    return {list: "a list", str: "a text", bool: "a truth value"}.get(type(tree), "a number")

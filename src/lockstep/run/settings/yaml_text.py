"""YAML without its surprises: a tree of plain values, and the line of every key.

Scalars follow the YAML 1.2 core schema and less: only true and false are truth values (`no` is a text, as is the symbol NO),
numbers are decimal (007 is a text, and 1:30 is no number of seconds), dates stay texts. Anchors, aliases, tags of any other
kind, merges and keys written twice are refused. Nothing is ever constructed from a tag.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import yaml

from lockstep.model.errors import ParseError
from lockstep.run.settings.lines import Lines, Path, whole_number

_TAG = "tag:yaml.org,2002:"
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]{1,9})?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class _Loader(yaml.SafeLoader):  # type: ignore[misc] # the library ships no types
    """Composes nodes without anchors; plain scalars carry no tag but that of a text, so that we judge them."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the library's own attribute

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if getattr(event, "anchor", None) is not None:
            raise ParseError(f"line {event.start_mark.line + 1}: anchors and aliases are not read", hint="write it out")
        return super().compose_node(parent, index)


def read_yaml(text: str) -> tuple[Any, Lines]:
    """The tree of one YAML document and its lines. Raises: ParseError: no YAML, or YAML that is not read here."""
    lines: Lines = {}
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        where = f"line {mark.line + 1}: " if mark else ""
        raise ParseError(f"{where}{e.problem or e.context}") from None
    except yaml.YAMLError as e:
        raise ParseError(" ".join(str(e).split())) from None
    return (None if node is None else _plain(node, (), lines)), lines


def _plain(node: Any, path: Path, lines: Lines) -> Any:
    here = f"line {node.start_mark.line + 1}"
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
        return dict(_pairs(node, path, lines))
    if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
        return [_plain(child, (*path, index), lines) for index, child in enumerate(node.value)]
    if isinstance(node, yaml.ScalarNode) and node.tag == f"{_TAG}str":
        return node.value if node.style is not None else _scalar(node.value)
    raise ParseError(f"{here}: the tag {node.tag.replace(_TAG, '!!')!r} is not read")


def _pairs(node: Any, path: Path, lines: Lines) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for key, child in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
            raise ParseError(f"line {line}: a key must be a plain name")
        if key.value in seen:
            raise ParseError(f"line {line}: {'.'.join(map(str, (*path, key.value)))} is said twice")
        seen.add(key.value)
        lines[*path, key.value] = line
        yield key.value, _plain(child, (*path, key.value), lines)


def _scalar(text: str) -> Any:
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if _SPECIAL.fullmatch(text):
        return Decimal("nan")
    if _INT.fullmatch(text):
        return whole_number(text)
    return Decimal(text) if _FLOAT.fullmatch(text) else text

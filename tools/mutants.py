"""Small faults put into a source on purpose, one at a time, to see whether the checks notice: found in its syntax tree.

A mutant is one change of one expression or statement: a comparison's edge, a sign, an `and`, a `not`, a number by one, a
branch taken the other way, a statement left out, a cell of the order state table. What cannot change what the program decides is
left alone: annotations, messages of errors, texts, imports, what only a compiler reads.

    python tools/mutants.py            writes tests/mutation/mutants.json anew: the list that tools/mutation_check.py runs
    python tools/mutants.py --check    ends with 1 if a listed mutant is no longer in the sources
"""

import argparse
import ast
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src" / "lockstep"
LISTED = ROOT / "tests" / "mutation" / "mutants.json"
ROOMS = {"orders": 50, "risk": 50, "store/journal": 50}
"""How many mutants of each; spread evenly over the kinds of change by a hash of their name, not by anyone's choice."""
LEFT_OUT = {"saved.py", "limits.py", "errors.py", "__init__.py"}
"""Field lists and messages: tests of their own compare them with the declarations."""

_COMPARED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "is": "is not", "is not": "is", "in": "not in", "not in": "in"}  # fmt: skip
_COMPARISONS = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.BitAnd: "&", ast.BitOr: "|"}
_OPERATED = {"+": "-", "-": "+", "*": "+", "//": "*", "&": "|", "|": "&"}
_TYPING = {"cast", "declare", "locals", "returns"}


class Mutant(NamedTuple):
    """One change. name: file, function, kind of change and which of them; start, end: offsets in the source; text: instead."""

    name: str
    file: str
    kind: str
    line: int
    start: int
    end: int
    text: str

    def of(self, source: str) -> str:
        """The source with the change in it."""
        return source[: self.start] + self.text + source[self.end :]

    def as_json(self, source: str) -> dict[str, str | int]:
        """As it stands in the list: what is changed into what."""
        return {"name": self.name, "line": self.line, "was": source[self.start : self.end], "is": self.text}


class _Change(NamedTuple):
    kind: str
    start: int
    end: int
    text: str


def mutants_of(file: str, source: str) -> list[Mutant]:
    """Every mutant of a source, in the order of the text. file: relative to src/lockstep, for their names."""
    tree = ast.parse(source)
    offsets = _line_offsets(source)
    counted: Counter[tuple[str, str]] = Counter()
    found = []
    for function, node in _decisive(tree, ""):
        for change in _changes(node, source, offsets):
            key = (function, change.kind)
            name = f"{file}::{function or 'module'}::{change.kind}-{counted[key]}"
            counted[key] += 1
            found.append(Mutant(name, file, change.kind, node.lineno, *change[1:]))  # type: ignore[attr-defined]
    return found


def chosen(room: str, count: int) -> list[Mutant]:
    """So many mutants of a room, as evenly over files and kinds of change as there are."""
    by_place: dict[tuple[str, str], list[Mutant]] = {}
    for path in sorted((SOURCES / room).glob("*.py")):
        if path.name not in LEFT_OUT:
            file = path.relative_to(SOURCES).as_posix()
            for mutant in mutants_of(file, path.read_text(encoding="utf-8")):
                by_place.setdefault((file, mutant.kind), []).append(mutant)
    queues = sorted((sorted(queue, key=_rank) for queue in by_place.values()), key=lambda queue: _rank(queue[0]))
    picked: list[Mutant] = []
    while len(picked) < count and any(queues):
        for queue in queues:
            if queue and len(picked) < count:
                picked.append(queue.pop(0))
    return sorted(picked)


def _rank(mutant: Mutant) -> str:
    return hashlib.sha256(mutant.name.encode()).hexdigest()


def _decisive(node: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
    """Every node whose change could change a decision, with the function it is in."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom, ast.Raise, ast.Assert, ast.JoinedStr, ast.arguments)):
            continue
        if isinstance(child, ast.If) and "cython" in ast.dump(child.test):
            continue
        if isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute) and child.func.attr in _TYPING:
            yield from _decisive(child.args[-1], function) if child.args else ()
            continue
        if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
            if child.name in ("__repr__", "__str__", "text"):
                continue
            body = ast.Module(child.body, [])
            yield from _decisive(body, f"{function}.{child.name}".lstrip("."))
            continue
        if isinstance(child, ast.AnnAssign):
            if child.value is not None and function:
                yield function, child.value
                yield from _decisive(child.value, function)
            continue
        if isinstance(child, ast.Dict) or (function and isinstance(child, (ast.expr, ast.stmt))):
            yield function, child
        yield from _decisive(child, function)


def _changes(node: ast.AST, source: str, offsets: list[int]) -> Iterator[_Change]:
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            was = _COMPARISONS[type(op)]
            yield from _between("comparison", left, right, was, _COMPARED[was], source, offsets)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS and not _is_text(left, right):
            was = _OPERATORS[type(op)]
            yield from _between("operator", left, right, was, _OPERATED[was], source, offsets)
        case ast.BoolOp(op=op, values=[first, second, *_]):
            was, new = ("and", "or") if isinstance(op, ast.And) else ("or", "and")
            yield from _between("connective", first, second, was, new, source, offsets)
        case ast.UnaryOp(op=ast.Not()):
            yield _Change("negation", _start(node, offsets), _start(node, offsets) + len("not "), "")
        case ast.UnaryOp(op=ast.USub(), operand=operand) if not isinstance(operand, ast.Constant):
            yield _Change("sign", _start(node, offsets), _start(node, offsets) + len("-"), "")
        case ast.Constant(value=bool() as value):
            yield _Change("truth", _start(node, offsets), _end(node, offsets), str(not value))
        case ast.Constant(value=int() as number):
            yield _Change("number", _start(node, offsets), _end(node, offsets), str(number + 1))
        case ast.If(test=test) | ast.While(test=test) if not isinstance(test, (ast.Compare, ast.Constant)):
            text = source[_start(test, offsets) : _end(test, offsets)]
            yield _Change("branch", _start(test, offsets), _end(test, offsets), f"not ({text})")
        case ast.AugAssign() | ast.Expr(value=ast.Call()) | ast.Delete():
            yield _Change("statement", _start(node, offsets), _end(node, offsets), "pass")
        case ast.Assign(targets=[ast.Attribute()]):
            yield _Change("assignment", _start(node, offsets), _end(node, offsets), "pass")
        case ast.Dict(keys=keys, values=values):
            yield from _cells(keys, values, offsets)


def _cells(keys: list[ast.expr | None], values: list[ast.expr], offsets: list[int]) -> Iterator[_Change]:
    """Cells of the order state table: another answer."""
    for key, value in zip(keys, values, strict=True):
        if isinstance(key, ast.Attribute) and isinstance(key.value, ast.Name) and key.value.id == "E":
            other = "ANOMALY" if isinstance(value, ast.Name) and value.id == "IGNORED" else "IGNORED"
            yield _Change("cell", _start(value, offsets), _end(value, offsets), other)


def _between(
    kind: str, left: ast.expr, right: ast.expr, was: str, new: str, source: str, offsets: list[int]
) -> Iterator[_Change]:
    start, end = _end(left, offsets), _start(right, offsets)
    at = source.find(was, start, end)
    if at >= 0:
        yield _Change(kind, at, at + len(was), new)


def _is_text(*sides: ast.expr) -> bool:
    return any(isinstance(side, (ast.JoinedStr, ast.List, ast.Tuple)) or _constant_text(side) for side in sides)


def _constant_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))


def _line_offsets(source: str) -> list[int]:
    offsets = [0]
    for line in source.splitlines(keepends=True):
        offsets.append(offsets[-1] + len(line))
    return offsets


def _start(node: ast.AST, offsets: list[int]) -> int:
    return offsets[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined, no-any-return]


def _end(node: ast.AST, offsets: list[int]) -> int:
    return offsets[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined, no-any-return]


def read_list() -> list[dict[str, str | int]]:
    """The listed mutants."""
    listed: list[dict[str, str | int]] = json.loads(LISTED.read_text(encoding="utf-8"))
    return listed


def by_name(names: list[str]) -> dict[str, Mutant]:
    """Those mutants as they are in the sources of today; one that is gone is absent."""
    files = sorted({name.partition("::")[0] for name in names})
    there = {
        mutant.name: mutant
        for file in files
        if (SOURCES / file).is_file()
        for mutant in mutants_of(file, (SOURCES / file).read_text(encoding="utf-8"))
    }
    return {name: there[name] for name in names if name in there}


def main() -> int:
    """Write the list, or check it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true", help="only say which listed mutants are gone")
    if parser.parse_args().check:
        listed = read_list()
        there = by_name([str(entry["name"]) for entry in listed])
        gone = [str(entry["name"]) for entry in listed if entry["name"] not in there]
        for name in gone:
            print(f"no longer in the sources: {name}")
        return 1 if gone else 0
    picked = [mutant for room, count in ROOMS.items() for mutant in chosen(room, count)]
    entries = [mutant.as_json((SOURCES / mutant.file).read_text(encoding="utf-8")) for mutant in picked]
    LISTED.parent.mkdir(parents=True, exist_ok=True)
    LISTED.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
    print(f"{len(entries)} mutants: {LISTED.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

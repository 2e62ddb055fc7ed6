"""The mutants that the mutation check puts into the sources: each one is Python, and a change that means something."""

import ast
from pathlib import Path

import pytest

import mutants

SOURCES = sorted(path for room in mutants.ROOMS for path in (mutants.SOURCES / room).glob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_mutant_parses_and_is_another_program(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    before = ast.dump(ast.parse(source))
    found = mutants.mutants_of(path.name, source)
    assert len({mutant.name for mutant in found}) == len(found)
    for mutant in found:
        assert ast.dump(ast.parse(mutant.of(source))) != before, mutant.name


def test_listed_mutants_are_in_the_sources_and_more_than_a_hundred() -> None:
    names = [str(entry["name"]) for entry in mutants.read_list()]
    there = mutants.by_name(names)
    assert len(names) >= 100
    assert [name for name in names if name not in there] == [], "python tools/mutants.py writes the list anew"


def test_messages_annotations_and_what_only_a_compiler_reads_are_left_alone() -> None:
    source = (
        "import cython\n_A = cython.declare(cython.int, 4)\n"
        "if cython.compiled:\n    x = 1 + 2\n\n\n"
        "def f(a: 'int' = 3) -> None:\n"
        "    n: cython.int = cython.cast(cython.int, a)\n"
        "    raise ValueError(f'{n + 1} is more than {2}')\n"
    )
    assert mutants.mutants_of("f.py", source) == []


def test_edges_signs_branches_and_statements_are_changed() -> None:
    source = "def f(a, b):\n    a.x = b\n    if a and not b:\n        return -a < b + 1\n    a.go()\n    return True\n"
    made = {mutant.of(source) for mutant in mutants.mutants_of("f.py", source)}
    for part in ("a or not b", "a and b:", "not (a and not b)", "a <", "<= b", "b - 1", "b + 2", "return False"):
        assert any(part in text for text in made), part
    assert any("a.go()" not in text for text in made)
    assert any("a.x = b" not in text for text in made)

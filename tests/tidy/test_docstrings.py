"""How much of what is public says what it is for. The number is printed at the end of the run."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "lockstep"
SHARE_MIN = 0.90

Definition = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public_names(name: str, node: Definition) -> Iterator[tuple[str, Definition]]:
    """A module, its public classes and functions, and their public methods; nothing inside a function."""
    yield name, node
    if isinstance(node, ast.Module | ast.ClassDef):
        for child in node.body:
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not child.name.startswith(
                "_"
            ):
                yield from public_names(f"{name}.{child.name}", child)


def survey() -> tuple[list[str], list[str]]:
    """(documented, bare) public names of the package. An overload or a property's setter repeats a documented name."""
    documented: list[str] = []
    bare: list[str] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        if any(part.startswith("_") for part in name.split(".")):
            continue
        tree = ast.parse(path.read_text())
        if not tree.body:
            continue  # an empty __init__.py only makes the folder a package
        for full, node in public_names(name, tree):
            decorators = {ast.unparse(d) for d in getattr(node, "decorator_list", [])}
            if any(d.endswith((".setter", "overload")) for d in decorators):
                continue
            (documented if ast.get_docstring(node) else bare).append(full)
    return documented, bare


def test_public_names_are_documented(record_property: Callable[[str, object], None]) -> None:
    documented, bare = survey()
    share = len(documented) / (len(documented) + len(bare))
    record_property("docstrings", f"{share:.1%} of {len(documented) + len(bare)} public names have a docstring")
    assert share >= SHARE_MIN, f"{share:.1%} documented, at least {SHARE_MIN:.0%} wanted; bare: {', '.join(bare)}"

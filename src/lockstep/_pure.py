"""Prefer a `.py` to the compiled module beside it. All or nothing: installed before any other lockstep import."""

from collections.abc import Sequence
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType


class PureFinder:
    """Finds `lockstep.*` as source files only; a `.so` is never looked at."""

    def __init__(self, root: str) -> None:
        self.root = root

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not name.startswith("lockstep."):
            return None
        for folder in path or [str(Path(self.root))]:
            spec = FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES)).find_spec(name)
            if spec is not None:
                return spec
        return None


def install(meta_path: list, root: str) -> None:  # type: ignore[type-arg]
    if not any(isinstance(finder, PureFinder) for finder in meta_path):
        meta_path.insert(0, PureFinder(root))

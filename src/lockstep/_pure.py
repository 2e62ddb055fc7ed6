"""Prefer a `.py` to the compiled module beside it. All or nothing: installed before any other lockstep import."""

from collections.abc import MutableSequence, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader
from importlib.util import find_spec
from types import ModuleType
from typing import Any


class PureFinder(MetaPathFinder):
    """Finds `lockstep.*` as source files only; a `.so` is never looked at, not even where its source is gone."""

    def __init__(self, root: str) -> None:
        self.root = root

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """The source of a lockstep module; None for any other package.

        Raises:
            ModuleNotFoundError: no such source. Returning None would let the next finder load a compiled one.
        """
        if not fullname.startswith("lockstep."):
            return None
        for folder in path or [self.root]:
            spec = FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES)).find_spec(fullname)
            if spec is not None:
                return spec
        raise ModuleNotFoundError(f"no source for {fullname!r} (LOCKSTEP_PURE=1 reads .py files only)", name=fullname)


def install(meta_path: MutableSequence[Any], root: str) -> None:
    """Put the finder first, once.

    Raises:
        ImportError: Cython is absent. Compiled modules run without it; their sources begin with `import cython`.
    """
    try:
        found = find_spec("cython") is not None
    except ValueError:  # a module set to None, or one without a spec
        found = False
    if not found:
        raise ImportError("LOCKSTEP_PURE=1 runs the sources, which need Cython: pip install 'lockstep-trading[pure]'")
    if not any(isinstance(finder, PureFinder) for finder in meta_path):
        meta_path.insert(0, PureFinder(root))

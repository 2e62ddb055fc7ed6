"""What runs is what was written: no stale compiled module, no half-pure import, and nothing missing from the package."""

import fnmatch
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import tidy
from compiled import HASHES, PACKAGE, hot_modules, module_name, source_hashes

ROOT = Path(__file__).resolve().parents[2]

# `make test` builds first and says so: there, nothing compiled is a failure and not a reason to skip.
EXPECT_COMPILED = os.environ.get("LOCKSTEP_EXPECT_COMPILED", "") not in ("", "0")


def python(code: str, *arguments: str, **environment: str) -> str:
    """What a fresh interpreter prints. Pure mode is off unless asked for; no coverage, which imports modules of its own."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    env |= {"PYTHONPATH": str(PACKAGE.parent), "LOCKSTEP_PURE": "", **environment}
    argv = [sys.executable, "-c", code, *arguments]
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=True).stdout


def libraries() -> dict[str, Path]:
    """Module name to compiled library, of everything that lies in the tree."""
    found = {path.with_name(path.name.split(".")[0]): path for path in PACKAGE.rglob("*.so")}
    return {".".join(stem.relative_to(PACKAGE.parent).parts): path for stem, path in found.items()}


@pytest.mark.compiled
def test_every_compiled_module_was_built_from_the_source_beside_it() -> None:
    if not libraries() and not EXPECT_COMPILED:
        pytest.skip("nothing is compiled in this tree: run `make build`")
    recorded = json.loads(HASHES.read_text()) if HASHES.exists() else {}
    current = source_hashes()
    assert set(libraries()) == set(current), "a module is compiled if and only if it has a .pxd: run `make build`"
    stale = sorted(name for name in current if recorded.get(name) != current[name])
    assert not stale, f"compiled from other sources: {', '.join(stale)}; run `make build`"


def test_source_hash_changes_with_every_declaration_read_and_with_no_other(tmp_path: Path) -> None:
    package = tmp_path / "src" / "lockstep"
    files = {
        "book/acc.py": "",
        "book/acc.pxd": "cdef class Acc: pass",
        "book/layout.pxd": "cdef struct Level: long long price",
        "engine/user.py": "if cython.compiled:\n    from cython.cimports.lockstep.book.acc import Acc",
        "engine/user.pxd": "from lockstep.book cimport layout",
        "sim/alone.py": "",
        "sim/alone.pxd": "",
    }
    for name, text in files.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)

    def changed_by(name: str) -> set[str]:
        before = source_hashes(package)
        (package / name).write_text(files[name] + "\n# changed")
        after = source_hashes(package)
        return {module.rpartition(".")[2] for module in before if before[module] != after[module]}

    assert changed_by("book/acc.pxd") == {"acc", "user"}
    assert changed_by("book/layout.pxd") == {"user"}
    assert changed_by("engine/user.py") == {"user"}
    assert changed_by("sim/alone.pxd") == {"alone"}


@pytest.mark.compiled
def test_every_hot_module_is_imported_compiled() -> None:
    if not libraries() and not EXPECT_COMPILED:
        pytest.skip("nothing is compiled in this tree: run `make build`")
    code = "import importlib, sys\nfor name in sys.argv[1:]: print(importlib.import_module(name).__file__)"
    files = python(code, *map(module_name, hot_modules())).split()
    assert all(file.endswith(".so") for file in files), files


WALK = """
import importlib, pkgutil, sys
import lockstep
for module in pkgutil.walk_packages(lockstep.__path__, "lockstep."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
files = [m.__file__ for n, m in sys.modules.items() if n.startswith("lockstep") and getattr(m, "__file__", None)]
print(len(files), sum(file.endswith(".so") for file in files))
"""


def test_pure_mode_imports_no_compiled_module_at_all() -> None:
    modules, compiled = map(int, python(WALK, LOCKSTEP_PURE="1").split())
    assert modules >= len(hot_modules())
    assert compiled == 0


@pytest.mark.parametrize(("value", "pure"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_pure_finder_is_installed_once_and_only_when_asked(value: str, pure: bool) -> None:
    code = (
        "import importlib, sys, lockstep; importlib.reload(lockstep)\n"
        "print([type(finder).__name__ for finder in sys.meta_path].count('PureFinder'))"
    )
    assert python(code, LOCKSTEP_PURE=value).strip() == str(int(pure))


def test_pure_mode_without_cython_says_what_to_install() -> None:
    code = (
        "import sys\nsys.modules['cython'] = None\n"
        "try:\n    import lockstep\n"
        "except ImportError as error: print(error)\n"
    )
    assert "pip install 'lockstep-trading[pure]'" in python(code, LOCKSTEP_PURE="1")
    assert python(code) == ""


def test_pure_mode_never_falls_back_to_a_library_without_source() -> None:
    code = (
        "import lockstep, pathlib, sys, tempfile\n"
        "folder = tempfile.mkdtemp()\n"
        "import importlib.machinery as m\n"
        "pathlib.Path(folder, 'orphan' + m.EXTENSION_SUFFIXES[0]).write_bytes(b'not a library')\n"
        "lockstep.__path__.append(folder)\n"
        "try:\n    import lockstep.orphan\n"
        "except ModuleNotFoundError as error: print('refused', error.name)\n"
    )
    assert python(code, LOCKSTEP_PURE="1").strip() == "refused lockstep.orphan"


HEAVY = "numpy duckdb pandas plotly rich asyncio multiprocessing"


def test_import_lockstep_pulls_nothing_heavy() -> None:
    code = "import sys, lockstep\nprint(*sorted(set(sys.argv[1].split()) & set(sys.modules)))"
    assert python(code, HEAVY).split() == []


def test_command_line_help_pulls_neither_numpy_nor_duckdb() -> None:
    code = (
        "import sys\nsys.argv = ['lockstep', '--help']\n"
        "from lockstep.app.cli import main\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code\n"
        "print('LOADED', *sorted({'numpy', 'duckdb', 'pandas', 'plotly'} & set(sys.modules)))"
    )
    assert python(code).splitlines()[-1].split() == ["LOADED"]


def test_package_data_patterns_take_every_file_that_is_not_python() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["lockstep"]
    tracked = [
        name.removeprefix("src/lockstep/") for name in tidy.tracked_files(ROOT) if name.startswith("src/lockstep/")
    ]
    left_out = [
        name
        for name in tracked
        if not name.endswith((".py", ".so", ".c"))
        and not any(fnmatch.fnmatch("/" + name, "/" + pattern.replace("**/", "*")) for pattern in patterns)
    ]
    assert not left_out, f"in the tree, not in the wheel: {left_out}; add a pattern to [tool.setuptools.package-data]"

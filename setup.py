"""Compile the hot modules: every `.py` in the package that has a `.pxd` beside it.

A module is compiled because it has a `.pxd`; there is no second list to keep. A `.pxd` without a `.py` only declares
(a struct, a typedef) and compiles to nothing. Flags keep the bits of a float the same compiled and pure: no fused
multiply-add, no fast maths, no machine-specific instructions; and the same sources give the same bytes wherever they lie.

LOCKSTEP_OPT          the optimisation level (-O1 compiles in half the time); unless set, -O3 and without symbols
LOCKSTEP_JOBS         how many modules at once, all processors unless set
LOCKSTEP_NO_COMPILE=1 compile nothing: the package then runs as plain Python, same answers, far slower
"""

import json
import os
import shutil
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tools"))

from compiled import HASHES, PACKAGE, hot_modules, module_name, source_hashes  # noqa: E402 - found through the line above

C_SOURCES = Path("build") / "cython"
JOBS = int(os.environ.get("LOCKSTEP_JOBS", "0")) or os.cpu_count() or 1
COMPILE = os.environ.get("LOCKSTEP_NO_COMPILE", "") in ("", "0")


def drop_stale_c() -> None:
    """Forget C that was made from other sources, where times alone (a copy, a restored cache) would not tell."""
    recorded = json.loads(HASHES.read_text()) if HASHES.exists() else {}
    for name, digest in source_hashes().items():
        if recorded.get(name) != digest:
            (ROOT / C_SOURCES / "src" / Path(*name.split("."))).with_suffix(".c").unlink(missing_ok=True)


class CleanPackage(build_py):
    """Builds the package from what is in the tree now: a wheel never carries a file left over from an earlier build."""

    def run(self) -> None:
        """Empty the build folder's package first."""
        if not self.editable_mode:
            shutil.rmtree(Path(self.build_lib) / "lockstep", ignore_errors=True)
        super().run()


class BuildAndRecord(build_ext):
    """Builds in parallel and records what was compiled, so that a test can tell a stale `.so` from a fresh one."""

    def finalize_options(self) -> None:
        """Use every processor unless the command line says otherwise."""
        super().finalize_options()
        if self.parallel is None:
            self.parallel = JOBS

    def run(self) -> None:
        """Compile, then write the record beside the package that was built."""
        in_place = bool(self.inplace) or self.editable_mode
        if in_place:
            remove_orphans()
        super().run()
        target = HASHES if in_place else Path(self.build_lib) / "lockstep" / HASHES.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(source_hashes(), indent=1, sort_keys=True) + "\n")


def remove_orphans() -> None:
    """Delete a `.so` in the tree whose module is no longer compiled: it would shadow the edited `.py` for ever."""
    wanted = {path.with_suffix("") for path in hot_modules()}
    for library in PACKAGE.rglob("*.so"):
        if library.with_name(library.name.split(".")[0]) not in wanted:
            library.unlink()


def extensions() -> list[Extension]:
    """One extension for each hot module."""
    flags = [
        os.environ.get("LOCKSTEP_OPT", "-O3"),
        "-g0",
        "-ffp-contract=off",
        "-fno-fast-math",
        "-Wno-unused-function",
    ]
    link = ["-Wl,-s"] if sys.platform == "linux" and "LOCKSTEP_OPT" not in os.environ else []
    return [
        Extension(module_name(p), [str(p.relative_to(ROOT))], extra_compile_args=flags, extra_link_args=link)
        for p in hot_modules()
    ]


os.chdir(ROOT)
if COMPILE:
    drop_stale_c()
setup(
    ext_modules=cythonize(
        extensions() if COMPILE else [],
        build_dir=str(C_SOURCES),
        nthreads=JOBS if JOBS > 1 else 0,
        quiet=True,
        compiler_directives={
            "language_level": "3",
            "embedsignature": False,
            "binding": True,
            "show_performance_hints": False,
        },
    ),
    cmdclass={"build_ext": BuildAndRecord, "build_py": CleanPackage},
)

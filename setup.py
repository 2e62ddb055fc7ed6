"""Compile the hot modules: every `.py` in the package that has a `.pxd` beside it.

A module is compiled because it has a `.pxd`; there is no second list to keep. Flags keep the bits of a float the
same compiled and pure: no fused multiply-add, no fast maths, no machine-specific instructions.
"""

import hashlib
import json
import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent
PACKAGE = ROOT / "src" / "lockstep"
OPTIMISE = os.environ.get("LOCKSTEP_OPT", "-O2")
HASHES = PACKAGE / "_build_hashes.json"


def hot_modules() -> list[Path]:
    return sorted(pxd.with_suffix(".py") for pxd in PACKAGE.rglob("*.pxd") if pxd.with_suffix(".py").exists())


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)


def write_hashes() -> None:
    """Record what was compiled, so that a test can tell a stale `.so` from a fresh one."""
    hashes = {
        module_name(path): hashlib.sha256(path.read_bytes() + path.with_suffix(".pxd").read_bytes()).hexdigest()
        for path in hot_modules()
    }
    HASHES.write_text(json.dumps(hashes, indent=1, sort_keys=True) + "\n")


class BuildAndRecord(build_ext):
    def run(self) -> None:
        super().run()
        write_hashes()
        if not self.inplace:
            target = Path(self.build_lib) / "lockstep" / HASHES.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(HASHES.read_text())


extensions = [
    Extension(
        module_name(path),
        [str(path.relative_to(ROOT))],
        extra_compile_args=[OPTIMISE, "-g0", "-ffp-contract=off", "-fno-fast-math", "-Wno-unused-function"],
    )
    for path in hot_modules()
]

setup(
    ext_modules=cythonize(
        extensions,
        build_dir="build/cython",
        nthreads=int(os.environ.get("LOCKSTEP_JOBS", os.cpu_count() or 1)),
        compiler_directives={"language_level": "3", "embedsignature": False, "binding": True},
    ),
    cmdclass={"build_ext": BuildAndRecord},
)

"""Prints what pyproject.toml asks for: the build's requirements, the package's own, and those of the extras named.

`make setup` installs these first and the package after them without isolation, so that the package is compiled by the
Cython that stands in `.venv`, while a dependency that must be built still gets an environment of its own.
"""

import sys
import tomllib
from pathlib import Path


def requirements(extras: list[str]) -> list[str]:
    """Requirement lines, in the order of the file.

    Raises:
        KeyError: an extra that pyproject.toml does not define.
    """
    stated = tomllib.loads((Path(__file__).resolve().parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    project = stated["project"]
    optional = [line for extra in extras for line in project["optional-dependencies"][extra]]
    return [*stated["build-system"]["requires"], *project["dependencies"], *optional]


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1:])))

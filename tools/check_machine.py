# ruff: noqa: UP031, PTH110, PTH118 - must run under any Python 3, to be able to say that this one is too old
"""Says whether this machine can build Lockstep, and if not, what to install. Run by `make setup` before anything else."""

import os
import sys

PYTHON_MIN = (3, 11)


def problems() -> "list[str]":
    """What is missing, each with the command that mends it; Debian's names, as the commonest."""
    if sys.version_info < PYTHON_MIN:
        return [
            "Python %d.%d is too old: Lockstep needs %d.%d or newer. Install one and say which: make setup PYTHON=python3.12"
            % (sys.version_info[:2] + PYTHON_MIN)
        ]
    import shutil
    import sysconfig

    found = []
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        found.append("%s cannot make a virtual environment. On Debian: apt-get install python3-venv" % sys.executable)
    compiler = (os.environ.get("CC") or "gcc").split()[0]
    if shutil.which(compiler) is None:
        found.append("no C compiler: %s is not on PATH. On Debian: apt-get install gcc libc6-dev" % compiler)
    header = os.path.join(sysconfig.get_path("include"), "Python.h")
    if not os.path.exists(header):
        found.append("no %s to compile against. On Debian: apt-get install python3-dev" % header)
    return found


if __name__ == "__main__":
    missing = problems()
    for problem in missing:
        print("cannot set up: " + problem)
    sys.exit(1 if missing else 0)

"""What `make setup` says on a machine that lacks something: one line, with the command that mends it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def check(before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    code = f"import runpy, sys\n{before}\nrunpy.run_path('tools/check_machine.py', run_name='__main__')"
    env = {**os.environ, **environment}
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("before", "environment", "says"),
    [
        ("sys.modules['ensurepip'] = None", {}, "apt-get install python3-venv"),
        ("", {"CC": "no-such-compiler"}, "no-such-compiler is not on PATH"),
        ("import sysconfig; sysconfig.get_path = lambda name: 'nowhere'", {}, "apt-get install python3-dev"),
        ("sys.version_info = (3, 9, 2)", {}, "Python 3.9 is too old"),
    ],
)
def test_machine_that_lacks_something_is_told_what_to_install(
    before: str, environment: dict[str, str], says: str
) -> None:
    done = check(before, **environment)
    assert done.returncode == 1
    assert done.stdout.count("\n") == 1
    assert says in done.stdout
    assert done.stderr == ""


def test_machine_that_has_everything_is_told_nothing() -> None:
    done = check()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

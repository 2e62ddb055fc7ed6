"""A real process and SIGKILL: once at each point here, a hundred times each by hand (docs/guides/faults.md has the figures)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.slow
def test_process_killed_at_each_point_loses_and_doubles_nothing() -> None:
    paths = [
        HERE,
        HERE.parent / "support",
        HERE.parents[1] / "src",
        *os.environ.get("PYTHONPATH", "").split(os.pathsep),
    ]
    done = subprocess.run(
        [sys.executable, str(HERE / "kill9.py"), "--times", "1"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(path) for path in paths if path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["failures"] == 0, found["failed"]
    assert done.returncode == 0
    assert all(kills > 0 for kills in found["kills_by_point"].values())

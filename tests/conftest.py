"""What every test may ask for, and when one is skipped: always with the reason."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
PURE = os.environ.get("LOCKSTEP_PURE", "") not in ("", "0")

# No deadline: shared machines pause. In CI the same examples every time, so that a red run can be repeated.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def data_root() -> Path:
    """Where recorded data lies: LOCKSTEP_DATA, by default ../shared/data beside the repository."""
    return Path(os.environ.get("LOCKSTEP_DATA") or ROOT.parent / "shared" / "data")


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of recorded data; skips the test where there is none."""
    folder = data_root()
    if not folder.is_dir():
        pytest.skip(f"no recorded data at {folder}: set LOCKSTEP_DATA")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what states something about compiled code in a run without any, and what needs data that is absent."""
    for item in items:
        if PURE and item.get_closest_marker("compiled"):
            item.add_marker(pytest.mark.skip(reason="LOCKSTEP_PURE=1: nothing is compiled in this run"))
        if item.get_closest_marker("data") and not data_root().is_dir():
            item.add_marker(pytest.mark.skip(reason=f"no recorded data at {data_root()}: set LOCKSTEP_DATA"))

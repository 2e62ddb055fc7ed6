"""The guide on quoting and taking: its commands run, and the tables are what comes out."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from market_making import CASES, HEADS, Case, cells

pytestmark = [pytest.mark.data, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/guides/market-making.md").read_text()
RECORDING = "binance_usdm_btcusdt_20240808.raw.zst"
LOCKSTEP = "import sys; from lockstep.app.cli import main; sys.argv[0] = 'lockstep'; sys.exit(main())"


def told() -> dict[Case, tuple[str, ...]]:
    """The rows of the guide's tables."""
    rows = [line for line in GUIDE.splitlines() if line.startswith(("| market_maker", "| imbalance_taker"))]
    parts = [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows]
    return {Case._make((*part[:4], "" if part[4] == "defaults" else part[4])): part[5:] for part in parts}


def test_guide_has_a_row_for_each_case() -> None:
    assert list(told()) == CASES


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_row_of_the_guide_comes_out_again(case: Case, data: Path) -> None:
    assert cells(case, data / "crypto_l2") == told()[case]


def test_commands_of_the_guide_run_and_the_replay_is_identical(data: Path, tmp_path: Path) -> None:
    (tmp_path / RECORDING).symlink_to(data / "crypto_l2" / RECORDING)
    commands = [line[2:] for line in GUIDE.splitlines() if line.startswith("$ lockstep ")]
    assert len(commands) == 7
    env = os.environ | {"PYTHONPATH": str(ROOT / "src"), "LOCKSTEP_HOME": str(tmp_path / "home"), "NO_COLOR": "1"}
    said = {}
    for line in commands:
        words = shlex.split(line)[1:]
        done = subprocess.run([sys.executable, "-c", LOCKSTEP, *words], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        said[words[0]] = " ".join(done.stdout.split())
    assert "identical" in said["replay"]
    assert "power:3" in said["run"]


def test_every_run_of_the_guide_loses_or_does_not_trade() -> None:
    nets = [float(row[HEADS.index("net")]) for row in told().values()]
    assert max(nets) <= 0.0

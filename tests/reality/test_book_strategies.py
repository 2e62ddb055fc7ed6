"""The shipped strategies on order books: on a recording they decide the same from the command line, a file, a replay, uncompiled."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lockstep.store.runs import RunFolder

ROOT = Path(__file__).resolve().parents[2]
RECORDING = "crypto_l2/binance_spot_btcusdt_20240808.raw.zst"
END = "2024-08-08T23:56:30"
LOCKSTEP = "import sys; from lockstep.app.cli import main; sys.argv[0] = 'lockstep'; sys.exit(main())"
STRATEGIES = ("market_maker", "imbalance_taker")

pytestmark = [pytest.mark.data, pytest.mark.slow]


def lockstep(folder: Path, *words: str, pure: bool = False) -> dict[str, Any]:
    env = os.environ | {"PYTHONPATH": str(ROOT / "src"), "LOCKSTEP_HOME": str(folder / "home")}
    if pure:
        env["LOCKSTEP_PURE"] = "1"
    told = subprocess.run(
        [sys.executable, "-c", LOCKSTEP, *words, "--json"],
        cwd=folder, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def typed(name: str, data: Path) -> list[str]:
    file, recording = ROOT / "examples" / f"{name}.py", data / RECORDING
    return ["backtest", str(file), "--data", str(recording), "--kind", "depth", "--end", END, "--no-sensitivity"]


@pytest.mark.parametrize("name", STRATEGIES)
def test_strategy_decides_the_same_typed_from_a_file_and_replayed(name: str, data: Path, tmp_path: Path) -> None:
    said = lockstep(tmp_path, *typed(name, data), "--latency", "remote", "--record", "recorded")
    assert said["fills"] > 20
    replayed = lockstep(tmp_path, "replay", "recorded")
    assert (replayed["identical"], replayed["hash"]) == (True, said["decision_hash"])
    assert replayed["decisions"] > said["orders"]
    settings = f"""
[engine]
end = "{END}"
[data]
source = "{data / RECORDING}"
kind = "depth"
[venue]
latency = "remote"
[output]
sensitivity = false
[[strategies]]
script = "{ROOT / "examples" / name}.py"
"""
    (tmp_path / "run.toml").write_text(settings)
    assert lockstep(tmp_path, "run", "--config", "run.toml")["run_hash"] == said["run_hash"]


@pytest.mark.compiled
@pytest.mark.parametrize("name", STRATEGIES)
def test_strategy_decides_the_same_uncompiled(name: str, data: Path, tmp_path: Path) -> None:
    said = [lockstep(tmp_path, *typed(name, data), "--no-save", pure=pure) for pure in (False, True)]
    assert [run["compiled"] for run in said] == [True, False]
    assert said[0]["run_hash"] == said[1]["run_hash"]


def test_market_maker_stays_within_its_inventory_and_asks_no_more_often_than_its_pause(
    data: Path, tmp_path: Path
) -> None:
    said = lockstep(tmp_path, *typed("market_maker", data), "--param", "max_orders=2", "--latency", "none")
    run = RunFolder.open(said["run_hash"], tmp_path / "runs")
    fills: Any = run.table("fills")
    held = (fills["side"] * fills["qty_units"]).cumsum()
    lot = 10**6  # 0.01 BTC at eight decimals
    assert lot < abs(held).max() <= 2 * lot
    orders: Any = run.table("orders")
    for side in (1, -1):
        asks = [
            ts
            for ts, record, of in zip(orders["ts"], orders["record"], orders["side"], strict=True)
            if record in ("submit", "replace_request") and of == side
        ]
        assert len(asks) > 20
        assert min(later - earlier for earlier, later in zip(asks, asks[1:], strict=False)) >= 250_000_000
    assert all(orders["post_only"])

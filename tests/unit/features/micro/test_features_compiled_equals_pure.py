"""The same source, compiled and uncompiled: the same bits and the same saved state, on a recorded book and its trades."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lockstep.features.micro import base

pytestmark = pytest.mark.data

PROGRAM = """
import hashlib, json, sys
from pathlib import Path
sys.path[:0] = [sys.argv[2]]
from benchmarks.features import whole_set
from lockstep.features.micro import MarketFeatures
from lockstep.features.micro.batch import table
from lockstep.research.baseline import baseline_features, read_recording
recording = read_recording(Path(sys.argv[1]))
driven = MarketFeatures(recording.instrument, [*whole_set(), *baseline_features()])
found = table(driven, recording.records[:60_000])
seen = hashlib.sha256(found.values.tobytes() + found.clock.tobytes() + found.row.tobytes())
seen.update(json.dumps(driven.save(), sort_keys=True).encode())
print(seen.hexdigest(), len(found.clock))
"""


def digest(pure: str, data: Path) -> str:
    environment = {**os.environ, "LOCKSTEP_PURE": pure}
    file = data / "crypto_l2/binance_spot_btcusdt_20240808.raw.zst"
    root = Path(__file__).resolve().parents[4]
    program = [sys.executable, "-c", PROGRAM, str(file), str(root)]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.slow
@pytest.mark.compiled
def test_market_features_have_the_same_bits_compiled_and_pure(data: Path) -> None:
    assert not base.__file__.endswith(".py")
    compiled = digest("0", data)
    assert int(compiled.split()[1]) > 2_000
    assert digest("1", data) == compiled
